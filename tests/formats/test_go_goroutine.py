"""Goroutines as text: counted (debug=1), one by one (debug=2), and in a panic."""

import pytest
from readable import rows, stacks
from samples import GOROUTINES, TRACEBACK

from caulk.formats import go_goroutine, read
from caulk.model.errors import MalformedDump
from caulk.model.label import Label
from caulk.model.measure import Measure

POLL = ("main.(*Feed).poll", "/src/feed.go", 88)


def goroutine(head: str, *lines: str) -> bytes:
    return "\n".join([f"goroutine 7 [{head}]:", *lines, ""]).encode()


def labels_of(data: bytes) -> dict[str, Label]:
    (row,) = rows(go_goroutine.read(data))
    return {label.key: label for label in row[1]}


def test_counted_stacks_have_counts_and_labels():
    profile = go_goroutine.read(GOROUTINES)
    assert rows(profile) == [
        ((POLL,), (), (7,)),
        (
            (("main.main.func3.1", "/src/main.go", 46),),
            (Label("request", 'a"b\x01'), Label("tenant", "é")),
            (1,),
        ),
    ]
    assert profile.measures == (Measure("goroutine", "count"),)
    assert (profile.kind, profile.runtime, profile.coverage) == ("goroutine", "go", 1.0)


def test_a_counted_text_that_was_cut_has_the_coverage_of_its_total():
    profile = go_goroutine.read(GOROUTINES[: GOROUTINES.index(b"\n1 @") + 1])
    assert profile.coverage == 7 / 8
    assert "7 of 8 goroutines" in profile.warnings[0]


def test_threads_that_were_created_are_counted_the_same_way():
    profile = go_goroutine.read(b"threadcreate profile: total 6\n6 @ 0x0\n#\t0x0\n\n")
    assert (profile.kind, profile.tree.total(0)) == ("threadcreate", 6)


def test_equal_goroutines_of_a_traceback_are_counted_together_with_state_wait_and_creator():
    profile = go_goroutine.read(TRACEBACK)
    assert rows(profile)[1] == (
        (POLL,),
        (
            Label("state", "chan receive"),
            Label("wait", number=412, unit="minutes"),
            Label("created by", "main.openFeed"),
            Label("created at", "/src/feed.go:70"),
        ),
        (2,),
    )
    assert profile.tree.total(0) == 4
    assert profile.warnings == ()


def test_a_stack_with_elided_frames_says_so_where_they_were():
    assert ("main.main.func1", "(frames elided)", "main.deep") in stacks(go_goroutine.read(TRACEBACK))


@pytest.mark.parametrize(
    ("head", "labels"),
    [
        ("running", {"state": "running"}),
        ("select (no cases)", {"state": "select (no cases)"}),
        ("chan receive (nil chan), 3 minutes", {"state": "chan receive (nil chan)", "wait": ""}),
        (
            "sync.Mutex.Lock, 2 minutes, locked to thread",
            {"state": "sync.Mutex.Lock", "wait": "", "locked": "to thread"},
        ),
        ("sleep, synctest bubble 3", {"state": "sleep"}),
        ('IO wait, 9 minutes labels:{"a, b": "c\\n"}', {"state": "IO wait", "wait": "", "a, b": "c\n"}),
    ],
)
def test_the_brackets_of_a_goroutine_become_labels(head, labels):
    found = labels_of(goroutine(head, "main.f()", "\t/f.go:1 +0x1"))
    assert {key: label.text for key, label in found.items()} == labels


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("main.f()", "main.f"),
        ("main.f(0xc000012345, {0x1?, 0x2}, ...)", "main.f"),
        ("main.f(...)", "main.f"),
        ("main.(*Feed).poll(0x0?)", "main.(*Feed).poll"),
        ("main.(*List[...]).Add(0x1)", "main.(*List[...]).Add"),
        ("main.(*Feed).poll.func1.2()", "main.(*Feed).poll.func1.2"),
        ("gopkg.in/yaml%2ev3.(*parser).peek(...)", "gopkg.in/yaml%2ev3.(*parser).peek"),
    ],
)
def test_functions_lose_their_arguments_and_nothing_else(call, name):
    assert stacks(go_goroutine.read(goroutine("running", call, "\t/f.go:1 +0x1"))) == {(name,): 1}


