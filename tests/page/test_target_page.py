"""A workload in a browser: what is judged of it, its memory with what happened, its dumps, two times compared."""

import re
from collections.abc import Callable

import pytest
from page_fleet import API, LEDGER
from playwright.sync_api import Locator, Page, expect


def part(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def plot(memory: Locator, replica: str) -> Locator:
    """The picture of a replica's memory, which is known by its name and walked with keys."""
    return memory.get_by_role("application", name=re.compile(f"Memory of {replica}"))


@pytest.fixture
def api(page: Page, fleet) -> Page:
    page.goto(fleet.target(API))
    expect(part(page, "Verdict")).to_be_visible()
    return page


def test_the_verdict_says_how_fast_since_when_and_why(api: Page):
    verdict = part(api, "Verdict")
    expect(verdict).to_contain_text(re.compile(r"leaking.*rises by 60\.0 MB an hour", re.S))
    expect(verdict).to_contain_text("At its limit")
    expect(verdict).to_contain_text("Since")
    verdict.get_by_text("Why?").click()
    expect(verdict.get_by_role("listitem").first).to_be_visible()
    expect(api).to_have_title(re.compile("▲ api"))


def test_memory_is_drawn_with_its_limit_and_what_happened_and_as_a_table(api: Page):
    memory = part(api, "Memory over time")
    expect(plot(memory, "api-0")).to_be_visible()
    for one in ("Resident", "Held", "Floor", "Heap in use"):
        expect(memory.get_by_role("listitem").filter(has_text=one).first).to_contain_text("MB")
    expect(memory.get_by_role("link", name=re.compile("dump.*main.sessions", re.S)).first).to_be_visible()
    plot(memory, "api-0").press("End")
    expect(memory.get_by_role("status")).to_contain_text(re.compile(r"Held 870 MB.*Floor \d+ MB"))
    memory.get_by_role("button", name="Table", exact=True).click()
    table = memory.get_by_role("table", name=re.compile("as a table"))
    expect(table.get_by_role("row").filter(has_text="MB").first).to_be_visible()
    expect(memory.get_by_role("list", name="Events")).to_contain_text("dump")


def test_a_range_and_a_replica_are_chosen_in_the_address(api: Page, fleet):
    api.get_by_role("button", name="6 h").click()
    expect(api).to_have_url(f"{fleet.target(API)}?range=6h")
    api.get_by_role("combobox", name="Replica").select_option("api-1")
    expect(api).to_have_url(re.compile("replica=api-1"))
    expect(plot(part(api, "Memory over time"), "api-1")).to_be_visible()
    api.reload()
    expect(api.get_by_role("button", name="6 h")).to_have_attribute("aria-pressed", "true")
    expect(api.get_by_role("combobox", name="Replica")).to_have_value("api-1")


def test_two_ranges_dragged_over_the_chart_are_compared(api: Page):
    over = part(api, "Memory over time").locator(".u-over")
    box = over.bounding_box()
    assert box
    for begin, end, name in ((0.55, 0.7, "a="), (0.75, 0.95, "b=")):
        api.mouse.move(box["x"] + begin * box["width"], box["y"] + 60)
        api.mouse.down()
        api.mouse.move(box["x"] + end * box["width"], box["y"] + 80, steps=4)
        api.mouse.up()
        expect(api).to_have_url(re.compile(name))
    compared = part(api, "A and B compared")
    expect(compared.get_by_role("row").filter(has_text="Floor")).to_contain_text(re.compile(r"\+\d+ MB"))
    expect(compared.get_by_role("row").filter(has_text="Growth")).to_contain_text("MB/h")
    api.reload()
    expect(part(api, "A and B compared")).to_be_visible()


def test_a_finger_chooses_two_ranges_to_the_side_and_scrolls_up_and_down(browser, browser_context_args, fleet):
    told = {**browser_context_args, "viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    with browser.new_context(**told) as context:
        page = context.new_page()
        page.goto(fleet.target(API))
        over = part(page, "Memory over time").locator(".u-over")
        over.scroll_into_view_if_needed()
        for begin, end, name in ((0.55, 0.7, "a="), (0.95, 0.75, "b=")):
            swiped(page, over, (begin, 0.5), (end, 0.6))
            expect(page).to_have_url(re.compile(name))
        compared = part(page, "A and B compared")
        expect(compared.get_by_role("row").filter(has_text="Growth")).to_contain_text("MB/h")
        chosen, before = page.url, page.evaluate("scrollY")
        swiped(page, over, (0.5, 0.9), (0.55, 0.1))
        page.wait_for_function("before => scrollY > before + 50", arg=before)
        assert page.url == chosen


def swiped(page: Page, on: Locator, begin: tuple[float, float], end: tuple[float, float]) -> None:
    """A finger laid on a place, drawn to another and lifted; both in parts of its width and height."""
    box = on.bounding_box()
    assert box
    places = [
        {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}
        for part in range(11)
        for x, y in [(begin[0] + part / 10 * (end[0] - begin[0]), begin[1] + part / 10 * (end[1] - begin[1]))]
    ]
    finger = page.context.new_cdp_session(page)
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": places[:1]})
    for place in places[1:]:
        finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [place]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    finger.detach()


def test_two_dumps_show_a_difference_and_three_their_growth(api: Page, fleet):
    dumps = part(api, "Dumps")
    boxes = dumps.get_by_role("checkbox")
    expect(boxes).to_have_count(3)
    boxes.nth(0).check()
    boxes.nth(1).check()
    expect(dumps.get_by_role("link", name="Compare the two")).to_be_visible()
    boxes.nth(2).check()
    expect(dumps.get_by_role("link", name="Growth over 3")).to_be_visible()
    boxes.nth(2).uncheck()
    dumps.get_by_role("link", name="Compare the two").click()
    expect(api).to_have_url(f"{fleet.base}/d/{fleet.dumps[1]}..{fleet.dumps[2]}")
    expect(api.get_by_role("tabpanel")).to_contain_text("main.putSession")


def test_replicas_stand_beside_each_other_and_incidents_lead_on(api: Page, fleet):
    expect(part(api, "Replicas").get_by_role("img")).to_have_count(2)
    expect(part(api, "Events")).to_contain_text("deploy")
    for quoting in ("Dumps", "Incidents"):
        expect(part(api, quoting).get_by_role("code").first).to_have_text("main.sessions")
    part(api, "Incidents").get_by_role("link").first.click()
    expect(api).to_have_url(f"{fleet.base}/i/{fleet.incident}")


def test_a_steady_workload_is_said_to_be_so(page: Page, fleet):
    page.goto(fleet.target(LEDGER))
    expect(part(page, "Verdict")).to_contain_text(re.compile("✓.*steady", re.S))
    expect(part(page, "Dumps")).to_contain_text("None yet")


def test_a_workload_that_nobody_knows_gets_a_sentence(page: Page, fleet, refused: Callable[[int], None]):
    page.goto(fleet.target("k8s:no/body"))
    expect(page.get_by_role("alert")).to_contain_text(re.compile(r"\w+ \w+ \w+"))
    refused(404)
