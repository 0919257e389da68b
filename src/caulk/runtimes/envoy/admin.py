"""Where an Envoy's admin interface is, and what it answers to everything: `/memory` tells it from its other ports.

It is looked for where the user said, in the file that `--admin-address-path` names, in the configuration, and then at
the ports that the process listens at.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from caulk.model.capture import Check
from caulk.model.errors import CaptureFailed, CaulkError, Lacks
from caulk.model.target import Access, Process
from caulk.ports import Reach
from caulk.runtimes.endpoint.http import Answer, Site, ask, refusal
from caulk.runtimes.endpoint.sites import at_address, heard, said

#: What people give the admin interface: the examples' port, Choreo's, Istio's, Contour's, Kuma's.
_USUAL = (9901, 9000, 15000, 9001, 19000, 8001, 19001)
_PROBE_S = 5.0
_MOST_BYTES = 1 << 20
_MOST_REASONS = 6
#: The port of the `admin` block, in YAML as in JSON; what stands between is a few lines.
_ADMIN = re.compile(r"""["']?\badmin["']?\s*:.{0,2000}?["']?\bport_value["']?\s*:\s*(\d{1,5})""", re.DOTALL)
_PIPE = re.compile(
    r"""["']?\badmin["']?\s*:[^#]{0,200}?\bpipe["']?\s*:\s*\{?\s*["']?path["']?\s*:\s*["']?([^\s"'},]+)"""
)
_PROFILE_PATH = re.compile(r"""\bprofile_path["']?\s*:\s*["']?([^\s"'},]+)""")
_FORBIDDEN = b"request to path /memory not allowed"
DEFAULT_PROFILE_PATH = "/var/log/envoy/envoy.prof"

HINT = """Envoy has to have an admin interface, for itself alone:
    admin: {address: {socket_address: {address: 127.0.0.1, port_value: 9901}}}
If it has one, --port says where."""


@dataclass(frozen=True, slots=True)
class Admin:
    """An admin interface that answers, with the allocator's figures in bytes: `allocated`, `heap_size` …"""

    site: Site
    figures: Mapping[str, int] = field(default_factory=dict)

    def ask(self, path: str, *, method: str = "GET", timeout_s: float = 60.0, most_bytes: int = _MOST_BYTES) -> Answer:
        """What is at `path`."""
        return ask(self.site, path, method=method, timeout_s=timeout_s, most_bytes=most_bytes)


class Search:
    """The admin interface of one target, looked for when it is first needed, and once."""

    def __init__(self, reach: Reach, access: Access) -> None:
        self.reach, self.access = reach, access
        self._reasons: list[str] = []

    @property
    def admin(self) -> Admin:
        """Raises `CaptureFailed` with what was tried."""
        found = self._found
        if isinstance(found, CaulkError):
            raise type(found)(str(found), hint=found.hint)
        return found

    @cached_property
    def process(self) -> Process | None:
        """The process; None where there is only an address."""
        try:
            return self.reach.process()
        except CaulkError:
            return None

    @cached_property
    def configuration(self) -> str:
        """What it was started with, as far as that can be read; where a setting is said twice, the last one counts."""
        if not self.process:
            return ""
        texts = []
        for option in ("-c", "--config-path"):
            if path := _option(self.process.command, option):
                texts.append(self._text(path))
        texts.append(_option(self.process.command, "--config-yaml"))
        return "\n".join(texts)

    @property
    def profile_path(self) -> str:
        """What the names of gperftools' files begin with, as far as that is known before they are written."""
        said_so = _PROFILE_PATH.findall(self.configuration)
        return self.absolute(said_so[-1]) if said_so else DEFAULT_PROFILE_PATH

    def absolute(self, path: str) -> str:
        """A path of Envoy's, from its own directory."""
        return path if path.startswith("/") or not self.process else f"{self.process.directory.rstrip('/')}/{path}"

    def check(self) -> Check | None:
        """Why nothing can be taken; None if the interface answers."""
        try:
            _ = self.admin
        except Lacks as error:
            return Check("impossible", str(error), error.hint)
        except CaulkError as error:
            return Check("needs", str(error), error.hint)
        return None

    @cached_property
    def _found(self) -> Admin | CaulkError:
        try:
            for site in self._sites():
                if found := self._served(site):
                    return found
        except CaulkError as error:
            return error
        tried = "; ".join(self._reasons[:_MOST_REASONS]) or "it listens at no TCP port that can be seen"
        return CaptureFailed(f"Envoy's admin interface does not answer: {tried}", hint=HINT)

    def _sites(self) -> Iterator[Site]:
        if named := said(self.reach, self.access):
            yield named
            return
        tried = set()
        for address in self._addresses():
            tried.add(address)
            yield at_address(self.reach, address, self.access)
        for site in heard(self.reach, self.access, _USUAL):
            if (site.host, site.port) not in tried:
                yield site

    def _addresses(self) -> Iterator[tuple[str, int] | str]:
        """Where the program itself says that it is; other ports of it lead to other people's servers."""
        command = self.process.command if self.process else ()
        if path := _option(command, "--admin-address-path"):
            host, colon, port = self._text(path).strip().rpartition(":")
            if colon and port.isdigit():
                yield _loopback(host), int(port)
            elif port:
                yield port
        for port in _ADMIN.findall(self.configuration)[::-1]:
            yield "127.0.0.1", int(port)
        yield from map(self.absolute, _PIPE.findall(self.configuration))

    def _served(self, site: Site) -> Admin | None:
        try:
            answer = ask(site, "/memory", timeout_s=_PROBE_S, most_bytes=_MOST_BYTES)
            figures = _figures(answer.body)
            # Where `allow_paths` leaves /memory out, other paths may still be allowed.
            if "allocated" in figures or _FORBIDDEN in answer.body:
                return Admin(site, figures)
            self._reasons.append(str(refusal(answer)) if answer.status != 200 else f"{answer.url} is another page")
        except CaulkError as error:
            self._reasons.append(str(error))
        return None

    def _text(self, path: str) -> str:
        try:
            return b"".join(self.reach.fetch(self.absolute(path), 0, _MOST_BYTES)).decode("utf-8", "replace")
        except CaulkError:
            return ""


def explained(answer: Answer) -> Check:
    """Why a path of the interface is not to be had."""
    if answer.status == 403:
        path = answer.url.rpartition("/")[2]
        return Check(
            "needs",
            f"{answer.url} is not allowed: {answer.words}",
            f"admin:\n  allow_paths: [{{prefix: /{path}}}]   # beside those that are there",
        )
    if answer.status == 404:
        return Check("impossible", f"this Envoy has no {answer.url.rpartition('/')[2]}: it is older")
    return Check("impossible", f"{answer.url} answered {answer.status}: {answer.words}")


def _figures(body: bytes) -> dict[str, int]:
    try:
        said_so = json.loads(body)
        return {str(name): int(value) for name, value in said_so.items() if str(value).isdecimal()}
    except (ValueError, AttributeError):
        return {}


def _option(command: tuple[str, ...], name: str) -> str:
    """The value of an option, in the word behind it or behind its `=`; empty if it is not there."""
    for at, word in enumerate(command):
        if word == name and at + 1 < len(command):
            return command[at + 1]
        if word.startswith(name + "="):
            return word.partition("=")[2]
    return ""


def _loopback(host: str) -> str:
    host = host.strip("[]")
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - an address that is listened at
