"""Every runtime in a pod, in a comfortable image and under the restrictions of Pod Security; run by `make e2e`."""

import json

import pytest
from images import IMAGES, names_the_leak

pytestmark = pytest.mark.cluster
CELLS = [(runtime, is_bare) for runtime in IMAGES for is_bare in (False, True)]


@pytest.mark.parametrize(("runtime", "is_bare"), CELLS, ids=[f"{r}-{'bare' if b else 'full'}" for r, b in CELLS])
def test_a_capture_of_a_pod_names_the_planted_leak(cluster, caulk, matrix, runtime, is_bare):
    with cluster.running(runtime, is_bare=is_bare) as name:
        helper = cluster.load(IMAGES["cpython"], is_bare=False)
        manifest = caulk.json("capture", f"k8s:{cluster.namespace}/{name}", "--helper-image", helper)
        assert manifest["complete"]
        assert manifest["target"]["runtime"] == runtime
        assert manifest["target"]["labels"]["pod"] == name
        analysis = caulk.json("analyze", manifest["path"])
        assert names_the_leak(runtime, analysis), json.dumps(analysis["findings"][:2], indent=1)
        (status,) = cluster.status(name)["containerStatuses"]
        assert status["ready"] and status["restartCount"] == 0
        matrix("kubernetes", runtime, "bare" if is_bare else "full", manifest["method"])


def test_a_role_without_exec_is_told_the_verb_that_it_lacks(cluster, caulk, tmp_path):
    with cluster.running("cpython", is_bare=False) as name:
        caulk.environ["KUBECONFIG"] = str(cluster.restricted(tmp_path, ["get", "list"], ["pods"]))
        ran = caulk("capture", f"k8s:{cluster.namespace}/{name}", code=4)
        assert "pods/exec" in ran.stderr + ran.stdout


def test_a_role_with_port_forward_alone_is_enough_for_go(cluster, caulk, tmp_path):
    with cluster.running("go", is_bare=True) as name:
        caulk.environ["KUBECONFIG"] = str(
            cluster.restricted(tmp_path, ["get", "list", "create"], ["pods", "pods/portforward"])
        )
        manifest = caulk.json("capture", f"k8s:{cluster.namespace}/{name}", "--port", "6060")
        assert names_the_leak("go", caulk.json("analyze", manifest["path"]))


def test_a_pod_that_was_replaced_is_not_taken_for_the_one_that_was_asked_for(cluster):
    from caulk.capture import places
    from caulk.model.errors import Unreachable
    from caulk.model.target import Access

    with cluster.running("cpython", is_bare=False) as name:
        target = places.target(f"k8s:{cluster.namespace}/{name}")
        reach = places.reach(target)
        assert reach.process().pid == 1
        cluster.run("-n", cluster.namespace, "delete", "pod", name, "--grace-period=0", "--force")
        with cluster.again(name, "cpython"):
            with pytest.raises(Unreachable, match="replaced"):
                list(reach.fetch("/app/hold.py"))
            with pytest.raises(Unreachable, match="replaced"):
                places.reach(target, Access())
        reach.close()
