"""What a file says of itself: figures and names, and no contents."""

from test_laid_over import heap_dump

from caulk.analysis.dumps import Dump
from caulk.formats.builder import ProfileBuilder
from caulk.model.label import Label
from caulk.model.measure import Measure
from caulk.reports import Question
from caulk.reports.raw import raw


def said(dump: Dump) -> dict[tuple[str, str], str]:
    return {(part, what): value for part, what, value in raw(Question([dump])).rows}


def profile() -> Dump:
    builder = ProfileBuilder(Measure("inuse_objects", "count"), Measure("inuse_space", "bytes"))
    frame = builder.frame("main.main", "/src/main.go", 9)
    builder.add([frame, builder.frame("main.new")], [1, 512], labels=(Label("tenant", "secret-customer"),))
    built = builder.build(
        format="pprof", runtime="go", kind="heap", period=524_288, period_measure=Measure("space", "bytes"),
        comments=("built by us",), warnings=("the file was cut short",), default_measure=1, memory={"sys": 7_000},
    )  # fmt: skip
    return Dump("heap.pb.gz", built, 99)


def test_a_profile_tells_its_format_its_sampling_its_sums_and_how_much_there_is():
    found = said(profile())
    assert found["file", "format"] == "pprof"
    assert found["file", "size"] == "99 bytes"
    assert found["sampling", "period"] == "524,288 space"
    assert found["measure", "inuse_objects/count"] == "1"
    assert found["measure", "inuse_space/bytes"] == "512 (shown without --measure)"
    assert (found["count", "samples"], found["count", "frames"]) == ("1", "2")
    assert found["memory", "sys"] == "7,000"
    assert found["comment", ""] == "built by us"
    assert found["warning", ""] == "the file was cut short"


def test_of_labels_the_keys_are_told_and_never_the_values():
    table = raw(Question([profile()]))
    assert ("label", "tenant", "in 1 sets of labels") in table.rows
    assert "secret-customer" not in str(table.rows)


def test_a_heap_tells_how_much_of_everything_it_has():
    found = said(heap_dump("a:A*8!; b:B*4; lost:C*2; a -> b.f"))
    assert found["count", "objects"] == "3"
    assert found["held", "objects"] == "2"
    assert found["held", "references that hold"] == "strong"
    assert found["held", "bytes"] == "12 B"
