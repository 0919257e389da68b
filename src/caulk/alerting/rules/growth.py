"""Growth that a gauge shows: recorded floors, their slope, and whether every part of the time brought its share.

`rate()` takes each fall of a gauge for a counter's reset: it adds up noise and collections of garbage. Instead, over a
span of S:

- the floor: the least of each S/6, so that what is given back within it does not count;
- growth: the slope of the floors by least squares over S, bytes an hour;
- rise: how much higher the floor is than S/3 ago. Growth is steady where no rise of the last 2/3 S was less than half
  of it: a single step (a deploy, a cache) or a tooth of garbage is not;
- and where the floor is higher than it was in the day before, by half of what S brought: teeth of any length, nights
  and days, and workers that are recycled come back to where they were. A process that started within that day is
  excused, since its earlier life may have leaked as high.
"""

from collections.abc import Iterator

from caulk.alerting.rule import Rule
from caulk.alerting.rules.thresholds import HOUR, Thresholds, span

MEMORY = "caulk:memory_bytes"
USED = "caulk:memory_used_bytes"
LIMIT = "caulk:memory_limit_bytes"
OBJECTS = "caulk:objects"
START = "caulk:process_start_time_seconds"
_WORKERS = 0.75


def steady(over: int, what: str = MEMORY) -> str:
    """The recorded growth an hour that `over` seconds showed throughout; no series where they did not."""
    return f'{what}:steady_growth_per_hour{{over="{span(over)}"}}'


def seasoned(over: int, limits: Thresholds, what: str = MEMORY, *, share: float = 0.0, has_starts: bool = True) -> str:
    """What an alert asks for beside: that the day before is known, or growth that no first day brings.

    Without a day behind it, or with an earlier life in it, the first morning looks like a leak: then the floor must
    grow by `share` within `over`. So does the first life of a worker: three of four must grow.
    """
    mine, floor = steady(over, what), f'{what}:floor{{over="{span(over)}"}}'
    known = f"{floor} offset {span(limits.memory)}"
    young = f"count without (worker) ({mine}) >= count without (worker) ({floor}) * {_WORKERS:g}"
    grown = f"{mine} * {over / HOUR:g} > {share:g} * {floor}\n  and ignoring (worker) " if share else ""
    return f"""
and (
  {known}{_restarted(limits, "unless") if has_starts else ""}
  or {grown or f"{mine} and ignoring (worker) "}{young}
)"""


def _restarted(limits: Thresholds, how: str) -> str:
    return f" {how} ignoring (over) changes({START}[{span(limits.memory)}]) > 0"


def recorded(over: int, limits: Thresholds, what: str = MEMORY, *, has_starts: bool = True) -> Iterator[Rule]:
    """The rules that lead to `steady(over)`, in the order in which they need each other.

    `has_starts`: some source records when processes started.
    """
    third, labels = over // 3, {"over": span(over)}
    mine = f'{{over="{span(over)}"}}'
    floor, growth, rise = f"{what}:floor", f"{what}:growth_per_hour", f"{what}:rise_per_hour"
    yield Rule(floor, f"min_over_time({what}[{span(over // 6)}])", labels=labels)
    yield Rule(growth, f"deriv({floor}{mine}[{span(over)}]) * {HOUR}", labels=labels)
    yield Rule(rise, f"({floor}{mine} - {floor}{mine} offset {span(third)}) * {HOUR / third:g}", labels=labels)
    excused = f"\n  or {growth}{mine}{_restarted(limits, 'and')}" if has_starts else ""
    # A series younger than S has no rise of S/3 that is 2/3 S old.
    yield Rule(
        f"{what}:steady_growth_per_hour",
        f"""{growth}{mine} > 0
and min_over_time({rise}{mine}[{span(2 * third)}]) >= {growth}{mine} / 2
and {rise}{mine} offset {span(2 * third)} >= {growth}{mine} / 2
and (
  {floor}{mine} - max_over_time({floor}{mine}[{_days(over, limits)}] offset {span(over)})
    >= {growth}{mine} * {over / HOUR / 2:g}{excused}
)""",
        labels=labels,
    )


def _days(over: int, limits: Thresholds) -> str:
    """The subquery over the day before: six floors for each span are enough to have its highest."""
    return f"{span(limits.memory)}:{span(max(over // 18, 1))}"
