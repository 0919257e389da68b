"""The first page at night: who grows, who is near the limit, who was killed, and whether the figures can be trusted."""

from caulk.dashboards import kubernetes as k
from caulk.dashboards.panel import Dashboard, Panel, Query, Section
from caulk.model import metrics as m

_POD = "{{namespace}}/{{pod}} {{container}}"
_KILLED = f'kube_pod_container_status_last_terminated_reason{{reason="OOMKilled", {k.CONTAINERS}}}'
_BAD = f'{m.TARGET_STATE.name}{{state="leaking"}}'

NOW = Section(
    "Now",
    (
        Panel(
            "Leaking",
            "Workloads that caulk's loop judges to be leaking.",
            (Query(f"sum({_BAD})"),),
            kind="stat",
            bad=1,
            width=6,
            height=4,
        ),
        Panel(
            "Undersized",
            "Workloads that do not grow and are at their limit: give more, or set the runtime's own limit.",
            (Query(f'sum({m.TARGET_STATE.name}{{state="undersized"}})'),),
            kind="stat",
            warn=1,
            width=6,
            height=4,
        ),
        Panel(
            "Killed for memory",
            "Containers whose last end was the kernel's kill.",
            (Query(f"sum({_KILLED}) or vector(0)"),),
            kind="stat",
            bad=1,
            width=6,
            height=4,
        ),
        Panel(
            "Not scraped",
            "Targets that do not answer Prometheus: down, or the credentials are wrong. Nothing below is "
            "known of them.",
            (Query("count(up == 0) or vector(0)"),),
            kind="stat",
            bad=1,
            width=6,
            height=4,
        ),
        Panel(
            "Soonest at the limit",
            "Until the limit if growth goes on: what caulk says, then what the plain slope of containers says.",
            (
                Query(
                    f"bottomk(10, {m.TARGET_SECONDS_TO_LIMIT.name})",
                    "{{workload}}",
                    rare="only a workload that grows and has a limit has a time to it",
                ),
                Query(f"bottomk(10, {k.TIME_TO_LIMIT})", _POD, rare="only containers that grow and have a limit"),
            ),
            "s",
            warn=86400,
            bad=3600,
        ),
        Panel(
            "Fastest growth",
            "Bytes an hour by which floors rise: as judged, then as the plain slope of anonymous memory.",
            (
                Query(f"topk(10, {m.TARGET_GROWTH.name})", "{{workload}}"),
                Query(f"topk(10, {k.GROWTH})", _POD),
            ),
            "bytes",
            axis="per hour",
            warn=10 << 20,
            bad=50 << 20,
            signed=True,
        ),
    ),
)

FLEET = Section(
    "Fleet",
    (
        Panel(
            "Nearest to the limit",
            "Working set over limit of the ten fullest containers.",
            (Query(f"topk(10, {k.WORKING_SET} / {k.LIMIT})", _POD),),
            "percentunit",
            warn=0.8,
            bad=0.95,
        ),
        Panel(
            "Memory by namespace",
            "Working sets together.",
            (Query(f"sum by (namespace) ({k.WORKING_SET})", "{{namespace}}"),),
            "bytes",
            "stacked",
        ),
        Panel(
            "Restarts in an hour",
            "The ten that restart most.",
            (
                Query(
                    "topk(10, sum by (namespace, pod, container) "
                    f"(increase(kube_pod_container_status_restarts_total{{{k.CONTAINERS}}}[1h])))",
                    _POD,
                ),
            ),
            kind="bars",
            warn=1,
            bad=3,
        ),
        Panel(
            "States",
            "Workloads by what caulk says of them.",
            (Query(f"sum by (state) ({m.TARGET_STATE.name})", "{{state}}"),),
            kind="stacked",
        ),
    ),
)

TRUST = Section(
    "Can this be trusted?",
    (
        Panel(
            "Targets that answer",
            "By job, of those there should be.",
            (Query("avg by (job) (up)", "{{job}}"),),
            "percentunit",
            warn=1,
            bad=0.9,
        ),
        Panel(
            "Metrics endpoints",
            "HTTP status that caulk gets with its credentials. 401: wrong secret; 500: none is set; 0: nobody there.",
            (
                Query(
                    f'max by (workload, endpoint) ({m.ENDPOINT_HTTP_STATUS.name}{{credentials="with"}})',
                    "{{workload}} {{endpoint}}",
                ),
            ),
            kind="table",
        ),
        Panel(
            "Captures in an hour",
            "By how they ended.",
            (Query(f"sum by (outcome) (increase({m.CAPTURES.name}[1h]))", "{{outcome}}"),),
            kind="bars",
        ),
        Panel(
            "Owed",
            "Actions and notifications of caulk that wait.",
            (Query(f"sum by (action) ({m.OUTBOX_PENDING.name})", "{{action}}"),),
            warn=10,
            bad=100,
        ),
    ),
)

DASHBOARD = Dashboard(
    "overview",
    "Memory overview",
    "Who grows, who is near the limit, who was killed, and whether the figures can be trusted.",
    "cAdvisor, kube-state-metrics and caulk watch",
    "https://github.com/google/cadvisor/blob/master/docs/storage/prometheus.md",
    k.CHOICES,
    (NOW, FLEET, TRUST),
)
