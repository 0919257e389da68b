"""What types, other groups and whole sets of objects retain."""

from array import array

import pytest
from heaps import heap
from hypothesis import given, settings
from hypothesis import strategies as some
from random_graphs import TYPES, dominated_by, graphs, reached

from caulk._core import graph as compiled
from caulk._core import uncompiled
from caulk.analysis.objects.dominators import counting, dominators
from caulk.analysis.objects.retained import by_group, by_type, of_set

pure = uncompiled.load("graph")
KERNELS = pytest.mark.parametrize("kernel", [compiled, pure], ids=["compiled", "uncompiled"])
REFERENCES = some.sampled_from(["strong", "soft", "all"])


def totals_of(graph, name: str) -> tuple[int, int, int]:
    totals = by_type(graph, dominators(graph))
    number = list(graph.types.name).index(name)
    return totals.count[number], totals.shallow[number], totals.retained[number]


@settings(max_examples=500, deadline=None)
@given(graph=graphs(), references=REFERENCES)
def test_a_type_retains_what_its_objects_dominate_and_counts_it_once(graph, references):
    totals = by_type(graph, dominators(graph, references))
    kept = dominated_by(graph, references)
    for number in range(TYPES):
        members = [other for other in kept if other and graph.type[other] == number]
        assert totals.count[number] == len(members)
        assert totals.shallow[number] == sum(graph.size[other] for other in members)
        together = set().union(*(kept[other] for other in members))
        assert totals.retained[number] == sum(graph.size[other] for other in together)


@settings(max_examples=500, deadline=None)
@given(graph=graphs(), references=REFERENCES, data=some.data())
def test_a_set_retains_what_is_not_reached_without_it(graph, references, data):
    objects = data.draw(some.sets(some.integers(0, len(graph) - 1)))
    freed = reached(graph, references) - reached(graph, references, objects)
    assert of_set(graph, dominators(graph, references), array("i", objects)) == sum(
        graph.size[number] for number in freed
    )


@settings(max_examples=200, deadline=None)
@given(graph=graphs(), references=REFERENCES)
def test_the_kernel_says_the_same_uncompiled(graph, references):
    found = dominators(graph, references)
    totals = (found.idom, found.order, found.retained, graph.size, graph.type, TYPES)
    assert pure.by_group(*totals) == compiled.by_group(*totals)
    sizes = [kernel.widened(graph.size) for kernel in (pure, compiled)]
    for kernel, column in zip((pure, compiled), sizes, strict=True):
        kernel.retain(found.idom, found.order, column)
    assert sizes[0] == sizes[1] == found.retained
    marks = [bytearray(len(graph)) for _ in range(2)]
    for kernel, marked in zip((pure, compiled), marks, strict=True):
        marked[-1] = 2
        kernel.reach(graph.first, graph.target, graph.label, counting(references), marked)
    assert marks[0] == marks[1]


def test_a_list_of_nodes_retains_itself_once():
    graph = heap("a:Node*10! -> b:Node*10; b -> c:Node*10; c -> d:Value*100")
    assert totals_of(graph, "Node") == (3, 30, 130)


def test_two_objects_of_a_type_that_share_a_third_retain_only_their_own():
    graph = heap("a:Holder*10! -> c:Value*100; b:Holder*10! -> c")
    assert totals_of(graph, "Holder") == (2, 20, 20)


def test_what_nothing_holds_belongs_to_no_type():
    assert totals_of(heap("a!; b:Garbage*100"), "Garbage") == (0, 0, 0)


def test_objects_count_by_any_group_and_those_without_one_nowhere():
    graph = heap("a*1! -> b*2; b -> c*4; d*8!")
    groups = array("i", [-1, 0, -1, 0, 1])
    totals = by_group(graph, dominators(graph), groups, 2)
    assert [list(column) for column in (totals.count, totals.shallow, totals.retained)] == [[2, 1], [5, 8], [7, 8]]


def test_two_holders_of_one_object_free_it_together_though_neither_does_alone():
    graph = heap("a*1! -> c*100; b*2! -> c")
    assert [
        of_set(graph, dominators(graph), array("i", [graph[name] for name in names])) for names in ("a", "b", "ab")
    ] == [
        1,
        2,
        103,
    ]


def test_an_object_of_more_than_four_gibibytes_counts_with_its_size():
    graph = heap("a:Holder! -> b:Big; c:Big")
    graph.large.update({graph["b"]: 5 << 32, graph["c"]: 6 << 32})
    assert totals_of(graph, "Big") == (1, 5 << 32, 5 << 32)
    assert of_set(graph, dominators(graph), array("i", [graph["a"]])) == 8 + (5 << 32)


def test_the_same_object_in_a_set_twice_counts_once():
    graph = heap("a! -> b")
    assert of_set(graph, dominators(graph), array("i", [graph["b"], graph["b"]])) == 8


@KERNELS
@given(values=some.lists(some.integers(-3, 3) | some.integers(-(2**62), 2**62)), most=some.integers(0, 8))
def test_the_largest_come_first_and_equals_by_number(kernel, values, most):
    expected = sorted(range(len(values)), key=lambda i: (-values[i], i))[:most]
    assert list(kernel.top(array("q", values), most)) == expected


@KERNELS
@given(values=some.lists(some.integers(0, 3)))
def test_objects_are_found_by_value_and_by_group(kernel, values):
    assert list(kernel.equal(array("i", values), 2)) == [i for i, value in enumerate(values) if value == 2]
    marked = bytearray([0, 1, 0, 1])
    assert list(kernel.members(array("i", values), marked)) == [i for i, value in enumerate(values) if value % 2]


@KERNELS
def test_marks_that_do_not_fit_the_graph_are_refused(kernel):
    graph = heap("a! -> b")
    with pytest.raises(ValueError, match="mark"):
        kernel.reach(graph.first, graph.target, graph.label, 1, bytearray(1))
