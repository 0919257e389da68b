"""The incident as an alert to an Alertmanager (`POST /api/v2/alerts`), which groups, silences and routes it.

https://prometheus.io/docs/alerting/latest/clients/. An alert with the same labels is the same alert there: sent again,
it changes nothing.
"""

import base64

import msgspec

from caulk.config.schema import Alertmanager
from caulk.config.secrets import revealed
from caulk.model.incident import Incident
from caulk.model.units import iso
from caulk.watch.notify.told import Told, post
from caulk.watch.telling import headline, lines

#: What caulk's own alerts are called, lest they come back to it as triggers.
NAME = "CaulkIncident"
#: It fires until the incident is closed, or for this long where nobody closes it.
_FIRES_S = 86400.0


def send(settings: Alertmanager, told: Told) -> None:
    """Posts it; raises `CaulkError` unless the answer is 2xx."""
    headers = {}
    if token := revealed(settings.token, settings.token_file):
        headers["Authorization"] = f"Bearer {token}"
    elif settings.user:
        password = revealed(settings.password, settings.password_file)
        headers["Authorization"] = "Basic " + base64.b64encode(f"{settings.user}:{password}".encode()).decode()
    body = msgspec.json.encode([alert(told.incident, settings.labels)])
    url = settings.url.rstrip("/") + "/api/v2/alerts"
    post(url, body, headers, timeout=settings.timeout, cacert=settings.cacert)


def alert(incident: Incident, labels: dict[str, str]) -> dict[str, object]:
    """The incident in the shape of the API; labels are the same for as long as it exists."""
    known = incident.target.labels if incident.target else {}
    where = {name: known[name] for name in ("namespace", "pod", "container", "node") if known.get(name)}
    ends = incident.opened_at + _FIRES_S if incident.closed_at is None else incident.closed_at
    return {
        "labels": {
            "alertname": NAME,
            "rule": incident.rule,
            "workload": incident.workload.name,
            "incident": incident.id,
            **where,
            **labels,
        },
        "annotations": {"summary": headline(incident), "description": "\n".join(lines(incident))},
        "startsAt": iso(incident.opened_at),
        "endsAt": iso(ends),
    }
