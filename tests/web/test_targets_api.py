"""One workload over HTTP: what is known of it, memory over time, comparisons, kinds, plans."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from fleet_site import API, HOUR, MB, Watched, at

from caulk.model.incident import Moment
from caulk.model.judgement import Event
from caulk.model.target import Target


@pytest.fixture
def python() -> Iterator[Target]:
    """A program that holds 40 MB, and that nobody prepared for captures."""
    code = "import time; held = bytearray(40 << 20); print('ready', flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield Target("local", f"pid:{process.pid}", "python")
        process.kill()


def test_all_that_happened_to_a_workload_is_on_its_page(watched: Watched):
    watched.see(100, HOUR, events=(Event(watched.now - HOUR, "limit", 512 * MB),), limit=512 * MB)
    watched.see(110, 60.0, events=(Event(watched.now - 70, "oom"),), limit=512 * MB)
    watched.see(90, replica="1", limit=512 * MB)
    opened = watched.incident()
    answer = watched.get(f"/api/t/{at(API)}")
    assert answer["row"]["key"] == API
    assert [(one["name"], one["memory_bytes"], one["limit_bytes"]) for one in answer["replicas"]] == [
        ("0", 110 * MB, 512 * MB),
        ("1", 90 * MB, 512 * MB),
    ]
    assert [(one["what"], one["replica"], one["limit"]) for one in answer["events"]] == [
        ("oom", "0", 0),
        ("limit", "0", 512 * MB),
    ]
    assert answer["judgement"]["state"] == "unknown"
    assert [said["state"] for said in answer["judgements"]] == ["unknown"]
    assert [(one["id"], one["rule"]) for one in answer["incidents"]] == [(opened.id, "leak")]
    assert answer["dumps"] == []


@pytest.mark.parametrize("key", ["cgroup:/a/memory", "cgroup:/a/../b", "local:0:/x y:ä%2F", "k/plan"])
def test_a_key_may_hold_anything_that_an_address_can(watched: Watched, key: str):
    watched.see(100, key="cgroup:/a")
    watched.see(70, key=key)
    assert watched.get(f"/api/t/{at(key)}")["row"]["memory_bytes"] == 70 * MB
    assert watched.get(f"/api/t/{at(key)}/memory")["replicas"][0]["rss"] == [80 * MB]


def test_what_nobody_knows_is_not_found(watched: Watched):
    for path in ("", "/memory", "/kinds", "/plan", "/compare?a=1,2&b=3,4"):
        assert "nobody" in watched.get(f"/api/t/nobody{path}", 404)["what"]


def test_a_workload_that_is_gone_is_shown_as_it_was_last_judged(watched: Watched):
    watched.leak(12)
    watched.loop.fleet.forget(watched.now + 48 * HOUR)
    answer = watched.get(f"/api/t/{at(API)}")
    assert (answer["row"]["replicas"], answer["row"]["state"]) == (0, "unknown")
    assert answer["judgement"]["state"] == "leaking"
    assert answer["row"]["read_at"].endswith("Z")
    assert watched.get(f"/api/t/{at(API)}/memory")["replicas"]
    assert "does not run" in watched.get(f"/api/t/{at(API)}/plan", 404)["what"]


def test_a_curve_of_few_points_keeps_its_lowest_and_its_highest(watched: Watched):
    for number in range(200):
        watched.see(500 if number == 77 else 20 if number == 99 else 100, 3000 - number * 15)
    (curve,) = watched.get(f"/api/t/{at(API)}/memory?points=20")["replicas"]
    assert len(curve["times"]) <= 20
    assert {len(curve[name]) for name in ("rss", "anonymous", "file", "shared", "heap")} == {len(curve["times"])}
    assert max(curve["anonymous"]) == 500 * MB
    assert min(curve["anonymous"]) == 20 * MB
    assert curve["times"] == sorted(curve["times"])
    assert set(curve["heap"]) == {None}


def test_a_stretch_of_time_is_shown_and_nothing_beside_it(watched: Watched):
    for minute in range(30):
        watched.see(100 + minute, (30 - minute) * 60.0)
    begin, end = watched.now - 20 * 60, watched.now - 10 * 60
    answer = watched.get(f"/api/t/{at(API)}/memory?begin={begin:.0f}&end={end:.0f}")
    assert all(int(begin) <= time <= end for time in answer["replicas"][0]["times"])
    assert len(answer["replicas"][0]["times"]) in (10, 11)
    assert "begin" in watched.get(f"/api/t/{at(API)}/memory?begin={end:.0f}&end={begin:.0f}", 400)["what"]


def test_only_what_leaks_has_a_forecast_and_that_is_its_judgements(watched: Watched):
    watched.see(100, key="k:steady")
    assert watched.get("/api/t/k%3Asteady/memory")["forecast"] is None
    watched.leak(12, limit=1 << 30)
    answer = watched.get(f"/api/t/{at(API)}/memory")
    forecast, judged = answer["forecast"], watched.get(f"/api/t/{at(API)}")["judgement"]
    assert answer["limit"] == 1 << 30
    assert [round(forecast[name] * 3600) for name in ("low_per_s", "high_per_s")] == [
        round(rate) for rate in judged["growth_interval"]
    ]
    assert forecast["bytes"] == 820 * MB
    assert forecast["from"] == pytest.approx(watched.now, abs=1)


def test_two_stretches_are_compared_by_floor_and_growth_of_a_replica(watched: Watched):
    for minute in range(120):
        growth = max(minute - 60, 0)
        for replica in ("0", "1"):
            watched.see(100 + growth, (120 - minute) * 60.0, replica=replica)
    hour, now = watched.now - HOUR, watched.now
    answer = watched.get(f"/api/t/{at(API)}/compare?a={hour - HOUR:.0f},{hour:.0f}&b={hour:.0f},{now:.0f}")
    assert (answer["a"]["replicas"], answer["b"]["replicas"]) == (2, 2)
    assert answer["a"]["mean_bytes"] == 100 * MB
    assert answer["a"]["growth_bytes_per_hour"] == 0
    assert 55 * MB < answer["b"]["growth_bytes_per_hour"] < 65 * MB
    assert answer["difference"]["growth_bytes_per_hour"] == answer["b"]["growth_bytes_per_hour"]
    assert answer["b"]["parts"]["heap"] is None
    assert answer["b"]["most_bytes"] == 159 * MB
    empty = watched.get(f"/api/t/{at(API)}/compare?a=1,2&b={hour:.0f},{now:.0f}")
    assert (empty["a"]["readings"], empty["a"]["mean_bytes"], empty["difference"]["mean_bytes"]) == (0, None, None)


@pytest.mark.parametrize("asked", ["a=1,2", "a=1,2&b=3", "a=x,2&b=3,4", "a=1,2&b=3,4&c=5", "a=1,2&a=1,2&b=3,4"])
def test_a_comparison_that_is_not_of_two_stretches_is_refused(watched: Watched, asked: str):
    watched.see(100)
    assert watched.get(f"/api/t/{at(API)}/compare?{asked}", 400)["what"]


def test_the_kinds_of_memory_of_a_program_are_those_that_the_kernel_tells(watched: Watched, python: Target):
    watched.see(50, target=python, runtime="cpython")
    answer = watched.get(f"/api/t/{at(API)}/kinds")
    assert (answer["schema"], answer["target"], answer["replica"]) == ("caulk.memory/1", python.reference, "0")
    assert sum(piece["size"] for piece in answer["slices"]) >= 40 * MB
    assert answer["advice"]["sentences"]
    assert "no replica 'x'" in watched.get(f"/api/t/{at(API)}/kinds?replica=x", 404)["what"]


def test_a_plan_says_of_each_way_what_it_costs_or_what_it_needs(watched: Watched, python: Target):
    watched.see(50, target=python, runtime="cpython")
    plan = watched.get(f"/api/t/{at(API)}/plan")
    offers = {offer["method"]: offer for offer in plan["offers"]}
    assert plan["target"] == python.reference
    assert (offers["probe:graph"]["as"], offers["probe:graph"]["standing"]) == ("heap", "needs")
    assert "caulk-probe" in offers["probe:graph"]["fix"]
    assert offers["gdb:graph"]["pause_s"] > 0
    assert offers["gdb:graph"]["obstacles"]
    assert not offers["gdb:graph"]["is_open"]
    assert plan["fixes"]
    assert plan["chosen"] is None
    assert plan["budget"] == {"left": 6, "of": 6, "window_s": 600.0}
    assert "nothing-like-it" in watched.get(f"/api/t/{at(API)}/plan?as=nothing-like-it", 400)["what"]


def test_a_source_that_names_no_target_says_so(watched: Watched):
    from caulk.model.series import Reading
    from caulk.model.watching import Observation, Workload

    watched.loop.fleet.add(Observation(Workload("prometheus:x", "x"), "0", Reading(watched.now, MB, MB)))
    assert "names no target" in watched.get("/api/t/prometheus%3Ax/plan", 409)["what"]
    assert not watched.get("/api/t/prometheus%3Ax")["row"]["is_capturable"]


def test_a_dump_is_listed_with_the_workload_that_an_incident_took_it_of(watched: Watched):
    from test_fleet_api import captured

    watched.see(100)
    number = captured(watched, reference="k8s:shop/pod/gone", name="gone")
    watched.site.kept.stock(is_new=True)
    assert watched.get(f"/api/t/{at(API)}")["dumps"] == []
    incident = watched.incident()
    watched.incidents.add(incident.id, Moment(watched.now, "captured", "taken", "a", 1, capture=number))
    watched.site.kept.stock(is_new=True)
    (dump,) = watched.get(f"/api/t/{at(API)}")["dumps"]
    assert (dump["id"], dump["state"], dump["size_bytes"], dump["suspect"]) == (number, "complete", 1000, None)
