"""OTLP metrics that come in: what an OpenTelemetry SDK or a Collector exports over HTTP, as JSON or protobuf.

A resource is a replica: `service.name` (or the names that Kubernetes gave) is the workload, `service.instance.id`, pod,
container or host and process the replica. Gauges and cumulative sums are heard, deltas are not: memory is a level.
Protocol: https://opentelemetry.io/docs/specs/otlp/#otlphttp; messages: opentelemetry/proto/metrics/v1/metrics.proto.
"""

import math
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from caulk.model.decoding import decoded
from caulk.model.errors import MalformedDump
from caulk.model.judgement import Event
from caulk.model.watching import Observation, Workload
from caulk.readings.fields import fields, signed
from caulk.readings.lives import Life, Lives
from caulk.readings.metrics import BY_NAME, Figures
from caulk.readings.slots import Slots

PROTOBUF, JSON = "application/x-protobuf", "application/json"
#: Who has not been heard for so long has given up its slot; exporters send each minute if nobody says otherwise.
_SILENT_S = 300.0
_DELTA = 1
_RUNTIMES = {"java": "jvm", "nodejs": "node", "python": "cpython", "go": "go"}
_INSTANCES = ("service.instance.id", "k8s.pod.name", "container.id", "container.name")
#: 2100: what is later is no time in nanoseconds.
_LATEST_NS = 4_102_444_800 * 10**9


@dataclass(slots=True)
class Point:
    """One value of a metric, with the time in nanoseconds since 1970."""

    name: str
    labels: Mapping[str, str]
    at_ns: int
    value: float


@dataclass(slots=True)
class Resource:
    """Who says something, and what of it is about memory."""

    attributes: dict[str, str] = field(default_factory=dict)
    points: list[Point] = field(default_factory=list)


class Inbox:
    """What came in so far, as far as it must be known to tell replicas and their lives."""

    name = "otlp:"

    def __init__(self) -> None:
        self._slots, self._lives = Slots(), Lives()
        self._heard: dict[str, dict[str, float]] = {}

    def observations(self, body: bytes, content_type: str) -> list[Observation]:
        """The readings in an export; raises MalformedDump for what is none."""
        return [seen for resource in resources(body, content_type) if (seen := self._seen(resource))]

    def state(self) -> Mapping[str, Any]:
        """Which replica is in which slot."""
        return {"slots": self._slots.state(), "lives": self._lives.state(), "heard": self._heard}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Knows its replicas again."""
        self._slots = Slots.restored(state.get("slots", {}))
        self._lives.restore(state.get("lives", {}))
        self._heard = {key: dict(heard) for key, heard in state.get("heard", {}).items()}

    def _seen(self, resource: Resource) -> Observation | None:
        newest: dict[tuple[str, frozenset[tuple[str, str]]], Point] = {}
        for point in resource.points:
            series = point.name, frozenset(point.labels.items())
            if series not in newest or point.at_ns >= newest[series].at_ns:
                newest[series] = point
        figures = Figures()
        for point in newest.values():
            figures.add(point.name, point.labels, point.value)
        if not figures:
            return None
        at = max(point.at_ns for point in newest.values()) / 1e9
        workload, identity = _who(resource.attributes, figures.runtime)
        heard = self._heard.setdefault(workload.key, {})
        heard[identity] = at
        for silent in [known for known, last in heard.items() if at - last > _SILENT_S]:
            del heard[silent]
        taken = self._slots.settle(workload.key, heard, at)
        slot = taken.of[identity]
        life = Life(figures.started(at), figures.limit, version=resource.attributes.get("service.version", ""))
        events: tuple[Event, ...] = self._lives.events(
            f"{workload.key} {slot}", at, life, is_heir=identity in taken.heirs
        )
        return Observation(workload, slot, figures.reading(at), events, limit=figures.limit)


def resources(body: bytes, content_type: str) -> Iterator[Resource]:
    """Those that say something about memory in an export; raises MalformedDump for what is none."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in (PROTOBUF, JSON):
        raise MalformedDump(f"OTLP comes as {PROTOBUF} or {JSON}, not as {kind or 'nothing'}")
    found = _from_protobuf(body) if kind == PROTOBUF else _from_json(body)
    return (resource for resource in found if resource.points)


def _who(attributes: Mapping[str, str], runtime: str) -> tuple[Workload, str]:
    """The workload that a resource is of, and which replica of it."""
    of = (attributes.get(name) for name in ("k8s.deployment.name", "k8s.statefulset.name", "container.name"))
    service = attributes.get("service.name") or next(filter(None, of), None) or "unknown_service"
    space = attributes.get("service.namespace") or attributes.get("k8s.namespace.name") or ""
    name = f"{space}/{service}" if space else service
    host, pid = attributes.get("host.name", ""), attributes.get("process.pid", "")
    instance = next(filter(None, (attributes.get(name) for name in _INSTANCES)), None)
    language = attributes.get("telemetry.sdk.language", "")
    return Workload(f"otlp:{name}", service, _RUNTIMES.get(language, runtime)), instance or f"{host}/{pid}"


