"""What the probe costs a Django worker, beside django-prometheus and beside nothing, in one run.

    python bench/probe.py            # about three minutes; writes bench/probe.md

Gunicorn servers of one worker each serve the same view: a page of 500 products out of SQLite, through the ORM and a
template. One client asks them in turn, in random order, so that whatever else the machine does meets all alike; two
servers have no middleware, and differ by chance.
CPU time is the kernel's own, of all threads of a worker; times of requests are the client's. The price of one request
is measured once more without a network: the handlers are called in turn in one process, for a view that does nothing.
CAULK_BENCH_PYTHONS are further interpreters, whose import of the probe is timed.
"""

import http.client
import json
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROBE = ROOT / "probe/src"
SECONDS = float(os.environ.get("CAULK_BENCH_SECONDS", "150"))
CALLS, IMPORTS = 5000, 15
ALLOWED_CPU, ALLOWED_US, ALLOWED_TAIL_MS, ALLOWED_IMPORT_MS = 0.01, 50, 5, 15
#: The second is the first once more: what differs between these two is the machine's.
KINDS = {
    "nothing": [],
    "nothing, again": [],
    "caulk-probe": ["caulk_probe.django.MemoryLeakDetectionMiddleware"],
    "django-prometheus": [
        "django_prometheus.middleware.PrometheusBeforeMiddleware",
        "django_prometheus.middleware.PrometheusAfterMiddleware",
    ],
}
SHOP = """
import os, sys
from django.conf import settings
from django.http import HttpResponse
from django.template import Context, Engine

settings.configure(
    SECRET_KEY="-", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, USE_TZ=True,
    INSTALLED_APPS=["django.contrib.contenttypes"],
    MIDDLEWARE=[each for each in os.environ.get("SHOP_MIDDLEWARE", "").split() if each],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
)
import django
django.setup()
from django.contrib.contenttypes.models import ContentType
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.urls import path

PAGE = Engine().from_string(
    "{% for each in products %}<tr><td>{{ each.pk }}<td>{{ each.model|title }}<td>{{ each.app_label }}{% endfor %}"
)

def products(request):
    if ContentType.objects.count() < 500:
        ContentType.objects.bulk_create(ContentType(app_label="shop", model=f"product {n}") for n in range(500))
    return HttpResponse(PAGE.render(Context({"products": ContentType.objects.order_by("model")})))

def empty(request):
    return HttpResponse("")

urlpatterns = [path("", products, name="products"), path("empty", empty, name="empty")]
call_command("migrate", verbosity=0)
application = WSGIHandler()
"""
CALL = """
import json, os, sys, time
os.environ["SHOP_MIDDLEWARE"] = ""
import shop
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory

handlers = {}
for kind, middleware in json.loads(sys.argv[1]).items():
    settings.MIDDLEWARE = middleware
    handlers[kind] = WSGIHandler()
times, factory = {kind: [] for kind in handlers}, RequestFactory()
for number in range(int(sys.argv[2])):
    for kind, handler in handlers.items():
        environ = factory.get("/empty").environ
        begun = time.perf_counter()
        handler(environ, lambda *_: None).close()
        times[kind].append(time.perf_counter() - begun)
print(json.dumps({kind: sorted(each)[len(each) // 2] * 1e6 for kind, each in times.items()}))
"""
IMPORT = "import time; t = time.thread_time(); import caulk_probe.wsgi; print(time.thread_time() - t)"


@dataclass
class Server:
    """One gunicorn; times in seconds."""

    kind: str
    popen: "subprocess.Popen[bytes]"
    port: int
    times: list[float] = field(default_factory=list)
    cpu_s: float = 0.0

    def ask(self, path: str = "/") -> float:
        """Seconds of one request, on a connection of its own as gunicorn's plain workers have it."""
        begun = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        if answer.status != 200:
            sys.exit(f"{self.kind} answered {answer.status}")
        return time.perf_counter() - begun

    def cpu(self) -> float:
        """CPU seconds of the worker's threads."""
        listed = Path(f"/proc/{self.popen.pid}/task/{self.popen.pid}/children").read_text().split()
        tasks = (each for pid in listed for each in Path(f"/proc/{pid}/task").iterdir())
        return sum(int((each / "schedstat").read_text().split()[0]) for each in tasks) / 1e9

    def percentile(self, share: float) -> float:
        """Seconds that this share of the requests did not take."""
        return sorted(self.times)[int(len(self.times) * share)]


def environment(folder: Path) -> dict[str, str]:
    told = {"PYTHONPATH": f"{folder}:{folder}/site", "METRICS_AUTH_USERNAME": "a", "METRICS_AUTH_PASSWORD": "b"}
    return {**os.environ, **told, "HOME": str(folder), "PYTHONHASHSEED": "0"}


