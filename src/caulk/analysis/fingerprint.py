"""One name for one leak: the same in another pod, after a rebuild, and when lines have moved."""

import hashlib
import re
from collections.abc import Iterable

_HEX = re.compile(r"0x[0-9a-fA-F]+")
_NUMBERED = re.compile(r"(?<=[.$_])(func)?\d+(?=$|[.$])|\bline:?\d+|:\d+\b")
_TEMPLATE = re.compile(r"\[go\.shape[^\]]*\]|\[\.\.\.\]|<[^<>]*>")


def fingerprint(pattern: str, names: Iterable[tuple[str, str]]) -> str:
    """A hash of (function, file) frames, nearest the allocation first, without what a rebuild changes.

    Numbers of closures, addresses, type arguments, line numbers and the directory that a program lies in are left out.
    """
    parts = [pattern]
    for function, file in names:
        name = _TEMPLATE.sub("", _HEX.sub("", function))
        parts.append(f"{_NUMBERED.sub('', name)}@{file.rpartition('/')[2]}")
    return "sha256:" + hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
