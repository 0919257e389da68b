"""What Node.js is asked in: its switches as it reads them itself, and the frames of WebSocket."""

import base64
import hashlib
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caulk.model.errors import CaptureFailed, Unreachable
from caulk.model.target import Process
from caulk.runtimes.node.figures import Heap, snapshot_cost
from caulk.runtimes.node.protocol import Line
from caulk.runtimes.node.switches import (
    dump_directory,
    inspector_address,
    is_restricted,
    opens_inspector,
    snapshot_signal,
    stated,
)
from caulk.wire.websocket import Closed, WebSocket

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def node(*command: str, options: str = "") -> Process:
    return Process(1, 0, 0, 0.0, ("node", *command), environ={"NODE_OPTIONS": options}, directory="/srv/app")


def test_the_command_line_goes_before_node_options_and_ends_at_the_program():
    process = node("--inspect_port", "9300", "-r", "--odd", "server.js", "--diagnostic-dir=/no",
                   options='--inspect-port=1 --diagnostic-dir="/a \\"b\\"" --no-warnings')  # fmt: skip
    assert stated(process) == {
        "inspect-port": "9300", "diagnostic-dir": '/a "b"', "warnings": "false", "require": "--odd"
    }  # fmt: skip
    assert dump_directory(process) == '/a "b"'
    assert dump_directory(node("--diagnostic-dir=dumps", "x.js")) == "/srv/app/dumps"
    assert dump_directory(node("x.js")) == "/srv/app"


@pytest.mark.parametrize(
    ("switch", "address"),
    [
        ("", ("127.0.0.1", 9229)),
        ("--inspect-port=0", ("127.0.0.1", 0)),
        ("--inspect=0.0.0.0:9230", ("127.0.0.1", 9230)),
        ("--inspect=9231", ("127.0.0.1", 9231)),
        ("--inspect", ("127.0.0.1", 9229)),
        ("--debug-port=[::1]:9232", ("::1", 9232)),
        ("--inspect-brk=10.0.0.1", ("10.0.0.1", 9229)),
    ],
)
def test_the_inspector_is_where_the_switches_say(switch, address):
    assert inspector_address(stated(node(switch, "x.js"))) == address
    assert opens_inspector(stated(node(switch, "x.js"))) == switch.startswith(("--inspect=", "--inspect-brk")) or (
        switch == "--inspect"
    )


def test_signals_and_permissions_are_read():
    assert snapshot_signal(stated(node("--heapsnapshot-signal=SIGUSR2", "x.js"))) == 12
    assert snapshot_signal(stated(node("--heapsnapshot-signal=NONE", "x.js"))) is None
    assert is_restricted(stated(node("--experimental-permission", "x.js")))
    assert not is_restricted(stated(node("x.js", "--permission")))


def test_one_large_object_costs_a_kilobyte_for_each_of_its_slots():
    small, large = (snapshot_cost(Heap(100 << 20, largest, "")).extra_bytes for largest in (0, 8 << 20))
    assert large - small == (8 << 20) // 8 * 1056
    blind = snapshot_cost(Heap(100 << 20, None, "")).extra_bytes
    assert blind > small


def frame(kind: int, data: bytes, *, final: bool = True) -> bytes:
    first = kind | (0x80 if final else 0)
    if len(data) < 126:
        return struct.pack(">BB", first, len(data)) + data
    if len(data) < 1 << 16:
        return struct.pack(">BBH", first, 126, len(data)) + data
    return struct.pack(">BBQ", first, 127, len(data)) + data


