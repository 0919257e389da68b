"""The loop with its history and its rules, as `caulk watch` and `caulk serve` run it."""

import contextlib
from collections.abc import Callable, Iterator, Sequence

from caulk import app
from caulk.cli.targets import complain, seconds
from caulk.config import Config
from caulk.model.errors import UsageError
from caulk.model.target import Access
from caulk.store.history import Busy, History
from caulk.watch.dumps import Dumps
from caulk.watch.fleet import Change, Fleet
from caulk.watch.keeping import Keeping
from caulk.watch.loop import Loop
from caulk.watch.sources import configured, sources

OnChange = Callable[[Change, float], object]


def interval_s(said: str, settings: Config) -> float:
    """Seconds between two readings, as `--interval` or caulk.toml says; raises `UsageError`."""
    every = seconds(said) or float(settings.watch.interval)
    if every < 1:
        raise UsageError(f"--interval {said}: a second is the least", hint="Write 15s or 1m.")
    return every


@contextlib.contextmanager
def keeping() -> Iterator[Keeping | None]:
    """What is kept over restarts; None where another caulk keeps it, which is said."""
    try:
        history = History(app.home() / "history")
    except Busy as busy:
        complain(f"{busy}; this one begins anew, and keeps nothing")
        yield None
        return
    try:
        yield Keeping(history)
    finally:
        history.close()


def loop(settings: Config, targets: Sequence[str], access: Access, every_s: float, kept: Keeping | None) -> Loop:
    """The loop over what was named; what is named is judged however small it is."""
    known = kept.restore if kept else (lambda _: None)
    dumps = Dumps(app.home() / "dumps", say=complain)
    if targets:
        chosen, fleet = sources(targets, access), Fleet(known)
    else:
        chosen = configured(settings.watch, access)
        fleet = Fleet(known, minimum=settings.watch.minimum, exclude=settings.watch.exclude)
    return Loop(chosen, fleet, every_s, keeper=kept, dumps=dumps, on_trouble=complain)


@contextlib.contextmanager
def on_duty(settings: Config, watched: Loop, access: Access, *, is_alone: bool) -> Iterator[OnChange]:
    """What hears of changes on behalf of the rules; nobody where they cannot be kept, which is said."""
    if not is_alone:
        # The one that keeps the history has the rules too: twice, they would capture twice.
        yield lambda change, now: None
        return
    try:
        from caulk.watch.duty import on_duty  # noqa: PLC0415  # a database, for those who watch on
    except ModuleNotFoundError as error:
        complain(f"no rules, no captures: they need {error.name}, which is not installed: pip install 'caulk[server]'")
        yield lambda change, now: None
        return
    with on_duty(settings, app.home(), access, watched, complain) as duty:
        if duty.url:
            complain(f"metrics at {duty.url}/metrics, alerts to {duty.url}/api/v1/alerts")
        yield duty.consider


def both(*hearers: OnChange) -> OnChange:
    """All of them hear, in this order."""

    def hear(change: Change, now: float) -> None:
        for hearer in hearers:
            hearer(change, now)

    return hear
