"""A tool that hangs or floods, a server that is slow or sends too much: each is cut off, and the report goes on."""

import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from native_programs import ran

from caulk.model.tree import Mapping
from caulk.symbols import debuginfod, lookup, process
from caulk.symbols.binaries import Binaries, build_id
from caulk.symbols.cache import Cache
from caulk.symbols.debuginfod import Debuginfod
from caulk.symbols.process import answers

ID = "ab" * 20


def test_a_tool_that_hangs_is_killed_and_what_it_said_is_kept(require, tmp_path, monkeypatch):
    said = tmp_path / "said"

    class Clock(threading.Thread):
        """A timer whose time is over once the tool has spoken, however slow the machine is."""

        def __init__(self, seconds, kill):
            super().__init__()
            assert seconds == 7.5
            self.kill = kill

        def run(self):
            while not said.exists():
                time.sleep(0.01)
            self.kill()

        def cancel(self):
            pass

    monkeypatch.setattr(process.threading, "Timer", Clock)
    script = f"echo first; : > {said}; exec /bin/sleep 600"
    assert answers([require("sh"), "-c", script], b"", timeout_s=7.5) == (["first"], False)


def test_a_tool_that_floods_is_killed(require, monkeypatch):
    monkeypatch.setattr(process, "_MAX_OUTPUT", 1 << 20)
    lines, ended = answers([require("yes")], b"")
    assert not ended
    assert 1 << 20 <= 2 * len(lines) <= 1 << 22


def test_a_tool_that_does_not_read_its_question_is_no_harm(require):
    assert answers([require("echo"), "done"], b"x" * (1 << 20)) == (["done"], True)


def test_a_tool_that_is_not_there_has_no_answer():
    assert answers(["/nonexistent/tool"], b"") == ([], False)


@pytest.fixture
def flood(monkeypatch):
    """A server that answers every question with a mebibyte."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            with suppress(OSError):  # the client has had enough
                self.wfile.write(b"x" * (1 << 20))

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def test_a_debug_file_that_is_too_large_is_given_up_and_leaves_nothing(flood, tmp_path, monkeypatch):
    monkeypatch.setattr(debuginfod, "_MAX_BYTES", 1 << 16)
    servers = Debuginfod([flood[0]], tmp_path)
    assert servers.fetch(ID) is None
    assert "too large" in servers.problems[0]
    assert [p.suffix for p in tmp_path.iterdir()] == [".missing"]


def test_no_server_is_asked_once_the_time_is_over(flood, tmp_path):
    assert Debuginfod([flood[0]], tmp_path, whole_s=-1).fetch(ID) is None
    assert not flood[1]


def test_a_server_that_is_not_there_is_said_and_not_asked_again_at_once(tmp_path):
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as gone:
        url = f"http://127.0.0.1:{gone.server_port}"
    first, second = Debuginfod([url], tmp_path), Debuginfod([url], tmp_path)
    assert first.fetch(ID) is None
    assert url in first.problems[0]
    assert second.fetch(ID) is None
    assert not second.problems


def test_only_hex_is_a_build_id_so_that_it_can_be_no_path():
    assert build_id("ABCDEF0123") == "abcdef0123"
    assert [build_id(t) for t in ("", "../../etc", "abc", "xyz/Go-id", "ab" * 100, "0" * 9)] == [""] * 6


def test_a_dump_that_names_modules_without_end_is_cut_off_and_said(tmp_path, monkeypatch):
    monkeypatch.setattr(lookup, "_WHOLE_S", -1.0)
    names = lookup.Lookup(Binaries([], []), Cache(None))
    mapping = Mapping(0x1000, 0x2000, 0, str(Path(ran(["which", "sh"]).strip())))
    assert names.names([(0, mapping, 0x1008)], is_main=True) == ({}, "")
    assert "further modules" in names.problems[0]
