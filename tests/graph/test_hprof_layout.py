"""How HotSpot packs fields, where no JVM of the tests' machine does it that way."""

from array import array
from collections.abc import Sequence

import pytest
from hprofs import BYTE, INT, LONG, OBJECT, SHORT

from caulk.formats.hprof.layout import Evidence, Layout, Shape, class_size, find_layout, instance_sizes

COMPRESSED = Layout(reference=4, header=12, array=16)
OLD = Layout(reference=4, header=12, array=16, packing="old")


def evidence(classes: int, arrays: Sequence[int] = (), least: Sequence[int] = ()) -> Evidence:
    agreed = [9] * len(least) or [0] * classes
    return Evidence(array("q", least or [0] * classes), array("i", agreed), array("q", arrays))


def line(*classes: tuple[int, ...]) -> list[Shape]:
    """Classes, each the superclass of the next, by the types of their fields."""
    return [Shape(f"C{row}", row - 1, fields, 0, False) for row, fields in enumerate(classes)]


def sizes(layout: Layout, *classes: tuple[int, ...]) -> list[int]:
    return instance_sizes(line(*classes), layout, evidence(len(classes)))


def test_since_jdk_15_a_subclass_goes_into_the_gaps_of_its_superclass():
    assert sizes(COMPRESSED, *[(BYTE,)] * 5) == [16, 16, 16, 16, 24]
    assert sizes(OLD, *[(BYTE,)] * 5) == [16, 24, 24, 32, 32]


@pytest.mark.parametrize("layout", [COMPRESSED, OLD])
def test_the_gap_before_a_long_is_filled(layout):
    assert sizes(layout, (LONG, INT)) == [24]
    assert sizes(layout, (LONG, OBJECT)) == [24]
    assert sizes(layout, (LONG, SHORT, BYTE, BYTE)) == [24]
    assert sizes(layout, (LONG, INT, OBJECT)) == [32]
    assert sizes(layout, (BYTE, OBJECT)) == [24]


def test_compact_headers_leave_four_bytes_more():
    compact = Layout(reference=4, header=8, array=12)
    assert sizes(compact, (), (INT,), (INT,)) == [8, 16, 16]
    assert compact.array_size(BYTE, 4) == 16
    assert compact.array_size(LONG, 1) == 24


def test_statics_lie_behind_their_class_object_references_first():
    assert class_size(112, [BYTE, OBJECT, LONG], COMPRESSED) == 128
    assert class_size(112, [], COMPRESSED) == 112


@pytest.mark.parametrize("layout", [COMPRESSED, OLD, Layout(reference=8, header=16, array=24), Layout(8, 8, 12)])
def test_the_layout_is_found_from_the_distances_between_objects(layout):
    shapes = line((BYTE,), (BYTE,), (BYTE, LONG), (OBJECT, INT))
    told = instance_sizes(shapes, layout, evidence(4))
    arrays = [
        n for kind in (OBJECT, BYTE) for length in range(9) for n in (kind, length, layout.array_size(kind, length))
    ]
    seen = evidence(4, arrays, told)
    found, is_sure = find_layout(shapes, seen, id_size=8, alignment=8, is_android=False, compact_headers=None)
    assert found == layout
    assert is_sure


def test_nothing_to_go_by_is_admitted_and_what_is_known_is_used():
    seen = evidence(1)
    assert find_layout(line(()), seen, id_size=8, alignment=8, is_android=False, compact_headers=None) == (
        COMPRESSED,
        False,
    )
    found, _ = find_layout(line(()), seen, id_size=8, alignment=8, is_android=False, compact_headers=True)
    assert found.header == 8
