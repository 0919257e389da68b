"""Lines of source code with what they hold: only from directories that were given, and never from anywhere else."""

from pathlib import Path

import pytest
from test_laid_over import heap_dump, profile_dump

from caulk.analysis.dumps import Dump
from caulk.cli import carry_out
from caulk.formats.builder import ProfileBuilder
from caulk.model.errors import UsageError
from caulk.model.measure import Measure
from caulk.reports import Question
from caulk.reports.source import source
from caulk.symbols import sources
from caulk.symbols.sources import Sources
from caulk.views.pprof import encode


def dump(file: str = "/build/shop/cart.go", function: str = "shop.New") -> Dump:
    builder = ProfileBuilder(Measure("inuse_space", "bytes"))
    main, at3, at4 = builder.frame("main", "/build/main.go", 1), *(builder.frame(function, file, n) for n in (3, 4))
    builder.add([main, at3], [10])
    builder.add([main, at4, builder.frame("make", "", 0)], [70])
    return Dump("x.pb.gz", builder.build(format="pprof", runtime="go", kind="heap"))


def rows(found) -> list[dict]:
    return [dict(zip([heading.key for heading in found.headings], row, strict=True)) for row in found.rows]


def code(folder: Path, name: str, text: str = "one\ntwo\nthree\nfour\nfive\n") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_lines_stand_with_what_they_hold_and_with_their_neighbours(tmp_path):
    code(tmp_path, "shop/cart.go")
    found = rows(source(Question([dump()], pattern="New", sources=Sources([tmp_path]).find)))
    assert [(row["own"], row["total"], row["location"], row["source"]) for row in found] == [
        (None, None, "shop/cart.go:1", "one"),
        (None, None, "shop/cart.go:2", "two"),
        (10, 10, "shop/cart.go:3", "three"),
        (0, 70, "shop/cart.go:4", "four"),
        (None, None, "shop/cart.go:5", "five"),
    ]


def test_without_source_the_lines_are_told_by_their_numbers():
    table = source(Question([dump()], pattern="New"))
    assert [(row["own"], row["location"]) for row in rows(table)] == [
        (10, "/build/shop/cart.go:3"),
        (0, "/build/shop/cart.go:4"),
    ]
    assert "`--source DIR`" in table.notes[-1]


def test_of_a_function_without_lines_it_says_what_would_name_them():
    table = source(Question([dump()], pattern="make"))
    assert (list(table.rows), "`--binary PATH`" in table.notes[-1]) == ([], True)


def test_a_java_file_is_looked_for_in_the_folder_of_its_package(tmp_path):
    code(tmp_path, "Cart.java", "wrong\n" * 9)
    code(tmp_path, "com/shop/Cart.java")
    question = Question([dump("Cart.java", "com.shop.Cart.add")], pattern="add", sources=Sources([tmp_path]).find)
    assert rows(source(question))[2]["source"] == "three"


@pytest.mark.parametrize("file", ["../secret.go", "/etc/../../secret.go", "a\0b.go", "", "/", "x" * 5000])
def test_no_path_in_a_dump_leads_out_of_the_directory(tmp_path, file):
    code(tmp_path, "secret.go")
    inside = tmp_path / "src"
    inside.mkdir()
    assert Sources([inside]).find(file) is None


def test_a_link_out_of_the_directory_is_not_followed(tmp_path):
    secret, inside = code(tmp_path, "secret.go"), tmp_path / "src"
    inside.mkdir()
    (inside / "link.go").symlink_to(secret)
    (inside / "loop.go").symlink_to(inside / "loop.go")
    assert Sources([inside]).find("link.go") is None
    assert Sources([inside]).find("loop.go") is None
    assert Sources([tmp_path]).find("/x/link.go") is None, "only where the dump's path ends as the file's does"


def test_what_is_too_large_or_no_text_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "MAX_BYTES", 20)
    code(tmp_path, "large.go", "x" * 21)
    code(tmp_path, "binary.go", "a\0b")
    assert Sources([tmp_path]).find("large.go") is None
    assert Sources([tmp_path]).find("binary.go") is None


def test_links_lead_to_lines_whatever_a_file_is_called():
    url = "https://host/o/r/blob/v1/{file}#L{line}"
    found = rows(source(Question([dump('/b/"><script>.go')], pattern="New", source_url=url)))
    assert found[0]["link"] == "https://host/o/r/blob/v1/b/%22%3E%3Cscript%3E.go#L3"


@pytest.mark.parametrize("url", ["javascript:alert(1)//{file}", "https://host/x", "{file}"])
def test_only_addresses_of_the_web_are_links(url):
    with pytest.raises(UsageError, match="no address"):
        source(Question([dump()], source_url=url))


@pytest.mark.parametrize(
    ("asked", "pattern", "said"),
    [
        (dump(), "absent", "no function matches"),
        (dump(), "(", "not a regular expression"),
        (heap_dump("a:A*8!"), "", "not which lines allocate"),
        (profile_dump(("main", 1)), "", "names no lines"),
    ],
)
def test_what_has_no_lines_says_so(asked, pattern, said):
    with pytest.raises(UsageError, match=said):
        source(Question([asked], pattern=pattern))


def test_the_verb_reads_the_directories_it_is_given(tmp_path, capsysbinary):
    code(tmp_path, "src/shop/cart.go", "\tleak := make([]byte, 1)\n" * 9)
    path = tmp_path / "heap.pb.gz"
    path.write_bytes(encode(dump().profile))
    assert carry_out(["source", str(path), "New", "--source", str(tmp_path / "src")]) == 0
    assert b"leak := make" in capsysbinary.readouterr().out
    assert carry_out(["source", str(path), "--source", str(tmp_path / "absent")]) == 2
    assert carry_out(["raw", str(path)]) == 0
    assert b"inuse_space/bytes" in capsysbinary.readouterr().out
