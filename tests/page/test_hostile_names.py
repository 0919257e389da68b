"""Names in a dump are never more than text: in no tab, tip, export or report does any of them run or break a thing."""

import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import hostile
import pytest
from dump_page import pane, rows, selected, selection
from playwright.sync_api import Page, expect
from seen import overflows

_MADE = {"heap": (hostile.heap, "hostile.heapsnapshot"), "profile": (hostile.profile, "hostile.pb.gz")}
#: As they are seen: what cannot be read stands as a mark.
SEEN = (*hostile.NAMES[:5], "__proto__", "constructor")


@pytest.fixture(scope="session", params=_MADE)
def dump(request, tmp_path_factory: pytest.TempPathFactory) -> Path:
    make, name = _MADE[request.param]
    return make(tmp_path_factory.mktemp("hostile") / name)


def harmless(page: Page) -> None:
    """Nothing ran, nothing became an element, nothing sticks out."""
    assert page.evaluate("window.hacked") is None
    assert (
        page.evaluate("document.querySelectorAll('img, iframe, object, embed, base, svg[onload], [onerror]').length")
        == 0
    )
    assert page.evaluate("[...document.scripts].filter((one) => !one.src && one.id !== 'island').length") <= 1
    assert page.evaluate("[...document.links].every((one) => /^(https?|file):$/.test(one.protocol))")
    assert not overflows(page)


def tabs(page: Page) -> list[str]:
    """The names of the tabs that can be had."""
    found = page.get_by_role("tab").evaluate_all("(all) => all.map((one) => one.getAttribute('href'))")
    return [one.rpartition("/")[2].partition("?")[0] for one in found if one][1:]


def test_no_tab_takes_a_name_for_more_than_a_name(page: Page, served: Callable[..., str], dump: Path):
    address = served(dump)
    page.goto(address)
    expect(pane(page).get_by_role("article").first).to_be_visible()
    harmless(page)
    for name in tabs(page):
        page.locator(f"[role=tab][href*='/{name}']").click()
        expect(pane(page).locator(".answered").first).to_be_visible()
        harmless(page)
    page.goto(f"{address}/top")
    for name in SEEN:
        expect(rows(page, name).first).to_be_visible()


def test_each_name_can_be_selected_and_searched_for(page: Page, served: Callable[..., str], dump: Path):
    page.goto(f"{served(dump)}/top")
    for name in (*SEEN, "gnihtyna"):
        rows(page, name).first.click()
        expect(selected(page)).to_contain_text(name)
        expect(selection(page).locator(".amounts")).to_be_visible()
        harmless(page)
    rows(page, SEEN[0]).first.click()
    selection(page).get_by_role("button", name="focus").click()
    expect(page.locator(".chip-label")).to_contain_text("script")
    expect(rows(page, SEEN[0]).first).to_be_visible()
    harmless(page)


def test_the_tip_and_the_picture_have_text_alone(page: Page, served: Callable[..., str], dump: Path):
    page.goto(f"{served(dump)}/flame")
    box = page.get_by_role("application").bounding_box()
    assert box
    for row in range(1, 12):
        page.mouse.move(box["x"] + 30, box["y"] + row * 20 + 8)
        harmless(page)
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as kept:
        page.get_by_role("menuitem", name="SVG").click()
    root = ET.fromstring(Path(kept.value.path()).read_bytes())
    assert SEEN[0] in "".join(root.itertext())
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert not tags & {"script", "img", "foreignObject", "image"}
    assert not [name for element in root.iter() for name in element.attrib if name.startswith("on")]


def test_the_plain_form_has_text_alone(page: Page, served: Callable[..., str], dump: Path):
    address = served(dump)
    page.goto(f"{address}?plain=1")
    expect(page.locator("body")).to_contain_text(SEEN[0])
    harmless(page)
    page.goto(f"{address}/top?plain=1")
    for name in SEEN:
        expect(page.locator("body")).to_contain_text(name)
    harmless(page)


def test_a_report_in_one_file_has_text_alone(page: Page, served: Callable[..., str], dump: Path, tmp_path: Path):
    answer = page.request.get(f"{served(dump)}/report.html")
    file = tmp_path / "report.html"
    file.write_bytes(answer.body())
    page.goto(file.as_uri())
    expect(pane(page).get_by_role("article").first).to_be_visible()
    harmless(page)
    page.get_by_role("tab", name="Top").click()
    for name in SEEN:
        expect(rows(page, name).first).to_be_visible()
    harmless(page)
