"""A real Prometheus and a real Alertmanager, for as long as a test needs them; each listens on loopback alone."""

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PROMETHEUS, ALERTMANAGER = "prometheus", "prometheus-alertmanager"


def free_port() -> int:
    with socket.socket() as link:
        link.bind(("127.0.0.1", 0))
        return int(link.getsockname()[1])


def ask(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def until(holds: Callable[[], Any], what: str, patience_s: float = 60.0) -> Any:
    """What `holds` gives once it is true; fails with `what` when patience is over."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        try:
            if found := holds():
                return found
        except (OSError, urllib.error.URLError, json.JSONDecodeError):
            pass
        time.sleep(0.1)
    pytest.fail(f"{what} did not happen within {patience_s:.0f} s", pytrace=False)


@contextmanager
def alertmanager(folder: Path, receiver: str, *, token: str = "") -> Iterator[str]:
    """One that posts every alert to `receiver` at once; gives its URL."""
    authorization = f"\n    http_config: {{authorization: {{credentials: {token}}}}}" if token else ""
    (folder / "alertmanager.yml").write_text(
        f"""
route: {{receiver: caulk, group_by: ['...'], group_wait: 0s, group_interval: 1s, repeat_interval: 2s}}
receivers:
- name: caulk
  webhook_configs:
  - url: {receiver}
    send_resolved: true{authorization}
"""
    )
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [_program(ALERTMANAGER), f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/alerts"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="]
    with _running(command, folder / "alertmanager.log"):
        until(lambda: ask(f"{url}/api/v2/status"), "Alertmanager's start")
        yield url


@contextmanager
def prometheus(folder: Path, rules: str, scrape: str, alerts_to: str = "") -> Iterator[str]:
    """One that scrapes `scrape` (YAML, a list of jobs) each half second, by `rules` (YAML); gives its URL."""
    (folder / "rules.yml").write_text(rules)
    alerting = (
        f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{alerts_to.removeprefix('http://')}']}}]}}]}}"
    )
    (folder / "prometheus.yml").write_text(
        f"""
global: {{scrape_interval: 500ms, scrape_timeout: 400ms, evaluation_interval: 500ms}}
rule_files: [{folder}/rules.yml]
{alerting if alerts_to else ""}
scrape_configs:
{scrape}
"""
    )
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [_program(PROMETHEUS), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/series"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]
    with _running(command, folder / "prometheus.log"):
        until(lambda: ask(f"{url}/api/v1/status/runtimeinfo"), "Prometheus's start")
        yield url


@contextmanager
def _running(command: list[str], log: Path) -> Iterator[None]:
    with log.open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, stdin=subprocess.DEVNULL)
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name.removeprefix("prometheus-"))
    if not found:
        pytest.skip(f"{name} is not on this machine")
    return found
