"""`caulk rules`: alerts on memory for Prometheus; `audit`: what is wrong with rules that exist."""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import cyclopts
from cyclopts import Group, Parameter

from caulk.alerting import documents
from caulk.alerting.audit.auditing import audit as look_at
from caulk.alerting.audit.remark import SEVERITIES, Remark
from caulk.alerting.replay import judging, promtool, recorded
from caulk.alerting.replay.scenarios import SCENARIOS, Scenario
from caulk.alerting.rules import build, unit
from caulk.alerting.rules.scrape import Credentials, jobs
from caulk.alerting.rules.thresholds import Thresholds
from caulk.analysis.trend.pool import judge
from caulk.cli.targets import Output, seconds, show, show_record, size
from caulk.formats import series as readings
from caulk.formats.source import STDIN
from caulk.model.errors import UsageError
from caulk.model.table import Heading, Table
from caulk.model.units import format_duration

SCHEMA = "caulk.rules-audit/1"
app = cyclopts.App(name="rules", help="Alerts on memory for Prometheus, and what is wrong with those that exist.")
_LIMITS = Group("Thresholds")
_Output = Annotated[Output, Parameter(name=["--output", "-o"])]
_Kind = Literal["plain", "operator", "configmap"]


@Parameter(name="*", group=_LIMITS)
@dataclass(frozen=True, kw_only=True)
class _Limits:
    growth_warning: str = "10M"
    """Growth an hour."""
    growth_critical: str = "50M"
    """Growth an hour."""
    growth_events: int = 5
    """Jumps of memory in an hour."""
    object_growth: int = 1000
    """Objects an hour."""
    usage_warning: str = "500M"
    """Memory of what has no limit."""
    usage_critical: str = "1G"
    """Memory of what has no limit."""
    limit_warning: float = 0.8
    """Share of the limit."""
    limit_critical: float = 0.9
    """Share of the limit."""
    time_to_limit_warning: str = "4h"
    """Time until the limit is met."""
    time_to_limit_critical: str = "1h"
    """Time until the limit is met."""
    collections: float = 10
    """Collections of garbage a second."""
    collecting: float = 0.1
    """Share of the time spent collecting garbage."""
    missing: str = "10m"
    """How long metrics may be missing."""
    over_warning: str = "3h"
    """The time over which growth must be seen for a warning."""
    over_critical: str = "1h"
    """The time over which growth must be seen for a critical alert."""

    @property
    def thresholds(self) -> Thresholds:
        """The same in bytes and seconds."""
        return Thresholds(
            growth_warning=size(self.growth_warning),
            growth_critical=size(self.growth_critical),
            growth_events=self.growth_events,
            object_growth=self.object_growth,
            usage_warning=size(self.usage_warning),
            usage_critical=size(self.usage_critical),
            limit_warning=self.limit_warning,
            limit_critical=self.limit_critical,
            time_to_limit_warning=int(seconds(self.time_to_limit_warning)),
            time_to_limit_critical=int(seconds(self.time_to_limit_critical)),
            collections=self.collections,
            collecting=self.collecting,
            missing=int(seconds(self.missing)),
            warning_over=_window(self.over_warning),
            critical_over=_window(self.over_critical),
        )


_DEFAULT = _Limits()


