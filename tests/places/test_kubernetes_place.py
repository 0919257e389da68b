"""What the cluster at hand cannot show: resizing in place, newer ephemeral containers, refusals; by a recorded API."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from lightkube.resources.core_v1 import Pod

from caulk.model.errors import Lacks, Unreachable, UsageError
from caulk.model.target import Access
from caulk.places import kubernetes
from caulk.places.kubernetes.cluster import Cluster
from caulk.places.kubernetes.helping import helper
from caulk.web.ended import ended

MB = 1 << 20


class Api:
    """An API server that answers from what it was given, and remembers what it was asked to change."""

    def __init__(self) -> None:
        self.changes: list[tuple[str, str, str, Any]] = []
        self.answers: dict[str, Any] = {}
        api = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                self._answer(api.answers.get(self.path.partition("?")[0]))

            def do_PATCH(self) -> None:
                data = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                api.changes.append(("PATCH", self.path, self.headers["Content-Type"], data))
                self._answer(api.answers.get(f"PATCH {self.path}", {"kind": "Pod"}))

            def _answer(self, found: Any) -> None:
                found = found() if callable(found) else found
                status, body = found if isinstance(found, tuple) else (200, found)
                if found is None:
                    status, body = 404, {"kind": "Status", "message": f"{self.path} not found", "code": 404}
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def pod(self, name: str = "api-0", **container: Any) -> None:
        probe = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 7, "failureThreshold": 4}
        spec = {
            "name": "app",
            "image": "shop:1",
            "livenessProbe": probe,
            "resources": {"limits": {"memory": "512Mi"}},
            "ports": [{"containerPort": 6060}],
            **container,
        }
        self.answers[f"/api/v1/namespaces/shop/pods/{name}"] = {
            "kind": "Pod",
            "metadata": {"name": name, "namespace": "shop", "uid": "u-1"},
            "spec": {"containers": [spec]},
            "status": {
                "phase": "Running",
                "containerStatuses": [
                    {
                        "name": "app",
                        "image": "shop:1",
                        "imageID": "sha256:1",
                        "ready": True,
                        "restartCount": 2,
                        "state": {},
                        "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
                    }
                ],
            },
        }


@pytest.fixture
def api() -> Iterator[Api]:
    made = Api()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def access(api: Api, tmp_path: Path) -> Access:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{api.server.server_port}"}}],
        "users": [{"name": "u", "user": {"token": "secret-token"}}],
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}],
        "current-context": "here",
    }
    (tmp_path / "config").write_text(json.dumps(config))
    return Access(kubeconfig=str(tmp_path / "config"), state=str(tmp_path / "loans"))


def test_a_target_tells_its_image_its_ports_and_how_it_ended_last(api, access):
    api.pod()
    (target,) = kubernetes.targets("k8s:shop/api-0", access)
    assert target.reference == "k8s:shop/pod/api-0/app"
    assert target.labels["ports"] == "6060"
    assert target.labels["last_end"] == "OOMKilled (137)"
    assert target.labels["digest"] == "sha256:1"


def test_a_container_that_was_restarted_under_a_capture_is_told_with_how_it_ended(api, access):
    api.pod()
    seen = kubernetes.targets("k8s:shop/api-0", access)[0]
    assert ended(seen, access) == ""
    before = replace(seen, labels={**seen.labels, "restarts": "1"})
    assert ended(before, access) == "k8s:shop/pod/api-0/app was restarted: it ended with OOMKilled (137)"


def test_the_patience_of_a_pod_is_its_liveness_probes_period_times_its_threshold(api, access):
    api.pod()
    reach = kubernetes.reach(kubernetes.targets("k8s:shop/api-0", access)[0], access)
    patience = reach.patience()
    assert patience is not None and patience.seconds == 28
    reach.close()


def test_memory_is_lent_by_resizing_in_place(api, access, monkeypatch):
    api.pod()
    api.answers["/api/v1"] = {"resources": [{"name": "pods"}, {"name": "pods/resize"}]}
    reach = kubernetes.reach(kubernetes.targets("k8s:shop/api-0", access)[0], access)
    monkeypatch.setattr(type(reach), "room", lambda self: type("Room", (), {"used": 100 * MB})())
    with reach.lend(64 * MB) as lent:
        assert lent == 576 * MB
    limits = [body["spec"]["containers"][0]["resources"]["limits"]["memory"] for *_, body in api.changes]
    assert limits == [str(576 * MB), str(512 * MB)]
    assert all(path.endswith("/pods/api-0/resize") for _, path, _, _ in api.changes)
    reach.close()


def test_a_container_that_would_be_restarted_is_not_resized(api, access):
    api.pod(resizePolicy=[{"resourceName": "memory", "restartPolicy": "RestartContainer"}])
    api.answers["/api/v1"] = {"resources": [{"name": "pods/resize"}]}
    reach = kubernetes.reach(kubernetes.targets("k8s:shop/api-0", access)[0], access)
    with pytest.raises(Lacks, match="restarted"), reach.lend(MB):
        pass
    assert not api.changes
    reach.close()


def test_a_cluster_without_resize_says_since_when_there_is(api, access):
    api.pod()
    api.answers["/api/v1"] = {"resources": [{"name": "pods"}]}
    reach = kubernetes.reach(kubernetes.targets("k8s:shop/api-0", access)[0], access)
    with pytest.raises(Lacks) as failure, reach.lend(MB):
        pass
    assert "1.33" in failure.value.hint
    reach.close()


def test_a_newer_cluster_is_asked_for_a_helper_by_a_patch(api, access):
    api.pod(securityContext={"runAsUser": 1000, "runAsGroup": 1000})
    cluster = Cluster(access)
    pod = cluster.client.get(Pod, "api-0", namespace="shop")
    where = "/api/v1/namespaces/shop/pods/api-0"
    described = api.answers[where]

    def running() -> Any:
        added = [c for *_, body in api.changes for c in body["spec"]["ephemeralContainers"]]
        states = [{"name": c["name"], "state": {"running": {}}} for c in added]
        return {**described, "status": {**described["status"], "ephemeralContainerStatuses": states}}

    api.answers[where] = running
    name = helper(cluster, pod, "app", "tools:1")
    ((_, path, kind, body),) = api.changes
    (made,) = body["spec"]["ephemeralContainers"]
    assert path == f"{where}/ephemeralcontainers" and "strategic-merge-patch" in kind
    assert made["name"] == name and made["targetContainerName"] == "app"
    assert made["securityContext"]["runAsUser"] == 1000
    assert made["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    cluster.close()


def test_a_refusal_names_no_token(api, access):
    refused = {
        "kind": "Status",
        "message": "pods is forbidden",
        "code": 403,
        "reason": "Forbidden",
        "status": "Failure",
    }
    api.answers["/api/v1/namespaces/shop/pods/api-0"] = (403, refused)
    with pytest.raises(Lacks) as failure:
        kubernetes.targets("k8s:shop/api-0", access)
    assert "forbidden" in str(failure.value) and "secret-token" not in str(failure.value) + failure.value.hint


def test_what_is_not_there_is_unreachable_and_a_wrong_kubeconfig_a_usage_error(access, tmp_path):
    with pytest.raises(Unreachable):
        kubernetes.targets("k8s:shop/api-9", access)
    with pytest.raises(UsageError, match="kubeconfig"):
        kubernetes.targets("k8s:shop/api-9", Access(kubeconfig=str(tmp_path / "none")))
