"""What every test may ask for: the real runtimes of this machine.

A runtime is used wherever it is found. A missing one is a skip that names it; with `CAULK_REQUIRE=all` in the
environment it is a failure, and so is every other skip, because a run that skips something proves less than it says.
What no package brings (rights that a container withholds, a Python that no archive has) may be missing even then: the
reason of such a skip begins with `unobtainable: `.
"""

import os
import shutil
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings

# A machine that is busy fails no test, and the same tree gives the same answer, but where new examples are looked for.
settings.register_profile(
    "caulk", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CAULK_FUZZ" not in os.environ
)
settings.load_profile("caulk")

REQUIRE_ALL = os.environ.get("CAULK_REQUIRE") == "all"


@pytest.fixture(scope="session")
def require() -> Callable[[str], str]:
    """Give the path of an executable, by name, or skip (fail with `CAULK_REQUIRE=all`) where the machine lacks it."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            reason = f"{name} is not on this machine"
            if REQUIRE_ALL:
                pytest.fail(reason, pytrace=False)
            pytest.skip(reason)
        return path

    return find


@pytest.fixture(scope="session")
def go(require: Callable[[str], str]) -> str:
    return require("go")


@pytest.fixture(scope="session")
def node(require: Callable[[str], str]) -> str:
    return require("node")


@pytest.fixture(scope="session")
def npm(require: Callable[[str], str]) -> str:
    return require("npm")


@pytest.fixture(scope="session")
def java(require: Callable[[str], str]) -> str:
    return require("java")


@pytest.fixture(scope="session")
def gcc(require: Callable[[str], str]) -> str:
    return require("gcc")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> pytest.TestReport:
    """With `CAULK_REQUIRE=all`, turn every skip into a failure that gives the skip's reason."""
    report = yield
    is_allowed = hasattr(report, "wasxfail") or "unobtainable: " in str(report.longrepr)
    if REQUIRE_ALL and report.skipped and not is_allowed:
        report.outcome = "failed"
        report.longrepr = f"skipped although CAULK_REQUIRE=all: {report.longrepr[-1]}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> pytest.CollectReport:
    """The same for a whole module that skips itself."""
    report = yield
    if REQUIRE_ALL and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} skipped although CAULK_REQUIRE=all: {report.longrepr[-1]}"
    return report
