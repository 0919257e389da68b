"""The Go runtime: what client_golang's Go and process collectors tell."""

from caulk.dashboards.panel import WINDOW, Dashboard, Panel, Query, Section, among, growth, scraped

_POD = "{{<pod>}} {{<container>}}"


def _of(metric: str, what: str = "") -> Query:
    return Query(f"{metric}{{<where>}}", f"{_POD} {what}".strip())


def _process(metric: str, what: str = "") -> Query:
    return Query(among(f"{metric}{{<where>}}", "go_info"), f"{_POD} {what}".strip())


MEMORY = Section(
    "Memory",
    (
        Panel(
            "Live objects",
            "Objects allocated and not yet freed. A line that never comes back after a collection is a leak "
            "of objects; one that is flat while memory grows points at few large buffers, goroutine stacks or"
            " memory beside the heap.",
            (Query("go_memstats_mallocs_total{<where>} - go_memstats_frees_total{<where>}", _POD),),
        ),
        Panel(
            "Growth of the heap floor",
            "Bytes an hour by which the lowest heap of each ten minutes rises: what collections could not "
            "free. Above 10 MB/h look, above 50 MB/h take a heap profile now.",
            (Query(growth("go_memstats_heap_alloc_bytes{<where>}"), _POD),),
            "bytes",
            axis="per hour",
            warn=10 << 20,
            bad=50 << 20,
            signed=True,
        ),
        Panel(
            "Heap",
            "`alloc` is live objects and garbage, `inuse` the spans that hold them, `idle` spans kept for "
            "later, of which `released` are with the kernel again; `sys` is what was ever reserved. A leak "
            "raises alloc and inuse together; inuse far above alloc is fragmentation; idle far above released"
            " is memory that was not given back.",
            (
                _of("go_memstats_heap_alloc_bytes", "alloc"),
                _of("go_memstats_heap_inuse_bytes", "inuse"),
                _of("go_memstats_heap_idle_bytes", "idle"),
                _of("go_memstats_heap_released_bytes", "released"),
                _of("go_memstats_heap_sys_bytes", "sys"),
            ),
            "bytes",
        ),
        Panel(
            "Memory of the process",
            "What the kernel counts against the limit, and what the runtime asked for less what it returned. "
            "Where the first grows and the second does not, the leak is in C code (cgo) or in mappings.",
            (
                _process("process_resident_memory_bytes", "resident"),
                Query(
                    "go_memstats_sys_bytes{<where>} - go_memstats_heap_released_bytes{<where>}",
                    f"{_POD} of the Go runtime",
                ),
                _of("go_memstats_sys_bytes", "ever reserved"),
            ),
            "bytes",
        ),
        Panel(
            "Where the runtime's memory is",
            "Adds up what the runtime holds. Stacks that grow are goroutines that do not end.",
            (
                _of("go_memstats_heap_inuse_bytes", "heap"),
                _of("go_memstats_stack_inuse_bytes", "stacks"),
                _of("go_memstats_mspan_inuse_bytes", "span structures"),
                _of("go_memstats_mcache_inuse_bytes", "thread caches"),
                _of("go_memstats_gc_sys_bytes", "collector"),
                _of("go_memstats_buck_hash_sys_bytes", "profiling tables"),
                _of("go_memstats_other_sys_bytes", "other"),
            ),
            "bytes",
            "stacked",
        ),
        Panel(
            "Not given back",
            "`idle` is free and not returned to the kernel, `fragmented` is free within spans in use. Neither"
            " is a leak, both count against the limit; GOMEMLIMIT makes the runtime return the first.",
            (
                Query(
                    "go_memstats_heap_idle_bytes{<where>} - go_memstats_heap_released_bytes{<where>}", f"{_POD} idle"
                ),
                Query(
                    "go_memstats_heap_inuse_bytes{<where>} - go_memstats_heap_alloc_bytes{<where>}",
                    f"{_POD} fragmented",
                ),
            ),
            "bytes",
        ),
    ),
)

GOROUTINES = Section(
    "Goroutines and handles",
    (
        Panel(
            "Goroutines",
            "A line that only rises is goroutines waiting for what never comes; each keeps its stack and all "
            "it refers to. The goroutine profile names where they wait.",
            (_of("go_goroutines"),),
        ),
        Panel(
            "Growth of goroutines",
            "Goroutines an hour by which the floor rises.",
            (Query(growth("go_goroutines{<where>}"), _POD),),
            axis="per hour",
            warn=100,
            bad=1000,
            signed=True,
        ),
        Panel(
            "Threads",
            "Operating system threads; they grow with blocking calls and with cgo, and are never given back.",
            (_of("go_threads"),),
        ),
        Panel(
            "Open files",
            "Descriptors against their limit: connections that are not closed show here before they show in memory.",
            (Query(among("process_open_fds{<where>} / process_max_fds{<where>}", "go_info"), _POD),),
            "percentunit",
            warn=0.7,
            bad=0.9,
        ),
    ),
)

COLLECTION = Section(
    "Allocation and collection",
    (
        Panel(
            "Allocated bytes",
            "How fast memory is asked for. High and steady is load, not a leak.",
            (Query("rate(go_memstats_alloc_bytes_total{<where>}[$__rate_interval])", _POD),),
            "Bps",
        ),
        Panel(
            "Allocated objects",
            "Objects a second; the collector's work grows with it.",
            (Query("rate(go_memstats_mallocs_total{<where>}[$__rate_interval])", _POD),),
            "ops",
        ),
        Panel(
            "Collections",
            "Collections a second. More and more of them at the same load means that the heap is close to GOMEMLIMIT.",
            (Query("rate(go_gc_duration_seconds_count{<where>}[$__rate_interval])", _POD),),
            "ops",
        ),
        Panel(
            "Pauses",
            "The longest and the median pause of the latest collections.",
            (
                Query('go_gc_duration_seconds{quantile="1", <where>}', f"{_POD} longest"),
                Query('go_gc_duration_seconds{quantile="0.5", <where>}', f"{_POD} median"),
            ),
            "s",
        ),
        Panel(
            "Share of time in pauses",
            "Part of each second that the program stood still.",
            (Query("rate(go_gc_duration_seconds_sum{<where>}[$__rate_interval])", _POD),),
            "percentunit",
            warn=0.01,
            bad=0.05,
        ),
        Panel(
            "Next collection",
            "The heap at which the next collection begins, and GOMEMLIMIT. Where the first meets the second "
            "the program collects without end. A limit of 8 EiB is none.",
            (_of("go_memstats_next_gc_bytes", "next"), _of("go_gc_gomemlimit_bytes", "GOMEMLIMIT")),
            "bytes",
        ),
        Panel(
            "Since the last collection",
            "The runtime collects at least every two minutes. More than that: it is stopped, or not scheduled.",
            (Query("time() - go_memstats_last_gc_time_seconds{<where>}", _POD),),
            "s",
            warn=150,
            bad=600,
        ),
        Panel(
            "Age of the process",
            "Falls to nothing at a restart; growth before and after one are two stories.",
            (Query(among("(time() - process_start_time_seconds{<where>})", "go_info"), _POD),),
            "s",
        ),
    ),
)

DASHBOARD = Dashboard(
    "go",
    "Go runtime",
    "Heap, goroutines and collections of Go programs.",
    "client_golang",
    "https://pkg.go.dev/runtime#MemStats",
    (*scraped("go_memstats_heap_alloc_bytes"), WINDOW),
    (MEMORY, GOROUTINES, COLLECTION),
)
