"""A site that watches what a test tells it: readings of any time, without waiting for them."""

from contextlib import ExitStack
from types import TracebackType
from typing import Any
from urllib.parse import quote

from page_asking import client, own

from caulk.model.incident import Incident
from caulk.model.judgement import Event, Judgement
from caulk.model.series import Reading
from caulk.model.target import Target
from caulk.model.watching import Observation, Workload
from caulk.watch.fleet import Change
from caulk.web.server import application
from watched_site import WatchedSite

MB = 1 << 20
HOUR = 3600.0
API = "k8s:shop/deploy/api/app"


class Watched(WatchedSite):
    """The site, and a browser before it."""

    def __enter__(self) -> "Watched":
        self._stack = ExitStack()
        self.browser = self._stack.enter_context(client(application(self.site)))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()
        self.close()

    def see(
        self,
        memory: float,
        ago: float = 0.0,
        *,
        key: str = API,
        replica: str = "0",
        events: tuple[Event, ...] = (),
        limit: int | None = None,
        target: Target | None = None,
        runtime: str = "go",
    ) -> Change | None:
        """A reading of so many megabytes, so many seconds ago."""
        at = self.now - ago
        name = key.rpartition("/")[2]
        reading = Reading(at, int(memory * MB) + 10 * MB, int(memory * MB), 10 * MB)
        place = target or Target("kubernetes", f"k8s:shop/pod/{name}-{replica}", name, {"namespace": "shop"})
        seen = Observation(Workload(key, name, runtime), replica, reading, events, place, limit)
        return self.seen(seen)

    def leak(self, hours: float, *, key: str = API, step_s: float = 60.0, limit: int | None = None) -> None:
        """A leak of 60 MB an hour that has gone on for so long."""
        begun = Event(self.now - hours * HOUR, "limit", limit or 0)
        for number in range(int(hours * HOUR / step_s), -1, -1):
            age = number * step_s
            first = (begun,) if limit and number == int(hours * HOUR / step_s) else ()
            self.see(100 + 60 * (hours - age / HOUR), age, key=key, limit=limit, events=first)

    def incident(self, name: str = "api", *, key: str = API, **more: Any) -> Incident:
        """An incident that a rule opened an hour ago."""
        given: dict[str, Any] = {
            "id": f"20260101T000000Z-{name}-abcdef",
            "key": f"leak|{key}|{name}",
            "rule": "leak",
            "why": "it is leaking",
            "workload": Workload(key, name, "go"),
            "opened_at": self.now - HOUR,
            "lasts": True,
            "replica": "0",
            "judgement": Judgement(name, "leaking", "the floor rises"),
        }
        made = Incident(**(given | more))
        assert self.incidents.open(made, ())
        self.site.kept.stock(is_new=True)
        return made

    def get(self, path: str, status: int = 200) -> Any:
        """The JSON of an answer."""
        answer = self.browser.get(path)
        assert answer.status_code == status, answer.text
        return answer.json()

    def send(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        """The JSON that a change is answered with."""
        answer = self.browser.request(method, path, headers=own(), json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def job(self, began: Any) -> Any:
        """A job, when it is over."""
        job = self.site.jobs.get(began["id"])
        assert job is not None
        assert job.ended.wait(120)
        return self.get(f"/api/jobs/{job.id}")

    def read(self, number: str) -> Any:
        """What is known of a dump, once it is read."""
        answer = self.browser.get(f"/api/d/{number}")
        if answer.status_code == 202:
            assert self.job(answer.json())["state"] == "done"
        return self.get(f"/api/d/{number}")


def at(key: str) -> str:
    """A key as an address has it."""
    return quote(key, safe="")
