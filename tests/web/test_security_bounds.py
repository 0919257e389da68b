"""What an admitted request may cost: the bounds of bodies, of captures and reveals; what is noted, and headers."""

import asyncio
import json
import stat
from contextlib import nullcontext
from itertools import count
from types import SimpleNamespace
from urllib.parse import unquote

import page_asking as asking
import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse
from starlette.routing import Route

from caulk.config.schema import Serve
from caulk.config.values import Secret
from caulk.web.security import CSP, Access, Audit, Caller, Guarded, Refusal, bodies, refused
from caulk.web.security.asked import Asked
from caulk.web.security.limits import Buckets


async def takes(request: Request) -> JSONResponse:
    length = 0
    async for piece in request.stream():
        length += len(piece)
    return JSONResponse({"length": length})


async def breaks(request: Request) -> JSONResponse:
    raise RuntimeError("a bug")


async def own_policy(request: Request) -> HTMLResponse:
    return HTMLResponse("", headers={"Content-Security-Policy": "script-src 'sha256-x'", "Cache-Control": "no-cache"})


async def asset(request: Request) -> PlainTextResponse:
    return PlainTextResponse("", 404 if "none" in request.url.path else 200)


ROUTES = [
    Route("/api/breaks", breaks),
    Route("/d/a/report.html", own_policy),
    Route("/assets/{name}", asset),
    Route("/{path:path}", takes, methods=["GET", "POST", "PUT", "DELETE"]),
]


@pytest.fixture
def guarded(tmp_path):
    def made(now=lambda: 0.0, patience_s: float = 10, **settings: object) -> Guarded:
        app = Starlette(routes=ROUTES, exception_handlers={Refusal: refused})
        access = Access(asking.ADDRESS, Serve(**settings), tmp_path, now)
        return Guarded(app, access, patience_s=patience_s, upload_patience_s=patience_s)

    return made


def pieces(app, path: str, *bodies: bytes, method: str = "PUT", ends: bool = True, **headers: str) -> int:
    """The status of a request whose body comes in these pieces, and then, unless it `ends`, not at all."""
    left, statuses = list(bodies), []

    async def receive():
        if left:
            return {"type": "http.request", "body": left.pop(0), "more_body": bool(left) or not ends}
        await asyncio.Event().wait()

    async def send(message):
        statuses.append(message.get("status"))

    raw = {"Host": asking.ADDRESS, **asking.own(), **headers}
    scope = {"type": "http", "method": method, "path": unquote(path), "raw_path": path.encode(), "query_string": b""}
    scope |= {"scheme": "http", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8082), "http_version": "1.1"}
    scope["headers"] = [(name.lower().encode(), value.encode()) for name, value in raw.items()]
    asking.run(app(scope, receive, send))
    return statuses[0]


def lines(home) -> list[dict]:
    return [json.loads(line) for line in (home / "audit.jsonl").read_text().splitlines()]


def test_a_body_is_a_mebibyte_at_most_whether_or_not_it_says_so(guarded):
    whole, over = b'"' + b"x" * ((1 << 20) - 2) + b'"', b'"' + b"x" * (1 << 20) + b'"'
    kind = {"Content-Type": "application/json"}
    assert asking.send(guarded(), "POST", "/api/x", kind, content=whole).json() == {"length": 1 << 20}
    answer = asking.send(guarded(), "POST", "/api/x", kind, content=over)
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")
    assert pieces(guarded(), "/api/x", over[: 1 << 19], over[1 << 19 :], **kind) == 413
    assert pieces(guarded(), "/api/x", b"", **{"Content-Length": "9" * 20}) == 413
    assert pieces(guarded(), "/api/x", b"", **{"Content-Length": "-1"}) == 400


def test_an_upload_is_as_large_as_settings_allow(guarded):
    app = guarded(upload=3_000_000)
    assert asking.send(app, "PUT", "/api/uploads", content=b"x" * 3_000_000).json() == {"length": 3_000_000}
    assert asking.send(app, "PUT", "/api/uploads", content=b"x" * 3_000_001).status_code == 413
    assert pieces(app, "/api/uploads", b"x" * 2_000_000, b"x" * 1_000_001) == 413


@pytest.mark.parametrize(("method", "path"), [("POST", "/api/x"), ("PUT", "/api/uploads"), ("POST", "/login")])
def test_a_body_that_does_not_come_is_not_waited_for(guarded, method, path):
    assert pieces(guarded(patience_s=0.05), path, b"{", method=method, ends=False) == 408


