"""Which pods a reference means: by name, through a workload, or by a selector.

`k8s:NS/POD[/CONTAINER]`, `k8s:NS/{pod,deploy,sts,ds,job,svc,rs}/NAME[/CONTAINER]`, `k8s:NS?app=shop`, `k8s:NS`, `k8s:`.
"""

from typing import Any

from lightkube.resources.apps_v1 import DaemonSet, Deployment, ReplicaSet, StatefulSet
from lightkube.resources.batch_v1 import Job
from lightkube.resources.core_v1 import Pod, Service

from caulk.model.errors import Unreachable, UsageError
from caulk.model.target import Access, Target
from caulk.places.kubernetes.cluster import Cluster, said

SCHEMES = ("k8s",)

_WORKLOADS: dict[str, Any] = {
    **dict.fromkeys(("deploy", "deployment", "deployments"), Deployment),
    **dict.fromkeys(("sts", "statefulset", "statefulsets"), StatefulSet),
    **dict.fromkeys(("ds", "daemonset", "daemonsets"), DaemonSet),
    **dict.fromkeys(("rs", "replicaset", "replicasets"), ReplicaSet),
    **dict.fromkeys(("job", "jobs"), Job),
    **dict.fromkeys(("svc", "service", "services"), Service),
}
_PODS = ("pod", "pods", "po")


def targets(wanted: str, access: Access) -> list[Target]:
    """Every container that `wanted` means; of a workload, those of its pods, the one that is longest ready first."""
    cluster = Cluster(access)
    try:
        with said():
            return _found(cluster, wanted)
    finally:
        cluster.close()


def _found(cluster: Cluster, wanted: str) -> list[Target]:
    where, question, asked = wanted.partition(":")[2].partition("?")
    parts = [part for part in where.split("/") if part]
    namespace = parts[0] if parts else cluster.namespace if question else "*"
    if len(parts) < 2:
        labels: Any = dict(pair.split("=", 1) for pair in asked.split(",") if "=" in pair) if question else None
        if question and not labels:
            raise UsageError(f"{wanted}: {asked!r} is no selector", hint="k8s:shop?app=api,tier=web")
        pods = list(cluster.client.list(Pod, namespace=namespace, labels=labels))
        return _of(pods, "", wanted if question else "")
    kind, name, rest = ("pod", parts[1], parts[2:])
    if len(parts) > 2 and (parts[1] in _PODS or parts[1] in _WORKLOADS):
        kind, name, rest = (parts[1], parts[2], parts[3:])
    container = rest[0] if rest else ""
    if kind in _PODS:
        return _of([cluster.client.get(Pod, name, namespace=namespace)], container, "")
    workload = cluster.client.get(_WORKLOADS[kind], name, namespace=namespace)
    selector = workload.spec.selector
    chosen = selector if isinstance(selector, dict) else selector.matchLabels
    pods = list(cluster.client.list(Pod, namespace=namespace, labels=chosen))
    found = _of(sorted(pods, key=_since), container, f"{kind}/{name}")
    if not found:
        raise Unreachable(f"{wanted} has no pod that runs", hint="`kubectl get pods` says why.")
    return found


def _of(pods: list[Any], container: str, workload: str) -> list[Target]:
    found = []
    for pod in pods:
        if pod.status is None or pod.status.phase not in ("Running", "Pending", "Failed", "Succeeded"):
            continue
        names = [each.name for each in pod.spec.containers]
        if container and container not in names:
            raise UsageError(
                f"pod {pod.metadata.name} has no container {container!r}", hint=f"It has: {', '.join(names)}."
            )
        chosen = [container] if container else [_default(pod)] if workload or len(names) == 1 else names
        found += [_target(pod, name, workload) for name in chosen]
    return found


def _default(pod: Any) -> str:
    """The container that kubectl would take."""
    annotated = (pod.metadata.annotations or {}).get("kubectl.kubernetes.io/default-container")
    return str(annotated or pod.spec.containers[0].name)


def _target(pod: Any, container: str, workload: str) -> Target:
    namespace, name = pod.metadata.namespace, pod.metadata.name
    labels = {"namespace": namespace, "pod": name, "container": container, "uid": pod.metadata.uid}
    if pod.spec.nodeName:
        labels["node"] = pod.spec.nodeName
    if workload:
        labels["workload"] = workload
    ports = next((each.ports for each in pod.spec.containers if each.name == container), None) or []
    if ports:
        labels["ports"] = ",".join(str(port.containerPort) for port in ports if port.protocol in (None, "TCP"))
    for status in (pod.status.containerStatuses or []) if pod.status else []:
        if status.name == container:
            labels |= {"image": status.image, "digest": status.imageID, "restarts": str(status.restartCount)}
            last = status.lastState.terminated if status.lastState else None
            if last:
                labels["last_end"] = f"{last.reason or 'Error'} ({last.exitCode})"
    return Target("kubernetes", f"k8s:{namespace}/pod/{name}/{container}", name, labels)


def _since(pod: Any) -> tuple[bool, str]:
    """What is ready comes first, and of that what is so for longest: kubectl's order for `exec deploy/NAME`."""
    ready = [c for c in (pod.status.conditions or []) if c.type == "Ready" and c.status == "True"]
    return (not ready, str(ready[0].lastTransitionTime) if ready else "")
