"""A Kubernetes API server that knows three Kustomizations and nothing else: `python api.py PORT`.

For recording what Flux's kustomize-controller and kube-state-metrics tell where there is no cluster to install Flux in.
Two Kustomizations have a source that does not exist, the third is suspended.
"""

import json
import re
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KINDS = {
    "kustomize.toolkit.fluxcd.io/v1": {"kustomizations": "Kustomization"},
    "source.toolkit.fluxcd.io/v1": {
        "gitrepositories": "GitRepository",
        "ocirepositories": "OCIRepository",
        "buckets": "Bucket",
        "externalartifacts": "ExternalArtifact",
    },
    "apiextensions.k8s.io/v1": {"customresourcedefinitions": "CustomResourceDefinition"},
    "v1": {"secrets": "Secret", "configmaps": "ConfigMap", "serviceaccounts": "ServiceAccount", "events": "Event"},
}
VERBS = ["get", "list", "watch", "create", "update", "patch"]
_OBJECT = re.compile(
    r"/apis?/(?P<group>.*?v1)(?:/namespaces/[^/]+)?/(?P<plural>[a-z]+)(?:/(?P<name>[^/]+))?(?:/status)?"
)
CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "kustomizations.kustomize.toolkit.fluxcd.io", "uid": "crd", "resourceVersion": "1"},
    "spec": {
        "group": "kustomize.toolkit.fluxcd.io",
        "names": {"kind": "Kustomization", "plural": "kustomizations", "listKind": "KustomizationList"},
        "scope": "Namespaced",
        "versions": [{"name": "v1", "served": True, "storage": True}],
    },
}


def kustomization(name: str, **spec: Any) -> dict[str, Any]:
    """One as its user writes it."""
    return {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": name, "namespace": "shop", "uid": name, "resourceVersion": "1", "generation": 1},
        "spec": {
            "interval": "1m",
            "retryInterval": "2s",
            "path": "./",
            "prune": False,
            "sourceRef": {"kind": "GitRepository", "name": name},
            **spec,
        },
    }


OBJECTS = {name: kustomization(name) for name in ("shop", "infra")} | {"apps": kustomization("apps", suspend=True)}
OBJECTS["apps"]["status"] = {
    "conditions": [{"type": "Ready", "status": "True", "reason": "ReconciliationSucceeded", "message": "Applied"}],
    "lastAppliedRevision": "main@sha1:0",
}


def described(path: str) -> dict[str, Any] | None:
    """The answer to a question about what kinds there are."""
    if path == "/version":
        return {"major": "1", "minor": "33", "gitVersion": "v1.33.0"}
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        groups = [
            {"name": group[:-3], "versions": [{"groupVersion": group, "version": "v1"}]} for group in list(KINDS)[:-1]
        ]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
    kinds = KINDS.get(re.sub("^/apis?/", "", path))
    if kinds is None:
        return None
    resources = [{"name": plural, "namespaced": True, "kind": kind, "verbs": VERBS} for plural, kind in kinds.items()]
    return {"kind": "APIResourceList", "groupVersion": re.sub("^/apis?/", "", path), "resources": resources}


def merged(old: Any, new: Any) -> Any:
    """A merge patch, applied (RFC 7396)."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    kept = {key: value for key, value in old.items() if key not in new or new[key] is not None}
    return kept | {key: merged(old.get(key), value) for key, value in new.items() if value is not None}


def listed(plural: str) -> list[Any]:
    """Every object of a kind."""
    return {"kustomizations": list(OBJECTS.values()), "customresourcedefinitions": [CRD]}.get(plural, [])


class Handler(BaseHTTPRequestHandler):
    """Discovery, get, list, watch and merge patch."""

    protocol_version = "HTTP/1.1"

    def say(self, answer: Any, code: int = 200) -> None:
        """Answer with JSON."""
        body = json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        """Look, list or watch."""
        path, _, query = self.path.partition("?")
        found = _OBJECT.fullmatch(path)
        if (answer := described(path)) is not None:
            self.say(answer)
        elif not found:
            self.say({"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404}, 404)
        elif found["name"]:
            self.one(found["plural"], found["name"])
        elif "watch=true" in query or "watch=1" in query:
            self.watch(found["group"], found["plural"], is_from_start="sendInitialEvents=true" in query)
        else:
            kind = KINDS[found["group"]].get(found["plural"], "")
            head = {"kind": f"{kind}List", "apiVersion": found["group"], "metadata": {"resourceVersion": "1"}}
            self.say(head | {"items": listed(found["plural"])})

    def one(self, plural: str, name: str) -> None:
        """A Kustomization; of all else there is none."""
        if plural == "kustomizations" and name in OBJECTS:
            return self.say(OBJECTS[name])
        status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
        return self.say(status | {"details": {"name": name, "kind": plural}}, 404)

    def watch(self, group: str, plural: str, *, is_from_start: bool) -> None:
        """Tell of changes until the other side goes away; first of what there is, if that is asked for."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        told = dict(OBJECTS)
        if is_from_start:
            for one in listed(plural):
                self.tell("ADDED", one)
            end = {"resourceVersion": "1", "annotations": {"k8s.io/initial-events-end": "true"}}
            self.tell("BOOKMARK", {"apiVersion": group, "kind": KINDS[group].get(plural, ""), "metadata": end})
        while True:
            time.sleep(0.2)
            for name, one in OBJECTS.items() if plural == "kustomizations" else ():
                if told[name] is not one:
                    told[name] = one
                    self.tell("MODIFIED", one)

    def tell(self, what: str, one: Any) -> None:
        """One event of a watch."""
        line = json.dumps({"type": what, "object": one}).encode() + b"\n"
        self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
        self.wfile.flush()

    def change(self) -> None:
        """Take a patch of a Kustomization; take anything else too, and forget it."""
        patch = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        found = _OBJECT.fullmatch(self.path.partition("?")[0])
        if not found or found["name"] not in OBJECTS:
            return self.say(patch, 201)
        old = OBJECTS[found["name"]]
        patch.get("metadata", {}).pop("resourceVersion", None)
        version = str(int(old["metadata"]["resourceVersion"]) + 1)
        new = merged(merged(old, patch), {"metadata": {"resourceVersion": version}})
        OBJECTS[found["name"]] = new
        return self.say(new)

    do_PATCH = do_PUT = do_POST = change  # noqa: N815 - as the base class calls them

    def log_message(self, *_: object) -> None:
        """Says nothing."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
