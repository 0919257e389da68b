"""OTLP metrics in: JSON and protobuf say the same, and what is no export is refused."""

import contextlib
import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caulk.model.errors import MalformedDump
from caulk.model.watching import Observation
from caulk.readings.otlp import JSON, PROTOBUF, Inbox

NOON_NS = 1_800_000_000 * 10**9
JAVA = {
    "service.name": "api",
    "service.namespace": "shop",
    "service.instance.id": "a",
    "telemetry.sdk.language": "java",
}
HEAP = {"jvm.memory.type": "heap"}


def point(name: str, value: float, at: int = NOON_NS, labels: dict[str, str] | None = None, kind: str = "sum") -> Any:
    return name, value, at, labels or {}, kind


def as_json(resource: dict[str, Any], *points: Any, temporality: int = 2) -> bytes:
    def attributes(labels: dict[str, Any]) -> list[Any]:
        return [
            {"key": k, "value": {"intValue": str(v)} if isinstance(v, int) else {"stringValue": v}}
            for k, v in labels.items()
        ]

    metrics = []
    for name, value, at, labels, kind in points:
        number = {"asInt": str(value)} if isinstance(value, int) else {"asDouble": value}
        data = {"dataPoints": [{"attributes": attributes(labels), "timeUnixNano": str(at), **number}]}
        metrics.append({"name": name, kind: data | ({"aggregationTemporality": temporality} if kind == "sum" else {})})
    one = {"resource": {"attributes": attributes(resource)}, "scopeMetrics": [{"scope": {}, "metrics": metrics}]}
    return json.dumps({"resourceMetrics": [one]}).encode()


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    found = b""
    while value > 127:
        found += bytes([value & 127 | 128])
        value >>= 7
    return found + bytes([value])


def message(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def as_protobuf(resource: dict[str, Any], *points: Any, temporality: int = 2) -> bytes:
    def attributes(number: int, labels: dict[str, Any]) -> bytes:
        found = b""
        for key, value in labels.items():
            said = varint(3 << 3) + varint(value) if isinstance(value, int) else message(1, value.encode())
            found += message(number, message(1, key.encode()) + message(2, said))
        return found

    metrics = b""
    for name, value, at, labels, kind in points:
        number = b"\x31" + struct.pack("<q", value) if isinstance(value, int) else b"\x21" + struct.pack("<d", value)
        data = message(1, attributes(7, labels) + b"\x19" + struct.pack("<Q", at) + number)
        data += varint(2 << 3) + varint(temporality) if kind == "sum" else b""
        metrics += message(2, message(1, name.encode()) + message(7 if kind == "sum" else 5, data))
    return message(1, message(1, attributes(1, resource)) + message(2, message(1, b"") + metrics))


def both(resource: dict[str, Any], *points: Any, temporality: int = 2) -> list[Observation]:
    """What an export says, which is the same in both forms."""
    one = Inbox().observations(as_json(resource, *points, temporality=temporality), "application/json; charset=utf-8")
    other = Inbox().observations(as_protobuf(resource, *points, temporality=temporality), PROTOBUF)
    assert one == other
    return one


def test_a_jvm_by_its_pools():
    (seen,) = both(
        JAVA,
        point("process.memory.usage", 900),
        point("jvm.memory.used", 100, labels=HEAP | {"jvm.memory.pool.name": "Eden"}),
        point("jvm.memory.used", 200, labels=HEAP | {"jvm.memory.pool.name": "Old"}),
        point("jvm.memory.used", 50, labels={"jvm.memory.type": "non_heap"}),
        point("http.server.duration", 5.0, kind="gauge"),
    )
    assert (seen.workload.key, seen.workload.name, seen.workload.runtime) == ("otlp:shop/api", "api", "jvm")
    assert (seen.reading.at, seen.reading.rss, seen.reading.heap) == (1_800_000_000, 900, 300)


def test_what_was_alive_after_a_collection_goes_before_what_is_in_use():
    (seen,) = both(
        JAVA, point("jvm.memory.used", 900, labels=HEAP), point("jvm.memory.used_after_last_gc", 200, labels=HEAP)
    )
    assert seen.reading.heap == 200


def test_the_newest_of_several_points_counts():
    (seen,) = both(JAVA, point("process.memory.usage", 7, NOON_NS + 10**9), point("process.memory.usage", 5, NOON_NS))
    assert (seen.reading.at, seen.reading.rss) == (1_800_000_001, 7)


def test_deltas_are_no_levels():
    assert both(JAVA, point("process.memory.usage", 7), temporality=1) == []


def test_gauges_and_numbers_with_a_fraction_are_heard():
    (seen,) = both({"service.name": "n", "process.pid": 7}, point("v8js.memory.heap.used", 12.6, kind="gauge"))
    assert (seen.reading.heap, seen.workload.runtime) == (13, "node")


def test_instances_are_replicas_and_another_version_in_the_place_of_one_is_a_deploy():
    inbox = Inbox()

    def send(instance: str, version: str, at: int) -> Observation:
        resource = JAVA | {"service.instance.id": instance, "service.version": version}
        (seen,) = inbox.observations(as_json(resource, point("process.memory.usage", 7, NOON_NS + at * 10**9)), JSON)
        return seen

    assert [send(name, "1", 0).replica for name in "ab"] == ["0", "1"]
    assert send("b", "1", 60).events == ()
    for at in range(120, 600, 60):
        send("b", "1", at)
    # `a` has been silent for five minutes.
    heir = send("c", "2", 600)
    assert heir.replica == "0"
    assert [event.what for event in heir.events] == ["deploy"]


def test_slots_are_known_after_a_restart():
    inbox = Inbox()
    for name in "ab":
        inbox.observations(as_json(JAVA | {"service.instance.id": name}, point("process.memory.usage", 7)), JSON)
    again = Inbox()
    again.restore(json.loads(json.dumps(inbox.state())))
    resource = JAVA | {"service.instance.id": "b"}
    (seen,) = again.observations(as_json(resource, point("process.memory.usage", 7, NOON_NS + 10**9)), JSON)
    assert (seen.replica, seen.events) == ("1", ())


def test_a_resource_without_memory_says_nothing():
    assert both(JAVA, point("http.server.duration", 5)) == []
    assert Inbox().observations(b"", PROTOBUF) == []
    assert Inbox().observations(b"{}", JSON) == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", JSON),
        (b'{"resourceMetrics": 5}', JSON),
        (as_json(JAVA, point("process.memory.usage", 7)).replace(b'"7"', b'"seven"'), JSON),
        (b"\x0a\xff\x01", PROTOBUF),
        (b"\x07", PROTOBUF),
        (b"", "text/plain"),
        (b"", ""),
    ],
)
def test_what_is_no_export_is_refused(body: bytes, kind: str):
    with pytest.raises(MalformedDump):
        Inbox().observations(body, kind)


WHOLE = as_protobuf(JAVA, point("process.memory.usage", 7), point("jvm.memory.used", 100, labels=HEAP))


@given(st.integers(0, len(WHOLE)), st.binary(max_size=8))
def test_bytes_that_are_anything_are_read_or_refused(at: int, changed: bytes):
    for body in (WHOLE[:at], WHOLE[:at] + changed + WHOLE[at + len(changed) :]):
        with contextlib.suppress(MalformedDump):
            Inbox().observations(body, PROTOBUF)
