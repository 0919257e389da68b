"""Node.js: the default metrics of prom-client."""

from caulk.dashboards.panel import WINDOW, Dashboard, Panel, Query, Section, among, growth, rate, scraped

_POD = "{{<pod>}} {{<container>}}"
_MARK = "nodejs_version_info"


def _of(metric: str, what: str = "") -> Query:
    return Query(f"{metric}{{<where>}}", f"{_POD} {what}".strip())


MEMORY = Section(
    "Memory",
    (
        Panel(
            "Growth of the heap floor",
            "Bytes an hour by which the lowest heap of each ten minutes rises. Above 10 MB/h look, above 50 "
            "MB/h take a heap snapshot while there is room for it: it needs as much again.",
            (Query(growth("nodejs_heap_size_used_bytes{<where>}"), _POD),),
            "bytes",
            axis="per hour",
            warn=10 << 20,
            bad=50 << 20,
            signed=True,
        ),
        Panel(
            "Heap",
            "Used by JavaScript, and reserved for it. Used near --max-old-space-size ends in `heap out of memory`.",
            (_of("nodejs_heap_size_used_bytes", "used"), _of("nodejs_heap_size_total_bytes", "reserved")),
            "bytes",
        ),
        Panel(
            "Memory of the process",
            "What the kernel counts, the heap, and buffers that hang on JavaScript objects outside of the "
            "heap. Growth of the first alone is native: an add-on, or malloc that does not give back.",
            (
                Query(among("process_resident_memory_bytes{<where>}", _MARK), f"{_POD} resident"),
                _of("nodejs_heap_size_total_bytes", "heap"),
                _of("nodejs_external_memory_bytes", "buffers"),
            ),
            "bytes",
        ),
        Panel(
            "Growth of buffers",
            "Bytes an hour by which the floor of memory outside of the heap rises: Buffers and ArrayBuffers "
            "that are kept.",
            (Query(growth("nodejs_external_memory_bytes{<where>}"), _POD),),
            "bytes",
            axis="per hour",
            warn=10 << 20,
            bad=50 << 20,
            signed=True,
        ),
        Panel(
            "Heap by space",
            "A leak is in `old` or `large_object`; `new` is what was just made; `code` grows with generated functions.",
            (Query("nodejs_heap_space_size_used_bytes{<where>}", f"{_POD} {{{{space}}}}"),),
            "bytes",
        ),
    ),
)

HANDLES = Section(
    "Handles and collection",
    (
        Panel(
            "Active handles",
            "Sockets, timers, watchers. A line that only rises is connections or timers that nobody closes.",
            (_of("nodejs_active_handles_total", "handles"), _of("nodejs_active_requests_total", "requests")),
        ),
        Panel(
            "What keeps the loop alive",
            "By type of resource.",
            (Query("sum by (<pod>, type) (nodejs_active_resources{<where>})", "{{<pod>}} {{type}}"),),
        ),
        Panel(
            "Share of time in collection",
            "By kind. Much `major` means that the heap is near its limit.",
            (
                Query(
                    rate("nodejs_gc_duration_seconds_sum", "<pod>, <container>, kind"),
                    f"{_POD} {{{{kind}}}}",
                ),
            ),
            "percentunit",
            warn=0.1,
            bad=0.5,
        ),
        Panel(
            "Event loop delay",
            "99 of 100 turns of the loop come sooner than this. It grows with collections, and with a "
            "snapshot being taken.",
            (_of("nodejs_eventloop_lag_p99_seconds", "p99"), _of("nodejs_eventloop_lag_mean_seconds", "mean")),
            "s",
        ),
        Panel(
            "Open files",
            "Descriptors against their limit.",
            (Query(among("process_open_fds{<where>} / process_max_fds{<where>}", _MARK), _POD),),
            "percentunit",
            warn=0.7,
            bad=0.9,
        ),
        Panel(
            "Age of the process",
            "Falls to nothing at a restart.",
            (Query(among("(time() - process_start_time_seconds{<where>})", _MARK), _POD),),
            "s",
        ),
    ),
)

DASHBOARD = Dashboard(
    "node",
    "Node.js",
    "Heap, buffers, handles and collections of Node.js programs.",
    "prom-client",
    "https://github.com/siimon/prom-client#default-metrics",
    (*scraped("nodejs_heap_size_used_bytes"), WINDOW),
    (MEMORY, HANDLES),
)
