"""What others alarm on, as their rules are written: on the same series, at the same readings, with the same `for`.

`rate()` of a gauge counts every fall as a counter's reset; `deriv` and `predict_linear` are least squares over their
window, as Prometheus computes them. A rule is looked at every sixtieth part of its window, for speed.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import pairwise

MB = 1 << 20
HOUR = 3600.0
Times = Sequence[float]


def rate_rule(times: Times, values: Sequence[float], limit: float) -> list[tuple[float, bool]]:
    """`rate(memory[1h]) / 1MB > 10`, as published: it was to be 10 MB an hour, and is 10 MB a second."""
    return _over(times, values, HOUR, lambda t, v: _rate(t, v) / MB > 10)


def rate_rule_meant(times: Times, values: Sequence[float], limit: float) -> list[tuple[float, bool]]:
    """The same with what it means: more than 10 MB in the hour."""
    return _over(times, values, HOUR, lambda t, v: _rate(t, v) * HOUR / MB > 10)


def deriv_rule(times: Times, values: Sequence[float], limit: float) -> list[tuple[float, bool]]:
    """`deriv(memory[6h]) * 3600 > 2 % of the limit` for an hour."""
    return _held(_over(times, values, 6 * HOUR, lambda t, v: _slope(t, v)[0] * HOUR > 0.02 * limit), HOUR)


def predict_rule(times: Times, values: Sequence[float], limit: float) -> list[tuple[float, bool]]:
    """`predict_linear(memory[6h], 24h) > limit` for an hour."""

    def holds(t: Times, v: Sequence[float]) -> bool:
        slope, now = _slope(t, v)
        return now + slope * 24 * HOUR > limit

    return _held(_over(times, values, 6 * HOUR, holds), HOUR)


def least_squares(times: Times, values: Sequence[float], limit: float) -> list[tuple[float, bool]]:
    """Plain least squares over two days: the line rises by more than a tenth of the limit."""
    return _over(times, values, 48 * HOUR, lambda t, v: _slope(t, v)[0] * (t[-1] - t[0]) > 0.1 * limit)


Rule = Callable[[Times, Sequence[float], float], list[tuple[float, bool]]]
RULES: dict[str, Rule] = {
    "rate() as published": rate_rule,
    "rate() as meant": rate_rule_meant,
    "deriv": deriv_rule,
    "predict_linear": predict_rule,
    "least squares": least_squares,
}


def _over(
    times: Times, values: Sequence[float], window: float, holds: Callable[[Times, Sequence[float]], bool]
) -> list[tuple[float, bool]]:
    """Whether it holds over the window that ends at each look, once a window is full."""
    out, look = [], times[0] + window
    for i, now in enumerate(times):
        if now >= look:
            begin = bisect_left(times, now - window)
            look = now + max(window / 60, times[1] - times[0])
            if i - begin >= 2:
                out.append((now, holds(times[begin : i + 1], values[begin : i + 1])))
    return out


def _held(said: list[tuple[float, bool]], long: float) -> list[tuple[float, bool]]:
    """Only what has held for so long."""
    out, since = [], None
    for at, holds in said:
        since = (since if since is not None else at) if holds else None
        out.append((at, since is not None and at - since >= long))
    return out


def _rate(times: Times, values: Sequence[float]) -> float:
    gained = values[-1] - values[0]
    gained += sum(before for before, after in pairwise(values) if after < before)
    return gained / (times[-1] - times[0])


def _slope(times: Times, values: Sequence[float]) -> tuple[float, float]:
    n = len(times)
    t0, v0 = sum(times) / n, sum(values) / n
    power = sum((t - t0) ** 2 for t in times)
    slope = sum((t - t0) * (v - v0) for t, v in zip(times, values, strict=True)) / power
    return slope, v0 + slope * (times[-1] - t0)
