"""Captures over HTTP: taken as a job behind the guard of `caulk capture`, listed with what they take, deleted."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fleet_site import API, Watched, at
from test_fleet_api import captured

from caulk.capture.offers import Offer
from caulk.model.incident import Moment
from caulk.model.target import Target

CODE = "global.held = Array.from({length: 2e4}, (_, i) => ({ticket: i}));console.log('ready'); setInterval(()=>0,1e9)"


@pytest.fixture
def program(node: str, tmp_path: Path) -> Iterator[Target]:
    """A Node.js program, of which a heap can be had."""
    with subprocess.Popen([node, "-e", CODE], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield Target("local", f"pid:{process.pid}", "node")
        process.kill()


def audit(watched: Watched) -> list[Any]:
    file = watched.site.home / "audit.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def guarded(monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    """Lets a guard stand against whatever is offered."""
    from caulk.web import taking

    real = taking.offers

    def with_obstacle(*of: Any) -> list[Offer]:
        return [replace(offer, obstacles=(why,)) if offer.is_open else offer for offer in real(*of)]

    monkeypatch.setattr(taking, "offers", with_obstacle)


def test_a_capture_of_a_real_program_is_a_job_that_ends_with_a_dump_to_open(watched: Watched, program: Target):
    watched.see(50, target=program, runtime="node")
    began = watched.send("POST", f"/api/t/{at(API)}/captures", {"as": "heap"}, 202)
    assert (began["kind"], began["schema"]) == ("capture", "caulk.job/1")
    job = watched.job(began)
    assert job["state"] == "done", job
    number = job["result"]["id"]
    (dump,) = watched.get(f"/api/t/{at(API)}")["dumps"]
    assert (dump["id"], dump["format"], dump["state"]) == (number, "heapsnapshot", "complete")
    (row,) = watched.get("/api/captures")["captures"]
    assert (row["id"], row["workload"], row["complete"]) == (number, {"key": API, "name": "app"}, True)
    assert row["disk_bytes"] >= row["size_bytes"] > 100_000
    assert watched.get("/api/fleet")["rows"][0]["last_dump"]["id"] == number
    assert watched.get(f"/api/t/{at(API)}/plan")["budget"]["left"] == 5
    assert [(line["action"], line["of"]) for line in audit(watched)] == [("capture", API)]


def test_a_second_request_is_given_the_capture_that_is_being_taken(watched: Watched, program: Target):
    watched.see(50, target=program, runtime="node")
    first, second = (watched.send("POST", f"/api/t/{at(API)}/captures", {}, 202) for _ in range(2))
    assert watched.job(first)["state"] == "done"
    if first["id"] == second["id"]:
        assert len(watched.get("/api/captures")["captures"]) == 1
    else:
        assert watched.job(second)["state"] == "done"


def test_what_a_guard_refuses_is_refused_with_its_figures_and_taken_when_forced(
    watched: Watched, program: Target, monkeypatch: pytest.MonkeyPatch
):
    guarded(monkeypatch, "it needs 80 MB of memory in the target, and 12 MB of the limit of 64 MB are free")
    watched.see(50, target=program, runtime="node")
    refused = watched.send("POST", f"/api/t/{at(API)}/captures", {"as": "heap"}, 409)
    assert "80 MB" in refused["what"]
    assert "12 MB" in refused["what"]
    assert "force" in refused["hint"]
    assert watched.get("/api/jobs")["jobs"] == []
    job = watched.job(watched.send("POST", f"/api/t/{at(API)}/captures", {"as": "heap", "force": True}, 202))
    assert job["state"] == "done", job
    assert any("although it needs 80 MB" in line for line in job["log"])
    assert [line["asked"] for line in audit(watched)] == [{"as": "heap"}, {"as": "heap", "force": True}]


def test_what_cannot_work_is_refused_however_it_is_asked_for(watched: Watched, program: Target):
    watched.see(50, target=program, runtime="node")
    for body in ({"as": "no-such-way"}, {"as": "heap", "replica": "none"}, {"as": 5}, {"with": "love"}):
        answer = watched.browser.request(
            "POST",
            f"/api/t/{at(API)}/captures",
            headers={"X-Caulk": "1", "Origin": "http://127.0.0.1:8082"},
            json=body,
        )
        assert answer.status_code in (400, 404), body
        assert answer.json()["what"]


def test_a_program_that_is_gone_fails_the_request_and_not_the_server(watched: Watched):
    watched.see(50, target=Target("local", "pid:4194303", "gone"), runtime="node")
    answer = watched.send("POST", f"/api/t/{at(API)}/captures", {}, 502)
    assert answer["what"]


def test_a_capture_is_of_the_workload_whose_incident_took_it(watched: Watched):
    number = captured(watched, name="a pod that is gone")
    incident = watched.incident()
    watched.incidents.add(incident.id, Moment(watched.now, "captured", "taken", "a", 1, capture=number))
    watched.site.kept.stock(is_new=True)
    (row,) = watched.get("/api/captures")["captures"]
    assert (row["workload"], row["incident"]) == ({"key": API, "name": "api"}, incident.id)


def test_a_deleted_capture_is_gone_from_everywhere_and_who_did_it_is_noted(watched: Watched):
    number = captured(watched)
    watched.site.kept.stock(is_new=True)
    before = watched.get("/api/captures")["disk"]["used_bytes"]
    gone = watched.send("DELETE", f"/api/captures/{number}")
    assert gone == {"schema": "caulk.deleted/1", "id": number, "freed_bytes": before}
    assert watched.get("/api/captures")["captures"] == []
    assert watched.get("/api/captures")["disk"]["used_bytes"] == 0
    assert not (watched.site.home / "captures" / number).exists()
    assert [(line["action"], line["of"]) for line in audit(watched)] == [("delete", number)]
    assert number in watched.send("DELETE", f"/api/captures/{number}", status=404)["what"]


@pytest.mark.parametrize("number", ["..", "%2e%2e", "..%2f..%2fetc", "blobs", "locks", "latest", "%00"])
def test_no_name_but_that_of_a_capture_deletes_anything(watched: Watched, number: str):
    captured(watched)
    before = sorted(path.name for path in watched.site.home.rglob("*"))
    headers = {"X-Caulk": "1", "Origin": "http://127.0.0.1:8082"}
    assert watched.browser.request("DELETE", f"/api/captures/{number}", headers=headers).status_code in (400, 404, 405)
    assert sorted(path.name for path in watched.site.home.rglob("*")) == before


def test_a_captures_file_is_given_as_it_is_kept_and_that_is_noted(watched: Watched):
    number = captured(watched)
    answer = watched.browser.get(f"/captures/{number}/file")
    assert answer.content == b"0" * 1000
    assert number in answer.headers["content-disposition"]
    assert [(line["action"], line["of"]) for line in audit(watched)] == [("download", number)]


def test_a_dump_that_was_captured_meanwhile_can_be_opened(watched: Watched, program: Target):
    watched.see(50, target=program, runtime="node")
    job = watched.job(watched.send("POST", f"/api/t/{at(API)}/captures", {"as": "heap"}, 202))
    number = job["result"]["id"]
    assert watched.read(number)["ids"] == [number]


def test_cost_is_told_before_anything_is_done(watched: Watched, program: Target):
    watched.see(50, target=program, runtime="node")
    plan = watched.get(f"/api/t/{at(API)}/plan?as=heap")
    assert plan["chosen"] == "heap"
    heap = next(offer for offer in plan["offers"] if offer["as"] == "heap")
    assert heap["is_open"]
    assert heap["pause_s"] > 0
    assert heap["size_bytes"] > 100_000
    assert watched.get("/api/captures")["captures"] == []
