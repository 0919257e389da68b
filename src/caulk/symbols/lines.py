"""Functions, files and lines of addresses, asked of the tool that is here: `llvm-symbolizer`, else `addr2line`.

All addresses of a file are one question to one process. Both tools fall back to the nearest symbol where debug
information has no answer, and so mislead about stripped code: only what comes with a source file is taken from them.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from caulk.symbols.elf import Elf
from caulk.symbols.names import rust, short
from caulk.symbols.process import answers

#: Inlined calls at one address, at most; compilers stop far earlier.
_MAX_DEPTH = 64


class Place(msgspec.Struct, frozen=True, array_like=True):
    """A function, and where in it."""

    function: str
    file: str = ""
    line: int = 0


#: What an address means: the outermost caller first, what was inlined into it after.
Calls = tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that reads debug information."""

    name: str
    path: str
    arguments: tuple[str, ...]
    parse: Callable[[list[str]], dict[int, Calls]]

    def ask(self, file: Elf, addresses: Sequence[int], *, timeout_s: float) -> tuple[dict[int, Calls], bool]:
        """What it knows of these virtual addresses, and whether it answered to the end."""
        question = "".join(f"0x{address:x}\n" for address in addresses).encode()
        lines, ended = answers([self.path, *self.arguments, str(file.path)], question, timeout_s=timeout_s)
        return self.parse(lines), ended


def tools() -> list[Tool]:
    """The tools on this machine, the better one first."""
    known = (
        ("llvm-symbolizer", ("--output-style=JSON", "--inlines", "--demangle", "--obj"), _of_llvm),
        ("addr2line", ("-a", "-f", "-i", "-C", "-e"), _of_binutils),
    )
    return [Tool(name, path, arguments, parse) for name, arguments, parse in known if (path := shutil.which(name))]


def order_for(file: Elf, found: Sequence[Tool]) -> list[Tool]:
    """Which tool to ask first: only binutils follow debug information that several files share."""
    return sorted(found, key=lambda tool: file.has_shared_lines and tool.name != "addr2line")


def _of_llvm(lines: list[str]) -> dict[int, Calls]:
    """One JSON object a line, its symbols the innermost call first."""
    found = {}
    for line in lines:
        try:
            row: Any = msgspec.json.decode(line)
            address = int(row["Address"], 16)
            calls = [
                Place(_name(s["FunctionName"], s["FileName"]), _file(s["FileName"]), _line(s["Line"]))
                for s in row["Symbol"][:_MAX_DEPTH]
            ]
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
        found[address] = tuple(reversed(calls))
    return _proven(found)


def _of_binutils(lines: list[str]) -> dict[int, Calls]:
    """The address, then two lines a call, `function` and `file:line`, the innermost call first."""
    found: dict[int, Calls] = {}
    address, at = -1, 0
    while at < len(lines):
        line = lines[at]
        if line.startswith("0x") and len(line) in (10, 18):
            address, at = _hex(line), at + 1
            continue
        file, _, number = (lines[at + 1] if at + 1 < len(lines) else "").partition(" (discriminator")[0].rpartition(":")
        calls = found.get(address, ())
        if address >= 0 and len(calls) < _MAX_DEPTH:
            found[address] = (Place(_name(line, file), _file(file), _line(number)), *calls)
        at += 2
    return _proven(found)


def _proven(found: dict[int, Calls]) -> dict[int, Calls]:
    """Only what debug information vouches for, by a source file, with a name for every call."""
    return {address: calls for address, calls in found.items() if calls and all(c.function and c.file for c in calls)}


def _name(function: str, file: str) -> str:
    if not function or function == "??":
        return ""
    # Rust's names have no argument list, but may end like one: `<(A, B) as T>::f::{closure#0}`, `fn(u8)`.
    return rust(function) if file.endswith(".rs") else short(function)


def _file(text: str) -> str:
    return "" if text in ("", "??") else text


def _line(number: Any) -> int:
    try:
        return max(int(number), 0) & 0xFFFFFFFF
    except ValueError:
        return 0


def _hex(text: str) -> int:
    try:
        return int(text, 16)
    except ValueError:
        return -1
