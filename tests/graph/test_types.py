"""Types of a heap: which are listed, and what of them changed between two dumps."""

from pathlib import Path

import pytest
from graph_samples import SAMPLES
from test_laid_over import heap_dump

from caulk.analysis.dumps import Dump
from caulk.analysis.objects.heaps import counted
from caulk.cli import carry_out
from caulk.model.census import Census
from caulk.model.table import Table
from caulk.reports import REPORTS, Question
from caulk.reports.types import types

OLD = "book:Book*40!; one:Order*8; gone:Log*16!; book -> one.open"
NEW = "book:Book*40!; one:Order*8; two:Order*8; text:Text*100; book -> one.open two.open; two -> text.note"


def rows(table: Table) -> list[dict]:
    return [dict(zip([heading.key for heading in table.headings], row, strict=True)) for row in table.rows]


def census_dump(text: str) -> Dump:
    """The same heap, of which only the types were counted."""
    graph = heap_dump(text).heap.graph
    count, shallow = ([0] * len(graph.types) for _ in range(2))
    for number in range(1, len(graph)):
        count[graph.type[number]] += 1
        shallow[graph.type[number]] += graph.size_of(number)
    census = Census("hprof", "jvm", graph.types, count, shallow)
    return Dump("dump", counted(census), census=census, shortage="memory holds 1 MB, 2 MB are needed")


def test_only_types_that_retain_enough_are_listed():
    table = types(Question([heap_dump(NEW)], least=100))
    assert [row["type"] for row in rows(table)] == ["Book", "Order", "Text"]
    assert [row["type"] for row in rows(types(Question([heap_dump(NEW)], least=150)))] == ["Book"]
    assert table.notes[-1] == "Showing 3 of 3 types of at least 100 B"


def test_of_a_heap_that_was_only_counted_what_they_take_themselves_decides():
    assert [row["type"] for row in rows(types(Question([census_dump(NEW)], least=40)))] == ["Text", "Book"]


def test_two_heaps_show_what_each_type_has_now_and_what_changed_from_growth_to_loss():
    table = types(Question([heap_dump(OLD), heap_dump(NEW)]))
    shown = ("type", "objects", "objects_change", "shallow_change", "retained", "retained_change")
    assert [tuple(row[key] for key in shown) for row in rows(table)] == [
        ("Book", 1, 0, 0, 156, 108),
        ("Order", 2, 1, 8, 116, 108),
        ("Text", 1, 1, 100, 100, 100),
        ("Log", 0, -1, -16, 0, -16),
    ]
    assert [heading.signed for heading in table.headings if heading.key.endswith("_change")] == [True] * 3


def test_types_that_stayed_as_they_were_are_not_listed():
    assert rows(types(Question([heap_dump(OLD), heap_dump(OLD)]))) == []


def test_a_change_counts_for_the_limit_and_the_least_whichever_sign_it_has():
    shrunk = types(Question([heap_dump(NEW), heap_dump(OLD)], least=100, limit=2))
    assert [row["retained_change"] for row in rows(shrunk)] == [-108, -108]
    assert shrunk.notes[-1] == "Showing 2 of 3 types that changed of at least 100 B"


def test_packages_change_as_their_types_do():
    table = types(Question([heap_dump("a:x.A*8!"), heap_dump("a:x.A*8!; b:x.B*4!; c:y.C*2!")], by="packages"))
    assert [(row["type"], row["retained_change"]) for row in rows(table)] == [
        ("x", 4),
        ("y", 2),
    ]


def test_what_only_was_counted_in_one_of_the_dumps_is_compared_by_what_both_know():
    table = types(Question([census_dump(OLD), heap_dump(NEW)]))
    assert [(row["type"], row["shallow_change"]) for row in rows(table)] == [("Text", 100), ("Order", 8), ("Log", -16)]
    assert "retained" not in rows(table)[0]
    assert table.notes[1].startswith("What they retain is not told, and garbage may count: memory holds 1 MB")


@pytest.mark.parametrize("name", ["top", "tree", "flame", "types", "dominators", "paths"])
def test_every_question_about_change_is_answered_of_two_heaps(name):
    report = next(row for row in REPORTS if row.name == name)
    answer = report.answer(Question([heap_dump(OLD), heap_dump(NEW)], pattern="Text" if name == "paths" else ""))
    assert isinstance(answer, Table) or (answer.signed and answer.tree.total(0) != 0)


@pytest.fixture
def dump(tmp_path: Path) -> str:
    path = tmp_path / "a.heapsnapshot"
    path.write_bytes(SAMPLES["heap_snapshot"])
    return str(path)


@pytest.mark.parametrize("verb", ["top", "tree", "flame", "types", "dominators"])
def test_a_base_makes_the_answer_what_changed_since(verb, dump, capsysbinary):
    assert carry_out([verb, dump, "--base", dump]) == 0
    assert b"Cache" not in capsysbinary.readouterr().out, "nothing changed"
    assert carry_out([verb, dump]) == 0
    assert b"Cache" in capsysbinary.readouterr().out


def test_least_is_a_size(dump, capsysbinary):
    assert carry_out(["types", dump, "--least", "1k"]) == 0
    assert carry_out(["types", dump, "--least", "many"]) == 2
    assert b"--least" in capsysbinary.readouterr().err
