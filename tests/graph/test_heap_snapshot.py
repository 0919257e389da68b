"""V8 heap snapshots: any layout, any order, cut anywhere, and what references mean."""

import json

import pytest
from snapshots import FIELDS, SECTIONS, snapshot

from caulk.formats import heap_snapshot
from caulk.model.errors import MalformedDump
from caulk.model.graph import NEVER, STRONG, WEAK, Label, ObjectGraph

HEAP = """
    root = synthetic ''
    gc = synthetic '(GC roots)'
    cache = object 'QuoteCache' 24
    map = object 'Map' 32
    table = array '' 400
    key = string 'customer 4711' 24
    quote = object 'Quote' 56
    root element -> gc
    gc element -> cache
    cache property 'byId' -> map
    map internal 'table' -> table
    table internal '5' -> key
    table internal '6' -> quote
    quote weak 'cache' -> cache
"""
#: Text that is one sentence of a program's data, never to be seen in a name.
SECRET = "customer 4711"


def read(text: str, **how: object) -> ObjectGraph:
    return heap_snapshot.read(snapshot(text, **how))  # type: ignore[arg-type]


def references(graph: ObjectGraph, number: int) -> list[tuple[str, str, int]]:
    """What an object refers to: label, type, strength."""
    return [(str(r.label), graph.type_name(r.target), r.strength) for r in graph.references(number)]


def check(graph: ObjectGraph) -> None:
    """Whether the columns fit together."""
    assert len(graph.type) == len(graph.size) == len(graph.first) - 1
    assert list(graph.first) == sorted(graph.first)
    assert graph.first[0] == 0
    assert graph.first[-1] == len(graph.target) == len(graph.label)
    assert all(0 <= target < len(graph) for target in graph.target)
    assert all(0 <= number < len(graph.types) for number in graph.type)
    assert all(word & 0x3FFFFFFF < len(graph.labels) for word in graph.label)
    assert list(graph.named) == sorted(set(graph.named))
    assert len(graph.named) == len(graph.naming)
    assert 0 <= graph.coverage <= 1


def test_a_heap_reads_into_objects_with_types_sizes_and_references():
    graph = read(HEAP)
    check(graph)
    assert [graph.type_name(n) for n in range(7)] == [
        "(roots)", "(GC roots)", "QuoteCache", "Map", "(hash table)", "(string)", "Quote",
    ]  # fmt: skip
    assert list(graph.size) == [0, 0, 24, 32, 400, 24, 56]
    assert references(graph, 2) == [(".byId", "Map", STRONG)]
    assert references(graph, 6) == [("(cache)", "QuoteCache", WEAK)]
    assert (graph.coverage, graph.warnings) == (1.0, ())


def test_the_groups_of_roots_say_what_they_are():
    graph = read(HEAP)
    assert next(graph.references(0)).label == Label("root", "GC roots")
    assert next(graph.references(1)).label == Label("root", "GC roots")


