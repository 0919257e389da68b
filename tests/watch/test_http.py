"""The listener: bounded, closed to strangers, and of few words."""

import http.client
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from caulk.model.errors import Unreachable, UsageError
from caulk.watch import http as listener
from caulk.watch.http import Request, Said, listening

GOT: list[Request] = []


def take(request: Request) -> Said:
    if request.body == b"bad":
        raise UsageError("this is bad")
    if request.body == b"down":
        raise Unreachable("the store is down")
    GOT.append(request)
    return Said(200, b"taken")


GETS = {"/-/healthy": lambda _: Said(200, b"well")}
POSTS = {"/api/v1/alerts": take}


@pytest.fixture
def url() -> Iterator[str]:
    GOT.clear()
    with listening("127.0.0.1:0", GETS, POSTS, "T0") as made:
        yield made


def ask(url: str, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    link = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    link.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = link.getresponse()
    said = answer.status, answer.read()
    link.close()
    return said


def post(url: str, body: bytes = b"x", **headers: str) -> tuple[int, bytes]:
    return ask(url, "POST", "/api/v1/alerts", body, **{"Authorization": "Bearer T0", **headers})


def test_health_is_for_everybody_and_what_comes_in_needs_the_token(url):
    assert ask(url, "GET", "/-/healthy") == (200, b"well")
    assert post(url, b"hello", Content_Type="application/json") == (200, b"taken")
    assert (GOT[0].body, GOT[0].type) == (b"hello", "application/json")
    assert post(url, Authorization="Bearer T1")[0] == 401
    assert ask(url, "POST", "/api/v1/alerts", b"x")[0] == 401
    assert len(GOT) == 1


def test_what_is_not_there_is_said_with_what_is(url):
    status, said = ask(url, "GET", "/")
    assert (status, said) == (404, b"there are GET /-/healthy, POST /api/v1/alerts\n")
    assert ask(url, "GET", "/api/v1/alerts")[0] == 404
    assert ask(url, "GET", "/-/healthy?x=1")[0] == 200


def test_what_is_wrong_and_what_failed_are_told_apart(url):
    assert post(url, b"bad") == (400, b"this is bad\n")
    assert post(url, b"down") == (503, b"the store is down\n")


def test_bodies_are_bounded(url, monkeypatch):
    monkeypatch.setattr(listener, "_MOST_BYTES", 10)
    assert post(url, b"x" * 11)[0] == 413
    assert post(url, b"x" * 10)[0] == 200


def test_a_body_of_no_known_length_is_refused(url):
    link = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    link.putrequest("POST", "/api/v1/alerts")
    link.putheader("Transfer-Encoding", "chunked")
    link.endheaders()
    assert link.getresponse().status == 411
    link.close()


def test_a_body_that_does_not_come_ends_the_wait(url, monkeypatch):
    monkeypatch.setattr(listener, "_PATIENCE_S", 0.2)
    monkeypatch.setattr(listener._Answering, "timeout", 0.2)
    host, port = urlsplit(url).netloc.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as link:
        link.sendall(
            b"POST /api/v1/alerts HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nAuthorization: Bearer T0\r\n\r\nab"
        )
        said = b""
        while piece := link.recv(4096):
            said += piece
    assert b"200" not in said
    assert GOT == []


def test_pages_of_a_browser_cannot_reach_it(url):
    assert post(url, Origin="https://evil.example")[0] == 403
    assert ask(url, "GET", "/-/healthy", Host="evil.example")[0] == 421
    assert ask(url, "GET", "/-/healthy", Host="localhost:1")[0] == 200
    assert ask(url, "GET", "/-/healthy", Host="[::1]:1")[0] == 200
    assert GOT == []


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "example.org:0"])
def test_an_address_that_others_reach_needs_a_token(address):
    with pytest.raises(UsageError, match="can be reached by others"), listening(address, {}, {}):
        pass


def test_who_has_a_token_may_listen_for_others():
    with listening("0.0.0.0:0", GETS, {}, "T0") as url:
        port = url.rpartition(":")[2]
        assert ask(f"http://127.0.0.1:{port}", "GET", "/-/healthy", Host="caulk.example")[0] == 200


def test_a_port_that_is_taken_is_said():
    with (
        listening("127.0.0.1:0", {}, {}) as url,
        pytest.raises(UsageError, match="cannot be listened on"),
        listening(urlsplit(url).netloc, {}, {}),
    ):
        pass
    with pytest.raises(UsageError, match="has no port"), listening("127.0.0.1", {}, {}):
        pass


def test_ipv6_works_as_well():
    with listening("[::1]:0", GETS, {}) as url:
        assert url.startswith("http://[::1]:")
        assert ask(url, "GET", "/-/healthy") == (200, b"well")
