"""The DevTools protocol over a WebSocket: requests, their answers, and the events between them.

Protocol: https://chromedevtools.github.io/devtools-protocol/v8/. Worker threads of Node.js have sessions of their own
within the main one (domain `NodeWorker`, https://github.com/nodejs/node/blob/main/src/inspector/node_protocol.pdl).
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from caulk.model.decoding import decoded
from caulk.model.errors import CaptureFailed
from caulk.wire.websocket import WebSocket

#: What an event is told to: its method, and its parameters as JSON.
Listener = Callable[[str, msgspec.Raw], object]

_ANSWER_S = 15.0
_FROM_WORKER, _GONE = "NodeWorker.receivedMessageFromWorker", "NodeWorker.detachedFromWorker"


class _Failure(msgspec.Struct):
    message: str = ""


class _Message(msgspec.Struct):
    id: int = 0
    method: str = ""
    params: msgspec.Raw = msgspec.Raw(b"{}")
    result: msgspec.Raw = msgspec.Raw(b"{}")
    error: _Failure | None = None


class _FromWorker(msgspec.Struct):
    sessionId: str  # noqa: N815 - the protocol's own word
    message: str = ""


class Session:
    """The conversation with one thread."""

    def __init__(self, line: "Line", number: str) -> None:
        self._line, self._number = line, number
        self.listener: Listener = lambda *_: None

    def ask(self, method: str, *, timeout_s: float = _ANSWER_S, **params: Any) -> Any:
        """The result of a request; `timeout_s` is how long the thread may be silent.

        Raises `CaptureFailed` if the thread refuses, `Unreachable` if it is silent for too long.
        """
        return self.result(self.send(method, **params), timeout_s=timeout_s)

    def send(self, method: str, **params: Any) -> int:
        """Sends a request, and gives its number."""
        return self._line.send(self._number, method, params)

    def result(self, number: int, *, timeout_s: float = _ANSWER_S) -> Any:
        """Waits for the answer to a request that was sent."""
        return self._line.wait(number, timeout_s)

    def evaluate(self, expression: str, *, timeout_s: float = _ANSWER_S) -> Any:
        """The value of an expression, which may use `require`; raises `CaptureFailed` if it throws."""
        found = self.ask("Runtime.evaluate", timeout_s=timeout_s, **evaluation(expression))
        thrown = found.get("exceptionDetails")
        if thrown:
            said = thrown.get("exception", {}).get("description") or thrown.get("text", "")
            raise CaptureFailed(f"Node.js could not evaluate what it was asked: {said.splitlines()[0][:200]}")
        return found["result"].get("value")


def evaluation(expression: str) -> Mapping[str, Any]:
    """The parameters of `Runtime.evaluate`."""
    # The command line API is what has `require`, in modules too.
    return {"expression": expression, "includeCommandLineAPI": True, "returnByValue": True, "silent": True}


class Line:
    """The connection that all sessions of a process share. `main` is that of its main thread."""

    def __init__(self, link: WebSocket) -> None:
        self._link = link
        self._last = 0
        self._answers: dict[int, _Message] = {}
        self._sessions: dict[str, Session] = {}
        # The worker's session that a request went to, and the request that one to the main thread is the wrap of.
        self._asked: dict[int, str] = {}
        self._wraps: dict[int, int] = {}
        self.main = self.session("")

    def session(self, number: str) -> Session:
        """The conversation of that number; `""` is the main thread."""
        return self._sessions.setdefault(number, Session(self, number))

    def send(self, session: str, method: str, params: Mapping[str, Any]) -> int:
        """Sends a request to a thread."""
        self._last += 1
        number = self._last
        self._asked[number] = session
        request = {"id": number, "method": method, "params": params}
        if session:
            # A worker's request is wrapped in one to the main thread, whose own answer says nothing.
            self._last += 1
            self._wraps[self._last] = number
            inner = msgspec.json.encode(request).decode()
            request = {
                "id": self._last,
                "method": "NodeWorker.sendMessageToWorker",
                "params": {"sessionId": session, "message": inner},
            }
        self._link.send(msgspec.json.encode(request))
        return number

    def wait(self, number: int, silence_s: float) -> Any:
        """The result of a request, while events are told to their listeners."""
        while number not in self._answers:
            self.hear(time.monotonic() + silence_s)
        answer = self._answers.pop(number)
        del self._asked[number]
        if answer.error:
            raise CaptureFailed(f"Node.js refused what it was asked: {answer.error.message[:200]}")
        return msgspec.json.decode(answer.result)

    def hear(self, until: float) -> None:
        """Takes one message, whatever it is."""
        self._take("", _decoded(self._link.receive(until)))

    def close(self) -> None:
        """Ends all sessions."""
        self._link.close()

    def _take(self, session: str, message: _Message) -> None:
        if message.id in self._wraps:
            number = self._wraps.pop(message.id)
            if message.error and number in self._asked:
                self._answers[number] = message
        elif message.id:
            self._answers[message.id] = message
        elif message.method == _FROM_WORKER:
            inner = decoded(message.params, _FromWorker)
            self._take(inner.sessionId, _decoded(inner.message.encode("utf-8", "surrogatepass")))
        elif message.method == _GONE:
            gone = decoded(message.params, _FromWorker).sessionId
            for number in [number for number, asked in self._asked.items() if asked == gone]:
                self._answers.setdefault(number, _Message(error=_Failure("the worker thread has ended")))
        elif session in self._sessions:
            self._sessions[session].listener(message.method, message.params)


def _decoded(text: bytes) -> _Message:
    try:
        return decoded(text, _Message)
    except msgspec.DecodeError as error:
        raise CaptureFailed(f"Node.js sent what is no message of the inspector: {error}") from error
