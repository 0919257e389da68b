"""Precision, recall, time to detect and false alarms of the judgement, family by family, beside the usual rules.

    python bench/detect/run.py --seeds 100 --processes 2

Odd seeds alone: constants were set on even ones. Writes bench/detect/results.md.
"""

import argparse
import multiprocessing
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import families
from rules import RULES

from caulk.analysis.trend.pool import Pool
from caulk.model.judgement import Event
from caulk.model.series import Reading

OURS = "caulk judge"


@dataclass(frozen=True)
class Outcome:
    """What one judge said of one series: its last word, how often it began to alarm, and when for the last time."""

    judge: str
    family: str
    seed: int
    is_leak: bool
    days: float
    at_end: bool
    alarms: int
    last: float
    """From the start of a leak to the last time that the alarm began, as a share of the time to the limit."""
    first: float
    """The same to the first time after the start."""


def outcomes(job: tuple[str, int, bool]) -> list[Outcome]:
    family, seed, with_rules = job
    it = families.make(family, seed)
    said = {OURS: ours(it)}
    if with_rules:
        # The rules are told every limit, and the memory that is no page cache: what they lack is not their data.
        held = it.columns.get("anon", it.values)
        said |= {name: rule(it.times, held, it.limit) for name, rule in RULES.items()}
    return [_outcome(name, it, answers) for name, answers in said.items()]


def ours(it: families.Labelled) -> list[tuple[float, bool]]:
    """Whether caulk says `leaking`, at each reading."""
    pool = Pool(limit=int(it.limit) if it.says_limit else 0)
    anon, file, heap = (it.columns.get(name) for name in ("anon", "file", "heap"))
    out = []
    for i, (at, value) in enumerate(zip(it.times, it.values, strict=True)):
        events = [Event(at, it.events[i])] if i in it.events else []
        reading = Reading(
            at, int(value), int(anon[i]) if anon else 0, int(file[i]) if file else 0, 0, int(heap[i]) if heap else None
        )
        pool.add(it.replicas[i] if it.replicas else "", reading, events)
        out.append((at, pool.state == "leaking"))
    return out


def _outcome(name: str, it: families.Labelled, said: list[tuple[float, bool]]) -> Outcome:
    begins = [at for (at, now), (_, was) in zip(said, [(0.0, False), *said], strict=False) if now and not was]
    after = [at for at in begins if at >= it.starts] or [it.times[-1]]
    room = it.reaches - it.starts if it.is_leak else 1.0
    return Outcome(
        judge=name,
        family=it.family,
        seed=it.seed,
        is_leak=it.is_leak,
        days=it.days,
        at_end=bool(said) and said[-1][1],
        alarms=len(begins),
        last=(after[-1] - it.starts) / room,
        first=(after[0] - it.starts) / room,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="seeds from 1 to this, the odd ones of them")
    parser.add_argument("--healthy-seeds", type=int, default=0, help="more odd seeds of healthy families, for days")
    parser.add_argument("--rules", type=int, default=20, help="seeds up to this are judged by the other rules too")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=60, help="what is not judged by then is left out")
    options = parser.parse_args()
    jobs = [(f, s, s <= options.rules) for s in range(1, options.seeds + 1, 2) for f in families.FAMILIES]
    healthy = [f for f in families.FAMILIES if not families.make(f, 1).is_leak]
    jobs += [(f, s, False) for s in range(options.seeds + 1, options.healthy_seeds + 1) if s % 2 for f in healthy]
    begun = time.monotonic()
    with multiprocessing.Pool(options.processes) as pool:
        found = []
        # In order of seeds: what is left out is left out of all families.
        for some in pool.imap(outcomes, jobs, chunksize=4):
            found += some
            if time.monotonic() - begun > options.minutes * 60:
                break
    found.sort(key=lambda o: (o.judge, o.family, o.seed))
    Path(__file__).with_name("results.md").write_text(_page(found, options.seeds, options.rules))
    print(f"{len(found)} outcomes, {time.monotonic() - begun:.0f} s")


_HEAD = """# Detection, family by family

Written by `python bench/detect/run.py`. The series are generated (`families.py`); constants were set on even seeds,
these are odd ones. A judgement is the last word of a replay that never looks ahead. Time to detect is from the start of
the leak to the beginning of that word, as a share of the time to the limit. A false alarm is every beginning of
`leaking` on a healthy series, also one that is taken back later.
"""
_RULES_HEAD = """
The same series (odd seeds to {few}) by all. Here an alarm counts for or against a judge whenever it comes, and the time
is that of the first one after the leak began (100 % for a rule that was on already, and stayed on). The rules are told
every limit, caulk only where the series has it.

| judge | precision | recall | median time to detect | false alarms in 1,000 target-days |
| --- | --- | --- | --- | --- |"""


def _page(found: list[Outcome], seeds: int, few: int) -> str:
    mine = [o for o in found if o.judge == OURS]
    main_part = [o for o in mine if o.seed <= seeds]
    leaks, said = [o for o in main_part if o.is_leak], [o for o in main_part if o.at_end]
    right = [o for o in said if o.is_leak]
    healthy = [o for o in mine if not o.is_leak]
    days, alarms = sum(o.days for o in healthy), sum(o.alarms for o in healthy)
    lines = [
        _HEAD,
        f"{len(main_part):,} series: precision {len(right) / len(said):.3f}, recall {len(right) / len(leaks):.3f}, "
        f"median time to detect {median(o.last for o in right):.1%}.",
        "",
        f"{alarms} false alarms on {days:,.0f} healthy target-days: {alarms / days * 1000:.2f} in 1,000.",
        "",
        "| family | series | right | median time to detect | false alarms | target-days |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    groups = defaultdict(list)
    for o in mine:
        groups[o.family].append(o)
    lines += [_family(family, groups[family]) for family in families.FAMILIES]
    lines.append(_RULES_HEAD.format(few=few))
    for judge in (OURS, *RULES):
        lines.append(f"| {judge} | {_row([o for o in found if o.judge == judge and o.seed <= few])} |")
    return "\n".join(lines) + "\n"


def _family(name: str, some: list[Outcome]) -> str:
    right = sum(o.at_end == o.is_leak for o in some) / len(some)
    days = f"{sum(o.days for o in some):,.0f}"
    if some[0].is_leak:
        return f"| {name} | {len(some)} | {right:.1%} | {median(o.last for o in some):.0%} | | {days} |"
    return f"| {name} | {len(some)} | {right:.1%} | | {sum(o.alarms for o in some)} | {days} |"


def _row(some: list[Outcome]) -> str:
    said, leaks = [o for o in some if o.alarms], [o for o in some if o.is_leak]
    right = [o for o in said if o.is_leak]
    healthy = [o for o in some if not o.is_leak]
    alarms = sum(o.alarms for o in healthy) / sum(o.days for o in healthy) * 1000
    took = f"{median(o.first for o in right):.0%}" if right else "never"
    return f"{len(right) / max(len(said), 1):.3f} | {len(right) / len(leaks):.3f} | {took} | {alarms:.1f}"


if __name__ == "__main__":
    main()
