"""`caulk incident`: what rules and alerts opened, listed, shown, exported and closed."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import cyclopts
import msgspec
from cyclopts import Parameter

from caulk import app as application
from caulk.cli.files import appearing
from caulk.cli.targets import Output, show, show_record
from caulk.config import load
from caulk.model.errors import UsageError
from caulk.model.incident import Incident, Moment
from caulk.model.table import Heading, Table
from caulk.model.units import iso
from caulk.watch.telling import document, markdown

if TYPE_CHECKING:
    from caulk.store.incidents import Incidents

app = cyclopts.App(name="incident", help="What rules and alerts opened: list, show, export, close.")

_HEADINGS = (
    Heading("id", "id"),
    Heading("opened_at", "opened"),
    Heading("state", "state"),
    Heading("rule", "rule"),
    Heading("captures", "captures", "count"),
    Heading("what", "what"),
)
_Output = Annotated[Output, Parameter(name=["--output", "-o"])]


@app.default
def list_(
    *,
    workload: str = "",
    like: str = "",
    open: Annotated[bool, Parameter(negative="")] = False,
    limit: Annotated[int, Parameter(name=["--limit", "-n"])] = 30,
    config: str = "",
    output: _Output = "table",
) -> int:
    """List incidents, the newest first.

    Parameters
    ----------
    workload
        Only those of this workload, by its key.
    like
        Only those whose first finding is the same as that of this incident.
    open
        Only those that are not over.
    limit
        So many at most.
    config
        The caulk.toml.
    output
        table or json.

    """
    with _store(config) as store:
        fingerprint = _one(store, like).fingerprint if like else ""
        if like and not fingerprint:
            raise UsageError(f"{like} has no finding to compare by")
        found = store.find(workload=workload, fingerprint=fingerprint, is_open=open, limit=limit)
    show(Table("incidents", _HEADINGS, [_row(incident) for incident in found]), output)
    return 0


@app.command(name="show")
def show_(incident: str, *, config: str = "", output: _Output = "table") -> int:
    """Everything about one incident: why, what was done, what was found.

    Parameters
    ----------
    incident
        Its id, the beginning or the end of it, or `latest`.
    config
        The caulk.toml.
    output
        table (text) or json.

    """
    with _store(config) as store:
        found = _one(store, incident)
    if output == "json":
        show_record(document(found))
    else:
        sys.stdout.write(markdown(found))
    return 0


@app.command
def export(incident: str, to: Path, *, config: str = "") -> int:
    """Write one incident to a file, readable by you alone: .md for a ticket, .json for a program.

    Parameters
    ----------
    incident
        Its id, the beginning or the end of it, or `latest`.
    to
        The file; its suffix is the format.
    config
        The caulk.toml.

    """
    with _store(config) as store:
        found = _one(store, incident)
    if to.suffix not in (".md", ".json"):
        raise UsageError(f"{to}: the suffix does not say what to write", hint="Use .md or .json.")
    if to.exists():
        raise UsageError(f"{to} is there already")
    with appearing(to) as file:
        file.write(msgspec.json.encode(document(found)) if to.suffix == ".json" else markdown(found).encode())
    print(to)
    return 0


@app.command
def close(incident: str, *, note: str = "", config: str = "") -> int:
    """Close an incident by hand.

    Parameters
    ----------
    incident
        Its id, the beginning or the end of it, or `latest`.
    note
        Why.
    config
        The caulk.toml.

    """
    with _store(config) as store:
        found = _one(store, incident)
        why = f"closed by hand{f': {note}' if note else ''}"
        if not store.add(found.id, Moment(time.time(), "closed", why, "closed")):
            raise UsageError(f"{found.id} is closed already")
    return 0


@contextmanager
def _store(config: str) -> "Iterator[Incidents]":
    try:
        from caulk.watch.archive import opened  # noqa: PLC0415  # the database may not be installed
    except ModuleNotFoundError as error:
        raise UsageError(
            f"incidents need {error.name}, which is not installed", hint="pip install 'caulk[server]'"
        ) from None
    store = opened(load(config), application.home())
    try:
        yield store
    finally:
        store.dispose()


def _one(store: "Incidents", name: str) -> Incident:
    found = store.find(limit=1) if name == "latest" else store.find(name=name, limit=5)
    exact = [incident for incident in found if incident.id == name] or found
    if len(exact) != 1:
        known = ", ".join(incident.id for incident in (exact or store.find(limit=5))) or "there are none"
        raise UsageError(
            f"{name!r} is {'no incident' if not exact else 'more than one incident'}", hint=f"Incidents: {known}."
        )
    return exact[0]


def _row(incident: Incident) -> tuple[object, ...]:
    state = "open" if incident.closed_at is None else "closed"
    what = f"{incident.workload.name}: {incident.findings[0].title if incident.findings else incident.why}"
    return incident.id, iso(incident.opened_at) or "", state, incident.rule, len(incident.captures), what
