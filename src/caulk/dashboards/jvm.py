"""The JVM, as the JMX exporter's agent or client_java tells it, or Micrometer (Spring Boot's actuator).

Where the two name a thing differently, a query asks for both.
"""

from caulk.dashboards.panel import WINDOW, Dashboard, Panel, Query, Section, among, scraped

_POD = "{{<pod>}} {{<container>}}"
_EACH = "sum by (job, instance, <pod>, <container>)"
_HEAP = f'{_EACH} (jvm_memory_used_bytes{{area="heap", <where>}})'
_OLD = f'{_EACH} (jvm_memory_pool_collection_used_bytes{{pool=~".*(Old|Tenured).*", <where>}})'
_LIVE = f"({_OLD} or jvm_gc_live_data_size_bytes{{<where>}})"
_NO_HEAP_LIMIT = "> 0"


def _either(jmx: str, micrometer: str) -> str:
    return f"{jmx}{{<where>}} or {micrometer}{{<where>}}"


def _rate(jmx: str, micrometer: str, by: str = "") -> str:
    each = (f"rate({name}{{<where>}}[$__rate_interval])" for name in (jmx, micrometer))
    return f"sum by (job, instance, <pod>, <container>{by}) ({' or '.join(each)})"


HEAP = Section(
    "Heap",
    (
        Panel(
            "Live after collection",
            "The old generation as the latest collection left it. This is the line that shows a leak: saws do"
            " not matter, a floor that rises from tooth to tooth does.",
            (Query(_LIVE, _POD),),
            "bytes",
        ),
        Panel(
            "Growth of the heap floor",
            "Bytes an hour by which the lowest heap of each ten minutes rises. Above 10 MB/h look, above 50 "
            "MB/h take a class histogram now and a heap dump before the limit.",
            (Query(f"3600 * deriv(min_over_time(({_HEAP})[10m:])[$window:])", _POD),),
            "bytes",
            axis="per hour",
            warn=10 << 20,
            bad=50 << 20,
            signed=True,
        ),
        Panel(
            "Heap",
            "Used, committed by the kernel, and the most there may be (-Xmx or MaxRAMPercentage).",
            (
                Query(_HEAP, f"{_POD} used"),
                Query(f'{_EACH} (jvm_memory_committed_bytes{{area="heap", <where>}})', f"{_POD} committed"),
                Query(f'{_EACH} (jvm_memory_max_bytes{{area="heap", <where>}} {_NO_HEAP_LIMIT})', f"{_POD} most"),
            ),
            "bytes",
        ),
        Panel(
            "Live share of the heap",
            "What survives collection, of what there may be. Near 1 the JVM only collects, then throws "
            "OutOfMemoryError; if the line is high and level the heap is too small, if it rises there is a "
            "leak.",
            (
                Query(
                    f"{_LIVE} / on (job, instance, <pod>, <container>) "
                    f'{_EACH} (jvm_memory_max_bytes{{area="heap", <where>}} {_NO_HEAP_LIMIT})',
                    _POD,
                ),
            ),
            "percentunit",
            warn=0.75,
            bad=0.9,
        ),
        Panel(
            "Pools",
            "Each part of heap and beside it: the old generation, metaspace (class loaders that are kept), code.",
            (
                Query("jvm_memory_pool_used_bytes{<where>}", f"{_POD} {{{{pool}}}}"),
                Query('jvm_memory_used_bytes{id!="", <where>}', f"{_POD} {{{{id}}}}"),
            ),
            "bytes",
        ),
    ),
)

BESIDE = Section(
    "Beside the heap",
    (
        Panel(
            "Memory of the process",
            "What the kernel counts, and what the JVM has committed for heap, metaspace and code. The space "
            "between is threads, direct buffers and native code; if only that grows, a heap dump will show "
            "nothing.",
            (
                Query(among("process_resident_memory_bytes{<where>}", "jvm_memory_used_bytes"), f"{_POD} resident"),
                Query(f"{_EACH} (jvm_memory_committed_bytes{{<where>}})", f"{_POD} committed by the JVM"),
            ),
            "bytes",
        ),
        Panel(
            "Direct and mapped buffers",
            "Memory of ByteBuffers outside of the heap, freed only when their small owners in the heap are collected.",
            (
                Query(
                    f"sum by (<pod>, <container>, pool, id) "
                    f"({_either('jvm_buffer_pool_used_bytes', 'jvm_buffer_memory_used_bytes')})",
                    f"{_POD} {{{{pool}}}}{{{{id}}}}",
                ),
            ),
            "bytes",
        ),
        Panel(
            "Threads",
            "Each has a stack of a megabyte at most. A line that only rises is pools that are made and not shut down.",
            (Query(_either("jvm_threads_current", "jvm_threads_live_threads"), _POD),),
        ),
        Panel(
            "Threads by state",
            "Many that are blocked wait for one lock.",
            (Query(_either("jvm_threads_state", "jvm_threads_states_threads"), f"{_POD} {{{{state}}}}"),),
        ),
        Panel(
            "Classes",
            "Loaded now. Growth without end is class loaders that are kept, by redeploys or generated proxies.",
            (Query(_either("jvm_classes_currently_loaded", "jvm_classes_loaded_classes"), _POD),),
        ),
    ),
)

COLLECTION = Section(
    "Collection",
    (
        Panel(
            "Share of time in collection",
            "Part of each second spent collecting. Above a tenth the program is slow, above a half it is dying.",
            (
                Query(
                    _rate("jvm_gc_collection_seconds_sum", "jvm_gc_pause_seconds_sum"),
                    _POD,
                ),
            ),
            "percentunit",
            warn=0.1,
            bad=0.5,
        ),
        Panel(
            "Collections",
            "By collector. Full collections one after the other are the end.",
            (
                Query(
                    _rate("jvm_gc_collection_seconds_count", "jvm_gc_pause_seconds_count", ", gc"),
                    f"{_POD} {{{{gc}}}}",
                ),
            ),
            "ops",
        ),
        Panel(
            "Allocated",
            "Bytes asked for in a second. High and steady is load, not a leak.",
            (
                Query(
                    _rate("jvm_memory_pool_allocated_bytes_total", "jvm_gc_memory_allocated_bytes_total"),
                    _POD,
                ),
            ),
            "Bps",
        ),
        Panel(
            "Age of the process",
            "Falls to nothing at a restart.",
            (Query(among("(time() - process_start_time_seconds{<where>})", "jvm_memory_used_bytes"), _POD),),
            "s",
        ),
    ),
)

DASHBOARD = Dashboard(
    "jvm",
    "JVM",
    "Heap after collection, memory beside the heap, threads and collections of Java programs.",
    "JMX exporter, client_java or Micrometer",
    "https://prometheus.github.io/client_java/instrumentation/jvm/",
    (*scraped("jvm_memory_used_bytes"), WINDOW),
    (HEAP, BESIDE, COLLECTION),
)
