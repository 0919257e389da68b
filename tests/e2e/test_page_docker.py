"""The page on containers of a real engine: captures through its dialog, and those that it does not take."""

import os
import re
import shlex

import pytest
from captures_by_page import asked, landed, served, way
from images import IMAGES, LEAKS
from playwright.sync_api import expect

pytestmark = pytest.mark.usefixtures("built")
#: With so little the program runs, and a heap of it cannot be had.
TIGHT = "100m"


@pytest.mark.parametrize(("runtime", "is_bare"), [("cpython", False), ("go", True)])
def test_a_capture_of_a_container_through_the_dialog_lands_on_its_leak(docker, caulk, page, runtime, is_bare):
    with docker.running(runtime, is_bare=is_bare) as name, served(caulk, f"docker:{name}") as url:
        dialog = asked(page, url)
        expect(dialog).to_contain_text(f"docker:{name}")
        expect(dialog.get_by_text("ready").first).to_be_visible()
        expect(landed(page, dialog)).to_contain_text(LEAKS[runtime])
        (row,) = caulk.json("captures")["rows"]
        assert (row["state"], row["target"]) == ("complete", f"docker:{name}")


def test_a_capture_that_the_limit_leaves_no_room_for_is_refused_with_what_would_make_room(docker, caulk, page):
    image, name = IMAGES["node"], f"caulk-e2e-tight-{os.getpid()}"
    options = (f"--name={name}", f"--memory={TIGHT}")
    with (
        docker.container(docker.load(image, is_bare=False), *image.command, options=options),
        served(caulk, f"docker:{name}") as url,
    ):
        dialog = asked(page, url)
        heap = way(dialog, "heap")
        expect(heap).to_contain_text(
            re.compile("a guard refuses.*of memory in the target.*of the limit of 100 MB", re.S)
        )
        heap.get_by_role("radio").check()
        expect(dialog.get_by_role("button", name="Force heap")).to_be_disabled()
        wanted = dialog.get_by_role("group").filter(has_text="What would make more possible for heap:")
        wanted.get_by_text("for heap:").click()
        command = shlex.split(wanted.get_by_text("--lend").inner_text(), comments=True)
        assert caulk.json("captures")["rows"] == []
        # What it says to do is enough.
        assert caulk.json(*command[1:])["complete"]


def test_a_program_that_cannot_be_asked_is_told_with_what_it_has_to_be_given(docker, caulk, page):
    image, name = IMAGES["cpython"], f"caulk-e2e-deaf-{os.getpid()}"
    deaf = ("python3", "-c", "import signal; signal.pause()")
    with (
        docker.container(docker.load(image, is_bare=False), *deaf, options=(f"--name={name}",)),
        served(caulk, f"docker:{name}") as url,
    ):
        dialog = asked(page, url)
        # One reason is said once, whatever it forbids.
        expect(dialog.get_by_text("caulk-probe is not loaded in the program")).to_have_count(1)
        expect(way(dialog, "heap, tracemalloc, figures").get_by_role("radio")).to_be_disabled()
        expect(dialog.get_by_text("pip install caulk-probe")).to_be_visible()
        expect(dialog.get_by_role("button", name="Take")).to_be_disabled()


def test_a_container_of_an_unknown_runtime_says_so_instead_of_offering_anything(docker, caulk, page):
    name = f"caulk-e2e-idle-{os.getpid()}"
    image = docker.load(IMAGES["go"], is_bare=False)
    with (
        docker.container(image, "sleep", "600", options=(f"--name={name}",)),
        served(caulk, f"docker:{name}") as url,
    ):
        dialog = asked(page, url)
        expect(dialog).to_contain_text("no way to take anything")
        expect(dialog.get_by_role("button", name="Take")).to_be_disabled()