def start(kind: str, folder: Path, stack: ExitStack) -> Server:
    """A server that has answered; it is ended with the stack."""
    listener = stack.enter_context(socket.socket())
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    command = [sys.executable, "-m", "gunicorn", "-b", f"fd://{listener.fileno()}", "--log-level", "error", "shop"]
    told = {**environment(folder), "SHOP_MIDDLEWARE": " ".join(KINDS[kind])}
    popen = subprocess.Popen(command, cwd=folder, env=told, pass_fds=[listener.fileno()])
    stack.callback(popen.wait)
    stack.callback(popen.send_signal, signal.SIGTERM)
    server = Server(kind, popen, listener.getsockname()[1])
    for _ in range(50):
        server.ask()
    return server


def serve(folder: Path) -> list[Server]:
    """All servers after the same number of requests each."""
    order = random.Random(6)
    with ExitStack() as stack:
        servers = [start(kind, folder, stack) for kind in KINDS]
        for server in servers:
            server.cpu_s = server.cpu()
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            for server in order.sample(servers, len(servers)):
                server.times.append(server.ask())
        for server in servers:
            server.cpu_s = (server.cpu() - server.cpu_s) / len(server.times)
    return servers


def calls(folder: Path) -> dict[str, float]:
    """Median microseconds of a request that does nothing, by kind."""
    command = [sys.executable, "-c", CALL, json.dumps(KINDS), str(CALLS)]
    said = subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, text=True, check=True)
    return json.loads(said.stdout)


def imports(folder: Path) -> dict[str, float]:
    """Milliseconds of CPU that importing the probe takes, the median, by version of Python."""
    found = {}
    for python in (sys.executable, *os.environ.get("CAULK_BENCH_PYTHONS", "").split()):

        def said(*options: str, python: str = python) -> str:
            return subprocess.check_output([python, *options], env=environment(folder), text=True)

        said("-m", "compileall", "-q", f"{folder}/site")  # as an installation does
        took = [float(said("-c", IMPORT)) for _ in range(IMPORTS)]
        version = said("-V").split()[1]
        found[version] = statistics.median(took) * 1e3
    return found


def report(servers: list[Server], called: dict[str, float], imported: dict[str, float]) -> str:
    """The page, with what was allowed beside what was measured."""
    base, again, probe = servers[:3]
    cpu = (base.cpu_s + again.cpu_s) / 2
    tail = max(base.percentile(0.999), again.percentile(0.999))
    lines = [
        "# What the probe costs",
        "",
        "Written by `python bench/probe.py`, which says how it is measured. All settings have their defaults: every",
        f"request is measured. {len(base.times):,} requests of each server, asked in turn.",
        "",
        "| a worker with | CPU for each request | more than nothing | median | p99 | p99.9 | an empty view | more |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for each in servers:
        cells = [each.kind, f"{each.cpu_s * 1e3:.3f} ms", f"{each.cpu_s / cpu - 1:+.2%}"]
        cells += [f"{each.percentile(share) * 1e3:.2f} ms" for share in (0.5, 0.99, 0.999)]
        cells += [f"{called[each.kind]:.0f} µs", f"{called[each.kind] - called['nothing']:+.0f} µs"]
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "| importing the probe | CPU |", "| --- | ---: |"]
    lines += [f"| Python {version} | {took:.1f} ms |" for version, took in imported.items()]
    verdicts = {
        f"at most {ALLOWED_CPU:.0%} CPU": probe.cpu_s / cpu - 1 <= ALLOWED_CPU,
        f"at most {ALLOWED_US} µs in the median request": called[probe.kind] - called["nothing"] <= ALLOWED_US,
        f"p99.9 within {ALLOWED_TAIL_MS} ms": probe.percentile(0.999) - tail <= ALLOWED_TAIL_MS / 1e3,
        f"import within {ALLOWED_IMPORT_MS} ms": max(imported.values()) <= ALLOWED_IMPORT_MS,
    }
    lines += ["", *(f"- {what}: {'held' if held else '**missed**'}" for what, held in verdicts.items())]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measures, and writes the page."""
    with suppress(OSError):  # where that is allowed, nobody else on the machine makes these wait
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "shop.py").write_text(SHOP)
        shutil.copytree(PROBE, folder / "site")
        called = calls(folder)
        imported = imports(folder)
        page = report(serve(folder), called, imported)
    (ROOT / "bench/probe.md").write_text(page)
    print(page)


if __name__ == "__main__":
    main()
