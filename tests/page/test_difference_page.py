"""A difference and growth over several dumps in a browser: what grew and what went, by sign as well as by colour."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from dump_page import at, dumps, pane, rows, selected, selection, tab
from playwright.sync_api import Page, expect

_FOLDED = {
    "before.folded": "main;serve;parse 40000\nmain;serve;legacy 30000\nmain;idle 1000\n",
    "after.folded": "main;serve;parse 10000\nmain;serve;keep 90000\nmain;idle 1000\n",
}


@pytest.fixture(scope="session")
def changed(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Stacks of which one came, one went and one shrank."""
    folder = tmp_path_factory.mktemp("changed")
    for name, text in _FOLDED.items():
        (folder / name).write_text(text)
    return [folder / name for name in _FOLDED]


@pytest.mark.parametrize("runtime", ["go", "jvm"])
def test_what_grew_is_said_first_with_its_sign(page: Page, served: Callable[..., str], runtime: str):
    page.goto(at(served(*dumps(runtime)), -2, -1))
    card = pane(page).get_by_role("article").first
    grown = card.locator(".figures").get_by_text(re.compile(r"^▲ \+[\d.]+ [kM]B$"))
    expect(grown).to_be_visible()
    expect(card).to_contain_text("of the growth")
    expect(card).to_contain_text("objects")


def test_on_a_phone_the_names_of_a_tree_can_be_read(page: Page, served: Callable[..., str]):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{at(served(*dumps('go')), -2, -1)}/tree")
    name = rows(page, "main.putSession").locator(".name")
    expect(name).to_be_visible()
    assert name.evaluate("name => name.scrollWidth <= name.clientWidth")


def test_signs_and_glyphs_tell_growth_without_colour(page: Page, served: Callable[..., str], changed: list[Path]):
    page.goto(f"{served(*changed)}/top")
    expect(rows(page, "keep")).to_contain_text("+90,000")
    expect(rows(page, "parse")).to_contain_text(re.compile("[-−]30,000"))
    rows(page, "keep").click()
    expect(selection(page)).to_contain_text("▲ +90,000")
    rows(page, "parse").click()
    expect(selected(page)).to_have_text("parse")
    expect(selection(page)).to_contain_text(re.compile("▼ [-−]30,000"))


def test_what_vanished_is_shown_on_demand(page: Page, served: Callable[..., str], changed: list[Path]):
    page.goto(f"{served(*changed)}/flame?widths=size")
    canvas = page.get_by_role("application")
    expect(canvas).to_be_visible()
    page.get_by_text("The widest boxes as a table").click()
    twin = page.locator(".flame-rows")
    expect(twin.get_by_role("button", name="keep")).to_be_visible()
    expect(twin.get_by_role("button", name="legacy")).to_have_count(0)
    page.get_by_role("button", name="vanished").click()
    expect(page).to_have_url(re.compile("gone=1"))
    expect(twin.get_by_role("button", name="legacy")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="vanished")).to_have_attribute("aria-pressed", "true")


def test_the_base_is_chosen_from_a_menu(page: Page, served: Callable[..., str]):
    address = served(*dumps("go"))
    base, _, ids = address.rpartition("/")
    first, second, third = ids.split("..")
    page.goto(f"{base}/{third}/top")
    for name, wanted in (
        ("previous: go.2", f"{second}..{third}"),
        ("go.1", f"{first}..{third}"),
        ("growth over all 3", f"{first}..{second}..{third}"),
        ("none", third),
    ):
        page.get_by_title("Base", exact=True).click()
        page.get_by_role("menuitemradio", name=re.compile(f"^{re.escape(name)}")).click()
        expect(page).to_have_url(f"{base}/{wanted}/top")
        expect(rows(page, "main.putSession").first).to_be_visible()


def test_growth_over_several_has_the_course_of_each(page: Page, served: Callable[..., str]):
    page.goto(served(*dumps("go")))
    card = pane(page).get_by_role("article").first
    expect(card).to_contain_text("over 3 dumps")
    expect(card.get_by_role("img", name=re.compile("Live in each dump"))).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text("3 dumps")
    tab(page, "Flame").click()
    expect(page.locator(".sandwich")).to_contain_text("main.putSession")
    expect(selection(page)).to_contain_text("over 3 dumps")


def test_a_difference_of_heaps_is_told_by_types_and_holders(page: Page, served: Callable[..., str]):
    page.goto(f"{at(served(*dumps('jvm')), -2, -1)}/types")
    expect(rows(page, "Cart$Session").first).to_contain_text("+1,000")
    rows(page, "Cart$Session").first.click()
    expect(selection(page)).to_contain_text("+1,000 objects")
    expect(selection(page)).to_contain_text("holders")
    tab(page, "Dominators").click()
    expect(pane(page).get_by_role("treegrid")).to_contain_text("Cart")


@pytest.fixture(scope="session")
def three(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Stacks of which one stays once it came, one comes and goes, and one comes last."""
    folder = tmp_path_factory.mktemp("three")
    texts = (
        "main;base 1000",
        "main;base 1000\nmain;kept 5000\nmain;passing 900",
        "main;base 1000\nmain;kept 7000\nmain;late 300",
    )
    for number, text in enumerate(texts):
        (folder / f"{number}.folded").write_text(text + "\n")
    return [folder / f"{number}.folded" for number in range(3)]


def test_of_three_dumps_only_what_survived_is_shown_on_demand(
    page: Page, served: Callable[..., str], three: list[Path]
):
    page.goto(f"{served(*three)}/top")
    expect(rows(page, "late")).to_be_visible()
    page.get_by_role("button", name="survivors").click()
    expect(page).to_have_url(re.compile("keep=1"))
    expect(rows(page, "kept")).to_contain_text("5,000")
    expect(rows(page, "late")).to_have_count(0)
    expect(rows(page, "passing")).to_have_count(0)
    expect(page.get_by_role("button", name="vanished")).to_have_count(0)


def test_two_dumps_offer_no_survivors(page: Page, served: Callable[..., str], changed: list[Path]):
    page.goto(f"{served(*changed)}/top")
    expect(rows(page, "keep")).to_be_visible()
    expect(page.get_by_role("button", name="survivors")).to_have_count(0)


def test_rows_of_what_vanished_wait_until_they_are_asked_for(
    page: Page, served: Callable[..., str], changed: list[Path]
):
    for where in ("top", "tree"):
        page.goto(f"{served(*changed)}/{where}")
        expect(rows(page, "keep")).to_be_visible()
        expect(rows(page, "legacy")).to_have_count(0)
        page.get_by_role("button", name="vanished").click()
        expect(rows(page, "legacy")).to_be_visible()


def test_callers_in_a_difference_have_what_changed_with_its_sign(
    page: Page, served: Callable[..., str], changed: list[Path]
):
    page.goto(f"{served(*changed)}/top?sel=frame%3Aserve")
    callees = selection(page).locator(".neighbours").filter(has_text="callees")
    expect(callees.locator("li", has_text="keep")).to_contain_text("+90,000")
    expect(callees.locator("li", has_text="parse")).to_contain_text(re.compile("[-−]30,000"))