@pytest.mark.parametrize(
    "fields",
    [FIELDS[:6], FIELDS[:5], (*FIELDS[:5], "detachedness"), tuple(reversed(FIELDS)), (*FIELDS, "of the future")],
    ids=len,
)
def test_the_layout_of_rows_is_what_the_file_says(fields):
    def build(**how: object) -> ObjectGraph:
        return read(HEAP, **how)

    if "of the future" in fields:
        # A field that nobody knows is passed over.
        data = json.loads(snapshot(HEAP))
        rows, width = data["nodes"], len(FIELDS)
        data["snapshot"]["meta"]["node_fields"].append("of the future")
        data["nodes"] = [n for at in range(0, len(rows), width) for n in (*rows[at : at + width], 99)]
        data["edges"] = [n // width * (width + 1) if i % 3 == 2 else n for i, n in enumerate(data["edges"])]
        graph = heap_snapshot.read(json.dumps(data).encode())
    else:
        graph = build(fields=fields, edge_fields=("to_node", "type", "name_or_index"))
    expected = read(HEAP)
    assert [references(graph, n) for n in range(7)] == [references(expected, n) for n in range(7)]
    assert list(graph.size) == list(expected.size)
    assert graph.types == expected.types


@pytest.mark.parametrize(
    "order", [SECTIONS[::-1], ("strings", "edges", "nodes", "snapshot"), SECTIONS[1:] + SECTIONS[:1]]
)
def test_sections_may_come_in_any_order(order):
    graph, expected = read(HEAP, order=order), read(HEAP)
    assert [references(graph, n) for n in range(7)] == [references(expected, n) for n in range(7)]
    assert graph.warnings == ()


def test_every_producers_snapshot_is_recognised_by_its_beginning():
    assert heap_snapshot.sniff(snapshot(HEAP)[:4096])
    assert heap_snapshot.sniff(b'\xef\xbb\xbf {\n "snapshot": {\n  "title": "x",\n  "meta": {')
    assert heap_snapshot.sniff(snapshot(HEAP, order=SECTIONS[::-1])[:4096])
    assert not heap_snapshot.sniff(b'{"head": {"callFrame": {}}}')
    assert not heap_snapshot.sniff(b'{"snapshots": [1]}')


def test_a_snapshot_that_is_cut_at_any_byte_gives_what_came_before_or_says_what_it_is_not():
    whole = snapshot(HEAP, lines=[("cache", 3)])
    shares = []
    for end in range(len(whole) - 1):
        try:
            graph = heap_snapshot.read(whole[:end])
        except MalformedDump as error:
            assert error.hint
            assert not shares, "what could be read before can be read with a byte more"
            continue
        check(graph)
        shares.append(graph.coverage)
        assert graph.warnings
    assert shares == sorted(shares)
    assert shares[0] < 0.2
    assert len(shares) > len(whole) // 4


def test_without_its_strings_a_snapshot_is_a_graph_of_numbered_names():
    whole = snapshot(HEAP)
    graph = heap_snapshot.read(whole[: whole.index(b'"strings"')])
    check(graph)
    assert graph.coverage < 1
    assert references(graph, 2) == [(".<string #7>", "<string #4>", STRONG)]
    assert graph.type_name(5) == "(string)"
    assert "names could be read" in graph.warnings[-1]


def test_without_its_strings_an_object_of_many_properties_has_keys():
    many = "\n".join(f"quote property 'p{chr(65 + n // 26)}{chr(65 + n % 26)}' -> key" for n in range(65))
    whole = snapshot(HEAP + many)
    graph = heap_snapshot.read(whole[: whole.index(b'"strings"')])
    assert {str(r.label) for r in graph.references(6)} == {"(weak)", "[key]"}
    assert {str(r.label) for r in graph.references(4)} == {"(hidden)"}
    assert len({str(r.label) for r in read(HEAP + many).references(6)}) == 66


def test_a_page_of_zeros_in_the_middle_is_said_and_what_came_before_is_kept():
    whole = bytearray(snapshot(HEAP))
    at = whole.index(b'"edges"') + 20
    whole[at : at + 12] = b"\0" * 12
    graph = heap_snapshot.read(bytes(whole))
    check(graph)
    assert f"damaged at byte {at:,}" in graph.warnings[0]
    assert 0 < graph.coverage < 1


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[]", b"{}", b'{"snapshot":', b'{"snapshot":{}}', b'{"nodes":[1,2,3]}', b'{"snapshot":7}',
        snapshot(HEAP, order=("snapshot", "edges", "strings")), snapshot(HEAP, fields=("type", "name", "id")),
        snapshot(HEAP).replace(b'"meta"', b'"atem"'), snapshot(HEAP).replace(b'"to_node"', b'"from"'),
    ],
)  # fmt: skip
def test_what_is_no_snapshot_is_refused_with_a_hint(data):
    with pytest.raises(MalformedDump) as refused:
        heap_snapshot.read(data)
    assert refused.value.hint


