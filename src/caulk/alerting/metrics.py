"""Metrics about memory that exporters are known to have: type, what the value is, and the labels of their series.

Only these can be told to be misspelt, or of the wrong type for a function; of others no more is known than their names
say. A `role` is which part of a program's memory a gauge shows.
"""

from dataclasses import dataclass
from typing import Literal

from caulk.model.metrics import METRICS

Type = Literal["gauge", "counter", "histogram", "summary"]
Role = Literal[
    "", "rss", "anonymous", "heap", "working-set", "usage", "cache", "limit", "objects", "start", "up", "events"
]


@dataclass(frozen=True, slots=True)
class Known:
    """One family. `labels` are those it has beside `job` and `instance`, with a value as it may be."""

    name: str
    type: Type
    role: Role = ""
    labels: tuple[tuple[str, str], ...] = ()


_CONTAINER = (("namespace", "shop"), ("pod", "api-1"), ("container", "api"))
_PROBE = (("container", "api"), ("worker", "0"))
_MIDDLEWARE = (("container", "api"), ("view_name", "index"))


def _gauges(prefix: str, names: str, **roles: Role) -> list[Known]:
    return [Known(prefix + name, "gauge", roles.get(name, "")) for name in names.split()]


def _counters(prefix: str, names: str) -> list[Known]:
    return [Known(prefix + name, "counter") for name in names.split()]


