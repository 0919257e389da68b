"""Heap snapshots over the inspector: streamed as V8 writes them, with nothing written in the target.

HeapProfiler.takeHeapSnapshot (https://chromedevtools.github.io/devtools-protocol/v8/HeapProfiler/): a full collection,
the graph, its JSON in pieces of 100 KB; the thread stands still all the while. It cannot be broken off.
"""

import mmap
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

import msgspec

from caulk.model.capture import Check, Cost, Evidence, Taken
from caulk.model.decoding import decoded
from caulk.model.errors import CaptureFailed, CaulkError
from caulk.ports import Sink, Write
from caulk.runtimes.node.figures import snapshot_cost
from caulk.runtimes.node.inspector import Visit, opened
from caulk.runtimes.node.protocol import Line, Session, evaluation
from caulk.runtimes.node.scripts import keep_maps
from caulk.runtimes.node.survey import Survey

#: How long V8 may be silent: when it collects garbage, and when it sorts what it found.
_SILENCE_S, _SILENCES = 120.0, 20
_FACTS = """({
  node: process.version, v8: process.versions.v8,
  flags: process.execArgv.filter((word) => /^--(?!eval|print)/.test(word)).join(' '),
  ...Object.fromEntries(Object.entries(process.memoryUsage()).map(([name, value]) => [name, String(value)])),
  heap_size_limit: String(require('v8').getHeapStatistics().heap_size_limit),
})"""
_TITLE = re.compile(r"\[worker (\d+)\]\s*(.*)", re.DOTALL)


class _Chunk(msgspec.Struct):
    chunk: str


class _Progress(msgspec.Struct):
    done: int
    total: int


class _Info(msgspec.Struct):
    title: str = ""


class _Attached(msgspec.Struct):
    sessionId: str  # noqa: N815 - the protocol's own word
    workerInfo: _Info  # noqa: N815


@dataclass(slots=True)
class Snapshot:
    """The main thread's heap."""

    survey: Survey
    name: str = "inspector:snapshot"
    alias: str = "heap"
    evidence: Evidence = "graph"
    format: str = "heapsnapshot"
    suffix: str = ".heapsnapshot"

    def check(self) -> Check:
        """Whether the inspector answers."""
        return self.survey.door.check

    def cost(self) -> Cost:
        """By the heap now, with those of worker threads, which cannot be told apart from outside."""
        return snapshot_cost(self.survey.heap)

    def take(self, sink: Sink) -> Taken:
        """Streams the snapshot, and keeps the source maps of what runs beside it."""
        cost = self.cost()
        with opened(self.survey.reach, self.survey.access.port) as visit:
            main = visit.line.main
            facts = {**_facts(main), "thread": "main"}
            with _forgetting(main, visit):
                facts["pause_s"] = _streamed(main, sink.write, sink, cost)
            visit.warnings += keep_maps(main, self.survey.reach, sink)
            visit.warnings += _workers_said(visit)
        return Taken(warnings=tuple(visit.warnings), facts=facts)


