"""Who is let in: by the page's own name, from the page, with a token, by a session, or by a proxy that is believed."""

import re
from pathlib import Path

import page_asking as asking
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from caulk.config.schema import Serve
from caulk.config.values import Secret
from caulk.web.security import Access, Guarded, Refusal, caller, needs, refused
from caulk.web.security.keys import Keys

TOKEN, READ = "t" * 16, "r" * 16
CLOSED = {"token": Secret(TOKEN), "read_token": Secret(READ)}
PROXY = {"proxies": ("10.0.0.0/24",), "user_header": "X-Forwarded-User"}
BEARER = {"Authorization": f"Bearer {TOKEN}"}
READER = {"Authorization": f"Bearer {READ}"}


async def tells(request: Request) -> JSONResponse:
    who = caller(request)
    return JSONResponse(
        {
            "name": who.name,
            "roles": sorted(who.roles),
            "address": who.address,
            "path": request.url.path,
            "query": request.url.query,
        }
    )


async def reveals(request: Request) -> JSONResponse:
    needs(request, "capture")
    return await tells(request)


def page(home: Path, address: str = asking.ADDRESS, **settings: object) -> Guarded:
    routes = [
        Route("/api/reveals", reveals),
        Route("/{path:path}", tells, methods=["GET", "POST", "PUT", "DELETE"]),
    ]
    app = Starlette(routes=routes, exception_handlers={Refusal: refused})
    return Guarded(app, Access(address, Serve(**settings), home))


@pytest.fixture
def open_page(tmp_path):
    return page(tmp_path)


@pytest.fixture
def closed(tmp_path):
    return page(tmp_path, **CLOSED)


def sign_in(browser, token: str = TOKEN, **form: str):
    origin = str(browser.base_url).rstrip("/")
    return browser.post("/login", data={"token": token, **form}, headers={"Origin": origin})


def test_on_loopback_without_tokens_whoever_reaches_it_may_all(open_page):
    said = asking.get(open_page, "/api/x").json()
    assert (said["name"], said["roles"], said["address"]) == ("local", ["capture", "read"], "127.0.0.1")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.9", "localhost@evil", "", "a b"])
def test_who_asks_by_another_name_is_sent_away(open_page, host):
    answer = asking.get(open_page, "/api/x", {"Host": host})
    assert answer.status_code == 421
    assert answer.json()["schema"] == "caulk.error/1"
    assert "names of [serve]" in answer.json()["hint"]


def test_a_request_with_two_names_is_sent_away(open_page):
    answer = asking.client(open_page).get("/api/x", headers=[("Host", asking.ADDRESS), ("Host", asking.ADDRESS)])
    assert answer.status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1:8082", "LOCALHOST:8082", "[::1]:8082", "localhost:7000", "localhost."])
def test_its_own_names_are_known_whatever_the_port_in_front_of_it(open_page, host):
    assert asking.get(open_page, "/api/x", {"Host": host}).status_code == 200


def test_a_configured_name_is_known(tmp_path):
    named = page(tmp_path, names=("Caulk.example",), **CLOSED)
    assert asking.get(named, "/api/x", {"Host": "caulk.example:8443", **BEARER}).status_code == 200
    assert asking.get(named, "/api/x", {"Host": "other.example", **BEARER}).status_code == 421


def test_on_every_address_any_address_is_its_name_but_no_name_is(tmp_path):
    everywhere = page(tmp_path, "0.0.0.0:8082", insecure=True, **CLOSED)
    assert asking.get(everywhere, "/api/x", {"Host": "192.0.2.7:8082", **BEARER}).status_code == 200
    assert asking.get(everywhere, "/api/x", {"Host": "localhost:8082", **BEARER}).status_code == 200
    assert asking.get(everywhere, "/api/x", {"Host": "evil.example:8082", **BEARER}).status_code == 421


@pytest.mark.parametrize("method", ["OPTIONS", "PATCH", "TRACE", "CONNECT", "PROPFIND"])
def test_other_methods_are_refused(open_page, method):
    answer = asking.send(open_page, method, "/api/x")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, POST, PUT, DELETE"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_what_changes_something_says_that_it_is_no_form(open_page, method):
    browser = asking.client(open_page)
    assert browser.request(method, "/api/x").status_code == 403
    assert browser.request(method, "/api/x", headers={"X-Caulk": "0"}).status_code == 403
    assert browser.request(method, "/api/x", headers={"X-Caulk": "1"}).status_code == 200


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "https://127.0.0.1:8082", "http://127.0.0.1:9000", "http://localhost:8082"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_page_is_refused_even_on_another_port(open_page, method, origin):
    answer = asking.send(open_page, method, "/api/x", {"Origin": origin})
    assert answer.status_code == 403
    assert "another page" in answer.json()["what"]


