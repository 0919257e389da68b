"""The loop: each source is asked in its turn, and what it says goes to history, fleet and rules.

Sources are spread over the interval by their names, so that they are not all asked at once, and the order stays the
same. One that hangs is cut when its time is up, and delays nobody: those that failed last wait for each other, not the
rest for them. A failure is told once, and once more when it is over.
"""

import asyncio
import hashlib
import heapq
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from caulk.model.errors import CaulkError
from caulk.model.watching import Observation
from caulk.ports import Source
from caulk.watch.dumps import Dumps
from caulk.watch.fleet import Change, Fleet
from caulk.watch.keeping import Keeping, Remembering

#: At most so many sources are asked at once, and so many of those that failed last.
_AT_ONCE, _FAILED_AT_ONCE = 256, 32
#: What does not answer is asked ever more rarely, up to this many intervals.
_RAREST = 8
#: Sources that ask over HTTP give up sooner by themselves; one that answers for thousands may take its time.
_CUT_S = 60.0
#: How often memory goes to disk: less than the minute that a kill may cost.
_KEPT_EACH_S = 20.0
#: How often new dumps are looked for: a container that is made anew takes its own with it.
_LOOK_S = 2.0


@dataclass(slots=True)
class Health:
    """How a source does: readings and errors since the start, and what it fails by now (empty if it does not)."""

    source: Source
    readings: int = 0
    errors: int = 0
    failures: int = 0
    """In a row."""
    why: str = ""
    took_s: float = 0.0
    """How long the last look took."""
    asked: int = 0

    @property
    def sentence(self) -> str:
        """What it fails by, with its name where that does not say it already."""
        return self.why if self.why.startswith(self.source.name) else f"{self.source.name}: {self.why}"


@dataclass(slots=True)
class Loop:
    """The schedule. `on_change` hears what rules should, `on_trouble` a sentence when a source fails or is back."""

    sources: Sequence[Source]
    fleet: Fleet
    interval_s: float = 15.0
    on_change: Callable[[Change, float], object] = lambda change, now: None
    on_trouble: Callable[[str], object] = lambda sentence: None
    keeper: Keeping | None = None
    dumps: Dumps | None = None
    health: list[Health] = field(init=False)
    _remembering: list[Remembering] = field(default_factory=list)
    _fed: "asyncio.Queue[Sequence[Observation]] | None" = None
    _asyncio: asyncio.AbstractEventLoop | None = None

    def __post_init__(self) -> None:
        self.health = [Health(source) for source in self.sources]
        for source in self.sources:
            self.remember(source)

    def remember(self, one: Remembering) -> None:
        """Keeps what something else than a source must know over a restart, and tells it what it knew."""
        if self.keeper:
            self.keeper.resume(one)
            self._remembering.append(one)

    def feed(self, seen: Sequence[Observation]) -> None:
        """What came by itself (OTLP, a dump): from any thread, while the loop runs."""
        if self._asyncio and self._fed:
            self._asyncio.call_soon_threadsafe(self._fed.put_nowait, seen)

    async def once(self) -> None:
        """Asks every source once, and closes them."""
        lane = asyncio.Semaphore(_AT_ONCE)
        await asyncio.gather(*(self._ask(health, lane) for health in self.health))
        self._keep(time.time(), all_=True)
        for source in self.sources:
            await source.close()

    async def run(self, until: float = float("inf")) -> None:
        """Asks every source each interval, until a time (of `time.monotonic`), or until it is cancelled."""
        self._asyncio, self._fed = asyncio.get_running_loop(), asyncio.Queue()
        helpers = [asyncio.create_task(self._take_in(self._fed)), asyncio.create_task(self._keeping())]
        if self.dumps:
            helpers.append(asyncio.create_task(self._finding(self.dumps)))
        try:
            await self._schedule(until)
        finally:
            self._asyncio = None
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            self._keep(time.time(), all_=True)
            for source in self.sources:
                await source.close()

    async def _schedule(self, until: float) -> None:
        lanes = asyncio.Semaphore(_AT_ONCE), asyncio.Semaphore(_FAILED_AT_ONCE)
        begin = time.monotonic()
        # Nobody waits for a whole interval to see the first readings; with many sources they are spread all the same.
        first = min(self.interval_s, 0.02 * len(self.health))
        due = [(begin + _phase(health.source.name) * first, number) for number, health in enumerate(self.health)]
        heapq.heapify(due)
        running: set[asyncio.Task[None]] = set()
        busy: set[int] = set()
        try:
            while (now := time.monotonic()) < until:
                if not due or due[0][0] > now:
                    await asyncio.sleep(min(due[0][0] if due else until, until, now + 1.0) - now)
                    continue
                at, number = heapq.heappop(due)
                health = self.health[number]
                rarer = min(2**health.failures, _RAREST)
                heapq.heappush(due, (max(at, now - self.interval_s) + rarer * self.interval_s, number))
                if number in busy:
                    continue
                busy.add(number)
                task = asyncio.create_task(self._ask(health, lanes[bool(health.failures)]))
                running.add(task)
                task.add_done_callback(running.discard)
                task.add_done_callback(partial(_idle, busy, number))
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _ask(self, health: Health, lane: asyncio.Semaphore) -> None:
        """One reading of one source, within its time."""
        async with lane:
            begin = time.monotonic()
            try:
                seen = await asyncio.wait_for(health.source.read(), _CUT_S)
            except TimeoutError:
                self._failed(health, f"it did not answer within {_CUT_S:.0f} s")
            except CaulkError as error:
                self._failed(health, str(error))
            else:
                self._well(health)
                await self._note(seen)
                health.readings += len(seen)
            health.took_s, health.asked = time.monotonic() - begin, health.asked + 1

    def _failed(self, health: Health, why: str) -> None:
        health.errors += 1
        health.failures += 1
        if health.why != why:
            health.why = why
            self.on_trouble(health.sentence)

    def _well(self, health: Health) -> None:
        if health.why:
            self.on_trouble(f"{health.source.name}: it answers again")
        health.failures, health.why = 0, ""

    async def _note(self, seen: Sequence[Observation]) -> None:
        for number, one in enumerate(seen):
            if number % 64 == 63:
                await asyncio.sleep(0)
            change = self.fleet.add(one)
            if self.keeper:
                self.keeper.note(one, change)
            if change:
                self.on_change(change, one.reading.at)

    async def _take_in(self, fed: "asyncio.Queue[Sequence[Observation]]") -> None:
        while True:
            await self._note(await fed.get())

    async def _finding(self, dumps: Dumps) -> None:
        self.remember(dumps)
        try:
            while True:
                running = self.fleet.observations()
                for seen, dump in await asyncio.to_thread(dumps.look, running, time.time()):
                    self.on_change(self.fleet.appeared(seen, dump), time.time())
                await asyncio.sleep(_LOOK_S)
        finally:
            dumps.close()

    async def _keeping(self) -> None:
        while True:
            await asyncio.sleep(_KEPT_EACH_S)
            self._keep(time.time())
            self.fleet.forget(time.time(), interval_s=self.interval_s)

    def _keep(self, now: float, *, all_: bool = False) -> None:
        if self.keeper:
            self.keeper.keep(self.fleet, self._remembering, now, all_=all_)


def _idle(busy: set[int], number: int, _: object) -> None:
    busy.discard(number)


def _phase(name: str) -> float:
    """Where in the interval a source has its turn: the same after each restart."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest()) / 2**32
