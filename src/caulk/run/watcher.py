"""The processes below a command as they come and go: whom to watch, how, and what to tell people about the rest."""

import queue
import re
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from caulk.model.series import Reading, Series
from caulk.model.target import Target
from caulk.places import local
from caulk.run.history import History
from caulk.run.preloaded import Preloaded
from caulk.run.sources import AgentSource, Errand, Recording, Source, Take, write
from caulk.run.subject import Shot, Subject, Watched
from caulk.run.wire import Agent
from caulk.runtimes import cpython, envoy, go, jvm, native, node
from caulk.runtimes.endpoint import Endpoint, NotServed

#: The runtimes whose processes report by themselves.
_TALKING = {runtime.NAME: runtime for runtime in (cpython, node)}
# An interpreter that has not said hello by then will not.
_SILENT_S = 1.5
# How long a process may take until it loads libjvm.so, or listens.
_UNDECIDED_S = 5.0
_REFRESH_S = 1.0
_GOODBYE_S = 3.0
_MOST_ENDED = 64
_MOST_NOTES = 12
#: Node: Heap.<date>.<time>.<pid>.<thread>.<number>.heapsnapshot; the JVM: java_pid<pid>.hprof, and .1, .2 ... behind.
_OWN_DUMP = re.compile(r"(?:Heap\.\d+\.\d+\.(\d+)\.\d+\.\d+\.heapsnapshot|java_pid(\d+)\.hprof(?:\.\d+)?)$")


@dataclass(slots=True)
class _Seen:
    """A process of the tree: since when, and whether what it is has been settled."""

    since: float
    is_decided: bool = False


