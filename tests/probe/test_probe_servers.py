"""Django by WSGI and ASGI, other applications, workers without HTTP: measured by name, and told to nobody unasked."""

import base64
import os
import re
import subprocess
from pathlib import Path

import pytest
from served import (
    AUTHORIZATION,
    PYTHON,
    Served,
    awaited,
    environment,
    gunicorn,
    make_shop,
    samples,
    served,
    uvicorn,
    values,
)

DOCUMENTED = {
    "django_memory_usage_bytes": {"container", "view_name", "worker"},
    "django_memory_growth_events_total": {"container", "threshold", "worker"},
    "django_gc_collections_total": {"container", "generation", "worker"},
    "django_allocation_bytes_bucket": {"container", "view_name", "worker", "le"},
}


def run(folder: Path, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    told = environment(folder, **environ)
    return subprocess.run([PYTHON, *arguments], cwd=folder, env=told, text=True, capture_output=True, check=False)


def basic(words: str) -> str:
    return "Basic " + base64.b64encode(words.encode()).decode()


def is_up(server: Served) -> bool:
    try:
        return server.get("/home")[0] == 200
    except OSError:
        return False


@pytest.mark.parametrize("command", [gunicorn("--threads", "3"), uvicorn()], ids=["wsgi", "asgi"])
def test_django_has_the_documented_metrics_by_view_and_type(command: tuple[str, ...], tmp_path: Path):
    make_shop(tmp_path, leaking="500")
    with served(tmp_path, *command) as server:
        for path, status in (("/home", 200), ("/later", 200), ("/basket", 200), ("/broken", 500), ("/nowhere", 404)):
            assert server.get(path)[0] == status
        found = server.scrape()
    labels: dict[str, set[str]] = {}
    for name, key in found:
        labels.setdefault(name, set()).update(dict(key))
    assert {name: labels[name] for name in DOCUMENTED} == DOCUMENTED
    assert {dict(key)["container"] for _, key in found} == {"shop"}
    for view in ("home", "later", "basket", "broken", "unknown"):
        assert values(found, "caulk_probe_requests_total", view_name=view) == {"0": 1}
        assert values(found, "django_memory_usage_bytes", view_name=view)["0"] > 10 << 20
    assert values(found, "django_allocation_bytes_sum", view_name="basket")["0"] > 100_000


def test_objects_are_counted_by_type_in_the_background(tmp_path: Path):
    make_shop(tmp_path)
    with (tmp_path / "settings.py").open("a") as file:
        # A walk rests between its steps, and takes half a minute.
        file.write("from caulk_probe import worker\nworker._SLICE_REST_S = 0.01\n")
    with served(tmp_path, *gunicorn(), CAULK_PROBE_WALK_SECONDS="1") as server:
        awaited(lambda: any(name == "django_python_objects_total" for name, _ in server.scrape()))
        found = server.scrape()
    for type_ in ("dict", "list", "tuple", "str", "function"):
        assert values(found, "django_python_objects_total", object_type=type_)["0"] > 300
    assert values(found, "django_python_objects_total", object_type="method").keys() == {"0"}
    assert values(found, "caulk_probe_errors_total") == {"0": 0}


def test_metrics_are_given_to_whoever_knows_the_password_and_to_nobody_else(tmp_path: Path):
    make_shop(tmp_path)
    wrong = [
        "",
        "Basic",
        "Basic !",
        "Bearer x",
        basic("prometheus:"),
        basic("prometheus:näher:da"),
        basic(":"),
        "Basic é",
    ]
    with served(tmp_path, *gunicorn()) as server:
        for sent in wrong:
            status, headers, body = server.ask("/metrics", **({"Authorization": sent} if sent else {}))
            assert (status, body, headers["WWW-Authenticate"]) == (401, "Unauthorized", 'Basic realm="Metrics"')
        assert server.get("/metrics/")[0] == 401
        assert server.get("/metrics", Authorization=AUTHORIZATION)[0] == 200
        assert server.get("/metrics", Authorization=AUTHORIZATION.replace("Basic", "basic"))[0] == 200


@pytest.mark.parametrize(
    "told",
    [
        {"METRICS_AUTH_USERNAME": "", "METRICS_AUTH_PASSWORD": ""},
        {"METRICS_AUTH_PASSWORD": ""},
        {"METRICS_AUTH_USERNAME": ""},
        {"METRICS_AUTH_USERNAME": "a:b"},
    ],
)
def test_without_credentials_metrics_are_an_error_for_everybody(told: dict[str, str], tmp_path: Path):
    make_shop(tmp_path)
    with served(tmp_path, *gunicorn(), **told) as server:
        for sent in ({}, {"Authorization": AUTHORIZATION}, {"Authorization": basic(":")}):
            assert server.get("/metrics", **sent) == (500, "Metrics authentication not configured")


def test_metrics_are_not_open_where_profiling_is_off(tmp_path: Path):
    make_shop(tmp_path)
    with served(tmp_path, *gunicorn(), ENABLE_MEMORY_PROFILING="false") as server:
        assert server.get("/home")[0] == 200
        assert server.get("/metrics")[0] == 401
        assert {name for name, _ in server.scrape()} == {"caulk_probe_info"}
        threads = len(list(Path(f"/proc/{server.get('/who')[1]}/task").iterdir()))
    assert threads == 1


def test_a_prefix_of_the_application_opens_nothing(tmp_path: Path):
    make_shop(tmp_path)
    with served(tmp_path, *gunicorn(), SCRIPT_NAME="/shop") as server:
        assert server.get("/shop/home")[0] == 200
        assert server.get("/shop/metrics")[0] == 401
        assert server.get("/shop/metrics", Authorization=AUTHORIZATION)[0] == 200


def test_a_part_of_the_requests_is_sampled_and_all_are_counted(tmp_path: Path):
    make_shop(tmp_path, leaking="100")
    with served(tmp_path, *gunicorn(), MEMORY_PROFILING_SAMPLE_RATE="0.25") as server:
        for _ in range(80):
            server.get("/basket")
        found = server.scrape()
    assert values(found, "caulk_probe_requests_total", view_name="basket") == {"0": 80}
    assert 10 <= values(found, "django_allocation_bytes_count", view_name="basket")["0"] <= 30


@pytest.mark.parametrize(
    ("told", "says"),
    [
        (
            {"MEMORY_PROFILING_SAMPLE_RATE": "often"},
            "caulk_probe.E001) MEMORY_PROFILING_SAMPLE_RATE is 'often': write a",
        ),
        ({"METRICS_AUTH_PASSWORD": ""}, "caulk_probe.W001) METRICS_AUTH_PASSWORD is not set"),
        ({}, "no issues"),
    ],
)
def test_manage_check_says_what_is_wrong_with_the_settings(told: dict[str, str], says: str, tmp_path: Path):
    make_shop(tmp_path)
    ran = run(tmp_path, "manage.py", "check", **told)
    assert says in ran.stdout + ran.stderr


def test_a_setting_that_cannot_be_meant_stops_the_server_with_a_sentence(tmp_path: Path):
    make_shop(tmp_path)
    ran = run(tmp_path, "-c", "import wsgi", MEMORY_GROWTH_THRESHOLD_MB="much")
    assert ran.stderr.splitlines()[-1].startswith(
        "django.core.exceptions.ImproperlyConfigured: MEMORY_GROWTH_THRESHOLD_MB is 'much': write a number"
    )


def test_settings_of_the_project_come_before_the_environment(tmp_path: Path):
    make_shop(tmp_path)
    with (tmp_path / "settings.py").open("a") as file:
        file.write("MEMORY_GROWTH_THRESHOLD_MB = 5\nMETRICS_AUTH_USERNAME = 'else'\n")
    with served(tmp_path, *gunicorn()) as server:
        status, body = server.get("/metrics", Authorization=basic("else:näher:dran"))
    assert status == 200
    assert values(samples(body), "django_memory_growth_events_total", threshold="5mb") == {"0": 0}


def test_the_described_middleware_beside_the_probe_is_found(tmp_path: Path):
    make_shop(tmp_path)
    with (tmp_path / "settings.py").open("a") as file:
        file.write("MIDDLEWARE += ['akvo.rsr.middleware.memory_profiling.MemoryLeakDetectionMiddleware']\n")
    ran = run(tmp_path, "manage.py", "check")
    assert "caulk_probe.W003) akvo.rsr.middleware" in ran.stderr


def test_metrics_of_prometheus_client_follow_those_of_the_probe(tmp_path: Path):
    make_shop(tmp_path)
    with (tmp_path / "shop.py").open("a") as file:
        file.write("import prometheus_client\nprometheus_client.Counter('orders', 'of the shop').inc(7)\n")
    with served(tmp_path, *gunicorn()) as server:
        server.get("/home")
        _, body = server.get("/metrics", Authorization=AUTHORIZATION)
    assert "\norders_total 7.0\n" in body


WSGI = """
import sys
from caulk_probe.wsgi import Middleware

class Request:  # as Werkzeug leaves it
    endpoint = "cart.show"

def application(environ, start_response):
    environ["werkzeug.request"] = Request()
    if environ["PATH_INFO"] == "/fails":
        raise ValueError
    if environ["PATH_INFO"] == "/file":
        start_response("200 OK", [("Content-Length", "2")])
        return environ["wsgi.file_wrapper"](open(__file__ + ".txt", "rb"))
    start_response("200 OK", [])
    return (each for each in (b"a", b"b"))

application = Middleware(application)
"""
ASGI = """
from caulk_probe.asgi import Middleware

def show():
    pass

async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            said = (await receive())["type"]
            await send({"type": said + ".complete"})
            if said == "lifespan.shutdown":
                return
    scope["endpoint"] = show
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ab"})

application = Middleware(application)
"""


@pytest.mark.parametrize(("kind", "name"), [("wsgi", "cart.show"), ("asgi", "asgi.show")])
def test_any_application_is_measured_by_what_its_framework_calls_the_view(kind: str, name: str, tmp_path: Path):
    (tmp_path / f"{kind}.py").write_text({"wsgi": WSGI, "asgi": ASGI}[kind])
    with served(tmp_path, *(gunicorn() if kind == "wsgi" else uvicorn())) as server:
        assert server.get("/shown") == (200, "ab")
        if kind == "wsgi":
            assert server.get("/fails")[0] == 500
            (tmp_path / "wsgi.py.txt").write_text("ab")
            assert server.get("/file") == (200, "ab")
        assert server.get("/metrics")[0] == 401
        found = server.scrape()
    assert values(found, "caulk_probe_requests_total", view_name=name) == {"0": 3 if kind == "wsgi" else 1}


QUEUE = """
import os, sys
import caulk_probe

server = caulk_probe.serve(0)

@caulk_probe.measured("send mail")
def work():
    return [bytes(100) for _ in range(10)]

for _ in range(2):
    if os.fork() == 0:
        for _ in range(30):
            work()
        print("done", flush=True)
        sys.stdin.read()
        os._exit(0)
print(server.server_address[0], server.server_port, flush=True)
sys.stdin.read()
"""


def test_workers_without_http_are_told_of_on_a_port_of_the_process_that_forked_them(tmp_path: Path):
    (tmp_path / "queue_.py").write_text(QUEUE)
    with subprocess.Popen(
        [PYTHON, "-W", "error", "queue_.py"], cwd=tmp_path, env=environment(tmp_path), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as program:  # fmt: skip
        try:
            assert program.stdout
            said = sorted(program.stdout.readline().split() for _ in range(3))
            host, port = said[0]
            server = Served(program, int(port), tmp_path)
            assert host == "127.0.0.1"
            assert server.get("/metrics")[0] == 401
            assert server.get("/")[0] == 404
            found = server.scrape()
        finally:
            program.kill()
    assert values(found, "caulk_probe_requests_total", view_name="send mail") == {"1": 30, "2": 30}
    assert set(values(found, "caulk_probe_memory_bytes", kind="rss")) == {"0", "1", "2"}


def test_a_directory_of_somebody_else_is_not_used(tmp_path: Path):
    code = """
import os, sys
from caulk_probe import process, slots
os.makedirs(sys.argv[1] + "/caulk_probe-%d" % os.geteuid())
os.chmod(sys.argv[1] + "/caulk_probe-%d" % os.geteuid(), 0o777)
slots._BASES = (sys.argv[1],)
worker = process.current()
print(worker.why)
"""
    ran = run(tmp_path, "-c", code, str(tmp_path / "shm"))
    assert re.fullmatch(r"caulk-probe has nowhere to share figures \(.*not this user's own.*\): set .*\n", ran.stdout)
    assert os.listdir(tmp_path / "shm" / f"caulk_probe-{os.geteuid()}") == []  # noqa: PTH208


def test_what_dead_servers_left_is_removed(tmp_path: Path):
    code = """
import os, sys
from caulk_probe import process, slots
slots._BASES = (sys.argv[1],)
own = "%s/caulk_probe-%d" % (sys.argv[1], os.geteuid())
os.makedirs(own + "/4194305-1", 0o700)
os.chmod(own, 0o700)
open(own + "/4194305-1/slot-0000", "w").close()
print(process.current().directory)
print(os.listdir(own))
"""
    ran = run(tmp_path, "-c", code, str(tmp_path))
    directory, left = ran.stdout.splitlines()
    assert left == str([Path(directory).name])


def test_a_child_of_a_worker_holds_no_slot_and_counts_nothing(tmp_path: Path):
    code = """
import os, sys
from caulk_probe import process, slots
worker = process.current()
token = worker.begin()
pid = os.fork()
if pid == 0:
    worker.end(token, "v")
    worker.statm.read()
    worker.slot.descriptor  # its own copy is closed
    os._exit(process._worker is not None)
print(os.waitpid(pid, 0)[1])
worker.end(token, "v")
at = worker.cells.find(__import__("caulk_probe.families").families.REQUESTS, "v")
print(worker.numbers[at], worker.in_flight)
"""
    ran = run(tmp_path, "-W", "error", "-c", code, CAULK_PROBE_DIR=str(tmp_path))
    assert (ran.stdout.split(), ran.stderr) == (["0", "1.0", "0"], "")
