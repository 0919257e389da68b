"""A real shop behind a real server, and what it says when it is scraped."""

import base64
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROBE = Path(__file__).resolve().parents[2] / "probe/src"
#: Which Python serves; `make probe-versions` has every one that Django 4.2 and 5.2 know.
PYTHON = os.environ.get("CAULK_PROBE_PYTHON", sys.executable)
AWAITED_S = 60.0
CREDENTIALS = {"METRICS_AUTH_USERNAME": "prometheus", "METRICS_AUTH_PASSWORD": "näher:dran"}
AUTHORIZATION = "Basic " + base64.b64encode("prometheus:näher:dran".encode()).decode()
SAMPLE = re.compile(r"^(\w+)\{(.*)\} (\S+)$")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

SETTINGS = """
SECRET_KEY, ALLOWED_HOSTS, ROOT_URLCONF, USE_TZ = "-", ["*"], "shop", True
INSTALLED_APPS = ["caulk_probe.django"]
MIDDLEWARE = ["caulk_probe.django.MemoryLeakDetectionMiddleware"]
"""
#: One view of five may keep what it makes, where the file `leaking` says how many blocks, and in which slot if in one.
SHOP = """
import gc, os, pathlib
from caulk_probe import process
from django.http import HttpResponse
from django.urls import path

LEAKING = pathlib.Path(__file__).with_name("leaking")
KEPT, RECENT = [], {}

def who(request):
    return HttpResponse(str(os.getpid()))

def home(request):
    return HttpResponse("home")

def basket(request):
    blocks, _, slot = LEAKING.read_text().partition(" ")
    if not slot or process.current().slot.number == int(slot):
        KEPT.append([bytes(500) for _ in range(int(blocks))])
    return HttpResponse("basket")

def report(request):
    return HttpResponse(str(len([bytes(300) for _ in range(3000)])))

def search(request):
    RECENT[len(RECENT) % 50] = bytes(2000)
    return HttpResponse("search")

async def later(request):
    return HttpResponse("later")

def collect(request):
    return HttpResponse(str(gc.collect()))

def broken(request):
    raise ZeroDivisionError

VIEWS = (who, home, basket, report, search, later, collect, broken)
urlpatterns = [path(view.__name__, view, name=view.__name__) for view in VIEWS]
"""
ENTRY = """
import os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
from django.core.{kind} import get_{kind}_application
application = get_{kind}_application()
"""
MANAGE = """
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@dataclass
class Served:
    """A server that runs; `port` is its port."""

    popen: "subprocess.Popen[str]"
    port: int
    folder: Path

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        status, _, body = self.ask(path, **headers)
        return status, body

    def ask(self, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=AWAITED_S)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode()
        finally:
            connection.close()

    def scrape(self) -> Samples:
        status, body = self.get("/metrics", Authorization=AUTHORIZATION)
        assert status == 200, body
        return samples(body)


def samples(text: str) -> Samples:
    """The samples of a scrape by name and labels."""
    found: Samples = {}
    for line in text.splitlines():
        if line and not line.startswith("#") and (match := SAMPLE.match(line)):
            key = match[1], frozenset(LABEL.findall(match[2]))
            assert key not in found, line
            found[key] = float(match[3])
    return found


def values(found: Samples, name: str, **labels: str) -> dict[str, float]:
    """The values of a metric with these labels, by worker."""
    wanted = set(labels.items())
    return {
        dict(key).get("worker", ""): value for (each, key), value in found.items() if each == name and wanted <= key
    }


def make_shop(folder: Path, *, leaking: str = "0") -> None:
    """A Django project."""
    (folder / "leaking").write_text(leaking)
    for name, source in (("settings", SETTINGS), ("shop", SHOP), ("manage", MANAGE)):
        (folder / f"{name}.py").write_text(source)
    for kind in ("wsgi", "asgi"):
        (folder / f"{kind}.py").write_text(ENTRY.format(kind=kind))


def environment(folder: Path, **environ: str) -> dict[str, str]:
    """That of a program which finds the probe and the project."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CAULK", "METRICS"))}
    paths = os.pathsep.join((str(PROBE), str(folder)))
    told = {"PYTHONPATH": paths, "CONTAINER_NAME": "shop", "HOME": str(folder)}
    return {**clean, **told, **CREDENTIALS, **environ}


@contextmanager
def served(folder: Path, *command: str, **environ: str) -> Iterator[Served]:
    """A server that has answered once; `{fd}` in the command is the descriptor that it is to listen with."""
    with socket.socket() as listener, (folder / "out").open("w") as out:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        words = [each.format(fd=listener.fileno()) for each in command]
        process = subprocess.Popen(
            [PYTHON, *words], cwd=folder, env=environment(folder, **environ), text=True,
            stdout=out, stderr=subprocess.STDOUT, pass_fds=[listener.fileno()],
        )  # fmt: skip
        port = listener.getsockname()[1]
    try:
        yield Served(process, port, folder)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=AWAITED_S)
        finally:
            process.kill()
            process.wait()


def gunicorn(*options: str) -> tuple[str, ...]:
    return ("-m", "gunicorn", "-b", "fd://{fd}", *options, "wsgi")


def uvicorn(*options: str) -> tuple[str, ...]:
    return ("-m", "uvicorn", "--fd", "{fd}", "--no-access-log", *options, "asgi:application")


def awaited(condition: Callable[[], bool], *, seconds: float = AWAITED_S) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.05)
