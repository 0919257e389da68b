"""A real Prometheus and a real Alertmanager, on free ports of the loopback, for as long as a test needs them."""

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import yaml

MB = 1 << 20


@dataclass
class Monitoring:
    """Where the two answer. `jobs` are scrape_configs as Prometheus takes them."""

    prometheus: str
    alertmanager: str

    def query(self, expr: str) -> list[dict[str, Any]]:
        """The result of an instant query."""
        from urllib.parse import quote

        return asked(f"{self.prometheus}/api/v1/query?query={quote(expr)}")["data"]["result"]


def asked(url: str) -> Any:
    """What a JSON endpoint answers."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def until(holds: Callable[[], Any], seconds: float = 60.0) -> Any:
    """What `holds` gives as soon as it gives something; it may fail to connect until then."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        with suppress(OSError, KeyError, urllib.error.URLError):
            if found := holds():
                return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s")


@contextmanager
def monitoring(
    directory: Path,
    *,
    prometheus: str,
    alertmanager: str,
    jobs: Sequence[dict[str, Any]],
    rules: str,
    webhook: str,
    interval: str = "1s",
) -> Iterator[Monitoring]:
    """Prometheus that scrapes `jobs` and evaluates `rules` (YAML), and Alertmanager that posts alerts to `webhook`.

    `prometheus` and `alertmanager` are the programs' paths; everything they write is in `directory`.
    """
    prometheus_port, alertmanager_port = free_ports(2)
    routes = {
        "route": {"receiver": "hook", "group_by": ["..."], "group_wait": "0s", "group_interval": "1s",
                  "repeat_interval": "1h"},
        "receivers": [{"name": "hook", "webhook_configs": [{"url": webhook, "send_resolved": True}]}],
    }  # fmt: skip
    scraping = {
        "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
        "rule_files": ["rules.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager_port}"]}]}]},
        "scrape_configs": list(jobs),
    }
    (directory / "alertmanager.yml").write_text(yaml.safe_dump(routes))
    (directory / "prometheus.yml").write_text(yaml.safe_dump(scraping))
    (directory / "rules.yml").write_text(rules)
    it = Monitoring(f"http://127.0.0.1:{prometheus_port}", f"http://127.0.0.1:{alertmanager_port}")
    commands = [
        [alertmanager, f"--config.file={directory}/alertmanager.yml", f"--storage.path={directory}/am",
         f"--web.listen-address=127.0.0.1:{alertmanager_port}", "--cluster.listen-address="],
        [prometheus, f"--config.file={directory}/prometheus.yml", f"--storage.tsdb.path={directory}/tsdb",
         f"--web.listen-address=127.0.0.1:{prometheus_port}", "--rules.alert.resend-delay=2s"],
    ]  # fmt: skip
    started: list[subprocess.Popen[bytes]] = []
    with (directory / "log").open("wb") as log:
        try:
            for command in commands:
                started.append(subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL))
            for url in (it.alertmanager, it.prometheus):
                until(lambda url=url: _is_ready(url, started, directory / "log"))
            yield it
        finally:
            for process in started:
                process.terminate()
            for process in started:
                process.wait(30)


def _is_ready(url: str, started: Sequence[subprocess.Popen[bytes]], log: Path) -> bool:
    if any(process.poll() is not None for process in started):
        raise AssertionError(log.read_text())
    with urllib.request.urlopen(f"{url}/-/ready", timeout=5) as answer:
        return answer.status == 200


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now; all different."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


@contextmanager
def serving(answer: Callable[[str, str, bytes, dict[str, str]], tuple[int, bytes]]) -> Iterator[str]:
    """A server on the loopback: `answer(method, path, body, headers)` gives status and body. Gives its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            status, told = answer(self.command, self.path, body, {k.lower(): v for k, v in self.headers.items()})
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        do_POST = do_GET  # noqa: N815 - the base class looks for this name

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
