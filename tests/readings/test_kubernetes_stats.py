"""Pods by the kubelet's page and the API server's descriptions."""

import asyncio
from typing import Any

import pytest

from caulk.model.errors import CaptureFailed, Lacks, Unreachable
from caulk.model.target import Target
from caulk.readings.kubernetes import Pods, quantity

MB = 1 << 20


def pod(
    name: str, number: str, *, template: str = "54b97fd9fd", restarts: int = 0, ended: str = "", started: str = "10:00"
) -> Any:
    status = {
        "name": "app",
        "containerID": f"containerd://{number}",
        "imageID": "sha256:1",
        "restartCount": restarts,
        "state": {"running": {"startedAt": f"2026-11-21T{started}:00Z"}},
        "lastState": {"terminated": {"reason": ended, "exitCode": 137}} if ended else {},
    }
    return {
        "metadata": {
            "namespace": "shop",
            "name": name,
            "uid": f"uid-{name}",
            "labels": {"pod-template-hash": template},
            "ownerReferences": [{"kind": "ReplicaSet", "name": f"api-{template}", "controller": True}],
        },
        "spec": {
            "nodeName": "n1",
            "containers": [{"name": "app", "resources": {"limits": {"memory": "512Mi"}}}],
        },
        "status": {"containerStatuses": [status]},
    }


class Cluster:
    """An API server whose pods are set."""

    def __init__(self, *pods: Any, lacks: bool = False) -> None:
        self.pods, self.lacks = list(pods), lacks
        self.is_down = self.is_gone = self.is_silent = False

    def asked(self) -> list[Target]:
        if self.is_gone:
            raise Unreachable("deployments.apps api not found")
        return self.targets()

    def raw(self, method: str, path: str) -> Any:
        if path.startswith("/apis/metrics.k8s.io"):
            containers = [{"name": "app", "usage": {"memory": "102400Ki"}}]
            return {"items": [{"metadata": one["metadata"], "containers": containers} for one in self.pods]}
        if self.is_silent:
            raise Unreachable("the API server does not answer")
        if path == "/version":
            return {}
        assert path == "/api/v1/namespaces/shop/pods"
        return {"items": self.pods}

    def text(self, path: str) -> bytes:
        assert path == "/api/v1/nodes/n1/proxy/metrics/cadvisor"
        if self.lacks:
            raise Lacks("nodes/proxy is forbidden")
        if self.is_down:
            raise Unreachable("no route to host")
        lines = []
        for one in self.pods:
            number = one["status"]["containerStatuses"][0]["containerID"].rpartition("/")[2]
            # With systemd's driver the cgroup is called so.
            for name, size in (("usage_bytes", 300), ("rss", 200), ("cache", 90)):
                where = f"/kubepods.slice/cri-containerd-{number}.scope"
                lines.append(f'container_memory_{name}{{id="{where}",pod="x"}} {size * MB} 1795260719085')
        return "\n".join(lines).encode() + b"\n"

    def targets(self) -> list[Target]:
        names = [one["metadata"]["name"] for one in self.pods]
        return [
            Target(
                "kubernetes", f"k8s:shop/pod/{name}/app", name, {"namespace": "shop", "pod": name, "container": "app"}
            )
            for name in names
        ]


def source(cluster: Cluster, told: list[str] | None = None) -> Pods:
    return Pods(lambda: cluster, cluster.targets, warn=(told if told is not None else []).append)


def events(found: Any) -> dict[str, list[str]]:
    return {seen.replica: [event.what for event in seen.events] for seen in found}


def test_a_container_is_measured_without_its_page_cache():
    cluster = Cluster(pod("api-a", "c1"))
    (seen,) = asyncio.run(source(cluster).read())
    assert (seen.workload.key, seen.workload.name) == ("k8s:shop/deploy/api/app", "shop/api")
    assert (seen.reading.rss, seen.reading.anonymous, seen.reading.file) == (300 * MB, 200 * MB, 90 * MB)
    assert seen.limit == 512 * MB
    assert seen.target
    assert seen.target.reference == "k8s:shop/pod/api-a/app"


