"""A real Prometheus that scrapes the recordings, and what it answers."""

import json
import math
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import urlopen

import yaml
from recordings import NAMING, pages

SCRAPES = 6


class Prometheus:
    """Its HTTP interface."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}/api/v1"

    def values(self, expr: str) -> list[float]:
        """What an expression is now, without what is not a number; raises AssertionError if it is no PromQL."""
        result = self._get(f"query?{urlencode({'query': expr})}")["result"]
        values = [float(series["value"][1]) for series in result]
        return [value for value in values if not math.isnan(value)]

    def label_values(self, selector: str, label: str) -> list[str]:
        """The values of a label in what a selector matches."""
        return self._get(f"label/{quote(label)}/values?{urlencode({'match[]': selector})}")

    def _get(self, path: str):
        try:
            with urlopen(f"{self.base}/{path}", timeout=20) as answer:
                return json.load(answer)["data"]
        except HTTPError as error:
            raise AssertionError(error.read().decode()) from None


@contextmanager
def prometheus(directory: Path, exporters: int) -> Iterator[Prometheus]:
    """Prometheus after some scrapes, one a second, of the server on the port `exporters`."""
    (directory / "prometheus.yml").write_text(yaml.safe_dump(_config(exporters)))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = shutil.which("prometheus")
    assert program, "these tests ask a real Prometheus: apt-get install prometheus"
    log = (directory / "log").open("wb")
    process = subprocess.Popen(
        [program, "--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address=127.0.0.1:{port}"],
        cwd=directory,
        stdout=log,
        stderr=log,
    )
    try:
        ready = Prometheus(port)
        _until_scraped(ready, directory / "log")
        yield ready
    finally:
        process.terminate()
        process.wait(20)
        log.close()


def _config(exporters: int) -> dict:
    def job(name: str) -> dict:
        labels = {} if name in NAMING else {"namespace": "shop", "pod": f"{name}-0", "container": "server"}
        return {
            "job_name": name,
            "metrics_path": f"/{name}",
            "honor_labels": name in NAMING,
            "static_configs": [{"targets": [f"127.0.0.1:{exporters}"], "labels": labels}],
        }

    every = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    return {"global": every, "scrape_configs": [job(name) for name in pages()]}


def _until_scraped(ready: Prometheus, log: Path) -> None:
    """Until each job was scraped often enough."""
    deadline = time.monotonic() + 45
    while time.monotonic() < deadline:
        try:
            scrapes = ready.values("sum_over_time(up[1m])")
            if len(scrapes) == len(pages()) and min(scrapes) >= SCRAPES:
                return
        except (URLError, ConnectionError, AssertionError):
            pass
        time.sleep(0.2)
    raise AssertionError(log.read_text()[-2000:])
