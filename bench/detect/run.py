"""Precision, recall, time to detect and false alarms of the judgement, family by family, beside the usual rules.

    python bench/detect/run.py

Odd seeds of all families, and the recordings of real programs: constants were set on even seeds of half of the
families. Writes bench/detect/results.md.
"""

import argparse
import json
import multiprocessing
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import families
from rules import RULES, Rule

from caulk.analysis.trend.pool import Pool
from caulk.formats import series
from caulk.model.judgement import Event
from caulk.model.series import Reading

OURS = "caulk judge"
RECORDINGS = Path(__file__).with_name("recordings")
RECORDED = "recorded "


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
    """What every judge says of a series: a family and a seed, or the name of a recording and 0."""
    family, seed, with_rules = job
    it = families.make(family, seed) if family in families.FAMILIES else recorded(family)
    said = {OURS: ours(it)}
    if with_rules:
        said |= {name: by_rule(rule, it) for name, rule in RULES.items()}
    return [_outcome(name, it, answers) for name, answers in said.items()]


def recorded(name: str) -> families.Labelled:
    """A recording as a series of the family of its runtime."""
    truth = json.loads((RECORDINGS / "index.json").read_text())[name]
    (history,) = series.read(str(RECORDINGS / f"{name}.csv.gz"), warn=print)
    readings, times = history.readings, [reading.at for reading in history.readings]
    columns = {"anon": [float(r.anonymous) for r in readings], "file": [float(r.file) for r in readings]}
    if any(r.heap for r in readings):
        columns["heap"] = [float(r.heap or 0) for r in readings]
    return families.Labelled(
        RECORDED + name.partition("-")[0],
        0,
        truth["is_leak"],
        times,
        [float(r.rss) for r in readings],
        columns,
        {times.index(event.at): event.what for event in history.events},
        limit=truth["limit"],
        starts=truth["starts"],
        reaches=truth["reaches"],
    )


def by_rule(rule: Rule, it: families.Labelled) -> list[tuple[float, bool]]:
    """What a rule says of a series: of any of its replicas. It is told the limit, and memory without page cache."""
    held = it.columns.get("anon", it.values)
    if not it.replicas:
        return rule(it.times, held, it.limit)
    apart: dict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    for replica, at, value in zip(it.replicas, it.times, held, strict=True):
        apart[replica][0].append(at)
        apart[replica][1].append(value)
    said, holding, out = [], set(), []
    for name, (times, values) in apart.items():
        if len(times) > 1:
            said += [(at, name, holds) for at, holds in rule(times, values, it.limit)] + [(times[-1], name, False)]
    for at, name, holds in sorted(said):
        holding = holding | {name} if holds else holding - {name}
        out.append((at, bool(holding)))
    return out


