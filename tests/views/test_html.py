"""The one-file page: what it says, what it never fetches, and what a hostile dump cannot do to it."""

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from html.parser import HTMLParser

import pytest

from caulk.formats.builder import ProfileBuilder
from caulk.model.measure import Measure
from caulk.model.records import Analysis, Finding, Input, StackFrame, Total, Verdict
from caulk.model.series import Reading, Series
from caulk.model.table import Heading, Stacks, Table
from caulk.views import charts
from caulk.views.html import MAX_BYTES, Section, page, report

MB = 1 << 20

HOSTILE = (
    "</script><script>document.title='owned'</script>",
    "<img src=x onerror=document.title='owned'>",
    "\" onmouseover='document.title=1' x=\"",
    "nul\0 and \x1b[31m",
    "\u202eexe.gpj\u202c \u2066 \u200b \u2028",
    "lone \ud800 surrogate",
    "]]> --> <!-- &lt;",
    "x" * 10_000,
)


class Document(HTMLParser):
    """What a browser would make of a page: its elements with their attributes, its data blocks and its visible text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.blocks: dict[str, list[str]] = {"script": [], "style": []}
        self.said: list[str] = []
        self._inside = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag in self.blocks:
            self._inside = tag
            self.blocks[tag].append("")

    def handle_endtag(self, tag):
        if tag == self._inside:
            self._inside = ""

    def handle_data(self, data):
        if self._inside:
            self.blocks[self._inside][-1] += data
        elif data.strip():
            self.said.append(data)

    @property
    def text(self) -> str:
        """What the page says, without its own title (the first thing that a page says)."""
        return " ".join(" ".join(self.said[1:]).split())

    def data(self) -> list[dict]:
        """The data of the flame graphs."""
        return [json.loads(block) for block in self.blocks["script"] if block.startswith("{")]


def stacks(*lines: tuple[Iterable[str], int], total: int = 0, signed: bool = False, unit: str = "bytes") -> Stacks:
    """Stacks like `(("main", "f"), 5)`, each function in a Go file of its name."""
    builder = ProfileBuilder(Measure("inuse_space", unit))
    for functions, value in lines:
        builder.add([builder.frame(function, f"/src/{function}.go", 7) for function in functions], [value])
    tree = builder.build(format="pprof", runtime="go", kind="heap").tree
    return Stacks("flame", tree, total or tree.total(0), signed)


def finding(rank: int = 1, **changes) -> Finding:
    stack = (
        StackFrame("net/http.(*conn).serve", "/usr/local/go/src/net/http/server.go", 2102),
        StackFrame("net/http.serverHandler.ServeHTTP", "/usr/local/go/src/net/http/server.go", 3210),
        StackFrame("net/http.HandlerFunc.ServeHTTP", "/usr/local/go/src/net/http/server.go", 2220),
        StackFrame("main.checkout", "/srv/shop/main.go", 61),
        StackFrame("main.putSession", "/srv/shop/store.go", 88),
        StackFrame("runtime.mapassign", "/usr/local/go/src/runtime/map.go", 203),
    )
    values = {
        "pattern": "allocation",
        "title": "`main.putSession` makes objects that are not freed",
        "bytes": 374 * MB,
        "bytes_error": 12 * MB,
        "share": 0.57,
        "count": 412_331,
        "growth_bytes": 62 * MB,
        "growth_bytes_per_hour": 104.0 * MB,
        "growth_share": 0.94,
        "shape": "rising",
        "stack": stack,
        "location": "/srv/shop/store.go:88",
        "confidence": 0.93,
        "evidence": ("rose in 2 of 2 steps",),
        "fingerprint": "sha256:9c1f5fd0aa31",
        "series": (312 * MB, 341 * MB, 374 * MB),
    }
    return Finding(rank=rank, **(values | changes))


def analysis(*findings: Finding, **changes) -> Analysis:
    values = {
        "inputs": tuple(
            Input(f"/dumps/heap.{i}.pb.gz", "pprof", "go", f"2026-11-20T14:{18 * i:02d}:00.25Z", 48_000)
            for i in range(3)
        ),
        "totals": (Total("inuse_space", "bytes", 656 * MB),),
        "verdict": Verdict("leaking", "Leaking: `main.putSession` keeps 62 MB. It is reached from main.", 0.93),
        "findings": findings or (finding(),),
    }
    return Analysis(**(values | changes))


def hostile_report() -> str:
    evil = tuple(HOSTILE)
    frames = tuple(StackFrame(a, b, 3) for a in evil for b in evil)
    table = Table(evil[0], tuple(Heading(e, e) for e in evil[:3]), [(e, e, None) for e in evil], evil)
    graph = stacks(*(((a, b), 5) for a in evil for b in evil))
    return report(
        analysis(
            finding(pattern=evil[0], title=" ".join(evil), holder=evil[1], type=evil[2], path=evil, stack=frames,
                    location=evil[0], evidence=evil, fingerprint=evil[1]),
            inputs=tuple(Input(e, e, e, e, 1, 0.5, evil) for e in evil[:3]),
            totals=tuple(Total(e, e, 1) for e in evil),
            verdict=Verdict("leaking", " ".join(evil), 0.5, evil),
            notes=evil,
        ),
        [Section("top", evil[0], table), Section("flame", evil[1], graph)],
        memory=Series(evil[0], (Reading(0, MB), Reading(9, 2 * MB))),
    )  # fmt: skip


def test_the_page_lands_on_the_verdict_before_anything_else():
    document = Document(report(analysis(notes=("a note",)), []))
    assert document.text.index("▲ leaking") < document.text.index("keeps 62 MB")
    assert document.text.index("keeps 62 MB") < min(map(document.text.index, ("a note", "374 MB", "What to look at")))


@pytest.mark.parametrize("state", ["leaking", "suspect", "steady", "warming", "undersized", "unknown"])
def test_every_state_has_a_glyph_beside_its_word_so_that_colour_is_not_needed(state):
    document = Document(report(analysis(verdict=Verdict(state, "So it is.", 0.5)), []))
    glyph = document.said[document.said.index(f" {state}") - 1]
    assert len(glyph) == 1
    assert ("section", {"class": f"verdict {state}"}) in document.elements


def test_a_finding_says_its_size_with_its_error_its_growth_and_its_confidence_in_words():
    document = Document(report(analysis(), []))
    for said in ("374 MB", "± 12.0 MB", "57 %", "+62.0 MB", "94 % of the growth", "+104 MB", "very likely (93 %)"):
        assert said in document.text
    assert ("code", {}) in document.elements, "what stands between backquotes in a sentence is code"
    assert not [said for said in document.said if "`" in said]


def test_growth_by_the_hour_is_said_only_where_the_finding_has_it():
    assert "per hour" in report(analysis(), [])
    assert "per hour" not in report(analysis(finding(growth_bytes_per_hour=None)), [])


def test_the_chain_of_calls_runs_from_the_caller_to_the_allocation_with_the_blamed_line_marked():
    source = report(analysis(), [])
    chain = source[source.index('<ol class="chain">') :]
    assert chain.index("main.checkout") < chain.index("main.putSession") < chain.index("runtime.mapassign")
    assert '<li class="own blamed"><bdi>main.putSession</bdi> <span>/srv/shop/store.go:88</span></li>' in chain
    assert '<li class="other"><bdi>runtime.mapassign</bdi>' in chain


def test_a_run_of_library_calls_is_folded_but_none_is_lost():
    source = report(analysis(), [])
    folded = re.search(r"<details><summary>3 library calls</summary><ol>(.*?)</ol></details>", source)
    assert folded
    assert folded[1].count("<li") == 3


def test_five_findings_are_open_and_the_rest_one_click_away():
    source = report(analysis(*(finding(rank) for rank in range(1, 9))), [])
    opened, hidden = source.split("<summary>3 more findings</summary>")
    assert opened.count('<article class="card">') == 5
    assert hidden.count('<article class="card">') == 3


def test_waiting_goroutines_are_counted_and_what_they_hold_stands_beside():
    waiting = finding(pattern="goroutine", bytes=27 * MB, bytes_error=0, count=412, growth_bytes=None,
                      growth_bytes_per_hour=None, growth_count=130, series=(282, 350, 412), unit="count")  # fmt: skip
    document = Document(report(analysis(waiting), []))
    assert "goroutines 412 +130" in document.text
    assert "they hold 27.0 MB" in document.text
    assert "3. 14:36:00: 412" in document.text, "its bars are numbers of goroutines, not bytes"


def test_each_bar_of_a_finding_tells_its_dump_and_the_axis_starts_at_zero():
    document = Document(
        "<title>.</title>" + charts.bars((100 * MB, 200 * MB), ("1. first.pb", "2. second.pb"), "bytes")
    )
    bars = [attrs for tag, attrs in document.elements if tag == "rect" and attrs["class"] == "bar"]
    heights = [float(bar["height"].rstrip("%")) for bar in bars]
    assert heights[1] == pytest.approx(2 * heights[0])
    assert "1. first.pb: 100 MB" in document.text
    assert "2. second.pb: 200 MB" in document.text
    assert "0" in document.said


def test_one_dump_has_no_chart_because_a_single_bar_shows_nothing():
    assert charts.bars((5 * MB,), ("a",), "bytes") == ""
    assert charts.memory(Series("a", (Reading(0, MB),))) == ""


@pytest.mark.parametrize("top", [1, 3, 999, 1023, 1024, 5000, 374 * MB, 2**62])
def test_an_axis_has_a_few_round_ticks_and_covers_the_largest_value(top):
    ticks = charts.ticks(top, "bytes")
    assert ticks[0] == 0
    assert 2 <= len(ticks) <= 7
    assert ticks[-1] >= top > ticks[-2]


def test_memory_over_time_marks_each_capture_and_names_both_lines():
    readings = tuple(Reading(1000.0 + i, (400 + i) * MB, heap=300 * MB) for i in range(1000))
    source = report(analysis(), [], memory=Series("app", readings), captures=[1100.0, 1900.0, 5.0])
    document = Document(source)
    assert "resident memory" in document.text
    assert "the runtime’s heap" in document.text
    assert source.count('<g class="mark">') == 2, "a capture outside of the readings has no place on the chart"


def test_a_peak_between_two_drawn_readings_is_not_lost():
    readings = tuple(Reading(float(i), 900 * MB if i == 4321 else 100 * MB) for i in range(20_000))
    chart = charts.memory(Series("app", readings))
    points = re.search(r'class="rss" points="([^"]*)"', chart)[1].split()
    assert len(points) <= 2 * charts.MAX_POINTS
    assert min(float(point.split(",")[1]) for point in points) < 150


def test_what_is_wrong_with_a_dump_is_said():
    cut = Input("cut.pb.gz", "pprof", "go", None, 5, 0.71, ("it ends at byte 5",))
    document = Document(report(analysis(inputs=(cut,)), []))
    assert "cut.pb.gz: only 71 % could be read" in document.text
    assert "cut.pb.gz: it ends at byte 5" in document.text


def test_a_long_table_shows_its_first_rows_and_says_how_many_more_there_are():
    table = Table("top", (Heading("v", "value", "bytes"),), [(i,) for i in range(1000)])
    document = Document(page("top", Section("top", "Top", table)))
    shown = [attrs for tag, attrs in document.elements if tag == "td"]
    assert f"and {1000 - len(shown)} more rows" in document.text
    assert [attrs["data-value"] for attrs in shown] == [str(i) for i in range(len(shown))]


def test_numbers_in_a_table_are_readable_and_keep_their_exact_value_for_sorting():
    headings = (Heading("a", "a", "bytes", signed=True), Heading("b", "b", "share"), Heading("c", "c", "count"))
    source = page("t", Section("t", "t", Table("t", headings, [(3 * MB, 0.5, None)])))
    assert f'<td class="number" data-value="{3 * MB}">+3.00 MB</td>' in source
    assert '<td class="number" data-value="0.5">50 %' in source
    assert '<td class="number"></td>' in source


def test_an_empty_answer_is_said_not_drawn():
    empty = stacks(total=0)
    table = Table("top", (Heading("a", "a"),), [])
    document = Document(report(Analysis(), [Section("f", "Flame", empty), Section("t", "Top", table)]))
    assert "No inuse_space in any stack." in document.text
    assert "Nothing to show." in document.text
    assert not document.data()


def test_the_same_input_gives_the_same_bytes():
    sections = [Section("f", "Flame", stacks((("main", "f"), 5), (("main", "g"), 5)))]
    assert report(analysis(), sections) == report(analysis(), sections)


def test_the_page_asks_nobody_for_anything():
    document = Document(hostile_report())
    for tag, attrs in document.elements:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base", "form"}
        assert "src" not in attrs
        assert attrs.get("href", "#").startswith("#")


def test_the_policy_allows_the_page_its_own_style_and_script_by_hash_and_nothing_else():
    document = Document(hostile_report())
    policy = next(attrs["content"] for _, attrs in document.elements if "http-equiv" in attrs)
    run = [block for block in document.blocks["script"] if not block.startswith("{")]

    def allowed(source):
        return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"

    assert len(run) == len(document.blocks["style"]) == 1
    assert policy.split("; ") == [
        "default-src 'none'",
        f"style-src {allowed(document.blocks['style'][0])}",
        f"script-src {allowed(run[0])}",
        "base-uri 'none'",
        "form-action 'none'",
    ]


def test_nothing_of_a_dump_becomes_markup_or_hides():
    source = hostile_report()
    document = Document(source)
    assert not [attrs for _, attrs in document.elements if any(name.startswith("on") for name in attrs)]
    assert not [attrs for _, attrs in document.elements if "style" in attrs], "the policy would block it"
    assert len(document.blocks["script"]) == 2, "one block of data and the page's own script"
    assert not re.search("[\0-\x08\x0b-\x1f\u200b\u2028\u202a-\u202e\u2066-\u2069\ud800-\udfff]", source)
    assert "\\u202eexe.gpj" in document.text, "a character that reorders text is shown as what it is"
    assert "x" * 2000 not in source
    assert all("<" not in block and "&" not in block for block in document.blocks["script"] if block.startswith("{"))


def test_data_that_is_embedded_reads_back_as_it_was():
    graph = Document(page("f", Section("f", "f", stacks((("</script><b>&", "a'b\"c"), 5))))).data()[0]
    assert {"</script><b>&", "a'b\"c"} <= set(graph["strings"])


def test_any_dump_fits_below_two_megabytes_and_the_page_says_what_is_missing():
    names = [f"{'<&' * 300}{i}" for i in range(3000)]
    graph = stacks(*(((name,), 1000) for name in names))
    table = Table("t", (Heading("a", "a"), Heading("b", "b")), [(name, name) for name in names])
    frames = tuple(StackFrame(name, name, 1) for name in names)
    whole = report(
        analysis(*(finding(rank, stack=frames, evidence=tuple(names[:500])) for rank in range(1, 300))),
        [Section("t", "t", table), Section("f", "f", graph), Section("g", "g", graph)],
    )
    assert len(whole.encode()) <= MAX_BYTES
    document = Document(whole)
    drawn = len(document.data()[0]["depth"]) - 1
    assert drawn > 10, "as much as there is room for"
    assert f"{3000 - drawn:,} smaller calls are not drawn" in document.text
    assert "lesser findings are not shown" in document.text
    assert "outer calls are not shown" in document.text
