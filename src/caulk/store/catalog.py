"""An index of captures in SQL, for those who have thousands: made from the manifests, and made again at any time.

Nothing is only here: a row that disagrees with its manifest is wrong, and `refresh` puts it right. The database is
SQLite's or PostgreSQL's, and answers alike.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from caulk.model.capture import Manifest
from caulk.model.decoding import decoded
from caulk.model.errors import UsageError
from caulk.store.captures import Entry

_METADATA = sa.MetaData()
#: 64 bits on both; SQLite numbers rows by INTEGER alone, and holds as much in it.
_SIZE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
#: In the order of its bytes, whatever language a cluster sorts by.
_SORTED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
#: What a transaction begins with that no other of these may run beside: a number that stands for the catalogue.
_ALONE = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "SELECT pg_advisory_xact_lock(7161106)"}
#: SQLite gives up after five seconds of another's writing.
_PATIENCE = {"sqlite": {"timeout": 60}}
_CAPTURES = sa.Table(
    "captures",
    _METADATA,
    sa.Column("id", _SORTED, primary_key=True),
    sa.Column("reference", sa.Text, nullable=False, index=True),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("runtime", sa.Text, nullable=False),
    sa.Column("format", sa.Text, nullable=False),
    sa.Column("evidence", sa.Text, nullable=False),
    sa.Column("taken_at", _SORTED, nullable=False, index=True),
    sa.Column("complete", sa.Boolean, nullable=False),
    sa.Column("size_bytes", _SIZE, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("directory", sa.Text, nullable=False),
    sa.Column("manifest", sa.Text, nullable=False),
)


class Catalog:
    """The index in the database at `url`, `sqlite:///catalog.db` or `postgresql://user@host/name`.

    Made if it is not there; raises `UsageError` for databases of another kind.
    """

    def __init__(self, url: str) -> None:
        kind = sa.make_url(url).get_backend_name()
        if kind not in _ALONE:
            raise UsageError(f"{kind} cannot hold the catalogue", hint="It is kept in SQLite or PostgreSQL.")
        self._engine = sa.create_engine(url, connect_args=_PATIENCE.get(kind, {}))
        with self._alone() as link:
            _METADATA.create_all(link)

    def refresh(self, entries: Iterable[Entry]) -> int:
        """Makes the rows agree with the captures there are, in one transaction; how many had to be changed."""
        wanted = {entry.manifest.id: _row(entry) for entry in entries}
        with self._alone() as link:
            known = {row["id"]: dict(row) for row in link.execute(sa.select(_CAPTURES)).mappings()}
            gone = known.keys() - wanted.keys()
            changed = [number for number, row in wanted.items() if number in known and known[number] != row]
            fresh = [row for number, row in wanted.items() if number not in known]
            stale = [*gone, *changed]
            if stale:
                link.execute(
                    sa.delete(_CAPTURES).where(_CAPTURES.c.id == sa.bindparam("gone")), [{"gone": s} for s in stale]
                )
            if fresh or changed:
                link.execute(sa.insert(_CAPTURES), [*fresh, *(wanted[number] for number in changed)])
        return len(stale) + len(fresh)

    def find(
        self, *, reference: str = "", runtime: str = "", since: datetime | None = None, limit: int = 100
    ) -> list[Manifest]:
        """Manifests of complete captures, the newest first."""
        query = sa.select(_CAPTURES.c.manifest).where(_CAPTURES.c.complete)
        if reference:
            query = query.where(_CAPTURES.c.reference == reference)
        if runtime:
            query = query.where(_CAPTURES.c.runtime == runtime)
        if since:
            query = query.where(_CAPTURES.c.taken_at >= since.isoformat(timespec="seconds").replace("+00:00", "Z"))
        query = query.order_by(_CAPTURES.c.taken_at.desc(), _CAPTURES.c.id.desc()).limit(limit)
        with self._engine.connect() as link:
            return [decoded(text, Manifest) for text in link.execute(query).scalars()]

    def close(self) -> None:
        """Lets go of the database."""
        self._engine.dispose()

    @contextmanager
    def _alone(self) -> Iterator[sa.Connection]:
        """A transaction that nobody else changes the catalogue beside."""
        with self._engine.begin() as link:
            link.exec_driver_sql(_ALONE[link.dialect.name])
            yield link


def _row(entry: Entry) -> dict[str, Any]:
    manifest = entry.manifest
    return {
        "id": manifest.id,
        "reference": manifest.target.reference,
        "place": manifest.target.place,
        "runtime": manifest.target.runtime,
        "format": manifest.format,
        "evidence": manifest.evidence,
        "taken_at": manifest.taken_at,
        "complete": manifest.complete,
        "size_bytes": manifest.size_bytes,
        "sha256": manifest.sha256,
        "directory": str(entry.directory),
        "manifest": msgspec.json.encode(manifest).decode(),
    }
