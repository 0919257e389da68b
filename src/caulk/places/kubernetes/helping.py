"""An ephemeral container beside one whose image has nothing: it shares the processes, and so the files, of the other.

Source: https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/. Since 1.22 the pod is patched; 1.16 to
1.21 put a list of its own kind. It cannot be taken away again, only ended; it ends by itself after an hour.
"""

import secrets
import time
from typing import Any

from caulk.model.errors import Lacks
from caulk.places.kubernetes.cluster import Cluster
from caulk.places.remote import Transport, answer

_LIVES_S = 3600
_PATIENCE_S = 90.0
_MARK = "caulk-helper"
_WAITS = f"import time; time.sleep({_LIVES_S})  # {_MARK}"
_ENDS = f"""import os, signal
for pid in os.listdir('/proc'):
    try:
        words = open('/proc/' + pid + '/cmdline').read().split(chr(0)) if pid.isdigit() else []
    except OSError:
        continue
    if words[1:2] == ['-c'] and words[2].startswith('import time;') and words[2].endswith('# {_MARK}'):
        os.kill(int(pid), signal.SIGKILL)"""


def helper(cluster: Cluster, pod: Any, container: str, image: str) -> str:
    """The name of a helper beside `container`, running: one that is there still, or a new one."""
    for status in pod.status.ephemeralContainerStatuses or []:
        if status.name.startswith(_MARK) and status.state and status.state.running:
            return str(status.name)
    name = f"{_MARK}-{secrets.token_hex(3)}"
    where = f"/api/v1/namespaces/{pod.metadata.namespace}/pods/{pod.metadata.name}"
    _add(cluster, where, _made(pod, container, image, name))
    _await(cluster, where, name)
    return name


def dismiss(transport: Transport) -> None:
    """Ends the helper that `transport` starts commands in."""
    answer(transport, ["python3", "-c", _ENDS], timeout_s=20.0)


def _made(pod: Any, container: str, image: str, name: str) -> dict[str, Any]:
    """The helper: as the target's user, with no more rights than its files and processes ask for."""
    spec = next(each for each in pod.spec.containers if each.name == container)
    theirs = spec.securityContext
    own: dict[str, Any] = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    whole = pod.spec.securityContext
    uid = next((c.runAsUser for c in (theirs, whole) if c and c.runAsUser is not None), None)
    gid = next((c.runAsGroup for c in (theirs, whole) if c and c.runAsGroup is not None), None)
    if uid is not None:
        own["runAsUser"] = uid
    if gid is not None:
        own["runAsGroup"] = gid
    if not uid:
        # Root's processes may have rights that a helper must have too, before it may see their files.
        own["capabilities"] |= {"add": ["SYS_PTRACE", "SETUID", "SETGID", "KILL"]}
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": spec.imagePullPolicy or "IfNotPresent",
        "command": ["python3", "-c", _WAITS],
        "targetContainerName": container,
        "securityContext": own,
    }


def _add(cluster: Cluster, where: str, made: dict[str, Any]) -> None:
    change = {"spec": {"ephemeralContainers": [made]}}
    answer = cluster.raw("PATCH", f"{where}/ephemeralcontainers", change, "application/strategic-merge-patch+json")
    if answer.get("kind") == "EphemeralContainers":
        # An old server, which has taken the patch for one of its list, and found nothing in it. It allows no security
        # context; that of the pod holds.
        plain = {name: value for name, value in made.items() if name != "securityContext"}
        listed = [*(answer.get("ephemeralContainers") or []), plain]
        cluster.raw("PUT", f"{where}/ephemeralcontainers", {**answer, "ephemeralContainers": listed})


def _await(cluster: Cluster, where: str, name: str) -> None:
    """Until it runs; raises `Lacks` with what the kubelet says where it does not."""
    end, why = time.monotonic() + _PATIENCE_S, "it was not started"
    while time.monotonic() < end:
        statuses = cluster.raw("GET", where)["status"].get("ephemeralContainerStatuses") or []
        state: Any = next((each["state"] for each in statuses if each["name"] == name), {})
        if "running" in state:
            return
        if "terminated" in state:
            why = f"it ended: {state['terminated'].get('message') or state['terminated'].get('reason')}"
            break
        waiting = state.get("waiting", {})
        why = f"{waiting.get('reason', 'it waits')} {waiting.get('message', '')}".strip()
        if waiting.get("reason", "") in (
            "ErrImageNeverPull",
            "ImagePullBackOff",
            "InvalidImageName",
            "CreateContainerError",
        ):
            break
        time.sleep(0.3)
    raise Lacks(f"the helper does not run beside the target: {why}", hint="--helper-image must have python3.")
