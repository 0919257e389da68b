"""The API server, as far as captures need it: lightkube's client, its refusals in caulk's terms, and its two streams.

Exec and port-forward speak WebSocket (`remotecommand/websocket.go` and `portforward/websocket.go` in
https://github.com/kubernetes/kubernetes/tree/master/staging/src/k8s.io/kubelet/pkg/cri/streaming). Each message begins
with the number of its channel. Version 4 of the protocol, which every server has, cannot close a standard input.
"""

import contextlib
import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import httpx2
import lightkube
from httpx2.websockets import HTTPXWSException, WebSocketDisconnect, WebSocketUpgradeError
from lightkube.core.exceptions import ApiError, ConfigError

from caulk.model.errors import CaptureFailed, CaulkError, Lacks, Unreachable, UsageError
from caulk.model.target import Access

_STDIN, _STDOUT, _STDERR, _STATUS = 0, 1, 2, 3
_PROTOCOLS = ["v4.channel.k8s.io"]
_MOST_MESSAGE = 16 << 20
_MOST_ERRORS = 64 << 10
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
        self.name = chosen.context_name
        self.namespace = chosen.namespace or "default"

    def exec(self, namespace: str, pod: str, container: str, command: Sequence[str], *, has_stdin: bool) -> "Stream":
        """A command in a container."""
        asked = {"container": container, "command": list(command), "stdout": True, "stderr": True, "stdin": has_stdin}
        return self._stream(namespace, pod, "exec", asked)

    def forward(self, namespace: str, pod: str, port: int) -> "Stream":
        """A connection to a port of a pod."""
        return self._stream(namespace, pod, "portforward", {"ports": port})

    def raw(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        """What the server answers to a request that lightkube has no method for."""
        content = None if body is None else json.dumps(body).encode()
        with said():
            answer = self._http.request(method, path, content=content, headers={"Content-Type": kind})
            if answer.status_code >= 400:
                raise refusal(answer.status_code, answer.content)
            return answer.json()

    def close(self) -> None:
        """Ends what is open."""
        self.client.close()

    @property
    def _http(self) -> httpx2.Client:
        # lightkube has exec to the end alone; what it speaks with has the stream (its public interface has neither).
        return self.client._client._client

    def _stream(self, namespace: str, pod: str, verb: str, asked: dict[str, Any]) -> "Stream":
        where = f"/api/v1/namespaces/{namespace}/pods/{pod}/{verb}"
        words = [(n, str(v).lower() if isinstance(v, bool) else str(v)) for n, vs in asked.items() for v in _each(vs)]
        return Stream(
            self._http.websocket(
                where,
                params=words,  # type: ignore[arg-type]  # pairs, since `command` is given again and again
                subprotocols=_PROTOCOLS,
                max_message_size_bytes=_MOST_MESSAGE,
                keepalive_ping_interval_seconds=None,
                timeout=httpx2.Timeout(30.0, read=None),
            ),
            is_forward=verb == "portforward",
        )


class Stream:
    """A command's streams, or a forwarded port's: a `Channel`."""

    def __init__(self, opening: AbstractContextManager[Any], *, is_forward: bool) -> None:
        self._opening, self._is_forward = opening, is_forward
        with said():
            self._socket = opening.__enter__()
        self._errors = bytearray()
        self._status: Any = None
        self._heads = {0, 1} if is_forward else set()

    @property
    def errors(self) -> bytes:
        """What the command, or the kubelet, said on the channel of errors so far."""
        return bytes(self._errors)

    def read(self) -> bytes:
        """The next that comes; empty at the end."""
        while True:
            try:
                message = self._socket.receive_bytes()
            except WebSocketDisconnect as error:
                if error.code in (1000, 1005):
                    return self._ended()
                raise Unreachable(f"the connection to the pod dropped ({error.reason or error.code})") from error
            except (HTTPXWSException, httpx2.HTTPError, OSError) as error:
                raise Unreachable(f"the connection to the pod dropped: {error}") from error
            channel, content = message[0], message[1:]
            if channel in self._heads:
                # Each channel of a forwarded port begins with the port's number.
                self._heads.discard(channel)
            elif self._is_forward:
                if channel == 0:
                    return bytes(content)
                self._errors += content
            elif channel == _STDOUT and content:
                return bytes(content)
            elif channel == _STDERR and len(self._errors) < _MOST_ERRORS:
                self._errors += content
            elif channel == _STATUS:
                self._status = json.loads(content)
                return b""

    def write(self, data: bytes) -> None:
        """More for its standard input."""
        view = memoryview(data)
        with said():
            for at in range(0, len(view), _PIECE):
                self._socket.send_bytes(bytes([_STDIN]) + view[at : at + _PIECE])

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
        with contextlib.suppress(HTTPXWSException, httpx2.HTTPError, OSError, RuntimeError):
            self._opening.__exit__(None, None, None)

    def _ended(self) -> bytes:
        if self._is_forward and self._errors:
            raise Unreachable(f"the port does not answer: {bytes(self._errors[:300]).decode(errors='replace').strip()}")
        return b""


@contextlib.contextmanager
def said() -> Iterator[None]:
    """Says what the server refused, or that it does not answer, in caulk's terms."""
    try:
        yield
    except ApiError as error:
        raise refusal(error.status.code or 0, error.response.content if error.response else b"") from error
    except WebSocketUpgradeError as error:
        # The client has closed the stream already, and with it whatever reason the server gave.
        raise refusal(error.response.status_code, b"") from error
    except (HTTPXWSException, httpx2.HTTPError, OSError) as error:
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
