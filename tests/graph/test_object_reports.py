"""The questions about a heap dump, and that an index answers them as the dump itself does."""

from dataclasses import fields, replace

import pytest
from heaps import heap

from caulk.analysis.dumps import Dump
from caulk.analysis.objects.heaps import Description, Heap, examine, packed, unpacked
from caulk.formats.builder import ProfileBuilder
from caulk.model.errors import UsageError
from caulk.model.measure import Measure
from caulk.reports import REPORTS, Question, changes, objects, profiles, types
from caulk.reports.tabs import tabs
from caulk.store import index
from caulk.views import json

#: A book of two orders, one of which an audit holds too; a third order is garbage.
SHOP = (
    "book:shop.Book*40!; audit:audit.Log*16!; one:shop.Order*8; two:shop.Order*8; lost:shop.Order*8;"
    "text:java.Text*100;"
    "book -> one.open two.open; audit -> two.last; one -> text.note; lost -> one.next"
)


def asked(text: str, **options) -> Question:
    examined = examine(heap(text))
    return Question([Dump("dump", examined.profile, 1, examined)], **options)


def rows(table, *keys: str) -> dict[str, tuple]:
    """Chosen cells of each row, by its last text."""
    places = [[h.key for h in table.headings].index(key) for key in keys]
    name = [h.key for h in table.headings].index("type")
    return {row[name]: tuple(row[at] for at in places) for row in table.rows}


def test_a_type_has_its_objects_and_retains_what_they_keep_together():
    assert rows(types.types(asked(SHOP)), "objects", "shallow", "retained") == {
        "shop.Book": (1, 40, 40 + 8 + 100),
        "shop.Order": (2, 16, 8 + 8 + 100),
        "java.Text": (1, 100, 100),
        "audit.Log": (1, 16, 16),
    }


def test_a_list_of_nodes_retains_its_bytes_once():
    text = "list:List*8!; a:Node*8; b:Node*8; c:Node*8; list -> a; a -> b; b -> c"
    assert rows(types.types(asked(text)), "objects", "retained")["Node"] == (3, 24)


def test_packages_hold_what_their_types_hold_and_count_nothing_twice():
    found = rows(types.types(asked(SHOP, by="packages")), "objects", "retained")
    assert found == {"shop": (3, 156), "java": (1, 100), "audit": (1, 16)}


def test_types_are_chosen_by_a_regular_expression_and_by_a_limit():
    assert list(rows(types.types(asked(SHOP, pattern="Order$")), "objects")) == ["shop.Order"]
    assert len(types.types(asked(SHOP, limit=1)).rows) == 1
    with pytest.raises(UsageError, match="not a regular expression"):
        types.types(asked(SHOP, pattern="("))


def test_roots_hold_what_only_they_hold():
    [row] = objects.roots(asked("a:A*8!; b:B*16!; a -> c; b -> c; c:C*32")).rows
    assert row[:3] == (2, 24, 24)


def test_paths_lead_from_the_roots_to_every_object_of_a_type_and_say_what_cutting_them_would_free():
    answer = objects.paths(asked(SHOP, pattern="Order$"))
    tree = answer.tree
    names = {
        " ".join(tree.frames.function_name(f) for f in tree.stack(n)): tree.values[0][n] for n in range(1, len(tree))
    }
    assert names["(root) shop.Book .open shop.Order"] == 16
    assert answer.notes[-1] == "Without these 2 objects, 116 B would be freed"
    assert objects.paths(asked(SHOP, pattern="Text$")).notes[-1] == "Without this object, 100 B would be freed"


@pytest.mark.parametrize("pattern", ["", "NoSuchType"])
def test_paths_to_no_type_are_a_mistake(pattern):
    with pytest.raises(UsageError):
        objects.paths(asked(SHOP, pattern=pattern))


@pytest.mark.parametrize("name", ["types", "dominators", "paths", "roots"])
def test_a_profile_has_no_objects_and_says_so(name):
    builder = ProfileBuilder(Measure("inuse_space", "bytes"))
    builder.add([builder.frame("main")], [1])
    dump = Dump("heap.pb.gz", builder.build(format="test", runtime="go", kind="heap"))
    with pytest.raises(UsageError, match="who allocated"):
        next(row for row in REPORTS if row.name == name).answer(Question([dump]))


def test_trees_and_tops_of_a_heap_are_of_types():
    question = asked(SHOP)
    assert profiles.top(question).headings[-2].title == "type"
    assert profiles.tree(question).total == 40 + 16 + 8 + 8 + 100
    change = changes.diff(Question([*asked("a:A*8!").dumps, *asked("a:A*8!; b:B*32!").dumps]))
    assert [row[0] for row in change.rows] == [32]


def test_a_kept_heap_answers_as_the_heap_itself(tmp_path):
    examined = examine(replace(heap(SHOP), runtime="jvm"))
    first = Question([Dump("dump", examined.profile, 1, examined)])
    path = tmp_path / "heap.index"
    index.write(path, *packed(first.dumps[0].heap))
    kept = unpacked(*index.load(path, Description))
    again = replace(first, dumps=[Dump("dump", kept.profile, 1, kept)])
    # What strings contain is in the dump alone.
    refused = {tab.name for tab in tabs(first.dumps) if not tab.is_available}
    assert refused == {"strings", "threads", "source"}
    for report in REPORTS:
        if report.files != "two" and report.name not in refused:
            question = {"pattern": "Order$"} if report.name == "paths" else {}
            answers = [json.render(report.answer(replace(q, **question))) for q in (first, again)]
            assert answers[0] == answers[1], report.name


def test_everything_of_a_graph_is_kept():
    graph = replace(
        heap("a:A*8!; b:B*8; a -> b.f"),
        large={2: 5 << 32},
        coverage=0.5,
        warnings=("cut",),
        comments=("said",),
        memory={"free": 3},
        sites=["a.py:1"],
        strings=["class A"],
    )
    kept = unpacked(*packed(examine(graph))).graph
    for field in fields(kept):
        assert getattr(kept, field.name) == getattr(graph, field.name), field.name
    assert isinstance(examine(graph), Heap)