def test_the_pages_own_requests_pass(open_page):
    assert asking.send(open_page, "POST", "/api/x", json={}).status_code == 200
    assert asking.get(open_page, "/api/x", {"Origin": f"http://{asking.ADDRESS}"}).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_another_page_embeds_is_refused_and_a_link_to_a_page_is_not(open_page, site):
    link = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert asking.get(open_page, "/d/a", link).status_code == 200
    assert asking.get(open_page, "/api/d/a", link).status_code == 403
    assert asking.get(open_page, "/d/a", link | {"Sec-Fetch-Dest": "iframe"}).status_code == 403
    assert asking.get(open_page, "/d/a", link | {"Sec-Fetch-Mode": "no-cors"}).status_code == 403


def test_there_are_no_websockets(open_page):
    from starlette.websockets import WebSocketDisconnect

    with (
        pytest.raises(WebSocketDisconnect) as end,
        asking.client(open_page).websocket_connect("/api/events", headers={"Origin": f"http://{asking.ADDRESS}"}),
    ):
        pass
    assert end.value.code == 1008


def test_with_tokens_nobody_is_let_in_without_one(closed):
    answer = asking.get(closed, "/api/x")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "/login" in answer.json()["hint"]
    assert asking.send(closed, "POST", "/api/x").status_code == 401


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", TOKEN[:-1], "ÿ"])
def test_a_wrong_token_is_refused(closed, token):
    assert asking.get(closed, "/api/x", {"Authorization": f"Bearer {token}".encode("latin-1")}).status_code == 401


def test_a_token_is_compared_in_constant_time(closed, monkeypatch):
    import hmac

    compared = []
    real = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: compared.append((len(a), len(b))) or real(a, b))
    assert asking.get(closed, "/api/x", {"Authorization": "Bearer t"}).status_code == 401
    assert compared == [(64, 64), (64, 64)]


def test_a_token_gives_its_role_and_the_greater_has_the_lesser(closed):
    assert asking.get(closed, "/api/x", BEARER).json()["roles"] == ["capture", "read"]
    assert asking.get(closed, "/api/x", READER).json()["roles"] == ["read"]


def test_who_only_looks_changes_nothing_and_sees_nothing_that_a_route_keeps(closed):
    for method in ("POST", "PUT", "DELETE"):
        answer = asking.send(closed, method, "/api/x", READER)
        assert answer.status_code == 403
        assert "capture" in answer.json()["hint"]
    assert asking.get(closed, "/api/reveals", READER).status_code == 403
    assert asking.get(closed, "/api/reveals", READER).json()["schema"] == "caulk.error/1"
    assert asking.get(closed, "/api/reveals", BEARER).status_code == 200
    assert asking.send(closed, "POST", "/api/x", BEARER).status_code == 200


def test_trying_a_rule_on_the_past_is_only_looking(closed):
    assert asking.send(closed, "POST", "/api/rules/leak/test", READER, json={"days": 7}).status_code == 200


def test_without_a_guard_nobody_may_anything():
    with pytest.raises(Refusal):
        needs(Request({"type": "http"}), "read")


def test_a_browser_is_shown_a_form_without_script_where_it_must_sign_in(closed):
    answer = asking.get(closed, "/d/a?focus=x", {"Accept": "text/html"})
    assert answer.status_code == 401
    assert '<form method="post" action="/login">' in answer.text
    assert 'value="/d/a?focus=x"' in answer.text
    assert "<script" not in answer.text
    # Else it would send the form with `Origin: null`.
    assert answer.headers["referrer-policy"] == "same-origin"
    style = asking.get(closed, re.search(r'href="([^"]+\.css)"', answer.text)[1])
    assert (style.status_code, style.headers["content-type"]) == (200, "text/css; charset=utf-8")


def test_the_form_gives_a_cookie_that_no_script_reads_and_that_is_not_the_token(closed):
    browser = asking.client(closed)
    answer = sign_in(browser, next="/d/a?focus=x")
    assert (answer.status_code, answer.headers["location"]) == (303, "/d/a?focus=x")
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"} <= set(cookie.split("; "))
    assert TOKEN not in cookie
    assert browser.get("/api/x").json()["roles"] == ["capture", "read"]


def test_under_tls_the_cookie_is_for_tls_and_this_host_alone(closed):
    cookie = sign_in(asking.client(closed, scheme="https")).headers["set-cookie"]
    assert cookie.startswith("__Host-caulk-8082=")
    assert "Secure" in cookie.split("; ")
    assert "Secure" not in sign_in(asking.client(closed)).headers["set-cookie"]


def test_a_session_has_the_role_of_its_token(closed):
    browser = asking.client(closed)
    sign_in(browser, READ)
    assert browser.get("/api/x").json()["roles"] == ["read"]
    assert browser.post("/api/x", headers=asking.own()).status_code == 403


