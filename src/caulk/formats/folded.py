"""Folded stacks: `main;parse;new 42`, one stack a line, as Brendan Gregg's stackcollapse scripts write them.

Source: https://github.com/brendangregg/FlameGraph. The last space parts the stack from its number, so names may have
spaces; numbers may be negative (a difference). The format does not say what it counts. `google-pprof --collapsed` puts
the address of a function behind its name, `<0000000000001b16>`, and `[inline]`: neither is part of the name.
"""

import io
import re

from caulk.formats.builder import ProfileBuilder
from caulk.model.errors import MalformedDump
from caulk.model.measure import Measure
from caulk.model.profile import Profile

NAME = "folded"

#: Of a file so much is looked at: one stack of templates can be longer than what does for other formats.
HEAD = 1 << 16
_JUDGED = 4096
_LINE = re.compile(r"([^\x00-\x1f\x7f]*[^\x00-\x1f\x7f;]) (-?\d{1,19})")
_STARTS_AT = re.compile(r"(?:<[0-9a-f]{16}>|\[inline\])(?=;| -?\d+$)")
_SUFFIXES = re.compile(r"\.(go|py|js|java)\b")
_RUNTIMES = {"go": "go", "py": "cpython", "js": "node", "java": "jvm"}


def sniff(head: bytes) -> bool:
    """Every whole line is a stack and a number, and a `;` shows that stacks are meant.

    Without any `;` it must be a small file of several names without spaces, for `Error 404` is no profile.
    """
    end = len(head) if len(head) < _JUDGED else head.rfind(b"\n", 0, _JUDGED)
    # The first alone where it is longer.
    lines = head[: end if end >= 0 else max(head.find(b"\n"), 0)].decode("utf-8", "replace").split("\n")
    stacks = [line.rstrip("\r") for line in lines if line.strip() and not line.startswith("#")]
    matches = [_LINE.fullmatch(line) for line in stacks]
    if not matches or not all(matches):
        return False
    names = [match[1] for match in matches if match]
    if any(";" in name for name in names):
        return True
    is_whole = len(head) < _JUDGED and len(stacks) > 1 and b"#" not in head
    return is_whole and not any(" " in name or name.isdecimal() for name in names)


def read(data: bytes) -> Profile:
    """The stacks; lines that are none are left out, with a warning."""
    builder = ProfileBuilder(Measure("", ""))
    unread = 0
    suffixes: dict[str, int] = {}
    for raw in io.TextIOWrapper(io.BytesIO(data), "utf-8", "replace", newline="\n"):
        line = _STARTS_AT.sub("", raw.rstrip("\r\n"))
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        names = match[1].split(";") if match else [""]
        if not match or "" in names:
            unread += 1
            continue
        builder.add([builder.frame(name) for name in names], (int(match[2]),))
        if suffix := _SUFFIXES.search(line):
            suffixes[suffix[1]] = suffixes.get(suffix[1], 0) + 1
    if not len(builder):
        raise MalformedDump("folded stacks without a single stack and number")
    warnings = [f"{unread:,} lines are not a stack and a number, and were left out"] if unread else []
    if not data.endswith(b"\n"):
        warnings.append("the last line does not end: its number may have been cut short")
    commonest = max(suffixes, key=lambda suffix: (suffixes[suffix], suffix), default="")
    return builder.build(
        format=NAME,
        runtime=_RUNTIMES.get(commonest, "native") if 2 * suffixes.get(commonest, 0) > len(builder) else "native",
        kind="unknown",
        coverage=len(builder) / (len(builder) + unread),
        warnings=tuple(warnings),
    )
