"""`caulk serve` as people run it: the loop and the page in one process, which ends well."""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

LEAK = """
import time
held = [bytearray(30 << 20)]
print('ready', flush=True)
while True:
    held.append(bytearray(200_000))
    time.sleep(0.05)
"""
ADDRESS = re.compile(r"the page is at (http\S+)")


@dataclass
class Serving:
    """A `caulk serve` that runs, and what it said."""

    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)

    def page(self) -> str:
        """The address that it printed."""
        assert self.process.stderr
        for line in self.process.stderr:
            self.said.append(line)
            if found := ADDRESS.search(line):
                return found[1]
        raise AssertionError("".join(self.said))

    @property
    def root(self) -> str:
        return "/".join(self.page().split("/")[:3])

    def end(self, signum: signal.Signals = signal.SIGTERM) -> tuple[int, float, str]:
        """The exit code, the seconds it took, and all that was said."""
        begun = time.monotonic()
        self.process.send_signal(signum)
        _, rest = self.process.communicate(timeout=60)
        return self.process.returncode, time.monotonic() - begun, "".join(self.said) + rest


def get(address: str, **headers: str) -> Any:
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=30) as answer:
        return json.load(answer)


def change(address: str, body: Any) -> Any:
    headers = {"X-Caulk": "1", "Content-Type": "application/json"}
    asked = urllib.request.Request(address, json.dumps(body).encode(), headers, method="POST")
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return json.load(answer)


def refused(address: str) -> int:
    """The status of a refusal."""
    with pytest.raises(urllib.error.HTTPError) as error:
        get(address)
    with error.value as answer:
        return answer.code


def awaited(told: Callable[[], Any]) -> Any:
    until = time.monotonic() + 60
    while not (found := told()):
        assert time.monotonic() < until
        time.sleep(0.05)
    return found


