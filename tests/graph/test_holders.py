"""Who holds it, in one graph: found by numbers, named by field and class."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from heaps import heap

from caulk.analysis import holders
from caulk.analysis.holders import Held
from caulk.analysis.objects.dominators import dominators
from caulk.analysis.objects.paths import nearest
from caulk.model.graph import Label, ObjectGraph, Types
from caulk.model.records import Finding

MAP = "java.util.HashMap"
NODE = "java.util.HashMap$Node"


def held(graph: ObjectGraph) -> Held:
    return Held(graph, dominators(graph), nearest(graph))


def findings(graph: ObjectGraph) -> tuple[Finding, ...]:
    return holders.analyse([held(graph)])[1]


def jvm(text: str, *, static: Sequence[str] = (), local: Sequence[str] = ()) -> ObjectGraph:
    """A heap as the JVM's: types whose names begin with `class.` are classes, `[]` arrays; fields may be static."""
    made = heap(text)
    kinds = {"class": "class", "thread": "thread", "loader": "loader"}
    kind = [kinds.get(name.partition(".")[0], "array" if name.endswith("[]") else "object") for name in made.types.name]
    kind[0] = "root"
    names = [
        name.partition(".")[2] if k in kinds.values() else name for name, k in zip(made.types.name, kind, strict=True)
    ]
    classes = sorted(n for n in range(len(made)) if kind[made.type[n]] == "class")
    labels = [
        Label("static" if label.name in static else "local" if label.name in local else label.kind, label.name)
        for label in made.labels
    ]
    strings = ["class " + names[made.type[n]] for n in classes]
    graph = ObjectGraph(**{field: getattr(made, field) for field in ObjectGraph.__dataclass_fields__})
    return replace(
        graph,
        runtime="jvm",
        types=Types(names, kind, [""] * len(names)),
        labels=labels,
        named=made.target.__class__("i", classes),
        naming=made.target.__class__("i", range(len(classes))),
        strings=strings,
    )


def hash_map(name: str, count: int, entry: str, *, size: int = 64) -> str:
    """Statements for the insides of a HashMap called `name`; its values are `{name}v0` and so on."""
    said = f"{name}:{MAP}*48; {name} -> {name}t:{NODE}[]*{8 * count}.table;"
    for i in range(count):
        said += f"{name}t -> {name}n{i}:{NODE}*32.[]; {name}n{i} -> {name}v{i}:{entry}*{size}.value;"
        said += f"{name}n{i} -> {name}k{i}:java.lang.String*24.key;"
    return said


def array_list(name: str, count: int, entry: str, *, size: int = 64, room: int = 2) -> str:
    said = f"{name}:java.util.ArrayList*24; {name} -> {name}a:java.lang.Object[]*{room * 8 * count}.elementData;"
    return said + "".join(f"{name}a -> {name}e{i}:{entry}*{size}.[];" for i in range(count))


def test_a_collection_is_named_by_field_and_class_not_by_its_insides():
    graph = jvm(
        "app:loader.AppClassLoader!; app -> book:class.com.example.OrderBook*16.loaded; book -> open.OPEN;"
        + hash_map("open", 100, "com.example.Ticket"),
        static=["OPEN"],
    )
    first = findings(graph)[0]
    assert first.holder == "com.example.OrderBook.OPEN"
    assert first.type == "com.example.Ticket"
    assert first.count == 100
    assert first.pattern == "collection"
    assert first.title.startswith("`OrderBook.OPEN` keeps 100 `Ticket` (")
    assert first.title.endswith(" of the heap) in a HashMap")
    assert first.path == (
        "class com.example.OrderBook",
        ".OPEN java.util.HashMap",
        "[100 entries] com.example.Ticket",
    )