def test_a_new_template_in_the_place_of_a_pod_is_a_deploy_and_the_same_one_a_restart():
    cluster = Cluster(pod("api-a", "c1"), pod("api-b", "c2"))
    pods = source(cluster)
    asyncio.run(pods.read())
    cluster.pods = [pod("api-c", "c3"), pod("api-b", "c2")]
    assert events(asyncio.run(pods.read())) == {"0": ["restart"], "1": []}
    cluster.pods = [pod("api-c", "c3"), pod("api-d", "c4", template="6f5d")]
    assert events(asyncio.run(pods.read())) == {"0": [], "1": ["deploy"]}


def test_a_container_that_was_killed_for_memory_says_so():
    cluster = Cluster(pod("api-a", "c1"))
    pods = source(cluster)
    asyncio.run(pods.read())
    cluster.pods = [pod("api-a", "c2", restarts=1, ended="OOMKilled", started="10:05")]
    assert events(asyncio.run(pods.read())) == {"0": ["oom"]}
    cluster.pods = [pod("api-a", "c3", restarts=2, ended="Error", started="10:10")]
    assert events(asyncio.run(pods.read())) == {"0": ["restart"]}


def test_what_waits_to_be_started_again_is_over():
    cluster = Cluster(pod("api-a", "c1"))
    pods = source(cluster)
    asyncio.run(pods.read())
    cluster.pods[0]["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "CrashLoopBackOff"}}
    (gone,) = asyncio.run(pods.read())
    assert gone.is_over


def test_a_workload_that_is_gone_is_over_but_not_where_nobody_answers():
    cluster = Cluster(pod("api-a", "c1"))
    source = Pods(lambda: cluster, cluster.asked)
    asyncio.run(source.read())
    cluster.is_gone = cluster.is_silent = True
    with pytest.raises(Unreachable, match="does not answer"):
        asyncio.run(source.read())
    cluster.is_silent = False
    (gone,) = asyncio.run(source.read())
    assert gone.is_over
    with pytest.raises(Unreachable, match="not found"):
        asyncio.run(source.read())


def test_without_the_right_to_ask_the_kubelet_the_metrics_server_is_asked_and_that_is_said_once():
    told: list[str] = []
    pods = source(Cluster(pod("api-a", "c1"), lacks=True), told)
    for _ in range(2):
        (seen,) = asyncio.run(pods.read())
        assert seen.reading.rss == 100 * MB
    assert len(told) == 1
    assert "page cache" in told[0]


def test_without_either_the_role_that_is_needed_is_named():
    cluster = Cluster(pod("api-a", "c1"), lacks=True)
    plain = cluster.raw

    def raw(method: str, path: str) -> Any:
        if "metrics.k8s.io" in path:
            raise CaptureFailed("the server could not find the requested resource")
        return plain(method, path)

    cluster.raw = raw  # type: ignore[method-assign]
    with pytest.raises(CaptureFailed, match="nobody tells the memory of pods") as raised:
        asyncio.run(source(cluster).read())
    assert "nodes/proxy" in raised.value.hint


def test_a_node_that_is_down_is_no_error_of_the_others():
    cluster = Cluster(pod("api-a", "c1"))
    cluster.is_down = True
    assert list(asyncio.run(source(cluster).read())) == []


@pytest.mark.parametrize(
    ("text", "size"),
    [("512Mi", 512 << 20), ("1G", 10**9), ("1.5Gi", 3 << 29), ("128974848", 128974848), ("129e6", 129_000_000),
     ("100m", 0), ("2k", 2000), ("", 0), ("lots", 0)],
)  # fmt: skip
def test_quantities(text: str, size: int):
    assert quantity(text) == size