@pytest.fixture
def program(tmp_path: Path) -> Iterator[int]:
    """A program that leaks four megabytes a second."""
    (tmp_path / "shop.py").write_text(LEAK)
    with subprocess.Popen([sys.executable, "shop.py"], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield process.pid
        process.kill()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Serving]]:
    begun: list[subprocess.Popen[str]] = []

    def run(*arguments: str, **environ: str) -> Serving:
        told = {**os.environ, "CAULK_HOME": str(tmp_path / "home"), "CAULK_LISTEN__ADDRESS": "", **environ}
        command = [sys.executable, "-m", "caulk", "serve", *arguments]
        begun.append(subprocess.Popen(command, env=told, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return Serving(begun[-1])

    yield run
    for one in begun:
        one.kill()
        one.communicate()


def test_a_dump_is_read_with_the_names_that_are_given(serve, tmp_path):
    (tmp_path / "mapping.txt").write_text("com.example.Session -> a.a:\n")
    rows = "".join(f"{n:4}: {n:13} {n * 16:14}  {name}\n" for n, name in ((9, "a.a"), (1, "java.lang.Object")))
    head = " num     #instances         #bytes  class name (module)\n" + "-" * 55
    (tmp_path / "heap.txt").write_text(f"{head}\n{rows}Total 10 160\n")
    page = serve("--no-open", "--mapping", str(tmp_path / "mapping.txt"), str(tmp_path / "heap.txt")).page()
    answer = awaited(lambda: (found := get(page.replace("/d/", "/api/d/") + "/top")).get("rows") and found)
    assert "com.example.Session" in json.dumps(answer["rows"])


def test_a_target_is_watched_and_its_page_is_the_first(program: int, serve: Callable[..., Serving], tmp_path: Path):
    one = serve(str(program), "--http", "127.0.0.1:0", "--interval", "1s", "--no-rules")
    page = one.page()
    root, key = page.split("/t/")
    assert "shop.py" in key
    first = awaited(lambda: get(f"{root}/api/fleet")["rows"])[0]["memory_bytes"]
    assert awaited(lambda: get(f"{root}/api/fleet")["rows"][0]["memory_bytes"] > first)
    target = get(f"{root}/api/t/{key}")
    assert target["row"]["runtime"] == "cpython"
    assert get(f"{root}/api/t/{key}/memory")["replicas"][0]["rss"]
    assert get(f"{root}/api/session")["is_live"]
    code, _, said = one.end()
    assert code == 0
    assert "Traceback" not in said
    assert (tmp_path / "home" / "history" / "readings-000.ring").stat().st_size > 0


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_within_seconds_while_a_page_listens_and_leaves_nothing_half_written(
    signum: signal.Signals, program: int, serve: Callable[..., Serving], tmp_path: Path
):
    one = serve(str(program), "--http", "127.0.0.1:0", "--interval", "1s")
    root = one.root
    with urllib.request.urlopen(f"{root}/api/events", timeout=60) as stream:
        assert any(line.startswith(b"event: fleet") for line in stream)
        code, took, said = one.end(signum)
        assert code == 0, said
        assert took < 15
        assert b"event" not in stream.read().replace(b"event: fleet", b"").replace(b"event: job", b"")
    assert "Traceback" not in said
    base = sqlite3.connect(tmp_path / "home" / "history" / "history.sqlite")
    assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert base.execute("SELECT count(*) FROM series").fetchone() == (1,)
    base.close()


def test_rules_act_while_the_page_is_served_and_the_page_hears_of_it(
    program: int, serve: Callable[..., Serving], tmp_path: Path
):
    (tmp_path / "caulk.toml").write_text(
        '[watch]\ndefault_rules = false\n[[rules]]\nname = "seen"\n[rules.trigger]\nstate = ["unknown"]\n'
    )
    one = serve(str(program), "--http", "127.0.0.1:0", "--interval", "1s", "--config", str(tmp_path / "caulk.toml"))
    root, key = one.page().split("/t/")
    opened = awaited(lambda: get(f"{root}/api/incidents")["incidents"])[0]
    assert (opened["rule"], opened["workload"]["name"], opened["state"]) == ("seen", "shop.py", "open")
    assert awaited(lambda: get(f"{root}/api/fleet")["alerts"])[0]["incident"] == opened["id"]
    assert [row["id"] for row in get(f"{root}/api/t/{key}")["incidents"]] == [opened["id"]]
    assert get(f"{root}/api/i/{opened['id']}")["now"]["state"] == "unknown"
    with urllib.request.urlopen(f"{root}/api/events", timeout=60) as stream:
        change(f"{root}/api/i/{opened['id']}/notes", {"text": "seen"})
        assert any(line.startswith(b"event: incident") for line in stream)
    assert one.end()[0] == 0


def test_the_next_one_goes_on_with_what_the_one_before_read(program: int, serve: Callable[..., Serving]):
    first = serve(str(program), "--http", "127.0.0.1:0", "--interval", "1s", "--no-rules")
    root, key = first.page().split("/t/")
    begin = awaited(lambda: get(f"{root}/api/t/{key}/memory")["replicas"])[0]["times"][0]
    assert first.end()[0] == 0
    second = serve(str(program), "--http", "127.0.0.1:0", "--interval", "1s", "--no-rules")
    root = second.page().split("/t/")[0]
    assert get(f"{root}/api/t/{key}/memory")["replicas"][0]["times"][0] == begin


def test_where_another_keeps_the_history_it_says_so_and_shows_what_it_reads_itself(
    program: int, serve: Callable[..., Serving], tmp_path: Path
):
    first = serve(str(program), "--http", "127.0.0.1:0", "--interval", "1s", "--no-rules")
    first.page()
    second = serve(str(program), "--http", "127.0.0.1:0", "--interval", "1s", "--no-rules")
    root, key = second.page().split("/t/")
    assert awaited(lambda: get(f"{root}/api/t/{key}/memory")["replicas"])
    code, _, said = second.end()
    assert code == 0
    assert "another caulk keeps the history" in said
    assert "keeps nothing" in said


def test_a_port_that_is_taken_is_passed_over_unless_it_was_asked_for(serve: Callable[..., Serving], tmp_path: Path):
    (tmp_path / "a.folded").write_text("main;a 5\n")
    first = serve(str(tmp_path / "a.folded"))
    second = serve(str(tmp_path / "a.folded"))
    ports = [int(one.page().split(":")[2].split("/")[0]) for one in (first, second)]
    assert ports[0] != ports[1]
    assert f"this page is at port {max(ports)}" in "".join(first.said + second.said)
    third = serve(str(tmp_path / "a.folded"), "--http", f"127.0.0.1:{ports[0]}")
    _, said = third.process.communicate(timeout=60)
    assert third.process.returncode == 2
    assert "cannot be listened on" in said


def test_dumps_alone_are_shown_without_a_loop(serve: Callable[..., Serving], tmp_path: Path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.folded").write_text(f"main;{name} 5\n")
    one = serve(str(tmp_path / "a.folded"), str(tmp_path / "b.folded"), "--http", "127.0.0.1:0")
    root, ids = one.page().split("/d/")
    first, second = ids.split("..")
    assert first != second
    assert get(f"{root}/api/session")["is_live"] is False
    assert get(f"{root}/api/fleet")["rows"] == []
    assert get(f"{root}/api/incidents")["incidents"] == []
    assert refused(f"{root}/api/t/x") == 404
    assert not (tmp_path / "home" / "history").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--http", "0.0.0.0:0"), "no token"),
        (("--http", "nowhere"), "no host and port"),
        (("--interval", "10ms"), "a second is the least"),
        (("no/such.hprof",), "no such file"),
        (("no-such-program-anywhere",), "there is no such target"),
        (("--tls-key", "x"), "key is given without cert"),
    ],
)
def test_what_cannot_be_served_is_refused_before_anything_listens(
    arguments: tuple[str, ...], said: str, serve: Callable[..., Serving], tmp_path: Path
):
    process = serve(*arguments).process
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2, err
    assert said in err
    assert "Traceback" not in err


def test_a_dump_and_a_target_are_not_shown_together(serve: Callable[..., Serving], tmp_path: Path):
    (tmp_path / "a.folded").write_text("main;a 5\n")
    process = serve(str(tmp_path / "a.folded"), "pid:1").process
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "is no file" in err


def test_with_a_token_the_printed_address_signs_in_once(serve: Callable[..., Serving], tmp_path: Path):
    (tmp_path / "a.folded").write_text("main;a 5\n")
    (tmp_path / "token").write_text("s3cret-s3cret-s3cret\n")
    one = serve(str(tmp_path / "a.folded"), "--http", "127.0.0.1:0", "--token-file", str(tmp_path / "token"))
    page = one.page()
    root = "/".join(page.split("/")[:3])
    assert "token=" in page
    assert "s3cret" not in page
    assert refused(f"{root}/api/fleet") == 401
    assert get(f"{root}/api/session", Authorization="Bearer s3cret-s3cret-s3cret")["roles"] == ["capture", "read"]


def test_it_listens_on_this_machine_alone(serve: Callable[..., Serving], tmp_path: Path):
    (tmp_path / "a.folded").write_text("main;a 5\n")
    root = serve(str(tmp_path / "a.folded"), "--http", "127.0.0.1:0").root
    port = int(root.rpartition(":")[2])
    listening = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    rows = [line.split()[1] for line in listening.splitlines() if f":{port:04X} " in line and " 0A " in line]
    assert rows == [f"0100007F:{port:04X}"]
    with socket.create_connection(("127.0.0.1", port), timeout=10):
        pass
