"""Server-sent events: what happens in any thread reaches every page that listens, and a page that sleeps harms none."""

import asyncio
import json
import threading

from caulk.web.events import Events
from caulk.web.jobs import Jobs


async def heard(stream, most):
    """The first events of a stream: their names and data."""
    found = []
    async for block in stream:
        if block.startswith(b"event: "):
            name, data = block.decode().strip().split("\n")
            found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
            if len(found) == most:
                break
    return found


async def listening(events, count=1):
    """Streams that have begun."""
    streams = [events.listen() for _ in range(count)]
    for stream in streams:
        assert (await anext(stream)).startswith(b":")
    return streams


def test_what_a_thread_tells_reaches_every_page():
    async def told():
        events = Events()
        streams = await listening(events, 2)
        threading.Thread(target=events.tell, args=("fleet", {"at": "a\nb"})).start()
        return [await asyncio.wait_for(heard(stream, 1), 30) for stream in streams]

    assert asyncio.run(told()) == [[("fleet", {"at": "a\nb"})]] * 2


def test_a_job_is_told_from_its_beginning_to_its_end():
    async def told():
        events = Events()
        (stream,) = await listening(events)
        jobs = Jobs(events)
        jobs.begin("analysis", "a", lambda *_: None)
        states = []
        while "done" not in states:
            states += [data["state"] for _, data in await asyncio.wait_for(heard(stream, 1), 30)]
        jobs.close()
        return states

    assert asyncio.run(told())[-1] == "done"


def test_a_page_that_does_not_read_loses_events_and_delays_nobody():
    async def told():
        events = Events()
        sleeper, reader = await listening(events, 2)
        for number in range(1000):
            events.tell("fleet", {"at": number})
            await asyncio.sleep(0)
            assert await asyncio.wait_for(heard(reader, 1), 30) == [("fleet", {"at": number})]
        return (await asyncio.wait_for(heard(sleeper, 1), 30))[0][1]["at"]

    assert asyncio.run(told()) == 0


def test_streams_end_with_the_server():
    async def told():
        events = Events()
        (stream,) = await listening(events)
        events.close()
        return [block async for block in stream]

    assert asyncio.run(asyncio.wait_for(told(), 30)) == []


def test_nobody_need_listen():
    Events().tell("fleet", {})
