"""What the inspector gives at little cost: who allocates, sampled for some seconds, and the figures of the heap."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from caulk.model.capture import Check, Cost, Evidence, Taken
from caulk.model.errors import CaptureFailed
from caulk.ports import Sink
from caulk.runtimes.node.inspector import opened
from caulk.runtimes.node.survey import Survey

_DEFAULT_S, _MOST_S, _LOOK_S = 10.0, 1200.0, 0.5
#: V8's own interval. A sample is a stack and an entry in a table, some hundred bytes.
_INTERVAL_BYTES, _STACK_DEPTH = 32768, 64
_PROFILE_BYTES = 16 << 20
_ANSWER_S = 60.0
#: What Node.js does nothing else for when its inspector is opened for the first time.
_OPENING_S = 0.1
_FIGURES = """(() => {
  const v8 = require('v8');
  return {
    node: process.version, versions: process.versions, pid: process.pid, uptime_s: process.uptime(),
    memory: process.memoryUsage(), heap: v8.getHeapStatistics(),
    spaces: v8.getHeapSpaceStatistics(), resources: process.resourceUsage(),
  };
})()"""


@dataclass(slots=True)
class Sampling:
    """The objects that were allocated while it ran and are still alive, by who allocated them."""

    survey: Survey
    name: str = "inspector:sampling"
    alias: str = "profile"
    evidence: Evidence = "profile"
    format: str = "v8-sampling"
    suffix: str = ".heapprofile"

    def check(self) -> Check:
        """Whether the inspector answers, and nobody else samples: V8 has one sampler, which whoever ends it ends."""
        environ, switches = self.survey.process.environ, self.survey.switches
        if "CAULK_RUN_SOCKET" in environ or switches.get("heap-prof") == "true":
            who = "`caulk run`" if "CAULK_RUN_SOCKET" in environ else "--heap-prof"
            return Check("impossible", f"{who} samples its heap already")
        return self.survey.door.check

    def cost(self) -> Cost:
        """The samples."""
        return Cost(pause_s=_OPENING_S, extra_bytes=_PROFILE_BYTES, size_bytes=_PROFILE_BYTES)

    def take(self, sink: Sink) -> Taken:
        """Samples for `--seconds`, or ten."""
        seconds = min(self.survey.access.seconds or _DEFAULT_S, _MOST_S)
        with opened(self.survey.reach, self.survey.access.port) as visit:
            main = visit.line.main
            main.ask("HeapProfiler.startSampling", samplingInterval=_INTERVAL_BYTES, stackDepth=_STACK_DEPTH)
            try:
                _wait(seconds, sink)
                memory = main.evaluate("process.memoryUsage()", timeout_s=_ANSWER_S)
            finally:
                stopped = main.send("HeapProfiler.stopSampling")
            profile = main.result(stopped, timeout_s=_ANSWER_S)["profile"]
        taken_at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        added = {"samplingInterval": _INTERVAL_BYTES, "takenAt": taken_at, "memory": memory}
        sink.write(msgspec.json.encode({**profile, **added}))
        return Taken(warnings=tuple(visit.warnings), facts={"seconds": f"{seconds:g}", "pause_s": "0"})


@dataclass(slots=True)
class Figures:
    """What Node.js says of its memory."""

    survey: Survey
    name: str = "inspector:figures"
    alias: str = "figures"
    evidence: Evidence = "figures"
    format: str = ""
    suffix: str = ".json"

    def check(self) -> Check:
        """Whether the inspector answers."""
        return self.survey.door.check

    def cost(self) -> Cost:
        """Nothing to speak of."""
        return Cost(size_bytes=1 << 16)

    def take(self, sink: Sink) -> Taken:
        """Asks for them."""
        with opened(self.survey.reach, self.survey.access.port) as visit:
            found = visit.line.main.evaluate(_FIGURES)
        if not isinstance(found, dict):
            raise CaptureFailed("Node.js did not say its figures")
        sink.write(msgspec.json.format(msgspec.json.encode(found), indent=1))
        return Taken(warnings=tuple(visit.warnings), facts={"node": str(found["node"]), "pause_s": "0"})


def _wait(seconds: float, sink: Sink) -> None:
    began = time.monotonic()
    while (gone := time.monotonic() - began) < seconds:
        sink.progress(gone, seconds, "sampling allocations")
        time.sleep(min(_LOOK_S, seconds - gone))
