"""Incidents over HTTP: listed, told with how it is now, written to, closed, and exported as files that stand alone."""

import re
from dataclasses import asdict
from typing import Any

import pytest
from fleet_site import API, HOUR, MB, Watched

from caulk.model.incident import Moment
from caulk.model.judgement import Judgement
from caulk.model.records import Finding, StackFrame, Verdict
from caulk.watch.telling import document, markdown
from caulk.web.incident_page import policy

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def finding(title: str = "`Cart.sessions` grows", fingerprint: str = "sha256:one", **more: Any) -> Finding:
    return Finding(
        1,
        "collection",
        title,
        30 * MB,
        0,
        0.6,
        412_000,
        holder="Cart.sessions",
        stack=(StackFrame("main.put", "cart.go", 88),),
        location="cart.go:88",
        confidence=0.9,
        evidence=("it grew in 3 of 3 dumps",),
        fingerprint=fingerprint,
        **more,
    )


def analysed(watched: Watched, number: str, *found: Finding, key: str = "analysed") -> None:
    verdict = Verdict("leaking", found[0].title, 0.9)
    moment = Moment(watched.now - 60, "analysed", "leaking: it grows", key, 5, verdict=verdict, findings=found)
    assert watched.incidents.add(number, moment)


def test_incidents_are_listed_by_state_and_workload_the_newest_first(watched: Watched):
    first = watched.incident("old", opened_at=watched.now - 5 * HOUR)
    second = watched.incident("new", key="k:web")
    watched.send("POST", f"/api/i/{first.id}/close", {"note": "fixed in 2.3"})
    rows = watched.get("/api/incidents")["incidents"]
    assert [(row["id"], row["state"]) for row in rows] == [(second.id, "open"), (first.id, "closed")]
    assert [row["id"] for row in watched.get("/api/incidents?state=open")["incidents"]] == [second.id]
    assert [row["id"] for row in watched.get("/api/incidents?state=closed")["incidents"]] == [first.id]
    assert [row["id"] for row in watched.get("/api/incidents?workload=k%3Aweb")["incidents"]] == [second.id]
    assert len(watched.get("/api/incidents?limit=1")["incidents"]) == 1
    assert "state" in watched.get("/api/incidents?state=odd", 400)["what"]


def test_an_incident_is_told_as_the_command_tells_it_with_how_it_is_now_and_others_like_it(watched: Watched):
    watched.leak(12)
    one, other, stranger = (watched.incident(name) for name in ("one", "other", "stranger"))
    for incident in (one, other):
        analysed(watched, incident.id, finding())
    analysed(watched, stranger.id, finding(fingerprint="sha256:two"))
    answer = watched.get(f"/api/i/{one.id}")
    told = document(watched.incidents.get(one.id))
    assert {name: answer[name] for name in ("schema", "id", "rule", "why", "fingerprint", "timeline", "captures")} == {
        name: told[name] for name in ("schema", "id", "rule", "why", "fingerprint", "timeline", "captures")
    }
    assert answer["headline"] == "one: `Cart.sessions` grows"
    assert [row["id"] for row in answer["similar"]] == [other.id]
    assert answer["judgement"]["why"] == "the floor rises"
    assert answer["now"]["state"] == "leaking"
    assert answer["findings"][0]["location"] == "cart.go:88"


def test_what_people_write_is_part_of_what_happened(watched: Watched):
    incident = watched.incident()
    answer = watched.send("POST", f"/api/i/{incident.id}/notes", {"text": "rolled back to 9f2b"})
    assert [(one["what"], one["text"]) for one in answer["timeline"]] == [("note", "rolled back to 9f2b")]
    again = watched.send("POST", f"/api/i/{incident.id}/notes", {"text": "rolled back to 9f2b"})
    assert len(again["timeline"]) == 2
    for body in ({}, {"text": ""}, {"text": "x" * 10_001}, {"text": 1}, {"text": "x", "more": 1}):
        assert watched.send("POST", f"/api/i/{incident.id}/notes", body, 400)["what"]


