"""`caulk serve` on what runs elsewhere, and the page's capture dialog as a person goes through it."""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Locator, Page, expect

_ADDRESS = re.compile(r"the page is at (http\S+)")


@contextmanager
def served(caulk: Any, wanted: str) -> Iterator[str]:
    """The address that `caulk serve` says for the page of `wanted`; nothing else is looked at or listened to."""
    command = [*caulk.prefix, sys.executable, "-m", "caulk", "serve", wanted]
    options = ("--http", "127.0.0.1:0", "--no-open", "--no-rules", "--interval", "1s")
    with subprocess.Popen([*command, *options], stderr=subprocess.PIPE, text=True, env=caulk.environ) as process:
        assert process.stderr
        said = []
        try:
            yield _address(process.stderr, said)
        finally:
            process.terminate()
            said += process.stderr
    assert process.returncode == 0, "".join(said)
    assert "Traceback" not in "".join(said), "".join(said)


def asked(page: Page, url: str) -> Locator:
    """The dialog that says what a capture of the program at `url` would cost; a pod is there once it was measured."""
    page.goto(url)
    page.get_by_role("button", name=re.compile("^Capture")).click(timeout=60_000)
    return page.get_by_role("dialog", name=re.compile("^Capture "))


def way(dialog: Locator, name: str) -> Locator:
    """One of the ways that the dialog offers."""
    return dialog.get_by_role("listitem").filter(has=dialog.page.get_by_role("radio", name=re.compile(f"^{name} ")))


def landed(page: Page, dialog: Locator) -> Locator:
    """The first suspect of what the dialog takes as it stands, once that was taken, opened and analysed."""
    dialog.get_by_role("button", name=re.compile("^Take ")).click()
    dialog.get_by_role("link", name="Open the dump").click(timeout=60_000)
    expect(page).to_have_url(re.compile("/d/"))
    return page.get_by_role("tabpanel").get_by_role("article").first


def _address(lines: Iterable[str], said: list[str]) -> str:
    for line in lines:
        said.append(line)
        if found := _ADDRESS.search(line):
            return found[1]
    raise AssertionError("".join(said))
