"""OTLP metrics in, over HTTP: what they say of memory goes to the loop."""

import threading
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from caulk.model.errors import MalformedDump
from caulk.model.watching import Observation
from caulk.readings import otlp
from caulk.watch.http import Request, Said

_MOST_UNPACKED = 64 << 20


@dataclass(slots=True)
class Telemetry:
    """OTLP metrics in: what they say of memory is fed to the loop, which remembers who sent them.

    Exports come in threads of the listener, `state` is asked by the loop's.
    """

    feed: Callable[[Sequence[Observation]], object]
    name: str = "otlp:"
    _inbox: otlp.Inbox = field(default_factory=otlp.Inbox)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, request: Request) -> Said:
        """One export, as JSON or protobuf, packed or not; the answer is of the same kind, and says that all is well."""
        body = unpacked(request.body) if request.encoding == "gzip" else request.body
        with self._lock:
            seen = self._inbox.observations(body, request.type)
        self.feed(seen)
        is_json = request.type.partition(";")[0].strip().lower() == otlp.JSON
        return Said(200, b"{}" if is_json else b"", otlp.JSON if is_json else otlp.PROTOBUF)

    def state(self) -> Mapping[str, Any]:
        """Which replica is in which slot."""
        with self._lock:
            # Encoded here: what it is made of goes on changing.
            kept: dict[str, Any] = msgspec.to_builtins(self._inbox.state())
            return kept

    def restore(self, state: Mapping[str, Any]) -> None:
        """Knows its replicas again."""
        with self._lock:
            self._inbox.restore(state)


def unpacked(body: bytes) -> bytes:
    """A body without its gzip; raises `MalformedDump` for what is none, or more than is bearable."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        found = unpacker.decompress(body, _MOST_UNPACKED)
    except zlib.error as error:
        raise MalformedDump(f"the body is no gzip: {error}") from None
    if unpacker.unconsumed_tail or not unpacker.eof:
        raise MalformedDump("the body was cut, or is too long unpacked")
    return found
