"""Sentences about holders: what keeps how much of what, alone or with whom, and how it grows."""

from caulk.analysis import prose
from caulk.analysis.growth import SHAPE_NEEDS, Growth
from caulk.analysis.holders.names import short, short_holder, split
from caulk.model.records import Finding, State
from caulk.model.units import format_share, format_value


def what_is_kept(number: int, kind: str, *, is_function: bool, is_class: bool) -> str:
    """`81,204 `Ticket``; functions by their name, classes as what they are: copies, each by a loader of its own."""
    if is_class:
        return f"{number:,} copies of class `{short(kind)}`, each with its class loader"
    if is_function:
        name, place = split(kind)
        return f"{number:,} functions `{name}`" + (f" ({place.rpartition('/')[2]})" if place else "")
    lambda_of, is_lambda, _ = short(kind).partition("$$Lambda")
    return f"{number:,} lambdas of `{lambda_of}`" if is_lambda else f"{number:,} `{short(kind)}`"


def chain_of(number: int, kind: str) -> str:
    """Objects of which each holds the next."""
    return f"a chain of {number:,} `{short(kind)}`"


def dead_references(number: int, kind: str) -> str:
    """Weak references that outlived what they referred to."""
    return f"{number:,} dead `{short(kind)}`"


def subject(holder: str, holders: int) -> str:
    """The holder, with how many there are of its like."""
    thread_local, is_one, variable = holder.partition("thread-local")
    if is_one and not thread_local:
        named = f" `{short_holder(variable.strip())}`" if variable.strip() else ""
        return (
            f"The thread-local{named} of {holders:,} threads" if holders > 1 else f"The thread-local{named} of a thread"
        )
    for what in ("local of", "local", "variable", "class", "module", "function"):
        if holder.startswith(f"{what} "):
            name = short_holder(holder.removeprefix(f"{what} "))
            return f"{holders:,} × {what} `{name}`" if holders > 1 else f"{what.capitalize()} `{name}`"
    return f"{holders:,} × `{short_holder(holder)}`" if holders > 1 else f"`{short_holder(holder)}`"


def title_of_one(who: str, what: str, container: str, size: int, share: float, *, holders: int) -> str:
    """The sentence for a holder in the only dump; `what` is empty where its objects are large themselves."""
    amount = f"{format_value(size, 'bytes')}, {format_share(share)} of the heap"
    inside = f" in {_article(container)}" if container and what else ""
    verb = "keep" if holders > 1 and not who.startswith("The thread-local") else "keeps"
    return f"{who} {verb} {what} ({amount}){inside}" if what else f"{who} {verb} {amount}{_in_one(container)}"


def title_of_growth(
    who: str, what: str, container: str, *, grew: Growth, sizes: tuple[int, ...], counts: tuple[int, ...],
    per_hour: float | None, by_count: bool, holders: int,
) -> str:  # fmt: skip
    """The sentence for a holder that grew over several dumps."""
    dumps = len(sizes)
    levels = "is levelling off" if grew.shape == "flattening" else "grows"
    if holders > 1:
        levels = "are levelling off" if grew.shape == "flattening" else "grow"
    more = counts[-1] - counts[0]
    pace = prose.pace(per_hour, "count" if by_count else "bytes")
    gained = format_value(sizes[-1] - sizes[0], "bytes", signed=True)
    if not what:
        return f"{who} {levels}: {gained}{pace} over {dumps} dumps, now {format_value(sizes[-1], 'bytes')}"
    inside = f" in {_article(container)}" if container else ""
    change = f"{more:+,} over {dumps} dumps, {gained}{pace}" if not by_count else f"{more:+,}{pace} over {dumps} dumps"
    return f"{who} {levels}: it keeps {what}{inside}, {change}".replace("grow: it keeps", "grow: they keep")


def evidence_of_growth(grew: Growth, sizes: tuple[int, ...], counts: tuple[int, ...], *, by_count: bool) -> list[str]:
    """What the series say."""
    dumps = len(sizes)
    said = [" → ".join(f"{n:,}" for n in counts) + " objects"]
    if not by_count:
        said.append(" → ".join(format_value(size, "bytes") for size in sizes))
    said.append(f"rose in {grew.steps_up} of {grew.steps} steps")
    said.append(
        {
            "unknown": f"its shape is not known from {dumps} dumps"
            if dumps < SHAPE_NEEDS
            else "it goes too unevenly to say whether it flattens out",
            "rising": "it does not flatten out",
            "flattening": "it flattens out, as a cache does that fills up",
        }.get(grew.shape, f"its shape is {grew.shape}")
    )
    return said


def verdict_sentence(state: State, findings: tuple[Finding, ...], dumps: int, gained: int) -> str:
    """The whole judgement in a sentence or two."""
    if not findings:
        if state == "steady":
            return f"Nothing holds ever more: {dumps} dumps show no growth of any holder."
        return "Nothing stands out: no holder keeps much of the heap. One dump cannot show growth."
    first = findings[0].title
    if state == "leaking":
        doubt = (
            "" if dumps >= SHAPE_NEEDS else f" {dumps} dumps cannot tell a leak from a cache that fills up; four can."
        )
        return f"Leaking: {first}.{doubt}"
    if state == "warming":
        grew = format_value(gained, "bytes", signed=True)
        return f"Warming up, not leaking: the heap grew by {grew} and flattens out. {first}."
    if dumps > 1:
        return f"Suspect: {first}. The growth is not large or steady enough to call it a leak."
    lead = "Suspect: " if state == "suspect" else ""
    return f"{lead}{first}. One dump shows what is held, not what grows: take a second one later and give both."


def _article(container: str) -> str:
    name = short(container)
    return f"{'an' if name[:1] in 'AEIOUaeiou' else 'a'} {name}"


def _in_one(container: str) -> str:
    return f" in `{short(container)}`" if container else ""
