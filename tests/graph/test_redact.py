"""`caulk redact` on small dumps: what stays, what goes, and what becomes of damaged ones."""

import gzip
import json
import pickle
import stat
import sys
import tracemalloc
from array import array
from pathlib import Path

import pytest
from hprofs import BYTE, CHAR, INT, LONG, OBJECT, Hprof
from plain import uncompile
from snapshots import snapshot

from caulk._core import hprof_redaction, snapshot_redaction
from caulk.cli import carry_out as run
from caulk.formats import cpython_graph, heap_snapshot, hprof, pprof, read, redaction
from caulk.formats.builder import ProfileBuilder
from caulk.formats.hprof import records
from caulk.formats.redaction import heap_snapshot as of_snapshots
from caulk.formats.redaction import hprof as of_jvms
from caulk.formats.redaction import pprof as of_profiles
from caulk.formats.redaction import tracemalloc as of_tracemalloc
from caulk.formats.source import Source
from caulk.model.graph import ObjectGraph
from caulk.model.label import Label
from caulk.model.measure import Measure
from caulk.views.pprof import encode


def redacted(module: object, data: bytes) -> bytes:
    out = bytearray()
    module.redact(data, out.extend)  # type: ignore[attr-defined]
    return bytes(out)


def jvm() -> bytes:
    """A class with fields of its own and inherited ones, statics, arrays, a thread's name, and a literal."""
    dump = Hprof().loaded(java__lang__Object=0x100, com__example__Base=0x200, com__example__Order=0x300)
    dump.name("Xq7Planted literal")
    dump.frame(0x9000, "serve", "Order.java", serial=3, line=7).trace(1, 1, [0x9000])
    return (
        dump.heap(
            dump.klass(0x100),
            dump.klass(0x200, above=0x100, fields=[("count", LONG), ("owner", OBJECT)], size=16),
            dump.klass(
                0x300,
                above=0x200,
                fields=[("price", INT), ("text", OBJECT)],
                statics=[("LIMIT", LONG, 0x5158375158375158), ("LAST", OBJECT, 0x4000)],
                size=32,
            ),
            dump.root(0x08, 0x4000, 1, 1),
            dump.instance(
                0x4000, 0x300, (INT, 0x58713758), (OBJECT, 0x5000), (LONG, 0x5158375158375158), (OBJECT, 0x6000)
            ),
            dump.primitives(0x5000, BYTE, *b"Xq7Planted"),
            dump.objects(0x6000, 0x100, 0x5000, 0x7000),
            dump.primitives(0x7000, CHAR, *map(ord, "Xq7Planted")),
            # Of a class that nobody describes nothing can be told.
            dump.instance(0x8000, 0x999, (OBJECT, 0x5158375158375158)),
        )
        .end()
        .data
    )


def facts(graph: ObjectGraph) -> tuple[object, ...]:
    """All that a graph says."""
    columns = [bytes(column) for column in (graph.type, graph.size, graph.first, graph.target, graph.label)]
    return columns, graph.types, list(graph.labels), list(graph.strings), graph.large, graph.coverage, graph.warnings


def test_the_values_of_a_jvm_go_and_its_references_stay():
    before, after = jvm(), redacted(of_jvms, jvm())
    for value in (b"Xq7", b"X\0q\0", b"\0X\0q", b"Xq7X", b"QX7QX7QX"):
        assert value not in after
    assert facts(hprof.read(after)) == facts(hprof.read(before))
    assert len(after) == len(before) + 25
    assert "its values were removed" in hprof.read(after).comments


def test_names_of_classes_fields_methods_and_files_stay():
    after = redacted(of_jvms, jvm())
    for name in (b"com/example/Order", b"price", b"LIMIT", b"serve", b"Order.java"):
        assert name in after


@pytest.mark.parametrize("length", [0, 1, 9, 40])
def test_a_record_that_nobody_knows_is_emptied(length):
    data = jvm()
    body = (b"Xq7Planted" * 5)[:length]
    unknown = bytes([0xDD]) + bytes(4) + length.to_bytes(4, "big") + body
    after = redacted(of_jvms, data + unknown)
    assert after == redacted(of_jvms, data) + unknown[:9] + bytes(length)


def test_what_cannot_be_read_of_a_jvm_becomes_zeros_and_is_said():
    whole = jvm()
    first = whole.index(b"\x21" + (0x4000).to_bytes(8))
    for cut in range(first, len(whole), 7):
        out = bytearray()
        warnings = of_jvms.redact(whole[:cut], out.extend)
        assert len(out) == cut + 25
        assert b"Xq7" not in out
        assert b"QX7Q" not in out
        if cut < len(whole) - 20:
            assert facts(hprof.read(bytes(out)))[:5] == facts(hprof.read(whole[:cut]))[:5]
            assert warnings == () or "zeros" in warnings[0]


