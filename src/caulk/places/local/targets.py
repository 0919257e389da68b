"""Which processes a reference means: `pid:1234`, a number, the name of a command, or nothing for all."""

import os
import pwd
import re
from pathlib import PurePosixPath

from caulk.model.errors import Unreachable, UsageError
from caulk.model.target import Access, Target
from caulk.places.eye import Trouble
from caulk.places.hand import Hand
from caulk.places.local.proc import processes

SCHEMES = ("pid",)

_ANY = Access()
_INTERPRETERS = re.compile(r"(python|pypy|node|nodejs|java|ruby|perl|deno|bun)[\d.]*")
_PROGRAMS = re.compile(r".+\.(py|pyz|js|mjs|cjs|ts|jar|rb|pl)")
_CONTAINER = re.compile(r"[0-9a-f]{64}")


def targets(wanted: str, access: Access = _ANY) -> list[Target]:
    """What `wanted` means here, by number of process: every one that has the name, or none; never caulk itself.

    Nothing, or `pid:`, means every process of the user, and for root all there are. Raises `Unreachable` for a number
    that no process has.
    """
    reference = wanted.removeprefix("pid:")
    if reference.isascii() and reference.isdigit():
        found = _target(int(reference))
        if found is None:
            raise Unreachable(f"There is no process {reference}.", hint="`caulk ps` lists what runs.")
        return [found]
    pids = sorted(process.pid for process in processes() if process.pid != os.getpid())
    return [target for pid in pids if (target := _target(pid, reference, is_listed=True))]


def pid_of(target: Target) -> int:
    """The number of a target's process; raises `UsageError` if the reference has none."""
    number = target.reference.removeprefix("pid:")
    if not (number.isascii() and number.isdigit()):
        raise UsageError(f"{target.reference} is no process of this machine.", hint="Give its number, as pid:1234.")
    return int(number)


def _target(pid: int, name: str = "", *, is_listed: bool = False) -> Target | None:
    """The process as a target; None if it is gone, is not the one of this `name`, or is not to be listed."""
    try:
        hand = Hand(pid)
    except Trouble:
        return None
    command = hand.text("cmdline").rstrip("\0").split("\0")
    if is_listed and (not any(command) or (not name and os.geteuid() not in (0, hand.uid))):
        return None
    status = hand.status()
    if name and name not in _names(status.get("Name", ""), hand.link("exe"), command):
        return None
    labels = {"user": _user(hand.uid), "started": str(hand.started)}
    container = _CONTAINER.search(hand.text("cgroup"))
    if container:
        labels["container"] = container[0][:12]
    return Target("local", f"pid:{pid}", _name(command) or status.get("Name", ""), labels)


def _names(kernel: str, executable: str, command: list[str]) -> set[str]:
    """What a command may be called: its file, and the script, archive, module or class that an interpreter runs."""
    names = {kernel, executable, PurePosixPath(executable).name, command[0], PurePosixPath(command[0]).name}
    if _INTERPRETERS.fullmatch(PurePosixPath(command[0]).name):
        words = [word for word in command[1:] if not word.startswith("-")]
        names |= {*words, *(PurePosixPath(word).name for word in words), *(PurePosixPath(word).stem for word in words)}
    return names - {""}


def _name(command: list[str]) -> str:
    """What people call a command: `server.py` and `shop.jar` rather than the interpreter of it."""
    name = PurePosixPath(command[0].split(" ", 1)[0]).name
    if _INTERPRETERS.fullmatch(name):
        return next((PurePosixPath(word).name for word in command[1:] if _PROGRAMS.fullmatch(word)), name)
    return name


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