@contextmanager
def served(answer: bytes, *, accept: bool = True) -> Iterator[tuple[socket.socket, bytearray]]:
    """A server that shakes hands, sends `answer`, and keeps what it hears until it is let go."""
    ours, theirs = socket.socketpair()
    heard = bytearray()

    def serve() -> None:
        head = bytearray()
        while b"\r\n\r\n" not in head:
            head += theirs.recv(1 << 12)
        key = re.search(rb"Sec-WebSocket-Key: (\S+)", head)[1]
        proof = base64.b64encode(hashlib.sha1(key + GUID).digest() if accept else b"no")
        theirs.sendall(b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: " + proof + b"\r\n\r\n" + answer)
        while piece := theirs.recv(1 << 16):
            heard.extend(piece)
        theirs.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield ours, heard
    finally:
        ours.close()
        thread.join()


def soon() -> float:
    return time.monotonic() + 10


def unmasked(data: bytes) -> tuple[int, bytes]:
    """The kind and the text of the first frame of a client."""
    size, at = data[1] & 0x7F, 2
    assert data[1] & 0x80
    if size >= 126:
        length = 2 if size == 126 else 8
        size, at = int.from_bytes(data[2 : 2 + length], "big"), 2 + length
    mask, body = data[at : at + 4], data[at + 4 : at + 4 + size]
    assert len(body) == size
    return data[0] & 0x0F, bytes(byte ^ mask[i % 4] for i, byte in enumerate(body))


@settings(max_examples=30)
@given(st.binary(max_size=300) | st.integers(65_530, 70_000).map(lambda size: b"x" * size))
def test_what_is_sent_arrives_whatever_its_size(text):
    with served(frame(1, text)) as (link, heard):
        websocket = WebSocket(link, "127.0.0.1:9229", "/x")
        websocket.send(text)
        assert websocket.receive(soon()) == text
        link.shutdown(socket.SHUT_WR)
        with pytest.raises(Closed):
            websocket.receive(soon())
        assert unmasked(bytes(heard)) == (1, text)


def test_a_message_in_pieces_with_a_ping_between_them_is_one_message():
    answer = frame(1, b"one ", final=False) + frame(9, b"?") + frame(0, b"message")
    with served(answer) as (link, heard):
        websocket = WebSocket(link, "127.0.0.1:9229", "/x")
        assert websocket.receive(soon()) == b"one message"
        link.shutdown(socket.SHUT_WR)
        with pytest.raises(Closed):
            websocket.receive(soon())
        assert unmasked(bytes(heard)) == (10, b"?")


@pytest.mark.parametrize("answer", [b"\xf1\x00", b"\x81\x80", struct.pack(">BBQ", 0x81, 127, 1 << 40)])
def test_what_is_no_frame_of_a_server_is_refused(answer):
    with served(answer) as (link, _):
        websocket = WebSocket(link, "127.0.0.1:9229", "/x")
        with pytest.raises(CaptureFailed, match="no WebSocket frame"):
            websocket.receive(soon())


def test_a_server_that_cannot_prove_that_it_heard_is_none():
    with served(b"", accept=False) as (link, _), pytest.raises(CaptureFailed, match="does not speak WebSocket"):
        WebSocket(link, "127.0.0.1:9229", "/x")


def test_silence_ends_in_an_error():
    with served(b"") as (link, _):
        websocket = WebSocket(link, "127.0.0.1:9229", "/x")
        with pytest.raises(Unreachable, match="did not answer in time"):
            websocket.receive(time.monotonic() + 0.05)


def test_a_worker_that_ends_before_it_answers_is_not_waited_for():
    answers = frame(1, b'{"id":2,"result":{}}') + frame(
        1, b'{"method":"NodeWorker.detachedFromWorker","params":{"sessionId":"7"}}'
    )
    with served(answers) as (link, _):
        worker = Line(WebSocket(link, "127.0.0.1:9229", "/x")).session("7")
        with pytest.raises(CaptureFailed, match="worker thread has ended"):
            worker.ask("Runtime.evaluate")


def test_what_a_worker_says_is_its_own():
    inner = '{\\"id\\":1,\\"result\\":{\\"a\\":\\"b\\"}}'
    text = f'{{"method":"NodeWorker.receivedMessageFromWorker","params":{{"sessionId":"7","message":"{inner}"}}}}'
    with served(frame(1, b'{"id":2,"result":{}}') + frame(1, text.encode())) as (link, _):
        assert Line(WebSocket(link, "127.0.0.1:9229", "/x")).session("7").ask("Runtime.evaluate") == {"a": "b"}
