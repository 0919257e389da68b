"""The metrics: every family's name, type, labels and help, in the order of a scrape and of a slot's file.

Beside its own labels every sample has `container`, and `worker`: the slot of the process (see `slots`).
"""

from __future__ import annotations

GAUGE, COUNTER, HISTOGRAM = "gauge", "counter", "histogram"
#: Bytes a request kept, upper bounds; `+Inf` comes behind them.
BUCKETS = tuple(each << 10 for each in (1, 10, 100, 1 << 10, 10 << 10, 100 << 10))


class Family:
    """One metric; `cells` is how many numbers each of its samples has in a slot's file."""

    def __init__(self, name, kind, label, help_, is_kept=False, cells=1):
        self.name, self.kind, self.label, self.help, self.cells = name, kind, label, help_, cells
        #: Whether its samples outlive the worker that made them.
        self.is_kept = is_kept or kind != GAUGE
        self.number = len(FAMILIES)
        FAMILIES.append(self)


FAMILIES: list = []

MEMORY_USAGE = Family(
    "django_memory_usage_bytes", GAUGE, "view_name", "Resident memory of the worker after the view's last request"
)
GROWTH_EVENTS = Family(
    "django_memory_growth_events_total", COUNTER, "threshold",
    "Times that the floor of the worker's memory has risen by so much, over the lives of its slot",
)  # fmt: skip
PYTHON_OBJECTS = Family(
    "django_python_objects_total", GAUGE, "object_type", "Reachable objects of exactly this type, by a rare walk"
)
COLLECTIONS = Family(
    "django_gc_collections_total", COUNTER, "generation", "Collections of the garbage collector, each counted once"
)
ALLOCATION = Family(
    "django_allocation_bytes", HISTOGRAM, "view_name",
    "Resident memory that a request left behind, of requests that were alone in the worker and left any",
    cells=len(BUCKETS) + 2,
)  # fmt: skip
MEMORY = Family(
    "caulk_probe_memory_bytes", GAUGE, "kind",
    "Memory of the worker: rss, anonymous (what the kernel cannot take back), floor (its lowest of late)",
)  # fmt: skip
REQUESTS = Family("caulk_probe_requests_total", COUNTER, "view_name", "Requests of the view that have ended")
STARTS = Family("caulk_probe_worker_starts_total", COUNTER, "", "Workers that this slot has had, one after the other")
START_TIME = Family("caulk_probe_worker_start_time_seconds", GAUGE, "", "When the worker took its slot, since 1970")
CPU = Family("caulk_probe_cpu_seconds_total", COUNTER, "", "CPU time of the probe's own thread")
ERRORS = Family("caulk_probe_errors_total", COUNTER, "", "Times that something went wrong in the probe's own thread")
TRACING = Family("caulk_probe_tracing", GAUGE, "", "1 while the worker looks for the site of a growth")
TRACE_SECONDS = Family("caulk_probe_trace_seconds_total", COUNTER, "", "Time for which allocations were traced")
TRACE_COST = Family(
    "caulk_probe_trace_cost_ratio", GAUGE, "", "CPU time per request while tracing, by that before", is_kept=True
)
GROWTH_SITE = Family(
    "caulk_probe_growth_site_bytes", GAUGE, "site",
    "Bytes allocated at the site and alive at the end of the last trace", is_kept=True,
)  # fmt: skip

#: What views took, for `attribution`; not part of a scrape as it is.
COLUMN = Family("", "", "view_name", "", cells=3)
CLIMBED = Family("", "", "threshold", "")


def products(columns):
    """How many numbers `attribution` keeps for so many columns: a triangle, a vector, and three more."""
    return columns * (columns + 1) // 2 + columns + 3


COLUMNS = 49
PRODUCTS = Family("", "", "", "", cells=products(COLUMNS))
#: Computed at a scrape from the slots of all workers.
VIEW_GROWTH_NAME = "caulk_probe_view_growth_bytes_per_request"
VIEW_GROWTH_HELP = "Growth of the floor that each request of the view brings, over the requests of all workers"
