"""The API server, as far as captures need it: lightkube's client, its refusals in caulk's terms, and its two streams.

Exec and port-forward speak WebSocket (`remotecommand/websocket.go` and `portforward/websocket.go` in
https://github.com/kubernetes/kubernetes/tree/master/staging/src/k8s.io/kubelet/pkg/cri/streaming). Each message begins
with the number of its channel. Version 4 of the protocol, which every server has, cannot close a standard input.
"""

import contextlib
import json
import re
import socket
import time
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

import httpx2
import lightkube
from lightkube.config.client_adapter import verify_cluster
from lightkube.core.exceptions import ApiError, ConfigError

from caulk.model.errors import CaptureFailed, CaulkError, Lacks, Unreachable, UsageError
from caulk.model.target import Access
from caulk.wire.websocket import BINARY, Closed, Refused, WebSocket

_STDIN, _STDOUT, _STDERR, _STATUS = 0, 1, 2, 3
_PROTOCOL = "v4.channel.k8s.io"
_CONNECT_S = 15.0
#: The kubelet opens the stream of a port before it connects, and says within this whether it could.
_SETTLES_S = 0.4
_MOST_ERRORS = 64 << 10
#: What containerd, CRI-O and dockershim say where nothing listens.
_NOBODY = re.compile(r"forwarding port (\d+) .*(?:failed to connect|connection refused|Connection refused)", re.DOTALL)
_PIECE = 1 << 16


