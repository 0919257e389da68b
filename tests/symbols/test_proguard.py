"""Obfuscated JVM programs are shown as their source has them, by R8's and ProGuard's mapping."""

import subprocess
from pathlib import Path

import pytest

from caulk import app, cli
from caulk.analysis.dumps import Dump
from caulk.model.errors import UsageError
from caulk.model.original import ClassNames, Written, original_class
from caulk.symbols.proguard import Class, ProguardMapping

MAPPING = """\
# compiler: R8
# {"id":"com.android.tools.r8.mapping","version":"2.2"}
com.example.market.QuoteCache -> a.b:
# {"id":"sourceFile","fileName":"Quotes.kt"}
    java.util.List[] pages -> a
    com.example.market.QuoteCache INSTANCE -> b
    1:3:void put(int):40:42 -> c
com.example.market.Quote -> a.c:
    byte[] legs -> a
com.example.Main -> a.d:
    1:99:void main(java.lang.String[]):201:299 -> main
    1:99:void run(java.lang.String,java.util.List):301:399 -> x
com.example.Other -> z.z:
    int unused -> a
"""
CLASSES = {
    "a/b.java": "package a; public class b { static b b = new b(); java.util.List[] a = new java.util.List[4]; }",
    "a/c.java": "package a; public class c { byte[] a = new byte[64]; }",
    "a/d.java": """package a; import java.lang.management.*; import javax.management.*;
public class d {
  public static void main(String[] args) throws Exception {
    java.util.List<c> local = new java.util.ArrayList<>();
    b.b.a[0] = new java.util.ArrayList<c>();
    for (int i = 0; i < 700; i++) { b.b.a[0].add(new c()); local.add(new c()); }
    x(args[0], local);
  }
  static void x(String home, java.util.List<c> mine) throws Exception {
    com.sun.management.HotSpotDiagnosticMXBean bean =
      ManagementFactory.getPlatformMXBean(com.sun.management.HotSpotDiagnosticMXBean.class);
    bean.dumpHeap(home + "/app.hprof", true);
    Object histogram = ManagementFactory.getPlatformMBeanServer().invoke(
      new ObjectName("com.sun.management:type=DiagnosticCommand"), "gcClassHistogram",
      new Object[] {new String[0]}, new String[] {String[].class.getName()});
    java.nio.file.Files.writeString(java.nio.file.Path.of(home, "app.histo"), histogram.toString() + mine.size());
  }
}
""",
}  # fmt: skip


@pytest.fixture(scope="module")
def dumps(require, java, tmp_path_factory) -> Path:
    """A directory with a dump and a histogram of a program whose names are short."""
    home = tmp_path_factory.mktemp("obfuscated")
    for name, text in CLASSES.items():
        (home / "src" / name).parent.mkdir(parents=True, exist_ok=True)
        (home / "src" / name).write_text(text)
    files = [home / "src" / name for name in CLASSES]
    subprocess.run([require("javac"), "-nowarn", "-d", home / "out", *files], check=True, timeout=120)
    # Interpreted, a method's locals are roots for as long as it runs.
    command = [java, "-Xmx64m", "-Xint", "-cp", home / "out", "a.d", home]
    subprocess.run(command, check=True, timeout=120, capture_output=True)
    (home / "maps").mkdir()
    (home / "maps/release.txt").write_text(MAPPING)
    return home


def loaded(dump: Path, *mappings: Path) -> Dump:
    [found] = app.load([str(dump)], reading=app.Reading(mappings=mappings))
    return found


def test_types_fields_and_frames_of_a_heap_dump_are_those_of_the_source(dumps):
    heap = loaded(dumps / "app.hprof", dumps / "maps/release.txt").heap
    assert heap
    graph = heap.graph
    types = dict(zip(graph.types.name, heap.types.count, strict=True))
    assert types["com.example.market.Quote"] == 1400
    assert "a.c" not in types
    [holder] = [number for number in range(len(graph)) if graph.name(number) == "class com.example.market.QuoteCache"]
    [cache] = [reference.target for reference in graph.references(holder) if str(reference.label) == ".INSTANCE"]
    [pages] = [reference.target for reference in graph.references(cache) if str(reference.label) == ".pages"]
    assert graph.type_name(pages) == "java.util.List[]"
    locals = {label.name for label in graph.labels if label.kind == "local" and "example" in label.name}
    assert "com.example.Main.main (Main.java:207)" in locals
    assert any(name.startswith("com.example.Main.run (Main.java:3") for name in locals)


def test_the_holder_is_named_as_in_the_source_and_the_dump_says_why_once(dumps):
    dump = loaded(dumps / "app.hprof", dumps / "maps/release.txt")
    [said] = [text for text in dump.profile.comments if "release.txt" in text]
    assert said.startswith("3 classes")
    assert not [text for text in dump.profile.warnings if "release.txt" in text]


def test_a_histogram_has_the_classes_of_the_source(dumps):
    frames = loaded(dumps / "app.histo", dumps / "maps/release.txt").profile.frames
    names = {frames.function_name(i) for i in range(len(frames))}
    assert {"com.example.market.Quote", "com.example.market.QuoteCache"} <= names
    assert not {"a.b", "a.c", "a.d"} & names


