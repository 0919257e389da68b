"""The memory map at the end of a native profile: which binary lay where when the addresses were taken.

Two grammars, as in pprof (legacy_profile.go): Linux's /proc/PID/maps, and the brief `start-limit: file (@offset)
build-id`. Both may be prefixed by a logger, and name a folder by `$name` after a line `name=folder`.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence

from caulk.model.tree import Mapping

_HEX = rb"([0-9a-fA-F]{1,16})"
_RANGE = rb"\s*(?:0x)?" + _HEX + rb"[\s-]?\s*(?:0x)?" + _HEX + rb":?"
_RIGHTS = rb"\s+([-rwxsp]{1,8})"
_PROC = re.compile(_RANGE + _RIGHTS + rb"\s+" + _HEX + rb"\s+[0-9a-fA-F]+:[0-9a-fA-F]+\s+\d+(?:\s+(\S.*))?")
_BRIEF = re.compile(
    _RANGE
    + (rb"(?:" + _RIGHTS + rb")?")
    + (rb"(?:\s+([^\s(]\S*))?(?:\s+\(@" + _HEX + rb"\))?")
    + rb"(?:\s+([0-9a-fA-F]{1,128}))?"
)
_VARIABLE = re.compile(rb"\s*(\w{1,64})=(.*)")
_LOGGED = re.compile(rb"[^\[\]]+:\d+\]\s")
_DELETED = " (deleted)"
#: A path has 4,096 bytes at most; what is longer is no line of a map.
_LONGEST = 8192
_ALL = (1 << 64) - 1


def mappings(text: bytes) -> list[Mapping]:
    """The executable mappings, lowest first, which is the program itself; other lines are passed over.

    Addresses are signed 64 bits, as a profile's columns are.
    """
    found: list[Mapping] = []
    variables: dict[bytes, bytes] = {}
    for raw in text.splitlines():
        line = raw.rstrip()
        if not line or len(line) > _LONGEST:
            continue
        if logged := _LOGGED.match(line):
            line = line[logged.end() :]
        for name, value in variables.items():
            if b"$" in line:
                line = line.replace(b"$" + name, value)[:_LONGEST]
        if proc := _PROC.fullmatch(line):
            start, limit, rights, offset, file = proc.groups(b"")
            build_id = b""
        elif brief := _BRIEF.fullmatch(line):
            start, limit, rights, file, offset, build_id = brief.groups(b"")
        else:
            if (variable := _VARIABLE.fullmatch(line)) and len(variables) < 16:
                variables[variable[1]] = variable[2].strip()
            continue
        if not rights or b"x" in rights:
            path = file.decode("utf-8", "replace").removesuffix(_DELETED)
            at, end, skipped = (signed(int(number or b"0", 16)) for number in (start, limit, offset))
            found.append(Mapping(at, end, skipped, path, build_id.decode("ascii")))
    return sorted(found, key=lambda mapping: mapping.start & _ALL)


def signed(address: int) -> int:
    """An address as a profile's columns hold it: the kernel's half of the addresses is negative."""
    return address - (1 << 64) if address >> 63 else address


class Lookup:
    """Finds the mapping that an address lies in."""

    def __init__(self, found: Sequence[Mapping]) -> None:
        """`found` must be in the order of addresses."""
        self._starts = [mapping.start & _ALL for mapping in found]
        self._limits = [mapping.limit & _ALL for mapping in found]

    def at(self, address: int) -> int:
        """The number of the mapping with `address` (not signed) in it, -1 if there is none."""
        number = bisect_right(self._starts, address) - 1
        return number if number >= 0 and address < self._limits[number] else -1
