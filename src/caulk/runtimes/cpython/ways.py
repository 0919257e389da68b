"""What can be had of a Python program: the graph of its objects, what it allocates, and figures."""

from functools import cached_property

from caulk.model.capture import Check, Cost, Evidence, Taken
from caulk.model.errors import CaptureFailed
from caulk.ports import Sink
from caulk.runtimes.cpython.door import Door, Price, chosen
from caulk.runtimes.cpython.probe import Probe

#: Of the memory of `tracemalloc` itself: what its traces take as Python's objects, and as a pickle.
_LISTED, _PICKLED = 6, 0.45
_SECONDS_PER_BYTE = 2.5e-8


class Graph:
    """Every object with its type, size and references: streamed by the dumper, through a door."""

    evidence: Evidence = "graph"
    format, suffix = "cpython-graph", ".cgraph"

    def __init__(self, door: Door, alias: str) -> None:
        self._door = door
        self.name, self.alias = f"{door.name}:graph", alias

    @cached_property
    def _price(self) -> Price:
        return chosen(self._door)

    def check(self) -> Check:
        """Whether the door is open."""
        return self._door.check()

    def cost(self) -> Cost:
        """In the gentler mode that fits."""
        price = self._price
        how = "a child writes it" if price.mode == "fork" else "written in place"
        return Cost(
            pause_s=round(price.pause_s, 3),
            extra_bytes=price.extra_bytes,
            size_bytes=price.size_bytes,
            risk="; ".join(filter(None, (how, self._door.risk))),
        )

    def take(self, sink: Sink) -> Taken:
        """Streams it."""
        price = self._price
        with self._door.enter(sink) as control:
            # What fits was decided above, with the place's figures, or overridden by a person.
            facts = control.stream(f"graph {price.mode} force", sink, price.size_bytes, "the program's objects")
        pause_s = self._door.stopped_s + float(facts["pause-s"])
        told = {"by": self._door.name, "mode": price.mode, "python": control.facts["python"]}
        return Taken(facts={**told, "pause_s": f"{pause_s:.6f}"})


class Traces:
    """What `tracemalloc` knows: the allocations that are still alive, with their stacks."""

    name, alias = "probe:tracemalloc", "tracemalloc"
    evidence: Evidence = "profile"
    format, suffix = "tracemalloc", ".tracemalloc"

    def __init__(self, probe: Probe) -> None:
        self._probe = probe

    def check(self) -> Check:
        """Whether the probe is there, and allocations are traced."""
        check = self._probe.check()
        if check.standing == "ready" and self._probe.plan["frames"] == "0":
            return Check(
                "needs",
                "tracemalloc does not trace",
                "`caulk arm TARGET` starts it now; PYTHONTRACEMALLOC=16 from the start. It sees what is allocated from"
                " then on, and costs two to four times the run time where code mostly allocates.",
            )
        return check

    def cost(self) -> Cost:
        """By what the traces take in the program now."""
        table = int(self._probe.plan["traces-bytes"])
        return Cost(
            pause_s=round(0.01 + table * _SECONDS_PER_BYTE, 3),
            extra_bytes=int(table * _LISTED) + (1 << 20),
            size_bytes=int(table * _PICKLED) + (64 << 10),
        )

    def take(self, sink: Sink) -> Taken:
        """Streams it, as `tracemalloc.Snapshot.dump` would write it."""
        with self._probe.talk() as control:
            facts = control.stream("tracemalloc", sink, self.cost().size_bytes, "the traces")
            told = {"by": "probe", "python": control.facts["python"], "frames": facts["frames"]}
            return Taken(facts={**told, "pause_s": facts["pause-s"]})


class Figures:
    """What the interpreter counts by itself, a line each."""

    name, alias = "probe:figures", "figures"
    evidence: Evidence = "figures"
    format, suffix = "", ".txt"

    def __init__(self, probe: Probe) -> None:
        self._probe = probe

    def check(self) -> Check:
        """Whether the probe is there."""
        return self._probe.check()

    def cost(self) -> Cost:
        """Nothing to speak of."""
        return Cost(size_bytes=4096)

    def take(self, sink: Sink) -> Taken:
        """Asks for them."""
        with self._probe.talk() as control:
            figures = control.ask("figures")
            if not figures:
                raise CaptureFailed("the probe has no figures")
            sink.write("".join(f"{name} {value}\n" for name, value in figures.items() if value).encode())
            return Taken(facts={"by": "probe", "python": control.facts["python"]})
