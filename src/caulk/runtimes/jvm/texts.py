"""What a JVM answers in text: its live objects by class, its heap's figures, and its native memory.

The text goes straight into the sink: nothing is written in the target.
"""

import time
from dataclasses import dataclass

from caulk.model.capture import Check, Cost, Evidence, Taken
from caulk.model.errors import CaptureFailed
from caulk.ports import Sink
from caulk.runtimes.jvm import figures
from caulk.runtimes.jvm.channel import channel
from caulk.runtimes.jvm.survey import Survey

#: Seconds for a byte of heap, and an object, that is collected and counted.
_LEAST_PAUSE_S, _S_PER_BYTE, _S_PER_OBJECT = 0.05, 0.2e-9, 38e-9
_PATIENCE_S, _SLOWEST_BYTES_S = 120.0, 10e6
_HISTOGRAM_BYTES = 4 << 20


@dataclass(slots=True)
class Histogram:
    """The live objects by class: a full collection, and a walk over what is left."""

    survey: Survey
    name: str = "attach:GC.class_histogram"
    alias: str = "histogram"
    evidence: Evidence = "histogram"
    format: str = "jvm-histogram"
    suffix: str = ".histogram"

    def check(self) -> Check:
        """Whether the JVM answers."""
        return self.survey.door.check

    def cost(self) -> Cost:
        """By the heap now."""
        now = self.survey.heap
        pause = round(_LEAST_PAUSE_S + now.used * (_S_PER_BYTE + _S_PER_OBJECT * self.survey.makeup.objects), 3)
        extra = figures.extra_bytes(now) + self.survey.door.extra_bytes
        return Cost(pause_s=pause, extra_bytes=extra, size_bytes=_HISTOGRAM_BYTES)

    def take(self, sink: Sink) -> Taken:
        """Asks for the histogram."""
        now = self.survey.heap
        jvm, began = channel(self.survey.reach), time.monotonic()

        def tick() -> None:
            sink.progress(0, 1, "the JVM counts its objects")

        text = jvm.command("GC.class_histogram", timeout_s=_PATIENCE_S + now.used / _SLOWEST_BYTES_S, tick=tick)
        if live_bytes(text) is None:
            raise CaptureFailed("the JVM's class histogram has no total: it is cut")
        sink.write(text)
        return Taken(facts={"by": jvm.name, "pause_s": f"{time.monotonic() - began:.3f}"})


@dataclass(slots=True)
class Figures:
    """A report of the JVM about itself, which holds nothing up."""

    survey: Survey
    name: str
    alias: str
    command: str
    evidence: Evidence = "figures"
    format: str = ""
    suffix: str = ".txt"

    def check(self) -> Check:
        """Whether the JVM answers, and counts what is asked for."""
        found = self.survey.door
        is_counted = self.survey.switches.get("NativeMemoryTracking", "off") != "off"
        if found.is_open and self.command == "VM.native_memory" and not is_counted:
            fix = "Start the JVM with -XX:NativeMemoryTracking=summary (it takes 2 to 10 % of time)."
            return Check("needs", "the JVM does not track its native memory", fix)
        return found.check

    def cost(self) -> Cost:
        """Nothing to speak of."""
        return Cost(extra_bytes=self.survey.door.extra_bytes, size_bytes=1 << 16)

    def take(self, sink: Sink) -> Taken:
        """Asks for the report."""
        jvm = channel(self.survey.reach)
        text = jvm.command(self.command)
        if text.startswith(b"Native memory tracking is not enabled"):
            raise CaptureFailed("the JVM does not track its native memory", hint=self.check().fix)
        sink.write(text)
        return Taken(facts={"by": jvm.name})


def live_bytes(text: bytes) -> int | None:
    """The total of a histogram, in bytes; its last line reads `Total <instances> <bytes>`."""
    last = text[-200:].split()[-3:]
    return int(last[2]) if len(last) == 3 and last[0] == b"Total" and last[2].isdigit() else None