def test_counts_that_promise_too_much_or_too_little_change_nothing_but_the_warnings():
    for promised in (0, 1, 10**18, -5):
        data = json.loads(snapshot(HEAP))
        data["snapshot"]["node_count"] = data["snapshot"]["edge_count"] = promised
        graph = heap_snapshot.read(json.dumps(data).encode())
        check(graph)
        assert (len(graph), len(graph.target)) == (7, 7)
        assert bool(graph.warnings) == (promised > 7)


def test_edges_to_nowhere_hold_nothing_and_are_counted():
    data = json.loads(snapshot(HEAP))
    data["edges"][3 * 2 + 2] = 7 * 1000
    data["edges"][3 * 3 + 2] += 1
    graph = heap_snapshot.read(json.dumps(data).encode())
    check(graph)
    assert [r.strength for n in (2, 3) for r in graph.references(n)] == [NEVER, NEVER]
    assert "2 references lead to no node" in graph.warnings[0]


def test_claims_of_more_edges_than_there_are_and_of_fewer_are_warned_of():
    data = json.loads(snapshot(HEAP))
    data["nodes"][4] = 4_000_000_000
    graph = heap_snapshot.read(json.dumps(data).encode())
    check(graph)
    assert graph.coverage < 1
    data["nodes"][4] = 0
    graph = heap_snapshot.read(json.dumps(data).encode())
    check(graph)
    assert "1 references belong to no node" in graph.warnings[0]


def test_an_object_of_more_than_4_gib_keeps_its_size():
    graph = read(HEAP.replace("table = array '' 400", "table = array '' 9000000000"))
    assert graph.size_of(4) == 9_000_000_000
    assert graph.size_of(3) == 32


def test_a_root_that_is_not_the_first_node_becomes_object_0():
    moved = HEAP.replace("    root = synthetic ''\n", "").replace(
        "    quote = ", "    root = synthetic ''\n    quote = "
    )
    graph = read(moved, root="root")
    check(graph)
    assert graph.type_name(0) == "(roots)"
    assert references(graph, 0) == [("(GC roots)", "(GC roots)", STRONG)]
    assert {graph.type_name(n): references(graph, n) for n in range(7)} == {
        read(HEAP).type_name(n): references(read(HEAP), n) for n in range(7)
    }


def test_a_shortcut_holds_only_from_the_root():
    graph = read("""
        root = synthetic ''
        global = object 'global'
        bound = closure 'bound' 32
        root shortcut '1' -> global
        bound shortcut 'bound_this' -> global
    """)
    assert references(graph, 0) == [("(global)", "global", STRONG)]
    assert references(graph, 2) == [("(bound_this)", "global", NEVER)]


def test_the_value_of_a_weak_map_is_held_by_its_key_and_not_by_the_table():
    graph = read("""
        root = synthetic ''
        map = object 'WeakMap' 16
        table = array '' 64
        key = object 'Request' 24
        value = object 'Session' 24
        map internal 'table' -> table
        table weak '1' -> key
        table weak '2' -> value
        table internal '3 / part of key (Request @7) -> value (Session @9) pair in WeakMap (table @5)' -> value
        key internal '1 / part of key (Request @7) -> value (Session @9) pair in WeakMap (table @5)' -> value
    """)
    pair = "(value in WeakMap)"
    assert references(graph, 2) == [
        ("(weak)", "Request", WEAK), ("(weak)", "Session", WEAK), (pair, "Session", NEVER),
    ]  # fmt: skip
    assert references(graph, 3) == [(pair, "Session", STRONG)]


