"""The alerts: the seven situations of the runbook, the time to the limit, and kills for want of memory.

Names are those of the runbook, so that routes and silences go on working. `NAMES` are all that can be written.
"""

from collections.abc import Iterator, Sequence

from caulk.alerting.rule import Rule
from caulk.alerting.rules import growth, loop
from caulk.alerting.rules.growth import LIMIT, MEMORY, OBJECTS, USED
from caulk.alerting.rules.sources import Source
from caulk.alerting.rules.thresholds import DAY, HOUR, Thresholds, span
from caulk.alerting.rules.wording import BYTES, WHO, alert
from caulk.model.units import format_value

COLLECTIONS, COLLECTING = "caulk:gc_collections_per_second", "caulk:gc_time_ratio"


def alerts(sources: Sequence[Source], limits: Thresholds, *, matchers: str, has_loop: bool) -> Iterator[Rule]:
    """Every alert that these sources allow; `matchers` select the targets that must be there."""
    if any(source.memory for source in sources):
        yield from _growing(limits, any(source.start for source in sources))
        yield from _forecast(limits)
    yield from _used(limits)
    if any(source.objects for source in sources):
        yield _objects(limits, any(source.start for source in sources))
    yield from _collections(sources, limits)
    for source in sources:
        if source.growth_events:
            yield _events(source, limits)
        if source.oom:
            yield _killed(source)
        yield from _missing(source, limits, matchers)
    if has_loop:
        yield from loop.alerts(limits)
    else:
        yield from _unanswered(sources, limits, matchers)


def _growing(limits: Thresholds, has_starts: bool) -> Iterator[Rule]:
    for name, severity, over, least, share in (
        ("HighMemoryGrowthRate", "warning", limits.warning_over, limits.growth_warning, limits.first_day_share),
        ("CriticalMemoryGrowthRate", "critical", limits.critical_over, limits.growth_critical, 0.0),
    ):
        seasoned = growth.seasoned(over, limits, share=share, has_starts=has_starts)
        yield alert(
            name,
            f"{growth.steady(over)} > {least}{seasoned}",
            over // 6 if severity == "warning" else over // 4,
            severity,
            f"Memory of {WHO} grows by {BYTES} an hour",
            then=f"Its floor has risen in every part of the last {span(over)}, beyond that of the day before; "
            f"the alert begins at {format_value(least, 'bytes')} an hour. Take its heap now and again later: "
            "`caulk capture`, then `caulk analyze` on both.",
        )


def _forecast(limits: Thresholds) -> Iterator[Rule]:
    rate = growth.steady(limits.critical_over)
    hours = f"({LIMIT} - {USED}) / ignoring (over) {rate}"
    for name, severity, soon in (
        ("MemoryLimitExpected", "warning", limits.time_to_limit_warning),
        ("MemoryLimitImminent", "critical", limits.time_to_limit_critical),
    ):
        yield alert(
            name,
            f"{hours} * {HOUR} < {soon}",
            limits.critical_over // 6,
            severity,
            f"Memory of {WHO} reaches its limit in {{{{ $value | humanizeDuration }}}}",
            then=f"If it goes on as in the last {span(limits.critical_over)}. Capture it before it is killed.",
        )


def _used(limits: Thresholds) -> Iterator[Rule]:
    for name, severity, size, share, wait in (
        ("HighMemoryUsage", "warning", limits.usage_warning, limits.limit_warning, 600),
        ("CriticalMemoryUsage", "critical", limits.usage_critical, limits.limit_critical, 300),
    ):
        yield alert(
            name,
            f"{USED} / {LIMIT} > {share:g}",
            wait,
            severity,
            f"{WHO} uses {{{{ $value | humanizePercentage }}}} of its memory limit",
            then=f"The alert begins at {share:.0%}. `caulk memory` shows what it is, and whether the limit is too low.",
            against="limit",
        )
        yield alert(
            name,
            f"({USED} unless {LIMIT}) > {size}",
            wait,
            severity,
            f"{WHO} uses {BYTES} of memory, and has no limit",
            then=f"The alert begins at {format_value(size, 'bytes')}. With a limit, a leak ends one program only.",
            against="size",
        )


