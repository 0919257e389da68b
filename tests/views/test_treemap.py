"""Treemaps: boxes as large as their weights, within their parents, none upon another."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as some

from caulk.formats.builder import ProfileBuilder
from caulk.model.measure import Measure
from caulk.model.table import Stacks
from caulk.views import treemap
from caulk.views.treemap import Box, squarified

WEIGHTS = some.lists(some.integers(1, 10**12), min_size=1, max_size=60).map(lambda w: sorted(w, reverse=True))


def tree_of(stacks):
    builder = ProfileBuilder(Measure("inuse_space", "bytes"))
    for stack, value in stacks.items():
        builder.add([builder.frame(name) for name in stack.split(";")], [value])
    return builder.build(format="test", runtime="test", kind="heap").tree


def boxes_of(svg: str) -> dict[str, Box]:
    found = {}
    for group in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}g"):
        title, rect = group[0].text, group[1]
        found[title.split("\n")[0]] = Box(*(float(rect.get(key)) for key in ("x", "y", "width", "height")))
    return found


@given(weights=WEIGHTS, width=some.floats(1, 2000), height=some.floats(1, 2000))
def test_areas_are_in_the_proportion_of_the_weights(weights, width, height):
    boxes = squarified(weights, Box(3, 5, width, height))
    for weight, box in zip(weights, boxes, strict=True):
        assert box.width * box.height == pytest.approx(width * height * weight / sum(weights), rel=1e-6, abs=1e-6)


@given(weights=WEIGHTS, width=some.floats(10, 2000), height=some.floats(10, 2000))
def test_boxes_stay_inside_and_do_not_overlap(weights, width, height):
    boxes = squarified(weights, Box(0, 0, width, height))
    slack = 1e-6 * max(width, height)
    for box in boxes:
        assert -slack <= box.x <= box.x + box.width <= width + slack
        assert -slack <= box.y <= box.y + box.height <= height + slack
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            across = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
            down = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
            assert across <= slack or down <= slack


def test_equal_weights_in_a_square_are_squares():
    assert {(box.width, box.height) for box in squarified([1.0] * 4, Box(0, 0, 10, 10))} == {(5.0, 5.0)}


def test_a_child_lies_in_its_parent_and_the_heavier_is_larger():
    tree = tree_of({"main;cache": 600, "main;queue": 200, "main": 200, "other": 500})
    boxes = boxes_of(treemap.svg(Stacks("dominators", tree, 1500)))
    main, cache, queue = boxes["main"], boxes["cache"], boxes["queue"]
    assert main.x <= cache.x
    assert cache.x + cache.width <= main.x + main.width
    assert main.y <= cache.y
    assert cache.y + cache.height <= main.y + main.height
    assert cache.width * cache.height > queue.width * queue.height
    assert main.width * main.height > boxes["other"].width * boxes["other"].height


def test_names_from_a_dump_are_text():
    svg = treemap.svg(Stacks("dominators", tree_of({"<script>&\"'": 5}), 5))
    assert "<script>" not in svg
    assert "<script>&\"'" in boxes_of(svg)


def test_the_same_tree_gives_the_same_picture_and_an_empty_one_too():
    tree = tree_of({"a;b": 5, "a;c": 7})
    assert treemap.svg(Stacks("tree", tree, 12)) == treemap.svg(Stacks("tree", tree, 12))
    assert re.search("<svg", treemap.svg(Stacks("tree", tree_of({}), 0)))


def test_a_chain_a_thousand_deep_is_drawn():
    assert "<rect" in treemap.svg(Stacks("tree", tree_of({";".join(map(str, range(1000))): 5}), 5))
