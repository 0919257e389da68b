"""Parts of the page of a dump, and the dumps that are kept to be shown on it."""

from pathlib import Path

from playwright.sync_api import Locator, Page

DUMPS = Path(__file__).resolve().parent / "dumps"
RUNTIMES = {
    "go": ["go.1.pb.gz", "go.2.pb.gz", "go.3.pb.gz"],
    "python": ["python.1.tracemalloc.gz", "python.2.tracemalloc.gz", "python.3.tracemalloc.gz"],
    "node": ["node.1.heapsnapshot.zst", "node.2.heapsnapshot.zst"],
    "jvm": ["jvm.1.hprof.zst", "jvm.2.hprof.zst"],
}
CULPRIT = {"go": "main.putSession", "python": "cart.py:12", "node": "Store.sessions", "jvm": "Cart$Store.sessions"}


def dumps(runtime: str) -> list[Path]:
    """The dumps that a program of this runtime wrote, the oldest first."""
    return [DUMPS / name for name in RUNTIMES[runtime]]


def at(address: str, *which: int) -> str:
    """The address of some of the dumps of an address: the first is 0, the last is -1."""
    base, _, ids = address.rpartition("/")
    return f"{base}/{'..'.join(ids.split('..')[one] for one in which)}"


def tab(page: Page, name: str) -> Locator:
    return page.get_by_role("tab", name=name, exact=True)


def pane(page: Page) -> Locator:
    return page.get_by_role("tabpanel")


def rows(page: Page, text: str | None = None) -> Locator:
    """Rows of the table that is shown, or those with a text in them."""
    return pane(page).get_by_role("row").filter(has_text=text)


def selection(page: Page) -> Locator:
    return page.get_by_role("complementary", name="Selection")


def selected(page: Page) -> Locator:
    """The name of what is selected."""
    return selection(page).get_by_role("heading", level=3)


def filter_box(page: Page) -> Locator:
    return page.get_by_role("searchbox", name="Filter (/)")


def write(page: Page, text: str) -> None:
    """Writes a filter, and says that it is done."""
    filter_box(page).fill(text)
    filter_box(page).press("Enter")
