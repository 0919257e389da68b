"""How large a V8 heap is and may become: by the memory map, the switches, and V8's default where there is none.

The default of the old generation is half of the memory that Node.js sees, the container's limit if there is one, and
4 GB at most (v8::ResourceConstraints::ConfigureDefaults).
"""

from caulk.model.breakdown import Bound, HeapNow
from caulk.model.target import Process
from caulk.ports import Reach
from caulk.runtimes.node import figures
from caulk.runtimes.node.switches import stated

_MIB = 1 << 20
_MOST_DEFAULT = 4 << 30
_TEMPLATE = "--max-old-space-size={mb}"


def heap(reach: Reach, process: Process) -> HeapNow | None:
    """The pages of V8's heap that are resident; None where the map does not tell them."""
    found = figures.heap(reach, process)
    if found.largest is None:
        return None
    return HeapNow(found.resident, found.resident, "V8's pages in the memory map")


def bound(process: Process, limit: int | None) -> Bound | None:
    """What --max-old-space-size says; without it V8's default for the limit."""
    switches = {name.replace("_", "-"): value for name, value in stated(process).items()}
    said = switches.get("max-old-space-size", "")
    if said.isdigit() and int(said):
        return Bound(int(said) * _MIB, f"--max-old-space-size={said}", _TEMPLATE)
    percent = switches.get("max-old-space-size-percentage", "")
    if limit is not None and percent.isdigit():
        return Bound(limit * int(percent) // 100, f"--max-old-space-size-percentage={percent}", _TEMPLATE)
    if limit is None:
        return None
    return Bound(
        min(limit // 2, _MOST_DEFAULT), "no --max-old-space-size, so V8's default of half the limit", _TEMPLATE
    )
