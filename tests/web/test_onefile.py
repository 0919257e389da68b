"""The page as one file: what it holds, that nothing else is asked for, and that it is never too large."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from page_answers import columns_of, island_of
from page_asking import client

from caulk import app
from caulk.analysis.dumps import Dump
from caulk.formats.builder import ProfileBuilder
from caulk.model.measure import Measure
from caulk.model.series import Reading, Series
from caulk.pages.onefile import address, render
from caulk.reports import Question
from caulk.views import onefile
from caulk.views.onefile import MAX_BYTES
from caulk.web.server import application
from caulk.web.site import site


@pytest.fixture
def made(tmp_path):
    """A page like the built one, small and without npm: what is said here holds for any."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "index-x.js").write_text("const end = '</script><!-- ';\n")
    (tmp_path / "assets" / "style-x.css").write_text("body { margin: 0 }\n")
    (tmp_path / "index.html").write_text(
        "<!doctype html>\n<html>\n  <head>\n    <title>caulk</title>\n"
        '    <script type="module" crossorigin src="/assets/index-x.js"></script>\n'
        '    <link rel="stylesheet" crossorigin href="/assets/style-x.css">\n  </head>\n'
        '  <body>\n    <div id="page"></div>\n    <noscript>No script</noscript>\n  </body>\n</html>\n'
    )
    return onefile.built(tmp_path)


def written(page, paths, **more) -> str:
    return app.one_file(Question(app.load([str(path) for path in paths])), page=page, **more)


def test_the_file_answers_what_the_page_asks_by_itself(made, heaps):
    entries = island_of(written(made, heaps))
    session = json.loads(entries["/api/session"])
    assert session["begins_at"] == "/d/1..2"
    dump = json.loads(entries["/api/d/1..2"])
    assert [row["id"] for row in dump["dumps"]] == dump["ids"] == ["1", "2"]
    assert dump["notes"]
    for tab in dump["tabs"]:
        is_there = f"/api/d/1..2/{tab['name']}" in entries
        assert is_there == (tab["is_available"] and tab["name"] != "paths"), tab


def test_the_file_has_the_same_answers_as_the_server(made, served, heaps):
    ids = served.show(*heaps)
    entries = island_of(written(made, heaps, ids=ids.split("..")))
    for tab in ("suspects", "top", "flame"):
        answer = served.get(f"/api/d/{ids}/{tab}").content
        if tab == "flame":
            # Where nothing is left out both have all.
            assert columns_of(answer)[0]["left_out"] == 0
        assert entries[f"/api/d/{ids}/{tab}"] == answer


def test_what_is_selected_first_is_in_the_file(made, heaps):
    entries = island_of(written(made, heaps[1:]))
    chosen = [path for path in entries if path.startswith("/api/d/1/selection?")]
    kinds = {path.split("?")[1].split("=")[0] for path in chosen}
    assert len(kinds) == 1
    assert 3 < len(chosen) <= 60
    for path in chosen:
        assert json.loads(entries[path])["schema"] == "caulk.selection/1"


def test_addresses_are_those_that_a_browser_writes():
    # `new URLSearchParams([["a", "x y~*(é&"], ["b", "1"]]).toString()`
    assert address("/api/d/1/flame", b="1", a="x y~*(é&", c="") == "/api/d/1/flame?a=x+y%7E*%28%C3%A9%26&b=1"


def test_the_file_runs_its_own_script_and_asks_nobody_for_anything(made, python_heaps):
    html = written(made, python_heaps)
    (policy,) = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', html)
    (script,) = re.findall(r'<script type="module">(.*?)</script>', html, re.DOTALL)
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    for source in (script, style):
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert "<!--" not in script
    assert not re.findall(r"\b(?:src|href)=", html)


def test_the_same_dumps_make_the_same_file(made, go_heaps):
    assert written(made, go_heaps) == written(made, go_heaps)


def test_the_file_does_not_say_where_the_dumps_lay(made, python_heaps):
    html = written(made, python_heaps)
    assert str(python_heaps[0].parent) not in html
    for path, body in island_of(html).items():
        # The program's own files are its business; the dumps' directory is the reader's.
        assert str(python_heaps[0]).encode() not in body, path


