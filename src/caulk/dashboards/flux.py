"""Flux: its controllers' reconciliations, and the state of its objects from kube-state-metrics.

`gotk_resource_info` is made by kube-state-metrics from the configuration that Flux publishes for it
(https://fluxcd.io/flux/monitoring/metrics/); controllers themselves tell durations.
"""

from caulk.dashboards.panel import WINDOW, Dashboard, Panel, Query, Section, among, growth, rate, scraped

_MARK = "gotk_reconcile_duration_seconds_count"
_POD = "{{<pod>}} {{<container>}}"
_KIND = "rate(gotk_reconcile_duration_seconds{part}{{<where>}}[$__rate_interval])"

OBJECTS = Section(
    "Objects",
    (
        Panel(
            "Not ready",
            "Sources, Kustomizations and Helm releases that could not be brought about.",
            (
                Query(
                    'sum by (customresource_kind, exported_namespace, name) (gotk_resource_info{ready!="True"})',
                    "{{customresource_kind}} {{exported_namespace}}/{{name}}",
                    rare="where all is well the list is empty",
                ),
            ),
            kind="table",
        ),
        Panel(
            "Objects by kind",
            "The caches of the controllers grow with them.",
            (
                Query(
                    "sum by (customresource_kind, ready) (gotk_resource_info)",
                    "{{customresource_kind}} ready: {{ready}}",
                ),
            ),
            kind="stacked",
        ),
    ),
)

RECONCILING = Section(
    "Reconciling",
    (
        Panel(
            "Reconciliations by kind",
            "How often each kind is looked at.",
            (Query(f"sum by (kind) ({_KIND.format(part='_count')})", "{{kind}}"),),
            "ops",
        ),
        Panel(
            "Time to reconcile",
            "Half and 99 of 100 are done sooner. An artifact that is large is held in memory while it is unpacked.",
            (
                Query(f"histogram_quantile(0.5, sum by (le, kind) ({_KIND.format(part='_bucket')}))", "{{kind}} p50"),
                Query(f"histogram_quantile(0.99, sum by (le, kind) ({_KIND.format(part='_bucket')}))", "{{kind}} p99"),
            ),
            "s",
        ),
        Panel(
            "Slowest objects",
            "Mean time of the ten that take longest.",
            (
                Query(
                    f"topk(10, sum by (kind, name) ({_KIND.format(part='_sum')}) / "
                    f"sum by (kind, name) ({_KIND.format(part='_count')}))",
                    "{{kind}} {{name}}",
                ),
            ),
            "s",
        ),
        Panel(
            "Errors",
            "Reconciliations that failed, by controller.",
            (
                Query(
                    among(
                        rate("controller_runtime_reconcile_errors_total", "job, instance, controller"),
                        _MARK,
                    ),
                    "{{controller}}",
                ),
            ),
            "ops",
        ),
    ),
)

CONTROLLERS = Section(
    "Controllers",
    (
        Panel(
            "Queue depth",
            "What waits to be reconciled.",
            (Query(among("workqueue_depth{<where>}", _MARK), "{{<pod>}} {{name}}"),),
        ),
        Panel(
            "Heap",
            "In use by Go, and what the kernel counts.",
            (
                Query(among("go_memstats_heap_inuse_bytes{<where>}", _MARK), f"{_POD} heap"),
                Query(among("process_resident_memory_bytes{<where>}", _MARK), f"{_POD} resident"),
            ),
            "bytes",
        ),
        Panel(
            "Growth of the heap floor",
            "Bytes an hour by which the lowest heap of each ten minutes rises.",
            (Query(among(growth("go_memstats_heap_alloc_bytes{<where>}"), _MARK), _POD),),
            "bytes",
            axis="per hour",
            warn=10 << 20,
            bad=50 << 20,
            signed=True,
        ),
        Panel(
            "Calls of the API server",
            "By status; 429 is throttling.",
            (
                Query(
                    among(
                        rate("rest_client_requests_total", "job, instance, method, code"),
                        _MARK,
                    ),
                    "{{method}} {{code}}",
                ),
            ),
            "reqps",
        ),
    ),
)

DASHBOARD = Dashboard(
    "flux",
    "Flux",
    "Objects that are not ready, reconciliations and memory of Flux's controllers.",
    "Flux and kube-state-metrics",
    "https://fluxcd.io/flux/monitoring/metrics/",
    (*scraped("gotk_reconcile_duration_seconds_count"), WINDOW),
    (OBJECTS, RECONCILING, CONTROLLERS),
)
