"""Alerts in: whom they are about, and that each is taken once."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from caulk.config.rules import Capture, Limits, Rule, Trigger
from caulk.config.values import Span
from caulk.model.errors import UsageError
from caulk.model.series import Reading
from caulk.model.target import Target
from caulk.model.watching import Observation, Workload
from caulk.store.incidents import Incidents
from caulk.watch.inbox import Inbox, alerts
from caulk.watch.opening import Rules

ANY = Rule(
    name="alert",
    trigger=Trigger(alert="*"),
    actions=(Capture(),),
    limits=Limits(cooldown=Span(0), count=99, per_workload=99),
)


def seen(reference: str, name: str, **labels: str) -> Observation:
    target = Target(reference.partition(":")[0], reference, name, labels)
    return Observation(Workload(f"key:{name}", name, "go"), "0", Reading(5.0, 100, 100), target=target)


FLEET = (
    seen("pid:71", "web"),
    seen("docker:db", "db"),
    seen("k8s:shop/pod/api-0/app", "api", namespace="shop", pod="api-0", container="app"),
)


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    store = Incidents(f"sqlite:///{tmp_path}/incidents.db")
    yield Inbox(Rules((ANY,), store), lambda: FLEET, {8080: 71, 9090: 99}.get)
    store.dispose()


def sent(*labels: dict[str, str], status: str = "firing", start: str = "2026-01-01T00:00:00Z", **more: object) -> bytes:
    """What Alertmanager 0.25 posts, with what this does not look at left in."""
    told = [
        {
            "status": status,
            "labels": {"alertname": "MemoryHigh", **one},
            "annotations": {"summary": "it grows"},
            "startsAt": start,
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://p/graph",
            "fingerprint": hashlib.sha256(msgspec.json.encode(one)).hexdigest()[:16],
        }
        for one in labels
    ]
    payload = {"receiver": "caulk", "status": status, "alerts": told, "version": "4", "groupKey": "{}"}
    return msgspec.json.encode(payload | more)


@pytest.mark.parametrize(
    ("labels", "workload", "reference"),
    [
        ({"workload": "api"}, "key:api", "k8s:shop/pod/api-0/app"),
        ({"workload": "key:web", "replica": "0"}, "key:web", "pid:71"),
        ({"namespace": "shop", "pod": "api-0", "container": "app"}, "key:api", "k8s:shop/pod/api-0/app"),
        ({"namespace": "shop", "pod": "api-0"}, "key:api", "k8s:shop/pod/api-0/app"),
        ({"container": "db"}, "key:db", "docker:db"),
        ({"instance": "127.0.0.1:8080"}, "key:web", "pid:71"),
        ({"instance": "localhost:8080", "job": "web"}, "key:web", "pid:71"),
        ({"caulk_target": "docker:db", "instance": "127.0.0.1:8080"}, "key:db", "docker:db"),
    ],
)
def test_labels_lead_to_the_replica_that_the_loop_sees(inbox, labels, workload, reference):
    (incident,) = inbox.take(sent(labels), 1000.0)
    assert (incident.workload.key, incident.target.reference) == (workload, reference)


@pytest.mark.parametrize(
    ("labels", "reference", "name"),
    [
        ({"namespace": "shop", "pod": "cart-1", "container": "POD"}, "k8s:shop/pod/cart-1", "POD"),
        ({"container": "cache"}, "docker:cache", "cache"),
        ({"instance": "127.0.0.1:9090", "job": "jobs"}, "pid:99", "jobs"),
        ({"instance": "10.0.0.7:8080", "job": "far"}, "http://10.0.0.7:8080", "far"),
        ({"instance": "127.0.0.1:7777"}, "http://127.0.0.1:7777", "http://127.0.0.1:7777"),
        ({}, "", "MemoryHigh"),
    ],
)
def test_what_the_loop_does_not_see_is_reached_by_what_the_labels_say(inbox, labels, reference, name):
    (incident,) = inbox.take(sent(labels), 1000.0)
    assert (incident.target, incident.reference, incident.workload.name) == (None, reference, name)


def test_what_alertmanager_sends_again_opens_nothing_again(inbox):
    body = sent({"workload": "api"}, {"workload": "web"})
    assert len(inbox.take(body, 1000.0)) == 2
    assert inbox.take(body, 1300.0) == []
    assert len(inbox.take(sent({"workload": "api"}, start="2026-01-01T08:00:00Z"), 1300.0)) == 1


def test_a_resolved_alert_closes_its_incident(inbox):
    (incident,) = inbox.take(sent({"workload": "api"}), 1000.0)
    assert inbox.take(sent({"workload": "api"}, status="resolved"), 2000.0) == []
    assert inbox.rules.store.get(incident.id).closed_at == 2000.0


def test_caulks_own_alerts_do_not_come_back_as_triggers():
    assert alerts(sent({"alertname": "CaulkIncident"}, {"workload": "api"}))[0].labels["workload"] == "api"
    assert len(alerts(sent({"alertname": "CaulkIncident"}))) == 0


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"\xff\xfe", sent({}, version="3"), sent({})[:-9], b'{"alerts": 3}']
)
def test_what_is_no_payload_is_refused(body):
    with pytest.raises(UsageError, match="this is"):
        alerts(body)
