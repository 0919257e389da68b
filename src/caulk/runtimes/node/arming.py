"""Snapshots near the heap limit, switched on in a running Node.js: v8.setHeapSnapshotNearHeapLimit, by its inspector.

Of Node.js 16.18 and 18.10 and later. It is taken once in the life of a process, and cannot be taken back: a second
call does nothing. Where the file goes was decided when the program started: `--diagnostic-dir`, else the working
directory. Worker threads have heaps and limits of their own, and are not armed.
"""

from collections.abc import Sequence
from posixpath import normpath

from caulk.model.capture import Setting
from caulk.model.errors import CaptureFailed
from caulk.model.target import Process
from caulk.model.units import format_value
from caulk.ports import Reach
from caulk.runtimes.node.door import door, refused
from caulk.runtimes.node.figures import Heap, snapshot_cost
from caulk.runtimes.node.files import unwritable
from caulk.runtimes.node.inspector import opened
from caulk.runtimes.node.switches import dump_directory, stated

SETTING = "v8.setHeapSnapshotNearHeapLimit"
_SWITCH = "heapsnapshot-near-heap-limit"
_SNAPSHOTS = 1
#: Predictions are at most so many times too high: what lacks more than that cannot work.
_TOO_HIGH = 5
_LIMIT = "require('v8').getHeapStatistics().heap_size_limit"
_ARM = f"""(() => {{
  const v8 = require('v8'), key = Symbol.for('caulk.nearHeapLimit');
  if (typeof v8.setHeapSnapshotNearHeapLimit !== 'function') return process.version;
  if (!process[key]) v8.setHeapSnapshotNearHeapLimit({_SNAPSHOTS});
  Object.defineProperty(process, key, {{ value: true, configurable: true }});
  return '';
}})()"""


def arm(reach: Reach, directory: str) -> Sequence[Setting]:
    """Has Node.js write one snapshot when its heap nears its limit, to where it writes such files.

    Raises `CaptureFailed` if that is not `directory` (where one was named), if nothing can be written there, or if the
    memory limit leaves no room for a snapshot of a full heap.
    """
    process = reach.process()
    switches = stated(process)
    where = dump_directory(process)
    if directory and normpath(directory) != where:
        raise CaptureFailed(
            f"a running Node.js writes its snapshots to {where}, and cannot be told otherwise",
            hint=f"Leave --directory out, or start it with NODE_OPTIONS=--diagnostic-dir={directory}.",
        )
    flaw = unwritable(reach, where, switches)
    if flaw:
        raise CaptureFailed(f"no snapshot could be written near the heap limit: {flaw}", hint=_START)
    if switches.get(_SWITCH, "0").strip("0"):
        return [Setting(_SWITCH, switches[_SWITCH], switches[_SWITCH])]
    check = door(reach, process).check
    if check.standing != "ready":
        raise refused(check)
    with opened(reach) as visit:
        _see_that_it_fits(reach, process, int(visit.line.main.evaluate(_LIMIT)))
        too_old = visit.line.main.evaluate(_ARM)
    if too_old:
        raise CaptureFailed(f"Node.js {too_old} cannot be armed while it runs; 16.18 and 18.10 can", hint=_START)
    return [Setting(SETTING, str(_SNAPSHOTS)), Setting("diagnostic-dir", where, where)]


def disarm(reach: Reach, settings: Sequence[Setting]) -> None:
    """Raises `CaptureFailed` if the program is armed by a call that cannot be taken back."""
    if any(setting.name == SETTING for setting in settings):
        raise CaptureFailed(
            f"{reach.target.reference} stays armed until it starts anew: Node.js cannot take {SETTING} back",
            hint="It writes one snapshot, and only when its heap is nearly full.",
        )


_START = "Start it with NODE_OPTIONS='--heapsnapshot-near-heap-limit=1 --diagnostic-dir=DIRECTORY'."


def _see_that_it_fits(reach: Reach, process: Process, limit: int) -> None:
    """A snapshot of a full heap has to fit: else the kernel ends the program, and leaves an empty file."""
    room = reach.room()
    if room.limit is None:
        return
    needed = limit + round(snapshot_cost(Heap(limit, 0, "its limit")).extra_bytes / _TOO_HIGH)
    if needed > room.limit:
        raise CaptureFailed(
            f"a snapshot of the full heap ({format_value(limit, 'bytes')}) of process {process.pid} needs at least"
            f" {format_value(needed, 'bytes')}, and its memory limit is {format_value(room.limit, 'bytes')}:"
            " the kernel would end it first",
            hint="Raise the memory limit, or lower --max-old-space-size.",
        )
