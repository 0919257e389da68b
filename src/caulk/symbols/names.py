"""Function names as people say them: demangled, without the argument list and the return type."""

import re
import shutil
from collections.abc import Iterable

from caulk.symbols.process import answers
from caulk.symbols.standard import plain

_MANGLED = re.compile(r"_{1,3}[ZR]\w[\w.$@]*\Z")
_RUST_HASH = re.compile(r"::h[0-9a-f]{16}$")
_RUST_ESCAPES = {
    "$LT$": "<", "$GT$": ">", "$RF$": "&", "$BP$": "*", "$C$": ",", "$LP$": "(", "$RP$": ")", "$u20$": " ",
    "$u27$": "'", "$u5b$": "[", "$u5d$": "]", "$u7b$": "{", "$u7d$": "}", "$u3b$": ";", "$u2b$": "+", "..": "::",
}  # fmt: skip
_RUST_ESCAPE = re.compile("|".join(map(re.escape, _RUST_ESCAPES)))
_CRATE_HASH = re.compile(r"(?<=\w)\[[0-9a-f]{1,16}\](?=::)")
_RUST_GUARD = re.compile(r"(?:^|(?<=::))_(?=\$)")
_CLONE = re.compile(r"@|\.(?:cold|part|constprop|isra|lto_priv|llvm|localalias)\b| \[clone | \(\.")
_QUALIFIERS = re.compile(r"\)(?: const| volatile| ?&)*$")
_MAX_NAME = 4096
_OPENING, _CLOSING = "(<{[", ")>}]"


def demangled(names: Iterable[str]) -> dict[str, str]:
    """What a person calls each of these symbols; a name that no tool here can demangle stands for itself."""
    plain = {name: _CLONE.split(name, 1)[0] for name in names}
    mangled = sorted({name for name in plain.values() if _MANGLED.match(name)})
    said = dict(zip(mangled, _tool(mangled), strict=False)) if mangled else {}
    shorter = {base: rust(text) if base.startswith("_R") else short(text) for base, text in said.items()}
    return {name: shorter.get(base) or short(base) for name, base in plain.items()}


def _tool(mangled: list[str]) -> list[str]:
    """One line for each name by the first demangler found; nothing where it does not answer so."""
    for tool in ("c++filt", "llvm-cxxfilt"):
        path = shutil.which(tool)
        if path:
            lines, _ = answers([path], "".join(f"{name}\n" for name in mangled).encode())
            if len(lines) == len(mangled):
                return lines
    return []


def short(name: str) -> str:
    """`void shop::fill<int>(int&) const` is `shop::fill<int>`; a Rust path loses its hash, `std` what it fills in.

    Template arguments stay, for they tell instances of one source line apart; overloads are told apart by their line.
    """
    name = name[:_MAX_NAME]
    name = _CLONE.split(name, 1)[0] or name
    if _RUST_HASH.search(name):
        return rust(name)
    name = plain(name)
    end = _QUALIFIERS.search(name)
    if not end:
        return name
    at = _opening(name, end.start())
    bare = name[:at]
    if not bare or bare.endswith("operator"):
        # `operator()` has no list of its own; nothing may be left of a name that is only brackets.
        return name
    return bare[_after_return_type(bare) :]


def rust(name: str) -> str:
    """A Rust path without the hashes of function and crate, and without the escapes of the older mangling."""
    name = _CRATE_HASH.sub("", _RUST_HASH.sub("", name[:_MAX_NAME]))
    return _RUST_ESCAPE.sub(lambda m: _RUST_ESCAPES[m[0]], _RUST_GUARD.sub("", name)) if "$" in name else name


def _opening(name: str, closing: int) -> int:
    """Where the bracket that closes at `closing` opens; 0 where it never does."""
    depth = 0
    for at in range(closing, -1, -1):
        depth += (name[at] == ")") - (name[at] == "(")
        if not depth:
            return at
    return 0


def _after_return_type(name: str) -> int:
    """Where the path of a function begins: behind the last space that no bracket encloses."""
    depth = start = 0
    for at, char in enumerate(name):
        if not depth and name.startswith("operator", at) and (not at or not (name[at - 1].isalnum())):
            break
        if char in _OPENING:
            depth += 1
        elif char in _CLOSING:
            depth = max(depth - 1, 0)
        elif char == " " and not depth:
            start = at + 1
    return start
