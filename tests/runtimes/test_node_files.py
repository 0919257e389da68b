"""Snapshots that Node.js writes to files itself: at a signal, near its limit; and switched on in one that runs."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from nodes import EXHAUSTED, LEAK, NODE, Kept, analysis, awaited, living, needs_node

from caulk.capture.verify import fault
from caulk.model.errors import CaptureFailed
from caulk.model.target import Room
from caulk.runtimes import node

pytestmark = needs_node


def snapshots(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.heapsnapshot"))


def exhaust(folder: Path, *switches: str) -> None:
    """Runs a program to its heap limit."""
    (folder / "exhausted.cjs").write_text(EXHAUSTED)
    command = [NODE, "--max-old-space-size=24", *switches, "exhausted.cjs"]
    subprocess.run(command, cwd=folder, input=b"\n", capture_output=True, check=False, timeout=120)


def test_at_a_signal_the_program_writes_a_whole_snapshot_which_is_taken_away(tmp_path):
    dumps = tmp_path / "dumps"
    dumps.mkdir()
    with living(tmp_path, LEAK, "--heapsnapshot-signal=SIGUSR2", f"--diagnostic-dir={dumps}") as program:
        way, kept = program.ways()["heap-signal"], Kept()
        assert way.check().standing == "ready"
        assert way.cost().directory == str(dumps)
        taken = way.take(kept)
        assert program.answers()
        assert "Debugger" not in program.said
    assert (taken.remove, [taken.remote]) == (True, kept.left)
    assert [str(path) for path in snapshots(dumps)] == [taken.remote]
    assert not fault(Path(taken.remote), "heapsnapshot")
    assert "ordersByCustomer" in analysis(Path(taken.remote))


def test_who_gives_up_waiting_for_the_file_leaves_none_behind(tmp_path):
    with living(tmp_path, LEAK, "--heapsnapshot-signal=SIGUSR2") as program:
        kept = Kept()

        def stop(_: str) -> None:
            if kept.left:
                raise KeyboardInterrupt

        kept.on_progress = stop
        with pytest.raises(KeyboardInterrupt):
            program.ways()["heap-signal"].take(kept)
        assert program.answers()
    assert (len(kept.left), snapshots(tmp_path)) == (1, [])


def test_without_the_switch_no_signal_is_sent(tmp_path):
    with living(tmp_path, LEAK) as program:
        way = program.ways()["heap-signal"]
        assert way.check().standing == "needs"
        with pytest.raises(CaptureFailed, match="no snapshot at a signal"):
            way.take(Kept())
        assert not program.reach.process().catches(signal.SIGUSR2)
        assert program.answers()


def test_a_snapshot_from_near_the_limit_is_collected_by_its_successor(tmp_path):
    exhaust(tmp_path, "--heapsnapshot-near-heap-limit=1")
    with living(tmp_path, LEAK) as program:
        way = program.ways()["oom-dump"]
        assert way.check().standing == "ready"
        taken = way.take(Kept())
        assert way.cost().size_bytes == Path(taken.remote).stat().st_size
    assert (taken.remove, [taken.remote]) == (False, [str(path) for path in snapshots(tmp_path)])
    assert "Row" in analysis(Path(taken.remote))


def test_a_snapshot_whose_end_is_missing_is_none(tmp_path):
    cut = tmp_path / "Heap.20261121.090441.30429.0.001.heapsnapshot"
    with living(tmp_path, LEAK) as program:
        assert program.ways()["oom-dump"].check().standing == "needs"
        for content in ("", '{"snapshot":{"meta":'):
            cut.write_text(content)
            check = program.ways()["oom-dump"].check()
            assert (check.standing, "has no end" in check.why) == ("unsafe", True)
        whole = tmp_path / "v8-heap-1795250038470.heapsnapshot"
        whole.write_text('{"snapshot":{},"strings":["a"]}\n')
        os.utime(whole, (1, 1))
        assert program.ways()["oom-dump"].check().why.startswith(f"{whole} was written at 1970-01-01 00:00:01")


def test_what_would_be_written_to_memory_is_refused(tmp_path):
    if "/dev/shm tmpfs" not in Path("/proc/mounts").read_text():
        pytest.skip("unobtainable: this machine has no /dev/shm")
    with living(tmp_path, LEAK, "--heapsnapshot-signal=SIGUSR2", "--diagnostic-dir=/dev/shm") as program:
        check = program.ways()["heap-signal"].check()
        assert (check.standing, "lies in memory" in check.why) == ("needs", True)
        with pytest.raises(CaptureFailed, match="lies in memory"):
            node.arm(program.reach, "")


def test_a_program_that_was_armed_writes_its_heap_before_it_dies(tmp_path):
    with living(tmp_path, EXHAUSTED, "--max-old-space-size=24") as program:
        settings = node.arm(program.reach, "")
        assert {setting.name: setting.value for setting in settings} == {
            "v8.setHeapSnapshotNearHeapLimit": "1",
            "diagnostic-dir": str(tmp_path),
        }
        assert not program.is_listening
        # Again, it does no harm: `caulk arm --hold` does so.
        assert node.arm(program.reach, str(tmp_path)) == settings
        with pytest.raises(CaptureFailed, match="stays armed until it starts anew"):
            node.disarm(program.reach, settings)
        program.process.communicate("\n", timeout=120)
    (written,) = snapshots(tmp_path)
    assert not fault(written, "heapsnapshot")
    assert "Row" in analysis(written)


def test_what_was_armed_from_the_start_needs_nothing(tmp_path):
    with living(tmp_path, LEAK, "--heapsnapshot-near-heap-limit=3") as program:
        (setting,) = node.arm(program.reach, "")
        assert (setting.value, setting.before) == ("3", "3")
        assert "Debugger" not in program.said
        node.disarm(program.reach, [setting])
        assert "near the heap limit" in program.ways()["oom-dump"].check().why


def test_arming_says_where_it_cannot(tmp_path, monkeypatch):
    with living(tmp_path, LEAK) as program:
        with pytest.raises(CaptureFailed, match=f"writes its snapshots to {tmp_path}, and cannot be told otherwise"):
            node.arm(program.reach, "/var/tmp")
        monkeypatch.setattr(program.reach, "room", lambda: Room(100 << 20, 256 << 20))
        with pytest.raises(CaptureFailed, match="the kernel would end it first"):
            node.arm(program.reach, "")
        assert not program.is_listening
        assert awaited(program.answers)
