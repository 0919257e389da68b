"""The page's script: it runs in a real browser without a complaint, and its arithmetic is right."""

import json
import subprocess
from html.parser import HTMLParser

import pytest

from caulk.formats.builder import ProfileBuilder
from caulk.model.measure import Measure
from caulk.model.table import Heading, Stacks, Table
from caulk.model.units import format_share, format_value
from caulk.views import flame, html

MB = 1 << 20
OWNED = "</script><script>document.title='owned'</script><img src=x onerror=document.title='owned'>"

#: No service of the browser's own may call out while it renders one local file.
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--enable-logging=stderr", "--dump-dom",
)  # fmt: skip


def stacks(*lines: tuple[str, int], signed: bool = False) -> Stacks:
    builder = ProfileBuilder(Measure("inuse_space", "bytes"))
    for functions, value in lines:
        builder.add([builder.frame(name) for name in functions.split(";")], [value])
    tree = builder.build(format="folded", runtime="", kind="heap").tree
    return Stacks("flame", tree, tree.total(0), signed)


def in_node(node: str, expression: str) -> object:
    """The value of an expression that may use what the page's script defines, in a page without content."""
    program = f"""
      globalThis.document = {{ querySelectorAll: () => [], addEventListener() {{}} }};
      const run = new Function({json.dumps(html._asset("page.js"))} + {json.dumps(f"; return {expression}")});
      console.log(JSON.stringify(run()));
    """
    return json.loads(subprocess.run([node, "-e", program], capture_output=True, text=True, check=True).stdout)


def a_flame(answer: Stacks) -> str:
    """A flame graph without its canvas, as an expression."""
    data = json.dumps(flame.columns(flame.lay_out(answer)))
    return f"""Object.assign(Object.create(Flame.prototype), {{
      data: {data}, weight: {data}.weight ?? {data}.total, zoomed: 0, rootBelow: false,
      search: {{ value: "", classList: {{ add() {{}}, remove() {{}} }} }}, matched: {{}}, paint() {{}},
      show() {{}},
    }})"""


def test_what_the_script_writes_reads_like_the_rest_of_the_page(node):
    values = [0, 1, 1023, 1024, 1536, 10_234, 102_400, 374 * MB, 5 << 30, 3 << 40, -12 * MB, 999_999, 1_234_567]
    cases = [(value, unit) for unit in ("bytes", "count", "nanoseconds") for value in values]
    shares = [0, 0.0004, 0.001, 0.0994, 0.0996, 0.573, 1, -0.12, -0.0004]
    said = in_node(
        node,
        f"[{json.dumps(cases)}.map(([v, u]) => formatValue(v, u, true)), {json.dumps(shares)}.map(formatShare)]",
    )
    assert said == [[format_value(v, u, signed=True) for v, u in cases], [format_share(s) for s in shares]]


def test_a_callee_lies_within_its_caller_and_beside_its_siblings(node):
    answer = stacks(("a;b", 30), ("a;c", 15), ("a", 5), ("d", 40))
    left, end, parent = in_node(
        node, f"(() => {{ const f = {a_flame(answer)}; f.place(); return [[...f.left], [...f.end], [...f.parent]] }})()"
    )
    # Boxes: all, a, b, c, d.
    assert left == [0, 0, 0, 30, 50]
    assert end == [5, 4, 3, 4, 5]
    assert parent == [-1, 0, 1, 1, 0]


@pytest.mark.parametrize(
    ("wanted", "share"),
    [("main", "100 %"), ("^leaf$", "60 %"), ("MAIN", "100 %"), ("main|leaf", "100 %"), ("nowhere", "0.0 %")],
)
def test_a_search_counts_each_byte_once_however_often_a_stack_matches(node, wanted, share):
    answer = stacks(("main;main;leaf", 60), ("main;other", 40))
    search = f"const f = {a_flame(answer)}; f.place(); f.search.value = {json.dumps(wanted)}; f.look();"
    assert in_node(node, f"(() => {{ {search} return f.matched.textContent }})()") == f"matched {share} of total"


def test_a_search_that_is_no_expression_says_so_and_keeps_the_page_alive(node):
    search = f"const f = {a_flame(stacks(('a', 1)))}; f.search.value = '('; f.look();"
    assert in_node(node, f"(() => {{ {search} return f.matched.textContent }})()") == "not a regular expression"


def test_the_arrow_keys_move_to_callers_callees_and_neighbours(node):
    answer = stacks(("a;b", 30), ("a;c", 20), ("d", 10))
    press = "(key) => { f.step({ key, preventDefault() {} }); return f.name(f.zoomed) }"
    keys = ["ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight", "ArrowLeft", "ArrowUp", "ArrowRight", "ArrowLeft"]
    way = in_node(
        node,
        f"(() => {{ const f = {a_flame(answer)}; f.place(); return {json.dumps(keys)}.map({press}) }})()",
    )
    assert way == ["a", "b", "c", "c", "b", "a", "d", "a"]


class _Dom(HTMLParser):
    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))


def test_a_browser_draws_the_page_of_a_hostile_dump_and_runs_nothing_of_it(require, tmp_path):
    graph = stacks((f"main;{OWNED}", 5), (f"{OWNED};b", 7))
    change = stacks((f"main;{OWNED}", 5), (f"{OWNED};b", -7), signed=True)
    table = Table(OWNED, (Heading("a", OWNED), Heading("b", "b", "bytes")), [(OWNED, 1), ("b", 2)])
    sections = [html.Section("f", OWNED, graph), html.Section("g", OWNED, change), html.Section("t", OWNED, table)]
    (tmp_path / "page.html").write_text(html.report(html.Analysis(), sections), encoding="utf-8")
    done = subprocess.run(
        [require("chromium"), *QUIET, f"--user-data-dir={tmp_path / 'profile'}", (tmp_path / "page.html").as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert "CONSOLE" not in done.stderr
    dom = _Dom(done.stdout)
    assert "<title>owned" not in done.stdout
    assert not [tag for tag, _ in dom.elements if tag == "img"]
    stages = [attrs for _, attrs in dom.elements if attrs.get("class") == "stage"]
    assert len(stages) == 2
    assert all("hidden" not in stage for stage in stages), "the script has drawn both graphs"
    buttons = [tag for tag, _ in dom.elements if tag == "button"]
    assert len(buttons) > 4, "headings of tables can be clicked"
