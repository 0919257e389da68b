"""The metrics that caulk's own loop exposes: name, type, labels and help of each, for exporter, rules and dashboards.

Names end in their unit, counters in `_total` (https://prometheus.io/docs/practices/naming/). A series exists only where
there is something to say: no limit, no `caulk_target_limit_bytes`; nothing growing, no `caulk_target_seconds_to_limit`.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from caulk.model.judgement import State

STATES: tuple[State, ...] = get_args(State)


@dataclass(frozen=True, slots=True)
class Metric:
    """One family of series. `values` lists what a label can be, for the labels that have a closed list."""

    name: str
    type: Literal["gauge", "counter", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()
    buckets: tuple[float, ...] = ()


TARGET_MEMORY = Metric(
    "caulk_target_memory_bytes",
    "gauge",
    "Memory of one replica at its last reading: resident, anonymous, and the runtime's own heap where it tells.",
    ("workload", "replica", "runtime", "measure"),
    (("measure", ("rss", "anonymous", "heap")),),
)
TARGET_LIMIT = Metric(
    "caulk_target_limit_bytes",
    "gauge",
    "Memory that one replica may have.",
    ("workload", "replica", "runtime"),
)
TARGET_STATE = Metric(
    "caulk_target_state",
    "gauge",
    "1 for the state that the workload is judged to be in, 0 for the others.",
    ("workload", "runtime", "state"),
    (("state", STATES),),
)
TARGET_GROWTH = Metric(
    "caulk_target_growth_bytes_per_hour",
    "gauge",
    "Growth of the workload's memory floor, for each replica; below 0 where it shrinks.",
    ("workload", "runtime"),
)
TARGET_SECONDS_TO_LIMIT = Metric(
    "caulk_target_seconds_to_limit",
    "gauge",
    "Time until the first replica is at its limit if growth goes on.",
    ("workload", "runtime"),
)
CAPTURES = Metric(
    "caulk_captures_total",
    "counter",
    "Captures by how they ended; the exemplar names the capture.",
    ("workload", "runtime", "outcome"),
    (("outcome", ("complete", "incomplete", "refused", "failed")),),
)
CAPTURE_DURATION = Metric(
    "caulk_capture_duration_seconds",
    "histogram",
    "Time from a capture's begin to its end; the exemplar names the capture.",
    ("runtime",),
    buckets=(0.1, 0.5, 1, 5, 15, 60, 300, 900),
)
INCIDENTS = Metric(
    "caulk_incidents_total",
    "counter",
    "Incidents opened, by the rule that fired; the exemplar names the incident.",
    ("workload", "rule"),
)
OUTBOX_PENDING = Metric(
    "caulk_outbox_pending",
    "gauge",
    "Actions and notifications that are written down but not done yet.",
    ("action",),
)
ENDPOINT_HTTP_STATUS = Metric(
    "caulk_endpoint_http_status",
    "gauge",
    "HTTP status of a metrics endpoint, asked with and without credentials; 0 where nothing answers.",
    ("workload", "endpoint", "credentials"),
    (("credentials", ("with", "without")),),
)
READINGS = Metric(
    "caulk_readings_total",
    "counter",
    "Readings taken, by source.",
    ("source",),
)
READING_ERRORS = Metric(
    "caulk_reading_errors_total",
    "counter",
    "Readings that were due and could not be taken, by source.",
    ("source",),
)
STORE = Metric(
    "caulk_store_bytes",
    "gauge",
    "Disk used by what caulk keeps.",
    ("part",),
    (("part", ("captures", "history", "incidents")),),
)

METRICS = (
    TARGET_MEMORY,
    TARGET_LIMIT,
    TARGET_STATE,
    TARGET_GROWTH,
    TARGET_SECONDS_TO_LIMIT,
    CAPTURES,
    CAPTURE_DURATION,
    INCIDENTS,
    OUTBOX_PENDING,
    ENDPOINT_HTTP_STATUS,
    READINGS,
    READING_ERRORS,
    STORE,
)
