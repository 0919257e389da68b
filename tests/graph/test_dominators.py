"""Dominators and retained sizes of objects, against taking each object away and looking what is still reached."""

from array import array

import pytest
from heaps import heap
from hypothesis import given, settings
from hypothesis import strategies as some
from random_graphs import dominated_by, graphs, reached

from caulk._core import graph as compiled
from caulk._core import uncompiled
from caulk.analysis.objects.dominators import counting, dominated, dominators
from caulk.model.graph import ROOTS

pure = uncompiled.load("graph")
REFERENCES = some.sampled_from(["strong", "soft", "all"])


def dominator_of(graph, name: str) -> str:
    return graph.names([dominators(graph).idom[graph[name]]])[0]


@settings(max_examples=1500, deadline=None)
@given(graph=graphs(), references=REFERENCES)
def test_the_dominator_is_the_nearest_object_without_which_nothing_reaches_it(graph, references):
    found = dominators(graph, references)
    kept = dominated_by(graph, references)
    for number in range(len(graph)):
        above = [other for other, below in kept.items() if number in below and other != number]
        # The nearest is the one that all others dominate, too.
        nearest = min(above, key=lambda other: len(kept[other]), default=-1)
        assert found.idom[number] == nearest


@settings(max_examples=500, deadline=None)
@given(graph=graphs(), references=REFERENCES)
def test_an_object_retains_what_is_no_longer_reached_without_it(graph, references):
    found = dominators(graph, references)
    kept = dominated_by(graph, references)
    for number in range(len(graph)):
        assert found.retained[number] == sum(graph.size[other] for other in kept.get(number, {number}))


@settings(max_examples=500, deadline=None)
@given(graph=graphs(), references=REFERENCES)
def test_the_order_has_the_reached_objects_and_what_each_keeps_right_behind_it(graph, references):
    found = dominators(graph, references)
    assert sorted(found.order) == sorted(reached(graph, references))
    for number, kept in dominated_by(graph, references).items():
        at = found.order.index(number)
        assert set(found.order[at : at + len(kept)]) == kept


@settings(max_examples=300, deadline=None)
@given(graph=graphs(most=30), references=REFERENCES)
def test_the_kernel_says_the_same_uncompiled(graph, references):
    columns = (graph.first, graph.target, graph.label, counting(references))
    assert pure.dominators(*columns) == compiled.dominators(*columns)


def test_an_object_held_by_two_roots_is_dominated_by_neither():
    assert dominator_of(heap("a! -> c; b! -> c"), "c") == "ROOTS"


def test_an_object_held_twice_by_one_is_dominated_by_it():
    graph = heap("a! -> b.left; a -> c.right; b -> d; c -> d; d -> e")
    assert [dominator_of(graph, name) for name in "abcde"] == ["ROOTS", "a", "a", "a", "d"]


@pytest.mark.parametrize(("references", "expected"), [("strong", "a"), ("soft", "ROOTS"), ("all", "ROOTS")])
def test_a_soft_reference_counts_only_where_it_is_asked_for(references, expected):
    graph = heap("a! -> c; b! ~> c")
    assert graph.names([dominators(graph, references).idom[graph["c"]]]) == [expected]


def test_what_only_weak_references_reach_is_not_held_and_retains_itself():
    graph = heap("a! ?> b; b -> c*100", size=8)
    found = dominators(graph)
    assert list(found.idom[graph["b"] : graph["c"] + 1]) == [-1, -1]
    assert list(found.order) == [ROOTS, graph["a"]]
    assert found.retained[graph["b"]] == 8


def test_a_reference_that_holds_nothing_never_counts():
    graph = heap("a! x> b")
    assert dominators(graph, "all").idom[graph["b"]] == -1


def test_an_object_that_keeps_itself_alive_is_not_held():
    graph = heap("a!; b -> b; b -> c; c -> b")
    assert list(dominators(graph).order) == [ROOTS, graph["a"]]


def test_references_back_to_the_roots_change_nothing():
    graph = heap("a! -> b; c!")
    graph.target.append(ROOTS)
    graph.label.append(0)
    graph.first[graph["c"] + 1] += 1
    assert list(dominators(graph).idom) == [-1, 0, graph["a"], 0]