def test_contents_are_never_names():
    graph = read(
        HEAP
        + f"""
        dictionary = object 'Object' 24
        backing = array '(object properties)' 64
        other = string 'token_of_a_user' 24
        symbol = symbol '{SECRET}' 16
        pattern = regexp '{SECRET}' 16
        part = sliced string '{SECRET}' 16
        whole = concatenated string '{SECRET}' 16
        script = code '{SECRET}' 16
        dictionary property 'token_of_a_user' -> quote
        dictionary internal 'properties' -> backing
        dictionary property '__proto__' -> map
        backing internal '6' -> other
        quote property '{SECRET}' -> symbol
        quote property 'id9f86d081884c7d65' -> symbol
        quote property 'bid' -> part
        quote property '<symbol kState>' -> part
        quote property 'get size' -> part
    """
    )
    labels, types = "".join(map(str, graph.labels)), "".join(graph.types.name)
    for word in (SECRET, "token_of", "9f86d0"):
        assert word not in labels + types + "".join(graph.strings)
    dictionary = next(n for n in range(len(graph)) if graph.type_name(n) == "Object")
    assert [label for label, _, _ in references(graph, dictionary)] == ["[key]", "(properties)", ".__proto__"]
    quote = next(n for n in range(len(graph)) if graph.type_name(n) == "Quote")
    assert [label for label, _, _ in references(graph, quote)] == [
        "(cache)", "[key]", "[key]", ".bid", ".<symbol kState>", ".get size",
    ]  # fmt: skip


SMALL_DICTIONARY = """
    root = synthetic ''
    object = object 'Object' 24
    shape = hidden 'system / Map' 80
    table = array '(object properties)' 64
    code = code '{pool}' 64
    alice = string 'alice' 24
    size = string 'size' 24
    object internal 'map' -> shape
    object property 'alice' -> table
    object property 'bob' -> table
    object property 'size' -> table
    code internal '0' -> {written}
"""


@pytest.mark.parametrize(
    ("pool", "written", "label"),
    [
        ("(constant pool)", "size", "[key]"),
        # Older V8s do not say what code refers to.
        ("(code)", "size", ".alice"),
    ],
)
def test_an_object_that_is_alone_in_its_shape_has_keys_where_no_code_names_most_of_them(pool, written, label):
    graph = read(SMALL_DICTIONARY.format(pool=pool, written=written))
    assert label in [label for label, _, _ in references(graph, 1)]


def test_a_record_keeps_its_names_if_code_names_most_of_them_or_others_have_its_shape():
    heap = SMALL_DICTIONARY.format(pool="(constant pool)", written="size")
    named = read(f"{heap}\ncode internal '1' -> alice")
    assert [label for label, _, _ in references(named, 1)] == ["(map)", ".alice", ".bob", ".size"]
    two = read(f"{heap}\nother = object 'Object' 24\nother internal 'map' -> shape")
    assert [label for label, _, _ in references(two, 1)] == ["(map)", ".alice", ".bob", ".size"]


def test_a_prototype_keeps_its_names_though_it_is_a_dictionary():
    graph = read("""
        root = synthetic ''
        prototype = object 'Book' 24
        backing = array '(object properties)' 64
        one = string 'constructor' 24
        two = string 'put' 24
        book = closure 'Book' 64
        prototype property 'constructor' -> book
        prototype property 'put' -> book
        prototype internal 'properties' -> backing
        backing internal '6' -> one
        backing internal '9' -> two
    """)
    assert [label for label, _, _ in references(graph, 1)] == [".constructor", ".put", "(properties)"]


CLOSURES = """
    root = synthetic ''
    closure = closure 'onTick' 64
    other = closure '' 64
    shared = code 'onTick' 56
    script = code 'file:///srv/bus.mjs' 144
    outer = object 'system / Context' 40
    block = object 'system / Context' 40
    scope = code 'system / ScopeInfo' 40
    name = string 'session' 24
    next = string 'buffer' 24
    session = object 'Session' 24
    closure internal 'shared' -> shared
    closure internal 'context' -> block
    other internal 'shared' -> shared
    shared internal 'script_or_debug_info' -> script
    block internal 'scope_info' -> scope
    block internal 'previous' -> outer
    block hidden -> session
    block hidden -> script
    outer context 'handlers' -> session
    scope hidden -> name
    scope hidden -> next
"""


