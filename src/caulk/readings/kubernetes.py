"""Pods of a cluster: memory from each node's kubelet, starts, kills and limits from the API server.

The kubelet's cAdvisor page tells what is anonymous and what is cache, container by container (the last part of `id` is
the container's); reading it needs the right to `nodes/proxy`. Without that right the metrics server is asked, whose
working set has some page cache in it. The pods of a Deployment are the replicas of one workload; a new pod takes the
place of an old one, and a new template is a deploy.
"""

import asyncio
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Protocol
from urllib.parse import quote

from caulk.model.errors import CaptureFailed, CaulkError, Lacks, Unreachable
from caulk.model.series import Reading
from caulk.model.target import Target
from caulk.model.watching import Observation, Workload
from caulk.readings.exposition import pattern, samples
from caulk.readings.lives import Life, Roster, Seen

_CADVISOR = {
    "container_memory_usage_bytes": "rss",
    "container_memory_rss": "anonymous",
    "container_memory_cache": "file",
}
_WANTED = pattern(_CADVISOR)
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)(?:([KMGTPE]i?|[km])|e(\d+))?")
_HASH = re.compile(r"-[a-z0-9]{1,10}$")
#: What was not allowed is tried again after this.
_AGAIN_S = 600.0


class Api(Protocol):
    """What is asked: the API server."""

    def raw(self, method: str, path: str) -> Any:
        """What it answers, as JSON."""

    def text(self, path: str) -> bytes:
        """What it answers, as it is."""


class Pods:
    """The containers of pods that `find` gives, anew before each look."""

    def __init__(
        self,
        api: Callable[[], Api],
        find: Callable[[], Iterable[Target]],
        *,
        name: str = "k8s:",
        warn: Callable[[str], object] = lambda _: None,
    ) -> None:
        self.name = name
        self._connect, self._find, self._warn = api, find, warn
        self._api: Api | None = None
        self._roster = Roster()
        self._refused_until = 0.0

    async def read(self) -> Sequence[Observation]:
        """The memory of each container that runs; raises `CaulkError` where the API server does not answer."""
        return await asyncio.to_thread(self._read)

    def state(self) -> Mapping[str, Any]:
        """Which pod is in which slot."""
        return self._roster.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Knows its pods again."""
        self._roster.restore(state)

    async def close(self) -> None:
        """Nothing is open that has to be ended."""

    def _read(self) -> Sequence[Observation]:
        self._api = self._api or self._connect()
        try:
            found = list(self._find())
        except Unreachable:
            # The server is there: the pod or the workload is not. Its end is told once, then why nothing comes.
            self._api.raw("GET", "/version")
            if ended := self._roster.settle((), time.time()):
                return ended
            raise
        targets = {(t.labels["namespace"], t.labels["pod"], t.labels["container"]): t for t in found}
        pods = [pod for space in sorted({space for space, _, _ in targets}) for pod in self._pods(self._api, space)]
        memory = self._memory(self._api, pods)
        at, seen = time.time(), []
        for pod in pods:
            for status, spec in _containers(pod):
                meta = pod["metadata"]
                target = targets.get((meta["namespace"], meta["name"], status["name"]))
                reading = memory.get(status.get("containerID", "").rpartition("/")[2])
                if target and reading:
                    identity = f"{meta['uid']}/{status['name']}"
                    life = _life(pod, status, spec)
                    seen.append(Seen(_workload(pod, status["name"]), identity, reading(at), life, target))
        return self._roster.settle(seen, at)

    @staticmethod
    def _pods(api: Api, namespace: str) -> Sequence[Any]:
        found = api.raw("GET", f"/api/v1/namespaces/{quote(namespace)}/pods")["items"]
        return found if isinstance(found, list) else []

    def _memory(self, api: Api, pods: Sequence[Any]) -> dict[str, Callable[[float], Reading]]:
        """The memory of containers by their ids."""
        if time.monotonic() >= self._refused_until:
            try:
                nodes = sorted({pod["spec"]["nodeName"] for pod in pods if pod["spec"].get("nodeName")})
                return {number: one for node in nodes for number, one in _on_node(api, node)}
            except Lacks as lacks:
                self._refused_until = time.monotonic() + _AGAIN_S
                self._warn(f"{self.name} the working set is read, which has page cache in it: {lacks}")
        return dict(_working_sets(api, pods))


def _on_node(api: Api, node: str) -> Iterator[tuple[str, Callable[[float], Reading]]]:
    """What the containers of a node have, by the kubelet's cAdvisor page."""
    try:
        page = api.text(f"/api/v1/nodes/{quote(node)}/proxy/metrics/cadvisor")
    except Lacks:
        raise
    except CaulkError:
        return  # a node that is down takes its pods with it, and nobody else
    found: dict[str, dict[str, int]] = {}
    for sample in samples(page, _WANTED):
        number = sample.labels.get("id", "").rpartition("/")[2]
        # With systemd's driver it is cri-containerd-ID.scope.
        number = number.removesuffix(".scope").rpartition("-")[2]
        found.setdefault(number, {})[_CADVISOR[sample.name]] = round(sample.value)
    for number, figures in found.items():
        # Of a container that has only just started nothing is measured yet, and no program has nothing.
        if figures.get("rss"):
            yield number, partial(_reading, **figures)


