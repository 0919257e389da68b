"""Memory by kind: mappings are told apart, the parts add up to the limit, and advice follows from figures."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caulk.analysis.kinds.fitting import fitting
from caulk.analysis.kinds.mappings import mapped
from caulk.analysis.kinds.waterfall import waterfall
from caulk.model.breakdown import Bound, Breakdown, Group, HeapNow, Mapped, Slice

MIB = 1 << 20
SIZES = st.integers(0, 1 << 40)


def mapping(begin, end, rights, name="", *, anonymous=0, rss=None, lazy=0):
    rss = anonymous if rss is None else rss
    figures = f"Rss: {rss} kB\nAnonymous: {anonymous} kB\nLazyFree: {lazy} kB\nSwap: 0 kB\nVmFlags: rd wr\n"
    return f"{begin:x}-{end:x} {rights} 00000000 00:00 0 {name}\n{figures}"


def test_a_thread_s_stack_is_private_memory_behind_a_small_guard():
    text = mapping(0x7F0000000000, 0x7F0000001000, "---p") + mapping(
        0x7F0000001000, 0x7F0000801000, "rw-p", anonymous=40
    )
    assert mapped(text).stacks == 40 << 10


def test_memory_behind_a_large_reserve_is_no_stack():
    text = mapping(0x7F0000000000, 0x7F0003000000, "---p") + mapping(
        0x7F0003000000, 0x7F0003801000, "rw-p", anonymous=40
    )
    assert mapped(text).stacks == 0


def test_an_arena_of_glibc_is_aligned_and_as_long_as_all_arenas():
    arena = mapping(0x7F0004000000, 0x7F0004400000, "rw-p", anonymous=4096) + mapping(
        0x7F0004400000, 0x7F0008000000, "---p"
    )
    heap = mapping(0x5500000000, 0x5500100000, "rw-p", "[heap]", anonymous=1024)
    found = mapped(heap + arena)
    assert found.malloc == 5120 << 10
    assert found.anonymous == 5120 << 10


def test_shared_memory_is_told_from_files():
    text = mapping(0x1000, 0x2000, "rw-s", "/dev/shm/queue (deleted)", rss=100) + mapping(
        0x3000, 0x4000, "r-xp", "/usr/lib/libc.so.6", rss=50, anonymous=20
    )
    found = mapped(text)
    assert (found.shared, found.files, found.anonymous) == (100 << 10, 30 << 10, 20 << 10)


def test_what_is_no_smaps_is_nothing():
    assert mapped("no mappings here\n") == Mapped()


@st.composite
def mappings(draw):
    parts = {name: draw(SIZES) for name in ("stacks", "malloc", "lazy")}
    return Mapped(anonymous=sum(parts.values()) + draw(SIZES), files=draw(SIZES), shared=draw(SIZES), **parts)


@st.composite
def groups(draw):
    anonymous, file, kernel = draw(SIZES), draw(SIZES), draw(SIZES)
    used = anonymous + file + kernel + draw(st.integers(-(1 << 20), 1 << 20))
    limit = draw(st.none() | SIZES.map(lambda free: max(used, anonymous + file + kernel) + free))
    return Group(used, limit, anonymous, file, draw(st.integers(0, file)), kernel)


@given(mappings(), st.none() | st.builds(HeapNow, SIZES, SIZES, st.just("it")), groups())
def test_the_parts_add_up_to_the_limit_and_none_is_negative(own, heap, group):
    found = waterfall(own, heap, group)
    assert all(piece.size > 0 for piece in found.slices)
    assert sum(piece.size for piece in found.slices) == (group.limit if group.limit is not None else found.used)


@given(mappings(), st.none() | st.builds(HeapNow, SIZES, SIZES, st.just("it")))
def test_without_a_cgroup_the_parts_are_all_that_the_process_has(own, heap):
    found = waterfall(own, heap, None)
    assert sum(piece.size for piece in found.slices) == own.anonymous + own.files + own.shared


def test_other_processes_have_what_the_process_has_not():
    own = Mapped(anonymous=30 * MIB)
    found = waterfall(own, None, Group(90 * MIB, 200 * MIB, 70 * MIB, 20 * MIB, 5 * MIB, 0))
    assert found.size("others") == 40 * MIB
    assert (found.size("shmem"), found.size("files"), found.size("free")) == (5 * MIB, 15 * MIB, 110 * MIB)


def breakdown(limit, **parts):
    slices = [Slice(part, size * MIB, "") for part, size in parts.items()]
    used = sum(piece.size for piece in slices)
    if limit is not None:
        slices.append(Slice("free", limit * MIB - used, ""))
    return Breakdown(tuple(slices), used, None if limit is None else limit * MIB)


JVM = "-Xmx{mb}m"


@pytest.mark.parametrize(
    ("bound", "words"),
    [
        (Bound(300 * MIB, "-Xmx300m", JVM), "-Xmx300m lets the heap grow to 300 MB; the limit is 200 MB"),
        (Bound(180 * MIB, "-Xmx180m", JVM), "with the 60.0 MB beside it"),
        (Bound(None, "GOMEMLIMIT is not set", "GOMEMLIMIT={mb}MiB"), "does not know that 200 MB are all there is"),
    ],
)
def test_a_setting_that_contradicts_the_limit_is_named(bound, words):
    advice = fitting(breakdown(200, managed=100, native=40, stacks=20), bound)
    assert any(words in sentence for sentence in advice.contradictions)


def test_a_full_heap_below_a_limit_with_room_wants_a_larger_heap_not_a_larger_limit():
    advice = fitting(breakdown(1000, managed=95, native=40), Bound(100 * MIB, "-Xmx100m", JVM))
    assert any("raise the heap's bound, not the limit" in sentence for sentence in advice.contradictions)


def test_a_program_far_below_its_limit_needs_no_advice():
    advice = fitting(breakdown(1000, anonymous=300), None)
    assert advice.limit is None and not advice.contradictions


def test_a_limit_that_is_advised_holds_the_whole_heap_and_what_is_beside_it():
    bound = Bound(500 * MIB, "-Xmx500m", JVM, is_filled=True)
    advice = fitting(breakdown(600, managed=450, native=120, stacks=20), bound)
    assert advice.limit is not None and advice.limit >= (500 + 140) * MIB


@given(st.integers(20, 4000), st.integers(10, 4000))
def test_the_setting_that_is_advised_leaves_room_for_the_rest(limit, held):
    held = min(held, limit)
    now = breakdown(limit, managed=held // 2, native=held - held // 2)
    for sentence, word in itertools.product(fitting(now, Bound(4000 * MIB, "-Xmx4000m", JVM)).sentences, ["-Xmx"]):
        if word in sentence:
            size = int(sentence.split(word)[1].split("m")[0])
            of = fitting(now, Bound(4000 * MIB, "-Xmx4000m", JVM)).limit or 0
            assert size * MIB + now.size("native") <= max(of, limit * MIB)


def test_kills_for_memory_are_evidence():
    now = breakdown(200, anonymous=100)
    advice = fitting(Breakdown(now.slices, now.used, now.limit, kills=3), None)
    assert any("killed 3 times" in sentence for sentence in advice.sentences) or advice.limit is not None
