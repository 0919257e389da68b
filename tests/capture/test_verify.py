"""Whatever was cut from a dump's end is noticed."""

import gzip
import pickle
import struct
from pathlib import Path

import pytest

from caulk.capture.verify import fault


def hprof() -> bytes:
    head = b"JAVA PROFILE 1.0.2\0" + struct.pack(">IQ", 8, 0)
    text = b"\1" + struct.pack(">II", 0, 12) + b"idididid" + b"name"
    segment = b"\x1c" + struct.pack(">II", 0, 9) + b"\xff" + b"idididid"
    return head + text + segment + b"\x2c" + struct.pack(">II", 0, 0)


WHOLE = {
    "hprof": hprof(),
    "heapsnapshot": b'{"snapshot":{},"strings":["a"]}\n',
    "tracemalloc": pickle.dumps({"traces": [1, 2, 3]}),
    "cpython-graph": b"\x89CGRAPH\n" + b"\0" * 40 + b"END!" + struct.pack("<IQQQQ", 0, 24, 1, 2, 3),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_dump_has_no_fault_and_every_cut_one_has(tmp_path: Path, name: str, packed: bool):
    data = gzip.compress(WHOLE[name], mtime=0) if packed else WHOLE[name]
    path = tmp_path / "dump"
    path.write_bytes(data)
    assert fault(path, name) == ""
    end = len(data.rstrip())
    for cut in range(end):
        path.write_bytes(data[:cut])
        assert fault(path, name), cut


def test_a_damaged_gzip_is_noticed_by_its_checksum(tmp_path: Path):
    data = bytearray(gzip.compress(b"profile" * 1000, mtime=0))
    data[-5] ^= 1
    path = tmp_path / "heap.pb.gz"
    path.write_bytes(data)
    assert "gzip" in fault(path, "pprof")


def test_a_dump_that_is_still_written_is_not_whole_although_its_bytes_look_like_an_end(tmp_path: Path):
    path = tmp_path / "half.hprof"
    # The segment has no length yet, so what is in it is taken for records.
    half = hprof()[:31] + b"\x1c" + bytes(8) + b"\x2c" + bytes(8) + b"\x21" * 100
    path.write_bytes(half)
    assert "bytes follow" in fault(path, "hprof")
