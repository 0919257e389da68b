"""The page in a browser before a server of its own, and pictures that are compared."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from page_fleet import Fleet, filled
from page_server import begun, shown

from browsing import browser, browser_context_args, browser_type_launch_args, built, page, playwright, problems, refused
from caulk.app import Reading

__all__ = [
    "browser",
    "browser_context_args",
    "browser_type_launch_args",
    "built",
    "page",
    "playwright",
    "problems",
    "refused",
]

HERE = Path(__file__).resolve().parent
PROGRAMS = HERE / "programs"

SHOP = """
kept = []

def put_session():
    kept.append(bytearray(20_000))

for _ in range(300):
    put_session()
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--page", metavar="DIR", dest="page_dir", help="another built page than that in the package")


@pytest.fixture(scope="session")
def served(built: Path, tmp_path_factory) -> Iterator[Callable[..., str]]:
    """Serves dumps, named by these binaries; gives the address of their page. The same have the same server."""
    servers: dict[tuple[Path, ...], tuple[Callable[[], None], str]] = {}

    def address(*dumps: Path, binaries: tuple[Path, ...] = ()) -> str:
        key = *dumps, *binaries
        if key not in servers:
            one = shown(tmp_path_factory.mktemp("home"), page=built, reading=Reading(binaries))
            ids = [one.dumps.add(dump) for dump in dumps]
            end, base = begun(one)
            servers[key] = end, f"{base}/d/{'..'.join(ids)}"
        return servers[key][1]

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
