"""What is foretold of a heap by a look into its memory: never from what cannot be understood."""

import random
import struct

import pytest

from caulk.model.errors import Lacks
from caulk.model.series import Reading
from caulk.model.target import Process
from caulk.runtimes.jvm.makeup import COMPACT, UNKNOWN, makeup
from caulk.runtimes.node.figures import heap, snapshot_cost

JAVA, OTHER = 0x8000_0000, 0x7F00_0000_0000
PAGE = 256 << 10


class Memory:
    """A process whose memory is a few mappings."""

    def __init__(self, mappings: dict[int, bytes], *, is_closed: bool = False) -> None:
        self._mappings, self._is_closed = mappings, is_closed

    def fetch(self, path: str, offset: int = 0, length: int | None = None):
        for start, data in self._mappings.items():
            yield f"{start:x}-{start + len(data):x} rw-p 00000000 00:00 0 \n".encode()
            if path.endswith("smaps"):
                yield f"Anonymous: {len(data) >> 10} kB\n".encode()

    def peek(self, address: int, length: int) -> bytes:
        if self._is_closed:
            raise Lacks("not yours")
        start = max(start for start in self._mappings if start <= address)
        return self._mappings[start][address - start : address - start + length]

    def reading(self) -> Reading:
        return Reading(0.0, 1 << 30, 1 << 30, 0, 0)


def java(unit: bytes, *, at: int = JAVA, release: int | None = 17, is_closed: bool = False, **switches: str):
    """The makeup of a heap of 4 MiB of one unit; the same memory lies where no heap is."""
    data = (unit * (-(-(4 << 20) // len(unit))))[: 4 << 20]
    return makeup(Memory({at: data, OTHER: data}, is_closed=is_closed), 1, release, switches)


NODE = struct.pack("<QIIII", 1, 0x1234, JAVA + 8, JAVA + 16, 7)  # 24 bytes, two references
ARRAY = struct.pack("<QII", 1, 0x1234, 16368) + bytes(16368)


def test_small_objects_make_a_larger_dump_than_arrays():
    small, large = java(NODE), java(ARRAY)
    assert small.objects == pytest.approx(1 / 24, rel=0.01)
    # 37 bytes of dump for 24 of heap: what a header and two references have more.
    assert 1 + 21 / 24 <= small.dump <= 2.0
    assert large.objects < 1 / 10_000
    assert 1.0 <= large.dump < 1.2
    assert large.packed < 0.05


def test_noise_does_not_pack():
    assert java(random.Random(1).randbytes(4 << 20)).packed == 1.0


def test_what_was_never_written_is_no_heap():
    empty = makeup(Memory({JAVA: bytes(8 << 20) + NODE * (1 << 16)}), 1, 17, {})
    assert empty == UNKNOWN or empty.objects > 1 / 50


@pytest.mark.parametrize(
    "how",
    [{"is_closed": True}, {"release": None}, {"release": 26}, {"at": 1 << 36}, {"ObjectAlignmentInBytes": "16"}],
    ids=str,
)
def test_of_a_heap_that_is_not_understood_the_worst_is_assumed(how):
    assert java(NODE, **how) is UNKNOWN


def test_compact_headers_are_no_sample_for_others():
    assert java(NODE, UseCompactObjectHeaders="true") is COMPACT


def v8(flags: list[int], size: int = PAGE, *, is_closed: bool = False):
    """The heap of a Node.js whose pages have these flags."""
    pages = {(number + 1) << 24: struct.pack("<QQ", size, flag) + bytes(PAGE - 16) for number, flag in enumerate(flags)}
    return heap(Memory(pages, is_closed=is_closed), Process(1, 0, 0, 0.0)).resident


def test_the_empty_half_of_a_young_generation_is_no_heap():
    old, to, empty = 4, 0x12, 0x0A
    assert v8([old] * 20 + [to] * 10 + [empty] * 10) == 30 * PAGE


def test_pages_that_are_not_as_expected_count():
    assert v8([0x0A] * 40, size=0x1234) == 40 * PAGE
    assert v8([0x0A] * 40, is_closed=True) == 40 * PAGE


def v8_of(words: bytes, *, is_closed: bool = False):
    """A heap of pages that hold these words again and again."""
    pages = {(number + 1) << 24: words * (PAGE // len(words)) for number in range(40)}
    return heap(Memory(pages, is_closed=is_closed), Process(1, 0, 0, 0.0))


def test_a_heap_of_texts_costs_less_than_one_of_references_or_one_that_cannot_be_read():
    reference = struct.pack("<Q", (2 << 24) + 9)
    texts = v8_of(reference + b"customer" * 15)
    assert texts.references == pytest.approx(1 / 16)
    # Without a single reference these are no objects.
    others = [v8_of(reference), v8_of(b"customer"), v8_of(reference + b"customer" * 15, is_closed=True)]
    assert {other.references for other in others} == {1.0}
    cheap, dear = snapshot_cost(texts), snapshot_cost(others[0])
    assert cheap.extra_bytes < dear.extra_bytes / 2
    assert cheap.size_bytes < dear.size_bytes
    assert cheap.pause_s < dear.pause_s