def test_behind_a_hole_between_records_redaction_goes_on():
    whole = jvm()
    # The first name, a system class that the answers do not need, and the head of the next record.
    hole = whole[:31] + b"Xq7Planted secret!!" + whole[50:]
    out = bytearray()
    warnings = of_jvms.redact(hole, out.extend)
    assert b"Xq7" not in out
    assert len(out) == len(hole) + 25
    assert facts(hprof.read(bytes(out)))[:5] == facts(hprof.read(hole))[:5]
    assert len(hprof.read(hole)) == len(hprof.read(whole))
    assert "zeros" in warnings[0]


def test_an_unknown_sub_record_hides_nothing_behind_it():
    dump = Hprof().loaded(java__lang__Object=0x100)
    data = dump.heap(dump.klass(0x100), dump.instance(0x200, 0x100), b"\x77Xq7Planted").end().data
    out = bytearray()
    warnings = of_jvms.redact(data, out.extend)
    assert b"Xq7" not in out
    assert warnings == ("11 bytes could not be read: they are zeros",)


def test_objects_larger_than_a_window_are_copied_across_it(monkeypatch):
    monkeypatch.setattr(of_jvms, "_WINDOW", 32)
    assert redacted(of_jvms, jvm()).count(b"Xq7") == 0
    small = redacted(of_jvms, jvm())
    monkeypatch.undo()
    assert small == redacted(of_jvms, jvm())


V8 = """
root = synthetic ''
held = object 'Session' 32
words = string 'Session' 24
secret = string 'Xq7Planted' 24
number = number '4711' 16
pattern = regexp 'Xq7Planted.*' 56
map = object 'Map' 16
table = array '' 64
page = native '<input value="Xq7Planted">' 100
script = code 'https://example.org/app.js?Xq7Planted' 40
root element -> held
root element -> map
held property 'words' -> words
held property 'Xq7-Planted' -> secret
held internal '1 / part of key (Xq7Planted @9) -> value (Xq7Planted @7) pair in WeakMap (table @15)' -> number
held property 'page' -> page
held property 'pattern' -> pattern
held property 'script' -> script
map internal 'table' -> table
table internal '730442001' -> secret
"""


def test_the_contents_of_a_snapshot_go_and_its_names_stay():
    before = snapshot(V8, lines=[("script", 3)])
    after = redacted(of_snapshots, before)
    assert b"Xq7" not in after
    assert b"4711" not in after
    assert facts(heap_snapshot.read(after)) == facts(heap_snapshot.read(before))
    assert "its values were removed" in heap_snapshot.read(after).comments
    assert b"https://example.org/app.js" in after


def test_places_in_the_source_stay_for_source_maps_to_name():
    after = json.loads(
        redacted(of_snapshots, snapshot(V8.replace("held = object", "held = closure"), lines=[("held", 8)]))
    )
    width = len(after["snapshot"]["meta"]["node_fields"])
    assert after["locations"] == [width, 7, 8, 3]


def test_a_value_that_is_called_as_a_class_is_no_longer_seen_to_be_that():
    after = json.loads(redacted(of_snapshots, snapshot(V8)))
    fields = after["snapshot"]["meta"]["node_fields"]
    names = [after["strings"][n] for n in after["nodes"][fields.index("name") :: len(fields)]]
    assert names[1:4] == ["Session", "[redacted]", "[redacted]"]


def test_a_variable_that_a_string_named_keeps_its_name_and_the_string_does_not():
    text = """
        root = synthetic ''
        block = object 'system / Context' 32
        scope = hidden 'system / ScopeInfo' 32
        name = string 'cache' 16
        value = object 'Map' 16
        root element -> block
        block internal 'scope_info' -> scope
        block hidden -> value
        scope hidden -> name
    """
    before = snapshot(text)
    after = redacted(of_snapshots, before)
    assert "variable cache" in map(str, heap_snapshot.read(before).labels)
    assert "variable cache" in map(str, heap_snapshot.read(after).labels)
    rows = json.loads(after)
    assert rows["strings"].count("cache") == 1
    assert "cache" not in [rows["strings"][n] for n in rows["nodes"][1::6]]