class Cluster:
    """The cluster of a context."""

    def __init__(self, access: Access) -> None:
        try:
            source = lightkube.KubeConfig
            config = source.from_file(access.kubeconfig) if access.kubeconfig else source.from_env()
            chosen = config.get(context_name=access.context or None)
            assert chosen is not None
            self.client = lightkube.Client(config=chosen, trust_env=False)
        except (ConfigError, OSError, AssertionError) as error:
            raise UsageError(
                f"the kubeconfig cannot be used: {error}", hint="--kubeconfig and --context choose one, as for kubectl."
            ) from error
        self._config = chosen
        self.name = chosen.context_name
        self.namespace = chosen.namespace or "default"

    def exec(self, namespace: str, pod: str, container: str, command: Sequence[str], *, has_stdin: bool) -> "Stream":
        """A command in a container."""
        asked = {"container": container, "command": list(command), "stdout": True, "stderr": True, "stdin": has_stdin}
        return self._stream(namespace, pod, "exec", asked)

    def forward(self, namespace: str, pod: str, port: int) -> "Stream":
        """A connection to a port of a pod; raises `Unreachable` where nothing listens."""
        stream = self._stream(namespace, pod, "portforward", {"ports": port})
        try:
            stream.settle(_SETTLES_S)
        except Unreachable:
            stream.close()
            raise
        return stream

    def raw(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        """What the server answers to a request that lightkube has no method for."""
        content = None if body is None else json.dumps(body).encode()
        with said():
            answer = self._http.request(method, path, content=content, headers={"Content-Type": kind})
            if answer.status_code >= 400:
                raise refusal(answer.status_code, answer.content)
            return answer.json()

    def text(self, path: str) -> bytes:
        """What the server answers, as it is."""
        with said():
            answer = self._http.request("GET", path)
            if answer.status_code >= 400:
                raise refusal(answer.status_code, answer.content)
            return answer.content

    def close(self) -> None:
        """Ends what is open."""
        self.client.close()

    @property
    def _http(self) -> httpx2.Client:
        # lightkube has exec to the end alone; what it speaks with has the rest (its public interface has neither).
        return self.client._client._client

    def _stream(self, namespace: str, pod: str, verb: str, asked: dict[str, Any]) -> "Stream":
        words = [(n, str(v).lower() if isinstance(v, bool) else str(v)) for n, vs in asked.items() for v in _each(vs)]
        url = self._http.base_url.join(f"/api/v1/namespaces/{namespace}/pods/{pod}/{verb}")
        path = f"{url.raw_path.decode()}?{urlencode(words)}"
        host, port = url.host, url.port or (443 if url.scheme == "https" else 80)
        with said():
            link = self._connected(host, port, is_secure=url.scheme == "https")
            try:
                stream = WebSocket(link, f"{host}:{port}", path, self._credentials(), _PROTOCOL)
            except BaseException:
                link.close()
                raise
            return Stream(stream, is_forward=verb == "portforward")

    def _connected(self, host: str, port: int, *, is_secure: bool) -> socket.socket:
        link = socket.create_connection((host, port), _CONNECT_S)
        if not is_secure:
            return link
        config = self._config
        assert config.user is not None
        context = verify_cluster(config.cluster, config.user, config.abs_file, trust_env=False)
        return context.wrap_socket(link, server_hostname=host)

    def _credentials(self) -> dict[str, str]:
        """What tells the server who asks, as lightkube's client would say it."""
        request = self._http.build_request("GET", "/")
        auth = self._http.auth
        if auth is not None:
            request = next(auth.sync_auth_flow(request))
        return {"Authorization": request.headers["Authorization"]} if "Authorization" in request.headers else {}


class Stream:
    """A command's streams, or a forwarded port's: a `Channel`."""

    def __init__(self, link: WebSocket, *, is_forward: bool) -> None:
        self._link, self._is_forward = link, is_forward
        self._errors = bytearray()
        self._status: Any = None
        self._heads = {0, 1} if is_forward else set()
        self._first: bytes | None = b""

    @property
    def errors(self) -> bytes:
        """What the command, or the kubelet, said on the channel of errors so far."""
        return bytes(self._errors)

    def read(self) -> bytes:
        """The next that comes; empty at the end."""
        while True:
            content, self._first = self._first or self._next(), b""
            if content is None:
                return b""
            if content:
                return content

    def _next(self) -> bytes | None:
        """What the next message brings of what is read; nothing if it is of another channel, None at the end."""
        try:
            message = self._link.receive()
        except Closed as error:
            if error.code in (0, 1000, 1005) and (self._is_forward or self._status is not None):
                if self._is_forward and self._errors:
                    raise self._refused() from error
                return None
            raise Unreachable(f"the connection to the pod dropped ({error})") from error
        channel, content = message[:1], message[1:]
        if channel and channel[0] in self._heads:
            # Each channel of a forwarded port begins with the port's number.
            self._heads.discard(channel[0])
        elif channel == b"\0" and self._is_forward:
            return content
        elif self._is_forward or channel == bytes([_STDERR]):
            self._errors += content[: _MOST_ERRORS - len(self._errors)]
        elif channel == bytes([_STDOUT]):
            return content
        elif channel == bytes([_STATUS]):
            self._status = json.loads(content)
            return None
        return b""

    def settle(self, within_s: float) -> None:
        """Waits that long for a refusal, and raises it; what a server says first is kept for `read`."""
        until = time.monotonic() + within_s
        while not self._first and (left := until - time.monotonic()) > 0 and self._link.is_ready(left):
            self._first = self._next()
            if self._errors:
                raise self._refused()
            if self._first is None:
                raise Unreachable("the port does not answer")

    def write(self, data: bytes) -> None:
        """More for its standard input."""
        view = memoryview(data)
        for at in range(0, len(view), _PIECE):
            self._link.send(bytes([_STDIN]) + view[at : at + _PIECE], BINARY)

    def end(self) -> None:
        """Nothing: this version of the protocol cannot say so."""

    def code(self) -> int:
        """How the command ended; raises `Lacks` if it could not be started."""
        status = self._status or {}
        if status.get("status") == "Success":
            return 0
        causes = (status.get("details") or {}).get("causes") or []
        codes = [cause["message"] for cause in causes if cause.get("reason") == "ExitCode"]
        if codes:
            return int(codes[0])
        raise Lacks(
            f"the command could not be started in the container: {status.get('message', 'no reason was given')}"
        )

    def close(self) -> None:
        """Hangs up, which ends a command that reads its standard input."""
        self._link.close()

    def _refused(self) -> Unreachable:
        """What the kubelet says of a port: a page about network namespaces, of which nobody needs more than this."""
        text = bytes(self._errors).decode(errors="replace").strip()
        if found := _NOBODY.search(text):
            return Unreachable(f"nothing answers at port {found[1]} of the pod")
        return Unreachable(f"the port does not answer: {text[:300]}")


@contextlib.contextmanager
def said() -> Iterator[None]:
    """Says what the server refused, or that it does not answer, in caulk's terms."""
    try:
        yield
    except ApiError as error:
        raise refusal(error.status.code or 0, error.response.content if error.response else b"") from error
    except Refused as error:
        raise refusal(error.status, error.body) from error
    except (httpx2.HTTPError, OSError) as error:
        raise Unreachable(
            f"the API server does not answer: {error or type(error).__name__}", hint="Does `kubectl get pods` work?"
        ) from error


def refusal(status: int, content: bytes) -> CaulkError:
    """The error for an answer of the API server."""
    try:
        why = str(json.loads(content)["message"])
    except (ValueError, KeyError, TypeError):
        why = content[:200].decode(errors="replace").strip() or f"status {status}"
    if status in (401, 403):
        return Lacks(f"the API server refuses: {why}", hint="`caulk doctor` prints the role that a capture needs.")
    if status == 404:
        return Unreachable(f"the API server says: {why}")
    return CaptureFailed(f"the API server says: {why}")


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
