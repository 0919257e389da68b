"""Go, and all else that serves pprof: profiles come from the program's own endpoint.

`net/http/pprof` (https://pkg.go.dev/net/http/pprof) has no switch in the environment: the program must serve it.
The heap is asked for with `gc=1`, since a profile shows the state after the last collection.
`served` finds the endpoint, `ways` takes from it; under `caulk run` it is given.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from caulk.model.capture import Setting
from caulk.model.errors import CaptureFailed, CaulkError
from caulk.model.target import Access, Process
from caulk.ports import Reach, Way
from caulk.runtimes.endpoint import Endpoint
from caulk.runtimes.go.ways import ways_of

NAME = "go"
EVIDENCE = ("profile", "goroutines")
SUFFIX = ".pb.gz"

#: The section that the linker of Go writes into every program, and none other does.
_SECTION = ".go.buildinfo"


def environment(environ: Mapping[str, str], workspace: Path) -> dict[str, str]:
    """Nothing: Go profiles its heap by default and shows it only over HTTP."""
    return {}


def captured(endpoint: Endpoint) -> tuple[dict[str, bytes], dict[str, int]]:
    """Files by their kind: the heap after a collection, and every goroutine with its state."""
    heap = endpoint.fetch("/debug/pprof/heap?gc=1")
    try:
        return {"heap": heap, "goroutine": endpoint.fetch("/debug/pprof/goroutine?debug=2")}, {}
    except CaulkError:
        # Half a capture is better than none: other runtimes serve a heap profile alone.
        return {"heap": heap}, {}


def serves(process: Process) -> bool:
    """Whether Go built the program; where its file cannot be seen, whether nothing speaks against it."""
    if process.sections:
        return _SECTION in process.sections
    libraries = [path.rpartition("/")[2] for path in process.libraries if path != process.executable]
    # Static, or with the C library alone, as cgo needs it.
    return bool(process.libraries) and all(name.startswith(("libc.", "libc-", "ld", "libresolv", "libpthread", "libdl"))
                                           for name in libraries)  # fmt: skip


def ways(reach: Reach, access: Access) -> Sequence[Way]:
    """Every profile of `net/http/pprof`, the heap first."""
    return ways_of(reach, access)


def arm(reach: Reach, directory: str) -> Sequence[Setting]:
    """Raises: Go has no such switch."""
    raise CaptureFailed(
        "Go cannot be told to leave a heap profile when it dies: nothing in it runs when the kernel kills it",
        hint="`caulk run --pprof URL -- CMD`, or captures at intervals, have one from before the end.",
    )


def disarm(reach: Reach, settings: Sequence[Setting]) -> None:
    """Nothing is ever set."""