def test_sizes_beyond_four_gibibytes_add_up():
    graph = heap("a! -> b; b -> c")
    graph.large.update({graph["b"]: 5 << 40, graph["c"]: 7 << 40})
    assert dominators(graph).retained[graph["a"]] == 8 + (12 << 40)


def test_what_an_object_dominates_can_be_listed():
    graph = heap("a! -> b.x; a -> c.y; b -> d; d -> e")
    assert graph.names(dominated(dominators(graph), graph["a"])) == ["b", "c"]


def list_with_shared_tail(length: int) -> tuple[array, array, array]:
    """A list whose tail reaches `length` objects that an array at the roots holds as well.

    Algorithms that climb the tree for each of them take length² / 2 steps here.
    """
    first, target = array("I", [0]), array("i")
    array_at, head, shared = 1, 2, 2 + length
    target.extend([array_at, head])
    first.append(2)
    target.extend(range(shared, shared + length))
    first.append(len(target))
    for number in range(head, shared - 1):
        target.append(number + 1)
        first.append(len(target))
    target.extend(range(shared, shared + length))
    first.append(len(target))
    first.extend([len(target)] * length)
    return first, target, array("I", [0]) * len(target)


def test_a_long_list_that_shares_its_tail_with_an_array_takes_no_quadratic_time():
    length = 200_000
    idom, order = compiled.dominators(*list_with_shared_tail(length), 1)
    assert set(idom[2 + length :]) == {ROOTS}
    assert len(order) == 2 + 2 * length


class Watched:
    """A column that counts how often it is read."""

    def __init__(self, column: array) -> None:
        self.column, self.reads = column, 0

    def __len__(self) -> int:
        return len(self.column)

    def __getitem__(self, index: int) -> int:
        self.reads += 1
        return self.column[index]

    def __setitem__(self, index: int, value: int) -> None:
        self.column[index] = value


def steps(monkeypatch, columns: tuple[array, array, array]) -> int:
    """The reads of the column that the climbing in the tree goes by."""
    real, watched = pure.link, []

    def link(parent, *others):
        watched.append(Watched(parent))
        real(watched[0], *others)

    with monkeypatch.context() as patch:
        patch.setattr(pure, "link", link)
        pure.dominators(*columns, 1)
    return watched[0].reads


def test_the_steps_grow_with_the_list_and_not_with_its_square(monkeypatch):
    few, many = (steps(monkeypatch, list_with_shared_tail(length)) for length in (500, 4000))
    assert many < 12 * few


def test_a_list_of_a_million_objects_is_no_recursion():
    length = 1_000_000
    first = array("I", range(length))
    first.append(length - 1)
    idom, order = compiled.dominators(first, array("i", range(1, length)), array("I", [0]) * (length - 1), 1)
    assert list(idom) == list(range(-1, length - 1))
    assert list(order) == list(range(length))


@pytest.mark.parametrize("kernel", [compiled, pure], ids=["compiled", "uncompiled"])
@pytest.mark.parametrize(
    "columns",
    [
        (array("I", [0, 1, 1]), array("i", [2]), array("I", [0])),
        (array("I", [0, 1, 1]), array("i", [-1]), array("I", [0])),
        (array("I", [0, 2, 1]), array("i", [1]), array("I", [0])),
        (array("I", [0, 1, 2]), array("i", [1]), array("I", [0])),
        (array("I", [1, 1, 1]), array("i", [1]), array("I", [0])),
        (array("I", [0, 1, 1]), array("i", [1]), array("I", [])),
        (array("I", [0]), array("i"), array("I")),
    ],
)
def test_references_that_lead_nowhere_are_refused(kernel, columns):
    with pytest.raises(ValueError, match="graph"):
        kernel.dominators(*columns, 1)


def test_the_columns_may_lie_in_a_mapped_file_that_cannot_be_written():
    graph = heap("a! -> b; b -> c")
    frozen = [memoryview(column.tobytes()).cast(column.typecode) for column in (graph.first, graph.target, graph.label)]
    assert compiled.dominators(*frozen, 1) == compiled.dominators(graph.first, graph.target, graph.label, 1)
