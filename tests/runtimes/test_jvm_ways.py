"""What is taken from a real JVM of each JDK here: it is what the program holds, and nothing of it stays there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from jvms import JDKS, TICKETS, Kept, Living, awaited, living

from caulk.capture.verify import fault
from caulk.formats import hprof, jvm_histogram
from caulk.formats.source import open_source
from caulk.model.graph import ObjectGraph
from caulk.model.target import Access, Process
from caulk.runtimes import jvm
from caulk.runtimes.jvm import attach, dumps


@pytest.fixture(params=JDKS, ids=lambda jdk: jdk.name)
def holder(request: pytest.FixtureRequest, classes: Path) -> Iterator[Living]:
    with living(request.param / "bin/java", classes, "-XX:NativeMemoryTracking=summary") as program:
        yield program


def tickets(histogram: str) -> int:
    (count,) = re.findall(r"^ *\d+: +(\d+) +\d+ +Holder\$Ticket", histogram, re.MULTILINE)
    return int(count)


def test_a_dump_holds_what_the_histogram_counts_and_is_as_large_as_was_said(holder: Living, tmp_path: Path) -> None:
    ways = holder.ways(str(tmp_path))
    counted = Kept()
    ways["histogram"].take(counted)
    way, sink = ways["heap"], Kept()
    cost = way.cost()
    taken = way.take(sink)
    assert (tickets(counted.written.decode()), sink.left, taken.remove) == (TICKETS, [taken.remote], True)
    dump = Path(taken.remote)
    assert (dump.parent, dump.stat().st_mode & 0o777, cost.directory) == (tmp_path, 0o600, str(tmp_path))
    assert dump.stat().st_size <= cost.disk_bytes
    assert not fault(dump, "hprof")
    graph = hprof.read(open_source(str(dump)).data)  # type: ignore[arg-type]
    assert isinstance(graph, ObjectGraph)
    assert [graph.type_name(each) for each in range(len(graph))].count("Holder$Ticket") == TICKETS
    assert float(taken.facts["pause_s"]) > 0
    assert taken.facts["by"] == "attach"


def test_each_way_of_a_willing_jvm_is_ready_and_gives_what_it_says(holder: Living, tmp_path: Path) -> None:
    ways = holder.ways(str(tmp_path))
    assert {name: way.check().standing for name, way in ways.items()} == dict.fromkeys(ways, "ready") | {
        "oom-dump": "needs"
    }
    del ways["oom-dump"]
    for way in ways.values():
        sink = Kept()
        taken = way.take(sink)
        text = Path(taken.remote).read_bytes() if taken.remote else bytes(sink.written)
        assert len(text) <= way.cost().size_bytes
        assert text.startswith(b"\x1f\x8b") == way.suffix.endswith(".gz")
    assert not fault(next(tmp_path.glob("*.gz")), "hprof")


def test_looking_and_pricing_leave_a_jvm_asleep(holder: Living, tmp_path: Path) -> None:
    for way in holder.ways(str(tmp_path)).values():
        way.check()
        assert way.cost().size_bytes >= 0
    assert not Path(attach.socket_path(holder.pid)).exists()
    assert not list(tmp_path.iterdir())


def test_nothing_of_the_waking_stays(holder: Living) -> None:
    text = jvm.histogram(holder.reach)
    assert jvm_histogram.sniff(text[:4096])
    assert jvm.live_bytes(text) > TICKETS * 116
    assert not Path(f"/tmp/.attach_pid{holder.pid}").exists()
    assert not (Path(f"/proc/{holder.pid}/cwd") / f".attach_pid{holder.pid}").exists()


def test_a_capture_that_is_ended_leaves_no_file(
    holder: Living, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attach, "_TICK_S", 0.001)

    def enough() -> None:
        if list(tmp_path.iterdir()):
            raise KeyboardInterrupt

    monkeypatch.setattr(dumps, "_LOOK_S", 0.0)
    with pytest.raises(KeyboardInterrupt):
        # Packed: it is not done before it is first asked how far it is.
        holder.ways(str(tmp_path))["heap-gz"].take(Kept(on_progress=enough))
    assert not list(tmp_path.glob("*.gz"))
    # The JVM goes on, and removes the parts that its several writers began.
    awaited(lambda: not list(tmp_path.iterdir()))


def test_what_is_armed_dumps_at_exhaustion_and_is_as_before_when_disarmed(holder: Living, tmp_path: Path) -> None:
    settings = jvm.arm(holder.reach, str(tmp_path))
    assert [(s.name, s.value, s.before) for s in settings] == [
        ("HeapDumpPath", str(tmp_path), ""),
        ("HeapDumpOnOutOfMemoryError", "true", "false"),
    ]
    holder.exhaust()
    (dump,) = tmp_path.iterdir()
    way = holder.ways()["oom-dump"]
    assert way.check().standing == "ready"
    taken = way.take(Kept())
    assert (taken.remove, dump.exists(), taken.remote.startswith(f"{dump}.")) == (False, False, True)
    assert not fault(Path(taken.remote), "hprof")
    jvm.disarm(holder.reach, settings)
    again = jvm.arm(holder.reach, str(tmp_path))
    assert again == settings


def test_disarming_leaves_alone_what_somebody_else_has_set_since(holder: Living, tmp_path: Path) -> None:
    first = jvm.arm(holder.reach, str(tmp_path))
    (tmp_path / "other").mkdir()
    jvm.arm(holder.reach, str(tmp_path / "other"))
    jvm.disarm(holder.reach, first)
    assert [s.before for s in jvm.arm(holder.reach, str(tmp_path))] == [str(tmp_path / "other"), "false"]


def test_jvms_are_told_by_their_library_openj9_too() -> None:
    def process(*libraries: str, executable: str = "") -> Process:
        return Process(1, 0, 0, 0.0, executable=executable, libraries=frozenset(libraries))

    assert jvm.serves(process("/opt/java/lib/server/libjvm.so"))
    assert jvm.serves(process("/opt/java/lib/default/libj9vm29.so"))
    assert jvm.serves(process(executable="/usr/bin/java"))
    assert not jvm.serves(process("/lib/libc.so.6", executable="/usr/bin/java"))
    assert not jvm.serves(process(executable="/usr/bin/python3"))


def test_the_richest_comes_first(classes: Path) -> None:
    with living(JDKS[0] / "bin/java", classes) as program:
        found = jvm.ways(program.reach, Access())
    assert [way.alias for way in found] == [
        "heap", "heap-gz", "heap-all", "oom-dump", "histogram", "heap-info", "native-memory",
    ]  # fmt: skip
    assert len({way.name for way in found}) == len(found)
