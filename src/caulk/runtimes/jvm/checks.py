"""Whether a JVM would answer, found out without waking it: nothing is put, signalled or started."""

import signal
from collections.abc import Sequence
from dataclasses import dataclass

from caulk.model.capture import Check
from caulk.model.errors import CaulkError, Lacks
from caulk.model.target import Process, Target, Volume
from caulk.ports import Reach
from caulk.runtimes.jvm.advice import volumes_at
from caulk.runtimes.jvm.attach import DIRECTORY, greet, is_awake, socket_path
from caulk.runtimes.jvm.channel import jcmd
from caulk.runtimes.jvm.flags import refuses_attaching, stated
from caulk.runtimes.jvm.openj9 import explained, is_openj9
from caulk.runtimes.jvm.volumes import OTHER, usable

# A second JVM beside the first, told to be small.
_JCMD_BYTES = 96 << 20


@dataclass(frozen=True, slots=True)
class Door:
    """Whether requests get to the JVM, and what the way there takes of the target's memory."""

    check: Check
    extra_bytes: int = 0

    @property
    def is_open(self) -> bool:
        """Whether they do."""
        return self.check.standing == "ready"


def door(reach: Reach, process: Process) -> Door:
    """Whether diagnostic commands would be answered."""
    if is_openj9(process):
        return Door(explained())
    if refuses_attaching(stated(process)):
        why = "the JVM runs with -XX:+DisableAttachMechanism"
        return Door(Check("needs", why, "Start the JVM without -XX:+DisableAttachMechanism."))
    try:
        if is_awake(reach, process):
            listener = greet(reach, process)
            return Door(Check("ready", f"the JVM answers on its attach socket (version {listener.version})"))
        obstacle = _asleep(reach, process)
        if obstacle is None:
            _see_that_sockets_are_reached(reach, process)
        return Door(obstacle or Check("ready", "the JVM can be woken to attach to it"))
    except Lacks as lack:
        return _by_jcmd(reach, process, lack)
    except CaulkError as error:
        return Door(Check("needs", str(error), error.hint))


def room_for_dumps(target: Target, found: Sequence[Volume], wanted: str) -> Check:
    """Whether one of the volumes takes a dump at all; how large it may be is a matter of cost.

    `wanted` is the directory that the user named, if any.
    """
    fit = usable(found)
    if fit:
        return Check("ready", f"a dump can be written to {fit[0].path}")
    reasons = "; ".join(dict.fromkeys(map(unfit, found))) or "none of the usual directories is there"
    # What lies in /tmp as memory stays there: it may be meant so.
    is_closed = any(volume.path == DIRECTORY and not volume.is_writable for volume in found)
    path = wanted or (DIRECTORY if is_closed else OTHER)
    return Check("needs", f"there is no directory for a heap dump: {reasons}", volumes_at(target, [path]))


def unfit(volume: Volume) -> str:
    """Why a volume takes no dump; empty if it does."""
    if not volume.is_writable:
        return f"{volume.path} cannot be written to"
    return f"{volume.path} lies in memory ({volume.kind}), which the limit counts" if volume.is_memory else ""


def _asleep(reach: Reach, process: Process) -> Check | None:
    """What keeps a JVM asleep that does not listen yet."""
    if not reach.volume(DIRECTORY).is_writable:
        why = f"the JVM cannot open its attach socket: {DIRECTORY} cannot be written to"
        return Check("needs", why, volumes_at(reach.target, [DIRECTORY]))
    if not process.catches(signal.SIGQUIT):
        why = "the JVM has no handler for SIGQUIT, which would end it: it is still starting, or runs with -Xrs"
        return Check("needs", why, "Try again in a moment; else start the JVM without -Xrs.")
    return None


def _see_that_sockets_are_reached(reach: Reach, process: Process) -> None:
    """Raises `Lacks` if the place cannot connect to Unix sockets; that nobody listens yet is no matter."""
    try:
        reach.connect(socket_path(process.pid)).close()
    except Lacks:
        raise
    except CaulkError:
        pass


def _by_jcmd(reach: Reach, process: Process, lack: Lacks) -> Door:
    try:
        path = jcmd(reach, process)
    except CaulkError:
        path = None
    if path is None:
        return Door(Check("needs", str(lack), lack.hint))
    return Door(Check("ready", f"by {path} of the image, as {lack}"), _JCMD_BYTES)