def test_a_closure_is_named_by_its_function_file_and_line():
    graph = read(CLOSURES, lines=[("closure", 40), ("other", 41)])
    assert (graph.type_name(1), graph.types.owner[graph.type[1]]) == ("onTick", "file:///srv/bus.mjs")
    assert graph.types.kind[graph.type[1]] == "closure"
    assert graph.name(1) == "onTick file:///srv/bus.mjs:41"
    assert graph.name(2) == "(anonymous) file:///srv/bus.mjs:42"
    assert graph.name(3) == ""


def test_variables_of_functions_and_of_blocks_have_their_names():
    graph = read(CLOSURES)
    labels = {graph.type_name(5): references(graph, 5), "block": references(graph, 6)}
    assert labels["system / Context"] == [("variable handlers", "Session", STRONG)]
    assert [label for label, _, _ in labels["block"]][2:] == ["variable session", "variable buffer"]
    assert graph.types.kind[graph.type[5]] == "context"


def test_variables_of_a_block_with_values_that_are_no_objects_stay_unnamed():
    graph = read(CLOSURES.replace("    block hidden -> script\n", ""))
    assert [label for label, _, _ in references(graph, 6)][2:] == ["(hidden)"]


def test_detachedness_spreads_over_native_nodes_and_attachment_wins():
    graph = read("""
        root = synthetic ''
        page = native 'HTMLDocument' 8 state 1
        shown = native 'HTMLDivElement' 8
        gone = native '<div class="secret" id="x">' 8 state 2
        below = native 'Text' 8
        both = native 'Comment' 8
        script = object 'Session' 8
        page element -> shown
        page element -> both
        gone element -> below
        gone element -> both
        gone property 'js' -> script
    """)
    assert [graph.type_name(n) for n in range(1, 7)] == [
        "HTMLDocument", "HTMLDivElement", "Detached <div>", "Detached Text", "Comment", "Session",
    ]  # fmt: skip
    assert graph.runtime == "chrome"


def test_addresses_and_scopes_are_no_part_of_a_types_name():
    graph = read(
        CLOSURES
        .replace("'file:///srv/bus.mjs'", "'system / Script / https://x.org/bus.js?token=1#2'")
        .replace("block = object 'system / Context'", "block = object 'system / Context / scope @12'")
        .replace("session = object 'Session'", "session = native 'Window / https://x.org/?token=1'"),
        lines=[("closure", 40)],
    )  # fmt: skip
    assert [graph.type_name(n) for n in (6, 10)] == ["system / Context", "Window"]
    assert [str(reference.label) for reference in graph.references(6)][2:] == ["variable session", "variable buffer"]
    assert graph.name(1) == "onTick https://x.org/bus.js:41"
    assert graph.type_name(4) == "system / Script"
    assert graph.types.owner[graph.type[1]] == "https://x.org/bus.js"


def test_bytes_outside_of_the_heap_are_kept():
    data = snapshot(HEAP).replace(b'"node_count"', b'"extra_native_bytes":4096,"node_count"')
    assert sum(heap_snapshot.read(data).memory.values()) == 4096


def test_text_with_escapes_half_pairs_and_broken_utf_8_is_still_text():
    raw = snapshot(HEAP.replace("QuoteCache", "NAME"))
    for written, meant in (
        (rb"Gr\u00fc\u00dfe", "Grüße"),
        (rb"a\ud83d\ude00b", "a\U0001f600b"),
        (rb"a\ud83d", "a�"),
        (b"a\xffb", "a�b"),
        (rb"say \"x\", \\", 'say "x", \\'),
        ("Größe".encode(), "Größe"),
    ):
        graph = heap_snapshot.read(raw.replace(b'"NAME"', b'"' + written + b'"'))
        assert graph.type_name(2) == meant
        assert graph.type_name(6) == "Quote"
