"""The command line as people and scripts use it: output, exit codes, errors."""

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from caulk.cli import VERBS, carry_out
from caulk.formats.builder import ProfileBuilder
from caulk.model.measure import Measure
from caulk.reports import REPORTS
from caulk.views.pprof import encode

MB = 1 << 20


class Caulk(NamedTuple):
    """What a command line gave."""

    returncode: int
    stdout: str
    stderr: str


def process(*arguments: str | Path, stdin: bytes = b"") -> Caulk:
    """The command as a process of its own, for what is said of one: its code, its bytes, its stdin."""
    done = subprocess.run(
        [sys.executable, "-m", "caulk", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        check=False,
        timeout=180,
    )
    return Caulk(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture
def caulk(capfd: pytest.CaptureFixture[str]) -> Callable[..., Caulk]:
    """The command line, carried out within this process: most of a process's time is its imports."""

    def carried_out(*arguments: str | Path) -> Caulk:
        code = carry_out([str(each) for each in arguments])
        return Caulk(code, *capfd.readouterr())

    return carried_out


def heap(leaked: int, *, cached: int = 30 * MB) -> bytes:
    builder = ProfileBuilder(Measure("inuse_objects", "count"), Measure("inuse_space", "bytes"))
    main, serve = builder.frame("main.main", "/srv/main.go", 9), builder.frame("main.serve", "/srv/main.go", 20)
    builder.add([main, serve, builder.frame("main.newTicket", "/srv/main.go", 31)], (leaked // 1024, leaked))
    builder.add([main, builder.frame("main.load", "/srv/main.go", 40)], (10, cached))
    return encode(builder.build(format="test", runtime="go", kind="heap", default_measure=1))


@pytest.fixture
def leak(tmp_path: Path) -> list[Path]:
    """Five profiles of a program that leaks 10 MB between two of them."""
    paths = [tmp_path / f"{i}.pb.gz" for i in range(5)]
    for i, path in enumerate(paths):
        path.write_bytes(heap((i + 1) * 10 * MB))
    return paths


def test_a_leak_is_named_and_the_exit_code_says_so(leak):
    done = process("analyze", *leak)
    assert done.returncode == 1
    assert "LEAKING" in done.stdout
    assert "`main.newTicket` (main.go:31)" in done.stdout
    assert "main.main → main.serve → main.newTicket" in " ".join(done.stdout.split())
    assert done.stderr == ""


def test_exit_codes_can_be_lowered_and_taken_away(caulk, leak):
    assert caulk("analyze", "--exit-zero", *leak).returncode == 0
    assert caulk("analyze", leak[0]).returncode == 0
    assert caulk("analyze", "--fail-on", "suspect", leak[-1]).returncode == 1


def test_json_follows_the_published_schema(caulk, leak):
    found = json.loads(caulk("analyze", "-o", "json", *leak).stdout)
    schema = json.loads(caulk("schema").stdout)
    assert found["schema"] == "caulk.analysis/1"
    for part, name in ((found, "Analysis"), (found["findings"][0], "Finding"), (found["inputs"][0], "Input")):
        described = schema["$defs"][name]
        assert set(part) == set(described["properties"])
    assert found["findings"][0]["location"] == "/srv/main.go:31"


def test_the_same_files_give_the_same_bytes(leak):
    assert process("analyze", "-o", "json", *leak).stdout == process("analyze", "-o", "json", *leak).stdout


def test_stdin_is_a_file_too(leak):
    assert "main.load" in process("top", "-", stdin=leak[0].read_bytes()).stdout


@pytest.mark.parametrize("verb", ["top", "tree", "flame", "peek"])
def test_every_question_of_one_profile_is_answered_with_every_filter(caulk, leak, verb):
    shown = caulk(verb, leak[-1], "--focus", "serve", "--ignore", "absent", "--hide", "main.main", "--show", "main")
    assert shown.returncode == 0
    assert "main.newTicket" in shown.stdout
    assert "main.load" not in shown.stdout
    assert "main.main" not in shown.stdout


@pytest.mark.parametrize("verb", ["analyze", "suspects", "top", "tree", "flame", "peek", "diff"])
@pytest.mark.parametrize("output", ["table", "json", "html"])
def test_every_question_has_text_json_and_html(caulk, leak, verb, output):
    files = leak[:2] if verb == "diff" else leak[-1:]
    done = caulk(verb, *files, "-o", output)
    assert done.returncode == 0, done.stderr
    if output == "json":
        json.loads(done.stdout)
    else:
        assert "main.newTicket" in done.stdout


@pytest.mark.parametrize(("output", "marker"), [("folded", "main.main;main.load "), ("svg", "<svg")])
def test_trees_are_written_for_other_tools(caulk, leak, output, marker):
    assert marker in caulk("tree", leak[0], "-o", output).stdout


def test_out_writes_a_private_file_whose_suffix_is_the_format(leak, tmp_path):
    out = tmp_path / "report.html"
    assert process("analyze", "--exit-zero", *leak, "--out", out).stdout == ""
    assert out.read_text().startswith("<!doctype html>")
    assert out.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.glob(".report*")] == []


def test_a_difference_is_in_percent_of_the_growth(caulk, leak):
    table = json.loads(caulk("diff", leak[0], leak[1], "-o", "json").stdout)
    assert table["grown"] == 10 * MB
    assert table["rows"][0]["function"] == "main.newTicket"
    assert table["rows"][0]["share"] == 1.0


def test_survivors_of_three_dumps_are_what_came_with_the_second_and_stayed(caulk, leak):
    def survivors(*bases: Path) -> Caulk:
        return caulk(
            "top", leak[4], *(word for base in bases for word in ("--base", base)), "--survivors", "-o", "json"
        )

    table = json.loads(survivors(leak[0], leak[1]).stdout)
    first = table["rows"][0]
    assert (first["function"], first["flat"]) == ("main.newTicket", 10 * MB)
    assert table["total"] == 10 * MB
    done = survivors(leak[0])
    assert (done.returncode, "three dumps" in done.stderr) == (2, True)


def test_peek_shows_callers_and_callees(caulk, leak):
    rows = json.loads(caulk("peek", leak[0], "serve", "-o", "json").stdout)["rows"]
    assert [(row["relation"], row["function"]) for row in rows] == [
        ("caller", "main.main"),
        ("self", "main.serve"),
        ("callee", "main.newTicket"),
    ]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("empty.pb.gz", b"", "is empty"),
        ("page.pb.gz", b"<!DOCTYPE html><html><title>404 Not Found</title>", "HTML page ('404 Not Found')"),
        ("zeros.pb.gz", gzip.compress(bytes(1000)), "not in a format"),
        ("cut.pb.gz", heap(MB)[:40], "cut short"),
        ("text.pb.gz", b"404 page not found\n", "text that begins '404 page not found'"),
    ],
    ids=["empty", "html", "zeros", "cut", "text"],
)
def test_a_bad_dump_is_exit_code_5_and_says_what_it_is(caulk, tmp_path, name, data, said):
    path = tmp_path / name
    path.write_bytes(data)
    done = caulk("analyze", path)
    assert done.returncode == 5
    assert said in done.stderr
    assert name in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("analyze",),
        ("nonsense",),
        ("top", "x", "--limit", "many"),
        ("top", "--focus", "(", "FILE"),
        ("top", "FILE", "--measure", "absent"),
        ("top", "FILE", "--out", "x.unknown"),
        ("analyze", "FILE", "--at", "yesterday"),
        ("top", "FILE", "-o", "pprof"),
    ],
)
def test_a_wrong_command_line_is_exit_code_2(caulk, leak, arguments):
    done = caulk(*(leak[0] if a == "FILE" else a for a in arguments))
    assert done.returncode == 2
    assert done.stderr.startswith("caulk: ")
    assert "Traceback" not in done.stderr