class _Value(msgspec.Struct):
    stringValue: str | None = None  # noqa: N815  # names of the protocol
    intValue: str | int | None = None  # noqa: N815
    doubleValue: float | None = None  # noqa: N815
    boolValue: bool | None = None  # noqa: N815


class _Attribute(msgspec.Struct):
    key: str = ""
    value: _Value = msgspec.field(default_factory=_Value)


class _Point(msgspec.Struct):
    attributes: list[_Attribute] = []
    timeUnixNano: str | int = 0  # noqa: N815
    asInt: str | int | None = None  # noqa: N815
    asDouble: float | str | None = None  # noqa: N815


class _Data(msgspec.Struct):
    dataPoints: list[_Point] = []  # noqa: N815
    aggregationTemporality: int | str = 0  # noqa: N815


class _Metric(msgspec.Struct):
    name: str = ""
    gauge: _Data | None = None
    sum: _Data | None = None


class _Scope(msgspec.Struct):
    metrics: list[_Metric] = []


class _Described(msgspec.Struct):
    attributes: list[_Attribute] = []


class _Resource(msgspec.Struct):
    resource: _Described = msgspec.field(default_factory=_Described)
    scopeMetrics: list[_Scope] = []  # noqa: N815


class _Export(msgspec.Struct):
    resourceMetrics: list[_Resource] = []  # noqa: N815


def _from_json(body: bytes) -> Iterator[Resource]:
    try:
        export = decoded(body, _Export)
    except msgspec.MsgspecError as error:
        raise MalformedDump(f"this is no OTLP export of metrics: {error}") from None
    for one in export.resourceMetrics:
        metrics = (metric for scope in one.scopeMetrics for metric in scope.metrics if metric.name in BY_NAME)
        points = [point for metric in metrics for point in _json_points(metric)]
        yield Resource(_json_attributes(one.resource.attributes), points)


def _json_points(metric: _Metric) -> Iterator[Point]:
    data = metric.gauge or metric.sum
    if data is None or data.aggregationTemporality in (_DELTA, "AGGREGATION_TEMPORALITY_DELTA"):
        return
    for point in data.dataPoints:
        value = point.asInt if point.asInt is not None else point.asDouble
        try:
            found = Point(metric.name, _json_attributes(point.attributes), int(point.timeUnixNano), float(value or 0))
        except ValueError:
            raise MalformedDump(f"OTLP: {metric.name} has a value or a time that is no number") from None
        if _is_usable(found):
            yield found


def _json_attributes(attributes: Iterable[_Attribute]) -> dict[str, str]:
    found = {}
    for one in attributes:
        value = one.value
        known = (value.stringValue, value.intValue, value.doubleValue, value.boolValue)
        found[one.key] = next((str(each) for each in known if each is not None), "")
    return found


def _from_protobuf(body: bytes) -> Iterator[Resource]:
    for number, message in _messages(body):
        if number == 1:
            resource = Resource()
            for part, content in _messages(message):
                if part == 1:
                    resource.attributes = dict(_attributes(content, 1))
                elif part == 2:
                    resource.points += _scope(content)
            yield resource


def _scope(message: bytes) -> Iterator[Point]:
    for number, metric in _messages(message):
        if number == 2:
            parts = dict(_messages(metric))
            name = parts.get(1, b"").decode("utf-8", "replace")
            data = parts.get(5) or parts.get(7)
            if name in BY_NAME and data and dict(fields(data)).get(2) != _DELTA:
                yield from filter(_is_usable, (_point(name, one) for part, one in _messages(data) if part == 1))


def _point(name: str, message: bytes) -> Point:
    at, value = 0, math.nan
    for number, content in fields(message):
        if isinstance(content, bytes) and len(content) == 8:
            if number == 3:
                at = struct.unpack("<Q", content)[0]
            elif number in (4, 6):
                value = float(struct.unpack("<d" if number == 4 else "<q", content)[0])
    return Point(name, dict(_attributes(message, 7)), at, value)


def _attributes(message: bytes, wanted: int) -> Iterator[tuple[str, str]]:
    """Keys and values of the attributes in a message; those that are lists or maps are empty."""
    for number, content in _messages(message):
        if number == wanted:
            pair = dict(_messages(content))
            yield pair.get(1, b"").decode("utf-8", "replace"), _any(pair.get(2, b""))


def _any(message: bytes) -> str:
    for number, value in fields(message):
        if number == 1 and isinstance(value, bytes):
            return value.decode("utf-8", "replace")
        if number == 3 and isinstance(value, int):
            return str(signed(value))
    return ""


def _messages(message: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields that are messages, texts or fixed numbers."""
    return ((number, value) for number, value in fields(message) if isinstance(value, bytes))


def _is_usable(point: Point) -> bool:
    return math.isfinite(point.value) and point.value >= 0 and 0 < point.at_ns < _LATEST_NS
