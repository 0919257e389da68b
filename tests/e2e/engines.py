"""Programs started in a real engine or a real cluster, bare or full, with a memory limit, and cleared away."""

import base64
import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from images import IMAGES, USER, Image

LIMIT = 400 << 20
#: What a hardened container may not: write to its image, have rights, be root.
HARD = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", f"--user={USER}")
_PATIENCE_S = 90.0


class Docker:
    """An engine, by its own command."""

    def __init__(self, archives: Path) -> None:
        self._archives = archives
        self._loaded: set[str] = set()
        self._names: list[str] = []

    def answers(self) -> bool:
        try:
            return not subprocess.run(["docker", "version"], capture_output=True, timeout=30, check=False).returncode
        except OSError:
            return False

    def run(self, *arguments: str) -> str:
        return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True, timeout=120).stdout

    def load(self, image: Image, *, is_bare: bool) -> str:
        name = image.name(is_bare=is_bare)
        if name not in self._loaded:
            self.run("load", "-q", "-i", str(image.archive(self._archives, is_bare=is_bare)))
            self._loaded.add(name)
        return name

    @contextmanager
    def running(self, runtime: str, *, is_bare: bool, command: tuple[str, ...] = (), until: str = "") -> Iterator[str]:
        """The name of a container in which the program is ready, or where it has said `until`."""
        image = IMAGES[runtime]
        volumes = ("--tmpfs=/tmp:mode=1777", "--volume=/dumps") if is_bare else ()
        name = f"caulk-e2e-{runtime}-{'bare' if is_bare else 'full'}-{os.getpid()}-{len(self._names)}"
        options = (f"--name={name}", f"--memory={LIMIT}", *((*HARD, *volumes) if is_bare else ()))
        with self.container(self.load(image, is_bare=is_bare), *(command or image.command), options=options):
            awaited(
                lambda: until in self.logs(name) if until else image.is_ready(self.logs(name)), lambda: self.logs(name)
            )
            yield name

    @contextmanager
    def container(self, image_name: str, *command: str, options: tuple[str, ...]) -> Iterator[str]:
        """The name of a container that was started; its `options` give the name."""
        name = next(option.removeprefix("--name=") for option in options if option.startswith("--name="))
        self._names.append(name)
        self.run("run", "-d", "--pull=never", "--network=none", *options, image_name, *command)
        try:
            yield name
        finally:
            self.run("rm", "-f", "-v", name)

    def logs(self, name: str) -> str:
        ran = subprocess.run(["docker", "logs", name], capture_output=True, text=True, check=True, timeout=30)
        return ran.stdout + ran.stderr

    def inspect(self, name: str) -> Any:
        return json.loads(self.run("inspect", name))[0]

    def clear(self) -> None:
        for name in self._names:
            subprocess.run(["docker", "rm", "-f", "-v", name], capture_output=True, check=False, timeout=60)


