"""Amounts carry their unit: what is judged by counts is not shown as bytes."""

import pytest
from stacks_dsl import heap

from caulk.analysis.analyse import analyse
from caulk.analysis.dumps import Dump
from caulk.model.units import format_share, format_value, parse_bytes


def test_judging_by_objects_gives_objects():
    dumps = [Dump(str(n), heap(f"main.a {n}x{n * 1000}; main.b 9x9")) for n in range(1, 6)]
    finding = analyse(dumps, measure="inuse_objects").findings[0]
    assert finding.unit == "count"
    assert (finding.bytes, finding.growth_bytes) == (0, None)
    assert (finding.count, finding.growth_count) == (5000, 4000)
    assert finding.series == (1000, 2000, 3000, 4000, 5000)


def test_bytes_are_read_as_in_pprof():
    assert [format_value(n, "bytes") for n in (0, 1023, 1024, 1536 << 10, 5 << 30)] == [
        "0 B",
        "1023 B",
        "1.00 kB",
        "1.50 MB",
        "5.00 GB",
    ]
    assert format_value(-2048, "bytes") == "-2.00 kB"
    assert format_value(2048, "bytes", signed=True) == "+2.00 kB"


def test_shares_never_round_a_trace_to_nothing():
    assert [format_share(s) for s in (0, 0.0004, 0.05, 0.573, 1)] == ["0.0 %", "<0.1 %", "5.0 %", "57 %", "100 %"]


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("2G", 2 << 30), ("2g", 2 << 30), ("2 GB", 2 << 30), ("2GiB", 2 << 30), ("512M", 512 << 20), ("1.5k", 1536),
        ("4096", 4096), ("4096B", 4096), ("1T", 1 << 40), ("0", 0),
    ],
)  # fmt: skip
def test_a_size_has_units_of_1024(text, size):
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "G", "-1", "1e3", "2X", "2Gi3", "1,5G", "²", "١G"])
def test_what_is_no_size_is_not_guessed(text):
    with pytest.raises(ValueError, match="is not a size"):
        parse_bytes(text)


@pytest.mark.parametrize("size", [100, 1 << 10, 3 << 20, 5 << 30])
def test_what_is_written_can_be_read(size):
    assert parse_bytes(format_value(size, "bytes")) == size
