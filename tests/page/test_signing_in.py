"""The guard in a real browser: the form signs in, and a page of another origin reaches nothing."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from caulk.config.schema import Serve
from caulk.config.values import Secret
from caulk.web.security import Access, Guarded, caller, options

TOKEN = "t" * 16

#: All that a page can try against an address of another origin; it says when each try is over.
HOSTILE = """<!doctype html><title>trying</title><a href="{0}/d/link">a link</a>
<iframe name="frame"></iframe><form method="post" action="{0}/api/form" target="frame"></form>
<script>
const over = (make) => new Promise(done => make(done));
const element = (name, set) => over(done => {{
  const made = document.createElement(name); made.onload = made.onerror = done; set(made); document.body.append(made);
}});
Promise.allSettled([
  element("img", (made) => made.src = "{0}/api/img"),
  element("script", (made) => made.src = "{0}/api/script"),
  element("iframe", (made) => made.src = "{0}/d/frame"),
  fetch("{0}/api/read"),
  fetch("{0}/api/blind", {{mode: "no-cors", method: "POST", body: "{{}}"}}),
  fetch("{0}/api/asks-first", {{method: "POST", headers: {{"X-Caulk": "1"}}}}),
  over(done => new EventSource("{0}/api/events").onerror = done),
  over(done => new WebSocket("{0}/api/socket".replace("http", "ws")).onerror = done),
  over(done => {{ document.querySelector("iframe").onload = done; document.forms[0].submit(); }}),
]).then(() => document.title = "over");
</script>"""


class Served:
    """A guarded application on a port of its own, which remembers what reached it."""

    def __init__(self, settings: Serve, home) -> None:
        self.reached: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"http://{address}"
        self.access = Access(address, settings, home)
        app = Starlette(routes=[Route("/{path:path}", self._answer, methods=["GET", "POST"])])
        told = uvicorn.Config(Guarded(app, self.access), log_config=None, lifespan="off", **options(settings))
        self._server = uvicorn.Server(told)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve([self._listener])))
        self._thread.start()

    async def _answer(self, request: Request) -> HTMLResponse:
        if request.url.path != "/favicon.ico":
            self.reached.append(request.url.path)
        return HTMLResponse(f"<!doctype html><title>in</title><h1>{caller(request).name}</h1>")

    def end(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()


@pytest.fixture
def closed(tmp_path) -> Iterator[Served]:
    served = Served(Serve(token=Secret(TOKEN)), tmp_path)
    yield served
    served.end()


@pytest.fixture
def unlocked(tmp_path) -> Iterator[Served]:
    served = Served(Serve(), tmp_path)
    yield served
    served.end()


@pytest.fixture
def hostile() -> Iterator:
    """Gives the address of a page of another origin that tries all it can against an address."""
    bodies: dict[str, bytes] = {}

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(bodies.get(self.path, b""))

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def page(against: str) -> str:
        bodies["/try"] = HOSTILE.format(against).encode()
        return f"http://localhost:{server.server_address[1]}/try"

    yield page
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def tab(context):
    """A page of a browser."""
    return context.new_page()


def test_the_form_signs_in_and_out_and_leads_where_one_wanted_to_go(tab, closed):
    tab.goto(f"{closed.url}/d/a?focus=x")
    tab.get_by_label("Token").fill("wrong")
    tab.get_by_role("button").click()
    assert "The token is wrong" in tab.get_by_role("alert").inner_text()
    tab.get_by_label("Token").fill(TOKEN)
    tab.get_by_role("button").click()
    assert (tab.url, tab.inner_text("h1")) == (f"{closed.url}/d/a?focus=x", "token")
    assert tab.evaluate("document.cookie") == ""
    tab.goto(f"{closed.url}/login")
    tab.get_by_role("button", name="Sign out").click()
    tab.goto(f"{closed.url}/d/a")
    assert tab.title() == "caulk: sign in"
    assert closed.reached == ["/d/a"]


def test_the_printed_link_signs_in_and_does_not_stay_in_the_address(tab, closed):
    tab.goto(closed.access.invitation(f"{closed.url}/d/a..b"))
    assert (tab.url, tab.inner_text("h1")) == (f"{closed.url}/d/a..b", "token")


def test_another_page_reaches_nothing_and_may_link_to_a_page(tab, unlocked, hostile):
    tab.goto(hostile(unlocked.url))
    tab.wait_for_function("document.title == 'over'")
    assert unlocked.reached == []
    tab.get_by_text("a link").click()
    tab.wait_for_url(f"{unlocked.url}/d/link")
    assert unlocked.reached == ["/d/link"]


def test_who_follows_a_link_from_elsewhere_signed_in_goes_on_by_one_click(tab, closed, hostile):
    tab.goto(closed.access.invitation(f"{closed.url}/"))
    tab.goto(hostile(closed.url))
    tab.get_by_text("a link").click()
    tab.get_by_role("link", name="Go on").click()
    tab.wait_for_function("document.title == 'in'")
    assert tab.url == f"{closed.url}/d/link"
