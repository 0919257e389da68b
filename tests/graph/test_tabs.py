"""What can be asked of dumps, and what they are before anything is asked."""

from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest
from test_laid_over import NEW, heap_dump, profile_dump

from caulk.reports import REPORTS, Question
from caulk.reports.overview import overview
from caulk.reports.tabs import tabs


def available(*dumps) -> list[str]:
    return [tab.title for tab in tabs(dumps) if tab.is_available]


def why(name: str, *dumps) -> str:
    return next(tab.why for tab in tabs(dumps) if tab.name == name)


def test_a_profile_has_stacks_and_no_objects_and_says_so():
    dump = profile_dump(("main", 1))
    assert available(dump)[:4] == ["Suspects", "Flame", "Tree", "Top"]
    assert not {"Types", "Dominators", "Paths", "Roots", "Strings", "Waste"} & set(available(dump))
    assert why("types", dump) == "A profile says who allocated, not what holds: this needs a heap dump."


def test_a_heap_dump_has_objects_and_says_why_some_questions_have_no_answer():
    dump = heap_dump(NEW)
    assert {"Flame", "Types", "Dominators", "Paths", "Roots"} <= set(available(dump))
    assert "sizes of strings" in why("strings", dump)
    assert "is not known" in why("waste", dump)


def test_every_tab_is_a_report_and_has_a_reason_only_where_it_cannot_be_asked():
    names = {row.name for row in REPORTS}
    for dump in (heap_dump(NEW), profile_dump(("main", 1))):
        assert {tab.name for tab in tabs([dump])} <= names
        assert all(tab.is_available == (not tab.why) for tab in tabs([dump]))


@pytest.mark.parametrize("dump", [heap_dump(NEW), profile_dump(("main", 1))], ids=["heap", "profile"])
def test_what_is_said_to_be_available_is_answered(dump):
    reports = {row.name: row for row in REPORTS}
    for tab in tabs([dump]):
        if tab.is_available:
            reports[tab.name].answer(Question([dump], pattern="Order" if tab.name == "paths" else ""))


def test_dumps_of_two_kinds_cannot_be_laid_over_each_other():
    assert available(heap_dump(NEW), profile_dump(("main", 1)))[0] == "Suspects"
    assert "of 2 kinds" in why("flame", heap_dump(NEW), profile_dump(("main", 1)))


def test_dumps_are_told_as_they_are_compared_with_what_the_last_counts():
    old, new = profile_dump(("main", 1)), profile_dump(("main", 7))
    times = [datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)]
    new, old = (
        replace(d, path=f"/var/x/{n}", profile=replace(d.profile, taken_at=t))
        for d, n, t in zip((new, old), "ba", times, strict=True)
    )
    found = msgspec.json.decode(msgspec.json.encode(overview([old, new])))
    assert found["schema"] == "caulk.dump/1"
    assert [(dump["name"], dump["taken_at"]) for dump in found["dumps"]] == [
        ("a", "2026-01-02T00:00:00Z"),
        ("b", "2026-01-01T00:00:00Z"),
    ]
    assert found["totals"] == [{"measure": "inuse_space", "unit": "bytes", "value": 7}]
    assert found["measures"] == [{"name": "inuse_space", "unit": "bytes", "is_default": True}]