class Cluster:
    """A cluster, by kubectl."""

    def __init__(self, archives: Path, kubectl: list[str], load: list[str]) -> None:
        self._archives, self._kubectl, self._load = archives, kubectl, load
        self._loaded: set[str] = set()
        self._count = 0
        self.namespace = f"caulk-e2e-{int(time.time())}"
        self.run("create", "namespace", self.namespace)

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        ran = subprocess.run(
            [*self._kubectl, *arguments], input=stdin, capture_output=True, text=True, check=False, timeout=120
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def load(self, image: Image, *, is_bare: bool) -> str:
        name = image.name(is_bare=is_bare)
        if name not in self._loaded:
            archive = image.archive(self._archives, is_bare=is_bare)
            subprocess.run([*self._load, str(archive)], check=True, capture_output=True, timeout=300)
            self._loaded.add(name)
        return name

    @contextmanager
    def running(self, runtime: str, *, is_bare: bool, **spec: Any) -> Iterator[str]:
        """The name of a pod in which the program is ready."""
        image = IMAGES[runtime]
        self._count += 1
        name = f"{runtime}-{'bare' if is_bare else 'full'}-{self._count}"
        pod = self.pod(name, self.load(image, is_bare=is_bare), image, is_bare=is_bare)
        pod["spec"] |= spec
        self.run("apply", "-f", "-", stdin=json.dumps(pod))
        try:
            awaited(
                lambda: image.is_ready(self.logs(name)), lambda: self.run("-n", self.namespace, "describe", "pod", name)
            )
            yield name
        finally:
            self.run(
                "-n",
                self.namespace,
                "delete",
                "pod",
                name,
                "--ignore-not-found",
                "--grace-period=0",
                "--force",
                "--wait=false",
            )

    def pod(self, name: str, image_name: str, image: Image, *, is_bare: bool) -> dict[str, Any]:
        """The manifest of a pod with a memory limit; a bare one under the restrictions of Pod Security."""
        container: dict[str, Any] = {
            "name": "app",
            "image": image_name,
            "imagePullPolicy": "Never",
            "command": list(image.command),
            "resources": {"limits": {"memory": str(LIMIT)}, "requests": {"memory": "64Mi", "cpu": "10m"}},
        }
        spec: dict[str, Any] = {"terminationGracePeriodSeconds": 1, "containers": [container]}
        if is_bare:
            uid = int(USER.partition(":")[0])
            spec["securityContext"] = {"runAsNonRoot": True, "runAsUser": uid, "runAsGroup": uid, "fsGroup": uid}
            container["securityContext"] = {
                "readOnlyRootFilesystem": True,
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
            }
            container["volumeMounts"] = [{"name": n, "mountPath": f"/{n}"} for n in ("tmp", "dumps")]
            spec["volumes"] = [{"name": n, "emptyDir": {}} for n in ("tmp", "dumps")]
        labels = {"app": name}
        metadata = {"name": name, "namespace": self.namespace, "labels": labels}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}

    @contextmanager
    def again(self, name: str, runtime: str) -> Iterator[None]:
        """Another pod of the same name, running: the logs may be of the first for a while, the status is not."""
        image = IMAGES[runtime]
        pod = self.pod(name, self.load(image, is_bare=False), image, is_bare=False)
        self.run("apply", "-f", "-", stdin=json.dumps(pod))
        awaited(
            lambda: any(c["ready"] for c in self.status(name).get("containerStatuses", [])), lambda: self.logs(name)
        )
        awaited(lambda: image.is_ready(self.logs(name)), lambda: self.logs(name))
        yield

    def restricted(self, to: Path, verbs: list[str], resources: list[str]) -> Path:
        """A kubeconfig of a service account that may do no more than this in the namespace."""
        account = f"reader-{len(list(to.iterdir()))}-{int(time.time() * 1000)}"
        rules = [{"apiGroups": [""], "resources": resources, "verbs": verbs}]
        metadata = {"name": account, "namespace": self.namespace}
        group = "rbac.authorization.k8s.io"
        for document in (
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
            {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": metadata, "rules": rules},
            {
                "apiVersion": f"{group}/v1",
                "kind": "RoleBinding",
                "metadata": metadata,
                "roleRef": {"apiGroup": group, "kind": "Role", "name": account},
                "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": self.namespace}],
            },
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "type": "kubernetes.io/service-account-token",
                "metadata": metadata | {"annotations": {"kubernetes.io/service-account.name": account}},
            },
        ):
            self.run("apply", "-f", "-", stdin=json.dumps(document))

        def token() -> str:
            secret = json.loads(self.run("-n", self.namespace, "get", "secret", account, "-o", "json"))
            return base64.b64decode(secret.get("data", {}).get("token", "")).decode()

        awaited(token, lambda: "the service account got no token")
        config = json.loads(self.run("config", "view", "--raw", "--minify", "--flatten", "-o", "json"))
        config["users"] = [{"name": config["users"][0]["name"], "user": {"token": token()}}]
        path = to / f"{account}.kubeconfig"
        path.write_text(json.dumps(config))
        return path

    def logs(self, name: str) -> str:
        ran = subprocess.run(
            [*self._kubectl, "-n", self.namespace, "logs", name],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        return ran.stdout + ran.stderr

    def status(self, name: str) -> Any:
        return json.loads(self.run("-n", self.namespace, "get", "pod", name, "-o", "json"))["status"]

    def clear(self) -> None:
        self.run("delete", "namespace", self.namespace, "--wait=false")


def awaited(is_so: Any, why: Any) -> None:
    """Returns once `is_so`; fails with what `why` says where that takes too long."""
    end = time.monotonic() + _PATIENCE_S
    while not is_so():
        assert time.monotonic() < end, why()
        time.sleep(0.1)
