"""The page of a dump in a browser, on dumps of four runtimes."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from seen import faults, golden, overflows

DUMPS = Path(__file__).resolve().parent / "dumps"
RUNTIMES = {
    "go": ["go.1.pb.gz", "go.2.pb.gz", "go.3.pb.gz"],
    "python": ["python.1.tracemalloc.gz", "python.2.tracemalloc.gz", "python.3.tracemalloc.gz"],
    "node": ["node.1.heapsnapshot.zst", "node.2.heapsnapshot.zst"],
    "jvm": ["jvm.1.hprof.zst", "jvm.2.hprof.zst"],
}
CULPRIT = {"go": "main.putSession", "python": "cart.py:12", "node": "Store.sessions", "jvm": "Cart$Store.sessions"}


@pytest.fixture(params=RUNTIMES)
def runtime(request) -> str:
    return request.param


def dumps(runtime: str) -> list[Path]:
    return [DUMPS / name for name in RUNTIMES[runtime]]


def test_a_dump_opens_on_a_sentence_that_names_the_code(page: Page, served: Callable[..., str], runtime: str):
    page.goto(served(*dumps(runtime)))
    expect(page.get_by_text(CULPRIT[runtime]).first).to_be_visible()
    golden(page, f"suspects-{runtime}")
    assert faults(page) == []
    assert not overflows(page)
