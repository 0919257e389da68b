"""The Docker Engine API, as far as captures need it: Docker and Podman speak it over a Unix socket, or over TCP.

Source: https://docs.docker.com/reference/api/engine/version/v1.41/. The stream of an exec is hijacked from HTTP and,
without a terminal, comes in frames: a header of 8 bytes (1 is standard output, 2 standard error; the length in big
endian), then the content.
"""

import contextlib
import http.client
import json
import os
import socket
import ssl
import tarfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import quote, urlencode, urlsplit

from caulk.model.errors import CaptureFailed, Lacks, Unreachable, UsageError

_VERSION = "/v1.41"
_TIMEOUT_S = 60.0
_MOST_BYTES = 64 << 20
_LONGEST_HEAD = 64 << 10
_FRAME, _STDERR, _PIECE = 8, 2, 1 << 18
_SOME, _MUCH, _REST_S = 4 << 10, 64 << 10, 0.0002
_HINT = "Is the engine running, and may this user use it? DOCKER_HOST chooses another."


class Engine:
    """An engine at `DOCKER_HOST`, or where it usually listens."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self.address = environ.get("DOCKER_HOST") or _usual(environ)
        self._tls = _tls(environ)
        parts = urlsplit(self.address)
        if parts.scheme not in ("unix", "tcp", "http", "https"):
            raise UsageError(
                f"DOCKER_HOST={self.address}: caulk speaks to unix:// and tcp:// engines",
                hint="For ssh://, forward the socket: ssh -L /tmp/docker.sock:/var/run/docker.sock HOST",
            )

    @property
    def is_here(self) -> bool:
        """Whether it is reached over a Unix socket: then it most likely runs on this machine."""
        return self.address.startswith("unix:")

    def get(self, path: str, **query: Any) -> Any:
        """What the engine answers, as JSON."""
        return self._json("GET", path, query=query)

    def post(self, path: str, body: Any = None, **query: Any) -> Any:
        """The same, with something to be done."""
        return self._json("POST", path, body, query)

    def delete(self, path: str, **query: Any) -> None:
        """Removes something; it may be gone."""
        with contextlib.suppress(NotThere):
            self._json("DELETE", path, query=query)

    @contextlib.contextmanager
    def archive(self, container: str, path: str) -> Iterator[tarfile.TarFile]:
        """A file or a directory of a container, running or stopped, as a tar that is read as it comes."""
        where = f"/containers/{quote(container)}/archive"
        with (
            self._answered("GET", where, None, {"path": path}) as answer,
            tarfile.open(fileobj=cast("IO[bytes]", answer), mode="r|") as archive,
        ):
            yield archive

    def hijack(self, path: str, body: Any) -> socket.socket:
        """The raw stream behind a request that upgrades the connection."""
        data = json.dumps(body).encode()
        link = self._connect()
        try:
            link.sendall(
                f"POST {_VERSION}{path} HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\n"
                f"Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: {len(data)}\r\n\r\n".encode()
                + data
            )
            head = b""
            while not head.endswith(b"\r\n\r\n") and len(head) < _LONGEST_HEAD:
                byte = link.recv(1)
                if not byte:
                    raise Unreachable(f"{self.address} hung up", hint=_HINT)
                head += byte
            status = int(head.split(None, 2)[1])
            if status not in (101, 200):
                raise _refused(status, link.recv(4096), path)
        except (OSError, ValueError, IndexError) as error:
            link.close()
            raise Unreachable(f"{self.address} did not answer: {error}", hint=_HINT) from error
        except BaseException:
            link.close()
            raise
        link.settimeout(None)
        return link

    def _json(self, method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None) -> Any:
        with self._answered(method, path, body, query or {}) as answer:
            data = answer.read(_MOST_BYTES)
        try:
            # Events come a line each.
            return [json.loads(line) for line in data.splitlines()] if path == "/events" else json.loads(data or "null")
        except ValueError:
            raise CaptureFailed(f"{self.address} answered something that is no JSON to {path}") from None

    @contextlib.contextmanager
    def _answered(
        self, method: str, path: str, body: Any, query: Mapping[str, Any]
    ) -> Iterator[http.client.HTTPResponse]:
        asked = urlencode({name: v if isinstance(v, str) else json.dumps(v) for name, v in query.items()})
        link = http.client.HTTPConnection("docker", timeout=_TIMEOUT_S)
        link.sock = self._connect()
        try:
            data = None if body is None else json.dumps(body).encode()
            headers = {"Content-Type": "application/json"} if data else {}
            link.request(method, f"{_VERSION}{path}{'?' + asked if asked else ''}", data, headers)
            answer = link.getresponse()
            if answer.status >= 300:
                raise _refused(answer.status, answer.read(4096), path)
            yield answer
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"{self.address} did not answer: {error}", hint=_HINT) from error
        finally:
            link.close()

    def _connect(self) -> socket.socket:
        parts = urlsplit(self.address)
        try:
            if parts.scheme == "unix":
                link = socket.socket(socket.AF_UNIX)
                link.settimeout(_TIMEOUT_S)
                link.connect(parts.path)
                return link
            link = socket.create_connection((parts.hostname or "", parts.port or 2375), _TIMEOUT_S)
            return self._tls.wrap_socket(link, server_hostname=parts.hostname) if self._tls else link
        except OSError as error:
            raise Unreachable(f"there is no engine at {self.address}: {error}", hint=_HINT) from error


class NotThere(CaptureFailed):
    """The engine knows no such thing."""


class Exec:
    """A command in a container: a `Channel`."""

    def __init__(self, engine: Engine, container: str, command: Sequence[str], *, has_stdin: bool, **more: Any) -> None:
        self._engine = engine
        asked = {
            "AttachStdin": has_stdin,
            "AttachStdout": True,
            "AttachStderr": True,
            "Tty": False,
            "Cmd": list(command),
            **more,
        }
        self._id = engine.post(f"/containers/{quote(container)}/exec", asked)["Id"]
        self._link = engine.hijack(f"/exec/{self._id}/start", {"Detach": False, "Tty": False})
        self._buffer = bytearray(_PIECE)
        self._head, self._stream, self._left = bytearray(), 0, 0
        self._errors = bytearray()
        self._came = 0

    @property
    def errors(self) -> bytes:
        """What it said on standard error so far."""
        return bytes(self._errors)

    def read(self) -> bytes:
        """The next of its standard output; empty at the end."""
        while True:
            if _SOME < self._came < _MUCH:
                # Each small piece wakes the engine, the container and us: after a rest there is more at once.
                time.sleep(_REST_S)
            try:
                self._came = size = self._link.recv_into(self._buffer)
            except OSError as error:
                raise Unreachable(f"the connection into the container dropped: {error}") from error
            if not size:
                if self._left or self._head:
                    raise Unreachable("the connection into the container dropped")
                return b""
            if content := self._content(memoryview(self._buffer)[:size]):
                return content

    def write(self, data: bytes) -> None:
        """More for its standard input."""
        try:
            self._link.sendall(data)
        except OSError as error:
            raise Unreachable(f"the connection into the container dropped: {error}") from error

    def end(self) -> None:
        """No more for its standard input."""
        with contextlib.suppress(OSError):
            self._link.shutdown(socket.SHUT_WR)

    def code(self) -> int:
        """How it ended."""
        return int(self._engine.get(f"/exec/{self._id}/json").get("ExitCode") or 0)

    def close(self) -> None:
        """Hangs up; what reads its standard input notices."""
        with contextlib.suppress(OSError):
            self._link.shutdown(socket.SHUT_RDWR)
        self._link.close()

    def _content(self, data: memoryview) -> bytes:
        """What there is of standard output in the next bytes of the stream, wherever its frames begin and end."""
        parts = []
        while data:
            if not self._left:
                missing = _FRAME - len(self._head)
                self._head += data[:missing]
                data = data[missing:]
                if len(self._head) == _FRAME:
                    self._stream, self._left = self._head[0], int.from_bytes(self._head[4:], "big")
                    self._head.clear()
                continue
            part, data = data[: self._left], data[self._left :]
            self._left -= len(part)
            if self._stream != _STDERR:
                parts.append(part)
            elif len(self._errors) < _LONGEST_HEAD:
                self._errors += part
        return b"".join(parts)


def _refused(status: int, body: bytes, path: str) -> CaptureFailed:
    try:
        why = str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        why = body[:200].decode(errors="replace").strip() or f"status {status}"
    if status == 404:
        return NotThere(f"the engine says: {why}")
    if status in (401, 403):
        return Lacks(f"the engine does not allow {path}: {why}")
    return CaptureFailed(f"the engine refused {path}: {why}")


def _usual(environ: Mapping[str, str]) -> str:
    """Where an engine listens by default: Docker's, that of a user, or Podman's."""
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    usual = ["/var/run/docker.sock", "/run/podman/podman.sock"]
    if runtime:
        usual[1:1] = [f"{runtime}/docker.sock", f"{runtime}/podman/podman.sock"]
    return "unix://" + next((path for path in usual if Path(path).exists()), usual[0])


def _tls(environ: Mapping[str, str]) -> ssl.SSLContext | None:
    """As the `docker` command understands DOCKER_TLS_VERIFY and DOCKER_CERT_PATH."""
    if not environ.get("DOCKER_TLS_VERIFY"):
        return None
    keys = Path(environ.get("DOCKER_CERT_PATH") or Path.home() / ".docker")
    try:
        context = ssl.create_default_context(cafile=str(keys / "ca.pem"))
        context.load_cert_chain(keys / "cert.pem", keys / "key.pem")
    except OSError as error:
        raise UsageError(f"the certificates in {keys} cannot be used: {error}") from error
    return context
