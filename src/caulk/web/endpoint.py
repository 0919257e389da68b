"""Endpoints of the API as rows of a table: what each takes, who may ask, and what it answers.

The server routes by these rows and the OpenAPI document describes them, so neither can know of one the other does not.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from caulk.model.errors import CaptureFailed, CaulkError, MalformedDump, Unreachable, UsageError
from caulk.web.errors import NoRoom, NotFound

if TYPE_CHECKING:
    from caulk.web.site import Site

Role = Literal["read", "capture"]
Method = Literal["GET", "POST", "PUT", "DELETE"]


class Query(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """The parameters of a request's query; each endpoint has its own fields."""


@dataclass(frozen=True, slots=True)
class Asking:
    """One request: the site it asks, and what it says, already checked against the endpoint's types."""

    site: "Site"
    path: Mapping[str, str]
    query: Any
    body: Any
    request: Request

    @property
    def caller(self) -> str:
        """Who asks, for logs."""
        return str(getattr(self.request.scope.get("caulk.caller"), "name", ""))


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A row: `handle` gives a record (sent as JSON), or a whole `Response`."""

    method: Method
    path: str
    handle: Callable[[Asking], Awaitable[Any]]
    query: type[Query] = Query
    body: Any = None
    """The type of the JSON body; None where there is none, or where it is no JSON."""
    answer: Any = None
    """The type of the JSON answer; None where it is no JSON, or has no published type."""
    role: Role = "read"
    media: str = "application/json"
    """What it answers with; several are parted by commas."""
    statuses: tuple[int, ...] = (200,)
    """How it answers where all is well: 202 comes with a job."""

    @property
    def summary(self) -> str:
        """What it does, in a line."""
        return (self.handle.__doc__ or "").partition("\n")[0]


def json(answer: Any, status: int = 200) -> Response:
    """A record as JSON."""
    return Response(msgspec.json.encode(answer), status, media_type="application/json")


def error(problem: CaulkError) -> Response:
    """What went wrong, as the API says it: what happened, and what to do."""
    kinds = ((NotFound, 404), (NoRoom, 507), (MalformedDump, 422), (Unreachable, 502), (CaptureFailed, 409))
    status = next((status for kind, status in kinds if isinstance(problem, kind)), 400)
    return json({"schema": "caulk.error/1", "what": str(problem), "hint": problem.hint}, status)


async def carried_out(endpoint: Endpoint, site: "Site", request: Request) -> Response:
    """The answer to a request, or what is wrong with it."""
    try:
        asking = Asking(site, request.path_params, _query(endpoint, request), await _body(endpoint, request), request)
        answer = await endpoint.handle(asking)
    except CaulkError as problem:
        return error(problem)
    return answer if isinstance(answer, Response) else json(answer)


def _query(endpoint: Endpoint, request: Request) -> Query:
    given: dict[str, Any] = {}
    several = {field.encode_name for field in msgspec.structs.fields(endpoint.query) if "tuple" in str(field.type)}
    for name, value in request.query_params.multi_items():
        if name in several:
            given.setdefault(name, []).append(value)
        elif name in given:
            raise UsageError(f"{name} is given twice")
        else:
            given[name] = value
    try:
        return msgspec.convert(given, endpoint.query, strict=False)
    except msgspec.ValidationError as problem:
        raise UsageError(f"the query is wrong: {problem}") from None


async def _body(endpoint: Endpoint, request: Request) -> Any:
    if endpoint.body is None:
        return None
    try:
        return msgspec.json.decode(await request.body() or b"{}", type=endpoint.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise UsageError(f"the body is wrong: {problem}") from None