@app.default
def write(
    *,
    source: Annotated[tuple[str, ...], Parameter(negative="")] = ("kubernetes", "probe"),
    select: str = "",
    runbook: str = "docs/runbook.md",
    label: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    kind: Annotated[_Kind, Parameter(name=["--as"])] = "plain",
    name: str = "caulk",
    tests: Annotated[bool, Parameter(negative="")] = False,
    out: str = "",
    limits: _Limits = _DEFAULT,
) -> int:
    """Write rules: what is recorded, and the alerts on it.

    Parameters
    ----------
    source
        Where memory is read: kubernetes, probe, go, jvm, node, python, process, or caulk (what `caulk watch` exports);
        may be given again.
    select
        Matchers that select whose series are read: 'namespace="shop",job=~"api.*"'.
    runbook
        The page that alerts link to; `#` and the alert's name in lower case are added.
    label
        NAME=VALUE for every alert (and for the object with --as operator or configmap); may be given again.
    kind
        plain for `rule_files`, operator for a PrometheusRule, configmap.
    name
        The name of the object, and of the file in a ConfigMap.
    tests
        Write promtool's unit tests of these rules instead; they expect the rules in NAME.yml beside them.
    out
        The file to write; stdout without it.

    """
    thresholds, labels = limits.thresholds, _labels(label)
    groups = build.build(source, thresholds, matchers=select, runbook=runbook, labels=labels)
    if tests:
        record = unit.tests(groups, thresholds, file=f"{name}.yml")
    elif kind == "plain":
        record = documents.plain(groups)
    else:
        put = documents.operator if kind == "operator" else documents.config_map
        record = put(groups, name=name, labels=labels)
    _put(documents.write(record), out)
    return 0


@app.command
def scrape(
    job: tuple[str, ...], /, *, user: str = "", password_file: str = "", interval: str = "15s", out: str = ""
) -> int:
    """Write scrape jobs, with a user and a password that stays in a file.

    Parameters
    ----------
    job
        NAME=HOST:PORT or NAME=https://HOST:PORT/PATH.
    user
        Whom Prometheus says it is.
    password_file
        Where Prometheus reads the password.
    interval
        How often is scraped.
    out
        The file to write; stdout without it.

    """
    record = jobs(job, Credentials(user, password_file), interval_s=max(int(seconds(interval)), 1))
    _put(documents.write(record), out)
    return 0


@app.command
def audit(
    file: tuple[str, ...],
    /,
    *,
    scrape: str = "",
    scrape_interval: str = "15s",
    replay: Annotated[bool, Parameter(negative="")] = False,
    scenario: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    series: str = "",
    promtool_path: Annotated[str, Parameter(name=["--promtool"])] = "",
    exit_zero: Annotated[bool, Parameter(negative="")] = False,
    output: _Output = "table",
) -> int:
    """Find what is wrong with rules: plain files, PrometheusRules, ConfigMaps. Exits with 1 if there are errors.

    Parameters
    ----------
    file
        The rules; `-` is stdin. Rules of one file may build on those of another.
    scrape
        What an exporter answers at /metrics, in a file: names that it lacks are told.
    scrape_interval
        How often Prometheus scrapes.
    replay
        Evaluate the rules with promtool on leaks and on what looks like one. A leak that no alert about growth sees,
        and an alarm about what is none, are errors.
    scenario
        Only these: leak-50, leak-500, flat, sawtooth, recycled-pool, deploy, restart, page-cache, day-and-night.
    series
        Replay these recorded readings (as `caulk judge` reads them) instead; its judgement is what alerts are held to.
    promtool_path
        promtool, if it is not in PATH.
    exit_zero
        Exit with 0 whatever is found.
    output
        table or json.

    """
    groups = [group for each in file for group in documents.read(_text(each), name=each)]
    step = seconds(scrape_interval)
    remarks = look_at(groups, scraped=_names(scrape), interval=step)
    found = None
    if replay or series:
        wanted = _recorded(series) if series else _scenarios(scenario)
        # Recordings may be days long.
        often = max(step, 60) if series else step
        found = judging.replay(groups, tool=promtool.find(promtool_path), scenarios=wanted, step=often, tell=_tell)
    if output == "json":
        show_record(_record(remarks, found))
    else:
        _show(remarks, found)
    is_wrong = any(each.severity == "error" for each in remarks) or bool(
        found and (found.unheard or found.false_alarms)
    )
    return int(is_wrong and not exit_zero)


