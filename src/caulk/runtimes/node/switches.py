"""How a Node.js was started: its switches, from NODE_OPTIONS and from the command line, which goes before it.

Switches: https://nodejs.org/api/cli.html. A program that sets `process.title` overwrites its command line, and the
switches of that are unknown then.
"""

import re
import shlex
import signal
from collections.abc import Iterator, Mapping, Sequence
from posixpath import join, normpath

from caulk.model.target import Process

#: Where the inspector listens if nothing is said.
HOST, PORT = "127.0.0.1", 9229
_OPENING = ("inspect", "inspect-brk", "inspect-wait")
_SAYING = (*_OPENING, "inspect-port", "debug-port")
#: Switches whose value may be the next word.
_APART = {"inspect-port", "debug-port", "diagnostic-dir", "heapsnapshot-signal", "require", "import", "loader",
          "experimental-loader", "eval", "print", "conditions", "env-file", "title", "input-type"}  # fmt: skip
_SHORT = {"r": "require", "e": "eval", "p": "print", "C": "conditions"}


def stated(process: Process) -> Mapping[str, str]:
    """The switches with their values, names with dashes; a switch without a value is `true`, `--no-` makes it false."""
    return dict([*_read(_words(process.environ.get("NODE_OPTIONS", ""))), *_read(process.command[1:])])


def is_restricted(switches: Mapping[str, str]) -> bool:
    """Whether the permission model is on."""
    return any(switches.get(name) == "true" for name in ("permission", "experimental-permission"))


def opens_inspector(switches: Mapping[str, str]) -> bool:
    """Whether the inspector was to be open from the start."""
    return any(name in switches for name in _OPENING)


def inspector_address(switches: Mapping[str, str]) -> tuple[str, int]:
    """Where the inspector listens, or will: host and port, which is 0 for any that is free."""
    host, port = HOST, PORT
    for name in _SAYING:
        value = switches.get(name, "true")
        if value != "true":
            before, _, after = value.rpartition(":")
            if after.isdigit():
                host, port = before.strip("[]") or host, int(after)
            else:
                host = value.strip("[]")
    return {"0.0.0.0": HOST, "::": "::1"}.get(host, host), port  # noqa: S104 - what was listened at, not what is


def dump_directory(process: Process) -> str:
    """Where Node.js writes its snapshots: `--diagnostic-dir`, else its working directory."""
    return normpath(join(process.directory, stated(process).get("diagnostic-dir", "")))


def snapshot_signal(switches: Mapping[str, str]) -> int | None:
    """The number of the signal at which a snapshot is written; None where there is none."""
    name = switches.get("heapsnapshot-signal", "")
    return int(signal.Signals[name]) if name in signal.Signals.__members__ else None


def _read(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word in ("--", "-", "") or not word.startswith("-"):
            # The program, and what is for it.
            return
        name, is_given, value = word.lstrip("-").partition("=")
        name = _SHORT.get(name, name.replace("_", "-"))
        if not is_given and name in _APART and rest:
            value = rest.pop(0)
        elif not is_given:
            value = "false" if name.startswith("no-") else "true"
            name = name.removeprefix("no-")
        yield name, value


def _words(options: str) -> Sequence[str]:
    """NODE_OPTIONS as Node parts it: at spaces, with double quotes and backslashes."""
    parts = shlex.shlex(options, posix=True)
    parts.whitespace_split, parts.quotes, parts.commenters = True, '"', ""
    try:
        return list(parts)
    except ValueError:
        return re.split(r"\s+", options)
