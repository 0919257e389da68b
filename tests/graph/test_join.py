"""Who allocates what a holder keeps: told by profiles of the same program, and how good the join of the two is."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from dumped import run
from heaps import heap

from caulk import app
from caulk.analysis.analyse import analyse
from caulk.analysis.holders.join import joined
from caulk.formats import jvm_histogram
from caulk.formats.builder import ProfileBuilder
from caulk.model.graph import ObjectGraph
from caulk.model.measure import Measure
from caulk.model.profile import Profile
from caulk.model.records import Analysis, Finding

FILE = "/srv/cache.js"


def graph(runtime: str = "node") -> ObjectGraph:
    made = heap("a!")
    object.__setattr__(made, "runtime", runtime)
    return made


def stacks(text: str, *, runtime: str = "node", file: str = FILE, period: int = 0) -> Profile:
    """Stacks `main@1>put@41 BYTES`, separated by `;`: functions with their lines, all in `file`."""
    builder = ProfileBuilder(Measure("live", "bytes"))
    for stack in filter(None, (part.strip() for part in text.split(";"))):
        path, _, size = stack.rpartition(" ")
        frames = [frame.rpartition("@") for frame in path.split(">")]
        builder.add([builder.frame(name, file, int(line)) for name, _, line in frames], (int(size),))
    return builder.build(format="test", runtime=runtime, kind="heap", period=period)


def keeps(type_name: str, size: int, *, location: str | None = None, growth: int | None = None) -> Finding:
    return Finding(
        rank=1,
        pattern="collection",
        title="`QuoteCache.byId` keeps it" + (f"; allocated at {location}" if location else ""),
        bytes=size,
        bytes_error=0,
        share=0.5,
        count=100,
        growth_bytes=growth,
        holder="QuoteCache.byId",
        type=type_name,
        location=location,
    )


def one(finding: Finding, *profiles: Profile) -> Finding:
    (found,) = joined([finding], graph(profiles[0].runtime), profiles)
    return found


def test_who_calls_the_constructor_allocates_what_is_of_its_type():
    found = one(keeps("Quote", 51_200), stacks("main@1>put@41>Quote@7 40960; main@1>poll@60>Quote@7 900; main@1 9000"))
    assert (found.allocator, found.location) == ("put", f"{FILE}:41")
    assert [frame.function for frame in found.stack] == ["main", "put", "Quote"]
    assert found.title == "`QuoteCache.byId` keeps it; allocated by `put` (cache.js:41)"
    said = found.evidence[-1]
    assert said.startswith("`put` (cache.js:41) allocates it, `QuoteCache.byId` keeps it: joined by type")
    assert "for it makes `Quote` (98 % of all, 40.0 kB live from there, 50.0 kB kept)" in said


@pytest.mark.parametrize(
    ("type_name", "function", "blamed"),
    [
        ("shop.orders.Quote", "Quote.__init__", "put"),
        ("shop.orders.Book.Quote", "Book.Quote.__init__", "put"),
        ("__main__.Quote", "Quote.__init__", "put"),
        ("shop.orders.listen.<locals>.on_event", "listen", "listen"),
        ("shop.orders.Bus.listen.<locals>.on_event", "Bus.listen", "Bus.listen"),
    ],
)
def test_what_python_makes_is_known_by_class_or_by_the_function_around_it(type_name, function, blamed):
    profile = stacks(f"main@1>put@41>{function}@7 40000", runtime="cpython", file="/srv/shop/orders.py")
    assert one(keeps(type_name, 40_000), profile).allocator == blamed


def test_a_class_of_the_same_name_in_another_module_is_another_class():
    profile = stacks("main@1>put@41>Quote.__init__@7 900; main@1 90000", runtime="cpython", file="/srv/shop/stock.py")
    finding = keeps("shop.orders.Quote", 40_000)
    assert one(finding, profile) is finding


def test_the_line_that_the_dump_has_is_joined_object_by_object():
    profile = stacks("main@1>serve@9>put@41 30000; main@1>serve@9>put@44 90000", runtime="cpython")
    found = one(keeps("tuple", 30_000, location=f"{FILE}:41"), profile)
    assert (found.allocator, found.location) == ("put", f"{FILE}:41")
    assert found.title == "`QuoteCache.byId` keeps it; allocated by `put` (cache.js:41)"
    assert "joined object by object" in found.evidence[-1]


def test_a_line_that_the_profile_does_not_have_joins_nothing():
    finding = keeps("tuple", 30_000, location=f"{FILE}:42")
    assert one(finding, stacks("main@1>serve@9>put@41 30000", runtime="cpython")) is finding


def test_a_function_is_likely_made_by_the_one_that_begins_last_before_it():
    profile = stacks("main@1>watch@30 25000; main@1>early@20 24000; main@1>late@40 24000")
    found = one(keeps(f"(anonymous) file://{FILE}:32", 24_000), profile)
    assert found.allocator == "watch"
    assert found.title.endswith("; likely allocated by `watch` (cache.js:30)")
    assert "joined by place" in found.evidence[-1]


def test_a_function_before_it_that_made_something_else_is_not_blamed():
    finding = keeps(f"onTick {FILE}:32", 24_000)
    assert one(finding, stacks("main@1>watch@30 9000; main@1 90000")) is finding


def test_an_equal_amount_is_a_join_and_called_a_weak_one():
    found = one(keeps("Array", 51_200), stacks("main@1>put@41 53248; main@1>poll@60 9000; main@1 30000"))
    assert found.allocator == "put"
    assert found.title.endswith("; perhaps allocated by `put` (cache.js:41)")
    assert "joined by amount only (52.0 kB live from there, 50.0 kB kept)" in found.evidence[-1]


def test_of_functions_that_call_each_other_the_innermost_is_meant():
    profile = stacks("main@1>serve@9>put@41>copy@50 25000; main@1>serve@9>put@41>pack@55 26000; main@1 90000")
    assert one(keeps("Array", 50_000), profile).allocator == "put"


@pytest.mark.parametrize(
    "profile",
    [
        stacks("main@1>put@41 52000; main@1>poll@60 49000"),
        stacks("main@1>put@41 20000; main@1>poll@60 90000"),
        stacks("main@1>put@41 52000; main@1>poll@60 9000", period=512 << 10),
        stacks("main@1>put@41 52000; main@1>poll@60 9900000"),
        stacks("main@1>put@41 52000; main@1 9000", runtime="cpython"),
        stacks(""),
    ],
    ids=["two fit", "none fits", "sampled too coarsely", "too small a part", "another runtime", "empty"],
)
def test_nothing_is_claimed_where_the_amounts_do_not_tell(profile):
    finding = keeps("Array", 50_000)
    (found,) = joined([finding], graph("node"), [profile])
    assert found is finding


def test_one_function_is_not_blamed_for_two_holders_by_its_amount():
    finding = keeps("Array", 50_000)
    profile = stacks("main@1>put@41 52000; main@1 30000")
    assert joined([finding, finding], graph(), [profile]) == (finding, finding)


def test_a_function_that_does_not_grow_is_not_blamed_for_a_holder_that_does():
    before, after = stacks("main@1>put@41 50000; main@1 100"), stacks("main@1>put@41 50000; main@1 30000")
    growing = keeps("Array", 50_000, growth=40_000)
    assert one(growing, before, after) is growing
    assert one(keeps("Array", 50_000), before, after).allocator == "put"


def test_a_class_histogram_counts_beside_the_holder_and_names_nobody():
    head = b" num     #instances         #bytes  class name (module)\n"
    text = b"   1: %d %d  com.example.Ticket\nTotal %d %d\n"
    profiles = [jvm_histogram.read(head + text % (n, 24 * n, n, 24 * n)) for n in (1000, 5000)]
    found = one(keeps("com.example.Ticket", 50_000), *profiles)
    assert found.allocator is None
    assert found.evidence == (
        "joined by type: the class histogram counts 5,000 `Ticket`, +4,000 over 2 histograms; 100 are kept here",
    )
    other = keeps("com.example.Order", 50_000)
    assert one(other, *profiles) is other


NODE = """\
class Quote { constructor(n) { this.bid = { n }; this.note = ['note', n]; } }
class QuoteCache { constructor() { this.byId = new Map(); } }
const cache = new QuoteCache();
globalThis.cache = cache;
function put(n) {
  cache.byId.set(n, new Quote(n));
}
for (let n = 0; n < 20000; n++) put(n);
require('node:v8').writeHeapSnapshot('cache.heapsnapshot');
"""

PYTHON = """
import tracemalloc

