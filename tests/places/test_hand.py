"""The hand: a script for any Python from 3.6 on, that answers in a line of JSON and never leaves a target's root."""

import ast
import hashlib
import json
import os
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from caulk.places import hand
from caulk.places.eye import Trouble
from caulk.places.hand import Hand

NOBODY = 4_000_000  # above every kernel's pid_max by default, so that there is no such process


@pytest.fixture
def jail(tmp_path: Path):
    """A hand on this process for which a directory is the root, and that directory; a file lies outside of it."""
    (tmp_path / "secret").write_text("outside")
    root = tmp_path / "root"
    root.mkdir()
    made = Hand(os.getpid(), root=os.open(root, os.O_PATH | os.O_DIRECTORY))
    yield made, root
    made.close()


def ask(verb: str, stdin: bytes = b"", **request: object) -> tuple[dict, bytes, int]:
    """What the sent script answers on this process: its line, what comes after it, and the exit code."""
    command = [sys.executable, "-I", "-S", "-c", hand.source(), verb, json.dumps({"pid": os.getpid(), **request})]
    ran = subprocess.run(command, input=stdin, capture_output=True, timeout=60, check=False)
    assert not ran.stderr
    line, _, rest = ran.stdout.partition(b"\n")
    return json.loads(line), rest, ran.returncode


def test_what_is_sent_is_small_ascii_that_python_3_6_parses():
    text = hand.source()
    assert len(text) < 60_000
    assert text.isascii()  # Python 3.6 in the C locale takes nothing else from a command line
    ast.parse(text, feature_version=(3, 6))


def test_the_sent_script_sees_the_process_that_it_is_asked_about():
    answer, _, code = ask("process")
    found = answer["ok"]
    assert (found["pid"], found["uid"], code) == (os.getpid(), os.geteuid(), 0)
    assert found["executable"] == str(Path("/proc/self/exe").readlink())
    assert found["environ"]["PATH"] == os.environ["PATH"]
    assert any(path.rpartition("/")[2].startswith("libc.so") for path in found["libraries"])
    assert ".text" in found["sections"]


def test_every_candidate_in_sight_is_listed_without_what_its_environment_hides():
    command = [sys.executable, "-I", "-S", "-c", hand.source(), "processes"]
    ran = subprocess.run(command, capture_output=True, timeout=60, check=True)
    listed = {found["host_pid"]: found for found in json.loads(ran.stdout)["ok"]}
    assert listed[os.getpid()]["uid"] == os.geteuid()
    assert all(found["environ"] == {} and found["sockets"] == [] for found in listed.values())


def test_the_hand_says_what_it_runs_as():
    ran = subprocess.run([sys.executable, "-c", hand.source(), "facts"], capture_output=True, timeout=60, check=True)
    facts = json.loads(ran.stdout)["ok"]
    assert (facts["uid"], facts["pid_namespace"]) == (os.geteuid(), Path("/proc/self/ns/pid").stat().st_ino)


def test_a_process_that_is_not_there_is_unreachable_in_one_line():
    answer, rest, code = ask("room", pid=NOBODY)
    assert (answer["error"], rest, code) == ("unreachable", b"", 1)
    assert str(NOBODY) in answer["message"]


def test_a_later_process_of_the_same_number_is_not_the_target():
    started = Hand(os.getpid()).started
    answer, _, _ = ask("reading", started=started - 1)
    assert answer["error"] == "unreachable"
    assert ask("reading", started=started)[0]["ok"]["rss"] > 0


def test_a_part_of_a_file_follows_its_length(tmp_path: Path):
    path = tmp_path / "dump"
    path.write_bytes(bytes(range(256)) * 8192)
    answer, rest, _ = ask("fetch", path=str(path), offset=1000, length=1 << 20)
    assert answer == {"ok": 1 << 20}
    assert rest == path.read_bytes()[1000:][: 1 << 20]
    assert ask("fetch", path=str(path), offset=5 << 20)[:2] == ({"ok": 0}, b"")


def test_a_hash_is_of_so_many_bytes_and_of_no_fewer(tmp_path: Path):
    path = tmp_path / "dump"
    path.write_bytes(b"0123456789")
    assert ask("digest", path=str(path), length=4)[0]["ok"] == hashlib.sha256(b"0123").hexdigest()
    assert ask("digest", path=str(path), length=11)[0]["error"] == "unreachable"


