"""What must hold before anything listens, and the guard behind a real server with TLS."""

import asyncio
import http.client
import re
import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from caulk.config.schema import Serve
from caulk.config.values import Secret
from caulk.model.errors import UsageError
from caulk.web.security import Access, Guarded, check, options, parted
from caulk.web.security.prompt import Prompt

TOKEN = Secret("t" * 16)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    names = [
        "-addext",
        "subjectAltName=DNS:localhost,IP:127.0.0.1",
        "-keyout",
        folder / "key.pem",
        "-out",
        folder / "c.pem",
    ]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    return {"cert": str(folder / "c.pem"), "key": str(folder / "key.pem")}


def complaint(address: str, **settings: object) -> str:
    with pytest.raises(UsageError) as error:
        check(address, Serve(**settings))
    return f"{error.value} | {error.value.hint}"


@pytest.mark.parametrize("address", ["127.0.0.1:8082", "localhost:0", "[::1]:8082", ":8082", "127.8.8.8:1", "8082"])
def test_on_this_machine_alone_nothing_is_needed(address):
    check(address, Serve())


@pytest.mark.parametrize("address", ["0.0.0.0:8082", "[::]:8082", "192.0.2.7:8082", "box.example:8082"])
def test_where_others_reach_it_a_token_and_tls_are_needed(address, certificate):
    assert "there is no token | Give token_file (or CAULK_SERVE__TOKEN)" in complaint(address, insecure=True)
    assert "there is no token" in complaint(address, **certificate)
    assert "not encrypted | Give cert and key; or insecure" in complaint(address, token=TOKEN)
    check(address, Serve(token=TOKEN, insecure=True))
    check(address, Serve(read_token=TOKEN, **certificate))
    check(address, Serve(proxies=("192.0.2.1",), user_header="X-User", **certificate))


def test_a_name_of_others_needs_a_token_even_on_loopback():
    assert "asked by the name 'caulk.example'" in complaint("127.0.0.1:8082", names=("caulk.example",))
    check("127.0.0.1:8082", Serve(names=("caulk.example",), token=TOKEN))
    check("127.0.0.1:8082", Serve(names=("localhost",)))


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:65536", "::1:8082"])
def test_an_address_has_a_host_and_a_port(address):
    assert "Write 127.0.0.1:8082 or [::1]:8082" in complaint(address)


def test_a_host_and_a_port_are_told_apart():
    assert [parted("[::1]:1"), parted(":2"), parted("Box:3")] == [("::1", 1), ("127.0.0.1", 2), ("box", 3)]


@pytest.mark.parametrize(
    ("settings", "part"),
    [
        ({"token": Secret("short")}, "token is shorter than 16"),
        ({"read_token": Secret("ö" * 16)}, "has others than ASCII"),
        ({"token": TOKEN, "read_token": TOKEN}, "are the same"),
        ({"token_file": "/none"}, "cannot be read"),
        ({"user_header": "X-User"}, "anybody could write it"),
        ({"roles_header": "X-Roles", "proxies": ("10.0.0.1",)}, "without user_header"),
        ({"proxies": ("0.0.0.0/0",)}, "is everybody"),
        ({"proxies": ("::/0",)}, "is everybody"),
        ({"proxies": ("proxy.example",)}, "is no address or network"),
        ({"key": "/k"}, "key is given without cert"),
        ({"cert": "/none.pem"}, "there is no such file"),
    ],
)
def test_settings_that_protect_nothing_are_refused(settings, part):
    said = complaint("127.0.0.1:8082", **settings)
    assert part in said
    assert str(TOKEN) not in said


def test_an_empty_secret_is_no_secret(tmp_path):
    (tmp_path / "token").write_text("\n")
    assert "token_file is empty" in complaint("127.0.0.1:8082", token_file=str(tmp_path / "token"))


def test_a_certificate_that_does_not_go_with_its_key_is_refused(certificate, tmp_path):
    assert "cannot be used" in complaint("127.0.0.1:1", cert=certificate["key"], key=certificate["key"])
    locked = tmp_path / "locked.pem"
    command = ["openssl", "ec", "-in", certificate["key"], "-aes128", "-passout", "pass:secret", "-out", locked]
    subprocess.run(command, check=True, capture_output=True)
    assert "no passphrase" in complaint("127.0.0.1:1", cert=certificate["cert"], key=str(locked))


