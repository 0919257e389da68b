"""The stream of an exec: frames of standard output and standard error, however the connection cuts them up."""

import itertools
import socket
import struct
import threading

import pytest

from caulk.model.errors import Unreachable
from caulk.places.docker.engine import Exec

OUT, ERR = 1, 2


class Engine:
    """An engine whose exec says `said`, in pieces of the sizes of `cuts` in turn."""

    def __init__(self, said: bytes, cuts: list[int]) -> None:
        self.said, self.cuts = said, cuts

    def post(self, path: str, body: object) -> dict[str, str]:
        return {"Id": "e1"}

    def hijack(self, path: str, body: object) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        threading.Thread(target=self._say, args=(theirs,)).start()
        return ours

    def _say(self, link: socket.socket) -> None:
        with link:
            at = 0
            for size in itertools.cycle(self.cuts):
                if at >= len(self.said):
                    break
                link.sendall(self.said[at : at + size])
                at += size


def frame(stream: int, content: bytes) -> bytes:
    return struct.pack(">BxxxI", stream, len(content)) + content


LONG = bytes(range(256)) * 1500
SAID = b"".join(
    frame(stream, content)
    for stream, content in [(OUT, b"one"), (ERR, b"oh"), (OUT, b""), (OUT, LONG), (ERR, b" no"), (OUT, b".")]
)


@pytest.mark.parametrize("cuts", [[65536], [1, 2, 3], [7, 1], [8], [30000, 5]])
def test_output_and_errors_are_told_apart_wherever_the_pieces_end(cuts):
    channel = Exec(Engine(SAID, cuts), "shop", ["cat"], has_stdin=False)
    assert b"".join(iter(channel.read, b"")) == b"one" + LONG + b"."
    assert channel.errors == b"oh no"
    channel.close()


@pytest.mark.parametrize("missing", [1, len(LONG) // 2])
def test_a_stream_that_ends_within_a_frame_was_cut(missing):
    channel = Exec(Engine(frame(OUT, LONG)[:-missing], [4096]), "shop", ["cat"], has_stdin=False)
    with pytest.raises(Unreachable, match="dropped"):
        list(iter(channel.read, b""))
    channel.close()


def test_a_stream_that_ends_within_a_head_was_cut():
    channel = Exec(Engine(frame(OUT, b"one") + b"\1\0", [4096]), "shop", ["cat"], has_stdin=False)
    assert channel.read() == b"one"
    with pytest.raises(Unreachable, match="dropped"):
        channel.read()
    channel.close()
