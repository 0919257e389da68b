"""Alerts in: what Alertmanager's webhook sends becomes a trigger of rules.

Payload version 4, https://prometheus.io/docs/alerting/latest/configuration/#webhook_config. An alert is told apart by
its fingerprint and start: the same one, sent again and again as Alertmanager does, opens nothing twice. It is answered
only when what it opened is written down; until then Alertmanager sends it again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address

import msgspec

from caulk.model.decoding import decoded
from caulk.model.errors import UsageError
from caulk.model.incident import Alert, Incident
from caulk.model.watching import Observation, Workload
from caulk.watch.notify.alertmanager import NAME
from caulk.watch.opening import Rules


class _Sent(msgspec.Struct, frozen=True):
    status: str
    labels: dict[str, str]
    fingerprint: str
    startsAt: str  # noqa: N815 - the payload's name
    annotations: dict[str, str] = {}


class _Payload(msgspec.Struct, frozen=True):
    version: str
    alerts: list[_Sent]


@dataclass(slots=True)
class Inbox:
    """Takes alerts and tells the rules; any thread may call. `observations` is the newest of every replica.

    `listens` gives the number of the process here that listens on a TCP port, if there is one.
    """

    rules: Rules
    observations: Callable[[], Sequence[Observation]] = tuple
    listens: Callable[[int], int | None] = lambda port: None
    received: int = field(default=0)

    def take(self, body: bytes, now: float) -> list[Incident]:
        """Everything that a webhook's body opens; raises `UsageError` for one that is no such payload."""
        return [opened for alert in alerts(body) for opened in self._told(alert, now)]

    def _told(self, alert: Alert, now: float) -> list[Incident]:
        self.received += 1
        seen, reference = self._whom(alert.labels)
        workload = seen.workload if seen else Workload(f"alert:{reference or alert.name}", _name(alert, reference))
        return self.rules.alerted(alert, workload, now, seen=seen, reference=reference)

    def _whom(self, labels: Mapping[str, str]) -> tuple[Observation | None, str]:
        """The replica that an alert is about, if the loop sees it, and else how it would be written."""
        wanted = reference_of(labels)
        port = _own_port(labels.get("instance", ""))
        if not wanted and port is not None and (pid := self.listens(port)):
            wanted = f"pid:{pid}"
        if not wanted and labels.get("instance"):
            wanted = f"http://{labels['instance']}"
        for seen in self.observations():
            if _is_meant(seen, labels, wanted):
                return seen, wanted
        return None, wanted


def alerts(body: bytes) -> list[Alert]:
    """The alerts of a webhook's body, without those that caulk itself sent; raises `UsageError`."""
    try:
        payload = decoded(body, _Payload)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(f"this is no payload of Alertmanager's webhook: {error}") from None
    if payload.version != "4":
        raise UsageError(f"this is a payload of version {payload.version!r}, not of version 4")
    return [
        Alert(
            name=sent.labels.get("alertname", ""),
            fingerprint=sent.fingerprint,
            starts_at=sent.startsAt,
            labels=sent.labels,
            annotations=sent.annotations,
            is_resolved=sent.status == "resolved",
        )
        for sent in payload.alerts
        if sent.labels.get("alertname") != NAME
    ]


def reference_of(labels: Mapping[str, str]) -> str:
    """The target that labels name, as people write it: `caulk_target`, a pod, a container; empty if none of these."""
    if target := labels.get("caulk_target"):
        return target
    namespace, pod, container = (labels.get(name, "") for name in ("namespace", "pod", "container"))
    if namespace and pod:
        # POD is the container that only holds a pod's namespaces together.
        inner = f"/{container}" if container not in ("", "POD") else ""
        return f"k8s:{namespace}/pod/{pod}{inner}"
    if container and not pod:
        return f"docker:{container}"
    return ""


def _is_meant(seen: Observation, labels: Mapping[str, str], wanted: str) -> bool:
    if labels.get("workload") and labels["workload"] in (seen.workload.key, seen.workload.name):
        return labels.get("replica", seen.replica) == seen.replica
    if seen.target is None:
        return False
    if seen.target.reference == wanted:
        return True
    known = seen.target.labels
    told = {name: labels[name] for name in ("namespace", "pod", "container") if labels.get(name)}
    return bool("pod" in told and all(known.get(name) == value for name, value in told.items()))


def _own_port(instance: str) -> int | None:
    """The port of an `instance` on this machine, `127.0.0.1:8080`; None if it is elsewhere or has none."""
    host, _, port = instance.rpartition(":")
    try:
        is_here = host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return None
    return int(port) if is_here and port.isascii() and port.isdigit() else None


def _name(alert: Alert, reference: str) -> str:
    labels = alert.labels
    return labels.get("container") or labels.get("pod") or labels.get("job") or reference or alert.name
