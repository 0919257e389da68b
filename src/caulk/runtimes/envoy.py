"""Envoy, through its admin interface: tcmalloc's sampled heap, and what the allocator says of itself.

Source: https://www.envoyproxy.io/docs/envoy/latest/operations/admin, `/heap_dump` and `/memory`. Builds with Google's
tcmalloc, which all official ones are, need no debug image for it; a stripped binary leaves addresses, not names.
"""

import json

from caulk.model.errors import CaulkError
from caulk.runtimes.endpoint import Endpoint

NAME = "envoy"
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
