"""The API described as OpenAPI 3.1, made from the rows that the server routes by.

Format: https://spec.openapis.org/oas/v3.1.1.
"""

import re
from collections.abc import Iterable, Iterator
from inspect import cleandoc
from typing import Any

import msgspec
from msgspec import NODEFAULT

from caulk import __version__
from caulk.web.endpoint import Endpoint
from caulk.web.records import ErrorRecord, JobRecord

_REFERENCE = "#/components/schemas/{name}"
_PARAMETER = re.compile(r"\{(\w+)\}")
_JSON = "application/json"
_PATHS = {
    "key": "The key of a workload, as one segment: its slashes are escaped.",
    "ids": "One dump, `a..b` for a difference, `a..b..c` for growth.",
    "tab": "A report, by its name.",
    "id": "An id as lists give it.",
    "name": "The name of a rule.",
}
_FAILURES = {
    "400": "What was asked is wrong.",
    "401": "Who asks is not known.",
    "403": "Who asks may not do this.",
    "404": "There is no such thing here.",
    "408": "The body did not come in time.",
    "409": "The target, or a guard, does not allow it.",
    "413": "The body is too large.",
    "414": "The address is too long.",
    "415": "The body is of another type.",
    "421": "The page has another name.",
    "422": "The dump cannot be read.",
    "429": "Too often; Retry-After says when.",
    "502": "The target, or a database, does not answer.",
    "503": "It cannot be noted, so it was not done.",
    "507": "The disk has no room.",
}


def document(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """All endpoints, with the shapes of what they take and answer."""
    rows = list(endpoints)
    kinds = [kind for row in rows for kind in (row.body, row.answer) if kind is not None]
    shapes, components = msgspec.json.schema_components([*kinds, ErrorRecord, JobRecord], ref_template=_REFERENCE)
    known = iter(shapes)
    paths: dict[str, dict[str, Any]] = {}
    for row in rows:
        body = next(known) if row.body is not None else None
        answer = next(known) if row.answer is not None else {}
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row, body, answer)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "caulk",
            "version": __version__,
            "description": "What the web page asks: the fleet, targets, dumps, incidents, captures, rules and jobs.",
        },
        "paths": paths,
        "security": [{}, {"token": []}, {"session": []}],
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "A token of `[serve]`."},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "caulk",
                    "description": "The session of a browser that signed in; its name ends with the port.",
                },
            },
        },
    }


def _operation(row: Endpoint, body: dict[str, Any] | None, answer: dict[str, Any]) -> dict[str, Any]:
    module = row.handle.__module__.rpartition(".")[2]
    said = cleandoc(row.handle.__doc__ or "")
    needs = f"Needs the role {row.role}."
    operation: dict[str, Any] = {
        "operationId": f"{module}.{row.handle.__name__}",
        "tags": [module],
        "summary": row.summary.rstrip("."),
        "description": f"{said}\n\n{needs}",
        "parameters": [*_in_path(row), *_in_query(row), *_in_head(row)],
        "responses": {str(status): _answered(row, status, answer) for status in row.statuses} | _failures(),
    }
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {_JSON: {"schema": body}}}
    elif row.method == "PUT":
        operation["requestBody"] = {"required": True, "content": {"application/octet-stream": {"schema": {}}}}
    return operation


def _in_path(row: Endpoint) -> Iterator[dict[str, Any]]:
    for name in _PARAMETER.findall(row.path):
        schema = {"type": "string", "minLength": 1}
        yield {"name": name, "in": "path", "required": True, "description": _PATHS.get(name, ""), "schema": schema}


def _in_query(row: Endpoint) -> Iterator[dict[str, Any]]:
    (_,), components = msgspec.json.schema_components([row.query], ref_template=_REFERENCE)
    properties = components[row.query.__name__]["properties"]
    for field in msgspec.structs.fields(row.query):
        schema = properties[field.encode_name]
        is_required = field.default is NODEFAULT and field.default_factory is NODEFAULT
        yield {"name": field.encode_name, "in": "query", "required": is_required, "schema": _plain(schema)}


def _in_head(row: Endpoint) -> Iterator[dict[str, Any]]:
    if row.method != "GET":
        yield {
            "name": "X-Caulk",
            "in": "header",
            "required": True,
            "description": "No other page can send it.",
            "schema": {"const": "1"},
        }


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter is left out rather than null."""
    kinds: list[dict[str, Any]] = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if len(kinds) == 1 and len(schema["anyOf"]) == 2:
        return kinds[0]
    return schema


def _answered(row: Endpoint, status: int, answer: dict[str, Any]) -> dict[str, Any]:
    if status == 202:
        return {"description": "A job that is at it; /api/jobs/{id} tells how far.", "content": _json("JobRecord")}
    media = {one.strip(): {"schema": answer} if one.strip() == _JSON else {} for one in row.media.split(",")}
    return {"description": row.summary or "Done.", "content": media}


def _failures() -> dict[str, Any]:
    return {status: {"description": said, "content": _json("ErrorRecord")} for status, said in _FAILURES.items()}


def _json(name: str) -> dict[str, Any]:
    return {_JSON: {"schema": {"$ref": _REFERENCE.format(name=name)}}}
