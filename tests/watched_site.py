"""A site that watches what a test tells it, for the tests of the API and those of the page."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from caulk.config import Config
from caulk.model.watching import Observation
from caulk.store.history import History
from caulk.watch.archive import opened
from caulk.watch.fleet import Change, Fleet
from caulk.watch.keeping import Keeping
from caulk.watch.loop import Loop
from caulk.web.site import site


class Told:
    """A source of readings that says nothing by itself."""

    name = "k8s:shop"

    async def read(self) -> Sequence[Observation]:
        return ()

    def state(self) -> Mapping[str, Any]:
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        pass

    async def close(self) -> None:
        pass


class WatchedSite:
    """The site over what is kept in `home`, and the hand that feeds its loop; `given` are further fields of it."""

    def __init__(self, home: Path, config: Config | None = None, now: float | None = None, **given: Any) -> None:
        config = config or Config()
        self.now = now or time.time()
        self.history = History(home / "history")
        self.keeping = Keeping(self.history)
        self.loop = Loop([Told()], Fleet(self.keeping.restore), keeper=self.keeping)
        self.incidents = opened(config, home)
        known = {"loop": self.loop, "history": self.history, "incidents": self.incidents, "config": config}
        self.site = site(home, **known, **given)

    def seen(self, observation: Observation) -> Change | None:
        """As if its source had said it just now."""
        change = self.loop.fleet.add(observation)
        self.keeping.note(observation, change)
        self.loop.health[0].asked += 1
        return change

    def close(self) -> None:
        self.site.close()
        self.history.close()
        self.incidents.dispose()
