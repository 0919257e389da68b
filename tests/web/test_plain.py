"""The plain form: every page without a script, with links between them, and nothing that a browser would run."""

import re
import threading
from html.parser import HTMLParser

import pytest
from hostile_dumps import HOSTILE, hostile_heap
from page_asking import client

from caulk import app
from caulk.web.server import application
from caulk.web.site import site


class Read(HTMLParser):
    """The tags, links and text of a page."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.said = ""
        self.attributes: set[str] = set()
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value for name, value in attrs if name == "href"]

    def handle_data(self, data):
        self.said += data


def test_every_tab_of_a_dump_is_there_without_a_script(served, heaps):
    ids = served.show(heaps[1])
    tabs = served.get(f"/api/d/{ids}").json()["tabs"]
    for tab in tabs:
        answer = served.get(f"/d/{ids}/{tab['name']}?plain=1")
        page = Read(answer.text)
        assert answer.status_code == 200
        assert "script" not in page.tags
        assert heaps[1].name in page.said
        if not tab["is_available"]:
            assert tab["why"][:20].lower() in answer.text.replace("&#x27;", "'").lower()


def test_the_verdict_comes_first(served, heaps):
    page = Read(served.get(f"/d/{served.show(*heaps)}?plain=1").text)
    assert "leaking" in page.said or "suspect" in page.said
    assert "svg" in Read(served.get(f"/d/{served.show(*heaps)}/flame?plain=1").text).tags


def test_every_link_of_a_page_leads_to_a_page(served, python_heaps):
    ids, seen = served.show(python_heaps[0]), set()
    served.show(python_heaps[1])
    waiting = ["/?plain=1", f"/d/{ids}?plain=1"]
    while waiting:
        at = waiting.pop()
        if at in seen:
            continue
        seen.add(at)
        answer = served.get(at)
        # Where nothing is watched some pages say only that.
        assert answer.status_code == 200 or (answer.status_code == 400 and not at.startswith("/d/")), at
        assert answer.headers["Content-Type"].startswith("text/html")
        waiting += [link for link in Read(answer.text).links if "plain=1" in link]
    assert {f"/d/{ids}/top?plain=1", "/jobs?plain=1", "/captures?plain=1"} <= seen


def test_a_filter_works_without_a_script(served, python_heaps):
    ids = served.show(python_heaps[1])
    kept = Read(served.get(f"/d/{ids}/top?plain=1&focus=open_ticket").text).said
    gone = Read(served.get(f"/d/{ids}/top?plain=1&ignore=open_ticket").text).said
    rows = r"open_ticket\s"
    assert len(re.findall("open_ticket", kept)) > len(re.findall(rows, gone))
    assert served.get(f"/d/{ids}/top?plain=1&focus=(").status_code == 200
    assert "regular expression" in Read(served.get(f"/d/{ids}/top?plain=1&focus=(").text).said


def test_a_hostile_dump_makes_no_element_and_no_attribute(served, tmp_path):
    (tmp_path / "x.heapsnapshot").write_bytes(hostile_heap())
    number = served.site.dumps.add(tmp_path / "x.heapsnapshot", name=HOSTILE[0])
    for tab in ("suspects", "flame", "top", "types", "dominators", "roots", "graph", "raw"):
        answer = served.get(f"/d/{number}/{tab}?plain=1")
        page = Read(answer.text)
        assert not {"script", "img", "iframe"} & set(page.tags), tab
        assert not {name for name in page.attributes if name.startswith("on")}, tab
    assert HOSTILE[0] in Read(served.get(f"/d/{number}/types?plain=1").text).said


def test_a_plain_page_may_load_nothing(served, python_heaps):
    policy = served.get(f"/d/{served.show(python_heaps[0])}?plain=1").headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "script-src" not in policy
    assert "unsafe" not in policy


def test_a_page_of_a_dump_that_is_being_read_comes_again_by_itself(served, python_heaps, monkeypatch):
    load, go_on = app.load, threading.Event()
    monkeypatch.setattr(app, "load", lambda *given, **more: go_on.wait(30) and load(*given, **more))
    at = f"/d/{served.show(python_heaps[0])}?plain=1"
    answer = served.browser.get(at)
    assert answer.status_code == 202
    assert answer.headers["Refresh"] == "1"
    assert "comes again" in answer.text
    go_on.set()
    assert python_heaps[0].name in served.get(at).text


def test_what_does_not_exist_is_said_on_a_page(served):
    for at in ("/d/none", "/d/none/flame", "/t/none"):
        answer = served.get(f"{at}?plain=1")
        assert answer.status_code == 404, at
        assert answer.headers["Content-Type"].startswith("text/html")


def test_the_page_is_plain_where_it_is_not_built_and_says_how_to_have_more(home, tmp_path, python_heaps):
    (tmp_path / "nothing").mkdir()
    one = site(home)
    browser = client(application(one, tmp_path / "nothing"))
    answer = browser.get("/jobs")
    assert "make install" in Read(answer.text).said
    one.begins_at = f"/d/{one.dumps.add(python_heaps[0])}"
    assert browser.get("/").headers["Location"] == one.begins_at
    one.close()


def test_the_built_page_is_served_at_every_address_and_plain_where_that_is_asked_for(home, tmp_path):
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "index-12345678.js").write_text("let it;" * 300)
    (tmp_path / "index.html").write_text("<!doctype html>built")
    one = site(home)
    browser = client(application(one, tmp_path))
    for at in ("/", "/jobs", "/d/x", "/d/x/flame", "/t/a%2Fb", "/i/1", "/rules", "/captures", "/incidents"):
        assert browser.get(at).text == "<!doctype html>built"
    assert "Jobs" in browser.get("/jobs?plain=1").text
    asset = browser.get("/assets/index-12345678.js")
    assert asset.headers["Content-Encoding"] == "gzip"
    assert "immutable" in asset.headers["Cache-Control"]
    for name in ("..%2findex.html", "nothing.js", "%2e%2e/index.html"):
        assert browser.get(f"/assets/{name}").status_code in (400, 404)
    one.close()


@pytest.mark.parametrize("tab", ["no", "..", "%3Cscript%3E"])
def test_a_tab_that_does_not_exist_is_said_on_a_page(served, python_heaps, tab):
    answer = served.get(f"/d/{served.show(python_heaps[0])}/{tab}?plain=1")
    assert answer.status_code in (400, 404)
    assert "<script" not in answer.text
