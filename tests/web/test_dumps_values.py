"""Values of a program's memory: none leaves without being asked for by name, and asking for them is written down."""

import gzip
import html

import msgspec
import pytest
from page_answers import island_of
from page_asking import client
from real_dumps import SECRET

from caulk import pages
from caulk.web.server import application
from caulk.web.site import site

FORMS = tuple(pages.FORMS)


@pytest.fixture(params=["node", "java"])
def heap(request):
    """A heap dump that holds the secret."""
    path = request.getfixturevalue(f"{request.param}_heaps")[1]
    held = path.read_bytes()
    assert SECRET.encode() in held
    return path


def said(body: bytes) -> str:
    """What a body says, unpacked."""
    return (gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body).decode("utf-8", "replace")


def test_no_tab_shows_a_value(served, heap):
    ids = served.show(heap)
    for tab in served.get(f"/api/d/{ids}").json()["tabs"]:
        query = "?pattern=Ticket" if tab["name"] == "paths" else ""
        for at in (f"/api/d/{ids}/{tab['name']}{query}", f"/d/{ids}/{tab['name']}?plain=1"):
            answer = served.get(at)
            assert answer.content
            assert SECRET not in html.unescape(said(answer.content)), at


def test_no_selection_shows_a_value(served, heap):
    ids = served.show(heap)
    types = [row["type"] for row in served.get(f"/api/d/{ids}/types").json()["rows"]]
    shown = 0
    for name in types[:40]:
        answer = served.browser.get(f"/api/d/{ids}/selection", params={"type": name})
        shown += answer.status_code == 200
        assert SECRET not in answer.text
    assert shown


@pytest.mark.parametrize("form", FORMS)
def test_no_download_has_a_value(served, heap, form):
    ids, written = served.show(heap), 0
    for tab in ("suspects", "flame", "types", "strings", "waste", "dominators"):
        answer = served.get(f"/d/{ids}/download?tab={tab}&form={form}")
        written += answer.status_code == 200
        assert SECRET not in said(answer.content), tab
    assert written


def test_a_report_in_one_file_has_no_value(home, heap, built_page):
    one = site(home)
    browser = client(application(one, built_page))
    answer = browser.get(f"/d/{one.dumps.add(heap)}/report.html")
    one.close()
    entries = island_of(answer.text)
    assert any(path.endswith("/strings") for path in entries)
    assert SECRET not in answer.text
    assert not [path for path, body in entries.items() if SECRET.encode() in body]


def test_values_are_shown_to_who_asks_for_them_and_that_is_written_down(served, heap, home):
    ids = served.show(heap)
    served.get(f"/api/d/{ids}")
    answer = served.send("POST", f"/api/d/{ids}/reveal", json={"tab": "strings", "parameters": {"limit": 100}})
    assert answer.status_code == 200
    texts = [row["text"] for row in answer.json()["rows"]]
    assert any(SECRET in text for text in texts)
    (line,) = (home / "audit.jsonl").read_text().splitlines()
    written = msgspec.json.decode(line)
    assert (written["action"], written["of"], written["asked"]["tab"]) == ("reveal", ids, "strings")
    assert SECRET not in line


def test_what_was_revealed_is_not_kept_for_the_next(served, heap):
    ids = served.show(heap)
    served.get(f"/api/d/{ids}")
    served.send("POST", f"/api/d/{ids}/reveal", json={"tab": "strings"})
    assert SECRET not in served.get(f"/api/d/{ids}/strings").text


@pytest.mark.parametrize("body", [{"tab": "nothing"}, {"tab": "strings", "parameters": {"values": True}}, {}, [], "x"])
def test_a_reveal_of_what_does_not_exist_is_refused(served, python_heaps, body):
    ids = served.show(python_heaps[0])
    answer = served.send("POST", f"/api/d/{ids}/reveal", json=body)
    assert answer.status_code in (400, 404, 415)
    assert answer.json()["schema"] == "caulk.error/1"