def _scenarios(names: tuple[str, ...]) -> list[Scenario]:
    known = [each.name for each in SCENARIOS]
    if strange := sorted(set(names) - set(known)):
        raise UsageError(f"no scenario is called {', '.join(strange)}", hint="Scenarios: " + ", ".join(known))
    return [each for each in SCENARIOS if not names or each.name in names]


def _recorded(file: str) -> list[Scenario]:
    histories = readings.read(file, warn=lambda text: print(f"caulk: {file}: {text}", file=sys.stderr))
    judged = {each.name: each for each in judge(histories)}
    found = [made for each in histories if (made := recorded.scenario(each, judged[each.name]))]
    if not found:
        raise UsageError(f"{file}: of no series can it be told whether it leaks", hint="`caulk judge` says why.")
    return found


def _tell(scenario: str) -> None:
    print(f"caulk: replaying {scenario}", file=sys.stderr)


def _show(remarks: list[Remark], found: judging.Replay | None) -> None:
    headings = tuple(Heading(each, each) for each in ("severity", "line", "rule", "check", "what", "write"))
    rows = [(each.severity, str(each.line), each.rule, each.check, each.says, each.fix) for each in remarks]
    counts = ", ".join(f"{sum(each.severity == s for each in remarks)} {s}s" for s in SEVERITIES)
    show(Table("audit", headings, rows, notes=(counts,)), "table")
    if found is None:
        return
    headings = tuple(Heading(each, each) for each in ("scenario", "leaks", "alert", "verdict", "after", "for"))
    told = [each for each in found.outcomes if each.first_s is not None or each.verdict == "silent"]
    lines = [
        (
            each.scenario,
            "yes" if each.is_leak else "no",
            each.alert,
            each.verdict,
            "" if each.first_s is None else format_duration(each.first_s),
            format_duration(each.firing_s) if each.firing_s else "",
        )
        for each in told
    ]
    print()
    show(Table("replay", headings, lines, notes=tuple(_conclusions(found))), "table")


def _conclusions(found: judging.Replay) -> list[str]:
    false = sorted({each.scenario for each in found.false_alarms})
    said = [f"No alert about growth fires on: {', '.join(found.unheard)}."] if found.unheard else []
    said += [f"Alerts about growth fire where nothing leaks: {', '.join(false)}."] if false else []
    said += [f"Not known, and left empty: {', '.join(found.strange)}."] if found.strange else []
    return said or ["Every leak is seen, and nothing else."]


def _record(remarks: list[Remark], found: judging.Replay | None) -> dict[str, Any]:
    record: dict[str, Any] = {"schema": SCHEMA, "remarks": [asdict(each) for each in remarks]}
    if found is not None:
        record["replay"] = {
            "outcomes": [asdict(each) for each in found.outcomes],
            "unheard": found.unheard,
            "false_alarms": sorted({each.scenario for each in found.false_alarms}),
            "unknown_metrics": found.strange,
        }
    return record


def _window(said: str) -> int:
    span = int(seconds(said))
    if span < 6:
        raise UsageError(f"{said} is too short to see growth in", hint="Write 1h or 3h.")
    return span


def _labels(said: tuple[str, ...]) -> dict[str, str]:
    pairs = [each.partition("=") for each in said]
    if wrong := [each for each, (name, equals, _) in zip(said, pairs, strict=True) if not (name and equals)]:
        raise UsageError(f"--label {wrong[0]} is no NAME=VALUE", hint="--label team=shop")
    return {name: value for name, _, value in pairs}


def _names(scrape: str) -> frozenset[str]:
    """The names in an answer of /metrics."""
    lines = _text(scrape).splitlines() if scrape else []
    return frozenset(line.split("{")[0].split()[0] for line in lines if line.strip() and not line.startswith("#"))


def _text(file: str) -> str:
    try:
        return sys.stdin.read() if file == STDIN else Path(file).read_text("utf-8")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{file} is not text") from None


def _put(text: str, out: str) -> None:
    if not out:
        sys.stdout.write(text)
        return
    try:
        Path(out).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}") from None
