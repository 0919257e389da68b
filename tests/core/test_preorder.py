"""The kernel of drawn nodes, compiled and not, against a few lines of plain Python."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as some

from caulk._core import preorder, uncompiled

KERNELS = pytest.mark.parametrize("kernel", [preorder, uncompiled.load("preorder")], ids=["compiled", "uncompiled"])

#: Trees as the parents of nodes, each before its children.
TREES = some.lists(some.integers(0, 1 << 30), max_size=40).map(
    lambda draws: [-1, *(draw % (node + 1) for node, draw in enumerate(draws))]
)


def subtree(parent, node, wanted, depth=0, deepest=1 << 20):
    """`node` and what is below it, by the order of `wanted`."""
    yield node, depth
    if depth < deepest:
        for child in wanted:
            if child and parent[child] == node:
                yield from subtree(parent, child, wanted, depth + 1, deepest)


def chosen(parent, data):
    """Some nodes with all their parents, each after its parent."""
    drawn = data.draw(some.permutations(range(len(parent))))[: data.draw(some.integers(0, len(parent)))]
    found = {0: None}
    for node in drawn:
        way = [node]
        while way[-1] > 0:
            way.append(parent[way[-1]])
        found.update(dict.fromkeys(reversed(way)))
    return list(found)


@KERNELS
@given(parent=TREES, data=some.data(), deepest=some.integers(1, 5))
def test_nodes_stand_before_what_is_below_them_and_siblings_as_they_were_given(kernel, parent, data, deepest):
    wanted = chosen(parent, data)
    order, depth = kernel.heaviest_first(array("i", parent), array("i", wanted), deepest)
    assert list(zip(order, depth, strict=True)) == list(subtree(parent, 0, wanted, deepest=deepest))


@KERNELS
@given(parent=TREES, data=some.data())
def test_what_is_left_out_is_in_the_rest_of_the_nearest_node_that_is_not(kernel, parent, data):
    own = data.draw(some.lists(some.integers(-1000, 1000), min_size=len(parent), max_size=len(parent)))
    order, _ = kernel.heaviest_first(array("i", parent), array("i", chosen(parent, data)), 1 << 20)
    total, expected = list(own), dict.fromkeys(order, 0)
    for node in range(len(parent) - 1, 0, -1):
        total[parent[node]] += total[node]
    for node, value in enumerate(own):
        above = node
        while above not in expected:
            above = parent[above]
        expected[above] += value if above != node else 0
    left = kernel.rest(array("i", parent), order, array("q", own), array("q", total))
    assert dict(zip(order, left, strict=True)) == expected


@KERNELS
@given(parent=TREES, data=some.data())
def test_a_further_row_is_the_last_child_of_its_node(kernel, parent, data):
    order, depth = kernel.heaviest_first(array("i", parent), array("i", chosen(parent, data)), 1 << 20)
    has_rest = bytes(data.draw(some.lists(some.sampled_from([0, 1]), min_size=len(order), max_size=len(order))))
    above, place = kernel.with_rest(depth, has_rest)
    assert [at for at in place if at >= 0] == list(range(len(order)))
    assert sorted(-1 - at for at in place if at < 0) == [at for at, has in enumerate(has_rest) if has]
    assert above[0] == -1
    for row, at in enumerate(place):
        if at < 0:
            assert place[above[row]] == -1 - at
            children = [child for child, of in enumerate(above) if of == above[row]]
            assert children[-1] == row
        elif row:
            assert order[place[above[row]]] == parent[order[at]]


@KERNELS
def test_a_node_that_is_no_node_is_an_error(kernel):
    with pytest.raises(IndexError):
        kernel.heaviest_first(array("i", [-1, 0]), array("i", [0, 7]), 10)