def test_a_snapshot_that_is_cut_anywhere_gives_valid_json_without_contents():
    whole = snapshot(V8)
    read_any = 0
    for cut in range(whole.index(b'"nodes"') + 60, len(whole), 5):
        out = bytearray()
        warnings = of_snapshots.redact(whole[:cut], out.extend)
        json.loads(out)
        assert b"Xq7" not in out
        assert warnings
        assert heap_snapshot.read(bytes(out)).coverage <= 1
        read_any += 1
    assert read_any > 20


def profile(**more: object) -> bytes:
    builder = ProfileBuilder(Measure("inuse_objects", "count"), Measure("inuse_space", "bytes"))
    frame = builder.frame("main.serve", "/srv/main.go", 20)
    for n in range(3):
        labels = (
            Label("user", "Xq7Planted" if n else "main.serve"),
            Label("id", "", 4_711_815, ""),
            Label("bytes", "", 512, "bytes"),
        )
        builder.add([frame], (n + 1, 1000 * n), labels=labels)
    return encode(
        builder.build(format="test", runtime="go", kind="heap", comments=("./server --password=Xq7Planted",), **more)
    )


def test_labels_of_profiles_keep_their_keys_and_what_is_equal_and_lose_what_they_say():
    before = gzip.decompress(profile())
    after = redacted(of_profiles, before)
    assert b"Xq7" not in after
    was, now = pprof.read(before), pprof.read(after)
    texts = [[label.text for label in labels if label.key == "user"] for labels in now.label_sets if labels]
    assert sorted(texts) == [["[redacted 1]"], ["[redacted 2]"]]
    numbers = {label.key: label.number for labels in now.label_sets for label in labels if label.key != "user"}
    assert numbers == {"id": 1, "bytes": 512}
    assert now.comments == ()
    assert [list(column) for column in now.samples.values] == [list(column) for column in was.samples.values]
    assert [now.frames.strings[i] for i in now.frames.function] == ["main.serve"]
    assert (now.measures, now.runtime, now.period) == (was.measures, was.runtime, was.period)


def test_a_profile_with_fields_that_no_schema_has_loses_them():
    before = gzip.decompress(profile())
    assert redacted(of_profiles, before + b"\xfa\x01\x0aXq7Planted") == redacted(of_profiles, before)


def test_a_profile_that_is_cut_is_an_error_and_leaves_no_file(tmp_path, capsys):
    (tmp_path / "heap.pb").write_bytes(gzip.decompress(profile())[:-10])
    assert run(["redact", str(tmp_path / "heap.pb"), str(tmp_path / "x.pb")]) == 5
    assert "whole" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["heap.pb"]


def test_a_tracemalloc_snapshot_keeps_its_traces_and_no_other_string():
    tracemalloc.start()
    kept = [bytes(1000) for _ in range(100)]
    taken = tracemalloc.take_snapshot()
    tracemalloc.stop()
    assert len(kept) == 100
    taken.__dict__["note"] = "Xq7Planted"
    for protocol in (2, 4, 5):
        before = pickle.dumps(taken, protocol)
        assert b"Xq7Planted" in before
        after = redacted(of_tracemalloc, before + b"Xq7Planted behind it")
        assert b"Xq7" not in after
        assert len(after) == len(before)
        assert pickle.loads(after).traces == taken.traces


def blocks(*parts: tuple[bytes, bytes]) -> bytes:
    out = b"\x89CGRAPH\n" + (1).to_bytes(4, "little") + bytes(4)
    for tag, body in parts:
        out += tag + bytes(4) + len(body).to_bytes(8, "little") + body + bytes(-len(body) % 8)
    return out


def cpython(*more: tuple[bytes, bytes]) -> bytes:
    texts = ["app", "Session", "cache", "Xq7 Planted", "Xq7Planted", "class app.Session"]
    strings = array("I", [len(texts), *map(len, texts)]).tobytes() + "".join(texts).encode()
    labels = array("I", [0, 0, 2, 0, 0, 0, 3, 0, 3, 0, 4, 0, 7, 0, 5, 0]).tobytes()
    shape = array("I", [0, 0, 0xFFFFFFFF]).tobytes()
    object_ = array("Q", [1, 1, 0x20, 0x20]).tobytes() + array("I", [0, 48, 0, 1]).tobytes()
    return blocks(
        (b"INFO", b"python 3.12.1\nsecret Xq7Planted\ntraces 0"),
        (b"STRS", strings),
        (b"TYPE", array("Q", [0x10, 0, 0 | 1 << 32]).tobytes()),
        (b"LABL", labels),
        (b"SHAP", shape),
        *more,
        (b"OBJS", object_),
        (b"ROOT", array("Q", [0x20, 3]).tobytes()),
        (b"END!", array("Q", [1, 1, 0]).tobytes()),
    )