def test_what_is_no_regular_file_is_not_read(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    assert ask("fetch", path=str(tmp_path / "pipe"))[0]["error"] == "failed"
    assert ask("fetch", path=str(tmp_path / "none"))[0]["error"] == "missing"


def test_a_new_file_is_whole_and_has_its_mode_and_never_takes_the_place_of_another(tmp_path: Path):
    path = tmp_path / "new"
    assert ask("put", path=str(path), mode=0o640, stdin=b"x" * 100_000)[0] == {"ok": None}
    assert (path.stat().st_size, stat.S_IMODE(path.stat().st_mode)) == (100_000, 0o640)
    assert ask("put", path=str(path), stdin=b"other")[0]["error"] == "failed"
    assert path.stat().st_size == 100_000
    assert [file.name for file in tmp_path.iterdir()] == ["new"]


def test_a_file_is_never_moved_onto_another(tmp_path: Path):
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    assert ask("move", path=str(tmp_path / "a"), to=str(tmp_path / "b"))[0]["error"] == "failed"
    assert ask("move", path=str(tmp_path / "a"), to=str(tmp_path / "c"))[0] == {"ok": None}
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"b": "b", "c": "a"}


def test_a_file_may_be_gone_when_it_is_removed(tmp_path: Path):
    (tmp_path / "a").touch()
    for _ in range(2):
        assert ask("remove", path=str(tmp_path / "a"))[0] == {"ok": None}
    assert not list(tmp_path.iterdir())


def test_a_connection_is_joined_to_the_standard_streams():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def echo() -> None:
            peer, _ = server.accept()
            with peer:
                while piece := peer.recv(4096):
                    peer.sendall(piece.upper())

        thread = threading.Thread(target=echo)
        thread.start()
        answer, rest, code = ask("connect", address=server.getsockname(), stdin=b"hello " * 50_000)
        thread.join()
    assert (answer, rest, code) == ({"ok": None}, b"HELLO " * 50_000, 0)


def test_where_nobody_listens_nothing_is_joined():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
    answer, _, code = ask("connect", address=address)
    assert (answer["error"], code) == ("unreachable", 1)
    assert f"127.0.0.1:{address[1]}" in answer["message"]


@pytest.mark.parametrize("link", ["/../secret", "../../../secret", "/nowhere/../../secret", "/up/../secret"])
def test_no_link_of_the_target_leads_out_of_its_root(jail, link: str):
    target, root = jail
    (root / "dump").symlink_to(link)
    (root / "up").symlink_to("../..")
    assert target.stat("/dump") is None
    assert target.stat("/up/../../secret") is None
    with pytest.raises(Trouble):
        b"".join(target.fetch("/dump"))


def test_a_link_means_what_it_means_to_the_target(jail):
    target, root = jail
    (root / "run").mkdir()
    (root / "run/dump").write_text("inside")
    (root / "var").mkdir()
    (root / "var/run").symlink_to("/run")
    (root / "latest").symlink_to("var/run/./dump")
    for path in ("/latest", "/var/run/dump", "/var/run/../run/dump", "//run//dump", "/../run/dump"):
        assert b"".join(target.fetch(path)) == b"inside"
    assert [found["path"] for found in target.listing("/var/run/")] == ["/var/run/dump"]


def test_links_that_go_round_are_an_error_and_not_a_hang(jail):
    target, root = jail
    (root / "a").symlink_to("b")
    (root / "b").symlink_to("a")
    with pytest.raises(Trouble, match="symbolic links"):
        target.stat("/a")


def test_a_file_that_is_cut_while_it_is_read_is_unreachable(jail):
    target, root = jail
    (root / "dump").write_bytes(bytes(3 * hand.PIECE))
    pieces = target.fetch("/dump")
    assert len(next(pieces)) == hand.PIECE
    os.truncate(root / "dump", hand.PIECE + 5)
    with pytest.raises(Trouble, match="cut") as caught:
        list(pieces)
    assert caught.value.kind == "unreachable"


def test_of_very_many_files_the_newest_are_listed(jail, monkeypatch: pytest.MonkeyPatch):
    target, root = jail
    monkeypatch.setattr(hand, "_MOST_LISTED", 2)
    for at, name in enumerate("cab"):
        (root / name).touch()
        os.utime(root / name, (at, at))
    assert [found["path"] for found in target.listing("/")] == ["/a", "/b"]
    assert target.listing("/none") == []
    assert target.listing("/a") == []