def test_a_mapping_beside_the_dump_is_found(dumps, tmp_path):
    (tmp_path / "app.histo").write_bytes((dumps / "app.histo").read_bytes())
    (tmp_path / "mapping.txt").write_text(MAPPING)
    frames = loaded(tmp_path / "app.histo").profile.frames
    assert "com.example.market.Quote" in {frames.function_name(i) for i in range(len(frames))}


def test_a_mapping_of_another_program_is_said_to_be_of_no_use(dumps, tmp_path):
    (tmp_path / "other.txt").write_text("com.example.Else -> q.q:\n")
    for name in ("app.histo", "app.hprof"):
        [warning] = [text for text in loaded(dumps / name, tmp_path / "other.txt").profile.warnings if "other" in text]
        assert "nothing in this dump is named by it" in warning


METHODS = """\
com.example.Cache$Inner -> a.b:
    1:3:void put(int):40:42 -> a
    4:4:void inner(int):50:50 -> a
    4:4:void put(int):44 -> a
    9:9:void com.example.Util.help():7:7 -> c
    9:9:void com.example.Util.run():60 -> c
    void any() -> d
    void only():12 -> e
    5:6:int plain() -> f
    1:2:int over(int):1:2 -> g
    3:4:int over2(long):8:9 -> g
"""


@pytest.mark.parametrize(
    ("method", "line", "found"),
    [
        ("a", 2, Written("com.example.Cache$Inner.put", "Cache.java", 41)),
        ("a", 4, Written("com.example.Cache$Inner.put", "Cache.java", 44)),
        ("a", 77, None),
        ("c", 9, Written("com.example.Util.run", "Util.java", 60)),
        ("d", 5, Written("com.example.Cache$Inner.any", "Cache.java", 5)),
        ("d", 0, Written("com.example.Cache$Inner.any", "Cache.java", 0)),
        ("e", 3, Written("com.example.Cache$Inner.only", "Cache.java", 12)),
        ("f", 6, Written("com.example.Cache$Inner.plain", "Cache.java", 6)),
        ("g", 3, Written("com.example.Cache$Inner.over2", "Cache.java", 8)),
        ("g", 0, None),
        ("unknown", 1, None),
    ],
)
def test_a_frame_is_named_by_its_lines_and_never_guessed(method, line, found, tmp_path):
    (tmp_path / "mapping.txt").write_text(METHODS)
    [each] = ProguardMapping(tmp_path / "mapping.txt").classes(["a.b", "nowhere"]).values()
    assert each.method(method, line) == found


@pytest.mark.parametrize("text", ["", "hello\n", "a -> b\n", "{}", "\0" * 5000, "# only comments\n" * 100])
def test_what_is_no_mapping_is_an_error_that_says_so(text, tmp_path):
    (tmp_path / "mapping.txt").write_text(text)
    with pytest.raises(UsageError, match="mapping"):
        ProguardMapping(tmp_path / "mapping.txt")


def test_members_that_make_no_sense_are_passed_over(tmp_path):
    (tmp_path / "m.txt").write_text(
        "a.B -> a:\n    9999999999999:1:void f() -> x\n    -> \n    int -> y\n    int good -> z\n    void m(:1:2 -> m\n"
    )
    [each] = ProguardMapping(tmp_path / "m.txt").classes(["a"]).values()
    assert (each.field("z"), each.field("y"), each.method("x", 1), each.method("m", 1)) == ("good", "y", None, None)


def test_arrays_and_lambdas_of_a_class_are_renamed_with_it():
    known: dict[str, ClassNames] = {"a.b": Class("com.example.Cache", b""), "a.c$$d": Class("com.example.Made", b"")}
    assert original_class("a.b[][]", known) == "com.example.Cache[][]"
    assert original_class("a.b$$Lambda$7[]", known) == "com.example.Cache$$Lambda$7[]"
    assert original_class("a.c$$d", known) == "com.example.Made"
    assert original_class("a.bc", known) == "a.bc"


def test_an_index_that_was_kept_without_the_mapping_is_not_taken_with_it(dumps, tmp_path, monkeypatch):
    monkeypatch.setattr(app, "_INDEXED_BYTES", 0)
    monkeypatch.setenv("CAULK_HOME", str(tmp_path))
    mapping = tmp_path / "release.txt"
    mapping.write_text(MAPPING)

    def types(*mappings: Path) -> set[str]:
        heap = loaded(dumps / "app.hprof", *mappings).heap
        assert heap
        return set(heap.graph.types.name)

    assert "a.c" in types()
    assert "com.example.market.Quote" in types(mapping)
    mapping.write_text(MAPPING.replace("market.Quote ", "shop.Order "))
    assert "com.example.shop.Order" in types(mapping)


def test_every_question_takes_mappings(dumps, capfd):
    for verb in ("types", "top", "tree", "suspects"):
        cli.carry_out([verb, str(dumps / "app.hprof"), "--mapping", str(dumps / "maps/release.txt")])
        assert "a.c" not in capfd.readouterr().out.split()
    assert cli.carry_out(["top", str(dumps / "app.histo"), "--mapping", str(dumps / "no.txt")]) == 2
    assert "no.txt" in capfd.readouterr().err
