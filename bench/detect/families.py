"""Labelled series of memory in 24 families: 11 that leak, 13 that look as if they did; the same seed, the same series.

Every series has autocorrelated noise, most a daily cycle, some restarts, three in ten hours that nobody read; seven in
ten say their limit. Constants of the judgement were set on even seeds of the families that are not in `HELD_OUT`;
figures are given on odd seeds, of all. Sizes are bytes, times are seconds.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

MB = 1 << 20
HOUR = 3600.0
DAY = 24 * HOUR
#: The series begin here, at an hour of the day that each draws: 2026-01-01T00:00:00Z.
EPOCH = 1767225600.0


@dataclass
class Labelled:
    """A series and the truth about it; `reaches` is when it meets its limit, `starts` when it begins to leak."""

    family: str
    seed: int
    is_leak: bool
    times: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    columns: dict[str, list[float]] = field(default_factory=dict)
    events: dict[int, str] = field(default_factory=dict)
    replicas: list[str] = field(default_factory=list)
    """Whose each reading is; empty if all are of one."""
    limit: float = 0.0
    """The truth; `says_limit` tells whether the series has it too."""
    says_limit: bool = True
    starts: float = 0.0
    reaches: float = 0.0

    @property
    def days(self) -> float:
        """How long it is watched."""
        return (self.times[-1] - self.times[0]) / DAY


class _Draw:
    """What all families draw: how long, how often, how noisy, how daily."""

    def __init__(self, family: str, seed: int, days: tuple[float, float]) -> None:
        self.random = rng = random.Random(f"{family} {seed}")
        self.base = rng.choice((60, 120, 250, 400, 800, 1600)) * MB * rng.uniform(0.8, 1.25)
        self.span = rng.uniform(*days) * DAY
        # As often as people scrape, and never more than some thousand readings.
        self.step = next(s for s in (15, 30, 60, 120, 300, 600, 900, 1800, 3600) if self.span / s <= 3000)
        self.count = int(self.span / self.step)
        self.at = EPOCH + rng.uniform(0, DAY)
        self.sigma = rng.uniform(0.002, 0.02)
        # The noise is correlated over minutes to an hour, however often it is looked at.
        self.phi = math.exp(-self.step / rng.uniform(120, 3600))
        self.daily = rng.choice((0.0, 0.03, 0.08, 0.15)) * rng.uniform(0.6, 1.2)
        self.peak = rng.uniform(11, 17) * HOUR

    def time(self, i: int) -> float:
        return self.at + i * self.step

    def traffic(self, t: float) -> float:
        """Between 0 at night and 1 at the busiest hour."""
        return 0.5 + 0.5 * math.cos((t % DAY - self.peak) / DAY * 2 * math.pi)

    def noise(self) -> list[float]:
        """Autocorrelated, with rare spikes upward; as a share of the base."""
        rng, level, out = self.random, 0.0, []
        scale = self.sigma * math.sqrt(1 - self.phi**2)
        for i in range(self.count):
            level = self.phi * level + rng.gauss(0, scale)
            spike = rng.uniform(0.02, 0.1) if rng.random() < 0.004 else 0.0
            out.append(level + self.daily * self.traffic(self.time(i)) + spike)
        return out

    def warm(self, age: float) -> float:
        """What every program gains in its first minutes, as a share."""
        return 1 - 0.25 * math.exp(-max(age, 0.0) / 300)

    def restarts(self, every_days: float) -> list[int]:
        """Readings at which the program starts again, now and then."""
        gap = every_days * DAY / self.step
        out, i = [], self.random.expovariate(1 / gap)
        while i < self.count:
            if i > 1:
                out.append(int(i))
            i += self.random.expovariate(1 / gap)
        return out


def _series(
    family: str, draw: _Draw, is_leak: bool, extra: Callable[[int, float], float], lives: list[int]
) -> Labelled:
    """The series of a base, noise and `extra(i, age)`, begun again at each of `lives`."""
    it = Labelled(family, 0, is_leak, says_limit=draw.random.random() < 0.7)
    begun, starts = draw.time(0), set(lives)
    for i, noise in enumerate(draw.noise()):
        t = draw.time(i)
        if i in starts:
            begun = t
        it.times.append(t)
        it.values.append(max(draw.base * (draw.warm(t - begun) + noise) + extra(i, t - begun), 0.3 * draw.base))
    return it


def _leak(
    family: str,
    seed: int,
    *,
    days: tuple[float, float],
    grown: Callable[[_Draw, float, float], float] = lambda draw, t0, t: t - t0,
    onset: tuple[float, float] = (0.0, 0.3),
    gc: bool = False,
) -> Labelled:
    """A leak whose size is in proportion to `grown(draw, start, t)`; it ends where the limit is met."""
    draw = _Draw(family, seed, days)
    rng = draw.random
    begins = draw.at + rng.uniform(*onset) * draw.span
    headroom = draw.base * rng.uniform(0.6, 3.0)
    total = grown(draw, begins, draw.time(draw.count))
    tooth = rng.uniform(0.1, 0.3) * draw.base if gc else 0.0
    period = rng.uniform(0.01, 0.04) * draw.span
    it = _series(
        family,
        draw,
        True,
        lambda i, age: (
            headroom * max(grown(draw, begins, draw.time(i)), 0.0) / total * (draw.time(i) > begins)
            + tooth * ((i * draw.step / period) % 1.0)
        ),
        [],
    )
    it.limit = draw.base * (1 + draw.daily) + tooth + headroom
    it.starts = begins
    for i, value in enumerate(it.values):
        if value >= it.limit:
            del it.times[i + 1 :], it.values[i + 1 :]
            break
    it.reaches = it.times[-1]
    return it


def slow(seed: int) -> Labelled:
    """A constant leak that takes days to weeks."""
    return _leak("slow", seed, days=(6, 30))


def fast(seed: int) -> Labelled:
    """A constant leak that takes hours."""
    return _leak("fast", seed, days=(0.15, 1.2), onset=(0.0, 0.4))


def stepwise(seed: int) -> Labelled:
    """A leak in steps: something large is lost now and then."""
    rng = random.Random(f"steps {seed}")
    steps = sorted(rng.random() for _ in range(rng.randint(15, 40)))
    return _leak(
        "stepwise",
        seed,
        days=(2, 20),
        onset=(0.0, 0.25),
        grown=lambda draw, t0, t: sum(s <= (t - t0) / (draw.span + draw.at - t0) for s in steps),
    )


def per_request(seed: int) -> Labelled:
    """A leak with each request: fast by day, slow by night."""

    def grown(draw: _Draw, t0: float, t: float) -> float:
        wave = DAY / (2 * math.pi)
        phase = lambda x: math.sin((x % DAY - draw.peak) / wave) * wave  # noqa: E731
        return 0.55 * (t - t0) + 0.45 * (phase(t) - phase(t0))

    return _leak("per_request", seed, days=(3, 20), grown=grown)


def at_night(seed: int) -> Labelled:
    """A leak in a job that runs from one to five at night."""

    def busy(t: float) -> float:
        return (t // DAY) * 4 * HOUR + min(max(t % DAY - HOUR, 0.0), 4 * HOUR)

    return _leak("at_night", seed, days=(8, 30), grown=lambda draw, t0, t: busy(t) - busy(t0), onset=(0.0, 0.2))


def under_gc(seed: int) -> Labelled:
    """A constant leak under the sawtooth of a collector."""
    return _leak("under_gc", seed, days=(2, 20), gc=True)


def native(seed: int) -> Labelled:
    """A constant leak beside a managed heap that stays as it is."""
    it = _leak("native", seed, days=(2, 20))
    rng = random.Random(f"heap {seed}")
    level = min(it.values) * 0.5
    it.columns["heap"] = [level * (1 + 0.25 * ((i * 0.037) % 1.0) + rng.gauss(0, 0.01)) for i in range(len(it.times))]
    it.columns["anon"] = [v * 0.95 for v in it.values]
    it.columns["file"] = [v * 0.05 for v in it.values]
    return it


def after_deploy(seed: int) -> Labelled:
    """Steady for days, until a deploy brings a leak."""
    it = _leak("after_deploy", seed, days=(4, 20), onset=(0.3, 0.6))
    it.events[next(i for i, t in enumerate(it.times) if t >= it.starts)] = "deploy"
    return it


def accelerating(seed: int) -> Labelled:
    """A leak that grows with its users, or with what it has to search through."""
    power = random.Random(f"power {seed}").uniform(1.3, 2.2)
    return _leak("accelerating", seed, days=(2, 20), grown=lambda draw, t0, t: max(t - t0, 0.0) ** power)


def replicas(seed: int) -> Labelled:
    """A leak in all of some replicas, each with its share of the load; one is replaced now and then."""
    draw = _Draw("replicas", seed, (2, 15))
    rng = draw.random
    count = rng.randint(3, 6)
    begins = draw.at + rng.uniform(0.0, 0.3) * draw.span
    headroom = draw.base * rng.uniform(0.6, 3.0)
    rates = [headroom / (draw.at + draw.span - begins) * rng.uniform(0.8, 1.0) for _ in range(count)]
    lives = [sorted({0, *draw.restarts(draw.span / DAY)}) for _ in range(count)]
    limit = draw.base * (1 + draw.daily) + headroom * 0.9

    def extra(k: int, i: int, age: float) -> float:
        return rates[k] * max(min(age, draw.time(i) - begins), 0.0)

    it = _pooled("replicas", draw, lives, extra, limit=limit)
    it.is_leak = True
    it.starts, it.reaches = begins, it.times[-1]
    return it


def _pooled(
    family: str,
    draw: _Draw,
    lives: list[list[int]],
    extra: Callable[[int, int, float], float],
    *,
    limit: float = math.inf,
    is_up: Callable[[int, int], bool] = lambda k, i: True,
) -> Labelled:
    """Series of replicas side by side; each of `lives` is a new one. Ends where one meets the limit."""
    it = Labelled(family, 0, False, says_limit=draw.random.random() < 0.7)
    every = len(lives)
    noises, begun, names = [draw.noise() for _ in lives], [draw.time(0)] * every, [""] * every
    for i in range(0, draw.count, every):
        for k, starts in enumerate(lives):
            if not is_up(k, i):
                names[k] = ""
                continue
            if not names[k] or any(i - every < start <= i for start in starts):
                names[k] = f"{k}-{i}"
                begun[k] = draw.time(i) if i else draw.at
            age = draw.time(i) - begun[k]
            it.times.append(draw.time(i) + k)
            it.values.append(max(draw.base * (draw.warm(age) + noises[k][i]) + extra(k, i, age), 0.3 * draw.base))
            it.replicas.append(names[k])
        if max(it.values[-every:]) >= limit:
            break
    it.limit = limit
    return it


def recycling(seed: int) -> Labelled:
    """A leak in a program that is started again, by plan or by the kernel, before or when it is full."""
    draw = _Draw("recycling", seed, (3, 15))
    rng = draw.random
    life = draw.span / rng.uniform(4, 9)
    lives = [int(k * life / draw.step) for k in range(1, int(draw.span / life) + 1)]
    gain = draw.base * rng.uniform(0.6, 2.0)
    it = _series("recycling", draw, True, lambda i, age: gain * age / life, lives)
    it.events = {i: rng.choice(("restart", "oom")) for i in lives if i < len(it.times)}
    it.limit = draw.base * (1 + draw.daily) + gain
    it.starts, it.reaches = it.times[0], it.times[0] + life
    return it


def _healthy(
    family: str,
    seed: int,
    days: tuple[float, float],
    shape: Callable[[_Draw], Callable[[int, float], float]],
    every_days: float = 12.0,
) -> Labelled:
    draw = _Draw(family, seed, days)
    lives = draw.restarts(every_days) if draw.random.random() < 0.5 else []
    it = _series(family, draw, False, shape(draw), lives)
    it.events = dict.fromkeys(lives, "restart")
    it.limit = max(it.values) / draw.random.uniform(0.5, 0.85)
    return it


def warm_up(seed: int) -> Labelled:
    """Grows for minutes or hours after a start, ever less."""

    def shape(draw: _Draw) -> Callable[[int, float], float]:
        gain, tau = draw.base * draw.random.uniform(0.2, 1.0), draw.random.uniform(0.1, 3) * HOUR
        return lambda i, age: gain * (1 - math.exp(-age / tau))

    return _healthy("warm_up", seed, (0.5, 30), shape)


def cache_fill(seed: int) -> Labelled:
    """A cache that fills in hours or days to its bound: ever less, or straight up to it."""

    def shape(draw: _Draw) -> Callable[[int, float], float]:
        gain, tau = draw.base * draw.random.uniform(0.3, 1.0), draw.random.uniform(2, 30) * HOUR
        if draw.random.random() < 0.25:
            return lambda i, age: gain * min(age / tau, 1.0)
        return lambda i, age: gain * (1 - math.exp(-age / tau))

    return _healthy("cache_fill", seed, (5, 40), shape)


def sawtooth(seed: int) -> Labelled:
    """A collector that lets garbage grow, and takes it all."""

    def shape(draw: _Draw) -> Callable[[int, float], float]:
        rng = draw.random
        height, period, teeth = draw.base * rng.uniform(0.3, 1.5), rng.uniform(0.2, 14) * HOUR, {}

        def tooth(i: int, age: float) -> float:
            k = int(age / period)
            return height * teeth.setdefault(k, rng.uniform(0.85, 1.0)) * (age / period - k)

        return tooth

    return _healthy("sawtooth", seed, (2, 30), shape)


def batch(seed: int) -> Labelled:
    """A job that needs much, some hours a day, and gives it back."""

    def shape(draw: _Draw) -> Callable[[int, float], float]:
        rng = draw.random
        height, begin, long = draw.base * rng.uniform(0.3, 1.5), rng.uniform(0, 18) * HOUR, rng.uniform(0.3, 5) * HOUR

        def job(i: int, age: float) -> float:
            into = draw.time(i) % DAY - begin
            return height * min(into / (0.3 * long), 1.0) if 0 <= into < long else 0.0

        return job

    return _healthy("batch", seed, (2, 30), shape)


def deploys(seed: int) -> Labelled:
    """New versions, each a little larger or smaller than the one before, each with its warm-up."""
    draw = _Draw("deploys", seed, (4, 30))
    rng = draw.random
    lives = draw.restarts(draw.span / DAY / rng.uniform(3, 12))
    level, gain = {0: 0.0}, draw.base * rng.uniform(0.05, 0.4)
    for i in lives:
        level[i] = max(level[max(level)] + draw.base * rng.uniform(-0.1, 0.15), -0.2 * draw.base)
    now = [0.0]

    def extra(i: int, age: float) -> float:
        now[0] = level.get(i, now[0])
        return now[0] + gain * (1 - math.exp(-age / HOUR))

    it = _series("deploys", draw, False, extra, lives)
    it.events = dict.fromkeys(lives, "deploy")
    it.limit = max(it.values) / rng.uniform(0.5, 0.85)
    return it


def traffic_ramp(seed: int) -> Labelled:
    """More users than before: the level rises for hours or days, and stays."""

    def shape(draw: _Draw) -> Callable[[int, float], float]:
        rng = draw.random
        gain, begin, long = draw.base * rng.uniform(0.1, 0.5), rng.uniform(0.2, 0.7), rng.uniform(2, 40) * HOUR
        return lambda i, age: gain * min(max((i * draw.step - begin * draw.span) / long, 0.0), 1.0)

    return _healthy("traffic_ramp", seed, (5, 35), shape)


def daily(seed: int) -> Labelled:
    """A load with days and nights, and quieter week-ends."""

    def shape(draw: _Draw) -> Callable[[int, float], float]:
        swing = draw.base * draw.random.uniform(0.1, 0.6)

        def load(i: int, age: float) -> float:
            t = draw.time(i)
            return swing * draw.traffic(t) * (0.5 if int(t // DAY) % 7 in (2, 3) else 1.0)

        return load

    return _healthy("daily", seed, (2, 35), shape)


def page_cache(seed: int) -> Labelled:
    """Files that are read fill what the limit leaves; the program itself does not grow."""
    draw = _Draw("page_cache", seed, (3, 30))
    rng = draw.random
    limit, tau = draw.base * rng.uniform(1.6, 4), rng.uniform(0.2, 6) * DAY
    it = _series("page_cache", draw, False, lambda i, age: 0.0, [])
    own = it.values
    cached = [
        min((limit - draw.base) * (t - draw.at) / tau, limit * 0.99 - v) for t, v in zip(it.times, own, strict=True)
    ]
    it.values = [v + c for v, c in zip(own, cached, strict=True)]
    it.columns = {"anon": own, "file": cached}
    it.limit = limit
    return it


def jit(seed: int) -> Labelled:
    """Compiled code that piles up in ever smaller steps."""

    def shape(draw: _Draw) -> Callable[[int, float], float]:
        rng = draw.random
        gain, tau = draw.base * rng.uniform(0.15, 0.5), rng.uniform(1, 12) * HOUR
        steps = sorted((rng.expovariate(1 / tau), rng.uniform(0.5, 1.5)) for _ in range(30))
        whole = sum(size for _, size in steps)
        return lambda i, age: gain * sum(size for at, size in steps if at <= age) / whole

    return _healthy("jit", seed, (2, 30), shape)


def fragmentation(seed: int) -> Labelled:
    """Pages that are not given back: the allocator's share creeps up as a logarithm does, the heap stays."""

    def shape(draw: _Draw) -> Callable[[int, float], float]:
        gain, tau = draw.base * draw.random.uniform(0.05, 0.2), draw.random.uniform(0.5, 5) * HOUR
        return lambda i, age: gain * math.log1p(age / tau) / 2

    it = _healthy("fragmentation", seed, (3, 35), shape)
    if random.Random(f"heap {seed}").random() < 0.5:
        level = min(it.values) * 0.6
        it.columns["heap"] = [level * (1 + 0.3 * ((i * 0.041) % 1.0)) for i in range(len(it.times))]
    return it


