"""The site: all that the routes ask, made once by `caulk serve`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from caulk.config.schema import Config
from caulk.model.target import Access
from caulk.store.captures import Captures
from caulk.web.dumps import Dumps
from caulk.web.events import Events
from caulk.web.find import Finder
from caulk.web.fleet import FleetView
from caulk.web.jobs import Jobs
from caulk.web.kept import Kept
from caulk.web.uploads import Uploads

if TYPE_CHECKING:
    from caulk.app import Reading
    from caulk.store.history import History
    from caulk.store.incidents import Incidents
    from caulk.watch.loop import Loop
    from caulk.web.security import Access as Door


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
    history: "History | None" = None
    page: Path | None = None
    """Where the built page lies; None for the one in the package."""
    begins_at: str = "/"
    """What a browser is shown first."""
    door: "Door | None" = None
    """Who may ask, and how often; made with the application."""
    fleet: FleetView = field(default_factory=FleetView)
    finder: Finder = field(default_factory=Finder)
    kept: Kept = field(init=False)

    def __post_init__(self) -> None:
        self.kept = Kept(self.captures, self.incidents)

    def close(self) -> None:
        """Ends jobs and streams."""
        self.events.close()
        self.jobs.close()
        self.dumps.answers.close()


def site(home: Path, reading: "Reading | None" = None, **given: Any) -> Site:
    """A site over what is kept in `home`, whose dumps are read so; `given` are further fields of it."""
    events = Events()
    jobs, captures = Jobs(events), Captures(home / "captures")
    dumps = Dumps(captures, jobs, Uploads(home / "uploads"), reading)
    return Site(home, dumps, jobs, events, captures, **given)
