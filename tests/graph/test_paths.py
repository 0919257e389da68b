"""Paths from the roots: the shortest, others, and who refers to an object."""

from collections import deque

import pytest
from heaps import heap
from hypothesis import given, settings
from hypothesis import strategies as some
from random_graphs import graphs, reached

from caulk._core import graph as compiled
from caulk._core import uncompiled
from caulk.analysis.objects.dominators import counting
from caulk.analysis.objects.paths import Step, all_paths, nearest, referrers, shortest
from caulk.model.graph import LABEL_MASK, ROOTS, STRENGTH_SHIFT, WEAKEST, Label

pure = uncompiled.load("graph")
REFERENCES = some.sampled_from(["strong", "soft", "all"])


def shown(graph, path) -> str:
    return " ".join(
        f"{step.label}:{name}" for step, name in zip(path, graph.names(s.number for s in path), strict=True)
    )


def distances(graph, references) -> dict[int, int]:
    found, queue = {ROOTS: 0}, deque([ROOTS])
    while queue:
        number = queue.popleft()
        for reference in graph.references(number):
            if reference.strength <= WEAKEST[references] and reference.target not in found:
                found[reference.target] = found[number] + 1
                queue.append(reference.target)
    return found


@settings(max_examples=500, deadline=None)
@given(graph=graphs(), references=REFERENCES)
def test_the_shortest_path_is_as_long_as_any_and_made_of_references_that_count(graph, references):
    found, far = nearest(graph, references), distances(graph, references)
    for number in range(len(graph)):
        path = shortest(graph, found, number)
        assert len(path) == far.get(number, 0)
        before = ROOTS
        for step in path:
            edge = found.edge[step.number]
            assert graph.first[before] <= edge < graph.first[before + 1]
            assert graph.target[edge] == step.number
            assert graph.label[edge] >> STRENGTH_SHIFT <= WEAKEST[references]
            assert step.label == graph.labels[graph.label[edge] & LABEL_MASK]
            before = step.number


@settings(max_examples=200, deadline=None)
@given(graph=graphs(), references=REFERENCES)
def test_the_kernel_says_the_same_uncompiled(graph, references):
    columns = (graph.first, graph.target, graph.label, counting(references))
    assert pure.nearest(*columns) == compiled.nearest(*columns)
    wanted = bytearray(number % 2 for number in range(len(graph)))
    asked = (graph.target, graph.label, counting(references), wanted, 2)
    assert pure.references_to(*asked) == compiled.references_to(*asked)


def test_a_path_names_the_references_from_the_roots_to_the_object():
    graph = heap("book! -> map.OPEN; map -> table.table; table -> node.[]; node -> order.val; book -> x.a; x -> y.b")
    path = shortest(graph, nearest(graph), graph["order"])
    assert shown(graph, path) == "(root):book .OPEN:map .table:table []:node .val:order"


def test_among_equally_short_paths_the_first_of_the_dump_is_taken():
    graph = heap("a! -> c.one; b! -> c.two")
    assert shown(graph, shortest(graph, nearest(graph), graph["c"])) == "(root):a .one:c"


def test_what_nothing_holds_has_no_path():
    graph = heap("a! ?> b")
    found = nearest(graph)
    assert shortest(graph, found, graph["b"]) == ()
    assert all_paths(graph, found, graph["b"]) == ()
    assert found.parent[graph["b"]] == -1


def test_referrers_are_found_with_their_references_weak_ones_too():
    graph = heap("a! -> c.one; b ?> c.two; c -> d")
    expected = (Step(graph["a"], Label("field", "one")), Step(graph["b"], Label("field", "two")))
    assert referrers(graph, graph["c"]) == expected
    assert referrers(graph, graph["c"], "strong") == expected[:1]


def test_of_many_referrers_the_first_are_given():
    graph = heap("".join(f"h{i}! -> shared;" for i in range(50)))
    found = referrers(graph, graph["shared"], most=3)
    assert graph.names(step.number for step in found) == ["h0", "h1", "h2"]


def test_other_paths_come_by_other_roots_the_short_ones_first():
    graph = heap("a! -> m.x; b! -> c.y; c -> m.z; m -> o.v; long! -> l.w; l -> c.q")
    paths = all_paths(graph, nearest(graph), graph["o"])
    assert [shown(graph, path) for path in paths] == [
        "(root):a .x:m .v:o",
        "(root):b .y:c .z:m .v:o",
    ]


def test_other_paths_do_not_come_through_the_object_itself():
    graph = heap("a! -> o.x; o -> child.c; child -> o.parent; b! -> o.y")
    paths = all_paths(graph, nearest(graph), graph["o"])
    assert [shown(graph, path) for path in paths] == ["(root):a .x:o", "(root):b .y:o"]


@settings(max_examples=300, deadline=None)
@given(graph=graphs(), references=REFERENCES)
def test_every_path_is_one_of_the_graph_and_they_all_differ(graph, references):
    found = nearest(graph, references)
    for number in reached(graph, references) - {ROOTS}:
        paths = all_paths(graph, found, number, 5, references=references)
        assert paths[0] == shortest(graph, found, number)
        assert len(paths) <= 5
        assert [len(path) for path in paths] == sorted(len(path) for path in paths)
        for path in paths:
            assert path[-1].number == number
            assert len({step.number for step in path}) == len(path)
            before = ROOTS
            for step in path:
                assert any(
                    reference.target == step.number and reference.strength <= WEAKEST[references]
                    for reference in graph.references(before)
                )
                before = step.number


@pytest.mark.parametrize("limit", [0, 1, 2])
def test_no_more_paths_than_asked_for(limit):
    graph = heap("a! -> o; b! -> o; c! -> o")
    assert len(all_paths(graph, nearest(graph), graph["o"], limit)) == limit
