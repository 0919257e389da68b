"""The page in a browser, beside the viewers that people use: how long each makes them wait.

Run as `python bench/web/run.py [WORK]`; it writes `bench/web/results.md`. WORK keeps what is made (the heap takes a
minute) between runs. Needs the built page (`make page`), Chromium, Go and npm. Without a graphics card Chromium paints
by the processor, which is slow for those who draw with WebGL (speedscope).
"""

import gzip
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import browser
import peers
import samples
from playwright.sync_api import Browser, Page

from caulk.model.units import format_value

HERE = Path(__file__).resolve().parent
BUILT = HERE.parents[1] / "src/caulk/views/page"
CAULK: list[object] = [sys.executable, "-m", "caulk"]
RUNS = 9
#: The page says when it has drawn: to read the canvas would take longer than to draw it.
PAINTED = "performance.getEntriesByName('caulk-painted').length > 0"
SUSPECTS = "document.querySelector('main h2, main h3') && /MB|kB|GB/.test(document.querySelector('main').innerText)"
ROWS = "document.querySelectorAll('main table tbody tr').length > 15"
FIRST_PAINT = """performance.getEntriesByName('caulk-painted')[0].startTime
  - performance.getEntriesByName('caulk-stacks')[0].startTime"""


@dataclass(frozen=True, slots=True)
class Row:
    """A figure beside what is asked for."""

    what: str
    found: float
    unit: str = "ms"
    most: float | None = None

    def line(self) -> str:
        """As a row of the table."""
        shown = format_value(self.found, "bytes") if self.unit == "bytes" else f"{self.found:,.0f} ms"
        if self.most is None:
            return f"| {self.what} | {shown} | |"
        bar = format_value(self.most, "bytes") if self.unit == "bytes" else f"{self.most:,.0f} ms"
        return f"| {self.what} | {shown}{'' if self.found <= self.most else ' **missed**'} | {bar} |"


def main() -> None:
    """Measure, and write `bench/web/results.md`."""
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        os.environ["CAULK_HOME"] = str(work / "home")
        with browser.chromium() as chromium:
            ours = [*_flame(chromium, work), *_dump(chromium, work), *_fleet(chromium, work), *_weights(work)]
            beside = list(_peers(chromium, work))
    lines = [
        "# The page in a browser",
        "",
        f"Written by `python bench/web/run.py`: medians of {RUNS} runs in Chromium at 1280 × 720, which paints by the",
        "processor. Loading is from the start of the navigation to the first frame that shows what one waits for; a",
        "frame is the longest between two during the gesture and half a second after it: 17 ms is the least there is.",
        "",
        "| page | measured | at most |",
        "| --- | --- | --- |",
        *(row.line() for row in ours),
        "",
        "| the same file, to the flame graph | load | longest frame of a zoom |",
        "| --- | --- | --- |",
        *beside,
        "",
        "Peers are loaded once each. pprof and speedscope read the profile of 200,000 nodes that the table above has;",
        "memray's page is of a capture with 16,000 stacks, which caulk reads too.",
        "",
    ]
    (HERE / "results.md").write_text("\n".join(lines))


def _dump(chromium: Browser, work: Path) -> Iterator[Row]:
    heap = samples.heap(work, 2_300_000)
    with _serving([heap]) as url:
        # The first look analyses; what is asked for is the second.
        browser.opened(chromium, url, SUSPECTS).context.close()
        yield Row("dump page of a heap of 2.3 M nodes, analysed before", _median(chromium, url, SUSPECTS), most=1000)
        yield Row("  its types", _median(chromium, f"{url}/types", ROWS))
        yield Row("  its flame graph", _median(chromium, f"{url}/flame", PAINTED))
    with _serving([heap]) as url:
        # A server that is new: the analysis comes from its index on disk.
        page = browser.opened(chromium, url, SUSPECTS)
        yield Row("  the same by a server that was started anew", browser.loaded_ms(page))
        page.context.close()


def _flame(chromium: Browser, work: Path) -> Iterator[Row]:
    with _serving([samples.profile(work, 200_000)]) as url:
        browser.opened(chromium, f"{url}/flame", PAINTED).context.close()
        paints, zooms, searches, loads = [], [], [], []
        for _ in range(RUNS):
            page = browser.opened(chromium, f"{url}/flame", PAINTED)
            loads.append(browser.loaded_ms(page))
            paints.append(float(page.evaluate(FIRST_PAINT)))
            zooms.append(browser.longest_frame_ms(page, _zoom))
            searches.append(browser.longest_frame_ms(page, _search))
            page.context.close()
    yield Row("flame graph of 200,000 frames, whole page", browser.middle(loads))
    yield Row(
        "  first paint: from when the answer is there to the end of the drawing", browser.middle(paints), most=150
    )
    yield Row("  longest frame of a zoom", browser.middle(zooms), most=32)
    yield Row("  longest frame of a search, typed", browser.middle(searches), most=32)


