"""How large a JVM's heap is and may become: by its counters, its switches, and the defaults where it has none.

Counters say what is used, not what of it is resident: half a region behind a large object was never touched. The heap
is reserved in one piece, as large as it may become, which the memory map shows.

Defaults: https://docs.oracle.com/en/java/javase/21/docs/specs/man/java.html, -Xmx and -XX:MaxRAMPercentage.
"""

import re
from collections.abc import Collection, Iterator, Sequence

from caulk.model.breakdown import Bound, HeapNow
from caulk.model.errors import CaulkError
from caulk.model.target import Process
from caulk.model.units import parse_bytes
from caulk.ports import Reach
from caulk.runtimes.jvm.figures import from_counters
from caulk.runtimes.jvm.flags import stated, words
from caulk.runtimes.jvm.perfdata import Counters, counters

_XMX = re.compile(r"-Xmx(\d+[kKmMgGtT]?)")
_DEFAULT_PERCENT = 25.0
_ZGC = "/memfd:java_heap"
_HEAD = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (?:rw|--)-p \S+ \S+ (?:0 *$|\d+ +\S+\.jsa$)")
#: Heaps are aligned to the largest region or page; more than this beside the heap is another piece.
_ALIGNED_BYTES = 33 << 20
_MOST_MAP, _PAGE = 32 << 20, 4096
#: Without -Xmx a JVM in a small container takes half of it (-XX:MinRAMPercentage).
_SMALL_BYTES, _SMALL_PERCENT = 250 << 20, 50.0


def heap(reach: Reach, process: Process) -> HeapNow | None:
    """The heap by the JVM's own counters; None where they cannot be read, and of ZGC, whose heap is shared memory."""
    found = counters(reach, process.pid)
    if not any(name.endswith(".capacity") for name in found):
        return None
    now = from_counters(found, reach.reading().rss)
    smaps, most = _smaps(reach, process), _most(found)
    if _ZGC in smaps:
        return None
    # The generations share one piece: G1's each may take all of it, others' lie behind one another.
    lengths = {*most, sum(most)}
    resident = max((size for length, size in _pieces(smaps) if _is_heap(length, lengths)), default=None)
    if resident is None:
        return HeapNow(now.used, now.size, "the JVM's counters")
    return HeapNow(min(now.used, resident), resident, "the JVM's counters and memory map")


def bound(process: Process, limit: int | None) -> Bound | None:
    """What -Xmx or MaxRAMPercentage say, the last word wins; without both a quarter of the memory it sees."""
    template = "-Xmx{mb}m (or -XX:MaxRAMPercentage={percent})"
    switches = stated(process)
    said = _last_xmx(words(process)) or switches.get("MaxHeapSize", "")
    if said:
        return Bound(_bytes(said), f"-Xmx{said}", template, is_filled=True)
    if limit is None or switches.get("UseContainerSupport") == "false":
        return Bound(None, "no -Xmx is set", template, is_filled=True) if limit else None
    if "MaxRAMPercentage" in switches:
        percent, setting = _number(switches["MaxRAMPercentage"]), f"-XX:MaxRAMPercentage={switches['MaxRAMPercentage']}"
    else:
        percent = _SMALL_PERCENT if limit < _SMALL_BYTES else _DEFAULT_PERCENT
        setting = f"no -Xmx, so the JVM's default of {percent:.0f} % of the limit"
    return Bound(round(limit * percent / 100), setting, template, is_filled=True)


def _most(found: Counters) -> list[int]:
    """How large each generation may become, without the few bytes by which collectors pad that."""
    said = (found.get(f"sun.gc.generation.{i}.maxCapacity", 0) for i in (0, 1))
    return [value // _PAGE * _PAGE for value in said if isinstance(value, int) and value >= _PAGE]


def _smaps(reach: Reach, process: Process) -> str:
    try:
        return b"".join(reach.fetch(f"/proc/{process.pid}/smaps", 0, _MOST_MAP)).decode("ascii", "replace")
    except CaulkError:
        return ""


def _is_heap(length: int, lengths: Collection[int]) -> bool:
    return any(most <= length < most + _ALIGNED_BYTES for most in lengths)


def _pieces(smaps: str) -> Iterator[tuple[int, int]]:
    """The length and the resident bytes of each run of mappings without a gap, and of each beginning of one.

    Right behind the heap other memory of the JVM's may lie.
    """
    length = resident = end = 0
    is_ours = False
    for line in [*smaps.splitlines(), "0-0 ---- 0 0 0"]:
        if line[:1] in "0123456789abcdef":
            if is_ours:
                yield length, resident
            head = _HEAD.match(line)
            is_ours = head is not None
            if head:
                if int(head[1], 16) != end:
                    length = resident = 0
                end = int(head[2], 16)
                length += end - int(head[1], 16)
        elif is_ours and line.startswith("Anonymous:"):
            resident += int(line.split()[1]) << 10


def _last_xmx(said: Sequence[str]) -> str:
    return next((match[1] for word in reversed(said) if (match := _XMX.fullmatch(word))), "")


def _bytes(said: str) -> int | None:
    try:
        return parse_bytes(said)
    except ValueError:
        return None


def _number(said: str) -> float:
    try:
        return float(said)
    except ValueError:
        return _DEFAULT_PERCENT
