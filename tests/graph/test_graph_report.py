"""The call graph: which functions are in it, and what goes between them."""

import itertools
import json
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_laid_over import heap_dump, profile_dump

from caulk.reports import Question
from caulk.reports.graph import graph
from caulk.views import csv, diagram, text
from caulk.views import json as machine


def edges(found) -> dict[tuple[str, str], tuple[int, bool]]:
    names = [node.name for node in found.nodes]
    return {(names[e.source], names[e.target]): (e.value, e.is_residual) for e in found.edges}


def test_functions_come_with_what_they_hold_and_what_goes_between_them():
    found = graph(Question([profile_dump(("main;a;c", 5), ("main;b;c", 3), ("main;b", 1))]))
    assert [(n.name, n.own, n.total) for n in found.nodes] == [
        ("main", 0, 9),
        ("c", 8, 8),
        ("a", 0, 5),
        ("b", 1, 4),
    ]
    assert edges(found) == {
        ("main", "a"): (5, False),
        ("a", "c"): (5, False),
        ("main", "b"): (4, False),
        ("b", "c"): (3, False),
    }


def test_an_edge_past_functions_that_are_left_out_is_residual():
    found = graph(Question([profile_dump(("main;small;new", 5), ("main;other;new", 4))], limit=2))
    assert edges(found) == {("main", "new"): (9, True)}
    assert found.notes[-1] == "Showing 2 of 4 functions"


def test_a_stack_counts_once_for_an_edge_however_often_it_passes_there():
    found = graph(Question([profile_dump(("main;f;g;f;g;f", 5), ("f;f", 2))]))
    assert edges(found) == {("main", "f"): (5, False), ("f", "g"): (5, False), ("g", "f"): (5, False)}


@given(
    st.lists(
        st.tuples(st.lists(st.sampled_from("abcde"), min_size=1, max_size=7), st.integers(1, 99)),
        min_size=1,
        max_size=12,
    )
)
def test_edges_are_what_counting_every_stack_by_itself_gives(lines):
    expected: dict[tuple[str, str], int] = {}
    for stack, value in lines:
        for pair in {(a, b) for a, b in itertools.pairwise(stack) if a != b}:
            expected[pair] = expected.get(pair, 0) + value
    found = graph(Question([profile_dump(*((";".join(stack), value) for stack, value in lines))]))
    assert {pair: value for pair, (value, _) in edges(found).items()} == {
        pair: value for pair, value in expected.items() if value >= 0.001 * found.total
    }


def test_of_a_heap_it_says_which_types_alone_keep_which():
    found = graph(
        Question([heap_dump("book:x.Book*40!; one:x.Order*8; text:Text*100; book -> one.open; one -> text.t")])
    )
    assert edges(found) == {("x.Book", "x.Order"): (108, False), ("x.Order", "Text"): (100, False)}
    assert found.nodes[0].package == "x"


def test_between_two_dumps_it_says_what_changed():
    found = graph(Question([profile_dump(("main;a", 5), ("main;b", 5)), profile_dump(("main;a", 9), ("main;b", 2))]))
    assert edges(found) == {("main", "a"): (4, False), ("main", "b"): (-3, False)}
    assert found.signed


def test_it_is_written_as_json_as_a_table_and_as_a_spreadsheet():
    found = graph(Question([profile_dump(("main;a", 5), ("<script>", 3))]))
    written = json.loads(machine.render(found))
    assert written["schema"] == "caulk.graph/1"
    assert [node["name"] for node in written["nodes"]] == ["a", "main", "<script>"]
    assert written["edges"] == [{"from": 1, "to": 0, "value": 5, "is_residual": False}]
    assert "→" in text.render(found)
    assert "<script>" in text.render(found), "what has no edge is there too"
    assert csv.render(found).startswith("value,share,from,by,to\r\n")


def test_no_name_can_end_a_string_of_a_drawing():
    found = graph(Question([profile_dump(('main"x\\N\n<b>', 5), ("a\\", 2))]))
    drawn = diagram.render(found)
    assert r"main\"x\\N <b>" in drawn
    assert r'label="a\\\n' in drawn
    assert all(line.endswith(";") or line in ("digraph caulk {", "}") for line in drawn.splitlines())


def test_graphviz_reads_the_drawing():
    if not shutil.which("dot"):
        pytest.skip("unobtainable: Graphviz is not on this machine, and caulk does not need it")
    found = graph(Question([profile_dump(('main"x\\N', 5), ('main"x\\N;b', 2))]))
    done = subprocess.run(["dot", "-Tsvg"], input=diagram.render(found), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
