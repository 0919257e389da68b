"""The talk with the agents inside programs: lines over a Unix socket, one connection a process (or worker thread).

    agent   hello RUNTIME VERSION THREAD FINAL-PATH     it will capture to FINAL-PATH by itself when the program ends
    caulk   memory                                      agent   memory heap=BYTES ...
    caulk   capture PATH                                agent   taken at=EPOCH seconds=S heap=BYTES ... | failed WHY

THREAD is `main`, or the name of one of the program's worker threads. An agent writes its capture to PATH, or sends it:
then `size=BYTES` stands in its line, so many bytes follow, and the file is caulk's to write.
Either side may hang up at any time; the program runs on. Agents are as trusted as their programs: lines and their
number are bounded, figures are checked, and a path from an agent counts only if it lies in the workspace.
"""

import contextlib
import os
import queue
import socket
import struct
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

_MOST_AGENTS = 64
_LONGEST_LINE = 8192
_PIECE = 1 << 20
# A worker of Node's says hello when it first returns to its event loop.
_HELLO_S = 60.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one capture: files with their kinds, or why there are none; `memory` is what the runtime said."""

    taken_at: float
    seconds: float = 0.0
    files: tuple[tuple[str, Path], ...] = ()
    memory: dict[str, int] = field(default_factory=dict)
    failure: str = ""


class Agent:
    """One connected agent. `heap` and `spare`, in bytes, are what it said last: its heap, and what a capture needs."""

    def __init__(self, link: socket.socket, pid: int, workspace: Path) -> None:
        self.pid = pid
        self.heap: int | None = None
        self.spare = 0
        self.is_connected = True
        self._link, self._workspace = link, workspace
        self._lines = link.makefile("rb")
        self._outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._asked: Path | None = None

    def greet(self) -> bool:
        """Reads the agent's first line; False if it is not one."""
        self._link.settimeout(_HELLO_S)
        words = self._lines.readline(_LONGEST_LINE).decode("utf-8", "replace").rstrip("\n").split(" ", 4)
        self._link.settimeout(None)
        if len(words) != 5 or words[0] != "hello":
            return False
        self.runtime, self.version, self.thread = words[1:4]
        final = Path(words[4])
        self.final = final if final.parent == self._workspace else None
        return True

    def begin(self, path: Path) -> None:
        """Asks for a capture; `outcome` has it when it is there."""
        self._asked = path
        self._say(f"capture {path}")

    def outcome(self) -> Outcome | None:
        """The next finished capture, if there is one."""
        with contextlib.suppress(queue.Empty):
            return self._outcomes.get_nowait()
        return None

    def ask_memory(self) -> None:
        """Has `heap` renewed."""
        self._say("memory")

    def listen(self) -> None:
        """Takes the agent's lines until it hangs up: the work of a thread of its own."""
        with contextlib.suppress(OSError, ValueError):
            while line := self._lines.readline(_LONGEST_LINE):
                self._hear(line.decode("utf-8", "replace").rstrip("\n"))
        self.is_connected = False

    def hang_up(self) -> None:
        """The agent notices and stops; the program runs on."""
        with contextlib.suppress(OSError):
            self._link.shutdown(socket.SHUT_RDWR)  # whoever is reading now comes to an end
        self._lines.close()
        self._link.close()

    def _say(self, line: str) -> None:
        # Requests are few and short; a program that is stopped may leave them unread, never make caulk wait.
        with contextlib.suppress(OSError):
            self._link.sendall(line.encode() + b"\n", socket.MSG_DONTWAIT)

    def _hear(self, line: str) -> None:
        verb, _, rest = line.partition(" ")
        if verb == "failed":
            self._asked = None
            self._outcomes.put(Outcome(time.time(), failure=rest[:500]))
            return
        said = _figures(rest)
        self.heap = int(said["heap"]) if "heap" in said else self.heap
        self.spare = 3 * int(said.get("overhead", 0))
        if verb == "taken":
            path, self._asked = self._asked, None
            failure = self._receive(int(said["size"]), path) if "size" in said else ""
            figures = {name: int(value) for name, value in said.items() if name not in {"at", "seconds", "size"}}
            files = (("heap", path),) if path and path.is_file() else ()
            at, seconds = said.get("at", time.time()), said.get("seconds", 0.0)
            self._outcomes.put(Outcome(at, seconds, files, figures, failure))

    def _receive(self, size: int, path: Path | None) -> str:
        """Writes the capture that follows its line, whole or not at all, and says why not; reads it to its end."""
        failure = "it was not asked for" if path is None else ""
        if path:
            part = path.with_name(path.name + ".part")
            try:
                with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
                    while size and (data := self._lines.read(min(size, _PIECE))):
                        size -= len(data)
                        file.write(data)
                if not size:
                    part.rename(path)
                    return ""
                failure = "it hung up in the middle of a capture"
            except OSError as error:
                failure = str(error)
            part.unlink(missing_ok=True)
        while size and (data := self._lines.read(min(size, _PIECE))):
            size -= len(data)
        return failure


def _figures(text: str) -> dict[str, float]:
    """The pairs name=number of a line; others are left out."""
    found = {}
    for word in text.split():
        name, _, value = word.partition("=")
        with contextlib.suppress(ValueError):
            number = float(value)
            if name.isalpha() and 0 <= number < 1 << 63:
                found[name] = number
    return found


class Switchboard:
    """Listens for agents; `joined(agent)` is called, in a thread, for each that says hello."""

    def __init__(self, workspace: Path, joined: Callable[[Agent], None]) -> None:
        self._workspace, self._joined = workspace, joined
        # The path of a Unix socket has at most 107 bytes, so it is not in the workspace.
        self._folder = tempfile.TemporaryDirectory(prefix="caulk-", dir="/tmp", ignore_cleanup_errors=True)
        self.path = Path(self._folder.name) / "s"
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(str(self.path))
        self._server.listen(128)
        self._connected: set[Agent] = set()
        self.refused = 0
        threading.Thread(target=self._accept, name="caulk agents", daemon=True).start()

    def close(self) -> None:
        """Hangs up on everybody."""
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for agent in list(self._connected):
            agent.hang_up()
        self._folder.cleanup()

    def _accept(self) -> None:
        while True:
            try:
                link, _ = self._server.accept()
            except OSError:
                return
            if len(self._connected) >= _MOST_AGENTS:
                self.refused += 1
                link.close()
                continue
            pid = struct.unpack("3i", link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
            agent = Agent(link, pid, self._workspace)
            self._connected.add(agent)
            threading.Thread(target=self._serve, args=(agent,), name=f"caulk agent {pid}", daemon=True).start()

    def _serve(self, agent: Agent) -> None:
        with contextlib.suppress(OSError):
            if agent.greet():
                self._joined(agent)
                agent.listen()
        agent.is_connected = False
        self._connected.discard(agent)
        agent.hang_up()
