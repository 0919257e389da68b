"""The viewers that people use today, each started on a file of its own: pprof, speedscope, memray."""

import http.server
import json
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

SPEEDSCOPE = "1.25.0"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def running(command: list[object], url: str) -> Iterator[str]:
    """A server, from when it answers at `url`."""
    server = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                with urllib.request.urlopen(url, timeout=60):
                    break
            except OSError:
                if time.monotonic() > deadline or server.poll() is not None:
                    raise
                time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait()


def done(command: list[object]) -> None:
    """Runs a command that has to work."""
    subprocess.run([str(word) for word in command], check=True, capture_output=True)


def asked(url: str) -> dict[str, str]:
    """A JSON answer."""
    with urllib.request.urlopen(url, timeout=60) as answer:
        found: dict[str, str] = json.load(answer)
    return found


@contextmanager
def pprof(profile: Path) -> Iterator[str]:
    """`go tool pprof -http`, at its flame graph."""
    port = free_port()
    command: list[object] = ["go", "tool", "pprof", "-no_browser", f"-http=127.0.0.1:{port}", profile]
    with running(command, f"http://127.0.0.1:{port}/ui/flamegraph") as url:
        yield url


@contextmanager
def speedscope(profile: Path, work: Path) -> Iterator[str]:
    """Speedscope as npm has it, from files beside the profile, as its own command line opens it."""
    place = work / "speedscope"
    if not (place / "node_modules/speedscope").is_dir():
        place.mkdir(parents=True, exist_ok=True)
        (place / "package.json").write_text(json.dumps({"private": True}))
        subprocess.run(["npm", "install", "--silent", f"speedscope@{SPEEDSCOPE}"], cwd=place, check=True)
    release = place / "node_modules/speedscope/dist/release"
    shutil.copyfile(profile, release / "profile.pb.gz")
    handler = partial(_Quiet, directory=str(release))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    try:
        yield f"{base}/index.html#profileURL={base}/profile.pb.gz&title=wide"
    finally:
        server.shutdown()


def memray_page(capture: Path, work: Path) -> Path:
    """Memray's flame graph of a capture, as a file."""
    page = work / "memray.html"
    page.unlink(missing_ok=True)
    subprocess.run(
        [sys.executable, "-m", "memray", "flamegraph", "--no-web", "-f", "-o", page, capture],
        check=True,
        capture_output=True,
    )
    return page


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""
