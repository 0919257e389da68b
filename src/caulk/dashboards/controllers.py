"""Kubernetes controllers: controller-runtime's reconciler, its work queues and its calls of the API server."""

from caulk.dashboards.panel import WINDOW, Dashboard, Panel, Query, Section, among, growth, quantile, rate, scraped

_POD = "{{<pod>}} {{<container>}}"
_CONTROLLER = "controller_runtime_active_workers"

RECONCILING = Section(
    "Reconciling",
    (
        Panel(
            "Reconciliations",
            "By result. A controller that requeues without end is busy with nothing, and allocates while it is.",
            (
                Query(
                    rate("controller_runtime_reconcile_total", "controller, result"),
                    "{{controller}} {{result}}",
                ),
            ),
            "ops",
        ),
        Panel(
            "Errors",
            "Reconciliations that failed, those that are not tried again, and panics that were caught.",
            (
                Query(
                    rate("controller_runtime_reconcile_errors_total", "controller"),
                    "{{controller}}",
                ),
                Query(
                    rate("controller_runtime_terminal_reconcile_errors_total", "controller"),
                    "{{controller}} terminal",
                ),
                Query(
                    rate("controller_runtime_reconcile_panics_total", "controller"),
                    "{{controller}} panics",
                ),
            ),
            "ops",
        ),
        Panel(
            "Time to reconcile",
            "Half and 99 of 100 reconciliations are faster than this.",
            (
                Query(quantile(0.5, "controller_runtime_reconcile_time_seconds", "controller"), "{{controller}} p50"),
                Query(quantile(0.99, "controller_runtime_reconcile_time_seconds", "controller"), "{{controller}} p99"),
            ),
            "s",
        ),
        Panel(
            "Workers in use",
            "Workers busy, of those there are. At 1 for long, the queue grows behind them.",
            (
                Query(
                    "sum by (controller) (controller_runtime_active_workers{<where>}) / "
                    "sum by (controller) (controller_runtime_max_concurrent_reconciles{<where>})",
                    "{{controller}}",
                ),
            ),
            "percentunit",
            warn=0.8,
            bad=1,
        ),
    ),
)

QUEUES = Section(
    "Work queues",
    (
        Panel(
            "Depth",
            "What waits. Each entry is memory, and a queue that is not drained is a leak with a name.",
            (Query("sum by (name) (workqueue_depth{<where>})", "{{name}}"),),
        ),
        Panel(
            "Added and tried again",
            "What comes in, and what comes back.",
            (
                Query(rate("workqueue_adds_total", "name"), "{{name}} added"),
                Query(rate("workqueue_retries_total", "name"), "{{name}} again"),
            ),
            "ops",
        ),
        Panel(
            "Time in the queue (p99)",
            "How long work waits before a worker takes it.",
            (Query(quantile(0.99, "workqueue_queue_duration_seconds", "name"), "{{name}}"),),
            "s",
        ),
        Panel(
            "Time of work (p99)",
            "How long a worker needs for it.",
            (Query(quantile(0.99, "workqueue_work_duration_seconds", "name"), "{{name}}"),),
            "s",
        ),
        Panel(
            "Longest work now",
            "How long the slowest worker has been at it. A line that rises by a second each second is a "
            "worker that hangs.",
            (Query("max by (name) (workqueue_longest_running_processor_seconds{<where>})", "{{name}}"),),
            "s",
            warn=60,
            bad=600,
        ),
        Panel(
            "Unfinished work",
            "Seconds of work begun and not ended, over all workers.",
            (Query("sum by (name) (workqueue_unfinished_work_seconds{<where>})", "{{name}}"),),
            "s",
        ),
    ),
)

AROUND = Section(
    "API server and memory",
    (
        Panel(
            "Calls of the API server",
            "By status. 429 is throttling; lists in place of watches are large answers in memory.",
            (
                Query(
                    rate("rest_client_requests_total", "method, code"),
                    "{{method}} {{code}}",
                ),
            ),
            "reqps",
        ),
        Panel(
            "Heap",
            "The caches of watched objects are here: memory that grows with the number of objects in the "
            "cluster is no leak.",
            (
                Query(among("go_memstats_heap_alloc_bytes{<where>}", _CONTROLLER), _POD),
                Query(among("process_resident_memory_bytes{<where>}", _CONTROLLER), f"{_POD} resident"),
            ),
            "bytes",
        ),
        Panel(
            "Growth of the heap floor",
            "Bytes an hour by which the lowest heap of each ten minutes rises.",
            (Query(among(growth("go_memstats_heap_alloc_bytes{<where>}"), _CONTROLLER), _POD),),
            "bytes",
            axis="per hour",
            warn=10 << 20,
            bad=50 << 20,
            signed=True,
        ),
        Panel(
            "Goroutines",
            "One more for each watch that is not stopped.",
            (Query(among("go_goroutines{<where>}", _CONTROLLER), _POD),),
        ),
    ),
)

DASHBOARD = Dashboard(
    "controllers",
    "Kubernetes controllers",
    "Reconciliations, work queues and memory of programs made with controller-runtime (kubebuilder, Flux, operators).",
    "controller-runtime",
    "https://book.kubebuilder.io/reference/metrics-reference",
    (*scraped("controller_runtime_reconcile_total"), WINDOW),
    (RECONCILING, QUEUES, AROUND),
)
