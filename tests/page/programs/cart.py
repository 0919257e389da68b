"""A shop that keeps every session for ever: cart.py OUT writes a tracemalloc snapshot each thousand requests."""

import sys
import tracemalloc
from pathlib import Path

sessions: dict[str, list[str]] = {}
quotes: dict[int, list[float]] = {}


def put_session(number: int) -> None:
    sessions[f"session-{number}"] = [f"item {number} {line}" for line in range(20)]


def quote(number: int) -> float:
    if number % 100 not in quotes:
        quotes[number % 100] = [float(n) for n in range(50)]
    return quotes[number % 100][0]


def handle(number: int) -> None:
    quote(number)
    put_session(number)


tracemalloc.start(8)
for part in range(1, 4):
    for request in range(1000):
        handle(part * 1000 + request)
    tracemalloc.take_snapshot().dump(str(Path(sys.argv[1], f"python.{part}.tracemalloc")))
