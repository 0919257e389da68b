"""Numbers of objects by their addresses: the same whether they lie in pages or in a list, and in bounded memory."""

import random
import tracemalloc
from array import array
from collections.abc import Callable, Iterable
from functools import partial

import pytest
from hprofs import BYTE, OBJECT, Hprof

from caulk._core import hprof_addresses, uncompiled
from caulk.formats import hprof
from caulk.formats.hprof import heap

FORMS = [hprof_addresses, uncompiled.load("hprof_addresses")]
NAMES = ["installed", "uncompiled"]
ALWAYS, NEVER = 0, 1 << 62
#: The inverse of the factor that hashes are made with: what it makes of neighbours has one hash for all.
INVERSE = pow(0x9E3779B97F4A7C15, -1, 1 << 64)


def signed(values: Iterable[int]) -> array:
    """Ids as the kernels take them: the same 64 bits."""
    return array("q", [value - (1 << 64) * (value >> 63) for value in values])


def everywhere(chance: random.Random, count: int) -> list[int]:
    return [chance.getrandbits(64) or 1 for _ in range(count)]


def on_pages_of(size: int, chance: random.Random, count: int) -> list[int]:
    return [0x7F00_0000_0000 + page * size + 8 * chance.randrange(size // 8) for page in range(count)]


def in_heaps(chance: random.Random, count: int) -> list[int]:
    """Close to one another, here and there in the whole space."""
    starts = [chance.getrandbits(61) << 3 for _ in range(4)]
    return [(starts[i % 4] + 8 * chance.randrange(2 * count)) % (1 << 64) or 8 for i in range(count)]


def of_one_hash(chance: random.Random, count: int) -> list[int]:
    return [each * INVERSE % (1 << 64) for each in chance.sample(range(1, 4 * count), count)]


SHAPES: dict[str, Callable[[random.Random, int], list[int]]] = {
    "everywhere": everywhere,
    "one on 4 KiB": partial(on_pages_of, 4 << 10),
    "one on 64 KiB": partial(on_pages_of, 64 << 10),
    "one on 1 MiB": partial(on_pages_of, 1 << 20),
    "in heaps": in_heaps,
    "of one hash": of_one_hash,
}


@pytest.mark.parametrize("kernel", FORMS, ids=NAMES)
@pytest.mark.parametrize("shape", SHAPES)
def test_pages_and_a_list_give_the_same_numbers(shape, kernel):
    chance = random.Random(shape)
    for count in (1, 2, 63, 700):
        ids = SHAPES[shape](chance, count)
        order = {id: rank for rank, id in enumerate(sorted(set(ids)), 1)}
        # Some are dumped twice; some that are asked for were never dumped.
        given = [*ids, *chance.choices(ids, k=count // 3)]
        chance.shuffle(given)
        asked = [*given, *everywhere(chance, 50), *(id + 8 for id in ids if id + 8 < 1 << 64), 0, (1 << 64) - 1]
        for room in (ALWAYS, NEVER):
            addresses = kernel.Addresses(0, room)
            assert addresses.extend(signed(given))
            assert addresses.rank() == len(addresses) == len(order)
            assert list(addresses.numbers(signed(asked))) == [order.get(id, 0) for id in asked]
            assert addresses.alignment == min(id & -id for id in ids)


def test_pages_are_given_up_only_where_they_hold_too_little():
    chance = random.Random(5)
    for shape, is_list in (("one on 4 KiB", True), ("everywhere", True), ("in heaps", False)):
        addresses = hprof_addresses.Addresses(0, ALWAYS)
        # In their order, as JVMs write them.
        addresses.extend(signed(sorted(SHAPES[shape](chance, 5000))))
        assert addresses.is_scattered == is_list, shape


def test_an_address_that_is_no_multiple_of_the_unit_stops_pages():
    addresses = hprof_addresses.Addresses(3)
    assert not addresses.extend(signed([16, 24, 33]))


def test_memory_is_bounded_wherever_objects_lie():
    count = 200_000 if hprof_addresses.COMPILED else 20_000
    most = {
        "in heaps": (3, 8),
        "one on 4 KiB": (3, 60),
        "one on 64 KiB": (3, 60),
        "one on 1 MiB": (3, 60),
        "everywhere": (0, 60),
        "of one hash": (0, 60),
    }
    for shape, (unit, bound) in most.items():
        ids = signed(sorted(SHAPES[shape](random.Random(7), count)))
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            addresses = hprof_addresses.Addresses(unit, ALWAYS)
            addresses.extend(ids)
            addresses.rank()
            peak = tracemalloc.get_traced_memory()[1] - before
        finally:
            tracemalloc.stop()
        assert peak / count <= bound, shape


def test_objects_that_are_dumped_in_no_order_keep_their_pages():
    size, count = 512, 40_000
    ids = [0x10000 + size * place for place in range(count)]
    random.Random(9).shuffle(ids)
    addresses = hprof_addresses.Addresses(3, round(heap.ROOM_SHARE * size * count))
    addresses.extend(signed(ids))
    assert not addresses.is_scattered


def dump(place: Callable[[int], int]) -> bytes:
    """A list of pages that have a buffer each; object i is at `place(i)`."""
    out = Hprof().loaded(com__example__Page=place(0))
    parts = [out.klass(place(0), fields=[("next", OBJECT), ("buffer", OBJECT)], statics=[("FIRST", OBJECT, place(1))])]
    for i in range(1, 4000, 2):
        parts.append(out.instance(place(i), place(0), (OBJECT, place(i + 2)), (OBJECT, place(i + 1))))
        parts.append(out.primitives(place(i + 1), BYTE, *range(i % 9)))
    return out.heap(*parts).end().data


@pytest.mark.parametrize("apart", [4 << 10, 1 << 16, 1 << 20, 0x12345671])
def test_a_graph_is_the_same_by_pages_and_by_a_list(apart, monkeypatch):
    data = dump(lambda i: 0x1000 + i * apart)
    graphs = []
    for room in (ALWAYS, NEVER):
        made = []

        def addresses(shift, _, room=room, made=made):
            made.append(hprof_addresses.Addresses(shift, room))
            return made[-1]

        monkeypatch.setattr(heap, "Addresses", addresses)
        graph = hprof.read(data)
        assert made[-1].is_scattered == (room == ALWAYS)
        graphs.append([list(getattr(graph, column)) for column in ("type", "size", "first", "target", "label")])
    assert graphs[0] == graphs[1]
    assert len(graphs[0][0]) == 1 + 4001


def test_the_plan_for_objects_that_lie_far_apart_has_room_for_their_list():
    close, far = (hprof.extent(dump(lambda i, apart=apart: 0x1000 + i * apart)) for apart in (32, 1 << 16))
    assert (close.objects, close.references) == (far.objects, far.references)
    # What columns take beside it is in both.
    assert far.reading - close.reading >= 20
