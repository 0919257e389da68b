"""What is known of one JVM, each thing looked at once: many ways ask the same, and each look may be a long way off."""

from collections.abc import Mapping, Sequence
from functools import cached_property

from caulk.model.errors import CaulkError
from caulk.model.target import Access, Process, Volume
from caulk.ports import Reach
from caulk.runtimes.jvm import figures
from caulk.runtimes.jvm.attach import Listener, greet, is_awake
from caulk.runtimes.jvm.channel import Socket
from caulk.runtimes.jvm.checks import Door, door
from caulk.runtimes.jvm.flags import ON_OOM, PATH, stated
from caulk.runtimes.jvm.makeup import Makeup, makeup
from caulk.runtimes.jvm.perfdata import Counters, counters
from caulk.runtimes.jvm.volumes import volumes

_ANSWER_S = 5.0


class Survey:
    """One JVM behind a reach, as it is when it is first asked about; nothing is changed there."""

    def __init__(self, reach: Reach, access: Access) -> None:
        self.reach, self.access = reach, access

    def again(self) -> "Survey":
        """The same JVM, to be looked at anew."""
        return Survey(self.reach, self.access)

    @cached_property
    def process(self) -> Process:
        """The process."""
        return self.reach.process()

    @cached_property
    def door(self) -> Door:
        """Whether it would answer."""
        return door(self.reach, self.process)

    @cached_property
    def listener(self) -> Listener | None:
        """Its listener, if it has been woken before; raises `CaptureFailed` if that does not answer."""
        return greet(self.reach, self.process) if is_awake(self.reach, self.process) else None

    @cached_property
    def volumes(self) -> Sequence[Volume]:
        """Where a dump may be meant to go, the likeliest first."""
        return volumes(self.reach, self.access, self.process)

    @cached_property
    def counters(self) -> Counters:
        """What it counts for `jstat`, where that can be read."""
        return counters(self.reach, self.process.pid)

    @cached_property
    def release(self) -> int | None:
        """Its Java: 8, 11, 17 …; None where it does not say so."""
        return figures.release(self.counters)

    @cached_property
    def heap(self) -> figures.Heap:
        """Its heap as the JVM says it, if it listens already; else by its counters; at worst all its memory."""
        try:
            if self.listener:
                text = self.listener.ask("jcmd", "GC.heap_info", timeout_s=_ANSWER_S)
                return figures.from_heap_info(text.decode(errors="replace"))
        except CaulkError:
            # Who hangs is not asked; who is out of reach is read.
            pass
        reading = self.reach.reading()
        return figures.from_counters(self.counters, reading.anonymous + reading.shared)

    @cached_property
    def makeup(self) -> Makeup:
        """What the heap is made of."""
        return makeup(self.reach, self.process.pid, self.release, stated(self.process))

    @property
    def dump_bytes(self) -> int:
        """The most that a dump of the heap has."""
        return figures.dump_bytes(self.heap, self.makeup)

    @cached_property
    def switches(self) -> Mapping[str, str]:
        """The switches that it was started with; those for dumps at death as they are now, if it listens."""
        switches = dict(stated(self.process))
        try:
            if self.listener:
                jvm = Socket(self.listener)
                live = {name: jvm.flag(name) for name in (ON_OOM, PATH)}
                switches.update({name: value for name, value in live.items() if value is not None})
        except CaulkError:
            # A JVM that hangs, or has ended, is known by how it was started.
            pass
        return switches