def graph_redacted(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    out = bytearray()
    warnings = redaction.redact(Source("x.cgraph", data, len(data)), out.extend)
    return bytes(out), warnings


@pytest.mark.skipif(sys.byteorder != "little", reason="the test writes numbers as the machine has them")
def test_a_cpython_graph_keeps_names_and_loses_what_is_none():
    after, warnings = graph_redacted(cpython((b"EVIL", b"Xq7Planted")) + b"Xq7Planted")
    assert b"Xq7" not in after
    assert warnings == ()
    assert facts(cpython_graph.read(after))[0] == facts(cpython_graph.read(cpython()))[0]
    assert list(map(str, cpython_graph.read(after).labels))[:2] == [".cache", ".???????????"]


@pytest.mark.skipif(sys.byteorder != "little", reason="the test writes numbers as the machine has them")
def test_a_cpython_graph_that_is_cut_keeps_its_whole_blocks():
    whole = cpython()
    for cut in range(whole.index(b"ROOT"), len(whole)):
        after, warnings = graph_redacted(whole[:cut])
        assert "cut short" in warnings[0]
        assert len(cpython_graph.read(after)) == len(cpython_graph.read(whole[:cut]))


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_the_suffix_of_the_target_says_whether_it_is_compressed(suffix, tmp_path):
    (tmp_path / "a.hprof.gz").write_bytes(gzip.compress(jvm()))
    target = tmp_path / f"b.hprof{suffix}"
    assert run(["redact", str(tmp_path / "a.hprof.gz"), str(target)]) == 0
    written = target.read_bytes()
    assert (gzip.decompress(written) if suffix else written) == redacted(of_jvms, jvm())
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_dash_is_stdout(tmp_path, capsysbinary):
    (tmp_path / "a.hprof").write_bytes(jvm())
    assert run(["redact", str(tmp_path / "a.hprof"), "-"]) == 0
    assert capsysbinary.readouterr().out == redacted(of_jvms, jvm())


@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        (b"main;serve 12\n", 2, "cannot be redacted"),
        (b"hello", 5, "hello"),
        (b"JAVA PROFILE 1.0.2\0\0\0\0\x08" + bytes(8), 5, "heap"),
        (b"\x89CGRAPH\n\1\0\0\0\0\0\0\0", 5, "without an object"),
    ],
)
def test_what_cannot_be_redacted_is_said_and_leaves_the_target_as_it_was(data, code, said, tmp_path, capsys):
    (tmp_path / "a").write_bytes(data)
    (tmp_path / "b").write_bytes(b"as it was")
    assert run(["redact", str(tmp_path / "a"), str(tmp_path / "b")]) == code
    assert said in capsys.readouterr().err
    assert (tmp_path / "b").read_bytes() == b"as it was"
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b"}


def test_a_target_that_cannot_be_written_is_exit_code_2(tmp_path):
    (tmp_path / "a.hprof").write_bytes(jvm())
    assert run(["redact", str(tmp_path / "a.hprof"), str(tmp_path / "absent" / "b")]) == 2


def test_a_dump_may_take_its_own_place(tmp_path: Path):
    path = tmp_path / "a.heapsnapshot"
    path.write_bytes(snapshot(V8) + b" " * (2 << 20))
    assert run(["redact", str(path), str(path)]) == 0
    assert path.read_bytes() == redacted(of_snapshots, snapshot(V8))


def test_kernels_give_the_same_uncompiled(monkeypatch):
    compiled = redacted(of_jvms, jvm()), redacted(of_snapshots, snapshot(V8))
    uncompile(monkeypatch, of_jvms, of_snapshots, records)
    assert hprof_redaction.COMPILED == snapshot_redaction.COMPILED
    assert (redacted(of_jvms, jvm()), redacted(of_snapshots, snapshot(V8))) == compiled


def test_the_whole_of_a_profile_is_read_the_same_after_redaction(tmp_path):
    (tmp_path / "a.pb.gz").write_bytes(profile())
    assert run(["redact", str(tmp_path / "a.pb.gz"), str(tmp_path / "b.pb.gz")]) == 0
    before, after = read(str(tmp_path / "a.pb.gz")), read(str(tmp_path / "b.pb.gz"))
    assert (before.total(0), before.total(1)) == (after.total(0), after.total(1))