def test_the_holder_of_an_instances_collection_is_its_class_and_field():
    graph = jvm(
        "bus:class.com.example.Bus!; bus -> one:com.example.Bus*16.SHARED; one -> seen.listeners;"
        + array_list("seen", 100, "com.example.Page$$Lambda$12"),
        static=["SHARED"],
    )
    first = findings(graph)[0]
    assert first.holder == "com.example.Bus.listeners"
    assert first.pattern == "listener"
    assert "100 lambdas of `Page`" in first.title


def test_what_a_wrapper_wraps_is_named_by_who_holds_the_wrapper():
    graph = jvm(
        "c:class.com.example.Cache!; c -> w:java.util.Collections$SynchronizedMap*32.BY_ID; w -> m.m;"
        + hash_map("m", 50, "com.example.Quote"),
        static=["BY_ID"],
    )
    assert findings(graph)[0].holder == "com.example.Cache.BY_ID"


def test_equal_holders_are_one_finding():
    text = ""
    for worker in range(6):
        text += f"w{worker}:thread.java.lang.Thread!; w{worker} -> l{worker}.pending;"
        text += array_list(f"l{worker}", 40, "com.example.Session")
    found = findings(jvm(text, local=["pending"]))
    assert len(found) == 1
    assert found[0].count == 240
    assert "6 of the same kind" in found[0].evidence[0]


def test_of_two_equal_holders_the_one_that_has_most_is_meant_alone():
    text = ""
    for worker, many in enumerate((200, 4)):
        text += f"w{worker}:thread.java.lang.Thread!; w{worker} -> l{worker}.pending;"
        text += array_list(f"l{worker}", many, "com.example.Session")
    first = findings(jvm(text, local=["pending"]))[0]
    assert "2 of the same kind" not in str(first.evidence)
    assert not first.title.startswith("2 ×")


def test_a_thread_local_is_named_by_the_variable_that_is_its_key():
    table = "java.lang.ThreadLocal$ThreadLocalMap"
    text = "k:class.com.example.Workers!; k -> key:java.lang.ThreadLocal*16.SEEN;"
    for worker in range(3):
        w = f"w{worker}"
        text += f"{w}:thread.java.lang.Thread!; {w} -> {w}m:{table}*24.threadLocals;"
        text += f"{w}m -> {w}t:{table}$Entry[]*80.table; {w}t -> {w}e:{table}$Entry*32.[];"
        text += f"{w}e ?> key.referent; {w}e -> {w}l.value;" + array_list(f"{w}l", 40, "com.example.Session")
    found = findings(jvm(text, static=["SEEN"]))
    assert [(f.pattern, f.holder, f.count) for f in found] == [("thread-local", "thread-local Workers.SEEN", 120)]
    assert found[0].title.startswith("The thread-local `Workers.SEEN` of 3 threads keeps 120 `Session`")


def test_copies_of_a_class_are_one_finding_about_class_loaders():
    text = "m:class.com.example.Main!; m -> kept.KEPT; kept:java.util.ArrayList; kept -> a:java.lang.Object[]*400.f;"
    for i in range(30):
        text += f"a -> p{i}:class.com.example.Plugin*16.[]; p{i} -> l{i}:loader.java.net.URLClassLoader*80.loader;"
        text += f"p{i} -> b{i}:byte[]*1000.CACHE;"
    found = findings(jvm(text, static=["KEPT", "CACHE"]))
    assert [(f.pattern, f.holder, f.count) for f in found] == [("class-loader", "com.example.Main.KEPT", 30)]
    assert "30 copies of class `Plugin`" in found[0].title


def test_a_long_list_is_one_finding_with_the_number_of_its_elements():
    text = "log:class.com.example.Log!; log -> s0:com.example.Step*40.last;"
    text += "".join(f"s{i} -> s{i + 1}:com.example.Step*40.previous;" for i in range(500))
    found = findings(jvm(text, static=["last"]))
    assert [(f.holder, f.count, f.bytes) for f in found] == [("com.example.Log.last", 501, 501 * 40)]