_ALL: list[Known] = [
    Known("up", "gauge", "up"),
    *_gauges(
        "process_",
        "resident_memory_bytes virtual_memory_bytes virtual_memory_max_bytes open_fds max_fds start_time_seconds",
        resident_memory_bytes="rss",
        start_time_seconds="start",
    ),
    Known("process_cpu_seconds_total", "counter"),
    # The middleware of the runbook, and caulk-probe.
    Known("django_memory_usage_bytes", "gauge", "rss", _MIDDLEWARE),
    Known("django_memory_growth_events_total", "counter", "events", (("container", "api"), ("threshold", "10mb"))),
    Known("django_python_objects_total", "gauge", "objects", (("container", "api"), ("object_type", "dict"))),
    Known("django_gc_collections_total", "counter", "", (("container", "api"), ("generation", "0"))),
    Known("django_allocation_bytes", "histogram", "", _MIDDLEWARE),
    Known("caulk_probe_memory_bytes", "gauge", "anonymous", (*_PROBE, ("kind", "anonymous"))),
    Known("caulk_probe_worker_start_time_seconds", "gauge", "start", _PROBE),
    *_counters("caulk_probe_", "requests_total worker_starts_total cpu_seconds_total trace_seconds_total"),
    *_gauges("caulk_probe_", "tracing trace_cost_ratio growth_site_bytes view_growth_bytes_per_request"),
    # cAdvisor, and kube-state-metrics.
    Known("container_memory_usage_bytes", "gauge", "usage", _CONTAINER),
    Known("container_memory_working_set_bytes", "gauge", "working-set", _CONTAINER),
    Known("container_memory_rss", "gauge", "anonymous", _CONTAINER),
    Known("container_memory_cache", "gauge", "cache", _CONTAINER),
    Known("container_memory_mapped_file", "gauge", "cache", _CONTAINER),
    Known("container_memory_swap", "gauge", "", _CONTAINER),
    Known("container_memory_max_usage_bytes", "gauge", "usage", _CONTAINER),
    Known("container_memory_kernel_usage", "gauge", "", _CONTAINER),
    Known("container_memory_failcnt", "counter", "", _CONTAINER),
    Known("container_memory_failures_total", "counter", "", _CONTAINER),
    Known("container_oom_events_total", "counter", "", _CONTAINER),
    Known("container_spec_memory_limit_bytes", "gauge", "limit", _CONTAINER),
    Known("container_spec_memory_reservation_limit_bytes", "gauge", "", _CONTAINER),
    Known("kube_pod_container_resource_limits", "gauge", "limit", (*_CONTAINER, ("resource", "memory"))),
    Known("kube_pod_container_resource_requests", "gauge", "", (*_CONTAINER, ("resource", "memory"))),
    Known("kube_pod_container_status_restarts_total", "counter", "", _CONTAINER),
    Known("kube_pod_container_status_last_terminated_reason", "gauge", "", (*_CONTAINER, ("reason", "Error"))),
    # client_golang.
    *_gauges(
        "go_memstats_",
        "alloc_bytes sys_bytes heap_alloc_bytes heap_sys_bytes heap_idle_bytes heap_inuse_bytes heap_released_bytes "
        "heap_objects stack_inuse_bytes stack_sys_bytes mspan_inuse_bytes mspan_sys_bytes mcache_inuse_bytes "
        "mcache_sys_bytes buck_hash_sys_bytes gc_sys_bytes other_sys_bytes next_gc_bytes last_gc_time_seconds "
        "gc_cpu_fraction",
        alloc_bytes="heap",
        heap_alloc_bytes="heap",
        heap_inuse_bytes="heap",
        heap_objects="objects",
        sys_bytes="rss",
    ),
    *_counters("go_memstats_", "alloc_bytes_total mallocs_total frees_total lookups_total"),
    *_gauges("go_", "goroutines threads info gc_gogc_percent gc_gomemlimit_bytes sched_gomaxprocs_threads",
             gc_gomemlimit_bytes="limit"),
    Known("go_gc_duration_seconds", "summary"),
    # Micrometer, client_java 1, and client_java 0.
    Known("jvm_memory_used_bytes", "gauge", "heap", (("area", "heap"), ("id", "G1 Old Gen"))),
    Known("jvm_memory_max_bytes", "gauge", "limit", (("area", "heap"), ("id", "G1 Old Gen"))),
    Known("jvm_memory_bytes_used", "gauge", "heap", (("area", "heap"),)),
    Known("jvm_memory_bytes_max", "gauge", "limit", (("area", "heap"),)),
    *_gauges("jvm_", "memory_committed_bytes memory_init_bytes memory_bytes_committed memory_bytes_init "
             "memory_pool_used_bytes memory_pool_max_bytes memory_pool_committed_bytes memory_pool_init_bytes "
             "memory_pool_collection_used_bytes memory_pool_collection_max_bytes gc_live_data_size_bytes "
             "gc_max_data_size_bytes memory_usage_after_gc buffer_memory_used_bytes buffer_count_buffers "
             "buffer_total_capacity_bytes threads_live_threads threads_current classes_loaded_classes",
             gc_live_data_size_bytes="heap"),
    *_counters("jvm_", "gc_memory_allocated_bytes_total gc_memory_promoted_bytes_total "
               "memory_pool_allocated_bytes_total gc_overhead"),
    Known("jvm_gc_pause_seconds", "summary"),
    Known("jvm_gc_collection_seconds", "summary"),
    # prom-client.
    *_gauges("nodejs_", "heap_size_total_bytes heap_size_used_bytes external_memory_bytes heap_space_size_total_bytes "
             "heap_space_size_used_bytes heap_space_size_available_bytes eventloop_lag_seconds active_handles_total "
             "active_requests_total active_resources_total", heap_size_used_bytes="heap"),
    Known("nodejs_gc_duration_seconds", "histogram"),
    # client_python.
    *_counters("python_gc_", "objects_collected_total objects_uncollectable_total collections_total"),
    Known("python_info", "gauge"),
    # node_exporter.
    *_gauges("node_memory_", "MemTotal_bytes MemFree_bytes MemAvailable_bytes Buffers_bytes Cached_bytes Slab_bytes "
             "SwapTotal_bytes SwapFree_bytes Active_bytes Inactive_bytes AnonPages_bytes",
             Cached_bytes="cache", Buffers_bytes="cache"),
    Known("node_vmstat_oom_kill", "counter"),
    *(Known(each.name, each.type) for each in METRICS),
]  # fmt: skip
KNOWN = {each.name: each for each in _ALL}

_SERIES = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}


def known(name: str) -> Known | None:
    """What is known of a metric, or of the family that a histogram's or summary's series belongs to."""
    if name in KNOWN:
        return KNOWN[name]
    for suffix in ("_bucket", "_sum", "_count"):
        family = KNOWN.get(name.removesuffix(suffix))
        if family and name != family.name and suffix in _SERIES.get(family.type, ()):
            return family
    return None


def is_gauge(name: str) -> bool | None:
    """Whether a metric may fall; None where neither the catalogue nor its name tells."""
    if family := known(name):
        return family.type == "gauge" or (family.type == "summary" and family.name == name)
    # The convention of https://prometheus.io/docs/practices/naming/: only what is added up has these endings.
    if name.endswith(("_total", "_bucket", "_count", "_sum")):
        return False
    return True if name.endswith(("_bytes", "_ratio", "_percent", "_celsius", "_timestamp_seconds")) else None


def is_memory(name: str) -> bool:
    """Whether it is a gauge of a program's memory, in bytes."""
    family = known(name)
    if family:
        return family.role in ("rss", "anonymous", "heap", "working-set", "usage", "cache")
    return "memory" in name and name.endswith("_bytes")
