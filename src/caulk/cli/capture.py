"""`caulk capture TARGET`: take the heap safely, the richest evidence that fits."""

import os
import sys
from dataclasses import replace
from typing import Annotated

from cyclopts import Parameter

from caulk.capture import doctor, take
from caulk.capture.offers import Offer, against, chosen, offers
from caulk.cli.targets import Output, Reaching, long, reached, seconds, show, show_record, size, store
from caulk.model.capture import Manifest
from caulk.model.errors import CaptureFailed, UsageError
from caulk.model.units import format_duration, format_value
from caulk.ports import Reach
from caulk.store.captures import Captures, Entry

#: What is said before it is done.
_COSTLY_S, _COSTLY_BYTES = 0.5, 64 << 20


def main(
    target: str,
    *,
    as_: Annotated[str, Parameter(name="--as")] = "",
    plan: Annotated[bool, Parameter(negative="")] = False,
    force: Annotated[bool, Parameter(negative="")] = False,
    lend: str = "",
    fresh: Annotated[bool, Parameter(negative="")] = False,
    output: Annotated[Output, Parameter(name=["--output", "-o"])] = "table",
    reaching: Reaching = Reaching(),
) -> int:
    """Take the heap of a running program safely: the heap graph if that fits, else a profile, else a histogram.

    What would not fit (memory within the limit, disk, the patience of a liveness probe) is refused with the reason.
    The capture is verified, and kept privately: `caulk captures` lists it, `caulk analyze` reads it. One that was cut
    is gone on with.

    Parameters
    ----------
    target
        pid:1234, docker:NAME, compose:SERVICE, k8s:NAMESPACE/POD, http://host:port, or a number or name to look up.
    as_
        What to take: heap, histogram, allocs, goroutine … (`caulk doctor TARGET` lists what there is).
    plan
        Say what would be taken and what it would cost, and do nothing.
    force
        Take it although a guard refuses; its reasons are said all the same.
    lend
        Raise the memory limit by this much (512M) meanwhile, where it can be lowered again without a restart.
    fresh
        Begin anew even if an earlier capture of the target was cut.
    output
        table or json.

    """
    access = reaching.access
    captures = store()
    _settle_loans()
    loan = size(lend)
    with reached(target, access) as reach:
        cut = [] if fresh or plan else captures.unfinished(reach.target.reference)
        for entry in cut:
            finished = _resumed(entry, reach, captures)
            if finished and not entry.manifest.complete:
                return _said(finished, output)
        found = offers(reach, access, captures.free_bytes())
        if plan:
            show(doctor.table(reach.target, found), output)
            return 0 if any(offer.is_open for offer in found) else CaptureFailed.exit_code
        offer = chosen(found, as_)
        _guard(offer, is_forced=force, lend=loan)
        _announce(offer)
        entry = long(lambda progress: take.capture(offer, reach, captures, progress, loan))
    _keep_quotas(captures)
    return _said(entry, output)


def _settle_loans() -> None:
    """Takes back the memory that a caulk lent here, and was killed before it could."""
    if sys.platform == "linux":
        from caulk.places import local  # noqa: PLC0415 - only there

        for sentence in local.undo_loans():
            print(f"caulk: {sentence}", file=sys.stderr)


def _resumed(entry: Entry, reach: Reach, captures: Captures) -> Entry | None:
    """An earlier capture gone on with; None if there is nothing left of it to have."""
    if not entry.manifest.complete:
        print(f"caulk: going on with {entry.manifest.id}, which was cut (--fresh begins anew)", file=sys.stderr)
    try:
        return long(lambda progress: take.resume(entry, reach, captures, progress))
    except CaptureFailed as error:
        print(f"caulk: it cannot be gone on with: {error}", file=sys.stderr)
        return None


def _keep_quotas(captures: Captures) -> None:
    """Deletes the oldest captures beyond what CAULK_KEEP_BYTES, CAULK_KEEP and CAULK_KEEP_FOR allow."""
    most_bytes, most, age = (os.environ.get(f"CAULK_KEEP{name}", "") for name in ("_BYTES", "", "_FOR"))
    if most_bytes or most or age:
        if most and not most.isdigit():
            raise UsageError(f"CAULK_KEEP={most} is no number")
        gone = captures.excess(size(most_bytes) or None, int(most) if most else None, seconds(age) or None)
        for entry in gone:
            captures.remove(entry)
            print(f"caulk: {entry.manifest.id} was deleted to keep the quotas", file=sys.stderr)


def _guard(offer: Offer, *, is_forced: bool, lend: int) -> None:
    standing = against(offer, lend=lend)
    if not standing:
        return
    if not is_forced:
        override = "--force takes it all the same" + (", --lend 512M raises the limit" if offer.lacks_memory else "")
        raise CaptureFailed(f"{offer.way.alias} was not taken: {'; '.join(standing)}", hint=f"{override}.")
    for obstacle in standing:
        print(f"caulk: although {obstacle}", file=sys.stderr)


def _announce(offer: Offer) -> None:
    cost = offer.cost
    if cost.pause_s < _COSTLY_S and max(cost.extra_bytes, cost.disk_bytes) < _COSTLY_BYTES:
        return
    parts = [f"stops the program for about {format_duration(cost.pause_s)}"]
    if cost.extra_bytes:
        parts.append(f"takes up to {format_value(cost.extra_bytes, 'bytes')} of its memory")
    if cost.disk_bytes:
        parts.append(f"writes about {format_value(cost.disk_bytes, 'bytes')} to {cost.directory}")
    print(f"caulk: {offer.way.alias} ({offer.way.name}) {', '.join(parts)}", file=sys.stderr)


def _said(entry: Entry, output: str) -> int:
    manifest = entry.manifest
    for warning in manifest.warnings:
        print(f"caulk: {warning}", file=sys.stderr)
    if output == "json":
        show_record(manifest_of(entry))
        return 0
    print(
        f"{manifest.id}: {manifest.format}, {format_value(manifest.size_bytes, 'bytes')}, by {manifest.method}",
        file=sys.stderr,
    )
    print(entry.path)
    return 0


def manifest_of(entry: Entry) -> Manifest:
    """The manifest with the whole path of the file, as machines get it."""
    return replace(entry.manifest, path=str(entry.path))
