"""One frame or type by itself: its sums over all dumps, and neighbours whose parts add up."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain import uncompile
from test_laid_over import heap_dump, profile_dump

from caulk._core import neighbours
from caulk.analysis.dumps import Dump
from caulk.analysis.filters import Filters
from caulk.formats.builder import ProfileBuilder
from caulk.model.errors import UsageError
from caulk.model.graph import LABEL_MASK
from caulk.model.measure import Measure
from caulk.reports import Question
from caulk.reports.selection import selection
from caulk.reports.selection import types as selected_types

SHOP = (
    "book:Book*40!; log:Log*16!; one:Order*8; two:Order*8; text:Text*100; book -> one.open two.open; log -> two.last;"
    "one -> text.note"
)


def parts(neighbours) -> list[tuple]:
    return [(n.name, n.label, n.value) for n in neighbours]


def test_a_frame_has_its_callers_and_callees_and_each_part_once():
    dump = profile_dump(("main;serve;new", 5), ("main;serve", 2), ("test;serve;log", 1), ("main;other", 9))
    found = selection(Question([dump]), frame="serve")
    assert (found.own, found.total, found.share) == (2, 8, 8 / 17)
    assert parts(found.above) == [("main", "", 7), ("test", "", 1)]
    assert parts(found.below) == [("new", "", 5), ("log", "", 1)]
    assert (found.above_title, found.below_title, found.matched) == ("callers", "callees", 1)
    assert found.growth is None


def test_what_a_recursion_holds_goes_to_its_outermost_caller_and_its_innermost_callee():
    found = selection(Question([profile_dump(("main;f;g;f;h", 5), ("main;f;g", 2), ("main;f;f", 1))]), frame="f")
    assert (found.own, found.total) == (1, 8)
    assert parts(found.above) == [("main", "", 8)]
    assert parts(found.below) == [("h", "", 5), ("g", "", 2)]


@given(
    st.lists(
        st.tuples(st.lists(st.sampled_from("fgh"), min_size=1, max_size=7).map(";".join), st.integers(1, 99)),
        min_size=1,
        max_size=12,
    )
)
def test_the_parts_of_the_neighbours_of_a_frame_make_its_total(lines):
    dump = profile_dump(("main;f", 1), *lines)
    found = selection(Question([dump]), frame="f")
    assert sum(n.value for n in found.above) == found.total
    assert sum(n.value for n in found.below) + found.own == found.total
    assert found.total == sum(value for stack, value in lines if "f" in stack.split(";")) + 1


def test_growth_is_over_all_dumps_and_per_hour_where_they_have_times():
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    dumps = [profile_dump(("main;serve", size)) for size in (10, 20, 30)]
    dumps = [
        replace(dump, profile=replace(dump.profile, taken_at=begin + timedelta(hours=hour)))
        for dump, hour in zip(dumps, (0, 1, 2), strict=True)
    ]
    found = selection(Question(dumps), frame="serve")
    assert [(m.taken_at, m.total) for m in found.series] == [
        ("2026-01-01T00:00:00Z", 10),
        ("2026-01-01T01:00:00Z", 20),
        ("2026-01-01T02:00:00Z", 30),
    ]
    assert (found.growth.bytes, found.growth.per_hour) == (20, 10.0)


def test_a_frame_that_is_new_was_nothing_before():
    found = selection(Question([profile_dump(("main", 1)), profile_dump(("main;serve", 7))]), frame="serve")
    assert [moment.total for moment in found.series] == [0, 7]
    assert found.growth.per_hour is None


def test_filters_hold_for_all_dumps():
    dumps = [profile_dump(("a;f", 1), ("b;f", 10)), profile_dump(("a;f", 2), ("b;f", 20))]
    found = selection(Question(dumps, filters=Filters(focus="^b$")), frame="f")
    assert [moment.total for moment in found.series] == [10, 20]
    assert [(n.name, n.value, n.now) for n in found.above] == [("b", 10, 20)]


def test_neighbours_in_a_difference_are_by_what_changed_with_what_there_is_now():
    dumps = [
        profile_dump(("a;f;x", 5), ("b;f", 10), ("c;f;y", 4)),
        profile_dump(("a;f;x", 3), ("b;f", 17), ("d;f;z", 1), ("c;f;y", 4)),
    ]
    found = selection(Question(dumps), frame="f")
    assert [(n.name, n.value, n.now) for n in found.above] == [("b", 7, 17), ("a", -2, 3), ("d", 1, 1), ("c", 0, 4)]
    assert [(n.name, n.value, n.now) for n in found.below] == [("x", -2, 3), ("z", 1, 1), ("y", 0, 4)]
    assert sum(n.share for n in found.above) == pytest.approx(1.0), "shares are of the change"


def test_holders_in_a_difference_are_by_what_changed():
    old = heap_dump("book:Book*40!; log:Log*16!; one:Order*8; two:Order*8; book -> one.open; log -> two.last")
    new = heap_dump("book:Book*40!; log:Log*16!; one:Order*8; two:Order*8; book -> one.open two.open")
    found = selection(Question([old, new]), type_="Order")
    assert [(n.name, n.label, n.value, n.now) for n in found.above] == [
        ("Book", ".open", 8, 16),
        ("Log", ".last", -8, 0),
    ]


def test_what_the_last_dump_has_no_more_is_told_by_what_it_was():
    found = selection(Question([profile_dump(("main;gone", 5)), profile_dump(("main", 1))]), frame="gone")
    assert (found.matched, found.total, found.growth.bytes) == (0, 0, -5)
    assert [(n.name, n.value, n.now) for n in found.above] == [("main", -5, 0)]


@pytest.mark.parametrize(
    ("dump", "asked"),
    [
        (profile_dump(("main", 1)), {"frame": "absent"}),
        (heap_dump(SHOP), {"type_": "<script>"}),
        (heap_dump(SHOP), {"type_": "(roots)"}),
        (heap_dump(SHOP), {"frame": "absent"}),
    ],
)
def test_of_what_is_not_there_nothing_matched(dump, asked):
    found = selection(Question([dump]), **asked)
    assert (found.matched, found.own, found.total, found.share) == (0, 0, 0, 0.0)
    assert (found.above, found.below) == ((), ())


def test_what_a_filter_takes_out_has_matched_nothing():
    question = Question([profile_dump(("main;serve;new", 5))], filters=Filters(hide="^serve$"))
    assert (selection(question, frame="serve").matched, selection(question, frame="new").matched) == (0, 1)


def test_objects_are_counted_beside_bytes_and_the_location_is_the_heaviest_line():
    builder = ProfileBuilder(Measure("inuse_objects", "count"), Measure("inuse_space", "bytes"))
    for line, value in ((3, 10), (4, 70)):
        builder.add([builder.frame("a/shop.New", "/src/shop.go", line)], [value // 10, value])
    profile = builder.build(format="pprof", runtime="go", kind="heap", default_measure=1)
    found = selection(Question([Dump("x", profile)]), frame="a/shop.New")
    assert (found.count, found.total, found.unit) == (8, 80, "bytes")
    assert (found.location, found.package) == ("/src/shop.go:4", "a/shop")


def test_a_hostile_name_is_found_as_it_is_and_as_it_is_shown():
    dump = profile_dump(("main;<script>\u202e", 3))
    for name in ("<script>\u202e", "<script>\\u202e"):
        assert selection(Question([dump]), frame=name).total == 3
    assert selection(Question([dump]), frame="<script>\u202e").name == "<script>\\u202e"


def test_a_type_has_its_objects_what_they_retain_who_holds_them_and_what_they_keep():
    found = selection(Question([heap_dump(SHOP)]), type_="Order")
    assert (found.count, found.own, found.total) == (2, 16, 116)
    assert parts(found.above) == [("Book", ".open", 116)]
    assert parts(found.below) == [("Text", ".note", 100)]
    assert (found.above_title, found.below_title) == ("holders", "holds")


def test_a_list_is_held_by_whoever_holds_its_first_node():
    text = "list:List*8!; a:Node*8; b:Node*8; c:Node*8; x:X*1; list -> a.head; a -> b.next; b -> c.next; c -> x.value"
    found = selection(Question([heap_dump(text)]), type_="Node")
    assert (found.count, found.total) == (3, 25)
    assert parts(found.above) == [("List", ".head", 25)]
    assert parts(found.below) == [("X", ".value", 1)]


def test_types_of_one_name_are_taken_together_and_counted():
    dump = heap_dump("a:A*8!; b:B*8; c:A*4; d:D*2; a -> b.x; b -> c.y; c -> d.z")
    types = dump.heap.graph.types
    types.name[types.name.index("D")] = "A"
    found = selection(Question([dump]), type_="A")
    assert (found.matched, found.count, found.own, found.total) == (2, 3, 14, 22)
    assert parts(found.below) == [("B", ".x", 8)]


_EDGES = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=25)


@given(_EDGES, st.lists(st.sampled_from("ABC"), min_size=10, max_size=10))
def test_the_parts_of_the_neighbours_of_a_type_make_its_total(edges, types):
    objects = "; ".join(f"o{i}:{type_}*{i + 1}" for i, type_ in enumerate(types))
    references = "; ".join(f"o{a} -> o{b}.f" for a, b in edges)
    dump = heap_dump(f"root:A*1!; {objects}; root -> o0.first; {references}")
    found = selection(Question([dump]), type_="A")
    assert sum(n.value for n in found.above) == found.total
    assert sum(n.value for n in found.below) + found.own == found.total


def test_the_growth_of_a_type_is_that_of_what_it_retains():
    old = "book:Book*40!; one:Order*8; book -> one.open"
    found = selection(Question([heap_dump(old), heap_dump(SHOP)]), type_="Order")
    assert (found.growth.bytes, found.growth.count) == (108, 1)
    assert [(m.own, m.total, m.count) for m in found.series] == [(8, 8, 1), (16, 116, 2)]


@pytest.mark.parametrize(
    ("dump", "asked", "said"),
    [
        (profile_dump(("main", 1)), {"type_": "main"}, "is a profile"),
        (profile_dump(("main", 1), kind="goroutine"), {"type_": "main"}, "is a profile"),
        (heap_dump(SHOP), {}, "one frame or one type"),
        (heap_dump(SHOP), {"type_": "A", "frame": "b"}, "one frame or one type"),
    ],
)
def test_what_cannot_be_told_says_so(dump, asked, said):
    with pytest.raises(UsageError, match=said.replace("(", r"\(").replace(")", r"\)")):
        selection(Question([dump]), **asked)


def test_kernels_run_uncompiled_with_the_same_answer(monkeypatch):
    question = Question([heap_dump(SHOP)])
    compiled = selection(question, type_="Order")
    uncompile(monkeypatch, selected_types)
    assert selection(question, type_="Order") == compiled


def test_columns_that_do_not_fit_each_other_are_refused():
    heap = heap_dump(SHOP).heap
    found, near, graph = heap.dominators, heap.nearest, heap.graph
    with pytest.raises(ValueError, match="do not fit"):
        neighbours.around(
            found.idom,
            found.order,
            neighbours.hung(found.idom, found.order, graph.type, bytes(len(graph.types))),
            found.retained,
            parent=near.parent,
            edge=near.edge[:-1],
            label=graph.label,
            mask=LABEL_MASK,
            type=graph.type,
            marked=bytes(len(graph.types)),
            types=len(graph.types),
            labels=len(graph.labels),
        )
