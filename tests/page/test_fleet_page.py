"""The fleet in a browser: what leaks and how long there is, kept up to date, and a capture taken from it."""

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from page_fleet import API, LEDGER, Watched
from page_server import serving
from playwright.sync_api import Locator, Page, expect

from caulk.config import Config
from caulk.config.schema import Serve
from caulk.config.values import Secret
from caulk.model.target import Target

Refused = Callable[[int], None]
_PROGRAM = """
class Session {}
globalThis.kept = Array.from({ length: 5000 }, () => new Session())
console.log('ready')
setInterval(() => {}, 1e6)
"""
_CAPTURE = """(key) => fetch(`/api/t/${encodeURIComponent(key)}/captures`, {
  method: 'POST', headers: { 'X-Caulk': '1', 'Content-Type': 'application/json' }, body: '{}',
}).then((answer) => answer.status)"""
READ, ALL = "r" * 16, "a" * 16
PROGRAM = "local:shop"


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


def names(page: Page) -> list[str]:
    """Workloads from above to below."""
    return page.locator(".fleet-row td.fleet-name a").all_inner_texts()


@pytest.fixture
def shop(page: Page, fleet) -> Page:
    """The fleet's page, with its workloads on it."""
    page.goto(fleet.base)
    expect(row(page, "api")).to_be_visible()
    return page


def test_a_row_has_state_reason_growth_and_time_to_limit(shop: Page):
    api = row(shop, "api")
    expect(api).to_contain_text(re.compile(r"▲.*leaking", re.S))
    expect(api).to_contain_text(re.compile(r"\+[56]\d\.\d MB/h"))
    expect(api).to_contain_text(re.compile(r"\d+ min|\d h|\d+ h"))
    expect(api).to_contain_text("2 replicas")
    expect(api).to_contain_text("main.sessions")
    assert "60.0 MB an hour" in (api.locator(".fleet-state [title]").first.get_attribute("title") or "")
    expect(api.get_by_role("img", name=re.compile("Memory over 24 hours"))).to_be_visible()
    expect(row(shop, "web")).to_contain_text("✓")
    api.hover()
    expect(shop.locator(".fleet-said")).to_contain_text("60.0 MB an hour")
    expect(shop).to_have_title(re.compile("1 leaking"))


def test_what_meets_its_limit_first_stands_first_and_other_orders_are_in_the_address(shop: Page, fleet):
    assert names(shop)[0] == "api"
    shop.get_by_role("columnheader", name="Workload").get_by_role("button").click()
    expect(shop).to_have_url(f"{fleet.base}/?sort=name")
    assert names(shop) == ["api", "ledger", "web"]
    shop.get_by_role("columnheader", name="Memory").get_by_role("button").click()
    shop.reload()
    expect(row(shop, "api")).to_be_visible()
    assert names(shop)[0] == "api"
    assert "sort=memory" in shop.url


def test_filters_and_groups_are_in_the_address(shop: Page, fleet):
    shop.get_by_role("button", name=re.compile("steady")).click()
    expect(row(shop, "api")).to_have_count(0)
    expect(shop).to_have_url(f"{fleet.base}/?state=steady")
    shop.get_by_role("combobox", name="runtime").select_option("jvm")
    expect(row(shop, "web")).to_have_count(0)
    expect(row(shop, "ledger")).to_be_visible()
    shop.goto(fleet.base)
    shop.get_by_role("combobox", name="Group by").select_option("namespace")
    expect(shop.get_by_role("button", name="bank")).to_be_visible()
    shop.get_by_role("button", name="bank").click()
    expect(row(shop, "ledger")).to_have_count(0)
    shop.goto(fleet.base)
    expect(row(shop, "api")).to_be_visible()
    shop.keyboard.press("/")
    shop.keyboard.type("-api")
    expect(row(shop, "api")).to_have_count(0)
    expect(shop.get_by_role("status").filter(has_text="2 of 3")).to_be_visible()
    shop.get_by_role("searchbox").fill("nobody")
    shop.get_by_role("button", name="Show all").click()
    expect(row(shop, "api")).to_be_visible()


def test_a_row_unfolds_to_its_replicas_and_all_by_keyboard(shop: Page, fleet):
    shop.keyboard.press("j")
    expect(row(shop, "api")).to_have_attribute("aria-selected", "true")
    shop.keyboard.press("x")
    expect(shop.get_by_role("img", name=re.compile(r"^api-0: \d+ MB"))).to_be_visible()
    expect(shop.get_by_role("img", name=re.compile(r"^api-1: \d+ MB"))).to_be_visible()
    shop.keyboard.press("x")
    expect(shop.get_by_role("img", name=re.compile(r"^api-0: \d+ MB"))).to_have_count(0)
    shop.keyboard.press("Enter")
    expect(shop).to_have_url(fleet.target(API))


