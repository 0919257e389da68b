"""Folded stacks: read strictly enough not to take other text for them."""

import pytest
from readable import stacks

from caulk.formats import folded, read
from caulk.model.errors import MalformedDump
from caulk.model.measure import Measure


def test_the_last_space_parts_the_stack_from_its_number():
    assert stacks(folded.read(b"main;parse file;new 42\n")) == {("main", "parse file", "new"): 42}


def test_equal_stacks_add_up_and_numbers_may_be_negative():
    assert stacks(folded.read(b"a;b 5\na;b -7\na 1\n")) == {("a", "b"): -2, ("a",): 1}


def test_blank_lines_and_comments_are_nothing():
    profile = folded.read(b"# made by a script\n\na;b 5\r\n   \n")
    assert stacks(profile) == {("a", "b"): 5}
    assert profile.warnings == ()


def test_addresses_and_marks_that_google_pprof_appends_are_no_part_of_a_name():
    line = b"main<000000000000130d>;keep(int)<0000000000001b16>;std::vector<char>::grow()[inline] 5\n"
    assert stacks(folded.read(line)) == {("main", "keep(int)", "std::vector<char>::grow()"): 5}


def test_the_format_does_not_say_what_it_counts():
    profile = folded.read(b"a;b 5\n")
    assert profile.measures == (Measure("", ""),)
    assert (profile.kind, profile.measures[0].role) == ("unknown", "unknown")


@pytest.mark.parametrize(
    ("frame", "runtime"),
    [("read", "native"), ("poll (feed.py:12)", "cpython"), ("main.go:12", "go"), ("keep app.js:4", "node")],
)
def test_the_runtime_is_told_by_the_frames(frame, runtime):
    assert folded.read(f"root;{frame} 5\n".encode()).runtime == runtime


def test_lines_that_are_no_stack_are_left_out_and_counted():
    profile = folded.read(b"a;b 5\nwhat is this\na;;b 3\na; 2\n")
    assert stacks(profile) == {("a", "b"): 5}
    assert profile.coverage == 1 / 4
    assert "3 lines" in profile.warnings[0]


def test_a_last_line_without_an_end_is_doubted():
    profile = folded.read(b"a;b 5\na;c 12")
    assert stacks(profile) == {("a", "b"): 5, ("a", "c"): 12}
    assert "cut short" in profile.warnings[0]


def test_no_stack_at_all_is_an_error():
    with pytest.raises(MalformedDump, match="without a single stack"):
        folded.read(b"nothing here\n")


@pytest.mark.parametrize(
    "text", ["a;b 1\n", "a 1\nb 2\n", "x y;z 1\n", "# c\na;b 1\n", "a;b 1\r\nc 2\r\n", "a;b 1\nc -2"]
)
def test_stacks_are_recognised(text):
    assert folded.sniff(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "Error 404\n",
        "404 page not found\n",
        "the heap is 42\nbut prose ends otherwise; sometimes\n",
        "time,bytes\n1,2\n",
        "a;b;c\n1;2;3\n",
        "1700000000 123456\n1700000060 123999\n",
        "# TYPE go_goroutines gauge\ngo_goroutines 12\ngo_threads 8\n",
        "<html>\n<p>a;b 1\n",
        '{"a;b": 1}\n',
        "MemTotal: 12 kB\n",
        "a;b 1\n\0\n",
        "a;b 1.5\n",
        "2024-01-01 INFO started; took 5 ms\n",
    ],
)
def test_other_text_is_not_taken_for_stacks(text):
    assert not folded.sniff(text.encode())


def test_a_line_that_the_head_cuts_does_not_count_against_a_file():
    line = b"main;" + b"f" * 90 + b" 5\n"
    head = (line * 100)[:4096]
    assert folded.sniff(head)


def test_a_first_stack_may_be_longer_than_what_other_formats_are_known_by(tmp_path):
    path = tmp_path / "templates.folded"
    path.write_text(f"main;{'std::pair<int, ' * 500}int 7\nmain;short 5\n")
    assert sum(read(str(path)).tree.values[0]) == 12
    endless = "main;" + "x" * (folded.HEAD + 10)
    assert not folded.sniff(endless.encode()[: folded.HEAD])
    assert not folded.sniff(f"main() {{ {'a; ' * 3000} }}\n".encode())
