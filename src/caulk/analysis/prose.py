"""Sentences about suspects: which function makes the objects that are not freed, and what chain of calls gets there."""

from itertools import groupby

from caulk.analysis.verdict import Judged
from caulk.model.origin import origin_of
from caulk.model.records import Finding, StackFrame, State
from caulk.model.units import format_share, format_value

_MOST_CALLERS = 6


def place(frame: StackFrame) -> str:
    """`function (file:line)` as far as it is known."""
    if not frame.file:
        return f"`{frame.function}`"
    base = frame.file.rpartition("/")[2] or frame.file
    at = f"{base}:{frame.line}" if frame.line else base
    return f"`{frame.function}`" if frame.function == at else f"`{frame.function}` ({at})"


def is_address(function: str) -> bool:
    """Whether nobody knows the function's name: it is `0x…`, or `binary+0x…`."""
    return function.startswith("0x") or "+0x" in function


def chain(stack: tuple[StackFrame, ...], runtime: str) -> str:
    """The calls that lead there, outermost first: the application's own, the middle of a long chain left out."""
    # A comprehension is a frame of its own with its function's name; nobody needs to read it twice.
    names = [name for name, _ in groupby(frame.function for frame in _of_application(stack, runtime))]
    if len(names) > _MOST_CALLERS:
        names = [*names[:2], "…", *names[-(_MOST_CALLERS - 2) :]]
    return " → ".join(names)


def _of_application(stack: tuple[StackFrame, ...], runtime: str) -> list[StackFrame]:
    """The application's frames, if there are any above the last; else all but those that start every program."""
    last = stack[-1:]
    own = [f for f in stack[:-1] if origin_of(f.function, f.file, "", runtime) == "application"]
    starters = ("<module>", "(anonymous)", "(root)")
    while len(own) > 1 and own[0].function in starters:
        del own[0]
    return [*(own or stack[:-1]), *last]


def pace(per_hour: float | None, unit: str) -> str:
    """A rate in brackets, for behind an amount; empty where there is none."""
    return f" ({format_value(per_hour, unit, signed=True)}/h)" if per_hour else ""


def title_of_growth(
    judged: Judged, blamed: StackFrame, *, runs: int, unit: str, per_hour: float | None, is_type: bool
) -> str:
    """The sentence for a group that grew over several profiles."""
    suspect, growth = judged.suspect, judged.growth
    if judged.by_count:
        said = "are not freed in ever greater number" if is_type else "makes ever more objects that are not freed"
        return (
            f"{_subject(blamed, is_type)} {said}: {growth.delta:+,} over {runs} profiles"
            f" ({format_share(judged.share)} of the growth in objects), though few bytes"
        )
    if growth.shape == "flattening":
        said = "are levelling off" if is_type else "filled up and is levelling off"
    elif judged.is_wide:
        said = "and what it calls make objects that are not freed"
    else:
        said = "are not freed" if is_type else "makes objects that are not freed"
    objects = suspect.counts[-1] - suspect.counts[0] if suspect.counts else 0
    more = f", {objects:+,} objects" if objects > 0 else ""
    amount = f"{format_value(growth.delta, unit, signed=True)}{pace(per_hour, unit)} over {runs} profiles{more}"
    return f"{_subject(blamed, is_type)} {said}: {amount}, {format_share(judged.share)} of the growth"


def title_of_one(judged: Judged, blamed: StackFrame, *, unit: str, is_type: bool, is_delta: bool) -> str:
    """The sentence for a group that holds much in the only profile."""
    suspect = judged.suspect
    verb = "are" if is_type else "allocated"
    whole = "more than before" if is_delta else "of what is live"
    if judged.by_count:
        return (
            f"{_subject(blamed, is_type)} {verb} {suspect.counts[-1]:,} live objects,"
            f" {format_share(judged.share)} of all"
        )
    count = suspect.counts[-1] if suspect.counts else 0
    objects = f" in {count:,} object{'s' if count > 1 else ''}" if count else ""
    return (
        f"{_subject(blamed, is_type)} {verb} {format_value(suspect.sizes[-1], unit)} {whole}{objects},"
        f" {format_share(judged.share)} of {'the growth' if is_delta else 'all'}"
    )


def _blamed_at(finding: Finding) -> int:
    """Where the frame to blame stands on the finding's stack: what it called is of no interest in a sentence."""
    last = len(finding.stack) - 1
    return max((i for i, f in enumerate(finding.stack) if f.function == finding.allocator), default=last)


def _reached(finding: Finding, runtime: str) -> str:
    """The calls that get there; where they are addresses, which tell nobody anything, what would name them."""
    way = finding.stack[: _blamed_at(finding) + 1]
    if way and all(is_address(f.function) for f in _of_application(way, runtime)):
        return " No call on the way there has a name: `--binary PATH`, with the unstripped build, names them."
    return f" The calls that get there: {chain(way, runtime)}." if len(way) > 1 else ""


def _subject(blamed: StackFrame, is_type: bool) -> str:
    return f"Objects of type `{blamed.function}`" if is_type else place(blamed)


def verdict_sentence(
    state: State, findings: tuple[Finding, ...], runs: int, *, gained: str, runtime: str, is_wide: bool = False
) -> str:
    """The whole judgement in a sentence or two; `is_wide` as `Judged` has it."""
    if not findings:
        return {
            "steady": f"Nothing grows beyond what {runs} profiles can tell from noise.",
            "warming": f"Warming up, not leaking: memory grew by {gained} in many places, and flattens out.",
            "suspect": f"Suspect: memory grew by {gained}, but the samples are too few to say in which code.",
        }.get(state, "Nothing stands out: no code holds much of what is live. One profile cannot show growth.")
    first = findings[0]
    reached = _reached(first, runtime)
    if state == "leaking":
        doubt = "" if runs >= 4 else f" {runs} profiles cannot tell a leak from a cache that is filling up; four can."
        return f"Leaking: {first.title}.{reached}{doubt}"
    if state == "warming":
        return f"Warming up, not leaking: memory grew by {gained} and flattens out. {first.title}.{reached}"
    if is_wide and state == "suspect":
        more = "Each place below it shows too few samples to be told from chance; a longer or heavier run shows more."
        return f"Suspect: {first.title}.{reached} {more}"
    if state == "suspect" and runs > 1:
        return f"Suspect: {first.title}.{reached} The growth is not steady enough to call it a leak."
    if runs == 1:
        ask = "One profile shows what is live, not what grows: take a second one later and give both."
        lead = "Suspect: " if state == "suspect" else ""
        return f"{lead}{first.title}.{reached} {ask}"
    return f"{first.title}.{reached}"
