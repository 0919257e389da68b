"""Who reaches a process beside which commands can be started: the best hand of those that its image can run."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from caulk.model.errors import CaptureFailed, CaulkError
from caulk.model.target import Target
from caulk.model.units import format_value
from caulk.places import hand as hands
from caulk.places.remote import HandReach, Transport
from caulk.places.shell import ShellReach, heaviest

#: What a hand's source and then a verb are added to.
_PYTHON, _NODE = ("python3", "-I", "-S", "-c"), ("node", "-e")
#: A hand counts against the limit of the container that it is started in: no less may be left there. It is twice what
#: the hand takes, 14 MB and 40 MB; a program was killed when it was looked at with 15 MB left.
_LEAST_BYTES = {_PYTHON: 32 << 20, _NODE: 96 << 20}


def beside(target: Target, transport: Transport) -> HandReach | ShellReach:
    """Who reaches the process that `transport` starts commands beside, with what is there: Python, Node.js, sh.

    Of several processes it is the one with the most memory: what starts it (a shell, tini) is small. Raises `Lacks`.
    Where too little memory is left for more, a shell alone looks.
    """
    free = _free(target, transport)
    for begin in (_PYTHON, _NODE):
        if free is not None and free < _LEAST_BYTES[begin]:
            continue
        source = hands.source() if begin is _PYTHON else Path(hands.__file__).with_suffix(".cjs").read_text("utf-8")
        command = [*begin, source, *([] if begin is _PYTHON else ["--"])]
        with contextlib.suppress(CaptureFailed):
            return HandReach(target, transport, _heaviest(target, transport, command), command)
    is_tight = free is not None and free < max(_LEAST_BYTES.values())
    why = f"{format_value(free or 0, 'bytes')} of memory are left there, too little to start more than a shell"
    return ShellReach(target, transport, heaviest(transport), why if is_tight else "")


def _free(target: Target, transport: Transport) -> int | None:
    """Bytes that the control group of what is started there has left, as a shell reads them; None where none can."""
    with contextlib.suppress(CaulkError):
        return ShellReach(target, transport, 1).room().free
    return None


def _heaviest(target: Target, transport: Transport, command: Sequence[str]) -> int:
    largest, number = -1, 1
    for process in HandReach(target, transport, 1, command).processes():
        with contextlib.suppress(CaulkError):
            rss = HandReach(target, transport, process["host_pid"], command).reading().rss
            if rss > largest:
                largest, number = rss, process["host_pid"]
    return number
