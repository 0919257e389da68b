"""The loop: everybody has a turn, nobody waits for who hangs, and a failure is told once."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from caulk.model.errors import CaulkError, Unreachable
from caulk.model.series import Reading
from caulk.model.watching import Observation, Workload
from caulk.watch import loop as module
from caulk.watch.fleet import Fleet
from caulk.watch.loop import Loop


class Source:
    """Answers, hangs or fails, as it is told."""

    def __init__(self, name: str, *, hangs: bool = False, errors: Sequence[CaulkError | None] = ()) -> None:
        self.name, self.hangs, self.errors = name, hangs, list(errors)
        self.asked = 0
        self.is_closed = False

    async def read(self) -> Sequence[Observation]:
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        error = self.errors.pop(0) if self.errors else None
        if error:
            raise error
        return [Observation(Workload(self.name, self.name), "0", Reading(time.time(), 1 << 20, 1 << 20))]

    def state(self) -> Mapping[str, Any]:
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        raise AssertionError(state)

    async def close(self) -> None:
        self.is_closed = True


def run(loop: Loop, sources: Sequence[Source], times: int) -> None:
    """Runs a loop until each of the sources that answer was asked so many times."""

    async def both() -> None:
        task = asyncio.ensure_future(loop.run())
        while not task.done() and min(source.asked for source in sources if not source.hangs) < times:
            await asyncio.sleep(0.005)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(asyncio.wait_for(both(), 60))


def test_who_hangs_delays_nobody(monkeypatch: pytest.MonkeyPatch):
    hanging = [Source(f"hang{n}", hangs=True) for n in range(100)]
    well = [Source(f"well{n}") for n in range(10)]
    loop = Loop([*hanging, *well], Fleet(), interval_s=0.05)
    # They hang for as long as this runs: only those that answer are waited for.
    run(loop, [*hanging, *well], times=5)
    assert {source.asked for source in hanging} == {1}
    assert len(loop.fleet) == 10


def test_what_does_not_answer_is_cut_and_told_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_CUT_S", 0.02)
    hanging, well = Source("hang", hangs=True), Source("well")
    told: list[str] = []
    loop = Loop([hanging, well], Fleet(), interval_s=0.01, on_trouble=told.append)
    run(loop, [hanging, well], times=100)
    assert hanging.asked > 1
    assert len(told) == 1
    assert told[0].startswith("hang: it did not answer within")
    assert loop.health[0].errors == hanging.asked or loop.health[0].errors == hanging.asked - 1


def test_a_failure_is_told_once_and_its_end_too():
    source = Source(
        "api", errors=[Unreachable("it is down"), Unreachable("it is down"), None, Unreachable("it is gone")]
    )
    told: list[str] = []
    loop = Loop([source], Fleet(), interval_s=0.01, on_trouble=told.append)
    run(loop, [source], times=6)
    assert told[:3] == ["api: it is down", "api: it answers again", "api: it is gone"]
    assert loop.health[0].errors == 3


def test_those_that_failed_do_not_take_the_place_of_others(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_AT_ONCE", 4)
    monkeypatch.setattr(module, "_FAILED_AT_ONCE", 1)
    monkeypatch.setattr(module, "_CUT_S", 0.05)
    hanging = [Source(f"hang{n}", hangs=True) for n in range(8)]
    well = [Source(f"well{n}") for n in range(4)]
    loop = Loop([*hanging, *well], Fleet(), interval_s=0.02)
    run(loop, [*hanging, *well], times=30)
    # Once each of them has failed they have one place among them.
    assert sum(source.asked for source in hanging) < sum(source.asked for source in well)


def test_never_more_are_asked_at_once_than_is_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_AT_ONCE", 3)
    now, most = 0, 0

    class Counting(Source):
        async def read(self) -> Sequence[Observation]:
            nonlocal now, most
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.002)
            now -= 1
            return await super().read()

    sources = [Counting(f"s{n}") for n in range(20)]
    run(Loop(sources, Fleet(), interval_s=0.01), sources, times=3)
    assert most == 3


def test_what_comes_by_itself_is_judged_too():
    source = Source("s")
    loop = Loop([source], Fleet(), interval_s=0.01)

    async def both() -> None:
        task = asyncio.ensure_future(loop.run())
        seen = Observation(Workload("fed", "fed"), "0", Reading(time.time(), 1, 1))
        while "fed" not in list(loop.fleet):
            await asyncio.to_thread(loop.feed, [seen])
            await asyncio.sleep(0.005)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(asyncio.wait_for(both(), 30))


def test_sources_are_closed_at_the_end():
    sources = [Source("a"), Source("b")]
    run(Loop(sources, Fleet(), interval_s=0.01), sources, times=1)
    assert all(source.is_closed for source in sources)


def test_once_asks_everybody_once():
    sources = [Source("a"), Source("b", errors=[Unreachable("down")])]
    loop = Loop(sources, Fleet())
    asyncio.run(loop.once())
    assert [source.asked for source in sources] == [1, 1]
    assert list(loop.fleet) == ["a"]


def test_the_order_of_turns_is_the_same_after_each_start():
    assert module._phase("http://a/metrics") == module._phase("http://a/metrics")
    phases = [module._phase(f"http://10.0.0.{n}/metrics") for n in range(256)]
    assert all(any(low / 8 <= phase < (low + 1) / 8 for phase in phases) for low in range(8))
