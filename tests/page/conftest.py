"""A real page in a real browser: Debian's Chromium before a server of its own, and pictures that are compared.

The page has to be built (`make page`); where npm is missing, these tests say so and are left out.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from page_server import begun, shown
from playwright.sync_api import Page

HERE = Path(__file__).resolve().parent
BUILT = HERE.parents[1] / "src/caulk/views/page/index.html"
SIZES = {"desk": (1280, 720), "phone": (390, 844)}


@pytest.fixture(scope="session")
def browser_type_launch_args(require: Callable[[str], str]) -> dict[str, object]:
    return {"executable_path": require("chromium"), "args": ["--no-sandbox", "--force-color-profile=srgb"]}


@pytest.fixture(scope="session")
def browser_context_args() -> dict[str, object]:
    """The same picture each time: one size, one scale, one language, one zone, nothing that moves."""
    width, height = SIZES["desk"]
    return {
        "viewport": {"width": width, "height": height},
        "device_scale_factor": 1,
        "locale": "en-GB",
        "timezone_id": "UTC",
        "reduced_motion": "reduce",
        "color_scheme": "light",
    }


@pytest.fixture(scope="session")
def built(npm: str) -> Path:
    """The built page; `make install` has built it where npm is."""
    if not BUILT.is_file():
        pytest.fail("the page is not built: make page", pytrace=False)
    return BUILT


@pytest.fixture
def page(page: Page) -> Iterator[Page]:
    """A page on which nothing may go wrong unseen: an error in the console, or a request elsewhere, fails the test."""
    problems: list[str] = []
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda asked: problems.append(asked.url) if _is_elsewhere(asked.url) else None)
    yield page
    assert problems == []


@pytest.fixture(scope="session")
def served(built: Path, tmp_path_factory) -> Iterator[Callable[..., str]]:
    """Serves dumps; gives the address of their page. The same dumps have the same server."""
    servers: dict[tuple[Path, ...], tuple[Callable[[], None], str]] = {}

    def address(*dumps: Path) -> str:
        if dumps not in servers:
            one = shown(tmp_path_factory.mktemp("home"))
            ids = [one.dumps.add(dump) for dump in dumps]
            end, base = begun(one)
            servers[dumps] = end, f"{base}/d/{'..'.join(ids)}"
        return servers[dumps][1]

    yield address
    for end, _ in servers.values():
        end()


def _is_elsewhere(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1"
