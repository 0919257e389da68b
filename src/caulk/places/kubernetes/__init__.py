"""Pods of a Kubernetes cluster: `k8s:NAMESPACE/POD/CONTAINER`, those of a workload, those that a selector finds.

A program is reached by exec into its container, its ports by port-forward; where the image has nothing to exec, by an
ephemeral container that shares its processes. Every verb that the role lacks is named where it was wanted.
"""

from caulk.places.kubernetes.pods import SCHEMES, targets
from caulk.places.kubernetes.reaching import reach

NAME = "kubernetes"

__all__ = ["NAME", "SCHEMES", "reach", "targets"]