@pytest.mark.parametrize("token", ["", "wrong", TOKEN.upper()])
def test_a_wrong_token_in_the_form_gives_no_cookie(closed, token):
    answer = sign_in(asking.client(closed), token)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert "The token is wrong" in answer.text


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "null"}, {"Origin": "http://evil.example"}, {"Origin": "http://127.0.0.1:8083"}]
)
@pytest.mark.parametrize("path", ["/login", "/logout"])
def test_the_forms_are_taken_from_the_pages_own_origin_alone(closed, path, headers):
    assert asking.client(closed).post(path, data={"token": TOKEN}, headers=headers).status_code == 403


def test_a_cookie_of_another_key_role_or_time_is_none(closed, tmp_path):
    browser = asking.client(closed)
    cookie = sign_in(browser, READ).cookies["caulk-8082"]
    role, until, number, mac = cookie.split(".")
    forged = [
        f"capture.{until}.{number}.{mac}",
        f"{role}.{int(until) + 1}.{number}.{mac}",
        f"{role}.{until}.{number}.{'0' * 64}",
        f"{role}.{until}.{number}.",
        "read",
        "..." + mac,
        "ÿ",
    ]
    for value in forged:
        answer = asking.get(closed, "/api/x", {"Cookie": f"caulk-8082={value}".encode("latin-1")})
        assert answer.status_code == 401, value
    assert asking.get(closed, "/api/x", {"Cookie": f"caulk-8082={cookie}"}).status_code == 200
    again = page(tmp_path, **CLOSED)
    assert asking.get(again, "/api/x", {"Cookie": f"caulk-8082={cookie}"}).status_code == 401


def test_sessions_and_invitations_run_out():
    clock = [1000.0]
    keys = Keys({"capture": TOKEN}, 60, lambda: clock[0])
    session, invitation, late = keys.session("capture"), keys.invitation(), keys.invitation()
    clock[0] += 59
    assert keys.role_of(session) == "capture"
    assert keys.invited(invitation) == "capture"
    clock[0] += 1
    assert keys.role_of(session) is None
    clock[0] += 3541
    assert keys.invited(late) is None