def test_an_access_is_checked_as_it_is_made(tmp_path):
    with pytest.raises(UsageError):
        Access("0.0.0.0:8082", Serve(), tmp_path)


@contextmanager
def served(settings: Serve, home):
    """The port of a real server that listens meanwhile."""
    app = Starlette(routes=[Route("/{path:path}", lambda _: PlainTextResponse("well"), methods=["GET", "POST"])])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        access = Access(f"127.0.0.1:{port}", settings, home)
        server = uvicorn.Server(
            uvicorn.Config(Guarded(app, access), log_config=None, lifespan="off", **options(settings))
        )
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
        thread.start()
        try:
            yield port
        finally:
            server.should_exit = True
            thread.join()


def test_behind_a_real_server_with_tls_the_form_signs_in(certificate, tmp_path):
    settings = Serve(token=TOKEN, **certificate)
    trusting = ssl.create_default_context(cafile=certificate["cert"])
    with served(settings, tmp_path) as port:
        asks = http.client.HTTPSConnection("localhost", port, context=trusting, timeout=20)

        def ask(method: str, path: str, body: str = "", **headers: str) -> http.client.HTTPResponse:
            asks.request(method, path, body or None, headers)
            answer = asks.getresponse()
            answer.read()
            return answer

        assert ask("GET", "/api/x").status == 401
        assert ask("GET", "/api/x", Authorization=f"Bearer {TOKEN}").status == 200
        form = {"Origin": f"https://localhost:{port}", "Content-Type": "application/x-www-form-urlencoded"}
        cookie = ask("POST", "/login", f"token={TOKEN}", **form).headers["Set-Cookie"]
        assert "Secure" in cookie
        answer = ask("GET", "/api/x", Cookie=cookie.partition(";")[0])
        assert answer.status == 200
        assert "Server" not in answer.headers
        # A proxy that nobody named is believed nothing.
        assert ask("POST", "/login", "token=x", **form | {"X-Forwarded-Proto": "http"}).status == 401
        assert ask("GET", "/api/x", Host="evil.example").status == 421
        assert asks.sock.version() in ("TLSv1.2", "TLSv1.3")
        asks.close()


def test_without_tls_spoken_to_a_server_with_tls_says_nothing(certificate, tmp_path):
    with served(Serve(**certificate), tmp_path) as port, socket.create_connection(("127.0.0.1", port), 20) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"HTTP" not in everything(plain)


def test_a_body_too_long_closes_the_connection_and_is_no_request(tmp_path):
    with served(Serve(), tmp_path) as port, socket.create_connection(("127.0.0.1", port), 20) as plain:
        plain.sendall(b"POST /api/x HTTP/1.1\r\nHost: localhost\r\nX-Caulk: 1\r\nContent-Length: 9999999\r\n\r\n")
        plain.sendall(b"GET /api/x HTTP/1.1\r\nHost: localhost\r\n\r\n")
        said = everything(plain)
    assert re.findall(rb"HTTP/1.1 (\d+)", said) == [b"413"]


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHos"])
def test_a_head_that_does_not_come_is_not_waited_for(tmp_path, monkeypatch, begun):
    monkeypatch.setattr(Prompt, "within_s", 0.1)
    with served(Serve(), tmp_path) as port:
        with socket.create_connection(("127.0.0.1", port), 20) as plain:
            plain.sendall(begun)
            assert everything(plain) == b""
        # Neither is a second one on a connection that was well.
        with socket.create_connection(("127.0.0.1", port), 20) as plain:
            plain.sendall(b"GET /api/x HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert plain.recv(1000).startswith(b"HTTP/1.1 200")
            plain.sendall(b"GET /api/x")
            assert b"HTTP" not in everything(plain)


def test_this_machine_is_no_proxy_unless_it_is_named(tmp_path):
    settings = Serve(token=TOKEN, proxies=("10.0.0.7",), user_header="X-User")
    with served(settings, tmp_path) as port:
        asks = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        asks.request("GET", "/api/x", headers={"X-User": "root", "X-Forwarded-For": "10.0.0.7"})
        assert asks.getresponse().status == 401
        asks.close()


def everything(connection: socket.socket) -> bytes:
    """What comes until the other side ends."""
    said = b""
    try:
        while piece := connection.recv(4096):
            said += piece
    except ConnectionResetError:
        pass
    return said
