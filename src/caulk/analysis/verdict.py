"""The judgement over all suspects: a state, how sure, and why. Thresholds stand here and nowhere else.

Evidence is growth. One profile shows only what is live, so it is at most `suspect`; two or three show growth but not
its shape, so confidence is held down; from four on, growth that flattens (a cache filling up) is told from growth that
does not. Everything here is arithmetic on the suspects' series: no name is read.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from caulk.analysis.growth import SHAPE_NEEDS, SIGNIFICANT, Growth
from caulk.analysis.narrowest import narrowed
from caulk.analysis.suspects import Line, Suspect
from caulk.model.origin import LOADER_FILE
from caulk.model.records import State

#: Growth below these is not worth waking anybody: bytes, share of what is live; for few and for enough profiles.
_FEW_BYTES, _FEW_SHARE = 64 << 10, 0.02
_MANY_BYTES, _MANY_SHARE = 16 << 10, 0.002
#: The same for counts of goroutines, threads and objects.
_FEW_COUNT = 10
#: Growth of everything together, where no place of it stands out: less than this is the tide of any program.
_WHOLE_SHARE = 0.1
#: A group of one profile that holds less of what is live is no suspect, only a line in `top`.
_LEADS = 0.2
_LISTED = 0.05
_MOST_FINDINGS = 10


class Grown(Protocol):
    """Growth that is judged: of code that allocates, or of an object that holds."""

    @property
    def growth(self) -> Growth:
        """How its series went."""

    @property
    def by_count(self) -> bool:
        """Whether only the number of objects grows."""

    @property
    def share(self) -> float:
        """Its part of all growth."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A suspect with what it is suspected by: `by_count` where only the number of objects grows or leads."""

    suspect: Suspect
    growth: Growth
    by_count: bool
    share: float
    """Of all growth, or, for one profile, of all that is live."""
    confidence: float
    is_wide: bool = False
    """Whether what was called below is counted too: no single place stands out of the sampling's noise."""


def judge(line: Line) -> tuple[State, list[Judged]]:
    """The state and the suspects that matter, worst first."""
    if len(line.profiles) == 1:
        return _of_one(line)
    judged = _growing(line)
    if not judged:
        return _together(line)
    return state_of(judged, len(line.profiles), line.totals[0]), judged


def state_of(judged: Sequence[Grown], dumps: int, before: int) -> State:
    """The state that growth over several dumps shows; `judged` is worst first, `before` the oldest dump's total."""
    if not judged:
        return "steady"
    best = judged[0].growth
    if dumps >= SHAPE_NEEDS:
        shapes = {j.growth.shape for j in judged if j.share >= _LISTED} or {best.shape}
        if any(j.growth.shape == "rising" and j.growth.is_monotone for j in judged):
            return "leaking"
        return "warming" if shapes == {"flattening"} else "suspect"
    is_much = judged[0].by_count or best.delta >= 0.1 * max(before, 1)
    return "leaking" if best.is_monotone and is_much else "suspect"


def smallest_growth(line: Line) -> int:
    """The growth of one place in the code below which these profiles would have shown nothing, in the measure's unit.

    A new group of g bytes of small objects has the standard error √(g × period); it stands out once g exceeds three of
    those, which is 9 × period.
    """
    least = _least(line, line.totals[-1], line.size.unit)
    period = max(profile.period for profile in line.profiles)
    sampled = period if line.size.unit == "bytes" and period > 1 else 0
    return max(round(SIGNIFICANT**2) * sampled, least)


def _growing(line: Line) -> list[Judged]:
    gained = sum(s.growth.delta for s in line.suspects if s.growth.delta > 0) or 1
    least = _least(line, line.totals[-1], line.size.unit)
    found: dict[int, Judged] = {}
    for suspect in line.suspects:
        growth = suspect.growth
        if not _is_settled(line, suspect):
            continue
        if growth.delta >= least and growth.is_significant and growth.shape not in ("flat", "falling"):
            found[suspect.frame] = _grown(line, suspect, growth, growth.delta / gained, by_count=False)
    gained = sum(s.count_growth.delta for s in line.suspects if s.count_growth and s.count_growth.delta > 0) or 1
    for suspect in line.suspects:
        count = suspect.count_growth
        if suspect.frame in found or not count or not count.is_significant or not _is_settled(line, suspect):
            continue
        # Many small objects: invisible in bytes, and still a leak.
        if count.delta / gained >= _LEADS and count.delta >= max(_FEW_COUNT * 10, 0.1 * suspect.counts[0]):
            found[suspect.frame] = _grown(line, suspect, count, count.delta / gained, by_count=True)
    ranked = sorted(found.values(), key=lambda j: _rank(line, j))
    # Beside something that rises, a small cache that fills up is not worth a line.
    rises = any(j.growth.shape == "rising" for j in ranked)
    return [j for j in ranked if j.share >= (_LISTED if rises and j.growth.shape != "rising" else 0.01)][
        :_MOST_FINDINGS
    ]