@pytest.mark.parametrize(("piece", "is_cut"), [(b"x" * 20_000, False), (b"x", True)])
def test_an_upload_that_dribbles_is_cut(monkeypatch, piece, is_cut):
    seconds = count()
    monkeypatch.setattr(bodies, "time", SimpleNamespace(monotonic=lambda: next(seconds)))

    async def comes():
        return {"type": "http.request", "body": piece, "more_body": True}

    async def taken() -> None:
        head = Asked("PUT", "/api/uploads", "/api/uploads", "", Headers({}), "http", "", is_proxied=False)
        receive = bodies.metered(head, comes, 1 << 30, 30)
        for _ in range(100):
            await receive()

    with pytest.raises(Refusal) if is_cut else nullcontext() as refusal:
        asking.run(taken())
    assert (refusal.value.status_code if refusal else None) == (408 if is_cut else None)


def test_who_goes_away_amid_a_body_is_answered_nothing(guarded):
    said = []

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        said.append(message)

    scope = {"type": "http", "method": "POST", "path": "/api/x", "query_string": b"", "client": ("127.0.0.1", 1)}
    scope["headers"] = [(b"host", b"localhost"), (b"x-caulk", b"1")]
    asking.run(guarded()(scope, receive, send))
    assert said == []


def test_only_json_is_taken_and_only_flat_one(guarded):
    kind = {"Content-Type": "application/json; charset=utf-8"}
    for body, status in {
        b"[" * 32 + b"]" * 32: 200,
        b"[" * 33 + b"]" * 33: 400,
        b'{"a":' * 33 + b"1" + b"}" * 33: 400,
        b'["' + b"[" * 99 + b'\\"' + b"[" * 99 + b'"]': 200,
        b"{": 400,
        b"\xff": 400,
        b"": 200,
    }.items():
        assert asking.send(guarded(), "POST", "/api/x", kind, content=body).status_code == status, body
    assert asking.send(guarded(), "POST", "/api/x", {"Content-Type": "text/plain"}, content=b"{}").status_code == 415
    assert asking.send(guarded(), "POST", "/api/x", data={"a": "b"}).status_code == 415


def test_who_only_looks_sends_no_body(guarded):
    assert asking.client(guarded()).request("GET", "/api/x", content=b"{}").status_code == 400
    assert pieces(guarded(), "/api/x", b"{}", method="GET", **{"Transfer-Encoding": "chunked"}) == 400


@pytest.mark.parametrize(
    "path",
    [
        "/../etc/passwd",
        "/a/%2e%2e/b",
        "/d/.",
        "/%2E%2E",
        "//evil.example/",
        "/a%00b",
        "/a%0d%0ab",
        "/a\\..\\b",
        "http://x/",
    ],
)
def test_what_could_be_a_path_of_a_file_is_no_address(guarded, path):
    assert pieces(guarded(), path, b"", method="GET") == 400


def test_keys_and_differences_may_have_dots_and_slashes_within_a_segment(guarded):
    assert asking.get(guarded(), "/api/d/a..b..c/flame").status_code == 200
    assert pieces(guarded(), "/api/t/k8s%3Ashop%2F..%2Fapi", b"", method="GET") == 200


def test_an_address_is_short(guarded):
    assert asking.get(guarded(), "/" + "a" * 5000).status_code == 414
    assert asking.get(guarded(), "/?focus=" + "a" * 20_000).status_code == 414


def test_no_path_of_a_request_reaches_the_file_system(guarded):
    browser = asking.client(guarded())
    with asking.files_asked() as seen:
        for path in ("/marker", "/d/marker%2Fmarker", "/assets/marker-12345678.js", "/api/d/marker/reveal?name=marker"):
            browser.get(path, headers={"Accept": "text/html", "X-Marker": "marker", "Cookie": "marker=1"})
            browser.post(path, headers=asking.own(), json={"marker": "marker"})
    assert not [one for one in seen if "marker" in one]
    # Something was watched: the audit log of the reveal.
    assert any("audit.jsonl" in one for one in seen)


