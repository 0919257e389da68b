"""Pictures of the pages, compared with those that are kept: the same dumps, the same fleet, the same moment."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from dump_page import RUNTIMES, at, dumps, pane
from page_fleet import API, Fleet, filled
from playwright.sync_api import Page, expect
from seen import SIZES, golden

NOW = datetime(2026, 11, 21, 16, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def then(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """The fleet as it was at that moment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", NOW.timestamp)
        with filled(built, tmp_path_factory.mktemp("then"), NOW.timestamp()) as fleet:
            yield fleet


@pytest.fixture
def still(page: Page) -> Page:
    """A page for which it is that moment, for ever."""
    page.clock.set_fixed_time(NOW)
    return page


def dressed(page: Page, scheme: str = "light", size: str = "desk") -> None:
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=scheme)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_suspects(still: Page, served: Callable[..., str], runtime: str):
    still.goto(served(*dumps(runtime)))
    expect(pane(still).get_by_role("article").first).to_be_visible()
    expect(still.locator(".amounts")).to_be_visible()
    golden(still, f"suspects-{runtime}")
    if runtime == "jvm":
        dressed(still, size="phone")
        golden(still, "suspects-jvm-phone")
        dressed(still, "dark")
        golden(still, "suspects-jvm-dark")


#: The runtime, what is asked, and what is there when it is answered.
TABS = {
    "flame-go": ("go", "flame?sel=frame:main.putSession&find=Sprintf", ".amounts"),
    "flame-node": ("node", "flame", ".sandwich tbody tr"),
    "tree-python": ("python", "tree", "[role=treegrid] tbody tr"),
    "top-go": ("go", "top?q=-Sprintf", ".pane tbody tr"),
    "types-jvm": ("jvm", "types", ".pane tbody tr"),
    "dominators-jvm": ("jvm", "dominators?sel=type:Cart$Session", ".treemap-box"),
    "paths-jvm": ("jvm", "paths?sel=type:Cart$Session", "[role=treegrid] tbody tr"),
    "graph-go": ("go", "graph", ".graph-node"),
}


@pytest.mark.parametrize("name", TABS)
def test_a_tab(still: Page, served: Callable[..., str], name: str):
    runtime, tab, wait = TABS[name]
    still.goto(f"{at(served(*dumps(runtime)), -1)}/{tab}")
    expect(still.locator(wait).first).to_be_visible()
    expect(still.locator(".amounts")).to_be_visible()
    golden(still, name)


def test_a_difference(still: Page, served: Callable[..., str]):
    still.goto(f"{at(served(*dumps('node')), -2, -1)}/flame")
    expect(still.locator(".sandwich tbody tr").first).to_be_visible()
    expect(still.locator(".amounts")).to_be_visible()
    golden(still, "difference-node")
    dressed(still, "dark")
    golden(still, "difference-node-dark")


def test_the_fleet(still: Page, then: Fleet):
    still.goto(then.base)
    expect(still.locator(".sparkline-line").nth(2)).to_be_visible()
    disk = [still.locator(".rail section").last]
    golden(still, "fleet", mask=disk)
    dressed(still, "dark")
    golden(still, "fleet-dark", mask=disk)
    dressed(still, size="phone")
    golden(still, "fleet-phone", mask=disk)


def test_a_workload(still: Page, then: Fleet):
    still.goto(then.target(API))
    expect(still.locator(".u-over")).to_have_count(2)
    expect(still.get_by_role("region", name="Replicas").get_by_role("img").first).to_be_visible()
    golden(still, "target")
    dressed(still, size="phone")
    golden(still, "target-phone")


def test_an_incident(still: Page, then: Fleet):
    still.goto(f"{then.base}/i/{then.incident}")
    expect(still.locator(".u-over")).to_have_count(1)
    golden(still, "incident", mask=[still.locator(".incident-dumps")])


@pytest.mark.parametrize(("name", "wait"), [("incidents", "tbody tr"), ("captures", "tbody tr"), ("rules", ".rule")])
def test_a_list(still: Page, then: Fleet, name: str, wait: str):
    still.goto(f"{then.base}/{name}")
    expect(still.locator(wait).first).to_be_visible()
    golden(still, name, mask=[still.locator(".captures-disk")])


def test_the_plain_form(still: Page, served: Callable[..., str]):
    still.goto(f"{at(served(*dumps('go')), -1)}?plain=1")
    golden(still, "plain-go")
