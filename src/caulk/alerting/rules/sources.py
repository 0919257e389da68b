"""Where a fleet's memory is read: for each exporter the expressions that give it one series a process or container.

Each expression leaves only the labels of the target (and of the worker), so that those of one source go together. `{}`
and `{…}` take what the user selects by. Names: client_golang, client_java and Micrometer, prom-client, client_python,
cAdvisor and kube-state-metrics; tests hold them against what the exporters really say.
"""

import re
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Source:
    """`memory` is what a leak grows, `used` what counts against `limit`; what the source cannot tell is empty."""

    name: str
    memory: str
    used: str = ""
    limit: str = ""
    objects: str = ""
    collections: str = ""
    """Collections of garbage a second."""
    collecting: str = ""
    """Share of the time that is spent collecting."""
    growth_events: str = ""
    """A counter; `threshold` tells its sizes apart."""
    start: str = ""
    """When the process started. Left out where processes come and go in one series, as workers do in a slot."""
    present: str = ""
    """What each target that answers must have, by `job` and `instance`."""
    oom: str = ""

    def selecting(self, matchers: str) -> "Source":
        """The same of what `matchers` select (`namespace="shop"`)."""

        def put(match: re.Match[str]) -> str:
            all_of = ",".join(filter(None, (match[1], matchers)))
            return f"{{{all_of}}}" if all_of else ""

        texts = {name: re.sub(r"\{([^{}]*)\}", put, getattr(self, name)) for name in _EXPRESSIONS}
        return replace(self, **texts)


_EXPRESSIONS = (
    "memory", "used", "limit", "objects", "collections", "collecting", "growth_events", "start", "present", "oom"
)  # fmt: skip
_CONTAINER = 'container!="",container!="POD"'
_VIEWS = "max without (view_name) (django_memory_usage_bytes{}) unless on (job, instance) caulk_probe_memory_bytes{}"
#: As Micrometer and client_java 1 call it, and as client_java 0 did.
_JVM = '{__name__=~"jvm_memory_(used_bytes|bytes_used)",area="heap"}'
_RESIDENT = "process_resident_memory_bytes{}"

SOURCES = (
    Source(
        "probe",
        # Without caulk-probe (the runbook's middleware) each view has the memory of whichever worker answered last.
        memory=f'max without (kind) (caulk_probe_memory_bytes{{kind="anonymous"}}) or ({_VIEWS})',
        used=f'max without (kind) (caulk_probe_memory_bytes{{kind="rss"}}) or ({_VIEWS})',
        objects='sum without (object_type) (django_python_objects_total{object_type=~"dict|list"})',
        collections="sum without (generation) (rate(django_gc_collections_total{}[5m]))",
        growth_events="django_memory_growth_events_total{}",
        present="django_memory_usage_bytes{}",
    ),
    Source(
        "kubernetes",
        # A container that restarts is a series of its own, by cAdvisor's labels `id` and `name`.
        memory=f"container_memory_rss{{{_CONTAINER}}}",
        used=f"container_memory_working_set_bytes{{{_CONTAINER}}}",
        limit=f"container_spec_memory_limit_bytes{{{_CONTAINER}}} > 0",
        oom=(
            "increase(kube_pod_container_status_restarts_total{}[15m]) > 0\n"
            "and on (namespace, pod, container)\n"
            'kube_pod_container_status_last_terminated_reason{reason="OOMKilled"} == 1'
        ),
    ),
    Source(
        "go",
        # Garbage is in it, but Go collects every two minutes at the latest: the floor is what lives.
        memory="go_memstats_heap_alloc_bytes{}",
        used=f"{_RESIDENT} and on (job, instance) go_memstats_heap_alloc_bytes{{}}",
        # Without GOMEMLIMIT it is 2^63 - 1.
        limit="go_gc_gomemlimit_bytes{} < 2 ^ 62",
        objects="go_memstats_heap_objects{}",
        collections="rate(go_gc_duration_seconds_count{}[5m])",
        start="process_start_time_seconds{} and on (job, instance) go_memstats_heap_alloc_bytes{}",
        present="go_memstats_heap_alloc_bytes{}",
    ),
    Source(
        "jvm",
        memory=(
            'sum without (area, id) (jvm_memory_used_bytes{area="heap"})\n'
            'or sum without (area) (jvm_memory_bytes_used{area="heap"})'
        ),
        limit=(
            'sum without (area, id) (jvm_memory_max_bytes{area="heap"} > 0)\n'
            'or sum without (area) (jvm_memory_bytes_max{area="heap"} > 0)'
        ),
        collecting=(
            "sum without (gc, action, cause) (rate(jvm_gc_pause_seconds_sum{}[5m]))\n"
            "or sum without (gc) (rate(jvm_gc_collection_seconds_sum{}[5m]))"
        ),
        start=f"process_start_time_seconds{{}} and on (job, instance) {_JVM}",
        present=_JVM,
    ),
    Source(
        "node",
        # Buffers are outside the heap.
        memory="nodejs_heap_size_used_bytes{} + nodejs_external_memory_bytes{}",
        used=f"{_RESIDENT} and on (job, instance) nodejs_heap_size_used_bytes{{}}",
        collecting="sum without (kind) (rate(nodejs_gc_duration_seconds_sum{}[5m]))",
        start="process_start_time_seconds{} and on (job, instance) nodejs_heap_size_used_bytes{}",
        present="nodejs_heap_size_used_bytes{}",
    ),
    Source(
        "python",
        memory=f"{_RESIDENT} and on (job, instance) python_info{{}}",
        collections="sum without (generation) (rate(python_gc_collections_total{}[5m]))",
        start="process_start_time_seconds{} and on (job, instance) python_info{}",
        present=f"{_RESIDENT} and on (job, instance) python_info{{}}",
    ),
    Source(
        "process",
        # Whatever the program is written in: the families that all client libraries have.
        memory=_RESIDENT,
        start="process_start_time_seconds{}",
        present=_RESIDENT,
    ),
)
NAMES = tuple(source.name for source in SOURCES)