def _working_sets(api: Api, pods: Sequence[Any]) -> Iterator[tuple[str, Callable[[float], Reading]]]:
    """What the metrics server says; raises `CaptureFailed` where there is none."""
    numbers = {
        (pod["metadata"]["namespace"], pod["metadata"]["name"], status["name"]): status.get("containerID", "")
        for pod in pods
        for status, _ in _containers(pod)
    }
    for space in sorted({space for space, _, _ in numbers}):
        try:
            found = api.raw("GET", f"/apis/metrics.k8s.io/v1beta1/namespaces/{quote(space)}/pods")["items"]
        except CaulkError as error:
            raise CaptureFailed(
                f"nobody tells the memory of pods: {error}",
                hint="The role needs get of nodes/proxy, or list of pods in metrics.k8s.io with a metrics server.",
            ) from None
        for pod in found:
            for container in pod["containers"]:
                number = numbers.get((space, pod["metadata"]["name"], container["name"]), "").rpartition("/")[2]
                size = quantity(container["usage"]["memory"])
                yield number, partial(_reading, rss=size)


def _reading(at: float, rss: int = 0, anonymous: int = 0, file: int = 0) -> Reading:
    return Reading(at, rss, anonymous, file)


def _containers(pod: Any) -> Iterator[tuple[Any, Any]]:
    """Status and description of each container that runs."""
    specs = {spec["name"]: spec for spec in pod["spec"]["containers"]}
    for status in pod.get("status", {}).get("containerStatuses") or []:
        if "running" in (status.get("state") or {}) and status["name"] in specs:
            yield status, specs[status["name"]]


def _life(pod: Any, status: Any, spec: Any) -> Life:
    """When it was started, and why before that it ended; the pod's template tells its version."""
    labels = pod["metadata"].get("labels") or {}
    ended = (status.get("lastState") or {}).get("terminated") or {}
    restarts = int(status.get("restartCount", 0))
    bound = (spec.get("resources") or {}).get("limits", {}).get("memory")
    version = next((labels[name] for name in ("pod-template-hash", "controller-revision-hash") if name in labels), "")
    return Life(
        datetime.fromisoformat(status["state"]["running"]["startedAt"]).timestamp(),
        quantity(bound) if bound else None,
        # A count of restarts that rises with each kill stands for a count of kills.
        restarts if ended.get("reason") == "OOMKilled" else 0,
        version or status.get("imageID", ""),
    )


def _workload(pod: Any, container: str) -> Workload:
    """By the owner: a ReplicaSet stands for its Deployment, whose name is its own without the template's hash."""
    meta = pod["metadata"]
    owner = next((one for one in meta.get("ownerReferences") or [] if one.get("controller")), None)
    kind, name = (owner["kind"].lower(), owner["name"]) if owner else ("pod", meta["name"])
    if kind == "replicaset" and "pod-template-hash" in (meta.get("labels") or {}):
        kind, name = "deploy", _HASH.sub("", name)
    short = {"statefulset": "sts", "daemonset": "ds", "replicaset": "rs"}.get(kind, kind)
    several = len(pod["spec"]["containers"]) > 1
    shown = f"{meta['namespace']}/{name}" + (f"/{container}" if several else "")
    return Workload(f"k8s:{meta['namespace']}/{short}/{name}/{container}", shown)


def quantity(text: str) -> int:
    """Bytes of a quantity of Kubernetes (`512Mi`, `1G`, `128974848`, `1e9`); 0 for what is none."""
    found = _QUANTITY.fullmatch(str(text))
    if not found:
        return 0
    number, suffix, power = found.groups()
    if power:
        return int(float(f"{number}e{power}"))
    if suffix == "m":
        return round(float(number) / 1000)
    factor = 1024.0 if suffix and suffix.endswith("i") else 1000.0
    power_of = " KMGTPE".index(suffix[0].upper() if suffix else " ")
    return int(float(number) * factor**power_of)
