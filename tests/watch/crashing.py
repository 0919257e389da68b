"""The whole way of an incident, in processes that are killed at every boundary there is: a program of its own.

`crashing.py HOME URL FILE` goes through the way once undisturbed, and then again and again: a child is killed at the
first boundary, the next at the second …; after each, another child goes on with what is there, to the end. Boundaries
are both sides of every commit, of every change of a name in the store of captures, and of every effect. A line of JSON
for each says how it ended.
"""

import json
import os
import shutil
import signal
import sys
from dataclasses import dataclass
from functools import wraps
from pathlib import Path

import httpx2
from sqlalchemy.engine.default import DefaultDialect

sys.path.insert(0, str(Path(__file__).parents[1] / "capture"))
from standin import Folder, Told

from caulk.capture.offers import Offer
from caulk.config.rules import Analyse, Capture, Limits, Notify, Rule, Run, Trigger
from caulk.config.schema import Keep, Webhook
from caulk.config.values import Share, Span
from caulk.model.capture import Taken
from caulk.model.judgement import Judgement
from caulk.model.records import Analysis, Finding, Verdict
from caulk.model.series import Reading
from caulk.model.target import Access
from caulk.model.watching import Observation, Workload
from caulk.store.captures import Captures
from caulk.store.incidents import Incidents
from caulk.watch import capturing, commands
from caulk.watch.actions import Worker
from caulk.watch.analysing import Analysing
from caulk.watch.fleet import Change
from caulk.watch.notify import Notifying, webhook
from caulk.watch.opening import Rules

# A client reads some eighty modules when the first is made: once here, and not in each of hundreds of children.
httpx2.Client().close()
SNAPSHOT = b'{"snapshot":{},"strings":[' + b" " * 3000 + b"]}"
SHOP = Workload("local:shop", "shop", "node")


@dataclass
class Crash:
    """Counts boundaries, and kills this process at one of them."""

    at: int = 0
    passed: int = 0

    def __call__(self) -> None:
        self.passed += 1
        if self.passed == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, owner: object, name: str) -> None:
        """Makes both sides of a function boundaries."""
        function = getattr(owner, name)

        @wraps(function)
        def bounded(*args, **kwargs):
            self()
            result = function(*args, **kwargs)
            self()
            return result

        setattr(owner, name, bounded)


def change(state: str, memory: int, at: float) -> Change:
    target = Folder(Path()).target
    seen = Observation(SHOP, "0", Reading(at, memory, memory), target=target)
    return Change(SHOP, Judgement("shop", state, "it grows"), "steady", (seen,))


def way(home: Path, url: str, effects: Path) -> None:
    """From the judgement to the last notification, or on from where another process was killed."""
    store = Incidents(f"sqlite:///{home}/incidents.db", "test")
    store.let_go()
    target, captures = Folder(home / "target"), Captures(home / "captures")

    def take(sink) -> Taken:
        sink.leaving("/heap.dump")
        (target.root / "heap.dump").write_bytes(SNAPSHOT)
        return Taken("/heap.dump", remove=True)

    capturing.places.reach = lambda *_: target
    capturing.offers = lambda *_: [Offer("node", told := Told(take), told.check())]
    command = Run(command=("/bin/sh", "-c", f"echo $CAULK_IDEMPOTENCY_KEY >> {effects}"))
    actions = (Capture(), Notify(), Capture(grown=Share(0.1)), Analyse(), command, Notify())
    rule = Rule(name="leak", trigger=Trigger(state=("leaking",)), actions=actions, limits=Limits(cooldown=Span(0)))
    clock = [1000.0 + 5000.0 * len(store.find())]
    taking = capturing.Capturing(captures, Access(), {"leak": rule}, Keep(), clock=lambda: clock[0])
    finding = Finding(1, "collection", "`ORDERS` grows", 1, 0, 1.0, 1, fingerprint="sha256:f", holder="shop.ORDERS")
    said = Analysis(verdict=Verdict("leaking", "It leaks.", 0.9), findings=(finding,))
    doers = {
        "capture": taking.capture,
        "analyse": Analysing(store, captures, Access(), lambda paths: said),
        "notify": Notifying({"hook": Webhook(url=url)}),
        "run": commands.run,
    }
    worker = Worker(store, doers, clock=lambda: clock[0])
    rules = Rules((rule,), store, ("hook",))
    opened = store.find()
    if not opened or opened[0].closed_at is None:
        for memory in (100 << 20, 100 << 20, 200 << 20, 200 << 20):
            clock[0] += 20.0
            rules.consider(change("leaking", memory, clock[0]), clock[0])
            while worker.once():
                pass
        clock[0] += 20.0
        rules.consider(change("steady", 200 << 20, clock[0]), clock[0])
    while worker.once():
        pass
    assert not store.owed(), store.owed()
    store.dispose()


def prepared(crash: Crash) -> None:
    crash.around(DefaultDialect, "do_commit")
    for name in ("rename", "replace", "unlink", "mkdir"):
        crash.around(Path, name)
    for owner, name in ((webhook, "post"), (commands, "handed")):
        crash.around(owner, name)


def child(home: Path, url: str, effects: Path, at: int) -> tuple[int, int]:
    """Goes the way in a process that is killed at a boundary (0: at none); its signal, and how many it passed."""
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        crash = Crash(at)
        prepared(crash)
        try:
            way(home, url, effects)
            os.write(write, str(crash.passed).encode())
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.close(write)
    _, status = os.waitpid(pid, 0)
    passed = os.read(read, 32)
    os.close(read)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        sys.exit(f"a child failed, after a crash at boundary {at}")
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, int(passed or 0)


def ended(home: Path, effects: Path) -> dict[str, object]:
    """What is there in the end, without what differs from run to run."""
    store = Incidents(f"sqlite:///{home}/incidents.db", "test")
    incidents = store.find()
    entries = Captures(home / "captures").all()
    ids = [incident.id for incident in incidents]

    def plain(text: str) -> str:
        return text.replace(ids[0], "INCIDENT") if ids else text

    found = {
        "incidents": len(incidents),
        "moments": [(plain(m.key), m.what) for incident in incidents for m in incident.moments],
        "closed": [incident.closed_at is not None for incident in incidents],
        "captures": sorted((plain(entry.manifest.cause), entry.manifest.complete) for entry in entries),
        "known": [len(incident.captures) for incident in incidents],
        "left": sorted(path.name for path in (home / "target").iterdir()),
        "ran": sorted({plain(line) for line in effects.read_text().splitlines()}) if effects.exists() else [],
        "ids": ids,
    }
    store.dispose()
    return found


def main(home: Path, url: str) -> None:
    at = 0
    while True:
        shutil.rmtree(home, ignore_errors=True)
        (home / "target").mkdir(parents=True)
        effects = home / "effects"
        killed, _ = child(home, f"{url}/{at}", effects, at)
        if killed:
            child(home, f"{url}/{at}", effects, 0)
        print(json.dumps({"at": at, "killed": killed, **ended(home, effects)}), flush=True)
        if at and not killed:
            return
        at += 1


main(Path(sys.argv[1]), sys.argv[2])
