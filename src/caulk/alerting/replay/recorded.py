"""Recorded readings as scenarios: what a program really did, and what was judged of it."""

from bisect import bisect_right

from caulk.alerting.replay.scenarios import HOUR, Moment, Scenario, Workers
from caulk.model.errors import UsageError
from caulk.model.judgement import History, Judgement

#: Rules are replayed minute by minute.
_LONGEST_HOURS = 14 * 24


def scenario(history: History, judgement: Judgement) -> Scenario | None:
    """The scenario of one replica; None where nobody knows whether it leaks. Raises UsageError for one too long."""
    if judgement.state in ("suspect", "unknown") or len(history.readings) < 2:
        return None
    hours = (history.readings[-1].at - history.readings[0].at) / HOUR
    name = "/".join(filter(None, (history.name, history.replica)))
    if hours > _LONGEST_HOURS:
        raise UsageError(f"{name} is {hours / 24:.0f} days long", hint=f"Replay {_LONGEST_HOURS // 24} days at most.")
    growth = (judgement.growth_bytes_per_hour or 1.0) if judgement.state == "leaking" else 0.0
    return Scenario(name, f"recorded, judged {judgement.state}", growth, hours, _moments(history))


def _moments(history: History) -> Workers:
    """Each scrape sees the newest reading that there was; a restart begins a life."""
    begin = history.readings[0].at
    times = [reading.at - begin for reading in history.readings]
    starts = [0.0, *(event.at - begin for event in history.events if event.what in ("restart", "deploy", "oom"))]

    def at(t: float, rng: object) -> list[Moment]:
        reading = history.readings[max(bisect_right(times, t) - 1, 0)]
        held = reading.anonymous + reading.shared or reading.rss - reading.file
        return [Moment(held, reading.file, max(start for start in starts if start <= max(t, 0.0)))]

    return at