@pytest.mark.parametrize("creator", ["main.openFeed in goroutine 1", "main.openFeed"])
def test_the_creator_is_known_with_and_without_its_number(creator):
    found = labels_of(goroutine("running", "main.f()", "\t/f.go:1", f"created by {creator}", "\t/g.go:2 +0x3"))
    assert (found["created by"].text, found["created at"].text) == ("main.openFeed", "/g.go:2")


def test_a_goroutine_whose_stack_is_not_available_counts():
    data = goroutine("running", "\tgoroutine running on other thread; stack unavailable", "created by a.b", "\t/g.go:2")
    assert stacks(go_goroutine.read(data)) == {("(stack unavailable)",): 1}
    assert labels_of(data)["created by"].text == "a.b"


def test_frames_of_other_languages_are_kept():
    data = goroutine("syscall", "non-Go function at pc=4a", "runtime.cgocall(0x1)", "\t/c.go:1 +0x1")
    assert stacks(go_goroutine.read(data)) == {("runtime.cgocall", "non-Go function"): 1}


def test_a_crash_with_pointers_in_its_heads_is_read():
    data = (
        b"SIGQUIT: quit\nPC=0x47\n\ngoroutine 0 gp=0x5fa500 m=0 mp=0x5fb2a0 [idle]:\n"
        b"runtime.futex(0x1)\n\t/futex.s:5 fp=0x1 sp=0x2 pc=0x3\n\nrax    0x0\n"
    )
    assert rows(go_goroutine.read(data)) == [((("runtime.futex", "/futex.s", 5),), (Label("state", "idle"),), (1,))]


@pytest.mark.parametrize("line", ['# labels: {"a\\' + '"a\\' * 500_000, "# labels: {" + '"' * 1_000_000])
def test_a_line_of_quotes_is_read_once_and_not_once_a_quote(line):
    data = GOROUTINES.replace(b"# labels: {", line.encode() + b"\n# labels: {")
    assert go_goroutine.read(data).tree.total(0) == 8


def test_a_traceback_cut_in_a_line_says_so():
    assert "cut short" in go_goroutine.read(TRACEBACK[:-9]).warnings[0]


def test_a_traceback_without_a_goroutine_is_an_error():
    with pytest.raises(MalformedDump, match="without a whole goroutine"):
        go_goroutine.read(b"goroutine 1 [running")


def test_all_texts_of_a_real_program_count_what_its_protobuf_counts(go_dumps):
    proto, counted, each = (
        read(str(go_dumps / name)) for name in ("goroutine.pb.gz", "goroutine.txt", "goroutine.2.txt")
    )
    assert proto.tree.total(0) == counted.tree.total(0) == each.tree.total(0) == 11
    for profile in (proto, counted, each):
        assert profile.kind == "goroutine"
        assert own(stacks(profile))[("main.(*feed).poll",)] == 7, profile.format
    # Both have whole stacks; only the protobuf has the runtime's frames at their inner ends, where goroutines wait.
    assert own(stacks(counted)) == own(stacks(proto))
    created = {label.text for labels in each.label_sets for label in labels if label.key == "created by"}
    assert {"main.openFeeds", "main.main"} <= created
    assert any("(frames elided)" in stack for stack in stacks(each))
    (labels,) = (labels for labels in counted.label_sets if labels)
    assert labels == (Label("request", 'a"b\n\x01'), Label("tenant", "é"))
    assert labels in proto.label_sets


def own(found):
    """Stacks without the runtime's frames."""
    kept = {}
    for stack, count in found.items():
        names = tuple(name for name in stack if not name.startswith(("runtime.", "internal/runtime/")))
        kept[names] = kept.get(names, 0) + count
    return kept


def test_a_real_panic_is_read(go_dumps):
    assert stacks(read(str(go_dumps / "panic.txt"))) == {("main.main",): 1}


def test_created_threads_of_a_real_program_agree(go_dumps):
    proto, counted = read(str(go_dumps / "threadcreate.pb.gz")), read(str(go_dumps / "threadcreate.txt"))
    assert proto.kind == counted.kind == "threadcreate"
    assert proto.tree.total(0) == counted.tree.total(0) > 0
