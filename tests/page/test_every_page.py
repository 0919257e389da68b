"""What holds for every page: nothing sticks out, no fault of access in either theme, and a form without script."""

import re
from contextlib import suppress

import pytest
from page_fleet import API
from playwright.sync_api import Error, Page, expect
from seen import faults, overflows

#: The address of each page, and what must be seen before it is there.
PAGES = {
    "fleet": ("/", "api"),
    "target": (f"/t/{API.replace('/', '%2F')}", "Verdict|rises by"),
    "dump": ("/d/{newest}", "main.putSession"),
    "flame": ("/d/{newest}/flame?find=Session", "main.putSession"),
    "difference": ("/d/{both}/top", "main.putSession"),
    "incidents": ("/incidents", "main.sessions"),
    "incident": ("/i/{incident}", "none is ever deleted"),
    "dumps": ("/captures", "pprof"),
    "jobs": ("/jobs", "Jobs"),
    "rules": ("/rules", "At most"),
}
#: A desk, a phone, and a desk at 200 %.
SIZES = ((1280, 720), (390, 844), (640, 360))


@pytest.fixture(params=PAGES)
def at(request, fleet) -> tuple[str, re.Pattern[str]]:
    """The address of a page, and what is on it."""
    path, words = PAGES[request.param]
    told = {"newest": fleet.dumps[-1], "both": "..".join(fleet.dumps[-2:]), "incident": fleet.incident}
    return fleet.base + path.format(**told), re.compile(words)


def test_it_fits_its_window_and_has_no_fault_of_access(page: Page, at: tuple[str, re.Pattern[str]]):
    address, words = at
    page.goto(address)
    expect(page.get_by_role("main")).to_contain_text(words)
    found: list[str] = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for width, height in SIZES[: 3 if scheme == "light" else 1]:
            page.set_viewport_size({"width": width, "height": height})
            here = f"{scheme} {width} × {height}: "
            found += [] if fits(page) else [f"{here}wider than its window"]
            found += [here + fault for fault in faults(page)] if height > 400 else []
    assert found == []


def fits(page: Page) -> bool:
    """Whether nothing sticks out, once the page has settled in its window."""
    with suppress(Error):
        page.wait_for_function("document.documentElement.scrollWidth <= innerWidth", timeout=5_000)
    return not overflows(page)


def test_it_has_a_plain_form_without_script(browser, browser_context_args, at: tuple[str, re.Pattern[str]]):
    address, _ = at
    context = browser.new_context(**browser_context_args, java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    page.get_by_role("link", name="The same as plain tables and pictures").click()
    expect(page).to_have_url(re.compile(r"[?&]plain=1"))
    expect(page.get_by_role("heading").first).to_be_visible()
    assert page.locator("script").count() == 0
    page.get_by_role("link", name="The full page").click()
    expect(page).to_have_url(address.partition("?")[0])
    expect(page.get_by_role("link", name="The same as plain tables and pictures")).to_be_visible()
    context.close()


def test_the_theme_is_turned_by_a_key_and_stays(page: Page, fleet):
    page.goto(f"{fleet.base}/rules")
    root = page.locator("html")
    expect(page.get_by_role("main")).to_contain_text("At most")
    page.keyboard.press("t")
    expect(root).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(root).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="Switch between light and dark").click()
    expect(root).to_have_attribute("data-theme", "light")


def test_the_keyboard_reaches_the_content_at_once(page: Page, fleet):
    page.goto(f"{fleet.base}/captures")
    expect(page.get_by_role("main")).to_contain_text("pprof")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
