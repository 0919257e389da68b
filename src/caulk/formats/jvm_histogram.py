"""JVM class histograms: the text of `jcmd PID GC.class_histogram` and `jmap -histo`.

Source: HotSpot, memory/heapInspection.cpp. One row a class with its instances and bytes, and no stacks: a class is the
only frame. It says what there is, not who made it or holds it.
"""

import io
import re

from caulk.formats.builder import ProfileBuilder
from caulk.model.errors import MalformedDump
from caulk.model.measure import Measure
from caulk.model.profile import Profile

NAME = "jvm-histogram"

_HEADER = re.compile(rb"^ *num +#instances +#bytes +[Cc]lass name", re.MULTILINE)
_ROW = re.compile(r" *\d{1,9}: +(\d{1,18}) +(\d{1,18}) +(\S.*)")
_MODULE = re.compile(r"(.*\S) \(([^()\s]+)\)")
_TOTAL = re.compile(r"Total +(\d{1,18}) +(\d{1,18})")
_PRIMITIVES = {
    "B": "byte", "C": "char", "D": "double", "F": "float", "I": "int", "J": "long", "S": "short", "Z": "boolean",
}  # fmt: skip


def sniff(head: bytes) -> bool:
    """The heading of the columns within the first lines."""
    return b"\0" not in head and _HEADER.search(head[:512]) is not None


def read(data: bytes) -> Profile:
    """One frame a class, its file the module where given; without its last line, the total, the text is a part."""
    builder = ProfileBuilder(Measure("live", "bytes"), Measure("instances", "count"))
    seen_bytes = unread = 0
    total: int | None = None
    is_table = False
    for raw in io.TextIOWrapper(io.BytesIO(data), "utf-8", "replace", newline="\n"):
        line = raw.rstrip()
        if row := _ROW.fullmatch(line):
            instances, size = int(row[1]), int(row[2])
            seen_bytes += size
            module = _MODULE.fullmatch(row[3])
            name, file = (module[1], module[2]) if module else (row[3], "")
            builder.add((builder.frame(_readable(name), file),), (size, instances))
            is_table = True
        elif match := _TOTAL.fullmatch(line):
            total = int(match[2])
            break
        elif line and is_table:
            unread += 1
    if not len(builder) and total is None:
        raise MalformedDump("a class histogram without a class", hint="The text was cut short; take it again.")
    coverage, warnings = _coverage(seen_bytes, total)
    if unread:
        warnings += (f"{unread:,} lines make no sense and were left out",)
    return builder.build(format=NAME, runtime="jvm", kind="histogram", coverage=coverage, warnings=warnings)


def _coverage(seen: int, total: int | None) -> tuple[float, tuple[str, ...]]:
    if total is None:
        return 1.0, ("the histogram has no total: it was cut short, and smaller classes are missing",)
    if seen >= total:
        return 1.0, ()
    return seen / total, (f"the classes add up to {seen / total:.0%} of the total",)


def _readable(name: str) -> str:
    """A class as Java's source names it: `[Lcom.x.Y;` → `com.x.Y[]`, `[[I` → `int[][]`."""
    element = name.lstrip("[")
    dimensions = len(name) - len(element)
    if not dimensions:
        return name
    is_class = element.startswith("L") and element.endswith(";")
    return (element[1:-1] if is_class else _PRIMITIVES.get(element, element)) + "[]" * dimensions
