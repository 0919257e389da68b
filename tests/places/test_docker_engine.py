"""An engine's answers, as they come over its socket."""

import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from caulk.model.errors import CaptureFailed
from caulk.places.docker.engine import Engine


@pytest.fixture
def answering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    """What an engine answers, by the end of the path."""
    answers: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def address_string(self) -> str:
            return "here"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            data = answers[self.path.partition("?")[0].rpartition("/")[2]]
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if data:
                self.wfile.write(data)

    at = tmp_path / "engine.sock"
    with socketserver.ThreadingUnixStreamServer(str(at), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{at}")
        yield answers
        server.shutdown()


@pytest.mark.parametrize("count", [0, 1, 3])
def test_events_come_a_line_each(answering, count):
    answering["events"] = b'{"Action":"oom"}\n' * count
    assert Engine().get("/events", since="1", until="2") == [{"Action": "oom"}] * count


def test_what_is_no_json_is_told_with_where_it_came_from(answering):
    answering["json"] = b'{"a": 1}\n{"b": 2}'
    with pytest.raises(CaptureFailed, match="no JSON to /containers/json"):
        Engine().get("/containers/json")
