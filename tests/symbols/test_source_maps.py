"""Bundles are shown as their source has them: profiles and snapshots of Node.js, by source maps."""

import json
import subprocess
from collections import Counter
from pathlib import Path

import bundles
import pytest

from caulk import app
from caulk.analysis.dumps import Dump
from caulk.model.errors import UsageError
from caulk.model.original import Written
from caulk.symbols.mappings import Mappings
from caulk.symbols.source_maps import read_map


def loaded(dump: Path, *mappings: Path) -> Dump:
    [found] = app.load([str(dump)], reading=app.Reading(mappings=mappings))
    return found


@pytest.fixture(scope="module")
def dumps(node, tmp_path_factory) -> dict[str, Path]:
    """A bundle that ran, in `dist`, and its profile and snapshot elsewhere."""
    home = tmp_path_factory.mktemp("bundled")
    bundle = bundles.write(home / "dist", end=f"require('v8').writeHeapSnapshot({str(home / 'b.heapsnapshot')!r});")
    switches = ("--heap-prof", "--heap-prof-interval=512", f"--heap-prof-dir={home}", "--heap-prof-name=b.heapprofile")
    subprocess.run([node, *switches, bundle], check=True, capture_output=True, timeout=120, cwd=home)
    return {"dist": bundle.parent, "profile": home / "b.heapprofile", "snapshot": home / "b.heapsnapshot"}


def functions(dump: Dump) -> set[tuple[str, str, int]]:
    frames = dump.profile.frames
    return {
        (frames.function_name(i), Path(frames.file_name(i)).name, frames.line[i])
        for i in range(len(frames))
        if "node:" not in frames.file_name(i)
    }


def test_functions_of_a_profile_have_name_file_and_line_of_the_source(dumps):
    found = functions(loaded(dumps["profile"], dumps["dist"]))
    assert {("put", "cache.ts", 11), ("Quote", "cache.ts", 3), ("remember", "cache.ts", 7)} <= found
    assert not {name for name, file, _ in found if file == "bundle.cjs"} - {"bundle.cjs:1"}


def test_the_map_alone_names_functions_by_the_forms_that_minifiers_write(dumps, tmp_path):
    alone = tmp_path / "bundle.cjs.map"
    alone.write_bytes((dumps["dist"] / "bundle.cjs.map").read_bytes())
    found = functions(loaded(dumps["profile"], alone))
    assert {("put", "cache.ts", 11), ("Quote", "cache.ts", 3), ("remember", "cache.ts", 7)} <= found


def test_without_a_map_the_names_of_the_bundle_stay_and_nothing_is_said(dumps):
    dump = loaded(dumps["profile"])
    assert {"s", "n", "m"} <= {name for name, file, _ in functions(dump) if file == "bundle.cjs"}
    assert not any("map" in text for text in (*dump.profile.comments, *dump.profile.warnings))


