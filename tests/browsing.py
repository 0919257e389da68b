"""The built page in a real browser, Debian's Chromium, for every test that looks at it.

The page has to be built (`make page`); where npm is missing, such tests say so and are left out.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

BUILT = Path(__file__).resolve().parents[1] / "src/caulk/views/page"

# A machine that is busy fails no test.
expect.set_options(timeout=15_000)


@pytest.fixture(scope="session")
def browser_type_launch_args(require: Callable[[str], str]) -> dict[str, object]:
    return {"executable_path": require("chromium"), "args": ["--no-sandbox", "--force-color-profile=srgb"]}


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """For a module, and not for good: while it is there, its event loop is every other test's too."""
    with sync_playwright() as one:
        yield one


@pytest.fixture(scope="module")
def browser(playwright: Playwright, browser_type_launch_args: dict[str, object]) -> Iterator[Browser]:
    one = playwright.chromium.launch(**browser_type_launch_args)
    yield one
    one.close()


@pytest.fixture(scope="session")
def browser_context_args() -> dict[str, object]:
    """The same picture each time: one size, one scale, one language, one zone, nothing that moves."""
    return {
        "viewport": {"width": 1280, "height": 720},
        "device_scale_factor": 1,
        "locale": "en-GB",
        "timezone_id": "UTC",
        "reduced_motion": "reduce",
        "color_scheme": "light",
    }


@pytest.fixture(scope="session")
def built(npm: str, request: pytest.FixtureRequest) -> Path:
    """Where the built page is; `make install` has built it where npm is."""
    folder = Path(request.config.getoption("page_dir", None) or BUILT).resolve()
    if not (folder / "index.html").is_file():
        pytest.fail(f"the page is not built in {folder}: make page", pytrace=False)
    return folder


@pytest.fixture
def problems() -> list[str]:
    """What went wrong on the page; a test that asks for what is refused takes the refusal out."""
    return []


@pytest.fixture
def refused(problems: list[str]) -> Callable[[int], None]:
    """Takes out what the browser wrote of refusals with that status; there must be nothing else."""

    def take(status: int) -> None:
        assert all(f"status of {status}" in one for one in problems), problems
        problems.clear()

    return take


@pytest.fixture
def page(page: Page, problems: list[str]) -> Iterator[Page]:
    """A page on which nothing may go wrong unseen: an error in the console, or a request elsewhere, fails the test."""
    page.set_default_timeout(15_000)
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda asked: problems.append(asked.url) if _is_elsewhere(asked.url) else None)
    yield page
    assert problems == []


def _is_elsewhere(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1"