def ours(it: families.Labelled) -> list[tuple[float, bool]]:
    """Whether caulk says `leaking`, at each reading."""
    pool = Pool(limit=int(it.limit) if it.says_limit else 0)
    anon, file, heap = (it.columns.get(name) for name in ("anon", "file", "heap"))
    out = []
    for i, (at, value) in enumerate(zip(it.times, it.values, strict=True)):
        events = [Event(at, it.events[i])] if i in it.events else []
        reading = Reading(
            at,
            int(value),
            int(anon[i]) if anon else 0,
            int(file[i]) if file else 0,
            0,
            int(heap[i]) if heap and heap[i] else None,
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
    parser.add_argument("--first", type=int, default=801, help="the first seed; only odd ones are judged")
    parser.add_argument("--seeds", type=int, default=95, help="series of each family")
    parser.add_argument("--healthy", type=int, default=160, help="series of each healthy family, for days")
    parser.add_argument("--rules", type=int, default=4, help="series of each family that the other rules judge too")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    healthy = [f for f in families.FAMILIES if not families.make(f, 1).is_leak]
    odd = [(options.first | 1) + 2 * i for i in range(max(options.seeds, options.healthy))]
    few = odd[: options.rules][-1]
    jobs = [(f, s, s <= few) for s in odd[: options.seeds] for f in families.FAMILIES]
    jobs += [(f, s, False) for s in odd[options.seeds : options.healthy] for f in healthy]
    jobs += [(name, 0, True) for name in json.loads((RECORDINGS / "index.json").read_text())]
    begun = time.monotonic()
    with multiprocessing.Pool(options.processes) as pool:
        found = [o for some in pool.imap_unordered(outcomes, jobs, chunksize=4) for o in some]
    found.sort(key=lambda o: (o.judge, o.family, o.seed, o.last, o.days))
    Path(__file__).with_name("results.md").write_text(page(found, few))
    print(f"{len(found)} outcomes, {time.monotonic() - begun:.0f} s")


_HEAD = """# Detection, family by family

Written by `python bench/detect/run.py`. Most series are generated (`families.py`); constants were set on even seeds of
half of the families, these are odd ones of all, and families that were held out have an asterisk. The others are
recordings of real programs (`record.py`), none of which was looked at. A judgement is the last word of a replay that
never looks ahead. Time to detect is from the start of the leak to the beginning of that word, as a share of the time to
the limit. A false alarm is every beginning of `leaking` on a healthy series, also one that is taken back later.
"""
_RULES_HEAD = """
The same series (odd seeds to {few}, and recordings) by all. Here an alarm counts for or against a judge whenever it
comes, and the time is that of the first one after the leak began (100 % for a rule that was on already, and stayed on).
The rules are told every limit, caulk only where the series has it.

| judge | precision | recall | median time to detect | false alarms in 1,000 target-days |
| --- | --- | --- | --- | --- |"""


def page(found: list[Outcome], few: int) -> str:
    """The results as Markdown."""
    mine = [o for o in found if o.judge == OURS]
    generated = [o for o in mine if not o.family.startswith(RECORDED)]
    groups = defaultdict(list)
    for o in mine:
        groups[o.family].append(o)
    lines = [
        _HEAD,
        "| series | how many | precision | recall | median time to detect | false alarms | in 1,000 target-days |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        _summary("generated", generated),
        _summary("of these, families held out", [o for o in generated if o.family in families.HELD_OUT]),
        _summary("recorded", [o for o in mine if o.family.startswith(RECORDED)]),
        "",
        "| family | series | right | median time to detect | false alarms | target-days |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    recordings = sorted(name for name in groups if name.startswith(RECORDED))
    for name in (*families.FAMILIES, *recordings):
        lines += [_family(name, some) for some in _alike(groups[name])]
    lines.append(_RULES_HEAD.format(few=few))
    for judge in (OURS, *RULES):
        lines.append(f"| {judge} | {_row([o for o in found if o.judge == judge and o.seed <= few])} |")
    return "\n".join(lines) + "\n"


def _summary(name: str, some: list[Outcome]) -> str:
    leaks, said = [o for o in some if o.is_leak], [o for o in some if o.at_end]
    right = [o for o in said if o.is_leak]
    # Of healthy series more seeds are judged than of leaks; precision is of as many of each.
    seeds = max((o.seed for o in leaks), default=0)
    said = [o for o in said if o.seed <= seeds]
    healthy = [o for o in some if not o.is_leak]
    days, alarms = sum(o.days for o in healthy), sum(o.alarms for o in healthy)
    return (
        f"| {name} | {len(some):,} | {len(right) / len(said):.3f} | {len(right) / len(leaks):.3f} | "
        f"{median(o.last for o in right):.1%} | {alarms} in {days:,.0f} days | {alarms / days * 1000:.2f} |"
    )


def _alike(some: list[Outcome]) -> list[list[Outcome]]:
    """Those that leak, and those that do not, where there are any."""
    return [part for leaks in (True, False) if (part := [o for o in some if o.is_leak is leaks])]


def _family(name: str, some: list[Outcome]) -> str:
    right = sum(o.at_end == o.is_leak for o in some) / len(some)
    days = f"{sum(o.days for o in some):,.0f}"
    if name.startswith(RECORDED):
        name += ", leaking" if some[0].is_leak else ", healthy"
    name += " \\*" * (name in families.HELD_OUT)
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