def test_colour_is_only_for_terminals(leak):
    assert "\x1b" not in process("analyze", *leak).stdout


def test_the_version_is_answered_before_anything_is_imported():
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "caulk", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("caulk ")
    assert "cyclopts" not in done.stderr


def test_a_small_file_needs_neither_numpy_nor_rich(leak):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "caulk", "analyze", "--exit-zero", *leak],
        capture_output=True,
        text=True,
        check=True,
    )
    modules = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert not modules & {"numpy", "rich", "msgspec", "httpx2"}


def test_every_report_is_a_verb_with_the_same_summary():
    verbs = {name: summary for name, _, summary in VERBS}
    assert {row.name: row.summary for row in REPORTS}.items() <= verbs.items()


def test_hostile_names_do_not_steer_the_terminal(caulk, tmp_path):
    builder = ProfileBuilder(Measure("inuse_space", "bytes"))
    builder.add([builder.frame("\x1b[2Jmain\x07\u202egnp", "/x\n.go", 1)], (10,))
    path = tmp_path / "hostile.pb.gz"
    path.write_bytes(encode(builder.build(format="test", runtime="go", kind="heap")))
    for verb in ("analyze", "top", "tree", "flame", "peek"):
        shown = caulk(verb, path).stdout
        assert not set(shown) & {"\x1b", "\x07", "\u202e"}
