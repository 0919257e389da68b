"""The API is what its description says: no row is missing there, and no request is answered in another way."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import schemathesis
from fleet_site import API, Watched, at
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import checks
from test_incidents_api import analysed, finding

from caulk.model.target import Target
from caulk.web.openapi import document
from caulk.web.routes import ENDPOINTS

#: Of each endpoint; `make fuzz` asks more.
EXAMPLES = min(max(int(os.environ.get("CAULK_FUZZ", "0")) // 40, 15), 500)
DOCUMENT = msgspec.json.decode(msgspec.json.encode(document(ENDPOINTS)))
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
#: Its stream has no end.
ENDLESS = "/api/events"
OPERATIONS = [result.ok() for result in SCHEMA.get_all_operations() if result.ok().path != ENDLESS]
CHECKED = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Watched, dict[str, list[str]]]]:
    """A site with something of everything, and what goes by which name there."""
    home = tmp_path_factory.mktemp("openapi")
    with pytest.MonkeyPatch.context() as patch, Watched(home / "home") as one:
        patch.setenv("CAULK_HOME", str(home / "home"))
        patch.setattr("caulk.web.security.limits.Buckets.take", lambda *_: 0.0)
        one.leak(3, limit=1 << 30)
        one.see(20, target=Target("local", f"pid:{os.getpid()}", "me"), key="local:me")
        incident = one.incident()
        analysed(one, incident.id, finding())
        (home / "x.folded").write_text("main;put 500\nmain;get 20\n")
        (home / "y.folded").write_text("main;put 900\nmain;get 20\n")
        dumps = [one.site.dumps.add(home / name) for name in ("x.folded", "y.folded")]
        for number in dumps:
            one.read(number)
        names = {
            "key": [API, "local:me"],
            "ids": [*dumps, "..".join(dumps)],
            "tab": ["suspects", "flame", "tree", "top", "types"],
            "id": [incident.id, *dumps, "1"],
            "name": ["leak", "oom"],
        }
        yield one, names


def test_the_description_is_openapi():
    SCHEMA.validate()
    assert DOCUMENT["openapi"] == "3.1.0"


def test_every_endpoint_is_described_and_called_by_one_name():
    described = {(method.upper(), path) for path, of in DOCUMENT["paths"].items() for method in of}
    assert described == {(row.method, row.path) for row in ENDPOINTS}
    names = [operation["operationId"] for of in DOCUMENT["paths"].values() for operation in of.values()]
    assert len(names) == len(set(names))
    assert all(operation["summary"] for of in DOCUMENT["paths"].values() for operation in of.values())


def test_the_server_describes_itself(watched: Watched):
    assert watched.get("/openapi.json") == DOCUMENT


def test_parameters_bodies_and_answers_have_their_types():
    memory = DOCUMENT["paths"]["/api/t/{key}/memory"]["get"]
    points = next(one for one in memory["parameters"] if one["name"] == "points")
    assert points["schema"] == {"type": "integer", "minimum": 2, "maximum": 5000, "default": 600}
    answer = memory["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
    assert "replicas" in DOCUMENT["components"]["schemas"][answer.rpartition("/")[2]]["properties"]
    capture = DOCUMENT["paths"]["/api/t/{key}/captures"]["post"]
    assert next(iter(capture["responses"])) == "202"
    assert "capture" in capture["description"]
    assert any(one["name"] == "X-Caulk" and one["required"] for one in capture["parameters"])
    assert capture["requestBody"]["required"]


def test_what_changes_anything_needs_the_header_that_only_the_page_sends(watched: Watched):
    changing = [row for row in ENDPOINTS if row.method != "GET"]
    assert changing
    for row in changing:
        path = row.path.format(key=at(API), ids="x", id="x", name="leak")
        assert watched.browser.request(row.method, path, json={}).status_code == 403, row.path


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: f"{operation.method} {operation.path}")
def test_whatever_is_asked_is_answered_as_described(site: tuple[Watched, dict[str, list[str]]], operation: Any):
    watched, names = site
    headers = {"Host": "127.0.0.1:8082"} | ({"X-Caulk": "1"} if operation.method != "get" else {})
    is_costly = operation.path.endswith("/captures") and operation.method == "post"

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(), data=st.data())
    def asked(case: Any, data: st.DataObject) -> None:
        for name in case.path_parameters or {}:
            if name in names and not is_costly and data.draw(st.booleans()):
                case.path_parameters[name] = data.draw(st.sampled_from(names[name]))
        kwargs = case.as_transport_kwargs(base_url="http://127.0.0.1:8082", headers=headers)
        kwargs["content"] = kwargs.pop("data", None)
        kwargs.pop("cookies", None)
        answer = watched.browser.request(**kwargs)
        case.validate_response(schemathesis.Response.from_any(answer), checks=CHECKED)

    asked()


def test_nothing_that_was_asked_left_anything_behind(site: tuple[Watched, dict[str, list[str]]], tmp_path: Path):
    watched, names = site
    assert [one["key"] for one in watched.get("/api/fleet")["rows"]] == sorted(names["key"])
    with contextlib.suppress(FileNotFoundError):
        assert not any((watched.site.home / "captures").glob("*/heap*"))
