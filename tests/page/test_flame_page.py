"""The flame graph in a browser: what each gesture shows, says and leaves in the address."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from dump_page import at, dumps, pane, selected, tab
from playwright.sync_api import Locator, Page, expect
from seen import overflows

_PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def flame(page: Page, served: Callable[..., str]) -> Page:
    """The flame graph of the newest dump of the Go program: main, handle, putSession below each other."""
    page.goto(f"{at(served(*dumps('go')), -1)}/flame")
    expect(canvas(page)).to_be_visible()
    return page


def canvas(page: Page) -> Locator:
    return page.get_by_role("application")


def told(page: Page) -> Locator:
    """What is said to those who do not see the picture."""
    return pane(page).locator("[aria-live=polite]")


def pressed(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def down_to(page: Page, name: str) -> None:
    """Walks down the heaviest way until a box of that name is said."""
    canvas(page).focus()
    for _ in range(12):
        said = told(page).text_content() or ""
        if name in said:
            return
        page.keyboard.press("ArrowDown")
        # It is said a frame after it is drawn.
        expect(told(page)).not_to_have_text(said)
    raise AssertionError(f"{name} is not on the heaviest way: {told(page).text_content()}")


def test_keys_walk_from_box_to_box_and_say_where_one_is(flame: Page):
    down_to(flame, "main.putSession")
    expect(told(flame)).to_contain_text(re.compile(r"main\.putSession, [\d.]+ MB, \d+ % of the total"))
    expect(selected(flame)).to_have_text("main.putSession")
    pressed(flame, "ArrowUp")
    expect(told(flame)).to_contain_text("main.handle")
    expect(selected(flame)).to_have_text("main.handle")
    pressed(flame, "Home")
    expect(told(flame)).to_contain_text("100 % of the total")


def test_a_zoom_is_in_the_address_and_escape_shows_all_again(flame: Page):
    address = flame.url
    down_to(flame, "main.putSession")
    pressed(flame, "Enter")
    expect(flame).to_have_url(re.compile(r"zoom=\w+"))
    zoomed = flame.url
    flame.reload()
    expect(canvas(flame)).to_be_visible()
    expect(flame).to_have_url(zoomed)
    canvas(flame).focus()
    pressed(flame, "Escape")
    expect(flame).not_to_have_url(re.compile("zoom="))
    pressed(flame, "Escape")
    expect(flame).to_have_url(address)


def test_a_click_zooms_into_the_box_under_the_pointer_and_selects_it(flame: Page):
    box = canvas(flame).bounding_box()
    assert box
    # The third row, away from the narrow ones at its right: what all allocations go through.
    flame.mouse.move(box["x"] + 80, box["y"] + 50)
    name = flame.locator(".flame-tip .name")
    expect(name).to_have_text(re.compile(r"^main\.\w+"))
    expect(flame.locator(".flame-tip")).to_contain_text(re.compile(r"MB, \d+ % of the total"))
    pointed = name.inner_text()
    flame.mouse.click(box["x"] + 80, box["y"] + 50)
    expect(flame).to_have_url(re.compile(r"zoom=\w+"))
    expect(selected(flame)).to_have_text(pointed)
    flame.mouse.move(5, 5)
    expect(flame.locator(".flame-tip")).to_be_hidden()
    flame.mouse.dblclick(box["x"] + 80, box["y"] + 8)
    expect(flame).not_to_have_url(re.compile("zoom="))


def test_a_search_says_how_much_of_all_it_found(flame: Page):
    search = flame.get_by_role("searchbox", name="Search the flame graph")
    search.fill("putSession")
    expect(pane(flame).get_by_text(re.compile(r"1 found, [\d.]+ MB \(\d+ %\)"))).to_be_visible()
    expect(flame).to_have_url(re.compile("find=putSession"))
    search.press("Enter")
    expect(told(flame)).to_contain_text("main.putSession")
    search.fill("(")
    expect(pane(flame).get_by_role("status")).to_contain_text(re.compile("regular expression|group|parenthes", re.I))


def test_a_search_that_might_never_end_is_refused_with_the_reason(flame: Page):
    search = flame.get_by_role("searchbox", name="Search the flame graph")
    search.fill(r"(\w+\.?)+!")
    said = pane(flame).get_by_role("status")
    expect(said).to_contain_text(re.compile("may take for ever.*use 4 repeats at most"))
    assert said.evaluate("status => status.scrollWidth <= status.clientWidth")
    search.fill("putSession")
    expect(said).to_contain_text("1 found")


def test_a_pivot_has_callers_above_and_callees_below(flame: Page):
    down_to(flame, "main.putSession")
    pressed(flame, "p")
    expect(flame).to_have_url(re.compile(r"pivot=main\.putSession"))
    canvas(flame).focus()
    pressed(flame, "Home", "ArrowUp")
    expect(told(flame)).to_contain_text("main.handle")
    pressed(flame, "Home", "ArrowDown")
    expect(told(flame)).not_to_contain_text("main.handle")
    flame.get_by_role("button", name="pivot main.putSession").click()
    expect(flame).not_to_have_url(re.compile("pivot="))


def test_inverted_it_begins_with_what_allocates(flame: Page):
    flame.get_by_role("button", name="Invert").click()
    expect(flame).to_have_url(re.compile("inverted=1"))
    canvas(flame).focus()
    pressed(flame, "Home", "ArrowDown")
    expect(told(flame)).to_contain_text("main.putSession")


def test_upwards_the_keys_go_with_the_picture(flame: Page):
    flame.get_by_role("button", name="Upwards").click()
    expect(flame).to_have_url(re.compile("up=1"))
    canvas(flame).focus()
    pressed(flame, "Home", "ArrowDown")
    expect(told(flame)).to_contain_text("100 % of the total")
    whole = told(flame).inner_text()
    pressed(flame, "ArrowUp")
    expect(told(flame)).not_to_have_text(whole)


def test_the_table_beside_it_selects_and_a_second_click_pivots(flame: Page):
    row = flame.locator(".sandwich").get_by_role("row").filter(has_text="main.putSession")
    row.click()
    expect(selected(flame)).to_have_text("main.putSession")
    expect(flame).to_have_url(re.compile(r"sel=frame%3Amain\.putSession"))
    row.dblclick()
    expect(flame).to_have_url(re.compile(r"pivot=main\.putSession"))
    flame.get_by_role("button", name="Table").first.click()
    expect(flame.locator(".sandwich")).to_have_count(0)


def test_a_table_says_what_the_picture_shows(flame: Page):
    flame.get_by_text("The widest boxes as a table").click()
    twin = flame.locator(".flame-rows")
    line = twin.get_by_role("row").filter(has=flame.get_by_role("button", name="main.putSession", exact=True))
    expect(line.first).to_contain_text(re.compile(r"main\.handle.*MB.*% of the total"))
    line.first.get_by_role("button").click()
    expect(flame).to_have_url(re.compile(r"zoom=\w+"))


def test_pictures_are_downloaded_as_they_are_drawn(flame: Page):
    for name, check in (("PNG", _is_png), ("SVG", _is_svg)):
        flame.get_by_role("button", name="Export").click()
        with flame.expect_download() as kept:
            flame.get_by_role("menuitem", name=name).click()
        check(Path(kept.value.path()).read_bytes())


def _is_png(data: bytes) -> None:
    assert data.startswith(_PNG)
    assert len(data) > 5_000


def _is_svg(data: bytes) -> None:
    root = ET.fromstring(data)
    assert root.tag.endswith("svg")
    assert "main.putSession" in "".join(root.itertext())


def test_on_a_phone_a_tap_zooms_and_nothing_sticks_out(browser, browser_context_args, served: Callable[..., str]):
    told = {**browser_context_args, "viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    context = browser.new_context(**told)
    page = context.new_page()
    page.goto(f"{at(served(*dumps('jvm')), -1)}/flame")
    box = canvas(page).bounding_box()
    assert box
    page.touchscreen.tap(box["x"] + 60, box["y"] + 30)
    expect(page).to_have_url(re.compile(r"zoom=\w+"))
    assert not overflows(page)
    tab(page, "Types").click()
    expect(pane(page)).to_contain_text("Cart$Session")
    assert not overflows(page)
    context.close()
