"""Index files: what comes back is what was written, or nothing at all."""

import os
from array import array
from dataclasses import dataclass

import pytest

from caulk.store import index


@dataclass(frozen=True)
class Described:
    names: list[str]
    large: dict[int, int]


DESCRIBED = Described(["a", "\N{SNOWMAN}"], {3: 5 << 32})
COLUMNS = {
    "type": array("i", [1, -2, 3]),
    "size": array("I", [7] * 100),
    "kind": array("B", b"xyz"),
    "none": array("q"),
}


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "cache" / "a.index"
    index.write(path, DESCRIBED, dict(COLUMNS))
    return path


def test_columns_and_description_come_back(written):
    found = index.load(written, Described)
    assert found is not None
    assert found[0] == DESCRIBED
    assert {name: (view.format, list(view)) for name, view in found[1].items()} == {
        name: (column.typecode, list(column)) for name, column in COLUMNS.items()
    }


def test_a_mapped_column_can_be_written_again(written, tmp_path):
    _, columns = index.load(written, Described)
    index.write(tmp_path / "b.index", DESCRIBED, columns)
    assert (tmp_path / "b.index").read_bytes() == written.read_bytes()


def test_an_index_is_the_owners_alone_and_leaves_nothing_beside_it(written):
    assert oct(written.stat().st_mode & 0o777) == "0o600"
    assert [file.name for file in written.parent.iterdir()] == ["a.index"]


def test_a_cut_or_damaged_index_is_none(written, tmp_path):
    whole = written.read_bytes()
    damaged = tmp_path / "damaged.index"
    last = whole.rstrip(b"\0")
    for length in range(0, len(last), 7):
        damaged.write_bytes(whole[:length])
        assert index.load(damaged, Described) is None
    damaged.write_bytes(whole.replace(b'"i"', b'"Z"', 1))
    assert index.load(damaged, Described) is None
    damaged.write_bytes(whole.replace(b'"names"', b'"namen"', 1))
    assert index.load(damaged, Described) is None


def test_the_key_changes_with_the_dump_and_with_what_else_the_answers_depend_on(tmp_path):
    dump = tmp_path / "dump"
    dump.write_bytes(bytes(1_000_000))
    key = index.key_of(dump, "1")
    assert key == index.key_of(dump, "1")
    assert key != index.key_of(dump, "2")
    dump.write_bytes(bytes(999_999) + b"x")
    assert key != index.key_of(dump, "1")


def test_the_longest_unused_index_goes_first(tmp_path, monkeypatch):
    index.write(tmp_path / "a.index", DESCRIBED, dict(COLUMNS))
    size = (tmp_path / "a.index").stat().st_size
    index.write(tmp_path / "b.index", DESCRIBED, dict(COLUMNS))
    monkeypatch.setattr(index, "MOST_BYTES", 2 * size)
    os.utime(tmp_path / "a.index", (1, 1))
    os.utime(tmp_path / "b.index", (2, 2))
    assert index.load(tmp_path / "a.index", Described)
    index.write(tmp_path / "c.index", DESCRIBED, dict(COLUMNS))
    assert sorted(file.name for file in tmp_path.glob("*.index")) == ["a.index", "c.index"]


def test_columns_lie_in_the_index_once_they_are_written(tmp_path):
    columns = dict(COLUMNS)
    index.write(tmp_path / "a.index", DESCRIBED, columns)
    assert all(isinstance(column, memoryview) and column.readonly for column in columns.values())
    assert {name: list(column) for name, column in columns.items()} == {
        name: list(column) for name, column in COLUMNS.items()
    }


def test_columns_stay_whole_where_writing_breaks_off(tmp_path):
    columns, calls = dict(COLUMNS), []

    def going() -> None:
        calls.append(len(calls))
        if len(calls) == 3:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        index.write(tmp_path / "a.index", DESCRIBED, columns, going=going)
    assert list(tmp_path.iterdir()) == []
    assert {name: list(column) for name, column in columns.items()} == {
        name: list(column) for name, column in COLUMNS.items()
    }
