"""The site: all that the routes ask, made once by `caulk serve`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from caulk.config.schema import Config
from caulk.model.target import Access
from caulk.store.captures import Captures
from caulk.web.dumps import Dumps
from caulk.web.events import Events
from caulk.web.jobs import Jobs

if TYPE_CHECKING:
    from caulk.store.incidents import Incidents
    from caulk.watch.keeping import Keeping
    from caulk.watch.loop import Loop


@dataclass(slots=True)
class Site:
    """What there is to be shown; `loop` is None where nothing is watched, `incidents` where they cannot be kept."""

    home: Path
    dumps: Dumps
    jobs: Jobs
    events: Events
    captures: Captures
    config: Config = field(default_factory=Config)
    access: Access = field(default_factory=Access)
    incidents: "Incidents | None" = None
    loop: "Loop | None" = None
    keeping: "Keeping | None" = None
    """What the loop keeps over restarts; None where another caulk has it."""
    begins_at: str = "/"
    """What a browser is shown first."""

    def close(self) -> None:
        """Ends jobs and streams."""
        self.events.close()
        self.jobs.close()


def site(home: Path, **given: object) -> Site:
    """A site over what is kept in `home`; `given` are further fields of it."""
    events = Events()
    jobs, captures = Jobs(events), Captures(home / "captures")
    return Site(home, Dumps(captures, jobs), jobs, events, captures, **given)  # type: ignore[arg-type]
