"""A fleet that is watched, as a test tells it: a day of readings at once, incidents, and dumps that are kept."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from dump_page import DUMPS
from page_server import serving

from caulk.model.capture import Captured, Manifest
from caulk.model.incident import Incident, Moment
from caulk.model.judgement import Event, Judgement
from caulk.model.records import Finding, StackFrame, Verdict
from caulk.model.series import Reading
from caulk.model.target import Target
from caulk.model.units import iso
from caulk.model.watching import Observation, Workload
from watched_site import WatchedSite

MB = 1 << 20
HOUR = 3600.0
API, WEB, LEDGER = "k8s:shop/deploy/api/app", "k8s:shop/deploy/web/app", "k8s:bank/sts/ledger/app"
_EVIDENCE = ("it grew in 3 of 3 dumps", "entries are added in `main.putSession`, none is ever deleted")


class Watched(WatchedSite):
    """A day of workloads, their dumps and incidents."""

    def see(self, key: str, memory: float, ago: float = 0.0, *, runtime: str = "go", replica: str = "0", limit: int = 0,
            events: tuple[Event, ...] = (), target: Target | None = None) -> None:  # fmt: skip
        """A reading of so many megabytes, so many seconds ago."""
        name = key.split("/")[-2] if "/" in key else key.rpartition(":")[2]
        held = int(memory * MB)
        reading = Reading(self.now - ago, held + 12 * MB, held, 12 * MB, heap=int(held * 0.8))
        place = target or Target(
            "kubernetes", f"k8s:{key[4:8]}/pod/{name}-{replica}/app", name, {"namespace": key[4:8]}
        )
        seen = Observation(
            Workload(key, name, runtime), f"{name}-{replica}", reading, events, place, limit * MB or None
        )
        self.seen(seen)

    def fill(self, hours: int = 12, step_s: float = 240.0) -> None:
        """An api that leaks since a deploy and is near its limit, a web that is steady, a ledger with a saw-tooth."""
        for number in range(int(hours * HOUR / step_s), -1, -1):
            ago = number * step_s
            done = hours - ago / HOUR
            is_first = number == int(hours * HOUR / step_s)
            begun = (Event(self.now - ago, "deploy"), Event(self.now - ago, "limit", 1024 * MB)) if is_first else ()
            self.see(API, 150 + 60 * done, ago, limit=1024, events=begun)
            self.see(API, 140 + 58 * done, ago, limit=1024, replica="1", events=begun)
            self.see(WEB, 220 + (number % 7), ago, runtime="node", limit=512)
            self.see(LEDGER, 300 + 40 * (number % 12), ago, runtime="jvm", limit=2048)

    def capture(self, dump: Path, ago: float, *, key: str = API) -> str:
        """A dump that was captured of a workload so many seconds ago; gives its id."""
        name = key.split("/")[-2]
        form = "pprof" if ".pb" in dump.name else "hprof"
        target = Captured("kubernetes", "go", name, f"k8s:shop/pod/{name}-0/app")
        told = Manifest(target=target, format=form, taken_at=iso(self.now - ago), method="http:pprof")
        draft = self.site.captures.begin(told, "".join(dump.suffixes[-2:]))
        draft.write(dump.read_bytes())
        return draft.keep().manifest.id

    def incident(
        self, name: str = "api", *, key: str = API, captures: Sequence[str] = (), ago: float = HOUR
    ) -> Incident:
        """An incident that a rule opened, with its dumps and what was found in them."""
        at = self.now - ago
        made = Incident(
            id=f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(at))}-{name}-abcdef",
            key=f"leak|{key}|{name}",
            rule="leak",
            why="it grows by 60 MB an hour and meets its limit within a day",
            workload=Workload(key, name, "go"),
            opened_at=at,
            lasts=True,
            replica=f"{name}-0",
            judgement=Judgement(
                name, "leaking", "the floor rises by 60 MB/h", growth_bytes_per_hour=60.0 * MB, confidence=0.9
            ),
        )
        assert self.incidents.open(made, ())
        for order, number in enumerate(captures, 1):
            self.incidents.add(
                made.id, Moment(at + order * 300, "captured", "took a heap profile", f"c{order}", order, capture=number)
            )
        if captures:
            found = (_finding(),)
            verdict = Verdict("leaking", found[0].title, 0.9)
            told = Moment(
                at + 1200, "analysed", "leaking: the map of sessions grows", "a", 9, verdict=verdict, findings=found
            )
            self.incidents.add(made.id, told)
        self.site.kept.stock(is_new=True)
        return made


@dataclass
class Fleet:
    """A fleet that is served at `base`, with an incident and its dumps."""

    watched: Watched
    base: str
    dumps: list[str]
    incident: str

    def target(self, key: str) -> str:
        """The address of a workload's page."""
        return f"{self.base}/t/{quote(key, safe='')}"


@contextmanager
def filled(page: Path, home: Path, now: float | None = None) -> Iterator[Fleet]:
    """A fleet with an incident and its dumps, served meanwhile."""
    watched = Watched(home, now=now, page=page)
    watched.fill()
    dumps = [watched.capture(DUMPS / f"go.{number}.pb.gz", 3600 - number * 600) for number in (1, 2, 3)]
    incident = watched.incident(captures=dumps)
    with serving(watched.site) as base:
        yield Fleet(watched, base, dumps, incident.id)
    watched.close()


def _finding() -> Finding:
    return Finding(
        1,
        "collection",
        "`main.sessions` keeps 8,000 `main.session`",
        500 * MB,
        0,
        0.61,
        8000,
        growth_bytes=120 * MB,
        growth_bytes_per_hour=60.0 * MB,
        holder="main.sessions",
        stack=(StackFrame("main.main", "cart.go", 60), StackFrame("main.putSession", "cart.go", 22)),
        location="cart.go:22",
        confidence=0.9,
        evidence=_EVIDENCE,
        fingerprint="sha256:cart",
    )
