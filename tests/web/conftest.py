"""A site of one's own for each test of the page, and real dumps for it to show."""

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import real_dumps
from fleet_site import Watched
from page_asking import client, own

from caulk.web.server import application
from caulk.web.site import Site, site

FRONTEND = Path(__file__).parents[2] / "frontend"


@dataclass
class Served:
    """A site with a browser before it."""

    site: Site
    browser: Any

    def get(self, path: str) -> Any:
        """The answer, once it is there: what is still being done is waited for."""
        while True:
            answer = self.browser.get(path)
            if answer.status_code != 202:
                return answer
            # A plain page says nothing of the job.
            job = answer.json() if "json" in answer.headers["Content-Type"] else {"state": "done"}
            while job["state"] in ("waiting", "running"):
                time.sleep(0.01)
                job = self.browser.get(f"/api/jobs/{job['id']}").json()
            assert job["state"] == "done", job

    def send(self, method: str, path: str, **request: Any) -> Any:
        """The answer to a request that changes something."""
        return self.browser.request(method, path, headers=own(), **request)

    def show(self, *paths: Path) -> str:
        """The ids of files that may be asked for from now on, as the address has them."""
        return "..".join(self.site.dumps.add(path) for path in paths)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where a site keeps what it keeps."""
    return tmp_path / "home"


@pytest.fixture
def served(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A site that is served, in its plain form where nothing else is said."""
    monkeypatch.setenv("CAULK_HOME", str(home))
    one = site(home)
    with client(application(one)) as browser:
        yield Served(one, browser)
    one.close()


@pytest.fixture(scope="session")
def built_page(tmp_path_factory: pytest.TempPathFactory, npm: str) -> Path:
    """The page as `npm run build` makes it."""
    if not (FRONTEND / "node_modules").is_dir():
        pytest.skip("frontend/node_modules is not there: `npm ci` in frontend installs it")
    page = tmp_path_factory.mktemp("built") / "page"
    build = [npm, "exec", "--", "vite", "build", "--outDir", str(page), "--emptyOutDir", "--logLevel", "error"]
    subprocess.run(build, cwd=FRONTEND, check=True, capture_output=True, timeout=300)
    return page


@pytest.fixture(scope="session")
def node_heaps(tmp_path_factory: pytest.TempPathFactory, node: str) -> list[Path]:
    return real_dumps.node(tmp_path_factory.mktemp("node"), node)


@pytest.fixture(scope="session")
def java_heaps(tmp_path_factory: pytest.TempPathFactory, java: str) -> list[Path]:
    return real_dumps.java(tmp_path_factory.mktemp("java"), java)


@pytest.fixture(scope="session")
def go_profiles(tmp_path_factory: pytest.TempPathFactory, go: str) -> list[Path]:
    return real_dumps.go(tmp_path_factory.mktemp("go"), go)


@pytest.fixture(scope="session")
def go_heaps(go_profiles: list[Path]) -> list[Path]:
    return go_profiles[:2]


@pytest.fixture(scope="session")
def go_goroutines(go_profiles: list[Path]) -> Path:
    return go_profiles[2]


@pytest.fixture(scope="session")
def python_heaps(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return real_dumps.python(tmp_path_factory.mktemp("python"))


@pytest.fixture(scope="session", params=["node", "java", "go", "python"])
def heaps(request: pytest.FixtureRequest) -> list[Path]:
    """Two dumps of one program, of each runtime."""
    return request.getfixturevalue(f"{request.param}_heaps")


@pytest.fixture
def watched(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    """A site that watches what it is told."""
    monkeypatch.setenv("CAULK_HOME", str(home))
    with Watched(home) as one:
        yield one
