"""Which metrics mean which memory: those of Go, the JVM, Node.js, CPython, Django, Envoy and of containers.

One row for each name, whoever sends it: a `/metrics` page, OpenTelemetry or Elastic. Where several tell of the same,
the row of the lowest `rank` counts: for a heap that is what was alive after the last collection, and where nothing says
that, what is in use, whose teeth the judgement knows how to leave out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from caulk.model.series import Reading

Gives = Literal["rss", "anonymous", "file", "shared", "heap", "limit", "started", "uptime", "oom"]


@dataclass(frozen=True, slots=True)
class Measure:
    """What a metric of this name says: the sum over its series that have the labels `where`, or the most of them."""

    name: str
    gives: Gives
    rank: int = 0
    where: Mapping[str, str] = field(default_factory=dict)
    runtime: str = ""
    is_summed: bool = True


_HEAP = {"area": "heap"}
_RESERVED = 8
MEASURES = (
    Measure("process_resident_memory_bytes", "rss"),
    Measure("process_start_time_seconds", "started"),
    # Go: https://pkg.go.dev/runtime/metrics; client_golang has it only where it was asked to.
    Measure("go_gc_heap_live_bytes", "heap", 0, runtime="go"),
    Measure("go_memstats_heap_alloc_bytes", "heap", 1, runtime="go"),
    Measure("go_memstats_sys_bytes", "rss", _RESERVED, runtime="go"),
    # The JVM: Micrometer, client_java 1 and 0, OpenTelemetry's agent.
    Measure("jvm_gc_live_data_size_bytes", "heap", 0, runtime="jvm"),
    Measure("jvm_memory_used_after_last_gc_bytes", "heap", 1, {"jvm_memory_type": "heap"}, "jvm"),
    Measure("jvm_memory_pool_collection_used_bytes", "heap", 1, runtime="jvm"),
    Measure("jvm_memory_pool_collection_bytes_used", "heap", 1, runtime="jvm"),
    Measure("jvm_memory_used_bytes", "heap", 3, _HEAP, "jvm"),
    Measure("jvm_memory_used_bytes", "heap", 3, {"jvm_memory_type": "heap"}, "jvm"),
    Measure("jvm_memory_bytes_used", "heap", 3, _HEAP, "jvm"),
    # Without anything of the process itself: what the JVM has committed is the least that it may take.
    Measure("jvm_memory_committed_bytes", "rss", _RESERVED, runtime="jvm"),
    Measure("jvm_memory_bytes_committed", "rss", _RESERVED, runtime="jvm"),
    # Node.js: prom-client.
    Measure("nodejs_heap_size_used_bytes", "heap", 1, runtime="node"),
    # Django: caulk-probe's metrics, and those of the middleware that they take the place of, one for each view.
    Measure("caulk_probe_memory_bytes", "rss", 0, {"kind": "rss"}, "cpython"),
    Measure("caulk_probe_memory_bytes", "anonymous", 0, {"kind": "anonymous"}, "cpython"),
    Measure("caulk_probe_worker_start_time_seconds", "started", runtime="cpython"),
    Measure("django_memory_usage_bytes", "rss", 5, runtime="cpython", is_summed=False),
    # Envoy: /stats/prometheus of its admin interface.
    Measure("envoy_server_memory_physical_size", "rss", 1, runtime="envoy"),
    Measure("envoy_server_memory_allocated", "heap", 1, runtime="envoy"),
    Measure("envoy_server_memory_heap_size", "rss", _RESERVED, runtime="envoy"),
    Measure("envoy_server_uptime", "uptime", runtime="envoy"),
    # Containers, by cAdvisor; what it calls rss is what is anonymous.
    Measure("container_memory_rss", "anonymous"),
    Measure("container_memory_usage_bytes", "rss", 1),
    Measure("container_memory_cache", "file"),
    Measure("container_spec_memory_limit_bytes", "limit"),
    Measure("container_start_time_seconds", "started", 1),
    Measure("container_oom_events_total", "oom"),
    # OpenTelemetry: https://opentelemetry.io/docs/specs/semconv/, and what was said before it was stable.
    Measure("process.memory.usage", "rss"),
    Measure("process.runtime.cpython.memory", "rss", 1, {"type": "rss"}, "cpython"),
    Measure("jvm.memory.used_after_last_gc", "heap", 1, {"jvm.memory.type": "heap"}, "jvm"),
    Measure("jvm.memory.used", "heap", 3, {"jvm.memory.type": "heap"}, "jvm"),
    Measure("process.runtime.jvm.memory.usage_after_last_gc", "heap", 1, {"type": "heap"}, "jvm"),
    Measure("process.runtime.jvm.memory.usage", "heap", 3, {"type": "heap"}, "jvm"),
    Measure("jvm.memory.committed", "rss", _RESERVED, runtime="jvm"),
    Measure("process.runtime.go.mem.heap_alloc", "heap", 1, runtime="go"),
    Measure("go.memory.used", "rss", _RESERVED, runtime="go"),
    Measure("v8js.memory.heap.used", "heap", 1, runtime="node"),
    Measure("nodejs.memory.heap.used", "heap", 2, runtime="node"),
    Measure("container.memory.rss", "anonymous"),
    Measure("container.memory.usage", "rss", 1),
    Measure("k8s.pod.memory.rss", "anonymous"),
    Measure("k8s.pod.memory.usage", "rss", 1),
    # Elastic APM: the agents' metric sets.
    Measure("system.process.memory.rss.bytes", "rss"),
    Measure("jvm.memory.heap.used", "heap", 3, runtime="jvm"),
    Measure("jvm.memory.heap.committed", "rss", _RESERVED, runtime="jvm"),
    Measure("jvm.memory.non_heap.committed", "rss", _RESERVED, runtime="jvm"),
    Measure("nodejs.memory.heap.used.bytes", "heap", 1, runtime="node"),
    Measure("golang.heap.allocations.active", "heap", 1, runtime="go"),
    Measure("golang.heap.allocations.allocated", "heap", 1, runtime="go"),
    Measure("system.process.cgroup.memory.mem.limit.bytes", "limit"),
    Measure("system.process.cgroup.memory.mem.usage.bytes", "rss", 2),
)
BY_NAME: dict[str, tuple[Measure, ...]] = {
    name: tuple(measure for measure in MEASURES if measure.name == name)
    for name in dict.fromkeys(measure.name for measure in MEASURES)
}
#: No container has so much; cAdvisor says this, or 0, where there is no limit.
_UNLIMITED = 1 << 60


@dataclass(slots=True)
class Figures:
    """What the metrics of one replica say together."""

    _found: dict[Gives, tuple[int, float]] = field(default_factory=dict)
    runtime: str = ""

    def add(self, name: str, labels: Mapping[str, str], value: float) -> None:
        """Note a sample; whatever is not about memory changes nothing."""
        for measure in BY_NAME.get(name, ()):
            if any(labels.get(key) != wanted for key, wanted in measure.where.items()):
                continue
            self.runtime = self.runtime or measure.runtime
            known = self._found.get(measure.gives)
            # A heap of 0 bytes is one that has not been collected yet.
            if not value and measure.gives == "heap":
                continue
            if known is None or measure.rank < known[0]:
                self._found[measure.gives] = measure.rank, value
            elif measure.rank == known[0]:
                self._found[measure.gives] = known[0], known[1] + value if measure.is_summed else max(known[1], value)

    def merge(self, other: "Figures") -> None:
        """Take over what another one knows better."""
        for gives, (rank, value) in other._found.items():
            if gives not in self._found or rank < self._found[gives][0]:
                self._found[gives] = rank, value
        self.runtime = self.runtime or other.runtime

    def __bool__(self) -> bool:
        return any(gives in self._found for gives in ("rss", "anonymous", "heap"))

    def reading(self, at: float) -> Reading:
        """The memory; where only the heap is told, that is all there is to judge."""
        heap = self._found.get("heap")
        resident = self.get("rss") or self.get("anonymous") + self.get("file") or self.get("heap")
        anonymous, file, shared = self.get("anonymous"), self.get("file"), self.get("shared")
        return Reading(at, resident, anonymous, file, shared, round(heap[1]) if heap else None)

    def get(self, gives: Gives) -> int:
        """One of the figures, in bytes; 0 where it was not told."""
        found = self._found.get(gives)
        return round(max(found[1], 0)) if found else 0

    @property
    def limit(self) -> int | None:
        """The memory limit."""
        return self.get("limit") if 0 < self.get("limit") < _UNLIMITED else None

    def started(self, at: float) -> float | None:
        """When it was started, in seconds since 1970."""
        told, uptime = self._found.get("started"), self._found.get("uptime")
        return told[1] if told else at - uptime[1] if uptime else None


def by_replica(
    samples: Iterable[tuple[str, Mapping[str, str], float]], telling: Sequence[str]
) -> dict[tuple[str, ...], Figures]:
    """Figures for each set of values of the labels that tell replicas apart.

    What has none of these labels is of the process that answered: it belongs to the one replica there is, and to none
    of several.
    """
    found: dict[tuple[str, ...], Figures] = {}
    for name, labels, value in samples:
        identity = tuple(labels.get(label, "") for label in telling)
        figures = found.get(identity)
        if figures is None:
            figures = found[identity] = Figures()
        figures.add(name, labels, value)
    told = {identity: figures for identity, figures in found.items() if figures}
    nobody = ("",) * len(telling)
    if len(told) > 1:
        told.pop(nobody, None)
    if len(told) == 1 and nobody in found and nobody not in told:
        next(iter(told.values())).merge(found[nobody])
    return told
