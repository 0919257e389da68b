"""Records a node's cAdvisor as its kubelet gives it: `python cadvisor.py NODE NAMESPACE`, kubectl reaching the cluster.

Only the series of the namespace and of the root are kept. Where the kubelet's cAdvisor does not reach the container
runtime (a socket that is not at the usual place), its cgroups have no names; those are then put in from the status of
the pods, as they stand on a node where it does.
"""

import json
import re
import subprocess
import sys


def asked(*command: str) -> str:
    """What kubectl says."""
    return subprocess.run(["kubectl", *command], check=True, capture_output=True, text=True).stdout


def named(namespace: str) -> dict[str, dict[str, str]]:
    """The labels of each container, by its id."""
    labels = {}
    for pod in json.loads(asked("get", "pods", "-n", namespace, "-o", "json"))["items"]:
        for status in pod["status"].get("containerStatuses", ()):
            labels[status["containerID"].split("//")[1]] = {
                "container": status["name"],
                "image": status["image"],
                "name": status["containerID"].split("//")[1],
                "namespace": namespace,
                "pod": pod["metadata"]["name"],
            }
    return labels


def main(node: str, namespace: str) -> None:
    """Print the page."""
    known = named(namespace)
    for line in asked("get", "--raw", f"/api/v1/nodes/{node}/proxy/metrics/cadvisor").splitlines():
        cgroup = re.search(r'id="([^"]*)"', line)
        if cgroup and (labels := known.get(cgroup[1].rsplit("/", 1)[-1])):
            for label, value in labels.items():
                line = re.sub(rf'([{{,]){label}="[^"]*"', rf'\1{label}="{value}"', line)  # noqa: PLW2901
        if not cgroup or cgroup[1] == "/" or f'namespace="{namespace}"' in line:
            print(line)


if __name__ == "__main__":
    main(*sys.argv[1:])
