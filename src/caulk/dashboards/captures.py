"""What caulk itself does: judgements, captures, incidents and what is still owed, from the loop's own metrics."""

from caulk.dashboards.panel import Dashboard, Panel, Query, Section, Variable
from caulk.model import metrics as m

_WHERE = 'workload=~"$workload", runtime=~"$runtime"'
_NONE_YET = "nothing was captured yet"

JUDGEMENTS = Section(
    "Judgements",
    (
        Panel(
            "Workloads by state",
            "How many are steady, warming, suspect, leaking, undersized, or not known yet.",
            (Query(f"sum by (state) ({m.TARGET_STATE.name}{{{_WHERE}}})", "{{state}}"),),
            kind="stacked",
        ),
        Panel(
            "Not well",
            "Workloads that are suspect, leaking or undersized now.",
            (
                Query(
                    f'{m.TARGET_STATE.name}{{state=~"suspect|leaking|undersized", {_WHERE}}} == 1',
                    "{{workload}} {{state}}",
                    rare="where all is well the list is empty",
                ),
            ),
            kind="table",
        ),
        Panel(
            "Growth",
            "Bytes an hour by which the floor of each workload rises, as judged: with restarts, deploys and "
            "collections taken into account.",
            (Query(f"{m.TARGET_GROWTH.name}{{{_WHERE}}}", "{{workload}}"),),
            "bytes",
            axis="per hour",
            warn=10 << 20,
            bad=50 << 20,
            signed=True,
        ),
        Panel(
            "Time to the limit",
            "Until the first replica is there. Below an hour: see below whether it was captured.",
            (
                Query(
                    f"{m.TARGET_SECONDS_TO_LIMIT.name}{{{_WHERE}}}",
                    "{{workload}}",
                    rare="only a workload that grows and has a limit has a time to it",
                ),
            ),
            "s",
            warn=86400,
            bad=3600,
        ),
        Panel(
            "Memory by replica",
            "What was read last: resident, anonymous, the runtime's heap.",
            (
                Query(
                    f"{m.TARGET_MEMORY.name}{{{_WHERE}}}",
                    "{{workload}} {{replica}} {{measure}}",
                ),
            ),
            "bytes",
        ),
        Panel(
            "Share of the limit",
            "Resident memory of each replica over its limit.",
            (
                Query(
                    f'{m.TARGET_MEMORY.name}{{measure="rss", {_WHERE}}} / on (workload, replica) '
                    f"{m.TARGET_LIMIT.name}{{{_WHERE}}}",
                    "{{workload}} {{replica}}",
                ),
            ),
            "percentunit",
            warn=0.8,
            bad=0.95,
        ),
    ),
)

CAPTURES = Section(
    "Captures and incidents",
    (
        Panel(
            "Captures in an hour",
            "By how they ended. `refused` is a guard that did its work: there was no room, or the pause would"
            " have been too long; `failed` wants a look at `caulk doctor`.",
            (Query(f"sum by (outcome) (increase({m.CAPTURES.name}{{{_WHERE}}}[1h]))", "{{outcome}}"),),
            kind="bars",
        ),
        Panel(
            "Captures by workload",
            "Since the loop began.",
            (Query(f"sum by (workload, outcome) ({m.CAPTURES.name}{{{_WHERE}}})", "{{workload}} {{outcome}}"),),
            kind="table",
        ),
        Panel(
            "Time of a capture",
            "Half and 95 of 100 are done sooner.",
            (
                Query(
                    f"histogram_quantile(0.5, sum by (le, runtime) (increase({m.CAPTURE_DURATION.name}_bucket[1d])))",
                    "{{runtime}} p50",
                ),
                Query(
                    f"histogram_quantile(0.95, sum by (le, runtime) (increase({m.CAPTURE_DURATION.name}_bucket[1d])))",
                    "{{runtime}} p95",
                ),
            ),
            "s",
        ),
        Panel(
            "Incidents in an hour",
            "By rule. Many of one rule for one workload: its cooldown is too short.",
            (
                Query(
                    f'sum by (workload, rule) (increase({m.INCIDENTS.name}{{workload=~"$workload"}}[1h]))',
                    "{{workload}} {{rule}}",
                ),
            ),
            kind="bars",
        ),
    ),
)

LOOP = Section(
    "The loop",
    (
        Panel(
            "Owed",
            "Actions and notifications that are written down and not done. A line that does not come back to "
            "0 is a receiver that does not answer.",
            (Query(f"sum by (action) ({m.OUTBOX_PENDING.name})", "{{action}}"),),
            warn=10,
            bad=100,
        ),
        Panel(
            "Readings",
            "Taken a second, by source. Where this falls, judgements grow old.",
            (Query(f"sum by (source) (rate({m.READINGS.name}[$__rate_interval]))", "{{source}}"),),
            "ops",
        ),
        Panel(
            "Readings that failed",
            "Share of those that were due.",
            (
                Query(
                    f"sum by (source) (rate({m.READING_ERRORS.name}[$__rate_interval])) / "
                    f"(sum by (source) (rate({m.READINGS.name}[$__rate_interval])) + "
                    f"sum by (source) (rate({m.READING_ERRORS.name}[$__rate_interval])))",
                    "{{source}}",
                ),
            ),
            "percentunit",
            warn=0.05,
            bad=0.5,
        ),
        Panel(
            "Disk",
            "What captures, history and incidents take.",
            (Query(f"sum by (part) ({m.STORE.name})", "{{part}}"),),
            "bytes",
            "stacked",
        ),
        Panel(
            "Metrics endpoints",
            "HTTP status with and without credentials. Well is 200 with and 401 without; 401 with is a wrong "
            "secret, 500 one that is not set, 200 without an endpoint that is open to all, 0 nobody there.",
            (
                Query(
                    f'{m.ENDPOINT_HTTP_STATUS.name}{{workload=~"$workload"}}',
                    "{{endpoint}} {{credentials}} credentials",
                ),
            ),
            kind="table",
            width=24,
        ),
    ),
)

DASHBOARD = Dashboard(
    "captures",
    "Captures and judgements",
    "What the loop of caulk sees, says and does.",
    "caulk watch",
    "https://prometheus.io/docs/practices/naming/",
    (
        Variable("workload", "Workload", f"label_values({m.TARGET_STATE.name}, workload)"),
        Variable("runtime", "Runtime", f"label_values({m.TARGET_STATE.name}, runtime)"),
    ),
    (JUDGEMENTS, CAPTURES, LOOP),
)
