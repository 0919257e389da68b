"""Where the captures of one process come from: an agent inside it, or an errand that caulk runs itself."""

import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from caulk.model.errors import CaulkError, Unreachable
from caulk.run.wire import Agent, Outcome

#: A way to capture: writes files whose names begin with the stem, and returns them with the runtime's own figures.
Take = Callable[[Path], tuple[tuple[tuple[str, Path], ...], dict[str, int]]]


class Source(Protocol):
    """Something that can be asked for a capture without being waited for."""

    runtime: str

    @property
    def heap(self) -> int | None:
        """Bytes of heap, as the runtime said last."""

    @property
    def spare(self) -> int:
        """Bytes that a capture needs in the process."""

    @property
    def is_there(self) -> bool:
        """Whether it can still be asked."""

    def begin(self, stem: Path) -> None:
        """Asks for a capture into files whose names begin with `stem`."""

    def outcome(self) -> Outcome | None:
        """The next finished capture, if there is one."""

    def refresh(self) -> None:
        """Has `heap` renewed, where that is cheap."""

    def final(self, stem: Path) -> Outcome | None:
        """The capture that was made without being asked when the program ended, moved to `stem`."""


class AgentSource:
    """Captures by the agent in the process."""

    def __init__(self, agent: Agent, suffix: str) -> None:
        self.agent, self.runtime, self._suffix = agent, agent.runtime, suffix

    @property
    def heap(self) -> int | None:
        """As the agent said last."""
        return self.agent.heap

    @property
    def spare(self) -> int:
        """As the agent said last."""
        return self.agent.spare

    @property
    def is_there(self) -> bool:
        """Until the agent hangs up."""
        return self.agent.is_connected

    def begin(self, stem: Path) -> None:
        """Sends the request."""
        self.agent.begin(stem.with_name(stem.name + self._suffix))

    def outcome(self) -> Outcome | None:
        """What the agent answered."""
        return self.agent.outcome()

    def refresh(self) -> None:
        """Sends the question."""
        self.agent.ask_memory()

    def final(self, stem: Path) -> Outcome | None:
        """What the agent wrote last."""
        if not self.agent.final or not self.agent.final.is_file():
            return None
        path = self.agent.final.rename(stem.with_name(stem.name + self._suffix))
        return Outcome(path.stat().st_mtime, files=(("heap", path),))


class Recording(AgentSource):
    """A file that the program's own process writes all the time, every allocation in it: taken when it ends."""

    def __init__(self, agent: Agent, runtime: str, suffix: str) -> None:
        super().__init__(agent, suffix)
        self.runtime = runtime

    def begin(self, stem: Path) -> None:
        """Nothing: every moment is in the file."""

    def refresh(self) -> None:
        """Nothing: the heap's size is not known before the file is read."""


class Dumped:
    """Captures by the process's own allocator, which writes dumps as memory is allocated: the newest is taken.

    `written` gives the dumps that lie there and are complete, oldest first.
    """

    spare = 0
    is_there = True
    heap = None

    def __init__(self, runtime: str, suffix: str, written: Callable[[], Sequence[Path]]) -> None:
        self.runtime, self._suffix, self._written = runtime, suffix, written
        self._outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()

    def begin(self, stem: Path) -> None:
        """Takes the newest dump at once, if there is one since the last time."""
        self._outcomes.put(self.final(stem) or Outcome(time.time(), failure="it has allocated too little for a dump"))

    def outcome(self) -> Outcome | None:
        """What was taken."""
        return None if self._outcomes.empty() else self._outcomes.get()

    def refresh(self) -> None:
        """Deletes all dumps but the newest."""
        for path in self._written()[:-1]:
            path.unlink(missing_ok=True)

    def final(self, stem: Path) -> Outcome | None:
        """The newest dump, moved to `stem`; the others go."""
        self.refresh()
        newest = next(iter(self._written()), None)
        if not newest:
            return None
        path = newest.rename(stem.with_name(stem.name + self._suffix))
        return Outcome(path.stat().st_mtime, files=(("heap", path),))


class Errand:
    """Captures by caulk, each in a thread of its own, since the other side may take its time."""

    spare = 0
    is_there = True

    def __init__(self, runtime: str, take: Take) -> None:
        self.runtime, self._take = runtime, take
        self._outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._failure = ""
        self.heap: int | None = None

    def begin(self, stem: Path) -> None:
        """Starts the thread."""
        threading.Thread(target=self._run, args=(stem,), name=f"caulk {stem.name}", daemon=True).start()

    def outcome(self) -> Outcome | None:
        """What a finished thread left."""
        return None if self._outcomes.empty() else self._outcomes.get()

    def refresh(self) -> None:
        """Nothing: `heap` is renewed by captures."""

    def final(self, stem: Path) -> Outcome | None:
        """None: nobody is left to ask."""
        return None

    def _run(self, stem: Path) -> None:
        at, started = time.time(), time.monotonic()
        try:
            files, memory = self._take(stem)
        except (CaulkError, OSError) as error:
            # A program that ends does not answer any more; what it answered before tells more.
            self._failure = self._failure if self._failure and isinstance(error, Unreachable) else str(error)
            self._outcomes.put(Outcome(at, time.monotonic() - started, failure=self._failure))
            return
        self.heap = memory.get("heap", self.heap)
        self._outcomes.put(Outcome(at, time.monotonic() - started, files, memory))


def write(path: Path, data: bytes) -> Path:
    """A new file that only its owner can read."""
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    return path
