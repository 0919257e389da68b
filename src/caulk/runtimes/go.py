"""Go, and all else that serves pprof, under `caulk run`: profiles come from the program's own endpoint.

`net/http/pprof` (https://pkg.go.dev/net/http/pprof) has no switch in the environment: the program must serve it.
The heap is asked for with `gc=1`, since a profile shows the state after the last collection.
"""

from collections.abc import Mapping
from pathlib import Path

from caulk.model.errors import CaulkError
from caulk.runtimes.endpoint import Endpoint

NAME = "go"
SUFFIX = ".pb.gz"


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
