"""Programs whose truth is known, as memory over time: two that leak and seven that do not. Seeded: always the same.

Memory is in bytes, time in seconds from the begin. A program has one worker or more; who reads a metric without a
`worker` label sees one of them at each scrape, by chance.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

MB = 1 << 20
HOUR = 3600


@dataclass(frozen=True, slots=True)
class Moment:
    """A process at one time: what it has allocated, the cached files that its cgroup is charged for, when it began."""

    anonymous: float
    cache: float = 30.0 * MB
    started: float = 0.0


Workers = Callable[[float, random.Random], list[Moment]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """`at(t, random)` gives each worker's moment; calls are in the order of time."""

    name: str
    says: str
    leaks_per_hour: float
    hours: float
    at: Workers
    limit: float = 2048.0 * MB
    """Of the container."""

    @property
    def is_leak(self) -> bool:
        """Whether an alert about growth is right."""
        return self.leaks_per_hour > 0


def _jitter(rng: random.Random) -> float:
    return rng.uniform(-1, 1) * MB


def leaking(per_hour: float, *, base: float = 300 * MB) -> Workers:
    """A program of `base` bytes that leaks from the begin."""
    return lambda t, rng: [Moment(base + per_hour * t / HOUR + _jitter(rng) * base / (300 * MB))]


def _flat(t: float, rng: random.Random) -> list[Moment]:
    return [Moment(400 * MB + _jitter(rng))]


def _sawtooth(t: float, rng: random.Random) -> list[Moment]:
    period = 40 * 60
    return [Moment(250 * MB + 200 * MB * (t % period) / period + _jitter(rng))]


def _pool(t: float, rng: random.Random) -> list[Moment]:
    """Twelve workers that go from 300 to 450 MB in their life, and are replaced at 200 requests, at different times."""
    out = []
    for worker in range(12):
        life = 5400 + 420 * worker
        age = (t + worker * 1234) % life
        out.append(Moment(300 * MB + 150 * MB * (1 - math.exp(-2.5 * age / life)) + _jitter(rng), started=t - age))
    return out


def _started_anew(t: float, rng: random.Random, *, before: float, after: float) -> list[Moment]:
    """A program that was long at `before`, starts again after 6 hours, and warms up to `after` within half an hour."""
    begun = 6 * HOUR
    if t < begun:
        return [Moment(before + _jitter(rng))]
    return [Moment(after - 0.5 * after * math.exp(-(t - begun) / 600) + _jitter(rng), started=begun)]


def _page_cache(t: float, rng: random.Random) -> list[Moment]:
    period = 9 * HOUR
    return [Moment(300 * MB + _jitter(rng), cache=30 * MB + 900 * MB * (t % period) / period)]


def _days(t: float, rng: random.Random) -> list[Moment]:
    return [Moment(320 * MB + 50 * MB * (1 - math.cos(2 * math.pi * t / (24 * HOUR))) + _jitter(rng))]


SCENARIOS = (
    Scenario("leak-50", "a leak of 50 MB an hour", 50 * MB, 12, leaking(50 * MB)),
    Scenario("leak-500", "a leak of 500 MB an hour", 500 * MB, 3, leaking(500 * MB)),
    Scenario("flat", "400 MB, give or take 1 MB", 0, 27, _flat),
    Scenario("sawtooth", "200 MB of garbage, collected every 40 minutes", 0, 27, _sawtooth),
    Scenario("recycled-pool", "12 workers of 300 to 450 MB, recycled", 0, 27, _pool, 8192.0 * MB),
    Scenario(
        "deploy",
        "a new version that needs 60 MB more",
        0,
        27,
        lambda t, rng: _started_anew(t, rng, before=340 * MB, after=400 * MB),
    ),
    Scenario(
        "restart",
        "a restart, and 30 minutes until it is warm",
        0,
        27,
        lambda t, rng: _started_anew(t, rng, before=420 * MB, after=420 * MB),
    ),
    Scenario("page-cache", "900 MB of files read and forgotten", 0, 27, _page_cache),
    Scenario("day-and-night", "100 MB more by day than by night", 0, 33, _days),
)