def test_an_incident_is_closed_once_and_says_why(watched: Watched):
    incident = watched.incident()
    answer = watched.send("POST", f"/api/i/{incident.id}/close", {"note": "the limit was raised"})
    assert answer["closed_at"].endswith("Z")
    assert answer["timeline"][-1]["text"] == "closed by hand: the limit was raised"
    assert "closed already" in watched.send("POST", f"/api/i/{incident.id}/close", {}, 400)["what"]


@pytest.mark.parametrize("path", ["", "/report.md", "/report.html", "/report.json"])
def test_an_incident_that_nobody_knows_is_not_found(watched: Watched, path: str):
    root = "/api" if not path else ""
    assert "nobody" in watched.get(f"{root}/i/nobody{path}", 404)["what"]


def test_files_hold_what_the_commands_export(watched: Watched):
    incident = watched.incident()
    analysed(watched, incident.id, finding())
    kept = watched.incidents.get(incident.id)
    text = watched.browser.get(f"/i/{incident.id}/report.md")
    assert text.text == markdown(kept)
    assert text.headers["content-type"].startswith("text/markdown")
    assert f"caulk-{incident.id}.md" in text.headers["content-disposition"]
    record = watched.browser.get(f"/i/{incident.id}/report.json").json()
    assert (record["id"], record["findings"][0]["title"]) == (incident.id, "`Cart.sessions` grows")


def test_the_page_in_one_file_has_no_script_and_asks_nobody(watched: Watched):
    watched.leak(3)
    incident = watched.incident("shop", judgement=Judgement("shop", "leaking", "the floor rises", evidence=("a", "b")))
    analysed(watched, incident.id, finding())
    watched.send("POST", f"/api/i/{incident.id}/notes", {"text": "rolled back"})
    answer = watched.browser.get(f"/i/{incident.id}/report.html")
    page = answer.text
    assert answer.headers["content-security-policy"] == policy()
    assert "script-src" not in policy()
    assert not re.search(r"<script|<link|src=|@import|url\(|https?://", page)
    for said in ("Cart.sessions", "cart.go:88", "the floor rises", "rolled back", "Memory over time", "What happened"):
        assert said in page
    assert "<polyline" in page
    assert len(page.encode()) < 2_000_000


def test_whatever_a_dump_calls_its_types_is_text_in_the_page(watched: Watched):
    incident = watched.incident("shop", why=HOSTILE, replica=HOSTILE)
    analysed(watched, incident.id, finding(HOSTILE, path=(HOSTILE,)))
    watched.send("POST", f"/api/i/{incident.id}/notes", {"text": HOSTILE})
    page = watched.browser.get(f"/i/{incident.id}/report.html").text
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page


def test_a_page_of_an_incident_that_went_on_for_weeks_still_fits_into_a_mail(watched: Watched):
    incident = watched.incident()
    for number in range(400):
        moment = Moment(watched.now + number, "looked", "x" * 2000, f"k{number}", 3, details=("y" * 2000,) * 5)
        watched.incidents.add(incident.id, moment)
    page = watched.browser.get(f"/i/{incident.id}/report.html").text
    assert len(page.encode()) <= 2_000_000
    assert re.search(r"[0-9]+ earlier ones are not shown", page)


def test_a_database_that_is_away_is_said_and_leaves_the_fleet_as_it_is(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
):
    import sqlalchemy as sa

    watched.see(100)
    watched.incident("web", key="k:web")

    def away(*_: object, **__: object) -> None:
        raise sa.exc.OperationalError("SELECT", {}, Exception("the server closed the connection"))

    for name in ("find", "get", "counted", "add"):
        monkeypatch.setattr(watched.incidents, name, away)
    assert "does not answer" in watched.get("/api/incidents", 502)["what"]
    assert watched.send("POST", "/api/i/x/notes", {"text": "a"}, 502)["hint"]
    watched.site.kept.stock(is_new=True)
    assert [row["key"] for row in watched.get("/api/fleet")["rows"]] == [API]
    assert [alert["workload"] for alert in watched.get("/api/fleet")["alerts"]] == ["k:web"]


def test_a_note_says_who_wrote_it(watched: Watched):
    incident = watched.incident()
    answer = watched.send("POST", f"/api/i/{incident.id}/notes", {"text": "seen"})
    assert answer["timeline"][-1]["details"] == "by local"
    assert asdict(watched.incidents.get(incident.id))["moments"][0]["details"] == ("by local",)
