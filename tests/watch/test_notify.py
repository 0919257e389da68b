"""Notifications reach their receivers as these expect them, and are tried again until they do."""

import hashlib
import hmac
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from receiver import Receiver, receiving

from caulk.config.rules import Notify
from caulk.config.schema import Alertmanager, Command, Slack, Webhook
from caulk.model.errors import CaulkError
from caulk.model.incident import Incident, Moment, Outgoing
from caulk.model.judgement import Judgement
from caulk.model.records import Finding, Verdict
from caulk.model.target import Target
from caulk.model.watching import Workload
from caulk.watch.actions import TryAgain
from caulk.watch.notify import Notifying
from caulk.watch.steps import step

FINDING = Finding(1, "collection", "`ORDERS` grows: <b>3</b> & `more`", 9, 0, 1.0, 3, fingerprint="sha256:ab")
INCIDENT = Incident(
    "i1",
    "key",
    "leak",
    "it is leaking",
    Workload("k8s:shop/api", "api", "go"),
    1767225600.0,
    replica="api-0",
    target=Target("kubernetes", "k8s:shop/pod/api-0", "api-0", {"namespace": "shop", "pod": "api-0", "user": "x"}),
    judgement=Judgement("api", "leaking", "it grows", growth_bytes_per_hour=50 << 20, since=1767200000.5),
    verdict=Verdict("leaking", "It leaks.", 0.9),
    findings=(FINDING,),
    captures=("c1", "c2"),
)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def owed(name: str = "it") -> Outgoing:
    (one,) = [step(Notify(to=(name,)), "i1", 200, 1.0)]
    return one


def tell(settings, incident: Incident = INCIDENT):
    return Notifying({"it": settings})(owed(), incident)


def test_a_webhook_gets_the_incident_with_a_key_and_a_signature(receiver, tmp_path):
    (tmp_path / "secret").write_text("hush\n")
    done = tell(Webhook(url=f"{receiver.url}/hook", secret_file=str(tmp_path / "secret"), token="T0"))
    (got,) = receiver.got
    assert (done.what, done.text) == ("notified", "it was told")
    assert got.path == "/hook"
    assert got.headers["idempotency-key"] == "i1/200/it"
    assert got.headers["authorization"] == "Bearer T0"
    assert got.headers["x-caulk-signature"] == "sha256=" + hmac.new(b"hush", got.body, hashlib.sha256).hexdigest()
    told = got.json["incident"]
    assert got.json["notification"] == "i1/200/it"
    assert (told["schema"], told["id"], told["fingerprint"]) == ("caulk.incident/1", "i1", "sha256:ab")
    assert (told["opened_at"], told["judgement"]["since"]) == ("2026-01-01T00:00:00Z", "2025-12-31T16:53:20Z")
    assert told["findings"][0]["title"] == FINDING.title


def test_the_same_told_again_is_the_same(receiver):
    for _ in range(2):
        tell(Webhook(url=receiver.url))
    assert receiver.got[0].body == receiver.got[1].body


def test_what_comes_from_a_dump_is_plain_text_to_slack(receiver):
    tell(Slack(url=receiver.url))
    text = receiver.got[0].json["text"]
    assert text.startswith("*api: 'ORDERS' grows: &lt;b&gt;3&lt;/b&gt; &amp; 'more'*\n")
    assert "grows by 50.0 MB an hour" in text
    assert "capture c1" in text
    assert "incident i1, rule leak" in text


def test_an_alertmanager_gets_an_alert_that_fires_until_the_incident_is_closed(receiver):
    settings = Alertmanager(url=f"{receiver.url}/am/", user="me", password="pw", labels={"team": "shop"})
    tell(settings)
    closing = Moment(1767229200.0, "closed", "it is steady now", "closed")
    tell(settings, replace(INCIDENT, closed_at=closing.at, moments=(closing,)))
    first, last = (got.json[0] for got in receiver.got)
    assert receiver.got[0].path == "/am/api/v2/alerts"
    assert receiver.got[0].headers["authorization"] == "Basic bWU6cHc="
    assert first["labels"] == last["labels"]
    assert (
        first["labels"].items()
        >= {
            "alertname": "CaulkIncident",
            "rule": "leak",
            "workload": "api",
            "namespace": "shop",
            "pod": "api-0",
            "team": "shop",
        }.items()
    )
    assert first["startsAt"] == last["startsAt"] == "2026-01-01T00:00:00Z"
    assert (first["endsAt"], last["endsAt"]) == ("2026-01-02T00:00:00Z", "2026-01-01T01:00:00Z")


def test_a_command_gets_the_incident_on_stdin_and_the_key_but_no_secrets(tmp_path, monkeypatch):
    monkeypatch.setenv("CAULK_LISTEN__TOKEN", "T0")
    out = tmp_path / "out"
    program = f"import os, sys; open({str(out)!r}, 'w').write(sys.stdin.read() + '|' + repr(dict(os.environ)))"
    tell(Command(command=(sys.executable, "-c", program)))
    told, environ = out.read_text().split("|", 1)
    assert msgspec.json.decode(told)["incident"]["id"] == "i1"
    assert "'CAULK_IDEMPOTENCY_KEY': 'i1/200/it'" in environ
    assert "'CAULK_INCIDENT': 'i1'" in environ
    assert "T0" not in environ


@pytest.mark.parametrize("status", [301, 400, 401, 429, 500, 503])
def test_whatever_is_not_taken_is_sent_again(receiver, status):
    receiver.answers = [status]
    with pytest.raises(TryAgain, match=f"it: it answered {status}: heard"):
        tell(Webhook(url=receiver.url))
    assert tell(Webhook(url=receiver.url)).what == "notified"


def test_who_does_not_answer_is_told_later_without_repeating_the_address():
    with pytest.raises(TryAgain) as error:
        tell(Slack(url="http://127.0.0.1:9/services/T0"))
    assert "T0" not in f"{error.value}{error.value.hint}"


@pytest.mark.parametrize("url", ["", "ftp://x", "hooks.slack.com/T0"])
def test_what_is_no_address_is_said_without_repeating_it(url):
    with pytest.raises(CaulkError) as error:
        tell(Slack(url=url))
    assert "no URL" in str(error.value)
    assert "T0" not in f"{error.value}{error.value.hint}"


def test_a_command_that_fails_or_hangs_is_run_again():
    with pytest.raises(TryAgain, match="ended with 3: no way"):
        tell(Command(command=("/bin/sh", "-c", "echo no way >&2; exit 3")))
    with pytest.raises(TryAgain, match="did not end within"):
        tell(Command(command=("/bin/sh", "-c", "sleep 60 & sleep 60"), timeout=0.2))
    with pytest.raises(TryAgain, match="cannot be run"):
        tell(Command(command=("/nowhere/at/all",)))


def test_who_is_no_longer_there_is_skipped():
    assert Notifying({})(owed(), INCIDENT).what == "skipped"


def test_a_secret_that_cannot_be_read_is_tried_again(receiver, tmp_path: Path):
    with pytest.raises(TryAgain, match="cannot be read"):
        tell(Webhook(url=receiver.url, secret_file=str(tmp_path / "none")))
    assert receiver.got == []
