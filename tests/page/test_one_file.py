"""The report in one file: it opens from a disk and asks nobody, and says what it cannot do."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from dump_page import CULPRIT, DUMPS, RUNTIMES, pane, rows, selected, tab
from playwright.sync_api import BrowserContext, Page, expect
from seen import faults, overflows

from caulk import app
from caulk.reports import Question
from caulk.views import onefile

MAX_BYTES = 2 << 20


@pytest.fixture(scope="session", params=["go", "jvm"])
def runtime(request) -> str:
    return request.param


@pytest.fixture(scope="session")
def file(built: Path, tmp_path_factory: pytest.TempPathFactory, runtime: str) -> Path:
    """What `caulk analyze -o html` writes of the newest dump."""
    out = tmp_path_factory.mktemp("report") / f"{runtime}.html"
    question = Question(app.load([str(DUMPS / RUNTIMES[runtime][-1])]))
    out.write_text(app.one_file(question, page=onefile.built(built)))
    return out


@pytest.fixture
def asked(page: Page) -> Iterator[list[str]]:
    """Every address that the page asks for meanwhile."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    yield asked


def test_it_opens_from_a_disk_and_asks_nobody(page: Page, asked: list[str], file: Path, runtime: str):
    page.goto(file.as_uri())
    expect(pane(page).get_by_role("article").first).to_contain_text(CULPRIT[runtime])
    shown = page.get_by_role("tab", disabled=False).all_inner_texts()
    for name in shown:
        tab(page, name).click()
        expect(tab(page, name)).to_have_attribute("aria-selected", "true")
        expect(pane(page).get_by_text("Counting …")).to_have_count(0)
        expect(pane(page).get_by_role("alert")).to_have_count(0)
    assert len(shown) >= 7
    assert [url.partition("#")[0] for url in asked] == [file.as_uri()]
    assert file.stat().st_size <= MAX_BYTES


def test_what_is_chosen_in_it_is_in_its_address(page: Page, file: Path, runtime: str):
    page.goto(file.as_uri())
    tab(page, "Top").click()
    rows(page).nth(2).click()
    name = selected(page).inner_text()
    here = page.url
    assert "#/d/" in here
    page.goto("about:blank")
    page.goto(here)
    expect(tab(page, "Top")).to_have_attribute("aria-selected", "true")
    expect(selected(page)).to_have_text(name)
    page.get_by_role("link", name="caulk", exact=True).click()
    expect(tab(page, "Suspects")).to_have_attribute("aria-selected", "true")


def test_it_says_why_it_cannot_filter_compare_or_export(page: Page, file: Path, runtime: str):
    page.goto(file.as_uri())
    tab(page, "Top").click()
    box = page.get_by_role("textbox", name="Filter")
    expect(box).to_be_disabled()
    expect(box).to_have_attribute("placeholder", re.compile("caulk serve"))
    page.get_by_role("button", name="Export").click()
    expect(page.get_by_role("menuitem", name="pprof")).to_have_attribute("aria-disabled", "true")
    expect(page.get_by_role("menuitem", name="pprof")).to_contain_text("caulk convert")
    page.keyboard.press("Escape")
    page.get_by_title("Base", exact=True).click()
    expect(page.get_by_role("menuitemradio", name="none")).to_have_attribute("aria-checked", "true")


@pytest.mark.parametrize("size", [(1280, 720), (390, 844)])
def test_it_has_no_fault_of_access_and_fits_its_window(page: Page, file: Path, size: tuple[int, int]):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(file.as_uri())
    expect(pane(page).get_by_role("article").first).to_be_visible()
    assert faults(page) == []
    assert not overflows(page)


def test_without_script_it_says_so(browser, file: Path, runtime: str):
    context: BrowserContext = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    expect(page.locator("noscript p").first).to_contain_text(CULPRIT[runtime])
    expect(page.locator("noscript p").last).to_have_text("The rest needs JavaScript.")
    expect(page.locator("noscript p").last).to_be_visible()
    context.close()
