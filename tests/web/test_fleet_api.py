"""The fleet over HTTP: a row a workload, made once a turn of the loop; the last day of each in few points."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from fleet_site import API, HOUR, MB, Watched, at

from caulk.model.capture import Captured, Manifest
from caulk.model.incident import Moment
from caulk.model.records import Finding
from caulk.model.target import Target
from caulk.watch.fleet import Fleet
from caulk.web.pulse import pulse

OTHER = "k8s:shop/deploy/web/app"


def finding(title: str) -> Finding:
    return Finding(1, "collection", title, 10, 0, 0.5, 3, fingerprint="sha256:1")


def captured(watched: Watched, name: str = "app", reference: str = "k8s:shop/pod/app-0") -> str:
    target = Captured("kubernetes", "go", name, reference)
    draft = watched.site.captures.begin(Manifest(target=target, format="pprof", taken_at="2026-01-01T00:00:00Z"), ".pb")
    draft.write(b"0" * 1000)
    return draft.keep().manifest.id


def test_a_row_says_what_is_known_of_a_workload(watched: Watched):
    watched.see(300, limit=400 * MB)
    watched.see(100, limit=400 * MB, replica="1")
    answer = watched.get("/api/fleet")
    (row,) = answer["rows"]
    assert (row["key"], row["name"], row["runtime"], row["place"]) == (API, "app", "go", "kubernetes")
    assert (row["namespace"], row["replicas"], row["memory_bytes"]) == ("shop", 2, 400 * MB)
    assert (row["limit_bytes"], row["share"], row["state"]) == (400 * MB, 0.75, "unknown")
    assert row["is_capturable"]
    assert row["last_dump"] is None
    assert answer["is_live"]


@pytest.mark.parametrize(("place", "is_capturable"), [("kubernetes", True), ("docker", True), ("local", False)])
def test_a_runtime_that_nobody_knows_yet_is_found_out_where_a_capture_is_asked_for(
    watched: Watched, place: str, is_capturable: bool
):
    watched.see(100, runtime="", target=Target(place, f"{place}:app", "app"))
    assert watched.get("/api/fleet")["rows"][0]["is_capturable"] is is_capturable


def test_a_leak_is_a_row_with_growth_its_interval_and_the_time_that_is_left(watched: Watched):
    watched.leak(12, limit=1 << 30)
    (row,) = watched.get("/api/fleet")["rows"]
    assert row["state"] == "leaking"
    low, high = row["growth_interval"]
    assert low <= row["growth_bytes_per_hour"] <= high
    assert 55 * MB < low < 65 * MB
    assert row["time_to_limit_s"] > HOUR
    assert row["why"]
    assert row["since"].endswith("Z")


def test_rows_are_made_once_for_all_who_ask_until_the_loop_reads_again(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
):
    made = 0

    def counted(fleet: Fleet) -> Any:
        nonlocal made
        made += 1
        return real(fleet)

    real: Callable[[Fleet], Any] = Fleet.rows
    monkeypatch.setattr(Fleet, "rows", counted)
    monkeypatch.setattr("caulk.web.fleet._SHARE", 1e9)
    watched.see(100)
    assert [watched.get("/api/fleet")["rows"][0]["memory_bytes"] for _ in range(3)] == [100 * MB] * 3
    assert made == 1
    watched.see(200)
    assert watched.get("/api/fleet")["rows"][0]["memory_bytes"] == 200 * MB
    assert made == 2


def test_the_newest_dump_of_a_workload_is_shown_with_what_was_found_in_it(watched: Watched):
    watched.see(100)
    watched.see(100, key=OTHER)
    captured(watched)
    newest = captured(watched)
    incident = watched.incident()
    watched.incidents.add(incident.id, Moment(watched.now, "captured", "taken", "a", 1, capture=newest))
    watched.incidents.add(incident.id, Moment(watched.now, "analysed", "x", "b", 2, findings=(finding("a map grows"),)))
    watched.site.kept.stock(is_new=True)
    rows = {row["key"]: row for row in watched.get("/api/fleet")["rows"]}
    assert rows[API]["last_dump"] == {"id": newest, "taken_at": "2026-01-01T00:00:00Z", "suspect": "a map grows"}


def test_a_process_of_another_name_does_not_inherit_the_dumps_of_its_number(watched: Watched):
    watched.see(100)
    captured(watched, name="somebody else")
    watched.site.kept.stock(is_new=True)
    assert watched.get("/api/fleet")["rows"][0]["last_dump"] is None


def test_a_disk_that_cannot_be_read_for_a_moment_leaves_the_fleet_as_it_was(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
):
    watched.see(100)
    captured(watched)
    assert watched.site.kept.stock(is_new=True).entries

    def away(*_: object) -> None:
        raise FileNotFoundError("a capture that is just being deleted")

    with monkeypatch.context() as patch:
        patch.setattr(type(watched.site.captures), "all", away)
        captured(watched)
        assert len(watched.site.kept.stock(is_new=True).entries) == 1
        assert watched.get("/api/fleet")["disk"]["count"] == 1
    assert len(watched.site.kept.stock(is_new=True).entries) == 2


def test_alerts_are_the_incidents_that_go_on(watched: Watched):
    watched.incident("web", key=OTHER)
    over = watched.incident()
    watched.incidents.add(over.id, Moment(watched.now, "closed", "it is over", "closed"))
    watched.site.kept.stock(is_new=True)
    assert [(alert["workload"], alert["rule"]) for alert in watched.get("/api/fleet")["alerts"]] == [(OTHER, "leak")]


def test_sources_say_how_they_do_and_disks_what_they_have(watched: Watched):
    watched.loop.health[0].why = "nobody answers"
    captured(watched)
    watched.site.kept.stock(is_new=True)
    answer = watched.get("/api/fleet")
    assert answer["sources"] == [{"name": "k8s:shop", "is_well": False, "why": "nobody answers"}]
    assert answer["disk"]["count"] == 1
    assert answer["disk"]["used_bytes"] > 1000
    assert answer["disk"]["free_bytes"] > 0
    assert answer["disk"]["quota_bytes"] is None


def test_the_last_day_has_a_point_for_each_quarter_of_an_hour(watched: Watched):
    for minute in range(0, 6 * 60, 5):
        watched.see(100 + minute % 60, (6 * 60 - minute) * 60.0)
    spark = watched.get(f"/api/sparks?key={at(API)}")["rows"][API]
    assert (spark["step_s"], len(spark["values"]), len(spark["floor"])) == (900, 96, 96)
    known = [value for value in spark["values"] if value]
    assert spark["values"][:70] == [None] * 70
    assert len(known) in (24, 25)
    # What is given back within the hour is not in the floor.
    assert {floor for floor in spark["floor"][-16:] if floor} == {100 * MB}
    assert max(known) == 155 * MB


def test_what_is_younger_than_an_hour_has_a_point_a_minute_and_replicas_are_added(watched: Watched):
    for minute in range(10):
        watched.see(100, (10 - minute) * 60.0)
        watched.see(50, (10 - minute) * 60.0, replica="1")
    spark = watched.get(f"/api/sparks?key={at(API)}&key=nobody")["rows"]
    assert list(spark) == [API]
    assert spark[API]["step_s"] == 60
    assert {value for value in spark[API]["values"] if value} == {150 * MB}


def test_no_more_than_a_hundred_workloads_are_drawn_at_once(watched: Watched):
    keys = "&".join(f"key=k{number}" for number in range(101))
    assert "100" in watched.get(f"/api/sparks?{keys}", 400)["what"]
    assert watched.get(f"/api/sparks?{keys.rpartition('&')[0]}")["rows"] == {}


def test_pages_hear_of_readings_incidents_and_captures(watched: Watched, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("caulk.web.pulse._BEAT_S", 0.01)
    monkeypatch.setattr("caulk.web.kept._FRESH_S", 0.0)
    watched.site.kept.stock(is_new=True)

    async def heard() -> dict[str, Any]:
        telling = asyncio.create_task(pulse(watched.site))
        await asyncio.sleep(0)
        found: dict[str, Any] = {}
        async for message in watched.site.events.listen():
            if message.startswith(b":"):
                watched.see(100)
                continue
            if not found:
                # By now it knows how things were.
                watched.incident()
                captured(watched)
            event, data = message.decode().strip().split("\n")
            found.setdefault(event.removeprefix("event: "), json.loads(data.removeprefix("data: ")))
            if len(found) == 3:
                break
        telling.cancel()
        with suppress(asyncio.CancelledError):
            await telling
        return found

    found = asyncio.run(asyncio.wait_for(heard(), 60))
    assert found["incident"] == {"id": "20260101T000000Z-api-abcdef"}
    assert found["capture"]["target"] == "k8s:shop/pod/app-0"
    assert found["fleet"]["at"].endswith("Z")
