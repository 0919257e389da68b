"""`caulk watch`: the loop, with what it says on a terminal or as lines for machines."""

import asyncio
import signal
import sys
import time
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.live import Live
from rich.table import Table

from caulk.cli import watching
from caulk.cli.fleet_table import record, row_record, table
from caulk.cli.targets import Output, Reaching, seconds
from caulk.config import load
from caulk.watch.fleet import Change
from caulk.watch.loop import Loop


def main(
    *targets: str,
    interval: str = "",
    once: Annotated[bool, Parameter(negative="")] = False,
    for_: Annotated[str, Parameter(name="--for")] = "",
    config: str = "",
    rules: bool = True,
    output: Annotated[Output | None, Parameter(name=["--output", "-o"])] = None,
    reaching: Reaching = Reaching(),
) -> int:
    """Watch programs, and say who leaks: each is read every 15 seconds and judged by all that was read of it.

    Shows a table on a terminal; else writes a line of JSON for each change of state and each thing that happens. What
    was read is kept: the next `caulk watch` goes on where this one ended. Exits with 1 if something leaks at the end.

    Parameters
    ----------
    targets
        As `caulk ps` takes them (pid:1234, docker:, k8s:shop, a name), cgroup:/PATH, or the address of a /metrics page.
        Without any, those of caulk.toml, and without that every program of this user.
    interval
        Time between two readings (5s, 1m).
    once
        Read everything once, show what is known of it, and end.
    for_
        End after this long (10m).
    config
        The caulk.toml.
    rules
        Act by the rules, those of caulk.toml and the default ones: captures, notifications. --no-rules only looks.
    output
        table or json.

    """
    settings = load(config)
    every = watching.interval_s(interval, settings)
    is_table = output == "table" or (output is None and sys.stdout.isatty())
    console = Console()
    with watching.keeping() as keeping:
        loop = watching.loop(settings, targets, reaching.access, every, keeping)
        if is_table:
            loop.on_trouble = lambda sentence: None  # the table says it below
        if once:
            asyncio.run(loop.once())
            _show(loop, console, is_table=is_table)
        else:
            is_alone = rules and keeping is not None
            with watching.on_duty(settings, loop, reaching.access, is_alone=is_alone) as duty:
                # What is said comes before what is done about it.
                loop.on_change = duty if is_table else watching.both(_say, duty)
                _live(loop, console, seconds(for_)) if is_table else _run(loop, seconds(for_))
    return int(any(row.state == "leaking" for row in loop.fleet.rows()))


def _run(loop: Loop, for_s: float) -> None:
    asyncio.run(_until(loop, for_s))


async def _until(loop: Loop, for_s: float) -> None:
    """Runs until the time is over, or somebody ends it: SIGTERM is an end like any other."""
    task = asyncio.ensure_future(loop.run(time.monotonic() + for_s if for_s else float("inf")))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        # Ctrl-C: what is known is kept first.
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise
    if not task.cancelled():
        task.result()


def _live(loop: Loop, console: Console, for_s: float) -> None:
    with Live(console=console, auto_refresh=False, screen=False) as live:

        async def draw() -> None:
            while True:
                live.update(_table(loop, console), refresh=True)
                # A large fleet takes its time to be put in order.
                await asyncio.sleep(max(1.0, len(loop.fleet) / 500))

        async def both() -> None:
            drawing = asyncio.ensure_future(draw())
            try:
                await _until(loop, for_s)
            finally:
                drawing.cancel()
                live.update(_table(loop, console), refresh=True)

        asyncio.run(both())


def _show(loop: Loop, console: Console, *, is_table: bool) -> None:
    if is_table:
        console.print(_table(loop, console, is_whole=True))
    else:
        for row in loop.fleet.rows():
            _write(row_record(row))


def _table(loop: Loop, console: Console, *, is_whole: bool = False) -> Table:
    most = 0 if is_whole else max(console.height - 6, 5)
    return table(loop.fleet.rows(), loop.health, interval_s=loop.interval_s, width=console.width, most=most)


def _say(change: Change, now: float) -> None:
    if change.judgement.state != change.previous_state or change.events or change.dumps:
        _write(record(change, now))


def _write(found: object) -> None:
    sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
    sys.stdout.flush()
