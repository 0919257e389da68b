"""Signing in and out in a browser: a form without script, and the session's cookie for a token."""

import html
from urllib.parse import parse_qs, parse_qsl, urlencode

from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope

from caulk.web.security.access import CHALLENGE, SIGN_IN, Access
from caulk.web.security.asked import Asked
from caulk.web.security.bodies import taken
from caulk.web.security.hosts import is_own
from caulk.web.security.refusals import Refusal, page, wants_page

LOGIN, LOGOUT, STYLE = "/login", "/logout", "/login.css"
_MOST_BYTES = 16 << 10

_CSS = """:root{color-scheme:light dark}
body{font:13px/1.5 system-ui,sans-serif;margin:0}
main{max-width:26em;margin:12vh auto 0;padding:0 16px}
h1{font-size:20px;margin:0 0 16px}
input,button{font:inherit;padding:6px 8px;box-sizing:border-box}
input{width:100%;margin:4px 0 12px}
[role=alert]{font-weight:600}
"""
_FORM = """<form method="post" action="/login"><label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<input type="hidden" name="next" value="{next}"><button>Sign in</button></form>
<p>It is the token of [serve] in caulk.toml. <a href="{next}">Go on</a> if you are signed in already.</p>"""
_SIGNED_IN = """<p>Signed in as {name}.</p>
<form method="post" action="/logout"><button>Sign out</button></form><p><a href="/">Go on</a></p>"""
_BY_PROXY = "<p>Come by the address of the proxy that says who asks: a request without its word is refused.</p>"


async def sign(access: Access, asked: Asked, receive: Receive, within_s: float) -> Response | None:
    """The answer where a request is about signing in or out; None where it is not."""
    if asked.path == STYLE and not asked.changes:
        return Response(_CSS, media_type="text/css")
    if asked.path not in (LOGIN, LOGOUT):
        return _invited(access, asked)
    if asked.path == LOGIN and not asked.changes:
        return _form(access, asked)
    if asked.method != "POST":
        raise Refusal(405, "forms are sent by POST", headers={"Allow": "POST"})
    if not is_own(asked, asked.headers.get("origin", "")):
        raise Refusal(403, "another page asks", hint=f"Open {LOGIN} of this server and sign in there.")
    body = await taken(asked, receive, _MOST_BYTES, within_s)
    return _signed_in(access, asked, body) if asked.path == LOGIN else _signed_out(access, asked)


def unknown(access: Access, asked: Asked, scope: Scope) -> Response:
    """The answer to one who must say who they are (401): the form in a browser, else a sentence."""
    if wants_page(scope) and not asked.changes:
        return _asks(access, "", _address(asked.raw_path, asked.query))
    raise Refusal(401, "who asks must be known", hint=SIGN_IN, headers=CHALLENGE)


def _form(access: Access, asked: Asked) -> Response:
    caller = access.caller(asked)
    if not access.is_closed:
        return RedirectResponse("/", 303)
    if caller is None:
        return _asks(access, "", "/", status=200)
    return _page("sign out", _SIGNED_IN.format(name=html.escape(caller.name)))


def _asks(access: Access, wrong: str, to: str, *, status: int = 401) -> Response:
    alert = f"<p role=alert>{html.escape(wrong)}.</p>" if wrong else ""
    asks = _FORM.format(next=html.escape(to, quote=True)) if access.keys else _BY_PROXY
    return _page("sign in", alert + asks, status)


def _page(title: str, body: str, status: int = 200) -> Response:
    # Under `no-referrer` browsers send forms with `Origin: null`.
    return page(title, body, status, {"Referrer-Policy": "same-origin"})


def _signed_in(access: Access, asked: Asked, body: bytes) -> Response:
    try:
        form = parse_qs(body.decode("utf-8"), max_num_fields=8)
    except ValueError:
        raise Refusal(400, "the form is broken", hint=f"Open {LOGIN} and send it again.") from None
    to = _local(form.get("next", ["/"])[0])
    role = access.tried(asked, form.get("token", [""])[0].strip())
    if role is None:
        return _asks(access, "The token is wrong", to)
    return RedirectResponse(to, 303, {"Set-Cookie": access.cookie(asked, access.keys.session(role))})


def _signed_out(access: Access, asked: Asked) -> Response:
    access.keys.end(access.session(asked))
    return RedirectResponse(LOGIN, 303, {"Set-Cookie": access.cookie(asked, "")})


def _invited(access: Access, asked: Asked) -> Response | None:
    """The answer to an invitation: the address without it, and the session's cookie."""
    if asked.method != "GET" or asked.path.startswith("/api/") or not access.keys:
        return None
    query = parse_qsl(asked.query, keep_blank_values=True)
    token = next((value for name, value in query if name == "token"), None)
    if token is None:
        return None
    to = _address(asked.raw_path, urlencode([(name, value) for name, value in query if name != "token"]))
    if access.keys.role_of(access.session(asked)):
        return RedirectResponse(to, 303)
    role = access.invited(asked, token)
    if role is None:
        return _asks(access, "This link was used, or is too old", to)
    return RedirectResponse(to, 303, {"Set-Cookie": access.cookie(asked, access.keys.session(role))})


def _address(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path


def _local(to: str) -> str:
    """The address where it is one of this server, else the first page."""
    is_here = to.startswith("/") and to[1:2] not in ("/", "\\") and to.isprintable()
    return to if is_here else "/"