def test_captures_are_counted_by_caller_and_by_target(guarded):
    clock = [0.0]
    app = guarded(lambda: clock[0], captures=3, window=300)

    def capture(target: str):
        return asking.send(app, "POST", f"/api/t/{target}/captures", json={})

    assert [capture("api").status_code for _ in range(4)] == [200, 200, 200, 429]
    # The caller has none left for another target either; and when they have one again, so has the target.
    assert capture("web").status_code == 429
    assert capture("web").headers["retry-after"] == "100"
    assert "capture" in capture("web").json()["what"]
    clock[0] = 101
    assert [capture("web").status_code, capture("web").status_code] == [200, 429]


def test_a_target_has_its_own_limit_whoever_asks(tmp_path):
    proxied = Serve(proxies=("10.0.0.7",), user_header="X-User", captures=2)
    app = Guarded(Starlette(routes=ROUTES), Access(asking.ADDRESS, proxied, tmp_path, lambda: 0.0))

    def capture(user: str, target: str) -> int:
        path = f"/api/t/{target}/captures"
        return asking.send(app, "POST", path, {"X-User": user}, peer="10.0.0.7").status_code

    assert [capture("ann", "api"), capture("bob", "api"), capture("cid", "api")] == [200, 200, 429]
    assert capture("cid", "web") == 200


def test_a_key_with_a_slash_is_one_target(guarded, tmp_path):
    asking.send(guarded(), "POST", "/api/t/k8s%3Ashop%2Fapi/captures", json={})
    assert lines(tmp_path)[0]["of"] == "k8s:shop/api"


@pytest.mark.parametrize(
    "path", ["/api/d/a/reveal", "/api/d/a%2Fb/reveal", "/api/d/a%2Freveal", "/api/d/a/%72eveal", "/api%2Fd/a/reveal"]
)
def test_a_reveal_is_one_however_its_address_is_written(guarded, tmp_path, path):
    assert pieces(guarded(), path, b"", method="POST") == 200
    assert [line["action"] for line in lines(tmp_path)] == ["reveal"]


def test_the_head_of_what_is_kept_is_kept(tmp_path):
    app = Guarded(Starlette(routes=ROUTES), Access(asking.ADDRESS, Serve(read_token=Secret("r" * 16)), tmp_path))
    reader = {"Authorization": "Bearer " + "r" * 16}
    for method in ("GET", "HEAD"):
        assert asking.client(app).request(method, "/captures/a/file", headers=reader).status_code == 403


def test_reveals_are_counted_apart_from_captures(guarded):
    app = guarded(reveals=1, captures=1)
    reveal = [asking.send(app, "POST", "/api/d/a/reveal", json={}).status_code for _ in range(2)]
    assert reveal == [200, 429]
    assert asking.send(app, "POST", "/api/t/a/captures", json={}).status_code == 200


def test_none_are_allowed_where_settings_say_none(guarded):
    assert asking.send(guarded(captures=0), "POST", "/api/t/a/captures", json={}).headers["retry-after"] == "600"


def test_what_is_wrong_takes_nothing_off_a_limit(guarded):
    app = guarded(reveals=1)
    for _ in range(3):
        assert asking.send(app, "POST", "/api/d/a/reveal", content=b"{").status_code == 415
    assert asking.send(app, "POST", "/api/d/a/reveal", json={}).status_code == 200


def test_as_many_uploads_as_settings_allow_go_on_at_once(guarded):
    app = guarded(uploads=1)

    async def both() -> list[int]:
        begun, go, statuses = asyncio.Event(), asyncio.Event(), []

        async def receive():
            begun.set()
            await go.wait()
            return {"type": "http.request", "body": b"x", "more_body": False}

        async def send(message):
            statuses.append(message.get("status"))

        scope = {
            "type": "http",
            "method": "PUT",
            "path": "/api/uploads",
            "query_string": b"",
            "client": ("127.0.0.1", 1),
        }
        scope["headers"] = [(b"host", b"localhost"), (b"x-caulk", b"1")]
        first = asyncio.create_task(app(dict(scope), receive, send))
        await begun.wait()
        await app(dict(scope), receive, send)
        go.set()
        await first
        await app(dict(scope), receive, send)
        return [status for status in statuses if status]

    assert asking.run(both()) == [429, 200, 200]


def test_a_bucket_fills_with_time_and_never_over():
    clock = [0.0]
    bucket = Buckets(2, 10, lambda: clock[0])
    assert [bucket.take("a"), bucket.take("a"), bucket.take("a")] == [0, 0, 5]
    clock[0] = 1000
    assert [bucket.take("a"), bucket.take("a"), bucket.take("a")] == [0, 0, 5]
    # Where one of two has none, the other keeps its own.
    assert bucket.take("a", "b") == 5
    assert [bucket.take("b"), bucket.take("b")] == [0, 0]