class Quote:
    def __init__(self, n):
        self.price = float(n)

CACHE = {}

def put(n):
    CACHE[n] = Quote(n)

for n in range(5000):
    if n == 1000:
        tracemalloc.take_snapshot().dump("early.tracemalloc")
    put(n)
tracemalloc.take_snapshot().dump("heap.tracemalloc")
DUMP()
"""


def analysed(*paths: Path) -> Analysis:
    return analyse(app.load([str(path) for path in paths]))


def test_a_node_program_says_who_puts_it_there_and_who_keeps_it(tmp_path: Path, require: Callable[[str], str]):
    (tmp_path / "cache.cjs").write_text(NODE)
    # What V8 inlines is charged to the function that it is inlined into.
    flags = ["--no-opt", "--heap-prof", "--heap-prof-interval=1024", "--heap-prof-name=cache.heapprofile"]
    subprocess.run([require("node"), *flags, "cache.cjs"], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    found = analysed(tmp_path / "cache.heapsnapshot", tmp_path / "cache.heapprofile")
    first = next(f for f in found.findings if f.holder == "QuoteCache.byId")
    assert (first.type, first.count, first.allocator) == ("Quote", 20_000, "put")
    assert first.location == f"{tmp_path}/cache.cjs:5"
    assert any(
        "`put` (cache.cjs:5) allocates it, `QuoteCache.byId` keeps it: joined by type" in e for e in first.evidence
    )
    assert "`QuoteCache.byId` keeps 20,000 `Quote`" in found.verdict.sentence
    assert "allocated by `put` (cache.cjs:5)" in found.verdict.sentence


def test_profiles_that_show_growth_lead_and_one_heap_dump_adds_who_keeps_it(tmp_path: Path):
    assert run(PYTHON, tmp_path, PYTHONTRACEMALLOC="8").returncode == 0
    found = analysed(*(tmp_path / name for name in ("early.tracemalloc", "heap.tracemalloc", "heap.cgraph")))
    first = found.findings[0]
    assert found.verdict.state == "leaking"
    assert (first.allocator, first.holder, first.type) == ("put", "leak.CACHE", "leak.Quote")
    assert "`put` (leak.py:" in found.verdict.sentence
    assert "`leak.CACHE` keeps them" in found.verdict.sentence
    assert first.path[-1] == "[5,000 entries] leak.Quote"
    assert [f.holder for f in found.findings].count("leak.CACHE") == 1


def test_a_python_program_says_the_line_of_each_object_and_who_keeps_it(tmp_path: Path):
    ran = run(PYTHON, tmp_path, PYTHONTRACEMALLOC="8")
    assert ran.returncode == 0, ran.stderr
    found = analysed(tmp_path / "heap.cgraph", tmp_path / "heap.tracemalloc")
    first = next(f for f in found.findings if f.holder == "leak.CACHE")
    lines = (tmp_path / "leak.py").read_text().splitlines()
    line = lines.index("    CACHE[n] = Quote(n)") + 1
    assert (first.type, first.count, first.allocator) == ("leak.Quote", 5000, "put")
    assert first.location == f"{tmp_path}/leak.py:{line}"
    assert first.title.endswith(f"; allocated by `put` (leak.py:{line})")
    assert any("joined object by object" in said for said in first.evidence)
    assert not [f for f in found.findings if f.allocator == "put" and f.holder is None], "said twice"
