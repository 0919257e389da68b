"""The verbs about incidents, on a store of their own."""

import json
import sys

import pytest

from caulk.cli import carry_out
from caulk.model.incident import Incident, Moment, Outgoing
from caulk.model.judgement import Judgement
from caulk.model.records import Finding, Verdict
from caulk.model.watching import Workload
from caulk.store.incidents import Incidents

FINDING = Finding(1, "collection", "`ORDERS` grows", 9, 0, 1.0, 3, holder="shop.ORDERS", fingerprint="sha256:ab")


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("CAULK_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    made = Incidents(f"sqlite:///{tmp_path}/incidents.db")
    for number, name in ((1, "api"), (2, "api"), (3, "web")):
        judged = Judgement(name, "leaking", "it grows")
        workload = Workload(f"local:{name}", name)
        incident = Incident(
            f"2026-{name}-{number}", f"k{number}", "leak", "it grows", workload, 1e9 + number, lasts=True
        )
        made.open(incident, [Outgoing(f"s{number}", incident.id, 100, "analyse", "{}")])
        step = made.take(2e9, 60.0)
        findings = (FINDING,) if name == "api" else ()
        verdict = Verdict("leaking", "It leaks.", 0.9)
        moment = Moment(
            1e9 + 10, "analysed", "leaking", step.id, 100, verdict=verdict, findings=findings, judgement=judged
        )
        made.finish(step, moment)
    yield made
    made.dispose()


def said(capsys, *arguments: str, code: int = 0) -> str:
    assert carry_out(["incident", *arguments]) == code
    shown = capsys.readouterr()
    return shown.out or shown.err


def rows(capsys, *arguments: str) -> list[str]:
    return [row["id"] for row in json.loads(said(capsys, *arguments, "-o", "json"))["rows"]]


def test_incidents_are_listed_the_newest_first(store, capsys):
    assert rows(capsys) == ["2026-web-3", "2026-api-2", "2026-api-1"]
    assert rows(capsys, "-n", "1") == ["2026-web-3"]
    assert rows(capsys, "--workload", "local:api") == ["2026-api-2", "2026-api-1"]
    assert "`ORDERS` grows" in said(capsys)


def test_those_that_are_alike_are_found_by_what_was_found(store, capsys):
    assert rows(capsys, "--like", "api-1") == ["2026-api-2", "2026-api-1"]
    said(capsys, "--like", "web-3", code=2)


def test_one_is_shown_for_people_and_for_programs(store, capsys):
    text = said(capsys, "show", "api-1")
    assert text.startswith("# api: `ORDERS` grows\n")
    assert "analysed: leaking" in text
    record = json.loads(said(capsys, "show", "api-1", "-o", "json"))
    assert (record["schema"], record["fingerprint"]) == ("caulk.incident/1", "sha256:ab")
    assert [moment["what"] for moment in record["timeline"]] == ["analysed"]


def test_a_name_that_fits_several_or_none_is_said(store, capsys):
    assert "more than one incident" in said(capsys, "show", "2026-api", code=2)
    assert "no incident" in said(capsys, "show", "nothing", code=2)
    assert said(capsys, "show", "latest").startswith("# web")


def test_one_is_exported_privately_and_never_over_a_file(store, capsys, tmp_path):
    for suffix, start in ((".md", b"# api"), (".json", b'{"schema"')):
        to = tmp_path / f"out{suffix}"
        said(capsys, "export", "api-1", str(to))
        assert to.read_bytes().startswith(start)
        assert to.stat().st_mode & 0o777 == 0o600
        said(capsys, "export", "api-1", str(to), code=2)
    said(capsys, "export", "api-1", str(tmp_path / "out.doc"), code=2)


def test_one_is_closed_once(store, capsys):
    said(capsys, "close", "web-3", "--note", "fixed in 1.2")
    assert rows(capsys, "--open") == ["2026-api-2", "2026-api-1"]
    assert "closed by hand: fixed in 1.2" in said(capsys, "show", "web-3")
    assert "closed already" in said(capsys, "close", "web-3", code=2)


def test_without_the_database_it_is_said_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CAULK_HOME", str(tmp_path))
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    for name in [name for name in sys.modules if name.startswith(("caulk.watch.archive", "caulk.store.incidents"))]:
        monkeypatch.delitem(sys.modules, name)
    assert "pip install 'caulk[server]'" in said(capsys, code=2)
