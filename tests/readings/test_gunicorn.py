"""A real pool of gunicorn whose workers are recycled: worker by worker, and not by a random one."""

import asyncio
import contextlib
import importlib.util
import os
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from servers import free_port, running

from caulk.model.watching import Observation
from caulk.readings.processes import Processes
from caulk.watch.fleet import Fleet

WORKERS, MOST = 3, 40
#: Each request leaves 256 kB behind, until its worker is replaced.
APP = """
held = []
def app(environ, start):
    held.append(b"x" * (256 << 10))
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]
"""


@pytest.fixture
def gunicorn() -> None:
    if importlib.util.find_spec("gunicorn") is None:
        (pytest.fail if os.environ.get("CAULK_REQUIRE") == "all" else pytest.skip)("gunicorn is not installed")


def rounds(master: int, ask: Callable[[], None], times: int) -> list[list[Observation]]:
    source = Processes(lambda: [master])
    found = []
    for _ in range(times):
        ask()
        found.append(list(asyncio.run(source.read())))
    return found


@pytest.mark.usefixtures("gunicorn")
def test_a_pool_with_recycled_workers_is_measured_worker_by_worker(tmp_path: Path):
    (tmp_path / "shop.py").write_text(APP)
    url = f"http://127.0.0.1:{free_port()}/"
    address = url.removeprefix("http://").rstrip("/")
    options = ["-w", str(WORKERS), "--max-requests", str(MOST), "-b", address, "--log-level", "error"]

    def ask() -> None:
        for _ in range(WORKERS * 4):
            with contextlib.suppress(URLError, OSError), urlopen(url, timeout=30) as answer:
                answer.read()

    with running([sys.executable, "-m", "gunicorn", *options, "shop:app"], url, cwd=tmp_path) as master:
        seen = rounds(master.pid, ask, times=30)

    slots = {one.replica for look in seen for one in look if "master" not in one.workload.name}
    # However many processes there were, the workload has as many replicas as the pool has workers.
    assert slots == {str(number) for number in range(WORKERS)}
    pids = {one.target.reference for look in seen for one in look if one.target and "master" not in one.workload.name}
    assert len(pids) > WORKERS
    for slot in slots:
        of_slot = [one for look in seen for one in look if one.replica == slot and "master" not in one.workload.name]
        # Where another process took the slot that is said, and its memory begins anew.
        most = 0
        for before, after in pairwise(one for one in of_slot if not one.is_over):
            most = max(most, before.reading.anonymous)
            is_another = before.target != after.target
            assert is_another == any(event.what == "restart" for event in after.events)
            if is_another:
                assert after.reading.anonymous < most

    fleet = Fleet()
    for look in seen:
        for one in look:
            fleet.add(one)
    assert sorted(row.workload.name for row in fleet.rows()) == ["gunicorn", "gunicorn (master)"]
    (pool,) = (row for row in fleet.rows() if row.workload.name == "gunicorn")
    assert pool.replicas <= WORKERS
