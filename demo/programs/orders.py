"""A small order service with one leak: every closed order is archived for a report that nobody writes.

Beside it, and healthy: instruments loaded at the start (large, constant), a cache of quotes (bounded), and the
garbage of every request.
"""

import os
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

# It counts its work, not the time: on a busy machine it runs for longer, and leaks as much.
TICKS = int(50 * float(os.environ.get("DEMO_SECONDS", "10")))
DUMPS = os.environ.get("DEMO_DUMPS", "")
if DUMPS:
    from caulk_probe import dumper

ORDERS_PER_TICK = 10
CACHED_QUOTES = 1_000

quotes: OrderedDict[str, list[float]] = OrderedDict()


@dataclass(slots=True)
class Closed:
    """A closed order."""

    at: float
    receipt: str


archive: list[Closed] = []


def load_instruments() -> dict[str, str]:
    return {f"INS{n}": f"instrument {n} " * 200 for n in range(2_000)}


def quote(symbol: str) -> list[float]:
    if symbol not in quotes:
        quotes[symbol] = [float(n) for n in range(50)]
        if len(quotes) > CACHED_QUOTES:
            quotes.popitem(last=False)
    return quotes[symbol]


def archive_order(number: int, symbol: str, price: float) -> None:
    receipt = f"order {number} of {symbol} closed at {price}\n" * 200
    archive.append(Closed(time.time(), receipt))


def close_order(number: int, symbol: str) -> None:
    archive_order(number, symbol, quote(symbol)[0])


def handle_request(number: int, instruments: dict[str, str]) -> str:
    symbol = f"INS{number % len(instruments)}"
    close_order(number, symbol)
    return "closed " + instruments[symbol]


def dump(name: str) -> None:
    """Write all that is held here, when the demo asks for it: a child does, and this goes on after milliseconds."""
    dumper.dump(Path(DUMPS) / f"{name}.cgraph", fork=True)


def serve(instruments: dict[str, str]) -> int:
    number = 0
    dumps = {TICKS * 3 // 10: "early", TICKS * 7 // 10: "late"} if DUMPS else {}
    for tick in range(TICKS):
        if tick in dumps:
            dump(dumps[tick])
        for _ in range(ORDERS_PER_TICK):
            handle_request(number, instruments)
            number += 1
        time.sleep(0.01)
    return number


if __name__ == "__main__":
    print(f"orders.py: {serve(load_instruments()):,} orders served")