def test_a_ring_of_types_that_never_ends_is_one_finding():
    text = "held:Box!; held -> p0:Promise*40.chain;"
    for i in range(300):
        text += f"p{i} -> r{i}:Reaction*32.reactions; r{i} -> p{i + 1}:Promise*40.next;"
    found = findings(heap(text))
    assert len(found) == 1
    # The ring is laid into one another below a depth of 24: what stands above it is counted too.
    assert found[0].count in (300, 301)


def test_entries_that_two_collections_hold_are_blamed_on_both():
    text = "a:class.com.example.A!; b:class.com.example.B!; a -> x.ITEMS; b -> y.OTHERS;"
    text += array_list("x", 100, "com.example.Ticket") + "y:java.util.ArrayList*24; y -> ya:java.lang.Object[]*2000.f;"
    text += "".join(f"ya -> xe{i}.[];" for i in range(100))
    found = findings(jvm(text, static=["ITEMS", "OTHERS"]))
    assert {f.holder for f in found} == {"com.example.A.ITEMS", "com.example.B.OTHERS"}
    assert all(any("refers to these objects too" in said for said in f.evidence) for f in found)
    assert all(f.count == 100 for f in found)
    # Each carries half of the tickets, and its own array.
    assert all(100 * 64 / 2 <= f.bytes <= 100 * 64 / 2 + 2100 for f in found)


def test_a_holder_of_shared_entries_says_who_else_has_them_and_what_it_alone_would_free():
    text = "a:class.A!; b:class.B!; a -> x.ITEMS; b -> y.OTHERS;" + array_list("x", 100, "app.Ticket")
    text += "y:java.util.ArrayList*24; y -> ya:java.lang.Object[]*2000.f;" + "".join(
        f"ya -> xe{i}.[];" for i in range(100)
    )
    one = next(f for f in findings(jvm(text, static=["ITEMS", "OTHERS"])) if f.holder == "B.OTHERS")
    assert "`A.ITEMS` refers to these objects too: each counts here for its part" in one.evidence
    # Only the list and its array: A keeps all of the tickets.
    assert "without it 1.98 kB would be freed" in one.evidence


def test_dead_weak_references_that_pile_up_are_a_finding_however_few_their_bytes():
    text = "c:class.app.C!; c -> big:byte[]*4000000.data; c -> l.DEAD;"
    text += array_list("l", 600, "java.lang.ref.WeakReference", size=16)
    text += "".join(f"live{i}:app.X*16!; le{i} ?> live{i}.referent;" for i in range(50))
    found = findings(jvm(text, static=["data", "DEAD"]))
    dead = next(f for f in found if f.holder == "app.C.DEAD")
    assert dead.pattern == "weak-references"
    assert "550 of them are dead: what they referred to is gone" in dead.evidence


def test_a_holder_that_is_referred_to_from_many_places_is_blamed_itself():
    text = "c:com.example.Cache*16!; c -> m.byId;" + hash_map("m", 100, "com.example.Quote")
    text += "".join(f"u{i}:com.example.User*16!; u{i} -> c.cache;" for i in range(20))
    assert findings(jvm(text))[0].holder == "com.example.Cache.byId"


def test_a_table_that_is_filled_once_comes_after_a_smaller_collection_that_has_room():
    text = "c:class.com.example.Catalogue!; c -> p:com.example.Product[]*1624.PRODUCTS;"
    text += "".join(f"p -> q{i}:com.example.Product*64.[];" for i in range(200))
    text += "o:class.com.example.OrderBook!; o -> open.OPEN;" + hash_map("open", 90, "com.example.Ticket")
    found = findings(jvm(text, static=["PRODUCTS", "OPEN"]))
    assert [f.holder for f in found] == ["com.example.OrderBook.OPEN", "com.example.Catalogue.PRODUCTS"]
    assert found[1].bytes > found[0].bytes
    assert found[1].confidence < found[0].confidence
    assert any("exactly full" in said for said in found[1].evidence)


