"""From a holder in words to a finding: its title, path, evidence and fingerprint."""

from collections.abc import Sequence

from caulk.analysis.fingerprint import fingerprint
from caulk.analysis.growth import by_the_hour
from caulk.analysis.holders import prose as holder_prose
from caulk.analysis.holders.chains import describe
from caulk.analysis.holders.growth import Grew
from caulk.analysis.holders.names import normal, short_holder, split
from caulk.analysis.holders.reading import Named, Reader
from caulk.analysis.holders.shapes import is_full, weight
from caulk.model.records import Finding
from caulk.model.units import format_share, format_value


def of_one(reader: Reader, found: Named, rank: int, whole: int) -> Finding:
    """The finding about a holder in the only graph; `whole` are the bytes of all that is held."""
    share = found.place.amount / whole
    looks = weight(reader.tree, found.place)
    what = _what(found)
    who = holder_prose.subject(found.holder, found.holders)
    evidence = _evidence(found)
    if found.place.entries and is_full(reader.tree, found.place):
        evidence.append("its array is exactly full, as one that is filled once: rather a table than a leak")
    return Finding(
        rank=rank,
        pattern=found.pattern,
        title=holder_prose.title_of_one(who, what, found.container, found.place.amount, share, holders=found.holders)
        + _allocated(found),
        bytes=found.place.amount,
        bytes_error=0,
        share=round(share, 4),
        count=found.number,
        holder=found.holder,
        type=found.type,
        path=_path(found),
        location=found.location or None,
        confidence=round(looks * (0.2 + 0.4 * min(share, 1.0)) * reader.graph.coverage, 2),
        evidence=tuple(evidence),
        fingerprint=_fingerprint(reader, found),
        series=(found.place.amount,),
    )


def of_growth(reader: Reader, grew: Grew, found: Named, rank: int, *, whole: int, hours: Sequence[float]) -> Finding:
    """The finding about a holder that grew; `hours` are the times of the graphs, or empty."""
    sizes = grew.sizes
    counts = tuple(found.above + sum(numbers) for numbers in zip(*(grew.counts[at] for at in found.alike), strict=True))
    number = counts[-1]
    per_hour = by_the_hour(grew.growth.slope, hours)
    title = holder_prose.title_of_growth(
        holder_prose.subject(found.holder, found.holders),
        _what(found, number),
        found.container,
        grew=grew.growth,
        sizes=sizes,
        counts=counts,
        per_hour=per_hour,
        by_count=grew.by_count,
        holders=found.holders,
    )
    said = holder_prose.evidence_of_growth(grew.growth, sizes, counts, by_count=grew.by_count)
    return Finding(
        rank=rank,
        pattern=found.pattern,
        title=title + _allocated(found),
        bytes=sizes[-1],
        bytes_error=0,
        share=round(sizes[-1] / whole, 4),
        count=counts[-1],
        growth_bytes=sizes[-1] - sizes[0],
        growth_bytes_per_hour=round(per_hour, 1) if per_hour is not None and not grew.by_count else None,
        growth_count=counts[-1] - counts[0],
        growth_share=grew.share,
        shape=grew.growth.shape,
        holder=found.holder,
        type=found.type,
        path=_path(found, counts[-1]),
        location=found.location or None,
        confidence=grew.confidence,
        evidence=(*said, *_evidence(found)),
        fingerprint=_fingerprint(reader, found),
        series=counts if grew.by_count else sizes,
        unit="count" if grew.by_count else "bytes",
    )


def _what(found: Named, number: int | None = None) -> str:
    if not found.place.entries:
        return ""
    count = found.number if number is None else number
    if found.dead:
        return holder_prose.dead_references(found.dead, found.type)
    if found.is_chain:
        return holder_prose.chain_of(count, found.type)
    what = holder_prose.what_is_kept(
        count, found.type, is_function=found.kind == "closure", is_class=found.kind == "class"
    )
    return f"{what} and others" if found.has_others else what


def _path(found: Named, number: int | None = None) -> tuple[str, ...]:
    """The path from where the holder's name begins, to the entries."""
    said = describe(found.links[found.start :])
    if not found.place.entries:
        return said
    noun = found.links[-1].container.noun if found.links and found.links[-1].container else "references"
    return (*said, f"[{found.number if number is None else number:,} {noun}] {found.type}")


def _evidence(found: Named) -> list[str]:
    place = found.place
    said = []
    if found.holders > 1:
        said.append(f"{found.holders:,} of the same kind, over the same path, taken together")
    if place.entries and place.jump >= 2:
        each = f" in each of {found.holders:,}" if found.holders > 1 else ""
        said.append(f"{found.number / max(found.holders, 1):,.0f} entries{each}")
    if found.shared:
        others = ", ".join(f"`{short_holder(other)}`" for other in found.beside) or "others"
        verb = "refers" if len(found.beside) == 1 else "refer"
        said.append(f"{others} {verb} to these objects too: each counts here for its part")
    if found.freed is not None:
        said.append(f"without it {format_value(found.freed, 'bytes')} would be freed")
    if found.dead:
        said.append(f"{found.dead:,} of them are dead: what they referred to is gone")
    if found.location:
        said.append(f"{format_share(found.location_share)} of them were allocated at {found.location}")
    return said


def _allocated(found: Named) -> str:
    return f"; allocated at {found.location}" if found.location else ""


def _fingerprint(reader: Reader, found: Named) -> str:
    """Of the reference path from the holder on: types and fields, no numbers."""
    way = found.links[found.start :]
    names = [
        (normal(split(link.name)[0] or link.type), split(link.label.name)[0] if at else "")
        for at, link in enumerate(way)
    ]
    return fingerprint(f"{reader.graph.runtime}/holder", [*names, (normal(found.type), "")])
