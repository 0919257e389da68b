"""The page on pods of a real cluster: captures through its dialog, and a pod that nobody can look into."""

import pytest
from captures_by_page import asked, landed, served
from images import LEAKS
from playwright.sync_api import expect

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("built")]


@pytest.mark.parametrize(("runtime", "is_bare"), [("cpython", False), ("node", False), ("go", True)])
def test_a_capture_of_a_pod_through_the_dialog_lands_on_its_leak(cluster, caulk, page, runtime, is_bare):
    with cluster.running(runtime, is_bare=is_bare) as name, served(caulk, f"k8s:{cluster.namespace}/{name}") as url:
        dialog = asked(page, url)
        expect(dialog).to_contain_text(f"k8s:{cluster.namespace}/pod/{name}/app")
        # A port that nobody listens at is no news where another answers.
        expect(dialog).not_to_contain_text("admin interface")
        expect(landed(page, dialog)).to_contain_text(LEAKS[runtime])
        (status,) = cluster.status(name)["containerStatuses"]
        assert status["ready"] and status["restartCount"] == 0


def test_a_pod_without_anything_to_look_with_says_so_and_what_to_bring(cluster, caulk, page, refused):
    with cluster.running("jvm", is_bare=True) as name, served(caulk, f"k8s:{cluster.namespace}/{name}") as url:
        dialog = asked(page, url)
        said = dialog.get_by_role("alert")
        expect(said).to_contain_text("no Python, Node.js or shell")
        expect(said).to_contain_text("--helper-image")
        expect(said).to_contain_text("nothing answers at port 6060 of the pod")
        expect(said).not_to_contain_text("network namespace")
        refused(409)
