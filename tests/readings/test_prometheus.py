"""A real Prometheus as a source, and answers like one's."""

import asyncio
import json
import time
from collections.abc import Mapping

import pytest
from servers import answering

from caulk.model.errors import CaptureFailed, CaulkError, UsageError
from caulk.readings.http import Asked, Client
from caulk.readings.prometheus import Server

MB = 1 << 20


def server(root: str, query: str, **more: str) -> Server:
    return Server(Asked(root), Client(), query, **more)  # type: ignore[arg-type]


def vector(*series: tuple[Mapping[str, str], object]) -> bytes:
    result = [{"metric": labels, "value": [time.time(), str(value)]} for labels, value in series]
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()


def pod(name: str, workload: str = "api") -> dict[str, str]:
    return {"namespace": "shop", "workload": workload, "container": "app", "pod": name, "__name__": "m"}


def test_what_it_knows_is_read(prometheus: str):
    source = server(prometheus, "process_resident_memory_bytes", limit_query="process_virtual_memory_bytes")
    found: list[object] = []
    until = time.monotonic() + 30
    while not found and time.monotonic() < until:
        found = list(asyncio.run(source.read()))
    (seen,) = asyncio.run(source.read())
    assert seen.workload.name == "self"
    assert seen.reading.anonymous > MB
    assert seen.limit
    assert seen.limit > seen.reading.anonymous


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("process_resident_memory_bytes[5m]", "is a matrix, not an instant vector"),
        ("sum(", "parse error"),
        ("1", "is a scalar, not an instant vector"),
    ],
)
def test_a_query_that_gives_no_vector_is_explained(prometheus: str, query: str, why: str):
    with pytest.raises(CaptureFailed, match=why) as raised:
        asyncio.run(server(prometheus, query).read())
    assert "container_memory_rss" in raised.value.hint


@pytest.mark.parametrize("query", ["rate(m[5m])", "sum by (pod) (deriv (m[1h]))"])
def test_how_memory_changes_is_no_memory(query: str):
    with pytest.raises(UsageError, match=r"\(\) is no memory") as raised:
        server("http://127.0.0.1:1", query)
    assert "container_memory_rss" in raised.value.hint


def test_something_else_is_no_prometheus():
    with answering(lambda *_: (200, b"<html>")) as root, pytest.raises(CaptureFailed, match="is no Prometheus"):
        asyncio.run(server(root, "up").read())


def test_pods_are_replicas_and_a_new_one_takes_the_place_of_the_old():
    rounds = [
        vector((pod("api-a"), 100), (pod("api-b"), 200), (pod("db-0", "db"), 300)),
        vector((pod("api-c"), 110), (pod("api-b"), 210), (pod("db-0", "db"), 310)),
    ]
    answers = iter(rounds)
    with answering(lambda *_: (200, next(answers))) as root:
        source = server(root, "m")
        first = asyncio.run(source.read())
        second = asyncio.run(source.read())
    assert {(seen.workload.name, seen.replica): seen.reading.rss for seen in first} == {
        ("shop/api/app", "0"): 100,
        ("shop/api/app", "1"): 200,
        ("shop/db/app", "0"): 300,
    }
    events = {(seen.workload.name, seen.replica): [event.what for event in seen.events] for seen in second}
    assert events == {("shop/api/app", "0"): ["restart"], ("shop/api/app", "1"): [], ("shop/db/app", "0"): []}


def test_limits_are_joined_and_what_is_no_number_is_left_out():
    def answer(path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        if "limits" in path:
            return 200, vector((pod("api-a"), 1000), (pod("api-b"), "+Inf"))
        return 200, vector((pod("api-a"), 100), (pod("api-b"), 200), (pod("api-c"), "NaN"))

    with answering(answer) as root:
        seen = asyncio.run(server(root, "m", limit_query="limits").read())
    assert [(one.reading.rss, one.limit) for one in seen] == [(100, 1000), (200, None)]
    assert [[(event.what, event.limit) for event in one.events] for one in seen] == [[("limit", 1000)], []]


def test_a_token_is_sent_and_never_said():
    def answer(path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        return (200, vector()) if headers.get("authorization") == "Bearer good" else (403, b"no")

    with answering(answer) as root:
        asked = Asked(root, {"Authorization": "Bearer good"})
        assert asyncio.run(Server(asked, Client(), "m").read()) == []
        with pytest.raises(CaulkError, match="403") as raised:
            asyncio.run(Server(Asked(root, {"Authorization": "Bearer hush"}), Client(), "m").read())
    assert "hush" not in str(raised.value) + repr(asked)