def test_a_map_beside_the_dump_is_found_and_said_once(dumps, tmp_path):
    for path in (dumps["profile"], dumps["dist"] / "bundle.cjs.map"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    dump = loaded(tmp_path / "b.heapprofile")
    assert ("put", "cache.ts", 11) in functions(dump)
    [said] = [text for text in dump.profile.comments if "bundle.cjs" in text]
    assert "bundle.cjs.map" in said
    assert not dump.profile.warnings


def test_classes_functions_and_variables_of_a_snapshot_are_those_of_the_source(dumps):
    heap = loaded(dumps["snapshot"], dumps["dist"]).heap
    assert heap
    graph = heap.graph
    types = Counter(graph.type)
    counts = {
        graph.types.name[number]: count
        for number, count in types.items()
        if graph.types.name[number] in {"Quote", "Bare", "n", "p"} and graph.types.kind[number] == "object"
    }
    assert counts == {"Quote": 4000, "Bare": 4000}
    assert graph.types.owner[graph.types.name.index("Quote")].endswith("/src/cache.ts")
    assert {text.rpartition("/")[2] for text in graph.strings if "cache.ts" in text} >= {"cache.ts:7", "cache.ts:11"}
    assert any(text.startswith("remember ") for text in graph.strings)
    [cache] = {
        reference.target
        for number in range(len(graph))
        for reference in graph.references(number)
        if str(reference.label) == "variable quoteCache"
    }
    assert graph.type_name(cache) == "Map"


def test_without_the_bundle_beside_its_map_variables_keep_their_names(dumps, tmp_path):
    alone = tmp_path / "bundle.cjs.map"
    alone.write_bytes((dumps["dist"] / "bundle.cjs.map").read_bytes())
    heap = loaded(dumps["snapshot"], alone).heap
    assert heap
    assert "variable f" in {str(label) for label in heap.graph.labels}
    assert "variable quoteCache" not in {str(label) for label in heap.graph.labels}
    assert "Quote" in heap.graph.types.name


def test_a_map_of_another_bundle_is_said_to_be_of_no_use(dumps, tmp_path):
    other = bundles.write(tmp_path, name="other.js")
    dump = loaded(dumps["profile"], other.with_name("other.js.map"))
    [warning] = dump.profile.warnings
    assert "other.js.map" in warning
    assert "bundle.cjs" in warning


def test_a_map_under_another_name_is_of_the_bundle_that_it_says(dumps, tmp_path):
    _, map = bundles.bundle(bundles.PROGRAM, file="bundle.cjs")
    (tmp_path / "build-17.map").write_text(json.dumps(map))
    assert ("put", "cache.ts", 11) in functions(loaded(dumps["profile"], tmp_path / "build-17.map"))


def test_of_two_bundles_of_one_name_the_directory_decides(tmp_path):
    for name, source in (("one", "../src/one.ts"), ("two", "../src/two.ts")):
        text, map = bundles.bundle("function «a first 1»(){}", source)
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.js").write_text(text)
        (tmp_path / name / "index.js.map").write_text(json.dumps(map))
    mappings = Mappings([tmp_path])
    script = mappings.script("file:///srv/two/index.js?v=3")
    assert script
    assert script.at(0, 10, "a") == Written("first", "/srv/src/two.ts", 1)
    assert mappings.script("/elsewhere/index.js") is None
    assert any("one" in warning and "two" in warning for warning in mappings.warnings)


def written(path: Path, **document: object) -> Path:
    path.write_text(json.dumps({"version": 3, **document}))
    return path


def test_a_line_without_a_column_is_that_of_its_first_segment(tmp_path):
    map = read_map(
        written(
            tmp_path / "a.js.map",
            sources=["a.ts"],
            names=[],
            mappings=f"{bundles.vlq(0)},{bundles.vlq(4, 0, 6, 0)};;{bundles.vlq(2, 0, 1, 0)}",
        )
    )
    script = map.of("/srv/a.js")
    assert script.at(0, None, "f") == Written("f", "/srv/a.ts", 7)
    assert script.at(1, None, "f") is None
    assert script.at(2, None, "f") == Written("f", "/srv/a.ts", 8)
    assert script.at(0, 2, "f") is None, "the first segment has no source"
    assert script.at(99, 0, "f") is None


def test_sections_of_an_index_map_begin_at_their_offset(tmp_path):
    _, inner = bundles.bundle("function «a first 1»(){}")
    sections = [
        {"offset": {"line": 1, "column": 100}, "map": inner},
        {"offset": {"line": 0, "column": 0}, "map": inner},
        {"offset": {"line": 5, "column": 0}, "url": "https://example.com/a.map"},
    ]
    script = read_map(written(tmp_path / "i.js.map", sections=sections)).of("/srv/dist/i.js")
    assert script.at(0, 10, "a") == Written("first", "/srv/src/cache.ts", 1)
    assert script.at(1, 110, "a") == Written("first", "/srv/src/cache.ts", 1)
    assert script.at(1, 20, "a") != script.at(1, 110, "a")


@pytest.mark.parametrize(
    ("source", "root", "url", "path"),
    [
        ("../src/a.ts", None, "/srv/dist/b.js", "/srv/src/a.ts"),
        ("../src/a.ts", None, "file:///srv/my%20app/b.js", "/srv/src/a.ts"),
        ("a.ts", "../src/", "/srv/dist/b.js", "/srv/src/a.ts"),
        ("webpack://shop/./src/a.ts", None, "/srv/dist/b.js", "src/a.ts"),
        ("webpack://shop/node_modules/x/a.js", "", "/srv/b.js", "node_modules/x/a.js"),
        ("../src/a.ts", None, "https://example.com/js/b.js", "https://example.com/src/a.ts"),
        ("/abs/a.ts", "ignored", "/srv/b.js", "/abs/a.ts"),
    ],
)
def test_sources_are_named_as_seen_from_the_bundle(source, root, url, path, tmp_path):
    map = written(tmp_path / "b.js.map", sources=[source], sourceRoot=root, mappings=bundles.vlq(0, 0, 0, 0))
    found = read_map(map).of(url).at(0, 0, "f")
    assert found
    assert found.file == path


@pytest.mark.parametrize(
    "text",
    [
        '{"version":3,"mappings":"A*A"}',
        '{"version":3,"mappings":"AA"}',
        '{"version":3,"mappings":"' + "g" * 100 + 'A"}',
        '{"version":3,"mappings":"//////H"}',
        '{"version":3,"mappings":"D"}',
        '{"version":3,"mappings":"AAAAAA"}',
        '{"version":3,"mappings":7}',
        '{"version":2,"mappings":""}',
        '{"version":3,"sections":[{"offset":{"line":-1,"column":0},"map":{"mappings":""}}]}',
        '{"version":3,"sections":[{"offset":{"line":0}}]}',
        "[" * 100_000,
        '{"version":3,"sections":' + '[{"map":{"sections":' * 50_000,
        '{"version":3,"mappings":"AAAA',
        "{}}",
        "",
    ],
    ids=range(15),
)
def test_what_is_no_source_map_is_an_error_that_says_so(text, tmp_path):
    path = tmp_path / "bad.js.map"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"bad\.js\.map is not a source map"):
        read_map(path)


