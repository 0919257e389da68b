"""Dumps that a JVM wrote itself: found by name, told from its neighbours', and moved out of the next one's way."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from jvms import JDKS, Kept, Living, living

from caulk.capture.verify import fault
from caulk.model.errors import CaptureFailed
from caulk.runtimes import jvm

WHOLE = b"JAVA PROFILE 1.0.2\0" + bytes(12) + b"\x2c" + bytes(8)


@pytest.fixture(params=["java_pid", "heap-dump.hprof"], ids=["by number", "by name"])
def dumping(request: pytest.FixtureRequest, classes: Path, tmp_path: Path) -> Iterator[tuple[Living, Path]]:
    """A program that dumps its heap when it is exhausted, and the dump's path."""
    path = tmp_path if request.param == "java_pid" else tmp_path / request.param
    options = ("-XX:+HeapDumpOnOutOfMemoryError", f"-XX:HeapDumpPath={path}")
    with living(JDKS[0] / "bin/java", classes, *options) as program:
        yield program, tmp_path / f"java_pid{program.pid}.hprof" if path == tmp_path else path


def test_a_dump_is_moved_away_so_that_the_next_start_can_write_one(dumping: tuple[Living, Path]) -> None:
    program, path = dumping
    check = program.ways()["oom-dump"].check()
    assert (check.standing, "no dump yet" in check.why) == ("needs", True)
    program.exhaust()
    way = program.ways()["oom-dump"]
    assert (way.check().standing, str(path) in way.check().why) == ("ready", True)
    assert way.cost().size_bytes == path.stat().st_size
    taken = way.take(Kept())
    assert (path.exists(), taken.remove, taken.warnings, taken.facts["written"]) == (False, False, (), str(path))
    assert taken.remote.startswith(f"{path}.2")
    assert not fault(Path(taken.remote), "hprof")
    # What was moved can be collected again, until there is a newer one.
    assert program.ways()["oom-dump"].take(Kept()).remote == taken.remote
    path.write_bytes(WHOLE)
    assert str(path) in program.ways()["oom-dump"].check().why


def test_the_newest_of_several_is_taken_and_strangers_never(dumping: tuple[Living, Path]) -> None:
    program, path = dumping
    for at, name in enumerate([path.name, f"{path.name}.1", f"{path.name}.bak", "java_pid0.hprof", "other.hprof"]):
        (path.parent / name).write_bytes(WHOLE)
        os.utime(path.parent / name, (at, at))
    assert program.ways()["oom-dump"].take(Kept()).remote == f"{path}.1.19700101T000001Z"
    assert program.ways()["oom-dump"].take(Kept()).remote == f"{path}.19700101T000000Z"


def test_a_dump_without_an_end_is_unsafe_and_keeps_its_name(dumping: tuple[Living, Path]) -> None:
    program, path = dumping
    path.write_bytes(WHOLE[:-1])
    way = program.ways()["oom-dump"]
    assert (way.check().standing, "still being written, or was cut" in way.check().why) == ("unsafe", True)
    taken = way.take(Kept())
    assert (taken.remote, len(taken.warnings)) == (str(path), 1)


def test_a_packed_dump_is_taken_too(dumping: tuple[Living, Path]) -> None:
    program, path = dumping
    packed = path.with_name(path.name + ".gz") if path.name.startswith("java_pid") else path
    packed.write_bytes(b"\x1f\x8b" + bytes(20))
    assert program.ways()["oom-dump"].take(Kept()).remote.startswith(f"{packed}.")


def test_without_the_switch_the_switch_is_what_is_missing(classes: Path) -> None:
    with living(JDKS[0] / "bin/java", classes) as program:
        check = program.ways()["oom-dump"].check()
    assert check.standing == "needs"
    assert "-XX:+HeapDumpOnOutOfMemoryError" in check.fix
    assert f"caulk arm pid:{program.pid}" in check.fix


def test_arming_a_directory_that_is_not_there_changes_nothing(dumping: tuple[Living, Path]) -> None:
    program, path = dumping
    before = program.ways()["oom-dump"].check()
    with pytest.raises(CaptureFailed, match="cannot be written to"):
        jvm.arm(program.reach, str(path.parent / "missing"))
    assert program.ways()["oom-dump"].check() == before