def _together(line: Line) -> tuple[State, list[Judged]]:
    """The growth of everything, where sampling hides that of each place: at most suspect, since nobody knows where."""
    if line.size.unit != "bytes" or all(profile.period <= 1 for profile in line.profiles):
        return "steady", []
    found = narrowed(line)
    whole = found.whole
    least = max(_least(line, line.totals[-1], line.size.unit), round(_WHOLE_SHARE * line.totals[0]))
    if not whole.is_significant or whole.delta < least or whole.shape == "falling":
        return "steady", []
    state: State = "warming" if whole.shape == "flattening" else "suspect"
    if not found.suspect:
        return state, []
    growth = found.suspect.growth
    judged = _grown(line, found.suspect, growth, min(growth.delta / whole.delta, 1.0), by_count=False)
    return state, [replace(judged, confidence=round(judged.confidence * 0.7, 2), is_wide=True)]


def _is_settled(line: Line, suspect: Suspect) -> bool:
    """Modules that are being loaded grow in every program that has just started: few profiles say nothing of them."""
    is_loading = line.tree.frames.file_name(suspect.frame).startswith(LOADER_FILE)
    return not is_loading or len(line.profiles) >= SHAPE_NEEDS


def _rank(line: Line, judged: Judged) -> tuple[int, int, float, int]:
    """What sorts the worst first: shape; of types, the application's own before what they are made of; then size."""
    shape = {"rising": 0, "unknown": 1}.get(judged.growth.shape, 2)
    is_own = line.profiles[-1].kind != "histogram" or judged.suspect.origin == "application"
    return shape, 0 if is_own else 1, -judged.share * (0.5 if judged.by_count else 1.0), judged.suspect.frame


def _grown(line: Line, suspect: Suspect, growth: Growth, share: float, *, by_count: bool) -> Judged:
    confidence = confidence_of(growth, share, len(line.profiles))
    if line.size.role != "live":
        confidence *= 0.5
    confidence *= min(profile.coverage for profile in line.profiles)
    return Judged(suspect, growth, by_count, share, round(confidence, 2))


def confidence_of(growth: Growth, share: float, dumps: int) -> float:
    """How sure growth is a leak's, from 0 to 1; `share` is its part of all growth."""
    confidence = {2: 0.5, 3: 0.6, 4: 0.8, 5: 0.85}.get(dumps, 0.9)
    if growth.shape == "flattening":
        confidence *= 0.4
    elif dumps >= SHAPE_NEEDS and growth.shape != "rising":
        confidence *= 0.6
    if not growth.is_monotone:
        confidence *= 0.7
    return confidence * (0.7 + 0.3 * min(share, 1.0))


def _of_one(line: Line) -> tuple[State, list[Judged]]:
    """What is live, and who allocated it: the application's own code first, never more than suspicion."""
    # What shrank in a delta profile is no part of the whole: a share of the net sum could be anything.
    total = max(sum(suspect.sizes[-1] for suspect in line.suspects if suspect.sizes[-1] > 0), 1)
    coverage = line.profiles[0].coverage
    known = line.size.role == "live"
    judged = []
    for suspect in line.suspects:
        share = suspect.sizes[-1] / total
        if share >= _LISTED and suspect.sizes[-1] > SIGNIFICANT * suspect.errors[-1]:
            judged.append(_held(suspect, share, coverage, known=known, by_count=False))
    objects = sum(s.counts[-1] for s in line.suspects if s.counts) or 1
    listed = {j.suspect.frame for j in judged}
    for suspect in line.suspects:
        if not suspect.counts or suspect.frame in listed or suspect.origin == "runtime":
            continue
        is_seen = suspect.counts[-1] > SIGNIFICANT * suspect.count_errors[-1]
        if is_seen and suspect.counts[-1] / objects >= _LEADS:
            judged.append(_held(suspect, suspect.counts[-1] / objects, coverage, known=known, by_count=True))
    weight = {"application": 1.0, "library": 0.6, "runtime": 0.2}
    judged.sort(key=lambda j: (-weight[j.suspect.origin] * j.share * (0.5 if j.by_count else 1.0), j.suspect.frame))
    leads = known and any(j.share >= _LEADS and j.suspect.origin != "runtime" for j in judged)
    return ("suspect" if leads else "unknown"), judged[:_MOST_FINDINGS]


def _held(suspect: Suspect, share: float, coverage: float, *, known: bool, by_count: bool) -> Judged:
    # A share says who is large, not who leaks: half of that at best, and less for a runtime's own frames.
    weight = {"application": 0.5, "library": 0.35, "runtime": 0.15}[suspect.origin] * (1.0 if known else 0.5)
    return Judged(suspect, suspect.growth, by_count, share, round(weight * min(share, 1.0) * coverage, 2))


def _least(line: Line, total: int, unit: str) -> int:
    return least_growth(len(line.profiles), total, unit)


def least_growth(dumps: int, total: int, unit: str) -> int:
    """Growth below this is not worth a finding, of `total` live in the newest dump."""
    if unit != "bytes":
        return _FEW_COUNT
    if dumps < SHAPE_NEEDS:
        return max(_FEW_BYTES, round(_FEW_SHARE * total))
    return max(_MANY_BYTES, round(_MANY_SHARE * total))