def test_buckets_do_not_grow_without_end():
    bucket = Buckets(1, 10, lambda: 0.0)
    for n in range(10_050):
        bucket.take(str(n))
    assert len(bucket._left) == 10_000


def test_captures_and_reveals_are_noted_with_who_what_and_when(guarded, tmp_path):
    app = guarded()
    asked = {"tab": "strings", "parameters": {"limit": 5}}
    asking.send(app, "POST", "/api/d/a..b/reveal", json=asked)
    asking.send(app, "POST", "/api/t/api%0Ax/captures")
    asking.send(app, "POST", "/api/t/api/captures", json={"as": "heap"})
    asking.send(app, "POST", "/api/other", json={})
    reveal, capture = lines(tmp_path)
    assert reveal.pop("at").endswith("Z")
    assert reveal == {
        "schema": "caulk.audit/1",
        "action": "reveal",
        "of": "a..b",
        "caller": "local",
        "roles": ["capture", "read"],
        "address": "127.0.0.1",
        "asked": asked,
    }
    assert (capture["action"], capture["of"], capture["asked"]) == ("capture", "api", {"as": "heap"})
    assert stat.S_IMODE((tmp_path / "audit.jsonl").stat().st_mode) == 0o600


def test_a_hostile_name_stays_within_its_line(tmp_path):
    nasty = 'x\n{"action":"reveal"}\u2028<script>'
    Audit(tmp_path / "new").note(Caller(nasty, frozenset({"read"}), "::1"), "reveal", nasty, {"big": "x" * 5000})
    (line,) = (tmp_path / "new" / "audit.jsonl").read_bytes().splitlines()
    assert json.loads(line)["caller"] == nasty
    assert json.loads(line)["asked"] is None


def test_what_cannot_be_noted_is_not_done(guarded, tmp_path):
    (tmp_path / "audit.jsonl").symlink_to(tmp_path / "elsewhere")
    answer = asking.send(guarded(), "POST", "/api/d/a/reveal", json={})
    assert answer.status_code == 503
    assert "length" not in answer.json()
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("path", ["/api/x", "/", "/api/breaks", "/login.css", "/assets/none-12345678.js"])
def test_every_answer_tells_browsers_to_do_nothing_else(guarded, path):
    from starlette.testclient import TestClient

    base = f"http://{asking.ADDRESS}"
    head = TestClient(guarded(), base, raise_server_exceptions=False, client=("127.0.0.1", 1)).get(path).headers
    assert head["content-security-policy"] == CSP
    assert head["x-content-type-options"] == "nosniff"
    assert head["referrer-policy"] == "no-referrer"
    assert head["cross-origin-opener-policy"] == head["cross-origin-resource-policy"] == "same-origin"
    assert head["cache-control"] == "no-store"
    assert "camera=()" in head["permissions-policy"]


def test_the_policy_allows_nothing_inline_and_nobody_elses():
    said = dict(part.split(" ", 1) for part in CSP.split("; "))
    assert said["default-src"] == said["base-uri"] == said["frame-ancestors"] == said["font-src"] == "'none'"
    assert said["script-src"] == said["style-src"] == said["connect-src"] == said["form-action"] == "'self'"
    assert said["img-src"] == "'self' data: blob:"


def test_refusals_have_the_headers_too(guarded):
    answer = asking.get(guarded(), "/", {"Host": "evil.example", "Accept": "text/html"})
    assert answer.status_code == 421
    assert answer.headers["content-security-policy"] == CSP
    assert answer.headers["content-type"].startswith("text/html")


def test_a_route_may_have_a_policy_of_its_own(guarded):
    head = asking.get(guarded(), "/d/a/report.html").headers
    assert head.get_list("content-security-policy") == ["script-src 'sha256-x'"]
    assert head["cache-control"] == "no-cache"
    assert head["x-content-type-options"] == "nosniff"


def test_assets_whose_name_has_their_hash_are_kept_for_ever(guarded):
    assert "immutable" in asking.get(guarded(), "/assets/index-B1x_9-aZ.js").headers["cache-control"]
    assert asking.get(guarded(), "/assets/index.js").headers["cache-control"] == "no-store"
