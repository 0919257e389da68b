"""The kernel of stacks, compiled and not, against a few lines of plain Python."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as some

from caulk._core import stacks, uncompiled

KERNELS = pytest.mark.parametrize("kernel", [stacks, uncompiled.load("stacks")], ids=["compiled", "uncompiled"])

STACKS = some.lists(some.lists(some.integers(0, 5), max_size=6).map(tuple), max_size=30)
VALUES = some.integers(-(2**40), 2**40)


def columns(rows: list[tuple[int, ...]]) -> tuple[array, array]:
    starts, frames = array("q", [0]), array("i")
    for row in rows:
        frames.extend(row)
        starts.append(len(frames))
    return starts, frames


def planted(kernel, rows):
    trie = kernel.Trie()
    nodes = trie.insert(*columns(rows))
    return trie, nodes


def path(parent, frame, node) -> tuple[int, ...]:
    frames = []
    while node:
        frames.append(frame[node])
        node = parent[node]
    return tuple(reversed(frames))


def values_at(nodes, numbers, length) -> array:
    column = array("q", bytes(8 * length))
    for node, number in zip(nodes, numbers, strict=True):
        column[node] += number
    return column


@KERNELS
@given(rows=STACKS)
def test_inserted_stacks_are_the_paths_of_their_nodes(kernel, rows):
    trie, nodes = planted(kernel, rows)
    assert [path(trie.parent, trie.frame, node) for node in nodes] == rows
    prefixes = {row[:i] for row in rows for i in range(len(row) + 1)} | {()}
    assert len(trie) == len(prefixes)
    assert all(p < i for i, p in enumerate(trie.parent))


@KERNELS
def test_a_tree_may_grow_in_steps_and_past_its_room(kernel):
    trie = kernel.Trie()
    rows = [(i % 7, i % 11, i) for i in range(5000)]
    found = []
    for at in range(0, 5000, 777):
        found.extend(trie.insert(*columns(rows[at : at + 777])))
    assert [path(trie.parent, trie.frame, node) for node in found] == rows
    assert found == list(trie.insert(*columns(rows)))


@KERNELS
def test_stacks_that_overlap_are_refused(kernel):
    with pytest.raises(ValueError, match="overlap"):
        kernel.Trie().insert(array("q", [0, 3, 1]), array("i", [1, 2, 3]))


@KERNELS
@given(rows=STACKS, gone=some.sets(some.integers(0, 5)))
def test_a_graft_renames_frames_and_leaves_some_out(kernel, rows, gone):
    other, nodes = planted(kernel, rows)
    trie = kernel.Trie()
    relabel = array("i", [-1 if f in gone else f // 2 for f in range(6)])
    became = trie.graft(other.parent, other.frame, relabel)
    expected = [tuple(f // 2 for f in row if f not in gone) for row in rows]
    assert [path(trie.parent, trie.frame, became[node]) for node in nodes] == expected


@KERNELS
def test_a_tree_out_of_order_is_refused(kernel):
    with pytest.raises(ValueError, match="before its parent"):
        kernel.Trie().graft(array("i", [-1, 2, 0]), array("i", [-1, 0, 0]), array("i", [0]))


@KERNELS
@given(rows=some.lists(some.tuples(some.lists(some.integers(0, 3), max_size=5).map(tuple), VALUES), max_size=20))
def test_a_total_is_the_sum_of_all_stacks_below(kernel, rows):
    trie, nodes = planted(kernel, [row for row, _ in rows])
    numbers = array("q", [value for _, value in rows])
    own = kernel.scatter(nodes, numbers, len(trie))
    assert own == values_at(nodes, numbers, len(trie))
    total = kernel.totals(trie.parent, own)
    for node in range(len(trie)):
        prefix = path(trie.parent, trie.frame, node)
        assert total[node] == sum(value for row, value in rows if row[: len(prefix)] == prefix)


@KERNELS
def test_sums_wrap_like_64_bits_rather_than_fail(kernel):
    largest = array("q", [2**63 - 1, 1])
    assert kernel.scatter(array("i", [0, 0]), largest, 1)[0] == -(2**63)
    assert kernel.totals(array("i", [-1, 0]), largest)[0] == -(2**63)


@KERNELS
@given(rows=STACKS, chosen=some.sets(some.integers(0, 5)))
def test_marks_are_found_on_the_stack_of_a_node(kernel, rows, chosen):
    trie, _ = planted(kernel, rows)
    parent, frame = trie.parent, trie.frame
    marked = bytearray(f in chosen for f in range(6))
    inherited, nearest = kernel.inherit(parent, frame, marked), kernel.nearest(parent, frame, marked)
    for node in range(len(trie)):
        assert bool(inherited[node]) == any(f in chosen for f in path(parent, frame, node))
        at = node
        while at and frame[at] not in chosen:
            at = parent[at]
        assert nearest[node] == at


@KERNELS
@given(rows=STACKS, chosen=some.sets(some.integers(0, 5)))
def test_the_first_marked_frame_below_an_unmarked_one_is_cut_with_all_it_called(kernel, rows, chosen):
    trie, _ = planted(kernel, rows)
    parent, frame = trie.parent, trie.frame
    cut = kernel.cut_below(parent, frame, bytearray(f in chosen for f in range(6)))
    for node in range(len(trie)):
        stack = [f in chosen for f in path(parent, frame, node)]
        first_user = stack.index(False) if False in stack else len(stack)
        assert bool(cut[node]) == any(stack[first_user:])
    stands = kernel.collapse(parent, cut)
    for node in range(len(trie)):
        at = node
        while cut[at]:
            at = parent[at]
        assert stands[node] == at


@KERNELS
@given(rows=STACKS)
def test_preorder_has_every_node_once_and_each_subtree_together(kernel, rows):
    trie, _ = planted(kernel, rows)
    order = list(kernel.preorder(trie.parent))
    assert sorted(order) == list(range(len(trie)))
    paths = [path(trie.parent, trie.frame, node) for node in order]
    for i, prefix in enumerate(paths):
        below = [j for j, other in enumerate(paths) if other[: len(prefix)] == prefix]
        assert below == list(range(i, i + len(below)))


@KERNELS
@given(
    rows=some.lists(
        some.tuples(some.lists(some.integers(0, 5), min_size=1, max_size=6).map(tuple), VALUES), max_size=25
    )
)
def test_a_group_counts_a_stack_once_however_often_it_recurs(kernel, rows):
    trie, nodes = planted(kernel, [row for row, _ in rows])
    group = array("i", [f % 3 for f in range(6)])
    own = values_at(nodes, [value for _, value in rows], len(trie))
    flat, cumulative = kernel.by_group(trie.parent, trie.frame, group, 3, own)
    for k in range(3):
        assert flat[k] == sum(value for row, value in rows if row[-1] % 3 == k)
        assert cumulative[k] == sum(value for row, value in rows if any(f % 3 == k for f in row))


@KERNELS
def test_a_stack_of_a_million_calls_needs_no_recursion(kernel):
    depth = 1_000_000 if kernel.COMPILED else 20_000
    trie, nodes = planted(kernel, [tuple([7] * depth)])
    own = array("q", bytes(8 * len(trie)))
    own[nodes[0]] = 5
    assert kernel.totals(trie.parent, own)[0] == 5
    assert kernel.preorder(trie.parent)[-1] == depth
    _, cumulative = kernel.by_group(trie.parent, trie.frame, array("i", [0] * 8), 1, own)
    assert list(cumulative) == [5]
