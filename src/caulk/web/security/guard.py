"""The guard before the application: what it lets through is asked by the page's name, from the page, by a known caller.

In this order: the head's form, the host (421), another page (403), signing in, who asks (401), what they may (403), the
body's bounds (400, 408, 413, 415), how often (429), the audit log (503). Headers for browsers are on every answer.
"""

import asyncio
from collections.abc import Iterable

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from caulk.web.security import bodies
from caulk.web.security.access import Access
from caulk.web.security.asked import Asked, asked
from caulk.web.security.callers import Caller, demand, note
from caulk.web.security.headers import Headed
from caulk.web.security.hosts import come_from_here
from caulk.web.security.limits import too_often
from caulk.web.security.login import sign, unknown
from caulk.web.security.refusals import Refusal, answer
from caulk.web.security.rules import RULES, Rule, rule_of

_PATIENCE_S = 10.0
_PATIENCE_WITH_UPLOADS_S = 30.0


class Guarded:
    """An ASGI application with a guard before it; the outermost, so that errors within have its headers too."""

    def __init__(
        self,
        app: ASGIApp,
        access: Access,
        *,
        rules: Iterable[Rule] = RULES,
        patience_s: float = _PATIENCE_S,
        upload_patience_s: float = _PATIENCE_WITH_UPLOADS_S,
    ) -> None:
        """`patience_s` is for a whole body, `upload_patience_s` for each piece of an upload."""
        self._app = app
        self._access = access
        self._rules = tuple(rules)
        self._patience_s = patience_s
        self._upload_patience_s = upload_patience_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request, by the application or instead of it. There are no WebSockets."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            headed = Headed(send, scope["path"])
            try:
                await self._admit(scope, receive, headed)
            except Refusal as refusal:
                if headed.has_begun:
                    raise
                await answer(scope, refusal)(scope, receive, headed)
            except ClientDisconnect:
                pass
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "there are no WebSockets here"})

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        access = self._access
        head = asked(scope, access.proxies)
        access.hosts.admit(head)
        come_from_here(head)
        said = await sign(access, head, receive, self._patience_s)
        if said is None:
            caller = access.caller(head)
            if caller is not None:
                await self._carry_out(head, caller, scope, receive, send)
                return
            said = unknown(access, head, scope)
        await said(scope, receive, send)

    async def _carry_out(self, head: Asked, caller: Caller, scope: Scope, receive: Receive, send: Send) -> None:
        note(scope, caller)
        rule, of = rule_of(head, self._rules)
        demand(caller, rule.role)
        if not head.changes:
            bodies.check_none(head)
            await self._app(scope, receive, send)
            return
        if head.headers.get("x-caulk") != "1":
            raise Refusal(403, "X-Caulk is missing", hint="Send the header X-Caulk: 1 with what changes anything.")
        if rule.deed == "upload":
            with self._access.uploads.one("uploads"):
                most = self._access.settings.upload
                piecewise = bodies.metered(head, receive, most, self._upload_patience_s)
                await self._app(scope, piecewise, send)
            return
        body = await bodies.taken(head, receive, bodies.MOST_BYTES, self._patience_s)
        said = bodies.parsed(head, body)
        if rule.deed:
            await self._count(rule.deed, of, caller, said)
        await self._app(scope, bodies.given(body, receive), send)

    async def _count(self, deed: str, of: str, caller: Caller, said: object) -> None:
        """Takes a capture or a reveal off its limits, and notes it. Raises `Refusal` where there is none left."""
        if wait := self._access.limits[deed].take(f"by {caller.name}", f"of {of}"):
            raise too_often(f"too many {deed}s within {self._access.settings.window:g} s", wait)
        await asyncio.to_thread(self._access.audit.note, caller, deed, of, said)