@dataclass(slots=True)
class WorkerSnapshots:
    """The heaps of the worker threads, each by its own session: the largest, and beside it all others."""

    survey: Survey
    name: str = "inspector:worker-snapshots"
    alias: str = "heap-workers"
    evidence: Evidence = "graph"
    format: str = "heapsnapshot"
    suffix: str = ".heapsnapshot"

    def check(self) -> Check:
        """Whether the inspector answers; whether there are worker threads only it can say."""
        return self.survey.door.check

    def cost(self) -> Cost:
        """As if all the heap were of one thread."""
        return snapshot_cost(self.survey.heap)

    def take(self, sink: Sink) -> Taken:
        """Streams one snapshot after the other."""
        cost = self.cost()
        with opened(self.survey.reach, self.survey.access.port) as visit:
            found = sorted(workers(visit.line), key=lambda worker: -worker.used)
            if not found:
                raise CaptureFailed("the program has no worker threads now", hint="--as heap takes its main thread's.")
            first, *others = found
            facts = {**_facts(first.session), "thread": first.name}
            with _forgetting(first.session, visit):
                facts["pause_s"] = _streamed(first.session, sink.write, sink, cost)
            visit.warnings += keep_maps(first.session, self.survey.reach, sink)
            for worker in others:
                try:
                    with _forgetting(worker.session, visit):
                        _keep(worker, sink, cost)
                except CaptureFailed as error:
                    visit.warnings.append(f"{worker.name} was not taken: {error}")
        return Taken(warnings=tuple(visit.warnings), facts=facts)


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker thread: its session, its number and name, and the bytes its heap uses."""

    session: Session
    number: int
    name: str
    used: int


def workers(line: Line) -> list[Worker]:
    """The worker threads that answer, those that other worker threads started too."""
    attached: list[_Attached] = []

    def hear(method: str, params: msgspec.Raw) -> None:
        if method == "NodeWorker.attachedToWorker":
            attached.append(decoded(params, _Attached))

    line.main.listener = hear
    line.main.ask("NodeWorker.enable", waitForDebuggerOnStart=False)
    line.main.listener = lambda *_: None
    found = []
    for each in attached:
        session = line.session(each.sessionId)
        title = _TITLE.match(each.workerInfo.title)
        number = int(title[1]) if title else int(each.sessionId)
        name = f"worker-{number}" + (f" ({title[2].strip()})" if title and title[2].strip() else "")
        # A worker that has ended meanwhile, or is held up, has no figures.
        with suppress(CaulkError):
            used = session.evaluate("process.memoryUsage().heapUsed")
            found.append(Worker(session, number, name, int(used)))
    return found


def _workers_said(visit: Visit) -> list[str]:
    """What the capture of the main thread says of the others."""
    try:
        found = workers(visit.line)
    except CaulkError:
        return []
    if not found:
        return []
    names = ", ".join(f"{worker.name} {worker.used / 1e6:.0f} MB" for worker in found[:8])
    return [f"{len(found)} worker threads have heaps of their own (--as heap-workers takes them): {names}"]


@contextmanager
def _forgetting(session: Session, visit: Visit) -> Iterator[None]:
    """Has V8 forget the numbers that it gave to all objects, a tenth of what a snapshot takes and more.

    Not where somebody else's debugger may compare by them.
    """
    if visit.is_ours:
        session.ask("HeapProfiler.enable")
    yield
    if visit.is_ours:
        session.ask("HeapProfiler.disable")


def _streamed(session: Session, write: Write, sink: Sink, cost: Cost) -> str:
    """Has a thread write its snapshot; gives the seconds that it stood still."""
    done = 0

    def hear(method: str, params: msgspec.Raw) -> None:
        nonlocal done
        if method == "HeapProfiler.addHeapSnapshotChunk":
            data = decoded(params, _Chunk).chunk.encode("utf-8", "surrogatepass")
            write(data)
            done += len(data)
            sink.progress(done, max(cost.size_bytes, done), "V8 writes its heap")
        elif method == "HeapProfiler.reportHeapSnapshotProgress":
            now = decoded(params, _Progress)
            sink.progress(now.done, max(now.total, 1), "V8 walks its heap")

    session.listener = hear
    # All three at once: between them the thread does nothing else.
    asked = [
        session.send("Runtime.evaluate", **evaluation("performance.now()")),
        session.send("HeapProfiler.takeHeapSnapshot", reportProgress=True),
        session.send("Runtime.evaluate", **evaluation("performance.now()")),
    ]
    silence = _SILENCE_S + _SILENCES * cost.pause_s
    before, _, after = [session.result(number, timeout_s=silence) for number in asked]
    session.listener = lambda *_: None
    if not done:
        raise CaptureFailed("V8 sent an empty snapshot")
    return f"{max(_milliseconds(after) - _milliseconds(before), 0) / 1000:.3f}"


def _milliseconds(answer: Any) -> float:
    return float(answer["result"].get("value") or 0)


def _facts(session: Session) -> dict[str, str]:
    """Versions and sizes, for the manifest."""
    return {name: value for name, value in session.evaluate(_FACTS).items() if value}


def _keep(worker: Worker, sink: Sink, cost: Cost) -> None:
    """The snapshot of a worker, beside the first; it never lies in our memory whole."""
    with tempfile.TemporaryFile() as file:
        _streamed(worker.session, file.write, sink, cost)
        file.flush()
        _handed(file, f"heap-worker-{worker.number}.heapsnapshot", sink)


def _handed(file: BinaryIO, name: str, sink: Sink) -> None:
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as view:
        sink.beside(name, view)
