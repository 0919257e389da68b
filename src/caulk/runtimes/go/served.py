"""Where a program serves pprof, and what it says of itself there; nothing is asked for that costs it anything.

A request with `seconds=0` is refused before a profile is made (400, with the header `X-Go-Pprof`), which tells that the
profile is there. `net/http/pprof` has handlers of its own for `profile` and `symbol`: where only `pprof.Index` is
mounted both are answered 404 with that header, which is no sign that there is no pprof.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from caulk.model.errors import CaptureFailed, CaulkError, Unreachable
from caulk.model.target import Access
from caulk.ports import Reach
from caulk.runtimes.endpoint.http import Answer, Distrusted, Site, ask, refusal
from caulk.runtimes.endpoint.sites import heard, said

#: Ports that people give to pprof.
_USUAL = (6060, 6061, 8080, 9090)
_PROBE_S = 3.0
_MOST_BYTES = 256 << 10
_MOST_REASONS = 6
_COUNT = re.compile(rb"""(\d{1,18})\s*(?:</td>\s*)?<td>\s*<a href=['"]?(?:[^'">?]*/)?([\w.%-]{1,100})\?debug=1""")
_SPEAKS_TLS = b"HTTP request to an HTTPS server"

HINT = """The program has to serve net/http/pprof; for itself alone:
    import _ "net/http/pprof"
    go func() { log.Println(http.ListenAndServe("127.0.0.1:6060", nil)) }()
If it does, --port, --prefix, --https, --user and --header say where."""


@dataclass(frozen=True, slots=True)
class Pprof:
    """An endpoint that answers: `root` is the path that the names of profiles are put behind.

    `counts` are the entries of each profile by its name, where the index says them.
    """

    site: Site
    root: str
    counts: Mapping[str, int] = field(default_factory=dict)

    def ask(self, path: str, *, timeout_s: float = _PROBE_S, most_bytes: int = _MOST_BYTES) -> Answer:
        """What is at `path` below the root."""
        return ask(self.site, f"{self.root}/{path}", timeout_s=timeout_s, most_bytes=most_bytes)


class Search:
    """The endpoint of one target, looked for when it is first needed, and once."""

    def __init__(self, reach: Reach, access: Access) -> None:
        self._reach, self._access = reach, access
        self._reasons: list[str] = []
        self._unreachable: Unreachable | None = None

    @property
    def pprof(self) -> Pprof:
        """Raises `CaptureFailed` with what was tried."""
        found = self._found
        if isinstance(found, CaulkError):
            raise type(found)(str(found), hint=found.hint)
        return found

    @cached_property
    def _found(self) -> Pprof | CaulkError:
        try:
            named = said(self._reach, self._access)
            for site in [named] if named else heard(self._reach, self._access, _USUAL):
                if found := self._served(site, is_named=named is not None):
                    return found
        except CaulkError as error:
            return error
        if self._unreachable:
            return self._unreachable
        tried = "; ".join(self._reasons[:_MOST_REASONS]) or "it listens at no TCP port that can be seen"
        return CaptureFailed(f"pprof is not served: {tried}", hint=HINT)

    def _served(self, site: Site, *, is_named: bool) -> Pprof | None:
        try:
            answer = self._probe(site, "/debug/pprof/")
            if _SPEAKS_TLS in answer.body:
                site = replace(site, scheme="https")
                answer = self._probe(site, "/debug/pprof/")
            for root, first in self._roots(site, answer):
                counts = {name.decode(): int(count) for count, name in _COUNT.findall(first.body)}
                if "goroutine" in counts or "x-go-pprof" in first.headers:
                    return Pprof(site, root, counts)
                alone = self._probe(site, f"{root}/heap?seconds=0")
                if "x-go-pprof" in alone.headers or (alone.status == 200 and _is_profile(alone)):
                    return Pprof(site, root)
            self._reasons.append(str(refusal(answer)) if answer.status != 200 else f"{answer.url} is another page")
        except CaulkError as error:
            self._reasons.append(str(error))
            # Of several ports one that cannot be trusted may be the one; that others are silent says nothing.
            if isinstance(error, Unreachable if is_named else Distrusted):
                self._unreachable = error
        return None

    def _roots(self, site: Site, answer: Answer) -> Iterator[tuple[str, Answer]]:
        """Paths that profiles may be below, each with what its index is: a prefix may already be the whole of it."""
        yield "/debug/pprof", answer
        if site.prefix:
            yield "", self._probe(site, "/")

    def _probe(self, site: Site, path: str) -> Answer:
        return ask(site, path, timeout_s=_PROBE_S, most_bytes=_MOST_BYTES)


def _is_profile(answer: Answer) -> bool:
    return answer.body[:2] == b"\x1f\x8b" or answer.body.startswith(b"heap profile:")
