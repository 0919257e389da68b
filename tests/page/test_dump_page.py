"""The page of a dump in a browser, on dumps of four runtimes: what it lands on, its tabs, its filter, its keys."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from dump_page import CULPRIT, RUNTIMES, at, dumps, filter_box, pane, rows, selected, selection, tab, write
from playwright.sync_api import Page, expect
from seen import faults, overflows

#: What must be read on each tab that the newest dump has; a tab that is not here it cannot have.
PROFILE = ("flame", "tree", "top", "graph")
TRUE = {
    "go": dict.fromkeys(PROFILE, "main.putSession") | {"source": "cart.go:22", "raw": "pprof"},
    "python": dict.fromkeys(PROFILE, "cart.py:12") | {"source": "cart.py:12", "raw": "tracemalloc"},
    "node": dict.fromkeys((*PROFILE, "types", "dominators", "paths"), "Session")
    | {"graph": "Map", "roots": "GC roots", "waste": "Map", "raw": "heapsnapshot"},
    "jvm": dict.fromkeys((*PROFILE, "types", "dominators", "paths"), "Cart$Session")
    | {"roots": "class", "waste": "HashMap", "threads": "main", "raw": "hprof"},
}


@pytest.fixture(params=RUNTIMES)
def runtime(request) -> str:
    return request.param


@pytest.fixture
def newest(served: Callable[..., str], runtime: str) -> str:
    """The address of the newest dump of a runtime, alone."""
    return at(served(*dumps(runtime)), -1)


@pytest.fixture
def go_newest(served: Callable[..., str]) -> str:
    """The address of the newest dump of the Go program."""
    return at(served(*dumps("go")), -1)


@pytest.fixture
def jvm_newest(served: Callable[..., str]) -> str:
    """The address of the newest dump of the Java program."""
    return at(served(*dumps("jvm")), -1)


def test_a_dump_opens_on_a_sentence_that_names_the_code(page: Page, served: Callable[..., str], runtime: str):
    page.goto(served(*dumps(runtime)))
    expect(tab(page, "Suspects")).to_have_attribute("aria-selected", "true")
    expect(pane(page).get_by_role("article").first).to_contain_text(CULPRIT[runtime])
    expect(selection(page)).to_contain_text("Heaviest finding")
    expect(page).to_have_title(re.compile(r"→ .* · caulk"))


def test_each_tab_shows_what_is_true_or_says_why_it_cannot(page: Page, newest: str, runtime: str):
    page.goto(newest)
    expect(pane(page)).to_contain_text(CULPRIT[runtime])
    shown = set()
    for one in page.get_by_role("tab").all():
        if one.get_attribute("aria-disabled") == "true":
            assert re.search(r"\w.*\.$", one.get_attribute("aria-description") or "")
            one.click(force=True)
        else:
            shown.add((one.get_attribute("href") or "").rpartition("/")[2])
    assert page.url == newest
    assert shown == {newest.rpartition("/")[2], *TRUE[runtime]}
    for name, words in TRUE[runtime].items():
        page.locator(f"[role=tab][href*='/{name}']").click()
        expect(page).to_have_url(re.compile(rf"/d/[^/]+/{name}"))
        expect(pane(page)).to_contain_text(words)
        assert not overflows(page), name
        assert faults(page) == [], name


def test_the_selection_follows_what_is_clicked(page: Page, newest: str, runtime: str):
    page.goto(f"{newest}/top")
    row = rows(page).nth(1)
    row.click()
    name = row.get_by_role("gridcell").first.inner_text()
    expect(selected(page)).to_have_text(name)
    expect(row).to_have_attribute("aria-selected", "true")
    neighbour = selection(page).locator(".neighbours a").first
    neighbour.click()
    expect(selected(page)).not_to_have_text(name)
    page.get_by_role("button", name="Clear the selection").click()
    expect(selection(page).get_by_role("heading", level=2)).to_have_text("Heaviest finding")
    expect(page).to_have_url(f"{newest}/top")


def test_the_filter_keeps_and_drops_functions_and_is_in_the_address(page: Page, go_newest: str):
    page.goto(f"{go_newest}/top")
    expect(rows(page, "fmt.Sprintf")).to_have_count(1)
    write(page, "Sprintf")
    expect(page).to_have_url(f"{go_newest}/top?q=Sprintf")
    expect(rows(page, "main.putSession")).to_have_count(1)
    expect(rows(page, "main.wait")).to_have_count(0)
    write(page, "-Sprintf hide=main.handle")
    expect(rows(page, "fmt.Sprintf")).to_have_count(0)
    expect(rows(page, "main.handle")).to_have_count(0)
    expect(rows(page, "main.putSession")).to_have_count(1)
    page.get_by_role("button", name="Take hide=main.handle out of the filter").click()
    expect(rows(page, "main.handle")).to_have_count(1)
    write(page, "retained:<1M")
    expect(page.get_by_text("only “at least” can be asked for")).to_be_visible()


def test_the_filter_keeps_types_by_name_size_and_group(page: Page, jvm_newest: str):
    page.goto(f"{jvm_newest}/types")
    write(page, "type:Session")
    expect(rows(page, "Cart$Session")).to_have_count(1)
    expect(rows(page, "java.lang.String")).to_have_count(0)
    write(page, "retained:>1M")
    expect(rows(page, "java.util.HashMap").first).to_be_visible()
    expect(rows(page, "java.util.Optional")).to_have_count(0)
    page.get_by_role("button", name="packages", exact=True).click()
    expect(page).to_have_url(re.compile("by%3Apackages"))
    expect(rows(page, "java.util").first).to_be_visible()
    expect(rows(page, "HashMap")).to_have_count(0)


def test_selection_buttons_write_into_the_filter(page: Page, go_newest: str):
    page.goto(f"{go_newest}/top?sel=frame:main.putSession")
    selection(page).get_by_role("button", name="ignore").click()
    expect(page.get_by_role("button", name="Take -^main\\.putSession$ out of the filter")).to_be_visible()
    expect(rows(page, "main.wait")).to_have_count(1)
    expect(rows(page, "main.putSession")).to_have_count(0)


def test_back_forward_and_reload_bring_everything_back(page: Page, go_newest: str):
    page.goto(go_newest)
    tab(page, "Top").click()
    rows(page, "main.putSession").click()
    write(page, "-Sprintf")
    tab(page, "Flame").click()
    page.get_by_role("button", name="Invert").click()
    there = page.url
    assert all(part in there for part in ("/flame?", "q=-Sprintf", "sel=frame%3Amain.putSession", "inverted=1"))
    page.reload()
    expect(tab(page, "Flame")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("button", name="Invert")).to_have_attribute("aria-pressed", "true")
    expect(filter_box(page)).to_have_value("-Sprintf")
    expect(selected(page)).to_have_text("main.putSession")
    page.go_back()
    expect(tab(page, "Top")).to_have_attribute("aria-selected", "true")
    expect(filter_box(page)).to_have_value("-Sprintf")
    expect(pane(page).get_by_role("row", selected=True)).to_contain_text("main.putSession")
    page.go_back()
    expect(page).to_have_url(go_newest)
    expect(filter_box(page)).to_have_value("")
    page.go_forward()
    page.go_forward()
    expect(page).to_have_url(there)


def test_the_measure_is_chosen_on_top_and_counts_everywhere(page: Page, go_newest: str):
    page.goto(f"{go_newest}/top?sel=frame:main.putSession")
    expect(selection(page)).to_contain_text("MB")
    page.get_by_title("Measure", exact=True).click()
    page.get_by_role("menuitemradio", name="inuse_objects").click()
    expect(page).to_have_url(re.compile("measure=inuse_objects"))
    expect(selection(page).locator(".amounts")).not_to_contain_text("MB")
    expect(rows(page, "main.putSession")).not_to_contain_text("MB")
    page.get_by_title("Measure", exact=True).click()
    page.get_by_role("menuitemradio", name="inuse_space").click()
    expect(page).not_to_have_url(re.compile("measure="))


def test_every_way_about_the_page_has_a_key(page: Page, served: Callable[..., str]):
    address = served(*dumps("go"))
    base, _, ids = address.rpartition("/")
    first, second, third = ids.split("..")
    page.goto(at(address, -1))
    expect(pane(page).get_by_role("article")).to_be_visible()
    page.keyboard.press("4")
    expect(page).to_have_url(f"{base}/{third}/top")
    page.keyboard.press("d")
    expect(page).to_have_url(f"{base}/{second}..{third}/top")
    expect(page.get_by_role("heading", level=1)).to_contain_text("→")
    page.keyboard.press("d")
    expect(page).to_have_url(f"{base}/{third}/top")
    for key, other in (("[", second), ("[", first), ("]", second)):
        page.keyboard.press(key)
        expect(page).to_have_url(f"{base}/{other}/top")
        expect(tab(page, "Top")).to_be_visible()
    page.keyboard.press("/")
    expect(filter_box(page)).to_be_focused()
    page.keyboard.type("wait")
    page.keyboard.press("Escape")
    expect(filter_box(page)).not_to_be_focused()
    expect(page).to_have_url(f"{base}/{second}/top?q=wait")
    page.keyboard.press("e")
    expect(page.get_by_role("menuitem", name="Report in one file")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu", name="Export")).to_be_hidden()
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys).to_contain_text("Difference with the previous dump")
    page.keyboard.press("2")
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    expect(page).to_have_url(f"{base}/{second}/top?q=wait")


def test_the_menu_of_exports_downloads_what_is_asked_for(page: Page, go_newest: str):
    page.goto(f"{go_newest}/top?q=-Sprintf")
    expect(pane(page)).to_contain_text("main.putSession")
    for name, begin in (("pprof", b"\x1f\x8b"), ("speedscope", b"{"), ("CSV", b"flat,")):
        page.get_by_role("button", name="Export").click()
        with page.expect_download() as kept:
            page.get_by_role("menuitem", name=name).click()
        data = Path(kept.value.path()).read_bytes()
        assert data.startswith(begin), (name, data[:40])
    assert b"main.putSession" in data
    assert b"Sprintf" not in data


def test_a_graph_fills_its_room_also_when_that_changes_until_it_is_moved(page: Page, go_newest: str):
    page.goto(f"{go_newest}/graph")
    drawing = pane(page).get_by_role("group", name=re.compile("^Graph of"))
    first = drawing.get_by_role("button", name=re.compile("runtime.main"))
    expect(first).to_be_visible()

    def letters() -> float:
        return float(first.evaluate("node => node.getBoundingClientRect().height"))

    def share() -> float:
        """Of the room's width or height, whichever is filled more."""
        return float(drawing.evaluate(_FILLED))

    assert share() > 0.9
    desk = letters()
    page.set_viewport_size({"width": 1900, "height": 1100})
    page.wait_for_function(
        "([node, was]) => node.getBoundingClientRect().height > was", arg=[first.element_handle(), desk]
    )
    assert share() > 0.9
    pane(page).get_by_role("button", name="Zoom out").click()
    moved = letters()
    page.set_viewport_size({"width": 1280, "height": 720})
    expect(drawing).to_be_visible()
    assert letters() == moved


