"""The interpreter's own door for debuggers, Python 3.14 and later (PEP 768): it runs a script at its next safe point.

Source: https://docs.python.org/3/howto/remote_debugging.html. The path of the script is written into the state of a
thread, and a bit that has it looked at; `sys.remote_exec` does the same, but demands a caller of the same version. The
program stands still while that is written, for less than a millisecond. All its threads are told, and the first that
runs Python runs the script, so that one that waits in C code holds nothing up.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property

from caulk.model.capture import Check
from caulk.model.errors import CaptureFailed, Lacks, Unreachable
from caulk.model.target import Access, Process
from caulk.ports import Reach, Sink
from caulk.runtimes.cpython.door import Price, estimated
from caulk.runtimes.cpython.injected import brought, directory
from caulk.runtimes.cpython.offsets import TABLE_BYTES, Offsets, offsets, runtime_address, version_of
from caulk.runtimes.cpython.talk import Control

_PLEASE_STOP = 1 << 5
_MOST_THREADS = 4096
_TRIES = 5
_PTRACE_FIX = """# run caulk as the program's user or as root; where a container may not trace, add to it or the helper:
securityContext: {capabilities: {add: [SYS_PTRACE]}}      # Docker: --cap-add SYS_PTRACE"""
_DIRECTORY_FIX = """# a directory that the program's user may write to, for a script of 80 KB; --directory names another
volumes: [{name: tmp, emptyDir: {}}]
volumeMounts: [{name: tmp, mountPath: /tmp}]"""


@dataclass(frozen=True, slots=True)
class Threads:
    """An interpreter and the states of its threads, by address; `links` are the pointers that list them."""

    interpreter: int
    states: tuple[int, ...]
    links: tuple[tuple[int, bytes], ...]