def _fleet(chromium: Browser, work: Path) -> Iterator[Row]:
    home = Path(tempfile.mkdtemp(dir=work))
    port = peers.free_port()
    url = f"http://127.0.0.1:{port}"
    with peers.running([sys.executable, HERE / "fleet.py", home, 5000, port], f"{url}/api/session"):
        browser.opened(chromium, url, ROWS).context.close()
        yield Row("fleet of 5,000 targets", _median(chromium, url, ROWS), most=1000)
        page = browser.opened(chromium, url, ROWS)
        yield Row("  longest frame of scrolling", browser.longest_frame_ms(page, _scroll))
        page.context.close()


def _weights(work: Path) -> Iterator[Row]:
    page = sum(len(gzip.compress(path.read_bytes(), 9)) for path in BUILT.rglob("*") if path.is_file())
    yield Row("weight of the page, compressed", page, "bytes", 150 << 10)
    for name, path in {
        "2.3 M nodes": samples.heap(work, 2_300_000),
        "200,000 frames": samples.profile(work, 200_000),
    }.items():
        report = work / "report.html"
        peers.done([*CAULK, "analyze", "--exit-zero", path, "--out", report])
        yield Row(f"report in one file, of {name}", report.stat().st_size, "bytes", 2_000_000)


def _peers(chromium: Browser, work: Path) -> Iterator[str]:
    profile = samples.profile(work, 200_000)
    with _serving([profile]) as url:
        browser.opened(chromium, f"{url}/flame", PAINTED).context.close()
        yield _peer("caulk serve", chromium, f"{url}/flame", PAINTED)
    with peers.pprof(profile) as url:
        yield _peer("go tool pprof -http", chromium, url, "document.querySelectorAll('#stack-chart div').length > 20")
    with peers.speedscope(profile, work) as url:
        yield _peer(
            "speedscope", chromium, url, "document.title.startsWith('wide')", zoom=lambda p: p.mouse.dblclick(400, 300)
        )
    capture = samples.traces(work)
    report = work / "ours.html"
    peers.done([*CAULK, "analyze", "--exit-zero", capture, "--out", report])
    yield _one_file(chromium, report.as_uri())
    ready = "document.querySelectorAll('svg g, #chart rect').length > 20"
    yield _peer("memray's HTML", chromium, peers.memray_page(capture, work).as_uri(), ready)


def _one_file(chromium: Browser, url: str) -> str:
    """Our report in one file: it opens on its suspects, from which the flame graph is a key away."""
    page = browser.opened(chromium, url, SUSPECTS)
    load = browser.loaded_ms(page)
    page.get_by_role("tab", name="Flame").click()
    page.wait_for_function(PAINTED)
    longest = browser.longest_frame_ms(page, _zoom)
    page.context.close()
    return f"| caulk, one file, of memray's capture: its suspects | {load:,.0f} ms | {longest:,.0f} ms |"


def _peer(name: str, chromium: Browser, url: str, ready: str, zoom: Callable[[Page], object] | None = None) -> str:
    page = browser.opened(chromium, url, ready, timeout_s=300)
    load = browser.loaded_ms(page)
    longest = browser.longest_frame_ms(page, zoom or _zoom)
    page.context.close()
    return f"| {name} | {load:,.0f} ms | {longest:,.0f} ms |"


def _median(chromium: Browser, url: str, ready: str) -> float:
    found = []
    for _ in range(RUNS):
        page = browser.opened(chromium, url, ready)
        found.append(browser.loaded_ms(page))
        page.context.close()
    return browser.middle(found)


@contextmanager
def _serving(dumps: list[Path]) -> Iterator[str]:
    """The address of the page of these dumps, as `caulk serve` says it."""
    port = peers.free_port()
    base = f"http://127.0.0.1:{port}"
    with peers.running([*CAULK, "serve", "--http", f"127.0.0.1:{port}", "--no-open", *dumps], f"{base}/api/session"):
        yield base + peers.asked(f"{base}/api/session")["begins_at"]


def _zoom(page: Page) -> None:
    page.mouse.click(420, 330)


def _search(page: Page) -> None:
    page.get_by_role("searchbox").last.fill("json")


def _scroll(page: Page) -> None:
    page.mouse.move(400, 400)
    for _ in range(10):
        page.mouse.wheel(0, 900)
        page.wait_for_timeout(30)


if __name__ == "__main__":
    main()
