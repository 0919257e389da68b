"""Tables of a difference: callers whose callees changed are there, and growth by the hour where times allow it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from test_laid_over import heap_dump, profile_dump

from caulk.reports import Question
from caulk.reports.changes import diff, top
from caulk.reports.types import types

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
OLD = profile_dump(("main;serve;new", 5), ("main;log", 9))
NEW = profile_dump(("main;serve;new", 25), ("main;log", 3))


def dated(dump, minutes: float):
    return replace(dump, profile=replace(dump.profile, taken_at=BEGIN + timedelta(minutes=minutes)))


def rows(table) -> list[dict]:
    return [dict(zip([heading.key for heading in table.headings], row, strict=True)) for row in table.rows]


def test_functions_that_changed_by_what_they_call_come_after_those_that_changed_themselves():
    found = [(row["function"], row["flat"], row["cum"], row["now"]) for row in rows(top(Question([OLD, NEW])))]
    assert found == [("new", 20, 20, 25), ("log", -6, -6, 3), ("serve", 0, 20, 25), ("main", 0, 14, 28)]


def test_the_verb_diff_lists_only_what_changed_itself():
    assert [row["function"] for row in rows(diff(Question([OLD, NEW])))] == ["new", "log"]


def test_growth_is_told_by_the_hour_with_its_sign():
    found = {row["function"]: row["cum_per_hour"] for row in rows(top(Question([dated(OLD, 0), dated(NEW, 120)])))}
    assert found == {"new": 10, "log": -3, "serve": 10, "main": 7}


def test_growth_of_types_by_the_hour_is_of_what_they_retain():
    dumps = [dated(heap_dump("a:A*8!; b:B*30!"), 0), dated(heap_dump("a:A*8!; c:A*8!; b:B*10!"), 30)]
    table = types(Question(dumps))
    assert {row["type"]: row["retained_per_hour"] for row in rows(table)} == {"A": 16, "B": -40}
    assert next(heading for heading in table.headings if heading.key == "retained_per_hour").signed


@pytest.mark.parametrize("dumps", [(OLD, NEW), (dated(OLD, 0), NEW), (dated(OLD, 0), dated(NEW, 29))])
def test_nothing_is_told_by_the_hour_where_a_time_is_missing_or_the_dumps_are_close(dumps):
    assert "cum_per_hour" not in [heading.key for heading in top(Question(dumps)).headings]


def test_times_that_are_given_count_as_those_of_the_dumps():
    question = Question([OLD, NEW], at=[BEGIN, BEGIN + timedelta(hours=4)])
    assert rows(top(question))[0]["cum_per_hour"] == 5
