"""Recorded scrapes of real exporters, and a server that gives them again with counters that advance."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Thread

from caulk.model import metrics
from caulk.model.judgement import Judgement
from caulk.model.metrics import STATES
from caulk.model.series import Reading
from caulk.model.watching import Observation, Workload
from caulk.watch.exporter import Counters, Seen, exposition
from caulk.watch.fleet import Row

FOLDER = Path(__file__).parent / "scrapes"
#: Exporters that say themselves which pod a series is of.
NAMING = ("cadvisor", "kube-state-metrics", "flux-objects", "caulk")
_SAMPLE = re.compile(r"(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?P<labels>\{.*\})? +(?P<value>\S+)(?: +\d+)?$")
_MEMORY = re.compile(r"memory|heap|alloc|_rss|resident|goroutines|python_objects")


def pages() -> dict[str, str]:
    """Every recording by name, and what caulk's own exporter says of a leaking and a steady workload."""
    recorded = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.prom"))}
    return recorded | {"caulk": own_page()}


def own_page() -> str:
    """The page of the loop's exporter, of which every metric has a series."""
    counters = Counters()
    for outcome in ("complete", "refused"):
        counters.count(metrics.CAPTURES, ("shop/api", "jvm", outcome), ("capture", "c1"))
    counters.count(metrics.INCIDENTS, ("shop/api", "leaking"))
    counters.observe(metrics.CAPTURE_DURATION, ("jvm",), 2.5)
    seen = Seen(
        rows=[_row("shop/api", "leaking", 40e6, 7200.0), _row("shop/web", "steady", 0.0, None)],
        owed={"notify": 2},
        readings={"processes": (100, 3)},
        statuses={("shop/api", "http://api/metrics", "with"): 200, ("shop/api", "http://api/metrics", "without"): 401},
        kept={"captures": 1 << 30, "history": 1 << 20, "incidents": 1 << 16},
    )
    return exposition(seen, counters, is_open=False).decode()


def _row(key: str, state: str, rate: float, left: float | None) -> Row:
    assert state in STATES
    workload = Workload(key, key, "jvm")
    reading = Reading(1.0, 900 << 20, 800 << 20, heap=700 << 20)
    seen = Observation(workload, "pod-0", reading, limit=1 << 30)
    judgement = Judgement(key, state, "as tested")
    return Row(workload, state, judgement, 1, 800 << 20, 1 << 30, 0.8, rate, left, None, 1.0, (seen,))


def types(text: str) -> dict[str, str]:
    """The type of each sample's name in a page: of the parts of a histogram or summary too."""
    found = {}
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)", text, re.MULTILINE):
        found[name] = kind
        if kind in ("histogram", "summary"):
            found |= {f"{name}_{part}": "counter" for part in ("bucket", "sum", "count")}
    return {name: found.get(name, "untyped") for name in names(text)}


def names(text: str) -> set[str]:
    """Names of the samples in a page."""
    return {m["name"] for line in text.splitlines() if not line.startswith("#") and (m := _SAMPLE.match(line))}


def advanced(text: str, step: int) -> str:
    """The page as it would be `step` scrapes later: counters count, memory grows, times of recording are left out."""
    kinds, lines = types(text), []
    for line in text.splitlines():
        sample = None if line.startswith("#") else _SAMPLE.match(line)
        if not sample:
            # Info is a type of OpenMetrics, which Prometheus asks for; the older text that is served here has no such.
            lines.append(re.sub(r"^(# TYPE \S+) info$", r"\1 gauge", line))
            continue
        name, value = sample["name"], float(sample["value"])
        if kinds[name] == "counter":
            value *= 1 + 0.1 * step
        elif _MEMORY.search(name) and not re.search("limit|max", name):
            value *= 1 + 0.001 * step
        lines.append(f"{name}{sample['labels'] or ''} {value!r}")
    return "\n".join(lines) + "\n"


@contextmanager
def served() -> Iterator[int]:
    """The port of a server that has each recording at `/NAME`, a step further each time it is asked."""
    texts = pages()
    steps = {name: count() for name in texts}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.lstrip("/")
            body = advanced(texts[name], next(steps[name])).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
