"""Whether the inspector of a Node.js would answer, found out without opening it."""

from dataclasses import dataclass
from signal import SIGUSR1

from caulk.model.capture import Check
from caulk.model.errors import CaptureFailed, CaulkError, Lacks
from caulk.model.target import Process
from caulk.ports import Reach
from caulk.runtimes.node.inspector import Inspector, Occupied, found
from caulk.runtimes.node.switches import inspector_address, is_restricted, stated


@dataclass(frozen=True, slots=True)
class Door:
    """The verdict, and the inspector if it is open already."""

    check: Check
    inspector: Inspector | None = None


def door(reach: Reach, process: Process, port: int | None = None) -> Door:
    """Whether the inspector is open, or opens at a signal. Raises `Lacks` where the place cannot connect to it."""
    try:
        inspector = found(reach, process, port)
    except Lacks:
        raise
    except Occupied as error:
        return Door(Check("needs", str(error), error.hint))
    except CaulkError as error:
        return Door(Check("unsafe", f"its inspector is open, but the program does not answer: {error}", error.hint))
    if inspector:
        return Door(Check("ready", f"its inspector is open at {inspector.name}, and stays so"), inspector)
    return Door(_asleep(process))


def _asleep(process: Process) -> Check:
    switches = stated(process)
    if is_restricted(switches):
        why = "its permission model (--permission) forbids the inspector"
        return Check("needs", why, "Start it with --allow-inspector (Node.js 25), or without --permission.")
    if switches.get("disable-sigusr1") == "true":
        return Check("needs", "it was started with --disable-sigusr1", "Start it without --disable-sigusr1.")
    if not process.catches(SIGUSR1):
        why = "it has no handler for SIGUSR1, which would end it"
        return Check("needs", why, "Start it with --inspect=127.0.0.1:0, or find out what took the handler away.")
    host, port = inspector_address(switches)
    where = f"{host}:{port}" if port else f"a free port of {host}"
    return Check("ready", f"SIGUSR1 opens its inspector at {where}; it is closed again afterwards")


def refused(check: Check) -> CaptureFailed:
    """The error that a verdict is for somebody who goes on all the same."""
    return CaptureFailed(check.why, hint=check.fix)
