"""Real engines and clusters: any that DOCKER_HOST and KUBECONFIG point at.

The cluster gets its images by CAULK_E2E_LOAD, a command that ends in the path of an image archive
(`kind load image-archive`, `ctr -n k8s.io images import`). Tests of a cluster run by `make e2e` alone.
"""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from engines import Cluster, Docker

from browsing import browser, browser_context_args, browser_type_launch_args, built, page, playwright, problems, refused

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

REQUIRE_ALL = os.environ.get("CAULK_REQUIRE") == "all"


class Caulk:
    """The command, with a home of its own."""

    def __init__(self, home: Path, prefix: tuple[str, ...] = ()) -> None:
        self.environ = {**os.environ, "CAULK_HOME": str(home), "NO_COLOR": "1"}
        self.prefix = prefix

    def __call__(self, *arguments: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        command = [*self.prefix, sys.executable, "-m", "caulk", *arguments]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=self.environ)
        assert "Traceback" not in ran.stderr, ran.stderr
        assert code is None or ran.returncode == code, ran.stderr + ran.stdout
        return ran

    def json(self, *arguments: str, code: int | None = 0) -> Any:
        return json.loads(self(*arguments, "-o", "json", code=code).stdout)


@pytest.fixture
def caulk(tmp_path: Path) -> Caulk:
    return Caulk(tmp_path / "home")


@pytest.fixture(scope="session")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    kept = os.environ.get("CAULK_E2E_IMAGES")
    # Workers of pytest-xdist have a directory each, below one that they share.
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    to = Path(kept) if kept else shared / "images"
    to.mkdir(parents=True, exist_ok=True)
    return to


@pytest.fixture(scope="session")
def docker(archives: Path) -> Iterator[Docker]:
    engine = Docker(archives)
    if not engine.answers():
        _lacking("no Docker engine answers (DOCKER_HOST)")
    yield engine
    engine.clear()


@pytest.fixture(scope="session")
def cluster(archives: Path) -> Iterator[Cluster]:
    kubectl = shlex.split(os.environ.get("CAULK_E2E_KUBECTL", "kubectl"))
    load = shlex.split(os.environ.get("CAULK_E2E_LOAD", ""))
    if not os.environ.get("KUBECONFIG") or not load:
        _lacking("no cluster is pointed at (KUBECONFIG, CAULK_E2E_LOAD)")
    cluster = Cluster(archives, kubectl, load)
    yield cluster
    cluster.clear()


def _lacking(reason: str) -> None:
    if REQUIRE_ALL:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def matrix() -> Iterator[Callable[..., None]]:
    """Notes what came of a cell; `make e2e` writes them into the docs."""
    cells: list[dict[str, str]] = []

    def note(place: str, runtime: str, image: str, method: str) -> None:
        cells.append({"place": place, "runtime": runtime, "image": image, "method": method})

    yield note
    to = os.environ.get("CAULK_E2E_MATRIX")
    if to and cells:
        path = Path(to)
        known = json.loads(path.read_text()) if path.exists() else []
        fresh = {(c["place"], c["runtime"], c["image"]): c for c in [*known, *cells]}
        path.write_text(json.dumps([fresh[key] for key in sorted(fresh)], indent=1) + "\n")