def test_one_large_object_is_a_finding_without_entries():
    graph = jvm("b:class.com.example.Buffer!; b -> d:byte[]*100000.data;", static=["data"])
    found = findings(graph)
    assert [(f.pattern, f.holder, f.count) for f in found] == [("large-object", "com.example.Buffer.data", 1)]


def test_a_heap_of_many_small_things_has_no_suspect():
    text = "".join(f"a{i}:A{i}*16!;" for i in range(200))
    verdict, found = holders.analyse([held(heap(text))])
    assert verdict.state == "unknown"
    assert found == ()


def test_one_graph_is_at_most_suspect():
    graph = jvm("c:class.C!; c -> m.ALL;" + hash_map("m", 200, "com.example.Quote"), static=["ALL"])
    verdict, found = holders.analyse([held(graph)])
    assert verdict.state == "suspect"
    assert verdict.confidence == found[0].confidence <= 0.6
    assert "take a second one later" in verdict.sentence


def zoo() -> str:
    """A heap with several holders of different shapes, in which nothing is as large as anything else."""
    text = "c1:class.app.One!; c1 -> m1.MAP;" + hash_map("m1", 120, "app.Ticket")
    text += "c2:class.app.Two!; c2 -> l2.LIST;" + array_list("l2", 100, "app.Page", size=90)
    text += "c3:class.app.Three!; c3 -> s0:app.Step*40.last;"
    text += "".join(f"s{i} -> s{i + 1}:app.Step*40.next;" for i in range(150))
    text += "c4:class.app.Four!; c4 -> t:app.Product[]*816.TABLE;"
    text += "".join(f"t -> q{i}:app.Product*80.[];" for i in range(100))
    text += "c5:class.app.Five!; c5 -> b:byte[]*7000.data;"
    return text


@pytest.mark.parametrize("seed", range(5))
def test_renaming_every_class_and_field_leaves_the_order_unchanged(seed):
    graph = jvm(zoo(), static=["MAP", "LIST", "last", "TABLE", "data"])
    rng = random.Random(seed)
    numbers = list(range(len(graph.types)))
    rng.shuffle(numbers)
    renamed = replace(
        graph,
        types=replace(graph.types, name=[f"n{n}.X{n}" for n in numbers]),
        labels=[Label(label.kind, f"f{rng.randrange(10**9)}" if label.name else "") for label in graph.labels],
        strings=[f"class n{n}.Y{n}" for n in range(len(graph.strings))],
    )
    before, after = findings(graph), findings(renamed)
    assert len(before) == 5
    assert [(f.bytes, f.share) for f in before] == [(f.bytes, f.share) for f in after]


def test_the_same_graph_gives_the_same_findings():
    assert findings(jvm(zoo(), static=["MAP"])) == findings(jvm(zoo(), static=["MAP"]))


def test_a_fingerprint_is_of_the_path_and_not_of_numbers():
    def one(count: int, kind: str) -> str:
        text = "c:class.app.Bus!; c -> l.ALL;" + array_list("l", count, kind)
        return findings(jvm(text, static=["ALL"]))[0].fingerprint

    a = one(100, "app.Page$$Lambda$12")
    assert a == one(250, "app.Page$$Lambda$77")
    assert a != one(100, "app.Other$$Lambda$12")


def test_allocation_sites_are_joined_with_how_many_entries_they_cover():
    graph = jvm("c:class.app.C!; c -> l.ALL;" + array_list("l", 100, "app.Quote"), static=["ALL"])
    quotes = [n for n in range(len(graph)) if graph.type_name(n) == "app.Quote"]
    column = graph.target.__class__("i", [-1] * len(graph))
    for at, number in enumerate(quotes):
        column[number] = 0 if at < 90 else 1
    first = findings(replace(graph, site=column, sites=["cache.py:41", "cache.py:70"]))[0]
    assert first.location == "cache.py:41"
    assert first.title.endswith("; allocated at cache.py:41")
    assert any(said == "90 % of them were allocated at cache.py:41" for said in first.evidence)
