"""What holds for every format of object graphs: content decides which, a whole dump is read whole, a cut one is not."""

import gzip
import mmap
import zlib
from importlib import import_module

import pytest
from backports import zstd
from graph_samples import SAMPLES
from hprofs import BYTE, Hprof
from valid import check

from caulk.formats import FORMATS, GRAPHS, read_source, snapshot
from caulk.formats.source import Source, open_source
from caulk.model.errors import MalformedDump
from caulk.model.graph import ObjectGraph

NAMES = pytest.mark.parametrize("name", SAMPLES)


def read(name: str, data: bytes | mmap.mmap) -> ObjectGraph:
    return import_module(f"caulk.formats.{name.partition('/')[0]}").read(data)


def columns(graph: ObjectGraph) -> list[list[int]]:
    return [list(column) for column in (graph.type, graph.size, graph.first, graph.target, graph.label)]


def test_every_format_of_graphs_has_a_sample():
    assert {name.partition("/")[0] for name in SAMPLES} == GRAPHS


@NAMES
def test_exactly_one_format_claims_a_sample(name):
    head = SAMPLES[name][:4096]
    claimed = [name for name in FORMATS if import_module(f"caulk.formats.{name}").sniff(head)]
    assert claimed == [name.partition("/")[0]]


@NAMES
def test_a_sample_is_read_whole(name):
    graph = snapshot(Source("dump", SAMPLES[name], len(SAMPLES[name])))
    assert graph.format == import_module(f"caulk.formats.{name.partition('/')[0]}").NAME
    assert graph.coverage == 1.0
    assert graph.warnings == ()
    assert len(graph) > 10
    check(graph)


@NAMES
def test_a_sample_is_no_profile(name):
    with pytest.raises(MalformedDump, match="heap dump") as error:
        read_source(Source("dump", SAMPLES[name], len(SAMPLES[name])))
    assert "caulk" in error.value.hint


@NAMES
def test_a_sample_cut_at_any_byte_is_an_error_or_less_than_whole(name):
    data = SAMPLES[name]
    parts = 0
    for length in range(len(data)):
        try:
            graph = read(name, data[:length])
        except MalformedDump as error:
            assert error.hint
            continue
        parts += 1
        assert graph.coverage < 1
        assert graph.warnings
        check(graph)
    assert parts > len(data) // 8


@NAMES
def test_a_sample_reads_the_same_from_a_mapped_file(name, tmp_path):
    (tmp_path / "dump").write_bytes(SAMPLES[name])
    with (tmp_path / "dump").open("rb") as file:
        graph = read(name, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    assert columns(graph) == columns(read(name, SAMPLES[name]))


@NAMES
@pytest.mark.parametrize("suffix", ["gz", "zst"])
def test_a_compressed_sample_reads_the_same(name, suffix, tmp_path):
    data = SAMPLES[name]
    path = tmp_path / f"dump.{suffix}"
    path.write_bytes(gzip.compress(data) if suffix == "gz" else zstd.compress(data))
    graph = snapshot(open_source(str(path)))
    assert columns(graph) == columns(read(name, data))
    assert graph.coverage == 1.0


def jdk_gzip(data: bytes, block: int) -> bytes:
    """What `jcmd GC.heap_dump -gz=1` writes: a member each block, the first with the block's size as its comment."""
    out = b""
    for at in range(0, len(data), block):
        packer = zlib.compressobj(1, zlib.DEFLATED, -15)
        body = packer.compress(data[at : at + block]) + packer.flush()
        comment = b"" if at else b"HPROF BLOCKSIZE=%d\0" % block
        head = bytes([0x1F, 0x8B, 8, 0x10 if comment else 0, 0, 0, 0, 0, 0, 0]) + comment
        size = min(block, len(data) - at)
        out += head + body + zlib.crc32(data[at : at + block]).to_bytes(4, "little") + size.to_bytes(4, "little")
    return out


@pytest.mark.parametrize("block", [1, 7, 256, 1 << 20])
def test_the_jdk_s_block_gzip_reads_the_same(block, tmp_path):
    data = SAMPLES["hprof/segments"]
    path = tmp_path / "heap.hprof.gz"
    path.write_bytes(jdk_gzip(data, block))
    graph = snapshot(open_source(str(path)))
    assert columns(graph) == columns(read("hprof", data))
    assert graph.warnings == ()


@NAMES
@pytest.mark.parametrize("suffix", ["gz", "zst"])
def test_a_cut_stream_of_a_sample_is_an_error_that_says_so_or_less_than_whole(name, suffix, tmp_path):
    data = SAMPLES[name]
    packed = gzip.compress(data) if suffix == "gz" else zstd.compress(data)
    path = tmp_path / "dump"
    for length in range(10, len(packed), 7):
        path.write_bytes(packed[:length])
        try:
            graph = snapshot(open_source(str(path)))
        except MalformedDump as error:
            assert "cut short" in str(error)
            continue
        assert "cut short" in graph.warnings[0]
        # The last bytes of the stream are its check sum: everything may be there.
        assert graph.coverage < 1 or len(packed) - length <= 8


@pytest.mark.parametrize("suffix", ["gz", "zst"])
def test_a_heap_that_expands_as_a_bomb_does_needs_leave(suffix, tmp_path, monkeypatch):
    much = 120 << 20
    dump = Hprof().loaded_as("[B", 0x100)
    head = dump.klass(0x100) + dump.root(0x01, 0x200, 1) + dump.primitives(0x200, BYTE)
    body = head[:-5] + much.to_bytes(4, "big") + head[-1:] + bytes(much)
    data = dump.heap(body).end().data
    path = tmp_path / f"heap.hprof.{suffix}"
    path.write_bytes(gzip.compress(data, 1) if suffix == "gz" else zstd.compress(data))
    with pytest.raises(MalformedDump, match="expands to more") as error:
        open_source(str(path))
    assert "CAULK_MAX_INPUT" in error.value.hint
    monkeypatch.setenv("CAULK_MAX_INPUT", str(len(data)))
    graph = snapshot(open_source(str(path)))
    assert max(graph.size) >= much