def _objects(limits: Thresholds, has_starts: bool) -> Rule:
    rate = growth.steady(limits.warning_over, OBJECTS)
    seasoned = growth.seasoned(
        limits.warning_over, limits, OBJECTS, share=limits.first_day_share, has_starts=has_starts
    )
    floor = f'{OBJECTS}:floor{{over="{span(limits.warning_over)}"}}'
    return alert(
        "HighObjectGrowth",
        f"{rate} > {limits.object_growth}\nand {rate} > {limits.object_share:g} * {floor}{seasoned}",
        limits.warning_over // 6,
        "warning",
        f"{WHO} keeps {{{{ $value | humanize }}}} more objects every hour",
        then=f"The alert begins at {limits.object_growth} an hour and {limits.object_share:.0%} of all. "
        "`caulk capture` and `caulk types` name them.",
    )


def _collections(sources: Sequence[Source], limits: Thresholds) -> Iterator[Rule]:
    if any(source.collections for source in sources):
        yield alert(
            "ExcessiveGarbageCollection",
            f"{COLLECTIONS} > {limits.collections:g}",
            900,
            "warning",
            f"{WHO} collects garbage {{{{ $value | humanize }}}} times a second",
            then="It is near its limit, or makes garbage fast: `caulk analyze` of an allocation profile says where.",
            measure="collections",
        )
    if any(source.collecting for source in sources):
        yield alert(
            "ExcessiveGarbageCollection",
            f"{COLLECTING} > {limits.collecting:g}",
            900,
            "warning",
            f"{WHO} spends {{{{ $value | humanizePercentage }}}} of its time collecting garbage",
            then="Its heap is nearly full of what lives: see whether it grows, and how large it may become.",
            measure="time",
        )


def _events(source: Source, limits: Thresholds) -> Rule:
    # increase() extrapolates: five events may be 5.02. The sizes are cumulative: the largest event counts in all.
    return alert(
        "MemoryLeakEventsDetected",
        f"max without (threshold) (sum without (worker) (increase({source.growth_events}[1h])))\n"
        f"> {limits.growth_events}.5",
        300,
        "warning",
        f"Memory of {WHO} jumped {{{{ $value | humanize }}}} times in an hour",
        then="caulk_probe_view_growth_bytes_per_request and caulk_probe_growth_site_bytes say where, with caulk-probe.",
    )


def _killed(source: Source) -> Rule:
    return alert(
        "OutOfMemoryKill",
        source.oom,
        0,
        "critical",
        f"{WHO} was killed for want of memory",
        then="Only a dump written before shows what filled it: `caulk arm` for the next time.",
    )


def _missing(source: Source, limits: Thresholds, matchers: str) -> Iterator[Rule]:
    whole = f'absent({MEMORY}{{source="{source.name}"}})'
    yield alert(
        "MemoryMetricsMissing",
        whole,
        limits.missing,
        "warning",
        f"No memory is known of any target ({source.name})",
        then="Nobody would see a leak. Look at Status > Targets of Prometheus, then at the exporter's settings.",
        source=source.name,
        missing="all",
    )
    if source.present:
        yield alert(
            "MemoryMetricsMissing",
            f"{_expected(source, matchers)} == 1\nunless on (job, instance) ({source.present})",
            limits.missing,
            "warning",
            f"{WHO} is scraped, but tells nothing of its memory",
            then="The middleware or collector is off in it: settings, environment, or an old image.",
            source=source.name,
            missing="target",
        )


def _unanswered(sources: Sequence[Source], limits: Thresholds, matchers: str) -> Iterator[Rule]:
    for source in sources:
        if source.present:
            yield alert(
                "MetricsAuthenticationFailure",
                f"{_expected(source, matchers)} == 0",
                limits.missing,
                "warning",
                f"{WHO} cannot be scraped: refused, or down",
                then="`up` is 0 for both, and Prometheus keeps no status: this cannot tell 401 from down. Status > "
                "Targets shows the last error; `caulk watch` asks with and without credentials, and tells them apart.",
                source=source.name,
            )


def _expected(source: Source, matchers: str) -> str:
    """`up` of the targets that are to have this source: those selected, else those of jobs that had it of late."""
    if matchers:
        return f"up{{{matchers}}}"
    return f'(up and on (job) max_over_time({MEMORY}{{source="{source.name}"}}[{span(DAY)}]))'
