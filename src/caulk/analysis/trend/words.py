"""What is said of a workload: its replicas' watches as one judgement, in a sentence, with the evidence."""

from collections.abc import Sequence

from caulk.analysis.kinds.fitting import suiting
from caulk.analysis.trend.floors import DAY_S
from caulk.analysis.trend.growth import Growth
from caulk.analysis.trend.replica import Replica, held
from caulk.model.judgement import Judgement, Kind, State
from caulk.model.units import format_duration, format_share, format_value

_HOUR = 3600.0
_OF: dict[Kind | None, str] = {
    None: "memory", "managed": "the managed heap", "native": "memory beside the heap", "shmem": "shared memory",
    "page-cache": "page cache",
}  # fmt: skip
_CONFIDENCE: dict[State, float] = {
    "leaking": 0.9, "undersized": 0.8, "steady": 0.9, "suspect": 0.5, "warming": 0.5, "unknown": 0.0,
}  # fmt: skip


def judgement(
    name: str, state: State, said_at: float, replicas: Sequence[Replica], by_age: Growth | None = None
) -> Judgement:
    """The judgement of a workload that is in `state` since `said_at`, from its replicas (at least one)."""
    alike = [r for r in replicas if r.state == state and r.growth] or [r for r in replicas if r.growth]
    shown = max(alike, key=_rate, default=replicas[0])
    growth = shown.growth if state in ("leaking", "suspect", "warming") else None
    is_by_age = growth is None and by_age is not None and state == "leaking"
    growth = by_age if is_by_age else growth
    limit = shown.memory.limit
    left = _left(shown, growth, limit) if state in ("leaking", "suspect") else None
    leaving = [r for r in replicas if r.state == "leaking"]
    return Judgement(
        name=name,
        state=state,
        why=_why(state, replicas, shown, growth=growth, left=left),
        kind=shown.kind,
        growth_bytes_per_hour=round(growth.slope.rate * _HOUR, 1) if growth else None,
        growth_interval=(round(growth.slope.low * _HOUR, 1), round(growth.slope.high * _HOUR, 1)) if growth else None,
        since=growth.since if growth else None,
        since_event=_event(shown, growth) if growth else None,
        first_said=said_at or None,
        time_to_limit_s=left,
        recommended_limit_bytes=suiting(_peak(replicas)) if state == "undersized" else None,
        confidence=_confidence(state, shown, growth, len(leaving), len(replicas)),
        evidence=(*_evidence(growth, limit, len(leaving), replicas), *_ages(by_age, is_by_age)),
    )


def _ages(by_age: Growth | None, is_alone: bool) -> list[str]:
    if not by_age or not by_age.is_sure:
        return []
    rate = format_value(by_age.slope.rate * _HOUR, "bytes")
    return [f"older replicas hold more: {rate} for each hour of age" + (", at one instant" if is_alone else "")]


def _peak(replicas: Sequence[Replica]) -> float:
    return max(replica.memory.peak for replica in replicas)


def _rate(replica: Replica) -> float:
    return replica.growth.slope.rate if replica.growth else 0.0


def _left(replica: Replica, growth: Growth | None, limit: float | None) -> float | None:
    if not growth or not limit or not replica.newest or growth.slope.rate <= 0:
        return None
    return round(max(limit - held(replica.newest), 0.0) / growth.slope.rate, 1)


def _event(replica: Replica, growth: Growth) -> str | None:
    """The event that the growth began with: the start of this life, if the growth is nearly as old."""
    watch = replica.told_by
    near = max(3 * growth.width_s, 0.15 * (watch.at - watch.born))
    return watch.born_by or None if growth.since - watch.born <= near else None


def _why(
    state: State, replicas: Sequence[Replica], replica: Replica, *, growth: Growth | None, left: float | None
) -> str:
    watch = replica.memory
    if growth and state in ("leaking", "suspect"):
        what = _OF[replica.kind]
        text = (
            f"The floor of {what} rises by {format_value(growth.slope.rate * _HOUR, 'bytes')} an hour and does not fall"
        )
        return f"{text}; the limit is met in {format_duration(left)}." if left is not None else f"{text}."
    if state == "leaking":
        return (
            f"The life before this one leaked until its {watch.born_by or 'end'}, and this one has not shown otherwise."
        )
    if state == "undersized":
        share = format_share(watch.peak / watch.limit) if watch.limit else "all"
        fits = format_value(suiting(_peak(replicas)), "bytes")
        return f"Memory does not grow, but {share} of the limit is in use at its peak: it is too low, {fits} would fit."
    if state == "warming":
        return "Memory grows ever less since the start." if growth else "The program has only just started."
    if state == "steady":
        return "The floor of memory does not rise as a leak's does."
    return "There are too few readings, or too short a time, to say anything."


def _confidence(state: State, replica: Replica, growth: Growth | None, leaking: int, count: int) -> float:
    value = _CONFIDENCE[state]
    if state == "steady":
        # What a day and a night have shown is sure; after an hour there is not much to go by.
        value *= 0.5 + 0.5 * min((replica.memory.at - replica.memory.born) / DAY_S, 1.0)
    if state == "leaking" and growth:
        # Twice the evidence that is asked for, on all replicas, is as sure as this gets.
        value = min(0.8 + 0.15 * min(growth.gained / growth.need - 1, 1.0) + 0.04 * (leaking == count), 0.99)
    return round(value, 2)


def _evidence(growth: Growth | None, limit: float | None, leaking: int, replicas: Sequence[Replica]) -> list[str]:
    lines = []
    if growth and growth.width_s:
        lines.append(
            f"floors of {format_duration(growth.width_s)} each gained {format_value(growth.gained, 'bytes')} "
            f"(a leak is said from {format_value(growth.need, 'bytes')} on)"
        )
    if len(replicas) > 1:
        lines.append(f"{leaking} of {len(replicas)} replicas leak")
    if limit:
        lines.append(f"the limit is {format_value(limit, 'bytes')}")
    lives = max(replica.memory.leaky_lives for replica in replicas)
    if lives:
        lines.append(f"{lives} earlier {'life' if lives == 1 else 'lives'} ended leaking")
    return lines
