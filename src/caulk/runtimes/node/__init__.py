"""Node.js: its heap by the inspector, snapshots that it writes itself, and its agent under `caulk run`.

What runs already is asked over the inspector (`inspector`, `protocol`), which a signal opens and which is closed again;
how `caulk run` has it watched is in `launching`.
"""

import re
from collections.abc import Sequence

from caulk.model.target import Access, Process
from caulk.ports import Reach, Way
from caulk.runtimes.node.arming import arm, disarm
from caulk.runtimes.node.files import Collected, Signalled
from caulk.runtimes.node.launching import AGENT, environment, recognises, why_silent
from caulk.runtimes.node.sampling import Figures, Sampling
from caulk.runtimes.node.snapshots import Snapshot, WorkerSnapshots
from caulk.runtimes.node.survey import Survey

__all__ = [
    "AGENT",
    "EVIDENCE",
    "NAME",
    "SUFFIX",
    "arm",
    "disarm",
    "environment",
    "recognises",
    "serves",
    "ways",
    "why_silent",
]

NAME = "node"
EVIDENCE = ("heap graph", "profile", "figures")
SUFFIX = ".heapprofile"

_PROGRAM = re.compile(r"node(js)?[\d.]*( \(deleted\))?")
_LIBRARY = re.compile(r"libnode\.so(\.\d+)*")


def serves(process: Process) -> bool:
    """Whether a process is Node.js: by its program, or by the library that it is built into."""
    program = process.executable or (process.command[0] if process.command else "")
    return _PROGRAM.fullmatch(program.rpartition("/")[2]) is not None or any(
        _LIBRARY.fullmatch(path.rpartition("/")[2]) for path in process.libraries
    )


def ways(reach: Reach, access: Access) -> Sequence[Way]:
    """The heap as a graph, over the inspector or as a file; then who allocates; then figures."""
    survey = Survey(reach, access)
    return (
        Snapshot(survey),
        WorkerSnapshots(survey),
        Signalled(survey),
        Collected(survey),
        Sampling(survey),
        Figures(survey),
    )
