"""CPython: who holds its memory, by the probe in the program or by code that is brought into it; what it allocates.

Under `caulk run` an agent traces its allocations (`launching`). What runs already is captured by `caulk_probe.control`
where that is loaded, by the interpreter's own door for debuggers from 3.14 on (`remote_exec`), or by gdb, if somebody
asks for that (`debugger`). All three end in the same conversation (`talk`) and the same dumper, which streams: nothing
is written to a disk of the target but a small script, and that is removed.
"""

from collections.abc import Sequence

from caulk.model.capture import Setting
from caulk.model.errors import CaptureFailed
from caulk.model.target import Access, Process
from caulk.ports import Reach, Way
from caulk.runtimes.cpython.debugger import Debugger
from caulk.runtimes.cpython.launching import (
    AGENTS,
    NOT_RECORDED,
    RECORDED,
    RECORDING,
    SUFFIX,
    environment,
    recognises,
    why_silent,
)
from caulk.runtimes.cpython.limit import LimitDump
from caulk.runtimes.cpython.memray import Memray
from caulk.runtimes.cpython.probe import Probe
from caulk.runtimes.cpython.remote_exec import RemoteExec
from caulk.runtimes.cpython.ways import Figures, Graph, Traces

__all__ = [
    "AGENTS",
    "EVIDENCE",
    "NAME",
    "NOT_RECORDED",
    "RECORDED",
    "RECORDING",
    "SUFFIX",
    "arm",
    "disarm",
    "environment",
    "recognises",
    "serves",
    "ways",
    "why_silent",
]

NAME = "cpython"
EVIDENCE = ("heap graph", "profile")

_FRAMES = 16


def serves(process: Process) -> bool:
    """Whether a process is CPython, or has it within."""
    return recognises(process.executable) or any(
        path.rpartition("/")[2].startswith("libpython") for path in process.libraries
    )


def ways(reach: Reach, access: Access) -> Sequence[Way]:
    """The graph by each door, the gentlest first; then what allocates; then figures."""
    probe = Probe(reach)
    return (
        Graph(probe, "heap"),
        Graph(RemoteExec(reach, access), "heap"),
        LimitDump(probe, access),
        Graph(Debugger(reach, access), "gdb"),
        Traces(probe),
        Memray(reach),
        Figures(probe),
    )


def arm(reach: Reach, directory: str) -> Sequence[Setting]:
    """Traces allocations, and with a `directory` has the graph dumped there before the memory limit is reached.

    Raises `CaptureFailed` where the probe is not loaded, or cannot write there; then nothing is switched.
    """
    probe = Probe(reach)
    check = probe.check()
    if check.standing != "ready":
        raise CaptureFailed(check.why, hint=check.fix)
    done = []
    with probe.talk() as control:
        if directory:
            before = control.ask(f"watch {directory}")["before"]
            done.append(Setting("watch", directory, before))
        before = control.ask(f"start {_FRAMES}")["before"]
        done.append(Setting("tracemalloc", str(_FRAMES) if before == "0" else before, before))
    return done


def disarm(reach: Reach, settings: Sequence[Setting]) -> None:
    """Stops what `arm` started."""
    with Probe(reach).talk() as control:
        now = control.ask("figures")
        for setting in settings:
            if setting.name == "tracemalloc" and setting.before == "0" and now["frames"] == setting.value:
                control.ask("stop")
            if setting.name == "watch" and now["watch"] == setting.value:
                control.ask(f"watch {setting.before}" if setting.before else "unwatch")
