"""Heaps as long, as wide and as full of names as a dump can say: every question is answered, and nothing recurses."""

import pytest
from large_dumps import SHAPES, hprof_fields
from valid import check

from caulk import _core, app
from caulk.formats import hprof
from caulk.reports import REPORTS, Question
from caulk.reports.tabs import tabs

#: Hundreds of times deeper than Python recurses; a tree of different names is wide in memory, and slower.
COUNTS = {"chain": 300_000, "array": 100_000, "roots": 50_000, "names": 4_000}
if not _core.COMPILED:
    COUNTS = {shape: count // 100 for shape, count in COUNTS.items()}
CASES = [(name, shape) for name, shapes in SHAPES.items() for shape in shapes]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CAULK_HOME", str(tmp_path))


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_every_question_about_a_large_heap_has_an_answer(name, shape, tmp_path):
    path = tmp_path / "dump"
    path.write_bytes(SHAPES[name][shape](COUNTS[shape]))
    (dump,) = app.load([str(path)])
    assert dump.heap is not None
    check(dump.heap.graph)
    assert len(dump.heap.dominators.order) > COUNTS[shape]
    refused = {tab.name for tab in tabs([dump]) if not tab.is_available}
    assert refused <= {"strings", "threads", "source"}
    for report in REPORTS:
        question = Question([dump] * (2 if report.files == "two" else 1), pattern="Node|list|[Cnp]1")
        for output in ("table", "json", "html") if report.name not in refused else ():
            _, text = app.answered(report, question, output)
            assert text


@pytest.mark.parametrize("fields", [1_000, 65_535])
def test_a_class_may_have_as_many_fields_as_the_format_counts(fields):
    graph = hprof.read(hprof_fields(fields))
    check(graph)
    node = next(number for number in range(len(graph)) if len(list(graph.references(number))) == fields)
    assert {str(each.label) for each in graph.references(node)} == {".f"}
