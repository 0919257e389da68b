"""Who makes what is held: the findings of an object graph joined with profiles of the same program.

A graph says who keeps, a profile who allocated. Only where the graph has allocation sites are the two about the same
objects; else names or amounts are compared. Each finding says how it was joined, and by what it may be wrong.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from caulk.analysis.holders.allocations import Allocations, Made
from caulk.analysis.holders.names import short
from caulk.analysis.holders.prose import subject
from caulk.analysis.prose import place
from caulk.model.graph import ObjectGraph
from caulk.model.profile import Profile
from caulk.model.records import Finding
from caulk.model.units import format_share, format_value

_DOUBT = {"object": "", "type": "", "place": "likely ", "amount": "perhaps "}


def joined(findings: Sequence[Finding], graph: ObjectGraph, profiles: Sequence[Profile]) -> tuple[Finding, ...]:
    """The findings of `graph`, with allocator, stack and line where `profiles`, oldest first, tell who made it.

    Profiles of other runtimes, and those that do not count live bytes, say nothing about it. A class histogram has no
    stacks: it tells how many there are of the type. A finding that nothing fits is returned as it is.
    """
    own = [profile for profile in profiles if profile.runtime == graph.runtime and _is_live(profile)]
    stacked = [_allocations(group, graph) for group in _groups([p for p in own if p.kind != "histogram"])]
    made = [next(filter(None, (_made(finding, found) for found in stacked)), None) for finding in findings]
    # Amounts tell nothing apart where two findings come out at one function, or a better join is there.
    claims = Counter(one.blamed.function for one in made if one)
    counted = [p for p in own if p.kind == "histogram"]
    return tuple(
        _counted(_said(finding, one) if one and not _is_doubtful(one, claims) else finding, counted)
        for finding, one in zip(findings, made, strict=True)
    )


def kept(allocations: Sequence[Finding], held: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings about who allocates, or of what type it is, with who keeps it as the joined findings `held` tell."""
    return tuple(_kept(finding, held) for finding in allocations)


def _kept(finding: Finding, held: Sequence[Finding]) -> Finding:
    holder = next((one for one in held if one.holder and _is_same(finding, one)), None)
    if holder is None:
        return finding
    return replace(
        finding,
        title=f"{finding.title}; {_keeper(holder)} keeps them",
        holder=holder.holder,
        type=holder.type,
        path=holder.path,
        evidence=(*finding.evidence, *holder.evidence),
    )


def left(findings: Sequence[Finding], told: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings about what `told` does not tell already."""
    return tuple(finding for finding in findings if not any(_is_same(finding, one) for one in told))


def _is_same(one: Finding, other: Finding) -> bool:
    """Whether two findings, one of a graph and one of profiles, are about the same objects."""
    if one.allocator and other.allocator:
        return (one.allocator, _file(one)) == (other.allocator, _file(other))
    return not (one.allocator or other.allocator) and one.type == other.type is not None


def _file(finding: Finding) -> str:
    return (finding.location or "").rpartition(":")[0]


def _keeper(finding: Finding) -> str:
    who = subject(finding.holder or "runtime", 1)
    return f"{who[:1].lower()}{who[1:]}"


def _is_live(profile: Profile) -> bool:
    return not profile.is_delta and any(m.role in ("live", "unknown") and m.unit == "bytes" for m in profile.measures)


def _groups(profiles: Sequence[Profile]) -> list[list[Profile]]:
    """Profiles of one producer each."""
    groups: dict[str, list[Profile]] = {}
    for profile in profiles:
        groups.setdefault(profile.format, []).append(profile)
    return list(groups.values())


def _allocations(profiles: Sequence[Profile], graph: ObjectGraph) -> Allocations:
    """The profile that was taken nearest to the graph, and those before it."""
    at = len(profiles) - 1
    if graph.taken_at and all(profile.taken_at for profile in profiles):
        away = [abs((graph.taken_at - p.taken_at).total_seconds()) for p in profiles if p.taken_at]
        at = min(range(len(away)), key=lambda i: (away[i], -i))
    return Allocations(profiles[at], profiles[:at])


def _made(finding: Finding, allocations: Allocations) -> Made | None:
    """Who made what a finding is about, by the best that there is."""
    if finding.location:
        return allocations.at_line(finding.location)
    kind = finding.type or ""
    return (
        allocations.of_type(kind)
        or allocations.around(kind, finding.bytes)
        or allocations.of_amount(finding.bytes, is_growing=bool(finding.growth_bytes))
    )


def _is_doubtful(made: Made, claims: Counter[str]) -> bool:
    return made.by == "amount" and claims[made.blamed.function] > 1


def _said(finding: Finding, made: Made) -> Finding:
    """The finding with who made it; the line is the application's own nearest to the allocation."""
    at = f"{made.blamed.file}:{made.blamed.line}" if made.blamed.file and made.blamed.line else finding.location
    title = finding.title.removesuffix(f"; allocated at {finding.location}")
    return replace(
        finding,
        title=f"{title}; {_DOUBT[made.by]}allocated by {place(made.blamed)}",
        allocator=made.blamed.function,
        stack=made.stack,
        location=at,
        evidence=(*finding.evidence, _how(finding, made)),
    )


def _how(finding: Finding, made: Made) -> str:
    """Who allocates, who keeps, and how good the join of the two is."""
    both = f"{place(made.blamed)} allocates it, {_keeper(finding)} keeps it"
    amounts = f"{format_value(made.bytes, 'bytes')} live from there, {format_value(finding.bytes, 'bytes')} kept"
    match made.by:
        case "object":
            part = f"; {format_share(made.share)} of what that line allocates" if made.share < 0.995 else ""
            return f"{both}: joined object by object, for the dump has their lines{part}"
        case "type":
            part = f"{format_share(made.share)} of all, " if made.share < 0.995 else ""
            return f"{both}: joined by type, for it makes `{short(finding.type or '')}` ({part}{amounts})"
        case "place":
            return f"{both}: joined by place, for no function begins nearer before it, and by amount ({amounts})"
        case "amount":
            return f"{both}: joined by amount only ({amounts}); another that makes as much would look the same"


def _counted(finding: Finding, histograms: Sequence[Profile]) -> Finding:
    """The finding with what class histograms count of its type."""
    found = [_of_class(profile, finding.type or "") for profile in histograms]
    if not found or not found[-1]:
        return finding
    more = f", {found[-1] - found[0]:+,} over {len(found)} histograms" if len(found) > 1 else ""
    kept = f"; {finding.count:,} are kept here" if finding.count is not None else ""
    said = f"joined by type: the class histogram counts {found[-1]:,} `{short(finding.type or '')}`{more}{kept}"
    return replace(finding, evidence=(*finding.evidence, said))


def _of_class(profile: Profile, name: str) -> int:
    """How many instances of a class there are."""
    instances = next((i for i, m in enumerate(profile.measures) if m.name == "instances"), -1)
    if instances < 0:
        return 0
    tree = profile.tree
    return sum(
        value
        for node, value in enumerate(tree.values[instances])
        if node and value and tree.frames.function_name(tree.frame[node]) == name
    )
