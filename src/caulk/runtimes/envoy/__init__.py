"""Envoy, through its admin interface: what its allocator has sampled, and what it says of itself.

Source: https://www.envoyproxy.io/docs/envoy/latest/operations/admin. Builds with Google's tcmalloc, which all official
ones are, serve `/heap_dump` and need no debug image for it; a stripped binary leaves addresses, not names. Builds with
gperftools have `/heapprofiler` instead. `admin` finds the interface, `ways` and `recording` take from it.
"""

import json
from collections.abc import Sequence

from caulk.model.capture import Setting
from caulk.model.errors import CaptureFailed, CaulkError
from caulk.model.target import Access, Process
from caulk.ports import Reach, Way
from caulk.runtimes.endpoint import Endpoint
from caulk.runtimes.endpoint.sites import is_bare
from caulk.runtimes.envoy.admin import Search
from caulk.runtimes.envoy.recording import HeapProfiler
from caulk.runtimes.envoy.ways import AllocationProfile, Dump, Figures

NAME = "envoy"
EVIDENCE = ("profile",)
SUFFIX = ".pb.gz"


def captured(endpoint: Endpoint) -> tuple[dict[str, bytes], dict[str, int]]:
    """Files by their kind, and the allocator's figures in bytes (`allocated`, `heap_size` …)."""
    heap = endpoint.fetch("/heap_dump")
    try:
        said = json.loads(endpoint.fetch("/memory"))
        return {"heap": heap}, {str(k): int(v) for k, v in said.items() if str(v).isascii() and str(v).isdigit()}
    except (CaulkError, ValueError, AttributeError):
        # The profile is what was asked for; the figures only tell how much of the heap it shows.
        return {"heap": heap}, {}


def serves(process: Process) -> bool:
    """Whether the program is Envoy, by the name of its file."""
    names = (process.executable, process.command[0] if process.command else "")
    return any(name.rpartition("/")[2].startswith("envoy") for name in names)


def ways(reach: Reach, access: Access) -> Sequence[Way]:
    """The live heap, the heap at its peak, what is allocated meanwhile, by either allocator; and figures."""
    search = Search(reach, access)
    heap = Dump("heap", "/heap_dump", search)
    if is_bare(reach) and search.check():
        # Whatever answers there, it is no Envoy: one way says so.
        return [heap]
    return [
        heap,
        Dump("peak", "/peak_heap_dump", search),
        HeapProfiler(search),
        AllocationProfile(search),
        Figures(search),
    ]


def arm(reach: Reach, directory: str) -> Sequence[Setting]:
    """Raises: Envoy has no such switch."""
    raise CaptureFailed(
        "Envoy cannot be told to leave a heap profile when it dies: nothing in it runs when the kernel kills it",
        hint="`/heap_dump` costs it little: take captures at intervals, and have one from before the end.",
    )


def disarm(reach: Reach, settings: Sequence[Setting]) -> None:
    """Nothing is ever set."""
