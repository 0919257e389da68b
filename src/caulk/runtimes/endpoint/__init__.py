"""Programs that show their memory over HTTP: an address that answers, whichever way one gets there.

`http` has the one client, `sites` finds what a target serves, `listeners` reads which ports are its own.
"""

from caulk.model.errors import CaptureFailed
from caulk.runtimes.endpoint.http import NotServed, Site, ask, refusal
from caulk.runtimes.endpoint.sites import at_url

__all__ = ["Endpoint", "NotServed"]

_TIMEOUT_S = 60.0
_MOST_BYTES = 128 << 20
_HINT = "The program must serve net/http/pprof (/debug/pprof/) or Envoy's admin interface (/heap_dump) there."


class Endpoint:
    """Where a program that `caulk run` watches serves its profiles, below `root`. Raises `UsageError`."""

    def __init__(self, url: str) -> None:
        self._site: Site = at_url(url)
        self.root, self.port = self._site.root, self._site.port

    def fetch(self, path: str) -> bytes:
        """What is at `path`, at most 128 MiB; raises `Unreachable`, or `CaptureFailed` that says what came instead."""
        answer = ask(self._site, path, timeout_s=_TIMEOUT_S, most_bytes=_MOST_BYTES)
        if answer.status != 200:
            raise refusal(answer, hint="" if answer.status in (401, 403) else _HINT)
        if not answer.body or answer.body.lstrip()[:1] == b"<":
            raise CaptureFailed(f"{answer.url} answered a page, not a profile", hint=_HINT)
        return answer.body