def expiring(seed: int) -> Labelled:
    """A cache whose entries live for hours: it fills straight until the first expire, then follows the traffic."""

    def shape(draw: _Draw) -> Callable[[int, float], float]:
        gain, lives = draw.base * draw.random.uniform(0.2, 0.8), draw.random.uniform(0.5, 24) * HOUR
        wave = DAY / (2 * math.pi)

        def held(i: int, age: float) -> float:
            t, alive = draw.time(i), min(age, lives)
            busy = wave * (math.sin((t - draw.peak) / wave) - math.sin((t - alive - draw.peak) / wave))
            return gain * (alive + 0.6 * busy) / lives

        return held

    return _healthy("expiring", seed, (3, 30), shape)


def autoscaled(seed: int) -> Labelled:
    """Replicas that come with the day and go with the night, each with its warm-up; all are replaced by deploys."""
    draw = _Draw("autoscaled", seed, (2, 12))
    rng = draw.random
    most, gain, tau = rng.randint(3, 6), draw.base * rng.uniform(0.1, 0.6), rng.uniform(0.2, 4) * HOUR
    deployed = [0, *draw.restarts(4.0)]
    it = _pooled(
        "autoscaled",
        draw,
        [deployed] * most,
        lambda k, i, age: gain * (1 - math.exp(-age / tau)),
        is_up=lambda k, i: k < 2 or draw.traffic(draw.time(i)) > k / most,
    )
    it.limit = max(it.values) / rng.uniform(0.5, 0.85)
    begun: set[str] = set()
    for i, name in enumerate(it.replicas):
        if name not in begun and any(0 < start <= int(name.split("-")[1]) < start + most for start in deployed):
            it.events[i] = "deploy"
        begun.add(name)
    return it