def test_a_bad_map_beside_a_dump_leaves_the_dump_readable(dumps, tmp_path):
    (tmp_path / "b.heapprofile").write_bytes(dumps["profile"].read_bytes())
    (tmp_path / "bundle.cjs.map").write_text('{"version":3,"mappings":"*"}')
    (tmp_path / "program.map").write_text("Archive member included to satisfy reference")
    dump = loaded(tmp_path / "b.heapprofile")
    assert "s" in {name for name, _, _ in functions(dump)}
    [warning] = dump.profile.warnings
    assert "bundle.cjs.map" in warning


def test_numbers_beyond_sources_and_names_name_nothing(tmp_path):
    map = written(
        tmp_path / "a.js.map",
        sources=["a.ts"],
        names=["x"],
        mappings=bundles.mappings([(0, 9, 0, 0, 0), (9, 0, 0, 0, 9)]),
    )
    script = read_map(map).of("/a.js")
    assert script.at(0, 0, "f") is None
    assert script.at(0, 20, "f") == Written("f", "/a.ts", 1)


def test_columns_count_utf_16_units(tmp_path):
    text, map = bundles.bundle("let «x café 1»='😀😀é';function «a first 2»(){}")
    (tmp_path / "u.js").write_text(text)
    # As a bundler counts: one more for each character beyond 16 bits.
    before = text.index("a()")
    rows = [(0, 0, 0, 0), (before + 2, 0, 1, 0, 1)]
    path = written(tmp_path / "u.js.map", sources=["u.ts"], names=map["names"], mappings=bundles.mappings(rows))
    script = read_map(path).of("/u.js")
    assert script.at(0, before + 3, "a") == Written("first", "/u.ts", 2)
    assert script.variable("a") == "first"
