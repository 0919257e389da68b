"""gdb has a Python before 3.14 run the probe: one that runs, and one that waits in C code; neither notices."""

from collections.abc import Callable
from pathlib import Path

import pytest
from held_pythons import BUSY, HOLD, PAUSE, TICKETS, Kept, living, types_in

from caulk.formats import cpython_graph
from caulk.model.errors import CaptureFailed
from caulk.model.target import Access
from caulk.runtimes.cpython.debugger import Debugger


@pytest.mark.parametrize("program", [BUSY, PAUSE], ids=["runs", "waits in C"])
def test_the_graph_is_had_although_no_probe_was_loaded(program: str, require: Callable[[str], str]):
    require("gdb")
    with living(HOLD + program) as held:
        way, sink = held.ways()["gdb:graph"], Kept()
        check = way.check()
        assert (check.standing, way.alias) == ("unsafe", "gdb")
        cost, taken = way.cost(), way.take(sink)
        assert len(sink.written) <= cost.size_bytes
        assert not list(Path(sink.left[0]).parent.glob(Path(sink.left[0]).stem + "*"))
        assert float(taken.facts["pause_s"]) > 0
        assert held.popen.poll() is None
        status = Path(f"/proc/{held.pid}/status").read_text()
        assert "TracerPid:\t0\n" in status
    assert types_in(cpython_graph.read(bytes(sink.written)))["__main__.Ticket"] == TICKETS


def test_a_batch_that_fails_lets_go_of_the_program(require: Callable[[str], str], monkeypatch: pytest.MonkeyPatch):
    require("gdb")
    monkeypatch.setattr("caulk.runtimes.cpython.debugger._SYMBOLS", ("PyGILState_Check", "Py_NoSuchFunction"))
    with living(HOLD + BUSY) as held:
        sink = Kept()
        with pytest.raises(CaptureFailed, match="Py_NoSuchFunction"):
            held.ways()["gdb:graph"].take(sink)
        assert "TracerPid:\t0\n" in Path(f"/proc/{held.pid}/status").read_text()
        assert not Path(sink.left[0]).exists()


def test_where_no_gdb_is_beside_the_program_that_is_what_is_missing():
    with living(HOLD + BUSY, PATH="/nowhere") as held:
        check = Debugger(held.reach, Access()).check()
    assert (check.standing, "apt-get install gdb" in check.fix) == ("needs", True)