def undersized(seed: int) -> Labelled:
    """As large as it ever was, under a limit that leaves no room."""
    it = _healthy("undersized", seed, (2, 30), lambda draw: lambda i, age: 0.0)
    it.limit = sorted(it.values)[int(len(it.values) * 0.97)] * random.Random(f"limit {seed}").uniform(1.0, 1.06)
    it.values = [min(value, it.limit) for value in it.values]
    it.says_limit = True
    return it


FAMILIES: dict[str, Callable[[int], Labelled]] = {
    family.__name__: family
    for family in (
        slow, fast, stepwise, per_request, at_night, under_gc, native, after_deploy, recycling, accelerating,
        replicas, warm_up, cache_fill, sawtooth, batch, deploys, traffic_ramp, daily, page_cache, jit, fragmentation,
        undersized, expiring, autoscaled,
    )
}  # fmt: skip


#: Not looked at while constants were set, even seeds neither.
HELD_OUT = frozenset((
    "stepwise", "at_night", "native", "after_deploy", "accelerating", "replicas",
    "batch", "page_cache", "jit", "undersized", "expiring", "autoscaled",
))  # fmt: skip


def make(family: str, seed: int) -> Labelled:
    """The series of a family and a seed."""
    it = FAMILIES[family](seed)
    it.seed = seed
    _leave_out(it, random.Random(f"gaps {family} {seed}"))
    return it


def _leave_out(it: Labelled, rng: random.Random) -> None:
    """Take out hours that nobody read, in three of ten series: what reads is restarted too."""
    if rng.random() >= 0.3:
        return
    span = it.times[-1] - it.times[0]
    gaps = [(begin, begin + rng.uniform(0.002, 0.03) * span) for begin in rng.sample(it.times[:-1], rng.randint(1, 3))]
    # An event is told with the reading that follows; the last reading is the moment of the limit.
    stay = [
        i
        for i, at in enumerate(it.times)
        if i in it.events or i in (0, len(it.times) - 1) or not any(begin < at < end for begin, end in gaps)
    ]
    it.events = {k: it.events[i] for k, i in enumerate(stay) if i in it.events}
    it.times, it.values = [it.times[i] for i in stay], [it.values[i] for i in stay]
    it.columns = {name: [column[i] for i in stay] for name, column in it.columns.items()}
    it.replicas = [it.replicas[i] for i in stay] if it.replicas else []