def test_times_that_were_given_put_the_dumps_in_order(made, python_heaps):
    times = [datetime(2026, 1, day, tzinfo=UTC) for day in (2, 1)]
    dumps = app.load([str(path) for path in reversed(python_heaps)])
    dumps = [replace(dump, profile=replace(dump.profile, taken_at=None)) for dump in dumps]
    entries = island_of(app.one_file(Question(dumps, at=times), page=made))
    shown = json.loads(entries["/api/d/1..2"])["dumps"]
    assert [(row["name"], row["taken_at"][:10]) for row in shown] == [
        (python_heaps[0].name, "2026-01-01"),
        (python_heaps[1].name, "2026-01-02"),
    ]
    columns = columns_of(entries["/api/d/1..2/flame"])[1]
    assert sum(columns["own"]) > sum(columns["before"])


def test_memory_over_time_is_in_the_file_where_it_was_watched(made, python_heaps):
    memory = Series("leaky", tuple(Reading(float(at), at << 20, heap=at << 19) for at in range(1, 5)))
    entries = island_of(written(made, python_heaps, memory=memory, captures=[2.0]))
    assert json.loads(entries["/api/d/1..2"])["has_memory"] is True
    said = json.loads(entries["/api/d/1..2/memory"])
    assert said["times"] == [1.0, 2.0, 3.0, 4.0]
    assert said["rss"] == [at << 20 for at in range(1, 5)]
    assert said["captures"] == [2.0]
    assert "/api/d/1..2/memory" not in island_of(written(made, python_heaps))


def wide(stacks: int) -> Dump:
    """A profile of very many functions with long names that do not repeat."""
    builder = ProfileBuilder(Measure("inuse_space", "bytes"))
    for number in range(stacks):
        digest = hashlib.sha512(str(number).encode()).hexdigest()
        names = ["main", f"group{number % 97}", *(f"pkg{digest[at : at + 9]}.f{digest}{at}" for at in range(4))]
        builder.add([builder.frame(name, f"/src/{name}.go", number) for name in names], [number + 1])
    return Dump("wide.pb.gz", builder.build(format="pprof", runtime="go", kind="heap"))


def test_no_dump_makes_a_file_that_is_too_large_and_it_says_what_was_left_out(made, monkeypatch):
    # The rule is the same for any size; a smaller one needs a smaller dump.
    assert MAX_BYTES <= 2_000_000
    most = 100_000
    monkeypatch.setattr("caulk.pages.onefile.MAX_BYTES", most)
    question = Question([wide(800)])
    analysis = app.report("analyze").answer(question)
    html = render(made, question, analysis)
    assert len(html.encode()) <= most
    entries = island_of(html)
    header, columns = columns_of(entries["/api/d/1/flame"])
    assert header["left_out"] > 0
    # What was left out is still in the sums.
    assert sum(columns["own"]) == header["total"]
    (note,) = json.loads(entries["/api/d/1"])["notes"]
    assert re.search(r"the [\d,]+ heaviest nodes of each graph", note)


def test_the_built_page_is_written_by_analyze_and_served(built_page, home, python_heaps):
    one = site(home)
    ids = "..".join(one.dumps.add(path) for path in python_heaps)
    answer = client(application(one, built_page)).get(f"/d/{ids}/report.html")
    one.close()
    page = onefile.built(built_page)
    assert page
    assert answer.headers["Content-Security-Policy"] == f"{page.policy}; frame-ancestors 'none'"
    assert f"/api/d/{ids}/suspects" in island_of(answer.text)
    assert answer.text.count("<script") == 2
    # One script and one style: there is nothing that a file could not carry.
    assert "import(" not in page.script


def test_without_a_built_page_the_plain_form_is_written_and_says_so(python_heaps, monkeypatch):
    monkeypatch.setattr(onefile, "built", lambda _=None: None)
    html = written(None, python_heaps)
    assert html.startswith("<!doctype html>")
    assert html.count("plain form") == 1
    assert "open_ticket" in html


def test_dumps_of_another_kind_are_among_the_suspects_alone_and_the_file_says_so(made, go_heaps, go_goroutines):
    dumps = [*go_heaps, go_goroutines]
    for ids in ([], ["a", "b", "c"]):
        entries = island_of(written(made, dumps, ids=ids))
        shown = "..".join(ids[:2] or ["1", "2"])
        overview = json.loads(entries[f"/api/d/{shown}"])
        assert overview["ids"] == shown.split("..")
        assert any(note.startswith(f"{go_goroutines.name} (goroutine)") for note in overview["notes"])
        assert f"/api/d/{shown}/flame" in entries
        analysed = json.loads(entries[f"/api/d/{shown}/suspects"])
        assert [of["path"] for of in analysed["inputs"]] == [path.name for path in dumps]
