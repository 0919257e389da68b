"""Opening a dump: whatever lies there, the answer is bytes or an error that says what is wrong, in bounded memory."""

import gzip
import io
import mmap
import os
import random
import subprocess
import sys
import zlib

import pytest
from backports import zstd
from samples import SAMPLES

from caulk.formats import read
from caulk.formats.source import STDIN, open_source
from caulk.model.errors import MalformedDump, UsageError


def refusal(path) -> MalformedDump:
    with pytest.raises(MalformedDump) as error:
        read(str(path))
    assert str(path) in str(error.value)
    assert error.value.exit_code == 5
    return error.value


def test_a_missing_file_a_directory_and_a_device_are_named(tmp_path):
    assert "no such file" in str(refusal(tmp_path / "none"))
    assert "is a directory" in str(refusal(tmp_path))
    assert "is a device" in str(refusal("/dev/zero"))


def test_a_file_that_may_not_be_read_says_why(tmp_path):
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert "cannot be read" in str(refusal(loop))


def test_stdin_is_read_through_gzip_too(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(SAMPLES["folded"]))))
    assert open_source(STDIN).data == SAMPLES["folded"]


def test_an_empty_file_says_so(tmp_path):
    (tmp_path / "empty.pb.gz").touch()
    assert "is empty" in str(refusal(tmp_path / "empty.pb.gz"))
    (tmp_path / "nothing.pb.gz").write_bytes(gzip.compress(b""))
    assert "is empty" in str(refusal(tmp_path / "nothing.pb.gz"))


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes_are_refused(seed, tmp_path):
    chance = random.Random(seed)
    (tmp_path / "random").write_bytes(chance.randbytes(chance.randint(1, 5000)))
    refusal(tmp_path / "random")


@pytest.mark.parametrize("garbage", [b"", b"garbage", b"\x08\0\0\0\0\0\0\3", b"\x08\x1f" * 50])
def test_gzip_of_garbage_is_refused(garbage, tmp_path):
    (tmp_path / "g.pb.gz").write_bytes(b"\x1f\x8b" + garbage)
    refusal(tmp_path / "g.pb.gz")
    (tmp_path / "h.pb.gz").write_bytes(gzip.compress(b"\xff\xfe" + garbage))
    refusal(tmp_path / "h.pb.gz")


def test_the_suffix_says_nothing(tmp_path):
    for name in ("a.gz", "a.txt", "a.hprof", "a"):
        (tmp_path / name).write_bytes(SAMPLES["folded"])
        assert read(str(tmp_path / name)).format == "folded"


