"""The page of dumps by the profilers of C++, Envoy, V8, the probe and others: real ones, alone and in a difference."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import native_dumps
import pytest
from dump_page import at, pane, rows, selected, selection, tab
from playwright.sync_api import Locator, Page, expect
from seen import SIZES, faults, overflows


@dataclass(frozen=True)
class Case:
    """The function that leaks, which calls it, and where its lines are; a pattern each, empty where nobody can say."""

    culprit: str
    caller: str
    source: str = ""
    raw: str = ""


ADDRESS = r"envoy\+0x[0-9a-f]+"
CASES = {
    "jemalloc": Case(r"shop::Store::put_session", r"shop::handle", r"cart\.cc:20"),
    "gperftools": Case(r"shop::Store::put_session", r"shop::handle", r"cart\.cc:20"),
    "folded": Case(r"shop::Store::put_session\(int\)", r"shop::handle\(shop::Store&, int\)"),
    "v8-sampling": Case("putSession", r"cart-sampled\.mjs:1", r"cart-sampled\.mjs:\d+"),
    "speedscope": Case("put_session", "serve", r"shop\.py:9"),
    "envoy": Case(ADDRESS, ADDRESS, raw="pprof"),
}


@pytest.fixture(scope="module", autouse=True)
def _own_names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Names of addresses are kept here, and not with those of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAULK_HOME", str(tmp_path_factory.mktemp("names")))
        yield


@pytest.fixture(scope="module")
def program(require: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return native_dumps.shop(require("g++"), tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def profiles(program: Path) -> list[Path]:
    """Dumps of gperftools."""
    return native_dumps.gperftools(program)


@pytest.fixture(scope="module")
def addresses(profiles: list[Path], program: Path, folder: Path) -> list[Path]:
    """Dumps of a program that is not here, so that its addresses have no names."""
    return native_dumps.elsewhere(profiles, program, folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dumps")


@pytest.fixture(scope="module", params=CASES)
def made(request, require: Callable[[str], str], folder: Path) -> tuple[str, list[Path]]:
    """A kind of dumps, and two of them."""
    ask = request.getfixturevalue
    makers: dict[str, Callable[[], list[Path]]] = {
        "gperftools": lambda: ask("profiles"),
        "jemalloc": lambda: native_dumps.jemalloc(ask("program")),
        "folded": lambda: native_dumps.folded(ask("program"), ask("profiles"), require),
        "v8-sampling": lambda: native_dumps.sampled(require("node"), folder),
        "speedscope": lambda: native_dumps.speedscope(folder),
        "envoy": lambda: native_dumps.envoy(folder),
    }
    return request.param, makers[request.param]()


@pytest.fixture
def shown(made: tuple[str, list[Path]], served: Callable[..., str]) -> tuple[Case, str]:
    """What is true of two dumps, and their address."""
    kind, dumps = made
    return CASES[kind], served(*dumps)


def card(page: Page) -> Locator:
    """The first finding."""
    return pane(page).get_by_role("article").first


def title(page: Page) -> Locator:
    """The sentence of the first finding."""
    return card(page).get_by_role("heading", level=3)


def blamed(page: Page, case: Case) -> str:
    """The name of the function that the first card says leaks."""
    expect(title(page)).to_contain_text(re.compile(case.culprit))
    found = re.search(case.culprit, title(page).text_content() or "")
    assert found
    return found[0]


def words(case: Case, name: str) -> dict[str, str | re.Pattern[str]]:
    """What must be read on each tab."""
    return dict.fromkeys(("flame", "tree", "top", "graph"), name) | {
        "source": re.compile(case.source or "names no line"),
        "raw": case.raw or "format",
    }


def test_a_dump_lands_on_the_code_that_leaks_and_each_tab_has_it(page: Page, shown: tuple[Case, str]):
    case, address = shown
    page.goto(at(address, -1))
    name = blamed(page, case)
    expect(selected(page)).to_have_text(name)
    assert faults(page) == []
    said = words(case, name)
    for one in page.get_by_role("tab").all()[1:]:
        where = (one.get_attribute("href") or "").rpartition("/")[2]
        if one.get_attribute("aria-disabled") == "true":
            assert re.search(r"\w.*\.$", one.get_attribute("aria-description") or "")
            continue
        one.click()
        expect(page).to_have_url(re.compile(rf"/{where}\b"))
        expect(pane(page)).to_contain_text(said.pop(where))
        assert not overflows(page), where
    assert not {key for key in said if key != "source"}
    page.set_viewport_size(dict(zip(("width", "height"), SIZES["phone"], strict=True)))
    tab(page, "Suspects").click()
    expect(card(page)).to_contain_text(name)
    assert not overflows(page)


def test_a_difference_says_what_grew_with_its_sign_and_its_callers(page: Page, shown: tuple[Case, str]):
    case, address = shown
    page.goto(address)
    name = blamed(page, case)
    expect(card(page).locator(".figures")).to_contain_text(re.compile(r"▲ \+[\d.,]+"))
    expect(card(page)).to_contain_text("of the growth")
    expect(card(page).locator(".chain-blamed")).to_contain_text(name)
    tab(page, "Flame").click()
    page.get_by_role("searchbox", name="Search the flame graph").fill(re.escape(name))
    expect(pane(page).get_by_text(re.compile(r"[1-9]\d* found, [\d.,]+"))).to_be_visible()
    assert faults(page) == []
    tab(page, "Top").click()
    rows(page, name).first.click()
    expect(selected(page)).to_have_text(name)
    callers = selection(page).locator(".neighbours").filter(has_text="callers")
    expect(callers.locator("li").first).to_contain_text(re.compile(rf"{case.caller}.*\+[\d.,]+", re.DOTALL))
    page.set_viewport_size(dict(zip(("width", "height"), SIZES["phone"], strict=True)))
    expect(rows(page, name).first).to_be_visible()
    assert not overflows(page)


def test_addresses_say_what_would_name_them(page: Page, served: Callable[..., str], addresses: list[Path]):
    page.goto(served(*addresses))
    expect(title(page)).to_contain_text(re.compile(r"shop\+0x[0-9a-f]+"))
    expect(page.get_by_role("region", name="Verdict")).to_contain_text("--binary PATH")
    expect(card(page)).to_contain_text("symbols are missing")
    tab(page, "Source").click()
    expect(pane(page)).to_contain_text("names no line of it")


def test_names_of_cpp_are_as_people_write_them(page: Page, served: Callable[..., str], addresses, program: Path):
    page.goto(f"{served(*addresses, binaries=(program,))}/top")
    expect(rows(page, "std::vector<std::string>").first).to_be_visible()
    text = pane(page).inner_text()
    assert not [noise for noise in ("__cxx11", "std::allocator<char>", "char_traits", "libtcmalloc") if noise in text]


def test_a_dump_of_the_probe_is_told_by_what_holds(page: Page, served: Callable[..., str], tmp_path: Path):
    page.goto(served(*native_dumps.probe(tmp_path)))
    expect(title(page)).to_contain_text("Store.sessions")
    expect(card(page).locator(".figures")).to_contain_text(re.compile(r"▲ \+[\d.,]+"))
    for name in ("Flame", "Tree", "Top", "Types", "Dominators", "Paths"):
        tab(page, name).click()
        expect(pane(page)).to_contain_text("Session")
        assert not overflows(page), name
