"""Stacks as binary columns: what the page reads is the tree itself, and nothing of its weight is lost."""

import json
import struct
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caulk.analysis.fold import union
from caulk.formats.builder import ProfileBuilder
from caulk.model.measure import Measure
from caulk.model.profile import Profile
from caulk.model.table import Stacks
from caulk.views import columns
from caulk.views.flame import MAX_DEPTH

BYTES = Measure("inuse_space", "bytes")


@dataclass
class Read:
    """A reader as the page's: the header, the columns by name."""

    header: dict
    columns: dict[str, tuple]

    def name(self, node: int) -> str:
        frame = self.columns["frame"][node]
        return "" if frame < 0 else self.header["strings"][self.columns["name"][frame]]

    def named(self) -> list[str]:
        return [self.name(node) for node in range(len(self.columns["parent"]))]

    def totals(self, column: str = "own") -> list[float]:
        total = list(self.columns[column])
        for node in range(len(total) - 1, 0, -1):
            total[self.columns["parent"][node]] += total[node]
        return total


def read(data: bytes) -> Read:
    (length,) = struct.unpack_from("<I", data)
    start = 4 + length
    assert start % 8 == 0
    header, found = json.loads(data[4:start]), {}
    for column in header["columns"]:
        assert column["at"] % 8 == 0
        kind = {"i32": "i", "f64": "d"}[column["type"]]
        found[column["name"]] = struct.unpack_from(f"<{column['length']}{kind}", data, start + column["at"])
    return Read(header, found)


def profile(*lines: tuple[str, int]) -> Profile:
    builder = ProfileBuilder(BYTES)
    for functions, value in lines:
        builder.add([builder.frame(name, f"{name}.go", 7) for name in functions.split(";") if name], [value])
    return builder.build(format="folded", runtime="", kind="heap")


def stacks(*lines: tuple[str, int], **options) -> Stacks:
    tree = profile(*lines).tree
    return Stacks("flame", tree, tree.total(0), **options)


def test_callers_come_before_callees_and_the_heaviest_callee_first():
    found = read(columns.render(stacks(("main;light", 1), ("main;heavy;deep", 5), ("other", 2))))
    assert found.named() == ["", "main", "heavy", "deep", "light", "other"]
    assert found.columns["parent"] == (-1, 0, 1, 2, 1, 0)
    assert found.columns["own"] == (0, 0, 0, 5, 1, 2)
    assert found.header["schema"] == "caulk.stacks/1"
    assert (found.header["total"], found.header["unit"], found.header["left_out"]) == (8, "bytes", 0)


def test_a_frame_has_its_file_its_line_and_its_package():
    found = read(columns.render(stacks(("shop/cart.Add", 1))))
    row = [found.header["strings"][found.columns[name][0]] for name in ("name", "file", "package")]
    assert row == ["shop/cart.Add", "shop/cart.Add.go", "shop/cart"]
    assert found.columns["line"] == (7,)


def test_what_is_left_out_stays_below_its_caller_so_that_totals_are_exact():
    found = read(columns.render(stacks(("main;a", 9), ("main;b;c", 3), ("main;d", 2), ("x", 1)), 3))
    assert found.named() == ["", "main", "a", "(rest)", "(rest)"]
    assert found.totals() == [15, 14, 9, 5, 1]
    assert found.header["left_out"] == 4


def test_a_stack_of_any_depth_is_written_down_to_a_limit_and_loses_nothing():
    found = read(columns.render(stacks((";".join(f"f{i}" for i in range(3_000)), 5))))
    assert len(found.columns["parent"]) == MAX_DEPTH + 2
    assert found.totals()[0] == 5
    assert found.name(MAX_DEPTH + 1) == "(rest)"


def test_a_difference_has_what_was_there_before_beside_what_is_there_now():
    old, new = profile(("main;same", 50), ("main;gone", 7)), profile(("main;same", 50), ("main;grown", 9))
    after, before = reversed(union([old, new], [BYTES], "functions").trees)
    found = read(columns.render(Stacks("tree", after, 2, signed=True), before=before))
    both = dict(zip(found.named(), zip(found.columns["before"], found.columns["own"], strict=True), strict=True))
    assert both == {"": (0, 0), "main": (0, 0), "grown": (0, 9), "gone": (7, 0), "same": (50, 50)}
    assert found.named() == ["", "main", "grown", "gone", "same"], "what changed most comes first"
    assert found.header["signed"]


def test_a_tree_of_changes_alone_says_that_it_is_signed():
    found = read(columns.render(stacks(("main;gained", 60), ("main;lost", -50))))
    assert found.header["signed"]
    assert found.columns["own"] == (0, 0, 60, -50)


def test_names_from_a_dump_are_visible_text_and_nothing_else():
    found = read(columns.render(stacks(("<script>\u202e\x00", 1), notes=("a\nb\x1b",))))
    assert found.name(1) == "<script>\\u202e\\u0000"
    assert found.header["notes"] == ["a b\\u001b"]


@pytest.mark.parametrize("lines", [(), (("main", 0),)])
def test_stacks_without_a_value_are_the_root_alone(lines):
    found = read(columns.render(stacks(*lines)))
    assert found.columns["parent"] == (-1,)
    assert found.columns["frame"] == (-1,)


@given(
    st.lists(
        st.tuples(st.lists(st.sampled_from("abcd"), min_size=1, max_size=6).map(";".join), st.integers(1, 99)),
        max_size=40,
    ),
    st.integers(1, 30),
)
def test_whatever_the_limit_every_total_that_is_written_is_that_of_the_whole_tree(lines, limit):
    answer = stacks(*lines)
    whole, part = read(columns.render(answer)), read(columns.render(answer, limit))
    assert part.totals()[0] == whole.totals()[0]
    assert all(below < node for node, below in enumerate(part.columns["parent"]))
    assert part.named().count("(rest)") <= limit
    written = [node for node, name in enumerate(part.named()) if name != "(rest)"]
    assert len(written) == min(limit, len(whole.columns["parent"]))
    order = dict(paths(whole))
    assert all(order[path] == total for path, total in paths(part) if "(rest)" not in path)
    for one, other in pairwise(range(1, len(part.columns["parent"]))):
        is_sibling = part.columns["parent"][one] == part.columns["parent"][other] and part.name(other) != "(rest)"
        assert not is_sibling or part.totals()[one] >= part.totals()[other]


def paths(found: Read) -> list[tuple[tuple[str, ...], float]]:
    path: list[tuple[str, ...]] = []
    for node, above in enumerate(found.columns["parent"]):
        path.append((*(path[above] if above >= 0 else ()), found.name(node)))
    return list(zip(path, found.totals(), strict=True))
