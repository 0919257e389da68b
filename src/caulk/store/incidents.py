"""Incidents and what they still owe, in SQL: SQLite in a file, or PostgreSQL, by the same statements.

An incident and its steps are written in one transaction before anything is done; a step that is done, what came of it,
and the steps that follow from it, in one more. So whatever moment a process is killed at, each step is either owed or
done, and whoever comes next goes on. A step may be begun twice: what it does must bear that (`Outgoing.id` tells).
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from caulk.model.decoding import converted, decoded
from caulk.model.incident import Incident, Moment, Outgoing, told

_METADATA = sa.MetaData()
_INCIDENTS = sa.Table(
    "incidents",
    _METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("workload", sa.Text, nullable=False, index=True),
    sa.Column("opened_at", sa.Double, nullable=False, index=True),
    sa.Column("closed_at", sa.Double),
    sa.Column("lasts", sa.Boolean, nullable=False),
    sa.Column("fingerprint", sa.Text, nullable=False, index=True),
    sa.Column("opening", sa.Text, nullable=False),
)
_MOMENTS = sa.Table(
    "moments",
    _METADATA,
    sa.Column("incident", sa.Text, sa.ForeignKey("incidents.id"), primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("moment", sa.Text, nullable=False),
)
_OUTBOX = sa.Table(
    "outbox",
    _METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("incident", sa.Text, sa.ForeignKey("incidents.id"), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("blocks", sa.Boolean, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("due_at", sa.Double, nullable=False),
    sa.Column("wakes_at", sa.BigInteger),
    sa.Column("is_done", sa.Boolean, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("owned_until", sa.Double, nullable=False),
    sa.Index("outbox_owed", "is_done", "due_at"),
)


class Incidents:
    """The incidents in the database at `url` (`sqlite:///incidents.db`), made if it is not there; any thread may ask.

    `owner` names who does steps here; the same name after a restart.
    """

    def __init__(self, url: str, owner: str = "") -> None:
        self._engine = sa.create_engine(url)
        self._owner = owner
        if self._engine.dialect.name == "sqlite":
            sa.event.listen(self._engine, "connect", _prepare)
        _METADATA.create_all(self._engine)

    def open(self, incident: Incident, steps: Iterable[Outgoing]) -> bool:
        """Writes an incident down with its steps; False, and nothing is written, if there is one of its key."""
        row = {
            "id": incident.id,
            "key": incident.key,
            "rule": incident.rule,
            "workload": incident.workload.key,
            "opened_at": incident.opened_at,
            "lasts": incident.lasts,
            "fingerprint": "",
            "opening": _text(incident),
        }
        try:
            with self._engine.begin() as link:
                link.execute(sa.insert(_INCIDENTS), row)
                _owe(link, steps)
        except sa.exc.IntegrityError:
            return False
        return True

    def add(self, incident: str, moment: Moment, following: Iterable[Outgoing] = ()) -> bool:
        """Notes what happened, and the steps that it leads to; False, and nothing, if a moment of that key is there."""
        try:
            with self._engine.begin() as link:
                _note(link, incident, moment)
                _owe(link, following)
        except sa.exc.IntegrityError:
            return False
        return True

    def take(self, now: float, lease_s: float, kinds: Sequence[str] = ()) -> Outgoing | None:
        """The next step that is due, of some kinds, for this owner alone until the lease ends; None if none is."""
        earlier = _OUTBOX.alias()
        is_blocked = sa.exists().where(
            earlier.c.incident == _OUTBOX.c.incident,
            earlier.c.position < _OUTBOX.c.position,
            ~earlier.c.is_done,
            earlier.c.blocks,
        )
        is_free = ~_OUTBOX.c.is_done & (_OUTBOX.c.owned_until < now)
        query = sa.select(_OUTBOX).where(is_free, _OUTBOX.c.due_at <= now, ~is_blocked)
        query = query.where(_OUTBOX.c.kind.in_(kinds)) if kinds else query
        with self._engine.connect() as link:
            rows = link.execute(query.order_by(_OUTBOX.c.due_at, _OUTBOX.c.id).limit(10)).mappings().all()
        for row in rows:
            claim = sa.update(_OUTBOX).where(_OUTBOX.c.id == row["id"], is_free)
            with self._engine.begin() as link:
                if link.execute(claim.values(owner=self._owner, owned_until=now + lease_s)).rowcount:
                    return _outgoing(row)
        return None

    def renew(self, step: Outgoing, until: float) -> None:
        """Keeps a step that takes long."""
        self._change(step.id, owned_until=until)

    def let_go(self) -> None:
        """Gives back what this owner had when it ended: nobody else does its steps now."""
        with self._engine.begin() as link:
            own = (_OUTBOX.c.owner == self._owner) & ~_OUTBOX.c.is_done
            link.execute(sa.update(_OUTBOX).where(own).values(owner="", owned_until=0.0))

    def finish(self, step: Outgoing, moment: Moment, following: Iterable[Outgoing] = ()) -> None:
        """Marks a step as done, with what came of it and the steps that it leads to; again does nothing.

        The last step of an incident that does not last closes it.
        """
        with self._engine.begin() as link:
            done = sa.update(_OUTBOX).where(_OUTBOX.c.id == step.id, ~_OUTBOX.c.is_done).values(is_done=True)
            if link.execute(done).rowcount:
                _note(link, step.incident, moment)
                _owe(link, following)
                if _is_over(link, step.incident):
                    closing = Moment(moment.at, "closed", "all is done", "closed", position=step.position + 1)
                    _note(link, step.incident, closing)

    def postpone(self, step: Outgoing, due_at: float, *, wakes_at: int | None = None, attempts: int = 0) -> None:
        """Leaves a step for later, or for when memory is at `wakes_at`."""
        self._change(step.id, due_at=due_at, wakes_at=wakes_at, attempts=attempts, owner="", owned_until=0.0)

    def waiting(self) -> list[tuple[Incident, Outgoing]]:
        """Steps that wait for memory to grow, with the incidents that owe them."""
        query = sa.select(_OUTBOX, _INCIDENTS.c.opening).join(_INCIDENTS)
        query = query.where(~_OUTBOX.c.is_done, _OUTBOX.c.wakes_at.is_not(None))
        with self._engine.connect() as link:
            rows = link.execute(query).mappings().all()
        return [(_opening(row["opening"]), _outgoing(row)) for row in rows]

    def wake(self, step: Outgoing, now: float) -> None:
        """Makes a step due that waited for memory to grow."""
        self._change(step.id, due_at=now, wakes_at=None)

    def owed(self) -> dict[str, int]:
        """How many steps of each kind are not done."""
        query = sa.select(_OUTBOX.c.kind, sa.func.count()).where(~_OUTBOX.c.is_done).group_by(_OUTBOX.c.kind)
        with self._engine.connect() as link:
            return dict(link.execute(query).all())

    def due(self) -> float | None:
        """When the next step is due, in seconds since 1970; None if none is owed."""
        query = sa.select(sa.func.min(_OUTBOX.c.due_at)).where(~_OUTBOX.c.is_done)
        with self._engine.connect() as link:
            return link.execute(query).scalar()

    def fired(self, rule: str, since: float) -> list[tuple[str, float]]:
        """The workloads that a rule fired for, and when, oldest first."""
        query = sa.select(_INCIDENTS.c.workload, _INCIDENTS.c.opened_at).order_by(_INCIDENTS.c.opened_at)
        query = query.where(_INCIDENTS.c.rule == rule, _INCIDENTS.c.opened_at >= since)
        with self._engine.connect() as link:
            return [(workload, at) for workload, at in link.execute(query)]

    def find(
        self, *, name: str = "", workload: str = "", fingerprint: str = "", is_open: bool = False, limit: int = 100
    ) -> list[Incident]:
        """Incidents with all that happened, the newest first; `name` is an id, or how one begins or ends."""
        query = sa.select(_INCIDENTS).order_by(_INCIDENTS.c.opened_at.desc(), _INCIDENTS.c.id.desc()).limit(limit)
        if name:
            ids = _INCIDENTS.c.id
            query = query.where(ids.startswith(name, autoescape=True) | ids.endswith(f"-{name}", autoescape=True))
        if workload:
            query = query.where(_INCIDENTS.c.workload == workload)
        if fingerprint:
            query = query.where(_INCIDENTS.c.fingerprint == fingerprint)
        if is_open:
            query = query.where(_INCIDENTS.c.closed_at.is_(None))
        with self._engine.connect() as link:
            found = link.execute(query).mappings().all()
            return [told(_opening(row["opening"]), _moments(link, row["id"])) for row in found]

    def get(self, number: str, before: int | None = None) -> Incident:
        """The incident of this id, as it was told before the step of a position; raises KeyError if there is none."""
        with self._engine.connect() as link:
            opening = link.execute(sa.select(_INCIDENTS.c.opening).where(_INCIDENTS.c.id == number)).scalar()
            if opening is None:
                raise KeyError(number)
            return told(_opening(opening), _moments(link, number), before)

    def keyed(self, key: str) -> Incident | None:
        """The incident of a key, as it was opened; None if there is none."""
        with self._engine.connect() as link:
            opening = link.execute(sa.select(_INCIDENTS.c.opening).where(_INCIDENTS.c.key == key)).scalar()
        return None if opening is None else _opening(opening)

    def counted(self) -> tuple[int, int]:
        """How many incidents there are, and how many moments of them: where neither grew, nothing happened."""
        with self._engine.connect() as link:
            counts = [sa.select(sa.func.count()).select_from(table) for table in (_INCIDENTS, _MOMENTS)]
            incidents, moments = (link.execute(count).scalar_one() for count in counts)
        return incidents, moments

    def dispose(self) -> None:
        """Lets go of the database."""
        self._engine.dispose()

    def _change(self, step: str, **values: Any) -> None:
        with self._engine.begin() as link:
            link.execute(sa.update(_OUTBOX).where(_OUTBOX.c.id == step, ~_OUTBOX.c.is_done).values(**values))


def _prepare(link: Any, _: Any) -> None:
    """Readers do not wait for the writer, the writer waits for another; what is committed survives a loss of power."""
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "foreign_keys=ON"):
        link.execute(f"PRAGMA {pragma}")


def _note(link: sa.Connection, incident: str, moment: Moment) -> None:
    link.execute(sa.insert(_MOMENTS), {"incident": incident, "key": moment.key, "moment": _text(moment)})
    changed: dict[str, Any] = {}
    if moment.what == "closed":
        changed["closed_at"] = moment.at
    if moment.what == "analysed" and moment.findings:
        changed["fingerprint"] = moment.findings[0].fingerprint
    if changed:
        link.execute(sa.update(_INCIDENTS).where(_INCIDENTS.c.id == incident).values(**changed))


def _is_over(link: sa.Connection, incident: str) -> bool:
    """Whether nothing is owed any more, and nothing goes on."""
    going_on = sa.select(_INCIDENTS.c.id).where(
        _INCIDENTS.c.id == incident, _INCIDENTS.c.lasts | _INCIDENTS.c.closed_at.is_not(None)
    )
    owed = sa.select(_OUTBOX.c.id).where(_OUTBOX.c.incident == incident, ~_OUTBOX.c.is_done)
    return link.execute(going_on.limit(1)).first() is None and link.execute(owed.limit(1)).first() is None


def _owe(link: sa.Connection, steps: Iterable[Outgoing]) -> None:
    rows = [_row(step) for step in steps]
    if rows:
        link.execute(sa.insert(_OUTBOX), rows)


def _row(step: Outgoing) -> dict[str, Any]:
    row: dict[str, Any] = msgspec.to_builtins(step)
    return row | {"is_done": False, "owner": "", "owned_until": 0.0}


def _outgoing(row: Any) -> Outgoing:
    return converted({name: row[name] for name in Outgoing.__dataclass_fields__}, Outgoing)


def _opening(text: str) -> Incident:
    return decoded(text, Incident)


def _moments(link: sa.Connection, incident: str) -> Sequence[Moment]:
    found = link.execute(sa.select(_MOMENTS.c.moment).where(_MOMENTS.c.incident == incident)).scalars()
    return [decoded(text, Moment) for text in found]


def _text(record: object) -> str:
    return msgspec.json.encode(record).decode()