def test_a_gzip_stream_cut_at_any_byte_is_answered_in_part_or_refused(tmp_path):
    lines = b"".join(b"main;f%d %d\n" % (i * i, i) for i in range(3000))
    whole = gzip.compress(lines)
    answered = 0
    for length in range(2, len(whole), len(whole) // 40):
        (tmp_path / "cut").write_bytes(whole[:length])
        try:
            profile = read(str(tmp_path / "cut"))
        except MalformedDump:
            continue
        answered += 1
        assert "cut short" in profile.warnings[0]
        assert 0 < len(profile.samples) < 3000
    assert answered > 20


def test_a_pprof_profile_whose_gzip_was_cut_says_both(tmp_path):
    (tmp_path / "p.pb.gz").write_bytes(gzip.compress(SAMPLES["pprof"])[:-40])
    error = str(refusal(tmp_path / "p.pb.gz"))
    assert "gzip stream is cut short" in error


def test_a_flipped_bit_in_a_gzip_stream_is_seen(tmp_path):
    short, long = (b"".join(b"main;f%d %d\n" % (i * i, i) for i in range(n)) for n in (300, 150_000))
    for name, lines in (("short", short), ("long", long)):
        data = bytearray(gzip.compress(lines, 1))
        data[-6] ^= 1
        (tmp_path / name).write_bytes(data)
    assert "damaged" in str(refusal(tmp_path / "short"))
    # What came before the damage was found is an answer.
    profile = read(str(tmp_path / "long"))
    assert "damaged after" in profile.warnings[0]
    assert len(profile.samples) > 50_000


def test_padding_after_a_gzip_stream_is_nothing_and_other_bytes_are_a_warning():
    assert open_bytes(gzip.compress(b"a;b 1\n") + bytes(512)).warnings == ()
    assert "3 bytes after" in open_bytes(gzip.compress(b"a;b 1\n") + b"xyz").warnings[0]


def open_bytes(data: bytes):
    import tempfile

    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        return open_source(file.name)


def test_the_size_is_the_one_on_disk():
    data = gzip.compress(b"a;b 1\n" * 100)
    assert open_bytes(data).size_bytes == len(data)


def test_the_limit_is_a_setting(tmp_path, monkeypatch):
    (tmp_path / "big").write_bytes(b"a;b 1\n" * 1000)
    monkeypatch.setenv("CAULK_MAX_INPUT", "5999")
    error = refusal(tmp_path / "big")
    assert "larger than 5,999 bytes" in str(error)
    assert "CAULK_MAX_INPUT" in error.hint
    monkeypatch.setenv("CAULK_MAX_INPUT", "6000")
    assert read(str(tmp_path / "big")).tree.total(0) == 1000
    monkeypatch.setenv("CAULK_MAX_INPUT", "lots")
    with pytest.raises(UsageError, match="CAULK_MAX_INPUT"):
        read(str(tmp_path / "big"))


BOUNDED = """
import resource, sys
from caulk.formats import read
from caulk.model.errors import MalformedDump
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    read(sys.argv[1])
except MalformedDump as error:
    print(error)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, "KiB")
"""


def outcome(path, *, stdin=None) -> tuple[str, int]:
    """What reading says in a process of its own, and the KiB that it took at most."""
    done = subprocess.run(
        [sys.executable, "-c", BOUNDED, str(path)], stdin=stdin, capture_output=True, text=True, check=True
    )
    said, grown, _ = done.stdout.rsplit(maxsplit=2)
    return said, int(grown)


def bomb(path, size: int) -> None:
    """A gzip file of `size` zeros: one compressed megabyte, again and again."""
    squeeze = zlib.compressobj(9, wbits=-15)
    block = squeeze.compress(bytes(1 << 20)) + squeeze.flush(zlib.Z_FULL_FLUSH)
    path.write_bytes(gzip.compress(b"")[:10] + block * (size >> 20))


def test_a_zip_bomb_is_an_error_in_bounded_memory(tmp_path):
    bomb(tmp_path / "bomb.pb.gz", 2 << 30)
    said, grown = outcome(tmp_path / "bomb.pb.gz")
    assert "expands to more than" in said
    # Two megabytes of input may cost what is allowed to be decompressed of them, and not the two gigabytes.
    assert grown < 400 << 10


@pytest.mark.parametrize("length", [1 << 31, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1])
@pytest.mark.parametrize("field", [0x0A, 0x12, 0x22, 0x2A, 0x32])
def test_a_length_beyond_the_file_is_an_error_that_allocates_nothing(length, field):
    from pprof_bytes import varint

    from caulk.formats import pprof

    with pytest.raises(MalformedDump, match="at byte"):
        pprof.read(bytes([field]) + varint(length) + bytes(100))


def test_a_pipe_without_an_end_is_given_up_in_bounded_memory():
    with subprocess.Popen(["cat", "/dev/zero"], stdout=subprocess.PIPE) as endless:
        said, grown = outcome(STDIN, stdin=endless.stdout)
        endless.kill()
    assert "larger than 536,870,912 bytes" in said
    assert grown < 600 << 10


@pytest.mark.skipif(os.name != "posix", reason="needs a pipe by path")
def test_a_pipe_is_read_like_a_file(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen([sys.executable, "-c", f"open({str(pipe)!r}, 'wb').write(b'a;b 1\\n')"]):
        assert read(str(pipe)).tree.total(0) == 1


@pytest.mark.parametrize("copies", [1, 3])
def test_zstd_is_read_frame_by_frame(copies, tmp_path):
    (tmp_path / "z").write_bytes(zstd.compress(SAMPLES["folded"]) * copies)
    assert open_source(str(tmp_path / "z")).data == SAMPLES["folded"] * copies


def test_a_zstd_stream_that_is_cut_or_damaged_gives_what_could_be_read(tmp_path):
    lines = b"".join(b"main;f%d %d\n" % (i * i, i) for i in range(300_000))
    whole = zstd.compress(lines)
    (tmp_path / "z").write_bytes(whole[: len(whole) // 2])
    source = open_source(str(tmp_path / "z"))
    assert source.is_cut
    assert lines.startswith(source.data[:])
    assert 0 < len(source.data) < len(lines)
    (tmp_path / "z").write_bytes(whole + b"tail")
    assert open_source(str(tmp_path / "z")).warnings == ("4 bytes after the zstd stream were ignored",)


@pytest.mark.parametrize("garbage", [b"", b"garbage", b"\xff" * 50])
def test_zstd_of_garbage_is_refused(garbage, tmp_path):
    (tmp_path / "z").write_bytes(b"\x28\xb5\x2f\xfd" + garbage)
    refusal(tmp_path / "z")


def test_what_is_large_is_mapped_and_what_expands_to_much_goes_through_a_scratch_file(tmp_path):
    large = b"main;f 1\n" * (8 << 20)
    (tmp_path / "large").write_bytes(large[: 2 << 20])
    assert isinstance(open_source(str(tmp_path / "large")).data, mmap.mmap)
    (tmp_path / "z").write_bytes(gzip.compress(large, 1))
    source = open_source(str(tmp_path / "z"))
    assert isinstance(source.data, mmap.mmap)
    assert source.whole() == large
