"""Alerts on what `caulk watch` exports: its judgement instead of a gauge's growth, and what endpoints answer."""

from collections.abc import Iterator

from caulk.alerting.rule import Rule
from caulk.alerting.rules.sources import Source
from caulk.alerting.rules.thresholds import Thresholds
from caulk.alerting.rules.wording import BYTES, WHO, alert
from caulk.model import metrics

_MEMORY = metrics.TARGET_MEMORY.name
_GROWTH = metrics.TARGET_GROWTH.name
_LEFT = metrics.TARGET_SECONDS_TO_LIMIT.name
_STATUS = metrics.ENDPOINT_HTTP_STATUS.name
_LEAKING = f'and on (workload, runtime) {metrics.TARGET_STATE.name}{{state="leaking"}} == 1'

#: It has no `memory`: the loop's own judgement is used. What is used and its limit are judged as everybody's.
SOURCE = Source(
    "caulk",
    memory="",
    used=f'max without (measure) ({_MEMORY}{{measure="rss"}})',
    limit=metrics.TARGET_LIMIT.name,
)


def alerts(limits: Thresholds) -> Iterator[Rule]:
    """Growth, time to the limit, missing readings, refused and unprotected endpoints."""
    for name, severity, least in (
        ("HighMemoryGrowthRate", "warning", limits.growth_warning),
        ("CriticalMemoryGrowthRate", "critical", limits.growth_critical),
    ):
        yield alert(
            name,
            f"{_GROWTH} > {least}\n{_LEAKING}",
            300,
            severity,
            f"{WHO} leaks {BYTES} an hour",
            then="By caulk's judgement, in each replica. `caulk incident` has what was captured.",
            source=SOURCE.name,
        )
    for name, severity, soon in (
        ("MemoryLimitExpected", "warning", limits.time_to_limit_warning),
        ("MemoryLimitImminent", "critical", limits.time_to_limit_critical),
    ):
        yield alert(
            name,
            f"{_LEFT} < {soon}\n{_LEAKING}",
            300,
            severity,
            f"{WHO} reaches its memory limit in {{{{ $value | humanizeDuration }}}}",
            then="If the leak goes on as it does; the first of its replicas.",
            source=SOURCE.name,
        )
    yield from _readings(limits)
    yield from _endpoints(limits)


def _readings(limits: Thresholds) -> Iterator[Rule]:
    yield alert(
        "MemoryMetricsMissing",
        f"absent({_MEMORY})",
        limits.missing,
        "warning",
        "caulk watch tells nothing",
        then="It is down, or has no targets. Nobody would see a leak.",
        source=SOURCE.name,
        missing="all",
    )
    yield alert(
        "MemoryMetricsMissing",
        f"rate({metrics.READING_ERRORS.name}[10m]) > 0\nunless rate({metrics.READINGS.name}[10m]) > 0",
        limits.missing,
        "warning",
        "caulk watch can take no reading from its source {{ $labels.source }}",
        then="Its log says why.",
        missing="source",
    )


def _endpoints(limits: Thresholds) -> Iterator[Rule]:
    told = f'{_STATUS}{{credentials="with"}}'
    yield alert(
        "MetricsAuthenticationFailure",
        # 500 is what the middleware of the runbook, and caulk-probe, answer when they have been given no credentials.
        f"{told} == 401 or {told} == 403 or {told} == 500",
        limits.missing,
        "warning",
        f"Metrics of {WHO} are refused: {{{{ $labels.endpoint }}}} answers {{{{ $value }}}}",
        then="401 and 403: the credentials are not those it knows. 500: METRICS_AUTH_USERNAME and "
        "METRICS_AUTH_PASSWORD are not set in it.",
        source=SOURCE.name,
    )
    yield alert(
        "MetricsUnprotected",
        f'{_STATUS}{{credentials="without"}} == 200\nand on (workload, endpoint) {told}',
        limits.missing,
        "warning",
        f"Metrics of {WHO} are open: {{{{ $labels.endpoint }}}} asks for no credentials",
        then="It was given some, and answers without. Switching profiling off must not switch the check off.",
        source=SOURCE.name,
    )