class RemoteExec:
    """The door of one program."""

    name = "remote-exec"
    risk, stopped_s = "", 0.0

    def __init__(self, reach: Reach, access: Access) -> None:
        self.reach, self._access = reach, access

    @cached_property
    def _process(self) -> Process:
        return self.reach.process()

    @cached_property
    def _runtime(self) -> int:
        return runtime_address(self.reach, self._process)

    @cached_property
    def _offsets(self) -> Offsets:
        return offsets(self.reach.peek(self._runtime, TABLE_BYTES))

    @cached_property
    def _directory(self) -> str:
        return directory(self.reach, self._access, self._process)

    def check(self) -> Check:
        """Whether the door is there and open, and the script can lie somewhere."""
        version = version_of(self._process)
        if version is not None and version < (3, 14):
            return Check("impossible", f"Python {version[0]}.{version[1]} has no door for debuggers: 3.14 is the first")
        try:
            threads = self._threads()
        except Lacks as error:
            return Check("needs", str(error), _PTRACE_FIX)
        except CaptureFailed as error:
            return Check("impossible", str(error), error.hint)
        if not self._directory:
            return Check("needs", "the program's user may write nowhere", _DIRECTORY_FIX)
        at, name = self._offsets, "Python {}.{}".format(*self._offsets.version)
        if not (at.is_known and at.is_final):
            return Check("unsafe", f"{name} lets debuggers in; caulk infers its layout, and was tested with 3.14")
        return Check("ready", f"{name} lets debuggers in, and has {len(threads.states)} threads to run a script")

    def prices(self) -> Mapping[str, Price]:
        """By the memory of the process."""
        prices = estimated(self.reach)
        if self._offsets.is_free_threaded:
            del prices["in-place"]
        return prices

    def enter(self, sink: Sink) -> AbstractContextManager[Control]:
        """Has the probe run by the program."""
        if not self._directory:
            raise CaptureFailed("the program's user may write nowhere", hint=_DIRECTORY_FIX)
        return brought(self.reach, self._directory, sink, self._run)

    @contextmanager
    def _run(self, path: str) -> Iterator[None]:
        """Tells all threads of the script at `path`; at the end those that have not run it forget it."""
        at, text = self._offsets, path.encode() + b"\0"
        if len(text) > at.path_size:
            raise CaptureFailed(f"{path} is too long a path for Python", hint="--directory names another.")
        try:
            self._tell(text)
            yield
        finally:
            self._forget(text)

    def _tell(self, text: bytes) -> None:
        """All threads; the main one alone, which never ends, where they come and go too fast."""
        at = self._offsets
        for is_last in (False, False, True):
            threads = self._threads()
            states = (self._pointer(threads.interpreter + at.main_thread),) if is_last else threads.states
            writes = [(state + at.path, text) for state in states]
            writes += [(state + at.pending, struct.pack("<i", 1)) for state in states]
            bits = [(state + at.eval_breaker, _PLEASE_STOP) for state in states]
            if self._written(writes, bits, () if is_last else threads.links):
                return
        raise CaptureFailed("the threads of the program change too fast to be told of the script")

    def _forget(self, text: bytes) -> None:
        """Threads that began since are not told, and those that ended are not looked at."""
        at = self._offsets
        first, size = min(at.pending, at.path), abs(at.path - at.pending) + len(text)
        for _ in range(_TRIES):
            threads, waiting = self._threads(), []
            for state in threads.states:
                found = self.reach.peek(state + first, size)
                if found[at.path - first :].startswith(text) and found[at.pending - first :][:4] != bytes(4):
                    waiting.append((state + at.pending, bytes(4)))
            if not waiting or self._written(waiting, (), threads.links):
                return

    def _written(
        self,
        writes: Sequence[tuple[int, bytes]],
        bits: Sequence[tuple[int, int]],
        links: Sequence[tuple[int, bytes]],
    ) -> bool:
        """Whether it was written: not where a thread has begun or ended meanwhile, whose memory may be another's."""
        try:
            self.reach.poke(writes, bits, links)
        except (Lacks, Unreachable):
            raise
        except CaptureFailed:
            return False
        return True

    def _threads(self) -> Threads:
        """The threads of the main interpreter, as they are now; raises `CaptureFailed` where the door is shut."""
        at = self._offsets
        interpreter = self._main_interpreter()
        if self.reach.peek(interpreter + at.enabled, 4) != struct.pack("<i", 1):
            raise CaptureFailed(
                "debuggers are switched off in this Python",
                hint="Start it without PYTHON_DISABLE_REMOTE_DEBUG and -X disable-remote-debug, or load caulk-probe.",
            )
        states: list[int] = []
        state, link = self._pointer(interpreter + at.threads_head), interpreter + at.threads_head
        links = [(link, state.to_bytes(8, "little"))]
        while state and len(states) < _MOST_THREADS:
            # At once: beside some targets every look is a command of its own.
            head = self.reach.peek(state, max(at.interpreter, at.next_thread) + 8)
            if _number(head, at.interpreter) != interpreter or state in states:
                raise CaptureFailed("the threads of the program change too fast to be listed")
            states.append(state)
            links.append((state + at.next_thread, head[at.next_thread :][:8]))
            state = _number(head, at.next_thread)
        if not states:
            raise CaptureFailed("the interpreter has no threads")
        return Threads(interpreter, tuple(states), tuple(links))

    def _main_interpreter(self) -> int:
        """The last of the list: newer ones come before it."""
        found = following = self._pointer(self._runtime + self._offsets.interpreters_head)
        for _ in range(_MOST_THREADS):
            if not following:
                break
            found, following = following, self._pointer(following + self._offsets.next_interpreter)
        if not found or following:
            raise CaptureFailed("there is no interpreter in the process: it begins, or ends")
        return found

    def _pointer(self, address: int) -> int:
        return _number(self.reach.peek(address, 8), 0)


def _number(data: bytes, at: int) -> int:
    if len(data) < at + 8:
        raise CaptureFailed("the memory of the program is not laid out as its Python says")
    return int.from_bytes(data[at : at + 8], "little")