def test_the_palette_finds_and_opens_by_keyboard_alone(shop: Page, fleet):
    shop.keyboard.press("Control+k")
    shop.keyboard.type("ledger")
    found = shop.get_by_role("listbox", name="Found").get_by_role("option")
    expect(found.first).to_contain_text("ledger")
    shop.keyboard.press("Enter")
    expect(shop).to_have_url(fleet.target(LEDGER))
    shop.keyboard.press("Control+k")
    shop.keyboard.type("rules")
    expect(found.first).to_contain_text("Rules")
    shop.keyboard.press("Escape")
    expect(shop.get_by_role("dialog", name="Find")).to_have_count(0)
    shop.keyboard.press("g")
    shop.keyboard.press("r")
    expect(shop).to_have_url(f"{fleet.base}/rules")


def test_beside_the_rows_stands_what_fires_and_what_dumps_take(shop: Page, fleet):
    rail = shop.get_by_role("complementary", name="What goes on")
    expect(rail).to_contain_text("3 dumps")
    rail.get_by_role("link", name="api").click()
    expect(shop).to_have_url(f"{fleet.base}/i/{fleet.incident}")


def test_without_workloads_the_page_gives_commands_to_copy(page: Page, served):
    page.goto(f"{served()}/".replace("/d//", "/"))
    expect(page.get_by_role("heading", name="Nothing is watched")).to_be_visible()
    for command in ("caulk serve pid:1234", "caulk serve compose:checkout", "caulk serve k8s:shop"):
        expect(page.get_by_text(command)).to_be_visible()
    assert page.get_by_role("button", name=re.compile("Copy")).count() >= 3


@pytest.fixture(scope="module")
def program(node: str) -> Iterator[Target]:
    """A Node.js program that holds sessions, and that nobody prepared for captures."""
    with subprocess.Popen([node, "-e", _PROGRAM], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield Target("local", f"pid:{process.pid}", "node")
        process.kill()


@pytest.fixture
def live(built: Path, tmp_path: Path, program: Target) -> Iterator[tuple[Watched, str]]:
    """A fleet of one real program, which asks who one is; and its address."""
    serve = Serve(token=Secret(ALL), read_token=Secret(READ))
    watched = Watched(tmp_path, Config(serve=serve), page=built)
    watched.see(PROGRAM, 60, runtime="node", target=program)
    with serving(watched.site) as base:
        yield watched, base
    watched.close()


def sign_in(page: Page, base: str, token: str, refused: Refused) -> None:
    page.goto(base)
    page.get_by_label("Token").fill(token)
    page.get_by_role("button").click()
    expect(page.get_by_role("grid", name="Workloads")).to_be_visible()
    # The browser says itself that who is not signed in may see nothing.
    refused(401)


def test_a_capture_says_what_it_costs_and_leads_to_its_dump(page: Page, live, refused: Refused):
    _, base = live
    sign_in(page, base, ALL, refused)
    page.get_by_role("button", name=re.compile("^Capture ")).click()
    dialog = page.get_by_role("dialog", name=re.compile("^Capture "))
    ways = dialog.get_by_role("radiogroup", name="What to take")
    expect(ways).to_contain_text("ready")
    expect(ways).to_contain_text(re.compile("stops it for about|costs next to nothing|takes up to"))
    dialog.get_by_role("button", name=re.compile("^Take")).click()
    dialog.get_by_role("link", name="Open the dump").click(timeout=60_000)
    expect(page).to_have_url(re.compile(r"/d/[\w.-]+$"))
    expect(page.get_by_role("tabpanel")).to_contain_text("Session")
    page.goto(f"{base}/captures")
    expect(page.get_by_role("table").get_by_role("link").first).to_be_visible()


def test_who_only_reads_is_told_so_and_can_capture_nothing(page: Page, live, refused: Refused):
    _, base = live
    sign_in(page, base, READ, refused)
    expect(page.get_by_text("reads only").first).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Capture"))).to_have_count(0)
    assert page.evaluate(_CAPTURE, PROGRAM) == 403
    refused(403)


def test_a_reading_shows_without_being_asked_for(page: Page, live, program: Target, refused: Refused):
    watched, base = live
    sign_in(page, base, ALL, refused)
    expect(page.get_by_text("live", exact=True)).to_be_visible()
    expect(page.get_by_role("grid")).to_contain_text("60.0 MB")
    watched.now += 30
    watched.see(PROGRAM, 140, runtime="node", target=program)
    expect(page.get_by_role("grid")).to_contain_text("140 MB")
