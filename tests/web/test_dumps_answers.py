"""Dumps over HTTP: what they are, what each tab says of them, and what nobody can ask."""

import msgspec
import pytest
from page_answers import columns_of

from caulk import pages

GROWS = {"node": "Ticket", "jvm": "Hold$Ticket", "go": "main.openTicket", "cpython": "open_ticket"}


def test_every_tab_of_every_runtime_answers_or_says_why_it_cannot(served, heaps):
    ids = served.show(heaps[1])
    dump = served.get(f"/api/d/{ids}").json()
    assert dump["ids"] == [ids]
    assert dump["dumps"][0]["name"] == heaps[1].name
    for tab in dump["tabs"]:
        answer = served.get(f"/api/d/{ids}/{tab['name']}")
        is_unasked = tab["name"] == "paths" and "needs a type" in answer.text
        assert answer.status_code == (200 if tab["is_available"] and not is_unasked else 400), (tab, answer.text)
        assert tab["is_available"] != bool(tab["why"])


def test_what_leaks_is_the_first_suspect_of_two_dumps_in_any_order(served, heaps):
    older, newer = (served.show(path) for path in heaps)
    assert served.get(f"/api/d/{newer}..{older}").status_code == 200
    said = served.get(f"/api/d/{older}..{newer}/suspects").json()
    runtime = said["inputs"][0]["runtime"]
    assert GROWS[runtime] in msgspec.json.encode(said["findings"][0]).decode()


def test_stacks_of_two_dumps_have_what_was_there_before(served, heaps):
    ids = served.show(*heaps)
    header, columns = columns_of(served.get(f"/api/d/{ids}/flame").content)
    assert header["signed"]
    assert len(columns["before"]) == len(columns["own"]) == len(columns["parent"])
    assert sum(columns["own"]) > sum(columns["before"]) > 0


def test_dumps_that_know_their_times_are_put_in_order(served, go_heaps):
    older, newer = (served.show(path) for path in go_heaps)
    assert served.get(f"/api/d/{newer}..{older}").json()["ids"] == [older, newer]
    backwards, forwards = f"{newer}..{older}", f"{older}..{newer}"
    assert served.get(f"/api/d/{backwards}/flame").content == served.get(f"/api/d/{forwards}/flame").content


def test_a_selection_has_its_size_in_each_dump(served, heaps):
    ids = served.show(*heaps)
    runtime = served.get(f"/api/d/{ids}").json()["dumps"][0]["runtime"]
    tab, key = ("types", "type") if runtime in ("node", "jvm") else ("top", "function")
    name = next(row[key] for row in served.get(f"/api/d/{ids}/{tab}").json()["rows"] if GROWS[runtime] in row[key])
    kind = "type" if key == "type" else "frame"
    said = served.get(f"/api/d/{ids}/selection?{kind}={name.replace('$', '%24')}").json()
    assert [moment["id"] for moment in said["series"]] == ids.split("..")
    assert said["series"][1]["total"] > said["series"][0]["total"] > 0
    assert said["growth"]["bytes"] == said["series"][1]["total"] - said["series"][0]["total"]


def test_an_answer_that_was_given_before_is_not_computed_again(served, python_heaps, monkeypatch):
    ids, asked = served.show(python_heaps[0]), []
    answer = pages.answer

    def counted(row, question, **more):
        asked.append(row.name)
        return answer(row, question, **more)

    monkeypatch.setattr(pages, "answer", counted)
    first, again = (served.get(f"/api/d/{ids}/flame?granularity=functions&inverted=0") for _ in range(2))
    # What says the default is the same question.
    third = served.get(f"/api/d/{ids}/flame")
    assert first.content == again.content == third.content
    assert asked == ["flame"]


def test_a_filter_keeps_what_it_names(served, python_heaps):
    ids = served.show(python_heaps[1])
    header, columns = columns_of(served.get(f"/api/d/{ids}/flame?focus=open_ticket").content)
    whole = columns_of(served.get(f"/api/d/{ids}/flame").content)[1]
    assert any("open_ticket" in text for text in header["strings"])
    assert 0 < sum(columns["own"]) < sum(whole["own"])


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("focus=(", "regular expression"),
        ("focus=" + "x" * 501, "the query is wrong"),
        ("limit=-1", "the query is wrong"),
        ("limit=1000000000", "the query is wrong"),
        ("granularity=words", "the query is wrong"),
        ("values=1", "the query is wrong"),
        ("measure=nothing", "no measure"),
        ("focus=a&focus=b", "given twice"),
    ],
)
def test_a_question_that_makes_no_sense_is_a_400_that_says_so(served, python_heaps, query, says):
    answer = served.get(f"/api/d/{served.show(python_heaps[0])}/flame?{query}")
    assert answer.status_code == 400
    assert answer.json()["schema"] == "caulk.error/1"
    assert says in answer.json()["what"]


@pytest.mark.parametrize("ids", ["no", "..%2f..%2fetc%2fpasswd", "a/b", "...", "%00", "x" * 3000, "a..b..c"])
@pytest.mark.parametrize("tail", ["", "/flame", "/selection?frame=x"])
def test_what_is_not_in_the_list_of_dumps_does_not_exist(served, ids, tail):
    answer = served.get(f"/api/d/{ids}{tail}")
    assert answer.status_code in (400, 404)
    assert answer.json()["schema"] == "caulk.error/1"


def test_a_tab_that_nobody_knows_does_not_exist(served, python_heaps):
    assert served.get(f"/api/d/{served.show(python_heaps[0])}/nothing").status_code == 404


def test_a_damaged_dump_fails_in_a_job_that_says_what_is_wrong_and_not_where_it_lies(served, go_heaps, tmp_path):
    (tmp_path / "cut.pb.gz").write_bytes(b"<!doctype html><title>404 Not Found</title>")
    answer = served.browser.get(f"/api/d/{served.show(tmp_path / 'cut.pb.gz')}")
    while answer.json()["state"] in ("waiting", "running"):
        answer = served.browser.get(f"/api/jobs/{answer.json()['id']}")
    job = answer.json()
    assert job["state"] == "failed"
    assert "cut.pb.gz" in job["what"]
    assert job["hint"]
    assert str(tmp_path) not in answer.text


def test_files_that_were_named_together_are_each_others_neighbours(served, go_heaps):
    older, newer = (served.show(path) for path in go_heaps)
    served.get(f"/api/d/{older}..{newer}")
    assert [served.get(f"/api/d/{older}").json()[key] for key in ("previous", "next")] == [None, newer]
    said = served.get(f"/api/d/{newer}").json()
    assert (said["previous"], said["next"]) == (older, None)
    assert [sibling["id"] for sibling in said["siblings"]] == [older]


def test_files_that_were_named_together_are_so_in_their_order_before_the_others_are_read(served, go_heaps):
    older, newer = (served.show(path) for path in go_heaps)
    said = served.get(f"/api/d/{newer}").json()
    assert (said["previous"], said["next"]) == (older, None)
    assert [sibling["id"] for sibling in said["siblings"]] == [older]


def test_the_list_has_every_dump_and_no_path(served, go_heaps, python_heaps, home):
    for path in (go_heaps[0], python_heaps[0]):
        served.show(path)
    answer = served.get("/api/d")
    assert [dump["name"] for dump in answer.json()["dumps"]] == [go_heaps[0].name, python_heaps[0].name]
    assert str(go_heaps[0].parent) not in answer.text
