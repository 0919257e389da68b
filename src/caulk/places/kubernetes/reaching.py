"""The verbs on a container of a pod: by a hand that exec starts there, its ports by port-forward."""

import contextlib
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from lightkube.resources.core_v1 import Pod

from caulk.model.errors import CaptureFailed, CaulkError, Lacks, Unreachable
from caulk.model.target import Access, Patience, Process, Ran, Room, Target
from caulk.model.units import format_duration
from caulk.places.beside import beside
from caulk.places.kubernetes.cluster import Cluster, said
from caulk.places.kubernetes.helping import dismiss, helper
from caulk.places.loans import Limit, lend, recover
from caulk.places.remote import Channel, answer, joined
from caulk.ports import Hashed, Reach

_ROLE = """apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: caulk-capture, namespace: {namespace}}}
rules:
- {{apiGroups: [""], resources: [pods], verbs: [get, list]}}
- {{apiGroups: [""], resources: [{resource}], verbs: [{verbs}]}}"""


def reach(target: Target, access: Access) -> Reach:
    """The verbs on a container of a pod; raises `Unreachable` if it is gone, or another pod has its name now."""
    cluster = Cluster(access)
    try:
        reach = PodReach(target, cluster, access)
        reach.recover()
        return cast("Reach", reach)
    except CaulkError:
        cluster.close()
        raise


class _InContainer:
    """Commands in a container of the pod."""

    def __init__(self, pod: "PodReach", container: str) -> None:
        self._pod, self._container = pod, container

    def start(self, command: Sequence[str], *, has_stdin: bool = False) -> Channel:
        return self._pod.exec(self._container, command, has_stdin=has_stdin)


