"""`caulk watch` as people and scripts run it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HOLD = "import time; held = bytearray(40 << 20); print('ready', flush=True); time.sleep(600)"
#: All but the readings is brought to disk every 20 seconds, which a test need not wait for.
OFTEN = "from caulk.watch import loop; loop._KEPT_EACH_S = 1.0"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "shop.py").write_text(HOLD)
    with subprocess.Popen([sys.executable, "shop.py"], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield process.pid
        process.kill()


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    begun = []

    def run(*arguments: str, before: str = "") -> subprocess.Popen[str]:
        environ = {**os.environ, "CAULK_HOME": str(tmp_path / "home"), "CAULK_LISTEN__ADDRESS": "", "COLUMNS": "120"}
        begin = ["-c", f"{before}; from caulk.__main__ import main; main()"] if before else ["-m", "caulk"]
        command = [sys.executable, *begin, "watch", *arguments]
        one = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        begun.append(one)
        return one

    yield run
    for one in begun:
        one.kill()
        one.communicate()


def ended(process: subprocess.Popen[str], code: int = 0) -> tuple[str, str]:
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert "Traceback" not in err
    return out, err


def lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def test_once_reads_and_says_what_is_known(shop: int, watch: Callable[..., subprocess.Popen[str]]):
    out, _ = ended(watch(f"pid:{shop}", "--once"))
    (said,) = lines(out)
    assert said["schema"] == "caulk.change/1"
    assert (said["name"], said["state"], said["runtime"]) == ("shop.py", "unknown", "cpython")
    assert said["target"] == f"pid:{shop}"
    assert said["memory_bytes"] > 40 << 20


def test_a_table_says_it_to_people(shop: int, watch: Callable[..., subprocess.Popen[str]]):
    out, _ = ended(watch(f"pid:{shop}", "--once", "-o", "table"))
    header, row, below = out.rstrip().splitlines()
    assert header.split() == ["workload", "state", "memory", "limit", "used", "growth/h", "limit", "in", "read", "why"]
    assert row.startswith("shop.py   unknown")
    assert below.startswith("1 workload, 1 replica, ")


def test_what_was_read_is_there_for_the_next(shop: int, watch: Callable[..., subprocess.Popen[str]], tmp_path: Path):
    from caulk.store.history import History

    for _ in range(3):
        ended(watch(f"pid:{shop}", "--once"))
        time.sleep(1.1)
    history = History(tmp_path / "home" / "history")
    (workload,) = history.workloads()
    events = history.events(workload.key)["0"]
    history.close()
    assert workload.name == "shop.py"
    # The start of the program is told once, however often caulk begins.
    assert [event.what for event in events if event.what != "limit"] == ["restart"]


def awaited(path: Path, holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until, path
        time.sleep(0.05)


def test_a_kill_loses_nothing_that_was_read(shop: int, watch: Callable[..., subprocess.Popen[str]], tmp_path: Path):
    from caulk.store.history import History

    process = watch(f"pid:{shop}", "--interval", "1s", "--no-rules", before=OFTEN)
    ring = tmp_path / "home" / "history" / "readings-000.ring"
    awaited(ring, lambda: ring.exists() and ring.stat().st_size > 0)
    base = tmp_path / "home" / "history" / "history.sqlite-wal"
    awaited(base, lambda: base.exists() and b"shop.py" in base.read_bytes())
    process.send_signal(signal.SIGKILL)
    process.communicate()
    history = History(tmp_path / "home" / "history")
    (workload,) = history.workloads()
    assert history.readings(workload.key, "0")
    history.close()


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_it_well(
    signum: signal.Signals, code: int, shop: int, watch: Callable[..., subprocess.Popen[str]], tmp_path: Path
):
    process = watch(f"pid:{shop}", "--interval", "1s", "--no-rules")
    ring = tmp_path / "home" / "history" / "readings-000.ring"
    awaited(ring, ring.exists)
    process.send_signal(signum)
    ended(process, code)


def test_a_second_one_keeps_nothing_and_says_so(shop: int, watch: Callable[..., subprocess.Popen[str]], tmp_path: Path):
    first = watch(f"pid:{shop}", "--interval", "1s", "--no-rules")
    base = tmp_path / "home" / "history" / "history.sqlite-wal"
    awaited(base, base.exists)
    out, err = ended(watch(f"pid:{shop}", "--once"))
    assert "another caulk keeps the history" in err
    assert lines(out)[0]["name"] == "shop.py"
    first.kill()
    first.communicate()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("pid:999999999",), 3, "There is no process 999999999"),
        (("no-such-program",), 2, "'no-such-program': there is no such target"),
        (("moon:1",), 2, "moon: is not a place"),
        (("pid:1", "--interval", "0.1s"), 2, "a second is the least"),
        (("pid:1", "--interval", "soon"), 2, "'soon' is not a span of time"),
        (("--config", "nowhere.toml"), 2, "nowhere.toml: there is no such file"),
    ],
)
def test_what_cannot_be_watched_is_said(
    arguments: tuple[str, ...], code: int, said: str, watch: Callable[..., subprocess.Popen[str]]
):
    _, err = ended(watch(*arguments, "--once"), code)
    assert said in err


def test_an_address_without_an_answer_is_told_and_the_loop_goes_on(watch: Callable[..., subprocess.Popen[str]]):
    out, err = ended(watch("http://127.0.0.1:1", "--once"))
    assert "caulk: http://127.0.0.1:1/metrics did not answer" in err
    assert out == ""
