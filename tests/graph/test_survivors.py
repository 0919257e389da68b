"""Survivors of three dumps and more: new since the first, and not freed in any later one."""

import pytest
from test_laid_over import heap_dump, profile_dump

from caulk.model.errors import UsageError
from caulk.reports import Question
from caulk.reports.changes import top
from caulk.reports.laid import changed
from caulk.reports.types import types

A = profile_dump(("main;cache", 10), ("main;old", 5))
B = profile_dump(("main;cache", 30), ("main;request", 8), ("main;new", 4), ("main;old", 5))
C = profile_dump(("main;cache", 20), ("main;late", 9), ("main;new", 6), ("main;old", 1))


def rows(table) -> list[dict]:
    return [dict(zip([heading.key for heading in table.headings], row, strict=True)) for row in table.rows]


def stacks(answer) -> dict[str, int]:
    tree = answer.tree
    names = ["/".join(tree.frames.function_name(f) for f in tree.stack(node)) for node in range(len(tree))]
    return {name: value for name, value in zip(names, tree.values[0], strict=True) if value}


@pytest.mark.parametrize("name", ["flame", "tree"])
def test_a_stack_survives_with_what_both_later_dumps_have_more(name):
    answer = changed(name, Question([A, B, C], survivors=True))
    # What came and went, what came after the second dump, and what shrank are not in it.
    assert stacks(answer) == {"main/cache": 10, "main/new": 4}
    assert (answer.total, answer.signed) == (14, False)


def test_what_a_fourth_dump_has_no_more_did_not_survive():
    fourth = profile_dump(("main;cache", 12))
    assert stacks(changed("flame", Question([A, B, C, fourth], survivors=True))) == {"main/cache": 2}


def test_functions_are_listed_by_what_of_them_survived():
    found = rows(top(Question([A, B, C], survivors=True)))
    assert [(row["function"], row["flat"], row["cum"]) for row in found] == [
        ("cache", 10, 10),
        ("new", 4, 4),
        ("main", 0, 14),
    ]


def test_types_are_listed_by_how_much_more_all_later_heaps_have():
    a, b, c = (
        heap_dump("book:Book*40!; one:Order*8; book -> one.open"),
        heap_dump("book:Book*40!; one:Order*8; two:Order*8; tmp:Temp*50!; book -> one.open two.open"),
        heap_dump("book:Book*40!; one:Order*8; two:Order*8; three:Order*8; book -> one.open two.open three.open"),
    )
    table = types(Question([a, b, c], survivors=True))
    shown = ("type", "objects", "objects_survived", "shallow_survived", "retained_survived")
    assert [tuple(row[key] for key in shown) for row in rows(table)] == [("Book", 1, 0, 0, 8), ("Order", 3, 1, 8, 8)]
    assert not any(heading.signed for heading in table.headings)


@pytest.mark.parametrize("report", [top, types, lambda question: changed("flame", question)])
def test_two_dumps_have_no_survivors(report):
    dumps = [heap_dump("a:A*8!"), heap_dump("a:A*9!")]
    with pytest.raises(UsageError, match="three dumps"):
        report(Question(dumps, survivors=True))