class PodReach:
    """One container of one pod, and no other pod that gets its name."""

    def __init__(self, target: Target, cluster: Cluster, access: Access) -> None:
        self.target = target
        self._cluster, self._access = cluster, access
        self._namespace, self._name = target.labels["namespace"], target.labels["pod"]
        self._container = target.labels["container"]
        self._inner: Reach | None = None
        self._failure: CaulkError | None = None
        self._helper = ""
        self._pod()

    def __getattr__(self, verb: str) -> Any:
        """The verbs that need no API are the hand's; what dropped because the pod was replaced says so."""
        if verb.startswith("_"):
            raise AttributeError(verb)
        return self._checked(getattr(self.inner, verb))

    @property
    def inner(self) -> Reach:
        """Who reaches the process, found out once; raises `Lacks` with the reasons."""
        if self._failure:
            raise self._failure
        if self._inner is None:
            try:
                self._inner = self._found()
            except CaulkError as error:
                self._failure = error
                raise
        return self._inner

    def process(self) -> Process:
        """The process in the container."""
        return cast("Process", self._checked(self.inner.process)())

    def room(self) -> Room:
        """What its cgroup says, else what the pod says."""
        with contextlib.suppress(Lacks):
            room = cast("Room", self._checked(self.inner.room)())
            if room.limit is not None:
                return room
            return Room(room.used, self._limit(), room.machine)
        raise Lacks("the memory of the container cannot be read")

    def patience(self) -> Patience | None:
        """The liveness probe's period × threshold; None without one."""
        probe = self._spec().livenessProbe
        if probe is None:
            return None
        period, times = probe.periodSeconds or 10, probe.failureThreshold or 3
        return Patience(float(period * times), f"liveness probe, {format_duration(period)} × {times}")

    def run(self, command: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 60.0) -> Ran:
        """A command of the image."""
        return answer(_InContainer(self, self._container), command, stdin, timeout_s)

    def fetch(
        self, path: str, offset: int = 0, length: int | None = None, hashed: Hashed | None = None
    ) -> Iterator[bytes]:
        """Pieces of a file; what is cut because the pod was replaced says so."""
        try:
            yield from self.inner.fetch(path, offset, length, hashed)
        except (Unreachable, CaptureFailed):
            self._pod()
            raise

    def connect(self, address: tuple[str, int] | str) -> socket.socket:
        """A port by port-forward, which needs nothing in the image; a Unix socket by the hand."""
        if isinstance(address, str):
            return cast("socket.socket", self._checked(self.inner.connect)(address))
        try:
            with self._needs("pods/portforward", "create, get"):
                return joined(self._cluster.forward(self._namespace, self._name, address[1]))
        except Lacks:
            with contextlib.suppress(CaulkError):
                return self.inner.connect(address)
            raise

    @contextmanager
    def lend(self, size: int) -> Iterator[int]:
        """By in-place resize (stable since Kubernetes 1.35), where the container is not restarted for it."""
        self._may_resize()
        limit = self._limit()
        if limit is None:
            raise Lacks(f"{self.target.reference} has no memory limit that could be raised")
        with lend(self._access.state, self._loan(), limit, size) as lent:
            yield lent

    def recover(self) -> None:
        """Takes back what was lent by a caulk that was killed."""
        recover(self._access.state, self._loan())

    def _loan(self) -> Limit:
        name = f"pod-{self.target.labels.get('uid', self._name)}-{self._container}"
        return Limit(name, self._resize, lambda: self.room().used)

    def exec(self, container: str, command: Sequence[str], *, has_stdin: bool) -> Channel:
        """A command in a container of the pod."""
        with self._needs("pods/exec", "create, get"):
            return self._cluster.exec(self._namespace, self._name, container, command, has_stdin=has_stdin)

    def close(self) -> None:
        """Ends what is open, the helper too; Kubernetes keeps an ended ephemeral container in the pod's list."""
        if self._helper:
            with contextlib.suppress(CaulkError):
                dismiss(_InContainer(self, self._helper))
        self._cluster.close()

    def _found(self) -> Reach:
        try:
            return cast("Reach", beside(self.target, _InContainer(self, self._container)))
        except Lacks as error:
            if error.hint:
                raise
        image = self._access.helper_image
        if not image:
            raise Lacks(
                f"the image of {self.target.reference} has no Python, Node.js or shell to reach its process with",
                hint="Give --helper-image an image that has Python: it runs beside it as an ephemeral container. Ports"
                " can be reached without (--port).",
            )
        with self._needs("pods/ephemeralcontainers", "get, patch, update"):
            self._helper = helper(self._cluster, self._pod(), self._container, image)
        return cast("Reach", beside(self.target, _InContainer(self, self._helper)))

    def _pod(self) -> Any:
        """The pod now; raises `Unreachable` if it is another than it was."""
        with said():
            pod = self._cluster.client.get(Pod, self._name, namespace=self._namespace)
        uid = self.target.labels.get("uid")
        if uid and pod.metadata and pod.metadata.uid != uid:
            raise Unreachable(f"pod {self._name} was replaced by another of its name", hint="Take it of the new one.")
        return pod

    def _spec(self) -> Any:
        return next(c for c in self._pod().spec.containers if c.name == self._container)

    def _limit(self) -> int | None:
        resources = self._spec().resources
        given = ((resources.limits if resources else None) or {}).get("memory")
        return None if given is None else _bytes(str(given))

    def _checked(self, verb: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            try:
                return verb(*arguments, **named)
            except (Unreachable, CaptureFailed):
                self._pod()
                raise

        return call

    @contextmanager
    def _needs(self, resource: str, verbs: str) -> Iterator[None]:
        try:
            yield
        except Lacks as error:
            raise Lacks(
                f"the role lacks {verbs.partition(',')[0]} on {resource} in namespace {self._namespace}",
                hint=_ROLE.format(namespace=self._namespace, resource=resource, verbs=verbs),
            ) from error

    def _may_resize(self) -> None:
        resources = self._cluster.raw("GET", "/api/v1")["resources"]
        if not any(each["name"] == "pods/resize" for each in resources):
            raise Lacks("this cluster cannot resize a pod in place", hint="Kubernetes 1.33 and later can.")
        for policy in self._spec().resizePolicy or []:
            if policy.resourceName == "memory" and policy.restartPolicy != "NotRequired":
                raise Lacks(f"{self._container} would be restarted if its memory limit changed")

    def _resize(self, limit: int) -> None:
        change = {"spec": {"containers": [{"name": self._container, "resources": {"limits": {"memory": str(limit)}}}]}}
        with self._needs("pods/resize", "patch"):
            self._cluster.raw(
                "PATCH",
                f"/api/v1/namespaces/{self._namespace}/pods/{self._name}/resize",
                change,
                "application/strategic-merge-patch+json",
            )


def _bytes(quantity: str) -> int:
    """A quantity of Kubernetes, as 512Mi, 1G or 1500M, in bytes."""
    powers: dict[str, float] = {"k": 1000, "M": 1000**2, "G": 1000**3, "T": 1000**4}
    powers |= {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40, "m": 0.001, "": 1}
    number = quantity.rstrip("KMGTikm")
    return int(float(number) * powers.get(quantity[len(number) :], 1))
