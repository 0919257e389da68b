"""Takes the pictures of the docs, of the real page: `make pictures` writes `docs/page/`.

They show the dumps and the fleet of these tests, as they are at one moment.
"""

import shutil
import tempfile
from pathlib import Path

from dump_page import at, dumps
from page_fleet import API, filled
from page_server import serving, shown
from playwright.sync_api import Page, sync_playwright

from browsing import BUILT

INTO = Path(__file__).resolve().parents[2] / "docs/page"
SIZE = {"width": 1280, "height": 760}


def main() -> None:
    """Take them all."""
    INTO.mkdir(exist_ok=True)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as scratch:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        context = browser.new_context(viewport=SIZE, locale="en-GB", timezone_id="UTC", reduced_motion="reduce")
        page = context.new_page()
        _of_dumps(page, Path(scratch, "dumps"))
        with filled(BUILT, Path(scratch, "fleet")) as fleet:
            for name, path, ready in (
                ("fleet", "/", ".sparkline-line"),
                ("target", f"/t/{API.replace('/', '%2F')}?range=24h", ".chart canvas"),
                ("incident", f"/i/{fleet.incident}", ".chart canvas"),
            ):
                _take(page, name, fleet.base + path, ready)
        browser.close()


def _of_dumps(page: Page, home: Path) -> None:
    one = shown(home)
    address = {runtime: "..".join(one.dumps.add(dump) for dump in dumps(runtime)) for runtime in ("go", "node", "jvm")}
    with serving(one) as base:
        for name, runtime, tab, ready in (
            ("suspects", "jvm", "", "article"),
            ("flame", "node", "/flame?sel=type:Session", ".sandwich tbody tr"),
            ("types", "node", "/types?sel=type:Session", ".pane tbody tr"),
            ("dominators", "jvm", "/dominators?sel=type:Cart$Session", ".treemap-box"),
            ("graph", "go", "/graph?sel=frame:main.putSession", ".graph-node"),
        ):
            whole = f"{base}/d/{address[runtime]}"
            if name in ("flame", "dominators"):
                whole = at(whole, -1)
            _take(page, name, whole + tab, ready)


def _take(page: Page, name: str, url: str, ready: str) -> None:
    page.goto(url)
    page.locator(ready).first.wait_for(state="attached")
    page.wait_for_load_state("networkidle") if "/d/" in url else page.wait_for_timeout(1000)
    page.screenshot(path=INTO / f"{name}.png", animations="disabled")
    print(INTO / f"{name}.png")


if __name__ == "__main__":
    main()
