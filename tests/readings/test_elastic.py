"""Elastic APM's metric sets: saved answers, and a server that is asked."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest
from servers import answering

from caulk.model.errors import CaptureFailed, MalformedDump
from caulk.readings.elastic import Server, seen_in
from caulk.readings.http import Asked, Client

NODE = {
    "@timestamp": "2026-11-21T10:00:00.000Z",
    "agent": {"name": "nodejs"},
    "service": {"name": "shop", "environment": "prod", "version": "1.2", "node": {"name": "shop-0"}},
    "process": {"pid": 7},
    "system": {"process": {"memory": {"rss": {"bytes": 300_000_000}, "size": 1_200_000_000}}},
    "nodejs": {"memory": {"heap": {"used": {"bytes": 200_000_000}, "allocated": {"bytes": 250_000_000}}}},
}


def answer(*documents: Mapping[str, Any]) -> bytes:
    return json.dumps({"took": 1, "hits": {"hits": [{"_index": "m", "_source": one} for one in documents]}}).encode()


def test_a_document_of_the_node_agent():
    (seen,) = seen_in(answer(NODE))
    assert (seen.workload.key, seen.workload.name, seen.workload.runtime) == ("elastic:prod/shop", "shop", "node")
    assert seen.identity == "shop-0/7"
    assert (seen.reading.rss, seen.reading.heap) == (300_000_000, 200_000_000)
    assert seen.reading.at == 1795255200


def test_names_with_dots_are_the_same():
    flat = {
        "@timestamp": "2026-11-21T10:00:00Z",
        "agent.name": "java",
        "service.name": "api",
        "jvm.memory.heap.used": 5e8,
        "system.process.memory.rss.bytes": 9e8,
        "system.process.cgroup.memory.mem.limit.bytes": 1e9,
    }
    (seen,) = seen_in(answer(flat))
    assert seen.workload.runtime == "jvm"
    assert (seen.reading.rss, seen.reading.heap, seen.life.limit) == (900_000_000, 500_000_000, 1_000_000_000)


def test_the_documents_of_one_look_are_one_reading_and_come_oldest_first():
    later = {**NODE, "@timestamp": "2026-11-21T10:00:30Z"}
    apart = {key: value for key, value in NODE.items() if key != "nodejs"}
    heap = {key: value for key, value in NODE.items() if key != "system"}
    found = seen_in(answer(later, apart, heap))
    assert [one.reading.at for one in found] == [1795255200, 1795255230]
    assert (found[0].reading.rss, found[0].reading.heap) == (300_000_000, 200_000_000)


def test_what_says_nothing_of_memory_is_left_out():
    assert (
        seen_in(answer({"@timestamp": "2026-11-21T10:00:00Z", "service": {"name": "x"}}, {}, {"@timestamp": 5})) == []
    )


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b'{"hits": {"hits": [1]}}'])
def test_what_is_no_answer_is_said_to_be_none(text: bytes):
    with pytest.raises(MalformedDump, match="no answer of Elastic"):
        seen_in(text)


def test_a_server_is_asked_for_its_newest_and_tells_each_once():
    asked: list[tuple[str, Any]] = []
    later = {
        **NODE,
        "@timestamp": "2026-11-21T10:00:30Z",
        "process": {"pid": 8},
        "service": {**NODE["service"], "version": "1.3"},
    }  # type: ignore[dict-item]
    rounds = [answer(NODE), answer(NODE), answer(later)]

    def reply(path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        asked.append((path, json.loads(body)))
        return 200, rounds[len(asked) - 1]

    with answering(reply) as root:
        source = Server(Asked(root), Client(), index="metrics-*", service="sh*", window_s=60)
        first, again, third = (list(asyncio.run(source.read())) for _ in range(3))
    assert [path for path, _ in asked] == ["/metrics-*/_search"] * 3
    assert {"wildcard": {"service.name": {"value": "sh*"}}} in asked[0][1]["query"]["bool"]["filter"]
    assert [seen.reading.at for seen in first] == [1795255200]
    assert again == []
    # Another process in its place, of another version.
    assert [(seen.replica, [event.what for event in seen.events]) for seen in third] == [("0", ["deploy"])]


def test_a_server_that_answers_something_else_is_named():
    with answering(lambda *_: (200, b"{}")) as root, pytest.raises(CaptureFailed, match=root):
        asyncio.run(Server(Asked(root), Client()).read())