class Watcher:
    """The tree of processes below `root`. `joined` and `has_seen` may be called from other threads."""

    def __init__(
        self, workspace: Path, *, endpoint: Endpoint | None, is_native: bool = False, preloaded: Preloaded | None = None
    ) -> None:
        self.root = 0
        self._workspace, self._endpoint = workspace, endpoint
        self._is_native, self._preloaded = is_native, preloaded
        self._dumping: set[int] = set()
        self._recorded: set[int] = set()
        self._history = History()
        self._seen: dict[local.Process, _Seen] = {}
        self._pids: frozenset[int] = frozenset()
        self._waiting: queue.SimpleQueue[tuple[Agent, float]] = queue.SimpleQueue()
        self._watched: list[Watched] = []
        self._heard: set[int] = set()
        self._silent: dict[int, str] = {}
        self._notes: list[str] = []
        self._refreshed = 0.0
        self._limit: int | None = None

    def joined(self, agent: Agent) -> None:
        """An agent has said hello."""
        self._waiting.put((agent, time.monotonic()))

    def has_seen(self, pid: int) -> bool:
        """Whether this is one of the processes below the command."""
        return pid in self._pids

    @property
    def size(self) -> int:
        """How many processes there are now."""
        return len(self._pids)

    @property
    def captures(self) -> int:
        """How many captures are kept now."""
        return sum(watched.captures for watched in self._watched)

    @property
    def series(self) -> Series:
        """The memory of all processes together, over time."""
        return self._history.series("all processes")

    def look(self) -> Reading | None:
        """Reads the memory of every process, finds new ones and asks for the captures that are due."""
        now = time.monotonic()
        if not self._history.newest:
            self._begin(now)
        # Before the processes are listed: of one that joined later, the list may not know, and it would count as ended.
        self._welcome()
        tree = local.descendants(self.root, self._seen, local.processes())
        self._seen = {process: self._seen.get(process) or _Seen(now) for process in tree}
        self._pids = frozenset(process.pid for process in tree)
        readings = {pid: reading for pid in self._pids if (reading := local.reading(pid))}
        if not readings:
            return None
        total = _sum(readings.values())
        self._history.add(total)
        self._find_dumps(now)
        for process, seen in self._seen.items():
            if not seen.is_decided:
                self._decide(process.pid, seen, now=now)
        self._ask(readings, total.rss, now)
        return total

    def end(self) -> None:
        """The command has ended: takes what its processes left. What still runs, runs on."""
        until = time.monotonic() + _GOODBYE_S
        self._welcome()
        while any(self._is_leaving(watched) for watched in self._watched) and time.monotonic() < until:
            time.sleep(0.01)
        self._find_dumps(time.monotonic())
        for watched in self._watched:
            watched.end()
        if self._preloaded:
            self._preloaded.clear()
        for part in self._workspace.glob("*.part"):
            part.unlink(missing_ok=True)
        self._give_back()

    def subjects(self) -> tuple[Subject, ...]:
        """Every process that gave captures, in the order in which they were met, with the dumps that it made itself."""
        dumps = self._own_dumps()
        found = [watched.subject(*dumps.pop(watched.pid, ())) for watched in self._watched]
        for pid, shots in dumps.items():
            runtime = jvm.NAME if shots[0].path.name.startswith("java_pid") else node.NAME
            found.append(Subject(pid, runtime, runtime, Series(str(pid)), shots))
        return tuple(subject for subject in found if subject.captures)

    def notes(self, *, refused: int = 0) -> tuple[str, ...]:
        """Sentences about what was not watched, and why."""
        notes = [*self._notes, *dict.fromkeys(self._silent.values())]
        for watched in self._watched:
            if watched.pid == 0:
                notes.append(f"no process below the command ever listened at {watched.command}")
            elif not watched.captures and watched.failure:
                notes.append(f"{_named(watched.pid, watched.command)} gave no capture: {watched.failure}")
        if refused:
            notes.append(f"{refused} more processes wanted to report than can be watched at once")
        more = len(notes) - _MOST_NOTES
        return (*notes[:_MOST_NOTES], *([f"and {more} more processes that were not watched"] if more > 0 else []))

    def _begin(self, now: float) -> None:
        self._limit = local.memory_limit(self.root)
        if self._endpoint:
            self._watch(0, self._endpoint.root, Errand(go.NAME, _from_endpoint(self._endpoint)), now=now)

    def _watch(self, pid: int, command: str, source: Source, *, now: float) -> None:
        stem = self._workspace / f"{source.runtime}-{pid}-{len(self._watched)}"
        self._watched.append(Watched(pid, command, source, stem=stem, now=now))

    def _welcome(self) -> None:
        while not self._waiting.empty():
            agent, since = self._waiting.get()
            runtime = _TALKING.get(agent.runtime)
            if agent.runtime == cpython.RECORDED:
                self._heard.add(agent.pid)
                self._silent.pop(agent.pid, None)
                self._recorded.add(agent.pid)
                self._watch(agent.pid, _line(agent.pid), Recording(agent, cpython.NAME, cpython.RECORDING), now=since)
            elif runtime:
                if self._is_native and runtime is cpython:
                    line = _named(agent.pid, _line(agent.pid))
                    self._notes.append(f"{line} was traced without native frames: {cpython.NOT_RECORDED}")
                self._heard.add(agent.pid)
                self._silent.pop(agent.pid, None)
                worker = f" ({agent.thread})" if agent.thread != "main" else ""
                self._watch(agent.pid, _line(agent.pid) + worker, AgentSource(agent, runtime.SUFFIX), now=since)
                agent.ask_memory()

    def _find_dumps(self, now: float) -> None:
        """Watches who has begun to write dumps. What memray records is not wanted twice."""
        if not self._preloaded:
            return
        self._preloaded.root = self.root
        self._preloaded.thin(self._recorded)
        for pid in sorted(self._preloaded.processes() - self._dumping - self._recorded):
            self._dumping.add(pid)
            self._watch(pid, _line(pid), self._preloaded.source(pid), now=now)

    def _decide(self, pid: int, seen: _Seen, *, now: float) -> None:
        """Whether caulk must fetch captures from a process itself, or wonder why it says nothing."""
        age = now - seen.since
        executable = local.executable(pid)
        if self._preloaded and age == 0 and pid != self.root and native.is_static(Path(f"/proc/{pid}/exe")):
            self._notes.append(f"{_named(pid, _line(pid))}: {native.STATIC}")
        if jvm.recognises(executable) or (age > 1 and local.has_loaded(pid, jvm.LIBRARY)):
            seen.is_decided = True
            if jvm.refuses(local.command(pid), local.environ(pid)):
                self._notes.append(f"{_named(pid, _line(pid))} gave no capture: -XX:+DisableAttachMechanism is set")
            else:
                self._watch(pid, _line(pid), Errand(jvm.NAME, _from_jvm(pid)), now=now)
        elif age > _SILENT_S and pid not in self._heard:
            for runtime in _TALKING.values():
                if runtime.recognises(executable):
                    why = runtime.why_silent(local.command(pid))
                    self._silent[pid] = f"{_named(pid, _line(pid))} never reported: {why}"
        seen.is_decided = seen.is_decided or age > _UNDECIDED_S

    def _ask(self, readings: dict[int, Reading], used: int, now: float) -> None:
        fill = used / self._limit if self._limit else 0.0
        room = self._limit - used if self._limit else None
        is_time = now - self._refreshed >= _REFRESH_S
        if is_time:
            self._refreshed = now
        for watched in self._watched:
            if watched.is_over:
                continue
            if watched.pid == 0 and self._endpoint:
                self._locate(watched, self._endpoint.port, readings, now)
            elif watched.pid not in readings or not watched.source.is_there:
                watched.end()
                continue
            if reading := readings.get(watched.pid):
                watched.look(reading, now=now, fill=fill, room=room)
                if is_time:
                    watched.source.refresh()
        self._forget_the_least()

    def _locate(self, watched: Watched, port: int, readings: dict[int, Reading], now: float) -> None:
        """Finds the process behind the endpoint; behind a container's or a proxy's there is only the command itself."""
        pid = local.listener(port, readings)
        if pid is None and now - min(seen.since for seen in self._seen.values()) > _UNDECIDED_S:
            pid = self.root
            self._notes.append(f"no process below the command listens at {watched.command}: is another one answering?")
        if pid:
            watched.pid, watched.command = pid, _line(pid)

    def _forget_the_least(self) -> None:
        """Of very many short processes only those that held the most are worth their files."""
        over = [watched for watched in self._watched if watched.is_over]
        if len(over) > _MOST_ENDED:
            least = min(over, key=lambda watched: watched.history.most)
            least.forget()
            self._watched.remove(least)

    def _is_leaving(self, watched: Watched) -> bool:
        """Whether its process has ended, and the last lines of its agent are still on their way."""
        return isinstance(watched.source, AgentSource) and watched.source.is_there and not local.reading(watched.pid)

    def _own_dumps(self) -> dict[int, tuple[Shot, ...]]:
        dumps: dict[int, tuple[Shot, ...]] = {}
        for path in sorted(self._workspace.iterdir()):
            if match := _OWN_DUMP.match(path.name):
                status = path.stat()
                pid = int(match[1] or match[2])
                shot = Shot(datetime.fromtimestamp(status.st_mtime, UTC), path, "oom-dump")
                dumps[pid] = (*dumps.get(pid, ()), shot)
        return dumps

    def _give_back(self) -> None:
        """Moves profiles that the user had Node write on its own to where Node would have written them."""
        for pattern in ("CPU.*.cpuprofile", "Heap.*.heapprofile"):
            for path in self._workspace.glob(pattern):
                shutil.move(path, Path.cwd() / path.name)


