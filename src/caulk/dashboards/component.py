"""Any component that names its metrics PREFIX_latency_seconds, PREFIX_inflight_requests and PREFIX_status.

That is the habit of the Go programs whose recorders have an `action` and a `status` label; the prefix is given when the
dashboard is written, or chosen in Grafana.
"""

from caulk.dashboards.panel import Dashboard, Panel, Query, Section, Variable, quantile, scraped

_CALLS = "rate(<prefix>_latency_seconds_count{<where>}[$__rate_interval])"
_FAILED = 'rate(<prefix>_latency_seconds_count{status!="success", <where>}[$__rate_interval])'
_TIME = "rate(<prefix>_latency_seconds_sum{<where>}[$__rate_interval])"
_NO_STATUS = "not every component counts its parts by status"

PANELS = Section(
    "Component",
    (
        Panel(
            "Calls",
            "By action and outcome.",
            (Query(f"sum by (action, status) ({_CALLS})", "{{action}} {{status}}"),),
            "ops",
        ),
        Panel(
            "Share of failures",
            "Calls that did not succeed, by action.",
            (Query(f"sum by (action) ({_FAILED}) / sum by (action) ({_CALLS})", "{{action}}"),),
            "percentunit",
            warn=0.01,
            bad=0.05,
        ),
        Panel(
            "Latency",
            "Half and 99 of 100 calls are faster than this. Above the last bucket the figure stands still: "
            "then look at the mean.",
            (
                Query(quantile(0.5, "<prefix>_latency_seconds", "action"), "{{action}} p50"),
                Query(quantile(0.99, "<prefix>_latency_seconds", "action"), "{{action}} p99"),
            ),
            "s",
        ),
        Panel(
            "Mean latency",
            "Time spent over calls made.",
            (Query(f"sum by (action) ({_TIME}) / sum by (action) ({_CALLS})", "{{action}}"),),
            "s",
        ),
        Panel(
            "In flight",
            "Calls that have begun and not ended, by action. A line that only rises is calls that hang, with "
            "all they hold.",
            (Query("sum by (action) (<prefix>_inflight_requests{<where>})", "{{action}}"),),
        ),
        Panel(
            "Status",
            "What the component counts by status: watchers that failed, cleaners that run.",
            (
                Query(
                    'sum by (__name__, status) ({__name__=~"<prefix>(_status)?", <where>})',
                    "{{status}}",
                    rare=_NO_STATUS,
                ),
            ),
        ),
    ),
)

DASHBOARD = Dashboard(
    "component",
    "Component",
    "Calls, failures, latency and requests in flight of one component of a program, by the prefix of its metrics.",
    "the component",
    "https://prometheus.io/docs/practices/naming/",
    (
        Variable(
            "component",
            "Component",
            'label_values({__name__=~".+_latency_seconds_count"}, __name__)',
            regex="/(.+)_latency_seconds_count/",
            is_many=False,
        ),
        *scraped("<prefix>_latency_seconds_count"),
    ),
    (PANELS,),
)