def test_signing_out_ends_the_session_for_whoever_kept_its_cookie(closed):
    browser = asking.client(closed)
    kept = sign_in(browser).cookies["caulk-8082"]
    assert "Sign out" in browser.get("/login", headers={"Accept": "text/html"}).text
    answer = browser.post("/logout", headers={"Origin": f"http://{asking.ADDRESS}"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert asking.get(closed, "/api/x", {"Cookie": f"caulk-8082={kept}"}).status_code == 401


@pytest.mark.parametrize(
    "to", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/\r\nX: y", "/\t/evil"]
)
def test_signing_in_leads_nowhere_else(closed, to):
    assert sign_in(asking.client(closed), next=to).headers["location"] == "/"


def test_an_invitation_signs_a_browser_in_once_and_leaves_the_address(tmp_path):
    access = Access(asking.ADDRESS, Serve(**CLOSED), tmp_path)
    invited = Guarded(Starlette(routes=[Route("/{path:path}", tells)]), access)
    link = access.invitation(f"http://{asking.ADDRESS}/d/a..b?focus=x%20y")
    assert TOKEN not in link
    browser = asking.client(invited)
    assert browser.head(link).status_code == 401
    answer = browser.get(link, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/d/a..b?focus=x+y")
    assert browser.get("/api/x").json()["roles"] == ["capture", "read"]
    assert browser.get(link).headers["location"] == "/d/a..b?focus=x+y"
    stranger = asking.get(invited, link, {"Accept": "text/html"})
    assert stranger.status_code == 401
    assert "This link was used" in stranger.text
    assert "set-cookie" not in stranger.headers


def test_an_invitation_is_the_only_token_that_an_address_may_hold(closed):
    for path in (f"/d/a?token={TOKEN}", f"/api/x?token={TOKEN}"):
        answer = asking.get(closed, path)
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers


def test_an_invitation_to_look_gives_no_more(tmp_path):
    access = Access(asking.ADDRESS, Serve(read_token=Secret(READ)), tmp_path)
    browser = asking.client(Guarded(Starlette(routes=[Route("/{path:path}", tells)]), access))
    browser.get(access.invitation(f"http://{asking.ADDRESS}/"))
    assert browser.get("/api/x").json()["roles"] == ["read"]


def test_nobody_is_invited_where_nobody_needs_to_sign_in(tmp_path, open_page):
    assert Access(asking.ADDRESS, Serve(), tmp_path).invitation("http://x/") == "http://x/"
    assert asking.get(open_page, "/login").headers["location"] == "/"


def test_wrong_tokens_from_an_address_are_answered_only_so_often(closed):
    wrong = {"Authorization": "Bearer wrong"}
    statuses = [asking.get(closed, "/api/x", wrong).status_code for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    # Not even the right one: whether it is right is what must not be told.
    refused_now = asking.get(closed, "/api/x", BEARER)
    assert refused_now.status_code == 429
    assert int(refused_now.headers["retry-after"]) > 0
    assert sign_in(asking.client(closed)).status_code == 429
    assert asking.get(closed, "/api/x", BEARER, peer="127.0.0.2").status_code == 200


def test_a_household_of_ipv6_is_one_address(tmp_path):
    everywhere = page(tmp_path, "[::]:8082", insecure=True, **CLOSED)
    wrong = {"Authorization": "Bearer wrong", "Host": "[2001:db8::1]:8082"}
    for n in range(10):
        assert asking.get(everywhere, "/api/x", wrong, peer=f"2001:db8:1:1::{n}").status_code == 401
    assert asking.get(everywhere, "/api/x", wrong, peer="2001:db8:1:1::ffff").status_code == 429
    assert asking.get(everywhere, "/api/x", wrong, peer="2001:db8:1:2::1").status_code == 401


def test_a_stale_cookie_is_no_attempt(closed):
    for _ in range(12):
        assert asking.get(closed, "/api/x", {"Cookie": "caulk-8082=capture.1.2.3"}).status_code == 401
    assert asking.get(closed, "/api/x", BEARER).status_code == 200


def test_a_session_goes_on_while_its_address_guesses(closed):
    browser = asking.client(closed)
    sign_in(browser)
    for _ in range(11):
        asking.get(closed, "/api/x", {"Authorization": "Bearer wrong"})
    assert browser.get("/api/x").status_code == 200


def test_a_proxy_says_who_asks(tmp_path):
    behind = page(tmp_path, **PROXY)
    head = {"X-Forwarded-User": "Zoë".encode(), "X-Forwarded-For": "198.51.100.9, 203.0.113.4, 10.0.0.8"}
    said = asking.get(behind, "/api/x", head, peer="10.0.0.7").json()
    assert said["name"] == "Zoë"
    assert said["roles"] == ["capture", "read"]
    # What stands before the first stranger, the stranger may have written.
    assert said["address"] == "203.0.113.4"


@pytest.mark.parametrize("peer", ["127.0.0.1", "10.0.1.7"])
def test_nobody_else_says_who_asks(tmp_path, peer):
    behind = page(tmp_path, **PROXY)
    head = {"X-Forwarded-User": "root", "X-Forwarded-For": "10.0.0.7"}
    assert asking.get(behind, "/api/x", head, peer=peer).status_code == 401


def test_a_proxy_that_names_nobody_or_two_lets_nobody_in(tmp_path):
    behind = page(tmp_path, **PROXY)
    assert asking.get(behind, "/api/x", {}, peer="10.0.0.7").status_code == 401
    assert asking.get(behind, "/api/x", {"X-Forwarded-User": "x" * 201}, peer="10.0.0.7").status_code == 401
    two = [("X-Forwarded-User", "root"), ("X-Forwarded-User", "zoe")]
    assert asking.client(behind, peer="10.0.0.7").get("/api/x", headers=two).status_code == 401
    assert "proxy" in asking.get(behind, "/", {"Accept": "text/html"}, peer="10.0.0.7").text


@pytest.mark.parametrize(
    ("said", "roles"),
    [
        ("read", ["read"]),
        ("capture", ["capture", "read"]),
        ("admin, read", ["read"]),
        ("READ", None),
        ("", None),
        (None, None),
    ],
)
def test_a_second_header_of_the_proxy_says_what_they_may(tmp_path, said, roles):
    behind = page(tmp_path, roles_header="X-Roles", **PROXY)
    head = {"X-Forwarded-User": "zoe"} | ({} if said is None else {"X-Roles": said})
    answer = asking.get(behind, "/api/x", head, peer="10.0.0.7")
    assert (answer.json()["roles"] if roles else answer.status_code) == (roles or 403)


def test_behind_a_proxy_with_tls_the_cookie_is_for_tls_and_the_origin_is_its_own(tmp_path):
    behind = page(tmp_path, names=("caulk.example",), proxies=("10.0.0.7",), **CLOSED)
    browser = asking.client(behind, peer="10.0.0.7", address="caulk.example")
    head = {"Origin": "https://caulk.example", "X-Forwarded-Proto": "https"}
    assert "Secure" in browser.post("/login", data={"token": TOKEN}, headers=head).headers["set-cookie"]
    head["Origin"] = "https://evil.example"
    assert browser.post("/login", data={"token": TOKEN}, headers=head).status_code == 403
    stranger = asking.client(behind, address="caulk.example")
    head["Origin"] = "https://caulk.example"
    assert stranger.post("/login", data={"token": TOKEN}, headers=head).status_code == 403
