"""gdb, for Pythons before 3.14: it has the program run the probe, only where somebody asks for that by name.

A thread that holds the interpreter's lock is in the middle of something: it is left alone, and `Py_AddPendingCall` has
the main thread run the script at its next safe point. One that waits in C code without the lock can take it
(`PyGILState_Ensure`), and runs the script there and then. Memory for the script's name is mapped, not allocated: the
thread may have been stopped within `malloc`. gdb is started beside the target, in its own namespaces, so that it never
meets libraries of another one.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import cached_property

from caulk.model.capture import Check
from caulk.model.errors import CaptureFailed, CaulkError, Lacks
from caulk.model.target import Access, Process, Ran
from caulk.ports import Reach, Sink
from caulk.runtimes.cpython.door import Price, estimated
from caulk.runtimes.cpython.injected import brought, directory
from caulk.runtimes.cpython.offsets import version_of
from caulk.runtimes.cpython.talk import Control

_RISK = "gdb stops the program, and may crash or block it"
_GDB_FIX = "apt-get install gdb   # beside the program, in its own image; better: load caulk-probe, or use Python 3.14"
_TRACE_FIX = """# run caulk as root, let debuggers in (kernel.yama.ptrace_scope=0), or add to the container:
securityContext: {capabilities: {add: [SYS_PTRACE]}}"""
#: After so long gdb is interrupted, takes back what it called, and lets go of the program.
_CALL_S, _LETS_GO_S, _LOOKS_S = 20, 10, 30.0
_STOPS_S = 3.0
_SYMBOLS = ("PyGILState_Check", "PyGILState_Ensure", "PyGILState_Release", "PyRun_SimpleString", "Py_AddPendingCall")
_DONE = b"caulk: done"
#: An error ends it. What does not concern gdb goes to the program; SIGINT is what gdb itself is stopped by.
_COMMANDS = """set pagination off
set confirm off
set auto-load off
set unwindonsignal on
handle all nostop noprint pass
attach {pid}
{symbols}
set $caulk = ((unsigned long (*)(long, long, int, int, int, long)) mmap)(0, 4096, 3, 0x22, -1, 0)
set {{char [{size}]}} $caulk = "{text}"
set $holds = ((int (*)(void)) PyGILState_Check)()
if $holds == 1
  set $failed = ((int (*)(void *, void *)) Py_AddPendingCall)((void *) &PyRun_SimpleString, (void *) $caulk)
else
  set $state = ((int (*)(void)) PyGILState_Ensure)()
  set $failed = ((int (*)(void *)) PyRun_SimpleString)((void *) $caulk)
  call ((void (*)(int)) PyGILState_Release)($state)
end
printf "caulk: done\\n"
detach
"""


class Debugger:
    """gdb beside one program."""

    name = "gdb"
    risk = _RISK

    def __init__(self, reach: Reach, access: Access) -> None:
        self.reach, self._access = reach, access
        self.stopped_s = 0.0

    @cached_property
    def _process(self) -> Process:
        return self.reach.process()

    @cached_property
    def _directory(self) -> str:
        return directory(self.reach, self._access, self._process)

    def check(self) -> Check:
        """Whether gdb is there, may trace, and finds the interpreter's functions: then it is unsafe all the same."""
        version = version_of(self._process)
        if version is not None and version >= (3, 14):
            return Check("impossible", "Python 3.14 and later has a door of its own, which is safer")
        try:
            ran = self._looked_at()
        except (CaulkError, OSError) as error:
            return Check("needs", f"gdb cannot be started beside the program: {error}", _GDB_FIX)
        if ran.code == 127 or b"GNU gdb" not in ran.out:
            return Check("needs", "there is no gdb beside the program", _GDB_FIX)
        if b"No symbol" in ran.err:
            return Check("impossible", f"its interpreter does not show its functions ({_SYMBOLS[0]}) to a debugger")
        if self._may_not_trace():
            return Check("needs", "the kernel lets only root trace processes here (yama)", _TRACE_FIX)
        if not self._directory:
            return Check("needs", "the program's user may write nowhere", "--directory names a directory for a script")
        return Check("unsafe", f"{_RISK}: load caulk-probe instead where the program can be started anew")

    def prices(self) -> Mapping[str, Price]:
        """By the memory of the process; gdb takes a while to find its way, in which the program stands still."""
        prices = estimated(self.reach)
        return {mode: replace(price, pause_s=price.pause_s + _STOPS_S) for mode, price in prices.items()}

    def enter(self, sink: Sink) -> AbstractContextManager[Control]:
        """Has the probe run by the program."""
        return brought(self.reach, self._directory or "/tmp", sink, self._run)  # noqa: S108 - of the target

    @contextmanager
    def _run(self, path: str) -> Iterator[None]:
        """Attaches, calls, and lets go: at the end of the batch, whatever went wrong in it."""
        source = f"exec(compile(open({path!r}).read(), {path!r}, 'exec'), {{}})"
        text = source.replace("\\", "\\\\").replace('"', '\\"')
        commands = f"{path[:-3]}.gdb"
        self.reach.put(commands, _commands(self._process.pid, source, text).encode())
        began = time.monotonic()
        try:
            ran = self._gdb("-x", commands)
        finally:
            self.stopped_s = time.monotonic() - began
            self.reach.remove(commands)
        if _DONE not in ran.out:
            said = (ran.err or ran.out).decode(errors="replace").strip().splitlines()
            raise CaptureFailed(f"gdb did not get through: {said[-1][:200] if said else 'it said nothing'}")
        yield

    def _looked_at(self) -> Ran:
        """What gdb says of the program's file, without the program."""
        named = (path for path in self._process.libraries if path.rpartition("/")[2].startswith("libpython"))
        path = next(named, f"/proc/{self._process.pid}/exe")
        return self._gdb("set auto-load off", "show version", f"file {path}", f"info address {_SYMBOLS[0]}")

    def _gdb(self, *arguments: str) -> Ran:
        """A batch of commands, each an argument, or those in the file behind `-x`."""
        flags = arguments if arguments[0] == "-x" else [word for each in arguments for word in ("-ex", each)]
        # At SIGINT gdb takes back what it called, and lets go of the program as the batch ends.
        command = ["timeout", "-k", str(_LETS_GO_S), "-s", "INT", str(_CALL_S), "gdb", "-nx", "-batch", *flags]
        return self.reach.run(command, timeout_s=_CALL_S + _LETS_GO_S + _LOOKS_S)

    def _may_not_trace(self) -> bool:
        try:
            said = b"".join(self.reach.fetch("/proc/sys/kernel/yama/ptrace_scope"))
        except (CaptureFailed, Lacks):
            return False
        return said.strip() not in (b"", b"0") and self._process.uid != 0


def _commands(pid: int, source: str, text: str) -> str:
    symbols = "\n".join(f"info address {name}" for name in _SYMBOLS)
    return _COMMANDS.format(pid=pid, symbols=symbols, size=len(source) + 1, text=text)
