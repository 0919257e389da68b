"""What would work, way by way, before the leak: verdicts as a table, and the smallest fix for each that would not."""

from collections.abc import Iterator, Sequence
from typing import Literal

from caulk.capture.offers import Offer
from caulk.model.capture import Standing
from caulk.model.table import Heading, Table
from caulk.model.target import Target

_HEADINGS = (
    Heading("as", "as"),
    Heading("method", "method"),
    Heading("evidence", "evidence"),
    Heading("standing", "verdict"),
    Heading("pause_s", "pause", "nanoseconds"),
    Heading("extra_bytes", "memory", "bytes"),
    Heading("disk_bytes", "disk", "bytes"),
    Heading("why", "why"),
)


def table(target: Target, found: Sequence[Offer]) -> Table:
    """A row for each way, the richest evidence first; `fixes` are under its extra, as text that can be applied."""
    rows = [
        (
            offer.way.alias,
            offer.way.name,
            offer.way.evidence,
            standing(offer),
            round(offer.cost.pause_s * 1e9) if offer.cost.pause_s else None,
            offer.cost.extra_bytes or None,
            offer.cost.disk_bytes or None,
            "; ".join(offer.obstacles) or offer.check.why,
        )
        for offer in found
    ]
    best = next((offer for offer in found if offer.is_open), None)
    runtimes = ", ".join(dict.fromkeys(offer.runtime for offer in found)) or "an unknown runtime"
    says = f"`caulk capture` would take {best.way.alias} ({best.way.name})" if best else "nothing can be taken safely"
    return Table(
        "doctor",
        _HEADINGS,
        rows,
        notes=(f"{target.reference}: {target.name}, {runtimes}; {says}",),
        extra={"target": target.reference, "runtime": runtimes, "fixes": list(fixes(target, found))},
    )


def standing(offer: Offer) -> Standing | Literal["refused"]:
    """The verdict in a word: `refused` is a way that would work, and that a guard forbids."""
    return "refused" if offer.check.standing == "ready" and offer.obstacles else offer.check.standing


def fixes(target: Target, found: Sequence[Offer]) -> Iterator[str]:
    """The fixes, each once, with what they are for."""
    wanted: dict[str, list[str]] = {}
    for offer in found:
        if fix := _fix(target, offer):
            wanted.setdefault(fix, []).append(offer.way.alias)
    for fix, aliases in wanted.items():
        yield f"for {', '.join(dict.fromkeys(aliases))}:\n{fix.rstrip()}"


def _fix(target: Target, offer: Offer) -> str:
    if offer.check.standing != "ready":
        return offer.check.fix
    if not offer.lacks_memory:
        return ""
    size = f"{-(-offer.cost.extra_bytes >> 20)}M"
    return f"caulk capture {target.reference} --as {offer.way.alias} --lend {size}   # its limit is raised meanwhile"
