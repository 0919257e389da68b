"""A page in Chromium, and how long it makes a person wait: until it can be used, and for each frame while it is.

Times are the page's own (`performance.now`, from the start of the navigation), taken in the first frame in which what
one waits for is there.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page, sync_playwright

SIZE = {"width": 1280, "height": 720}
_WATCH = """(wanted) => {
  window.benchReadyAt = null
  const look = () => {
    let is = false
    try { is = !!(0, eval)(wanted) } catch { is = false }
    if (is) requestAnimationFrame(() => { window.benchReadyAt = performance.now() })
    else requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
}"""
_FRAMES = """() => {
  window.benchFrames = []
  let before = performance.now()
  const look = (now) => {
    window.benchFrames.push(now - before)
    before = now
    if (window.benchFrames) requestAnimationFrame(look)
  }
  requestAnimationFrame((now) => { before = now; requestAnimationFrame(look) })
}"""


@dataclass(frozen=True, slots=True)
class Waited:
    """Milliseconds until the page could be used, and the longest between two frames of a gesture (None: none done)."""

    load: float
    zoom: float | None = None
    search: float | None = None


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


def opened(browser: Browser, url: str, ready: str, *, timeout_s: float = 120) -> Page:
    """A page at `url` once `ready`, an expression of JavaScript, holds in it; nothing is cached."""
    # The clock is ours and no part of the page, which would not let it in.
    page = browser.new_context(viewport=SIZE, bypass_csp=True).new_page()
    page.add_init_script(f"({_WATCH})({ready!r})")
    page.goto(url, wait_until="commit")
    page.wait_for_function("window.benchReadyAt !== null", timeout=timeout_s * 1000)
    return page


def loaded_ms(page: Page) -> float:
    """How long it took until the page could be used."""
    return float(page.evaluate("window.benchReadyAt"))


def longest_frame_ms(page: Page, gesture: Callable[[Page], object]) -> float:
    """The longest time between two frames while `gesture` is done, and until half a second after it."""
    page.evaluate(_FRAMES)
    page.wait_for_timeout(100)
    page.evaluate("window.benchFrames.length = 0")
    gesture(page)
    page.wait_for_timeout(500)
    frames = page.evaluate("(() => { const frames = window.benchFrames; window.benchFrames = null; return frames })()")
    return max(map(float, frames), default=0.0)


def middle(figures: list[float]) -> float:
    """The median."""
    return median(figures)


def picture(page: Page, into: Path) -> None:
    """What is seen."""
    page.screenshot(path=into)
