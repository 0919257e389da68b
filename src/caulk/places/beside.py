"""Who reaches a process beside which commands can be started: the best hand of those that its image can run."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from caulk.model.errors import CaptureFailed, CaulkError
from caulk.model.target import Target
from caulk.places import hand as hands
from caulk.places.remote import HandReach, Transport
from caulk.places.shell import ShellReach, heaviest

#: What a hand's source and then a verb are added to.
_PYTHON, _NODE = ("python3", "-I", "-S", "-c"), ("node", "-e")


def beside(target: Target, transport: Transport) -> HandReach | ShellReach:
    """Who reaches the process that `transport` starts commands beside, with what is there: Python, Node.js, sh.

    Of several processes it is the one with the most memory: what starts it (a shell, tini) is small. Raises `Lacks`.
    """
    for begin in (_PYTHON, _NODE):
        source = hands.source() if begin is _PYTHON else Path(hands.__file__).with_suffix(".cjs").read_text("utf-8")
        command = [*begin, source, *([] if begin is _PYTHON else ["--"])]
        with contextlib.suppress(CaptureFailed):
            return HandReach(target, transport, _heaviest(target, transport, command), command)
    return ShellReach(target, transport, heaviest(transport))


def _heaviest(target: Target, transport: Transport, command: Sequence[str]) -> int:
    largest, number = -1, 1
    for process in HandReach(target, transport, 1, command).processes():
        with contextlib.suppress(CaulkError):
            rss = HandReach(target, transport, process["host_pid"], command).reading().rss
            if rss > largest:
                largest, number = rss, process["host_pid"]
    return number
