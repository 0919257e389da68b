"""Servers that run for a test: a command with a port, and answers of our own."""

import contextlib
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

AWAITED_S = 60.0
#: Status and body, by path and headers.
Answer = Callable[[str, dict[str, str], bytes], tuple[int, bytes]]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.contextmanager
def running(command: Sequence[str], ready: str, *, cwd: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A command, from when `ready` answers with 200 on."""
    with (cwd / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=cwd, stdout=log, stderr=log)
    try:
        until = time.monotonic() + AWAITED_S
        while True:
            with contextlib.suppress(URLError, OSError), urlopen(ready, timeout=5) as answer:
                if answer.status == 200:
                    break
            assert process.poll() is None, (cwd / "log").read_text()
            assert time.monotonic() < until, (cwd / "log").read_text()
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def answering(answer: Answer) -> Iterator[str]:
    """The address of a server that answers as it is told."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, body = answer(self.path, headers, self.rfile.read(length))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
