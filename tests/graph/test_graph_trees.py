"""Trees of merged objects: what is one node, what is a list, and what is too small to show."""

from array import array
from itertools import pairwise

import pytest
from heaps import heap
from hypothesis import given, settings
from random_graphs import graphs

from caulk._core import graph_trees as compiled
from caulk._core import uncompiled
from caulk.analysis.objects import trees as graph_trees
from caulk.analysis.objects.dominators import dominators
from caulk.analysis.objects.paths import nearest
from caulk.analysis.objects.trees import dominator_tree, path_tree

pure = uncompiled.load("graph_trees")


def shown(tree) -> dict[str, tuple[int, int]]:
    """Bytes and objects by path of names."""
    return {
        " > ".join(tree.frames.function_name(frame) for frame in tree.stack(node)): (
            tree.values[0][node],
            tree.values[1][node],
        )
        for node in range(1, len(tree))
    }


def dominated(text: str) -> dict[str, tuple[int, int]]:
    return dominated_in(heap(text))


def dominated_in(graph) -> dict[str, tuple[int, int]]:
    return shown(dominator_tree(graph, dominators(graph)))


def everything(graph) -> array:
    return array("i", range(len(graph)))


def chain(types: str) -> str:
    """A list of one object a letter."""
    names = [f"o{i}" for i in range(len(types))]
    declared = "; ".join(f"{name}:{kind}" for name, kind in zip(names, types, strict=True))
    return f"{declared}; o0!; " + "; ".join(f"{a} -> {b}.n" for a, b in pairwise(names))


def test_objects_of_one_type_under_one_node_are_one_node():
    assert dominated("cache:Cache*10! -> a:Entry*1 b:Entry*2; a -> s:Text*4; b -> t:Text*8") == {
        "Cache": (10, 1),
        "Cache > Entry": (3, 2),
        "Cache > Entry > Text": (12, 2),
    }


def test_an_object_that_two_share_stands_beside_them():
    assert set(dominated("a:A! -> c:C; b:B! -> c")) == {"A", "B", "C"}


def test_a_list_is_one_node_and_what_it_holds_is_below():
    assert dominated(chain("NNNNN") + "; o4 -> v:Value*7; o0 -> w:Value*1") == {"N": (40, 5), "N > Value": (8, 2)}


@pytest.mark.parametrize(("turn", "nodes"), [("AB", 4), ("ABC", 6), ("ABCD", 8)])
def test_types_that_take_turns_are_as_many_nodes_as_two_turns(turn, nodes):
    found = dominated(chain(turn * 50))
    assert len(found) == nodes
    assert sum(objects for _, objects in found.values()) == 50 * len(turn)


def test_a_list_in_a_list_is_not_taken_for_a_turn():
    assert set(dominated(chain("LALA"))) == {"L", "L > A", "L > A > L", "L > A > L > A"}


def test_the_path_tree_names_reference_and_type():
    graph = heap(
        "book:OrderBook!; map:HashMap*48; a:Node b:Node c:Node; book -> map.OPEN; map -> a.[] b.[]; a -> c.next"
    )
    assert shown(path_tree(graph, nearest(graph), everything(graph))) == {
        "(root) OrderBook": (8, 1),
        "(root) OrderBook > .OPEN HashMap": (48, 1),
        "(root) OrderBook > .OPEN HashMap > [] Node": (16, 2),
        "(root) OrderBook > .OPEN HashMap > [] Node > .next Node": (8, 1),
    }


def test_a_path_tree_counts_only_the_objects_asked_for():
    graph = heap("a:A! -> t:Ticket*10.x; b:B! -> u:Ticket*20.y; u -> v:Other")
    assert shown(path_tree(graph, nearest(graph), array("i", sorted([graph["t"], graph["u"]])))) == {
        "(root) A": (0, 0),
        "(root) A > .x Ticket": (10, 1),
        "(root) B": (0, 0),
        "(root) B > .y Ticket": (20, 1),
    }


def test_garbage_is_in_no_tree():
    graph = heap("a:A!; b:B")
    for tree in (dominator_tree(graph, dominators(graph)), path_tree(graph, nearest(graph), everything(graph))):
        assert {path.rpartition(" ")[2]: found for path, found in shown(tree).items()} == {"A": (8, 1)}


def test_what_is_too_small_to_show_is_the_rest_of_its_parent():
    graph = heap("a:A*100! -> b:B*4 c:C*5; b -> d:D*6; e:E*1! f:F*1000000!")
    graph.large.update({graph["f"]: 10_000_000})
    assert dominated_in(graph) == {"A": (100, 1), "A > (rest)": (15, 3), "(rest)": (1, 1), "F": (10_000_000, 1)}


def test_a_type_without_a_name_is_shown_as_such():
    graph = heap("a:A! -> b:B")
    graph.types.name[graph.type[graph["b"]]] = ""
    assert set(shown(dominator_tree(graph, dominators(graph)))) == {"A", "A > (unnamed)"}


@settings(max_examples=300, deadline=None)
@given(graph=graphs(most=30))
def test_every_object_held_is_in_one_node_and_counted_there(graph):
    found = dominators(graph)
    for tree in (dominator_tree(graph, found), path_tree(graph, nearest(graph), everything(graph))):
        assert tree.total(0) == found.retained[0] - graph.size[0]
        assert tree.total(1) == len(found.order) - 1
        assert all(parent < node for node, parent in enumerate(tree.parent))


@settings(max_examples=300, deadline=None)
@given(graph=graphs(most=30))
def test_the_kernel_says_the_same_uncompiled(graph):
    found, near = dominators(graph), nearest(graph)
    for most in (3, 1000):
        called = (graph.type, graph.named, graph.naming, len(graph.types))
        asked = (found.idom, found.order, *called, graph.size, most)
        tree = compiled.merge_dominated(*asked)
        assert pure.merge_dominated(*asked) == tree
        for chosen in (everything(graph), everything(graph)[::2], array("i")):
            ways = (near.parent, near.edge, graph.label, *called, graph.size, most, chosen)
            assert pure.merge_paths(*ways) == compiled.merge_paths(*ways)
        small = (tree[0], tree[1], array("q", range(len(tree[0]), 0, -1)), 3)
        assert pure.prune(*small) == compiled.prune(*small)


def test_a_graph_of_more_paths_than_can_be_shown_keeps_the_first_and_sums_the_rest(monkeypatch):
    monkeypatch.setattr(graph_trees, "_MOST_NODES", 3)
    assert dominated("a:A! -> b:B c:C d:D; d -> e:E") == {"A": (8, 1), "A > B": (8, 1), "A > (rest)": (24, 3)}


def test_a_tree_may_grow_far_past_its_first_room():
    count = 5000
    idom, order = array("i", [-1]) + array("i", [0]) * count, array("i", range(count + 1))
    sizes = array("I", range(count + 1))
    parent, frame, own, objects, nodes = compiled.merge_dominated(
        idom, order, order, array("i"), array("i"), count + 1, sizes, 1 << 20
    )
    assert list(own) == list(sizes)
    assert list(objects) == [0] + [1] * count
    assert list(nodes) == list(range(count + 1))
    assert list(frame[1:]) == list(range(1, count + 1))
    assert set(parent[1:]) == {0}