def _from_jvm(pid: int) -> Take:
    def take(stem: Path) -> tuple[tuple[tuple[str, Path], ...], dict[str, int]]:
        reach = local.LocalReach(Target(local.NAME, f"pid:{pid}", ""), pid)
        try:
            text = jvm.histogram(reach)
        finally:
            reach.close()
        live = jvm.live_bytes(text)
        path = write(stem.with_name(stem.name + jvm.SUFFIX), text)
        return (("histogram", path),), {} if live is None else {"heap": live}

    return take


def _from_endpoint(endpoint: Endpoint) -> Take:
    """Whatever answers there is asked: a server of pprof, else Envoy's admin interface."""

    def take(stem: Path) -> tuple[tuple[tuple[str, Path], ...], dict[str, int]]:
        name = go.NAME
        try:
            files, memory = go.captured(endpoint)
        except NotServed as refusal:
            try:
                name, (files, memory) = envoy.NAME, envoy.captured(endpoint)
            except NotServed:
                raise refusal from None
        stem = stem.with_name(name + stem.name.removeprefix(go.NAME))
        suffixes = {"heap": go.SUFFIX, "goroutine": ".goroutines.txt"}
        written = [(kind, write(stem.with_name(stem.name + suffixes[kind]), body)) for kind, body in files.items()]
        return tuple(written), memory

    return take


def _sum(readings: Iterable[Reading]) -> Reading:
    parts = ((reading.rss, reading.anonymous, reading.file, reading.shared) for reading in readings)
    return Reading(time.time(), *map(sum, zip(*parts, strict=True)))


def _line(pid: int) -> str:
    """A command line that fits into a sentence: the program by its name alone."""
    words = local.command(pid)
    return " ".join([words[0].rpartition("/")[2], *words[1:]])[:100]


def _named(pid: int, command: str) -> str:
    return f"process {pid} ({command})" if pid else command
