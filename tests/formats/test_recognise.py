"""Content decides what a dump is: exactly one format claims each, and strangers are named for what they are."""

from importlib import import_module

import pytest
from samples import SAMPLES

from caulk.formats import FORMATS, GRAPHS, read, read_source
from caulk.formats.source import Source
from caulk.model.errors import MalformedDump


def source(data: bytes, path: str = "dump") -> Source:
    return Source(path, data, len(data))


def claimed_by(head: bytes) -> list[str]:
    return [name for name in FORMATS if import_module(f"caulk.formats.{name}").sniff(head)]


def test_every_format_of_profiles_has_a_sample():
    assert {name.partition("/")[0] for name in SAMPLES} == set(FORMATS) - GRAPHS


@pytest.mark.parametrize("name", SAMPLES)
def test_exactly_one_format_claims_a_sample(name):
    assert claimed_by(SAMPLES[name][:4096]) == [name.partition("/")[0]]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_read_whole(name):
    profile = read_source(source(SAMPLES[name]))
    assert profile.format == import_module(f"caulk.formats.{name.partition('/')[0]}").NAME
    assert profile.coverage == 1.0
    assert len(profile.samples) > 0


@pytest.mark.parametrize(
    "name",
    ["heap.pb.gz", "heap.txt", "goroutine.pb.gz", "goroutine.txt", "goroutine.2.txt", "panic.txt", "threadcreate.txt"],
)
def test_real_dumps_of_go_are_claimed_by_one_format_under_any_name(name, go_dumps, tmp_path):
    (tmp_path / "wrong.heapsnapshot").write_bytes((go_dumps / name).read_bytes())
    profile = read(str(tmp_path / "wrong.heapsnapshot"))
    expected = {"gz": "pprof"}.get(name.rpartition(".")[2], "go-heap-text" if name == "heap.txt" else "go-goroutine")
    assert profile.format == expected
    if not name.endswith("gz"):
        assert len(claimed_by((go_dumps / name).read_bytes()[:4096])) == 1


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (b"<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>", "'502 Bad Gateway'"),
        (b"\n  <HTML><BODY><H1>Sign in &amp; go</H1>", "'Sign in & go'"),
        (b"<?xml version='1.0'?><html><title>\n Access denied\n</title>", "'Access denied'"),
        (b"<html><body>nothing to say", "an HTML page, not"),
    ],
)
def test_an_html_page_is_named_with_its_title(page, said):
    with pytest.raises(MalformedDump, match="HTML page") as error:
        read_source(source(page))
    assert said in str(error.value)
    assert "address" in error.value.hint


@pytest.mark.parametrize(
    "text",
    ["404 page not found\n", "Unknown profile\n", "profile not found\n", "Error 404\n", "pprof disabled", "OK\n"],
)
def test_the_text_of_a_server_s_error_is_quoted(text):
    with pytest.raises(MalformedDump, match=f"text that begins '{text.strip()}'"):
        read_source(source(text.encode()))


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\x7fELF\x02\x01\x01" + bytes(60), "core file"),
        (b"PK\x03\x04" + bytes(30), "zip archive"),
        (b"\x89PNG\r\n\x1a\n" + bytes(30), "picture"),
    ],
)
def test_what_people_hand_in_by_mistake_is_named(data, name):
    with pytest.raises(MalformedDump, match=name):
        read_source(source(data))


@pytest.mark.parametrize("data", [b"", b"   \n\t\n"])
def test_an_empty_file_is_said_to_be_empty(data):
    with pytest.raises(MalformedDump, match=r"is empty|white space") as error:
        read_source(source(data, "x.pb.gz"))
    assert "x.pb.gz" in str(error.value)
