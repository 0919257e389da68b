"""The probe, loaded in the program: found by the socket that it listens at.

All Unix sockets of a network namespace stand in /proc/PID/net/unix, with their inodes; that the program has one of them
open tells it from one of the same name in another container (https://docs.kernel.org/filesystems/proc.html).
"""

import re
from collections.abc import Mapping
from functools import cached_property

from caulk.model.capture import Check
from caulk.model.errors import CaptureFailed, CaulkError
from caulk.model.target import Process
from caulk.ports import Reach, Sink
from caulk.runtimes.cpython.door import MODES, Price
from caulk.runtimes.cpython.talk import Control

#: Flags of a socket that listens, then type and state, its inode and its name; `@` stands for NUL.
_LISTENING = re.compile(r"^\S+ \S+ \S+ 00010000 \S+ \S+ +(\d+) (\S*caulk_probe_pid\d+\S*)$", re.MULTILINE)
FIX = """pip install caulk-probe     # in the program's image; the standard library is all it needs
CAULK_PROBE=1               # in its environment, and start it anew
# or in the program itself:   import caulk_probe.control; caulk_probe.control.start()
# in Kubernetes:              kubectl set env deployment/NAME CAULK_PROBE=1"""


class Probe:
    """The control that listens in one program."""

    name = "probe"
    risk, stopped_s = "", 0.0

    def __init__(self, reach: Reach) -> None:
        self.reach = reach

    @cached_property
    def process(self) -> Process:
        """The process, as it was at first."""
        return self.reach.process()

    @cached_property
    def address(self) -> str:
        """Where it listens; empty where nothing does."""
        process = self.process
        path = f"/tmp/.caulk_probe_pid{process.pid}"  # noqa: S108 - the name that the probe gives it
        try:
            text = b"".join(self.reach.fetch(f"/proc/{process.pid}/net/unix")).decode("utf-8", "replace")
        except CaulkError:
            text = ""
        found = [(int(match[1]), match[2]) for match in _LISTENING.finditer(text)]
        if process.sockets:
            found = [one for one in found if one[0] in process.sockets]
        else:
            # Nobody sees what it has open: then the name has to do.
            found = [one for one in found if one[1] == path or one[1].startswith(f"@caulk_probe_pid{process.pid}.")]
        if found:
            # A child that was forked by C code has its parent's open too.
            name = max(found, key=lambda one: f"_pid{process.pid}" in one[1])[1]
            return "\0" + name[1:] if name.startswith("@") else name
        try:
            return path if not text and self.reach.stat(path) else ""
        except CaulkError:
            return ""

    def check(self) -> Check:
        """Whether it is loaded, and answers."""
        if not self.address:
            return Check("needs", "caulk-probe is not loaded in the program", FIX)
        try:
            plan = self.plan
        except CaptureFailed as error:
            return Check("needs", f"caulk-probe is loaded, but cannot be asked: {error}", error.hint)
        return Check("ready", f"caulk-probe answers in Python {plan['python']}")

    @cached_property
    def plan(self) -> Mapping[str, str]:
        """What the dumper plans, by live figures of the interpreter."""
        with self.talk() as control:
            return {**control.facts, **control.ask("plan")}

    def prices(self) -> Mapping[str, Price]:
        """By what the dumper plans."""
        return priced(self.plan)

    def talk(self) -> Control:
        """A conversation; raises `CaptureFailed` where there is nobody."""
        if not self.address:
            raise CaptureFailed("caulk-probe is not loaded in the program", hint=FIX)
        control = Control(self.reach.connect(self.address))
        if control.facts.get("pid") != str(self.process.pid):
            with control:
                raise CaptureFailed(f"what listens there is the probe of process {control.facts.get('pid')}")
        return control

    def enter(self, sink: Sink) -> Control:
        """As `talk`."""
        return self.talk()


def priced(plan: Mapping[str, str]) -> dict[str, Price]:
    """The prices that a `plan` says."""
    return {
        mode: Price(
            mode,
            float(plan[f"{mode}-pause-s"]),
            int(plan[f"{mode}-extra-bytes"]),
            int(plan[f"{mode}-size-bytes"]),
        )
        for mode in MODES
        if not plan.get(f"{mode}-refused")
    }
