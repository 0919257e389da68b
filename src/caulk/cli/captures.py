"""`caulk captures`: what was taken, listed, shown, exported and pruned."""

import shutil
import sys
from pathlib import Path
from typing import Annotated

import cyclopts
from cyclopts import Parameter

from caulk.cli.capture import manifest_of
from caulk.cli.files import appearing
from caulk.cli.targets import Output, seconds, show, show_record, size, store
from caulk.model.errors import UsageError
from caulk.model.table import Heading, Table
from caulk.model.units import format_value
from caulk.store.captures import Entry, total

app = cyclopts.App(name="captures", help="Captures that were taken: list, show, export, prune.")

_HEADINGS = (
    Heading("id", "id"),
    Heading("taken_at", "taken"),
    Heading("runtime", "runtime"),
    Heading("format", "format"),
    Heading("size_bytes", "size", "bytes"),
    Heading("state", "state"),
    Heading("target", "target"),
)
_Output = Annotated[Output, Parameter(name=["--output", "-o"])]


@app.default
def list_(*, target: str = "", output: _Output = "table") -> int:
    """List captures, the newest first.

    Parameters
    ----------
    target
        Only those of this target, as they were asked for.
    output
        table or json.

    """
    entries = [
        e for e in store().all() if not target or target in (e.manifest.target.reference, e.manifest.target.name)
    ]
    show(_table("captures", entries), output)
    return 0


@app.command
def show_(capture: str) -> int:
    """Everything that is known of one capture, as JSON.

    Parameters
    ----------
    capture
        Its id, the beginning or the end of it, or `latest`.

    """
    show_record(manifest_of(store().find(capture)))
    return 0


@app.command
def path(capture: str) -> int:
    """The file of one capture: `caulk analyze $(caulk captures path latest)`.

    Parameters
    ----------
    capture
        Its id, the beginning or the end of it, or `latest`.

    """
    entry = store().find(capture)
    if not entry.manifest.complete:
        raise UsageError(f"{entry.manifest.id} is not complete", hint="`caulk capture` of its target goes on with it.")
    print(entry.path)
    return 0


@app.command
def export(capture: str, to: Path) -> int:
    """Copy a capture's file out of the store, readable by you alone.

    Parameters
    ----------
    capture
        Its id, the beginning or the end of it, or `latest`.
    to
        A file, or a directory, where the file gets the capture's id for its name.

    """
    entry = store().find(capture)
    if to.is_dir():
        to = to / (entry.manifest.id + "".join(entry.path.suffixes))
    if to.exists():
        raise UsageError(f"{to} is there already")
    with entry.path.open("rb") as source, appearing(to) as file:
        shutil.copyfileobj(source, file, 1 << 20)
    print(to)
    return 0


@app.command
def remove(*captures: str) -> int:
    """Delete captures.

    Parameters
    ----------
    captures
        Their ids, or the beginnings or ends of them.

    """
    kept = store()
    for entry in [kept.find(name) for name in captures]:
        kept.remove(entry)
    return 0


@app.command
def prune(
    *,
    keep_bytes: Annotated[str, Parameter(env_var="CAULK_KEEP_BYTES")] = "",
    keep: Annotated[int | None, Parameter(env_var="CAULK_KEEP")] = None,
    keep_for: Annotated[str, Parameter(env_var="CAULK_KEEP_FOR")] = "",
    pack_after: str = "",
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    output: _Output = "table",
) -> int:
    """Delete the oldest captures beyond quotas, and compress old ones; the newest one of every target stays.

    Parameters
    ----------
    keep_bytes
        As much as may stay (20G).
    keep
        As many as may stay.
    keep_for
        For how long they may stay (7d, 12h).
    pack_after
        Compress those that are older than this (1d), where it pays; they are analysed as they are then, slower.
    dry_run
        List what would go.
    output
        table or json.

    """
    if not keep_bytes and keep is None and not keep_for and not pack_after:
        raise UsageError("prune needs a quota", hint="--keep-bytes 20G, --keep 50, --keep-for 7d or --pack-after 1d")
    kept = store()
    gone = kept.excess(size(keep_bytes) or None, keep, seconds(keep_for) or None)
    show(_table("pruned", gone), output)
    if not dry_run:
        freed = total(gone)
        for entry in gone:
            kept.remove(entry)
        print(f"caulk: {len(gone)} captures deleted, {format_value(freed, 'bytes')} freed", file=sys.stderr)
        old = [e for e in kept.all() if pack_after and e.age_s > seconds(pack_after)]
        saved = sum(e.size_bytes - kept.pack(e).size_bytes for e in old)
        if saved:
            print(f"caulk: {format_value(saved, 'bytes')} saved by compression", file=sys.stderr)
    return 0


def _table(name: str, entries: list[Entry]) -> Table:
    rows = [
        (
            m.id,
            m.taken_at,
            m.target.runtime,
            m.format,
            e.size_bytes,
            "complete" if m.complete else "partial",
            m.target.reference,
        )
        for e in entries
        for m in [e.manifest]
    ]
    return Table(name, _HEADINGS, rows)