_HIGHER = "([node, was]) => node.getBoundingClientRect().height > was"
_FILLED = """drawing => {
  const room = drawing.getBoundingClientRect()
  const nodes = [...drawing.querySelectorAll('.graph-node')].map((node) => node.getBoundingClientRect())
  const reach = (low, high) => Math.max(...nodes.map((box) => box[high])) - Math.min(...nodes.map((box) => box[low]))
  return Math.max(reach('left', 'right') / room.width, reach('top', 'bottom') / room.height)
}"""


def test_a_goroutine_profile_names_where_they_wait(page: Page, served: Callable[..., str], tmp_path: Path, go_dumps):
    page.goto(served(go_dumps / "go.goroutine.pb.gz"))
    expect(pane(page).get_by_role("article").first).to_contain_text("main.wait")
    tab(page, "Threads").click()
    expect(pane(page)).to_contain_text("main.wait")
    expect(pane(page)).to_contain_text(re.compile(r"60\s+goroutines"))


def test_a_capture_of_memray_opens_on_the_code_that_allocates(
    page: Page, served: Callable[..., str], memray_capture: Path
):
    page.goto(served(memray_capture))
    expect(pane(page).get_by_role("article").first).to_contain_text("put_session")
    tab(page, "Flame").click()
    expect(page.locator(".sandwich")).to_contain_text("put_session")
