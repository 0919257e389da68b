"""Where threads and goroutines stand: equal stacks are one row, and what has no threads says so."""

from dataclasses import replace
from pathlib import Path

import pytest
from heaps import heap
from test_laid_over import heap_dump, profile_dump

from caulk.analysis.dumps import Dump
from caulk.analysis.filters import Filters
from caulk.analysis.objects.heaps import examine
from caulk.cli import carry_out
from caulk.formats import go_goroutine
from caulk.model.errors import UsageError
from caulk.model.graph import Label, Types
from caulk.reports import Question
from caulk.reports.tabs import tabs
from caulk.reports.threads import threads

TRACE = b"""goroutine 1 [running]:
main.main()
\t/src/main.go:9 +0x1

goroutine 7 [chan receive, 12 minutes]:
main.wait(0x1)
\t/src/main.go:31 +0x1
created by main.start in goroutine 1
\t/src/main.go:20 +0x1

goroutine 8 [chan receive, 40 minutes]:
main.wait(0x2)
\t/src/main.go:31 +0x1
created by main.start in goroutine 1
\t/src/main.go:20 +0x1

goroutine 9 [select]:
main.<script>(0x2)
\t/src/main.go:40 +0x1

"""


def goroutines(data: bytes = TRACE) -> Dump:
    return Dump("goroutines.txt", go_goroutine.read(data))


def rows(dump: Dump, **options) -> list[dict]:
    table = threads(Question([dump], **options))
    return [dict(zip([heading.key for heading in table.headings], row, strict=True)) for row in table.rows]


def jvm_dump() -> Dump:
    graph = heap("t:Worker*8!; u:Worker*8!; idle:Thread*4!; buffer:Data*100; t -> buffer.f; u -> t.f")
    names, frame = graph.types.name, Label("local", "app.Worker.run (Worker.java:7)")
    kinds = ["thread" if name in ("Worker", "Thread") else "object" for name in names]
    labels = [frame if label.name == "f" else label for label in graph.labels]
    graph = replace(graph, types=Types(names, kinds, graph.types.owner), labels=labels)
    examined = examine(graph)
    return Dump("a.hprof", examined.profile, 1, examined)


def test_goroutines_at_one_place_in_one_state_are_one_row_with_the_longest_wait():
    first, *_ = rows(goroutines())
    assert first == {
        "count": 2,
        "state": "chan receive",
        "wait_minutes": 40,
        "created_by": "main.start",
        "stack": "main.wait (/src/main.go:31)",
    }
    assert [row["count"] for row in rows(goroutines())] == [2, 1, 1]


def test_counted_goroutines_have_stacks_and_no_state():
    symbols = b"#\t0x1\tmain.wait+0x1\t/src/main.go:31\n#\t0x2\tmain.run+0x1\t/src/main.go:3\n"
    data = b"goroutine profile: total 3\n3 @ 0x1 0x2\n" + symbols + b"\n"
    [row] = rows(goroutines(data))
    assert (row["count"], row["state"], row["wait_minutes"]) == (3, "", None)
    assert row["stack"] == "main.wait (/src/main.go:31) ← main.run (/src/main.go:3)"


def test_a_pattern_and_filters_choose_stacks():
    assert [row["count"] for row in rows(goroutines(), pattern="wait")] == [2]
    assert [row["count"] for row in rows(goroutines(), filters=Filters(ignore="wait", hide="main.main"))] == [1, 1]
    assert rows(goroutines(), pattern="<script>")[0]["stack"].startswith("main.<script>")


def test_threads_of_a_heap_are_told_by_their_frames_and_what_they_retain():
    found = rows(jvm_dump())
    assert [(row["type"], row["count"], row["retained"], row["stack"]) for row in found] == [
        ("Worker", 2, 116, "app.Worker.run (Worker.java:7)"),
        ("Thread", 1, 4, ""),
    ]


@pytest.mark.parametrize(
    ("dump", "said"),
    [
        (profile_dump(("main", 1)), "this profile has no threads"),
        (heap_dump("a:A*8!"), "says of no thread where it is"),
    ],
)
def test_what_has_no_threads_says_so_and_its_tab_as_well(dump, said):
    with pytest.raises(UsageError, match=said):
        threads(Question([dump]))
    [tab] = [tab for tab in tabs([dump]) if tab.name == "threads"]
    assert said in tab.why[0].lower() + tab.why[1:]


def test_the_verbs_answer_and_a_goroutine_file_has_no_types(tmp_path: Path, capsysbinary):
    path = tmp_path / "goroutines.txt"
    path.write_bytes(TRACE)
    assert carry_out(["threads", str(path)]) == 0
    assert b"chan receive" in capsysbinary.readouterr().out
    assert carry_out(["threads", str(path), "("]) == 2
    assert b"not a regular expression" in capsysbinary.readouterr().err
    assert carry_out(["types", str(path)]) == 2
    assert b"is a profile" in capsysbinary.readouterr().err
