"""A pool of real gunicorn workers: any of them answers for all, and what is counted outlives them."""

import os
import random
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
from served import PYTHON, Samples, Served, awaited, environment, gunicorn, make_shop, samples, served, values

WORKERS, LEAKS_IN = 12, "3"
VIEWS = ("home", "basket", "report", "search", "later")
#: Enough for several lives of each slot.
REQUESTS = 3000


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, list[Samples]]]:
    """Twelve workers that are recycled after 200 requests, after a few thousand; one slot's leak. And all scrapes."""
    folder = tmp_path_factory.mktemp("pool")
    make_shop(folder, leaking=f"2000 {LEAKS_IN}")
    options = ("--workers", str(WORKERS), "--max-requests", "200")
    traffic, scrapes = random.Random(6), []
    with served(folder, *gunicorn(*options), CAULK_PROBE_TRACE="0") as pool, ThreadPoolExecutor(WORKERS) as users:
        awaited(lambda: len(values(pool.scrape(), "caulk_probe_memory_bytes", kind="rss")) == WORKERS)
        for _ in range(REQUESTS // 300):
            asked = [f"/{traffic.choice(VIEWS)}" for _ in range(300)]
            assert {status for status, _ in users.map(pool.get, asked)} == {200}
            scrapes.append(pool.scrape())
        yield pool, scrapes


def test_every_scrape_has_every_worker_that_lives(pool: tuple[Served, list[Samples]]):
    server, scrapes = pool
    every = {str(number) for number in range(WORKERS)}

    def living() -> set[str]:
        return set(values(server.scrape(), "caulk_probe_memory_bytes", kind="rss"))

    # Whoever has just died (of its 200th request, which may be a scrape) is missing until its successor is there.
    awaited(lambda: all(living() == every for _ in range(5)))
    for scrape in scrapes:
        assert set(values(scrape, "caulk_probe_worker_starts_total")) == every


def test_workers_were_recycled_into_the_slots_of_the_dead(pool: tuple[Served, list[Samples]]):
    _, scrapes = pool
    assert sum(values(scrapes[-1], "caulk_probe_worker_starts_total").values()) > WORKERS


def test_no_counter_goes_back_and_no_request_is_lost(pool: tuple[Served, list[Samples]]):
    _, scrapes = pool
    for before, after in pairwise(scrapes):
        for key, value in before.items():
            if key[0].endswith(("_total", "_bucket", "_count", "_sum")) and "objects" not in key[0]:
                assert after[key] >= value, key
    requests = [value for (name, _), value in scrapes[-1].items() if name == "caulk_probe_requests_total"]
    assert sum(requests) == REQUESTS


def test_the_leak_of_one_slot_is_seen_in_it_and_in_no_other(pool: tuple[Served, list[Samples]]):
    _, scrapes = pool
    events = values(scrapes[-1], "django_memory_growth_events_total", threshold="10mb")
    assert [worker for worker, count in events.items() if count] == [LEAKS_IN]
    peaks: dict[str, float] = {}
    for scrape in scrapes:
        for worker, value in values(scrape, "caulk_probe_memory_bytes", kind="anonymous").items():
            peaks[worker] = max(peaks.get(worker, 0), value)
    assert peaks.pop(LEAKS_IN) > max(peaks.values()) + (8 << 20)


def test_nothing_went_wrong_in_any_worker(pool: tuple[Served, list[Samples]]):
    _, scrapes = pool
    assert set(values(scrapes[-1], "caulk_probe_errors_total").values()) == {0}


def test_what_the_command_prints_is_what_a_scrape_says(pool: tuple[Served, list[Samples]]):
    server, _ = pool

    def said(*options: str) -> str:
        return subprocess.run(
            [PYTHON, "manage.py", "memory_probe", *options], cwd=server.folder, text=True, check=True,
            capture_output=True, env=environment(server.folder),
        ).stdout  # fmt: skip

    table = next(each for each in said().split("/dev/shm") if f"{server.popen.pid}-" in each)
    workers = [line.split()[0] for line in table.splitlines()[2:] if line.split()[1].isdigit()]
    assert workers == sorted(workers, key=int)
    assert len(workers) == WORKERS
    printed = [each for each in said("--metrics").splitlines() if each.startswith("caulk_probe_requests_total")]
    assert printed


def test_a_worker_that_is_killed_leaves_its_counts(tmp_path: Path):
    make_shop(tmp_path)
    with served(tmp_path, *gunicorn("--workers", "1")) as server:
        _, pid = server.get("/who")
        server.get("/home")
        before = server.scrape()
        os.kill(int(pid), signal.SIGKILL)
        awaited(lambda: server.get("/home")[0] == 200)
        assert server.get("/who")[1] != pid
        after = server.scrape()
    assert values(before, "caulk_probe_requests_total", view_name="who") == {"0": 1}
    assert values(after, "caulk_probe_requests_total", view_name="who") == {"0": 2}
    assert values(after, "caulk_probe_worker_starts_total") == {"0": 2}
    assert values(after, "django_memory_usage_bytes", view_name="home")["0"] > 0


def test_an_application_that_is_loaded_before_the_fork_is_measured_in_its_workers_alone(tmp_path: Path):
    make_shop(tmp_path)
    with served(tmp_path, *gunicorn("--workers", "2", "--preload")) as server:
        # Both, although one of them at least has had no request.
        awaited(lambda: set(values(server.scrape(), "caulk_probe_memory_bytes", kind="rss")) == {"0", "1"})


def test_collections_are_counted_once_each(tmp_path: Path):
    make_shop(tmp_path)
    with served(tmp_path, *gunicorn()) as server:
        before = values(server.scrape(), "django_gc_collections_total", generation="2")["0"]
        for _ in range(5):
            server.get("/collect")
        after = values(server.scrape(), "django_gc_collections_total", generation="2")["0"]
    # One more may be the interpreter's own.
    assert after - before in (5, 6)


def test_two_servers_of_one_user_do_not_see_each_other(tmp_path: Path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        make_shop(tmp_path / name)
    with (
        served(tmp_path / "a", *gunicorn("--workers", "1")) as one,
        served(tmp_path / "b", *gunicorn("--workers", "1")) as other,
    ):
        for _ in range(3):
            one.get("/home")
        other.get("/home")
        assert values(one.scrape(), "caulk_probe_requests_total", view_name="home") == {"0": 3}
        assert values(other.scrape(), "caulk_probe_requests_total", view_name="home") == {"0": 1}
    assert samples("") == {}
