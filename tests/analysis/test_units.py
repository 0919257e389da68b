"""Amounts carry their unit: what is judged by counts is not shown as bytes."""

from stacks_dsl import heap

from caulk.analysis.analyse import analyse
from caulk.analysis.dumps import Dump
from caulk.model.units import format_share, format_value


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
