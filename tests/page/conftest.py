"""A real page in a real browser: Debian's Chromium before a server of its own, and pictures that are compared.

The page has to be built (`make page`); where npm is missing, these tests say so and are left out.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from page_fleet import Fleet, filled
from page_server import begun, shown
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright
from seen import SIZES

HERE = Path(__file__).resolve().parent
PROGRAMS = HERE / "programs"
BUILT = HERE.parents[1] / "src/caulk/views/page"

SHOP = """
kept = []

def put_session():
    kept.append(bytearray(20_000))

for _ in range(300):
    put_session()
"""

# A machine that is busy fails no test.
expect.set_options(timeout=15_000)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--page", metavar="DIR", dest="page_dir", help="another built page than that in the package")


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


@pytest.fixture(scope="session")
def served(built: Path, tmp_path_factory) -> Iterator[Callable[..., str]]:
    """Serves dumps; gives the address of their page. The same dumps have the same server."""
    servers: dict[tuple[Path, ...], tuple[Callable[[], None], str]] = {}

    def address(*dumps: Path) -> str:
        if dumps not in servers:
            one = shown(tmp_path_factory.mktemp("home"), page=built)
            ids = [one.dumps.add(dump) for dump in dumps]
            end, base = begun(one)
            servers[dumps] = end, f"{base}/d/{'..'.join(ids)}"
        return servers[dumps][1]

    yield address
    for end, _ in servers.values():
        end()


@pytest.fixture(scope="session")
def go_dumps(tmp_path_factory: pytest.TempPathFactory, go: str) -> Path:
    """The folder with the dumps that `programs/cart.go` wrote now."""
    folder = tmp_path_factory.mktemp("go")
    subprocess.run([go, "run", PROGRAMS / "cart.go", folder], check=True, capture_output=True, timeout=300)
    return folder


@pytest.fixture(scope="session")
def memray_capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What memray kept of a Python program that holds sessions."""
    folder = tmp_path_factory.mktemp("memray")
    out = folder / "cart.memray"
    script = folder / "shop.py"
    script.write_text(SHOP)
    command = [sys.executable, "-m", "memray", "run", "--quiet", "--output", out, script]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return out


@pytest.fixture(scope="session")
def fleet(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A fleet with half a day behind it, served: nobody may change what it has."""
    with filled(built, tmp_path_factory.mktemp("fleet")) as one:
        yield one


def _is_elsewhere(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1"
