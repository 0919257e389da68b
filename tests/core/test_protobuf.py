"""The kernel of pprof, compiled and not: columns of numbers, and the byte where they stop making sense."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as some

from caulk._core import protobuf, uncompiled

PLAIN = uncompiled.load("protobuf")
KERNELS = pytest.mark.parametrize("kernel", [protobuf, PLAIN], ids=["compiled", "uncompiled"])


def varint(value: int) -> bytes:
    out = b""
    value &= 2**64 - 1
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number: int, *body: bytes) -> bytes:
    joined = b"".join(body)
    return varint(number << 3 | 2) + varint(len(joined)) + joined


def number(key: int, value: int) -> bytes:
    return varint(key << 3) + varint(value)


@KERNELS
@given(values=some.lists(some.integers(-(2**63), 2**63 - 1)))
def test_numbers_have_64_signed_bits_packed_or_not(kernel, values):
    packed = field(2, field(2, *map(varint, values)))
    unpacked = field(2, *(number(2, value) for value in values))
    assert list(kernel.decode(packed)["value"]) == values
    assert list(kernel.decode(unpacked)["value"]) == values


@KERNELS
def test_rows_of_a_sample_are_delimited(kernel):
    data = field(2, number(1, 7), number(2, 1)) + field(2) + field(2, field(1, b"\x08\x09"), number(2, 3))
    columns = kernel.decode(data)
    assert list(columns["sample_location"]) == [7, 8, 9]
    assert list(columns["sample_start"]) == [0, 0, 1, 1, 1, 1, 3, 2]


@KERNELS
def test_a_number_of_a_wire_type_that_the_schema_lacks_is_no_number(kernel):
    fixed = varint(2 << 3 | 1) + b"\1" * 8
    assert list(kernel.decode(field(2, fixed, number(2, 5)))["value"]) == [5]


@KERNELS
@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\x0a", "a number is cut short or longer than 64 bits, at byte 1"),
        (b"\x48" + b"\xff" * 10, "a number is cut short or longer than 64 bits, at byte 11"),
        (b"\x0a\x05\x08", "a field is longer than what is left, at byte 2"),
        (b"\x12\x02\x0a\x05", "a field is longer than what is left, at byte 4"),
        (b"\x32" + varint(2**63), "a field is longer than what is left, at byte 11"),
        (b"\x32" + varint(2**32), "a field is longer than what is left, at byte 6"),
        (b"\x49\0\0", "a field is longer than what is left, at byte 1"),
        (b"\x0b\0", "a field has a wire type that protobuf does not have, at byte 1"),
        (b"\x0f\0", "a field has a wire type that protobuf does not have, at byte 1"),
        (b"\x02\0", "a field has number 0, at byte 1"),
        (varint(2**63 | 8) + b"\0", "a field has number 0, at byte 10"),
    ],
)
def test_an_error_says_what_and_at_which_byte(kernel, data, what):
    with pytest.raises(ValueError) as error:
        kernel.decode(data)
    assert str(error.value) == what


@KERNELS
def test_ids_are_found_wherever_they_stand(kernel):
    ids = array("q", [0, -1, 2**62, 5, 5, -(2**63)])
    wanted = array("q", [5, 2**62, 6, 0, -(2**63), -1])
    found = list(kernel.positions(ids, wanted))
    assert found == [found[0], 2, -1, 0, 5, 1]
    assert ids[found[0]] == 5
    assert list(kernel.positions(array("q"), wanted)) == [-1] * 6


@KERNELS
@given(ids=some.lists(some.integers(-(2**63), 2**63 - 1), unique=True), wanted=some.lists(some.integers(0, 40)))
def test_every_id_is_found_at_its_place(kernel, ids, wanted):
    picks = [ids[w] for w in wanted if w < len(ids)]
    found = kernel.positions(array("q", ids), array("q", picks))
    assert list(found) == [w for w in wanted if w < len(ids)]


@KERNELS
def test_frames_are_spread_outermost_first_and_stop_at_the_limit(kernel):
    # Location 0 has the lines 10 (innermost) and 11, location 1 has 12.
    start, lines, frame = array("q", [0, 2, 3, 5]), array("q", [0, 2, 3]), array("i", [10, 11, 12])
    where = array("i", [0, 1, -1, 1, 0])
    starts, frames, fitted = kernel.spread(start, where, lines, frame, 100)
    assert (list(starts), list(frames), fitted) == ([0, 3, 3, 6], [12, 11, 10, 11, 10, 12], 3)
    starts, frames, fitted = kernel.spread(start, where, lines, frame, 5)
    assert (list(starts), list(frames), fitted) == ([0, 3, 3], [12, 11, 10], 2)


@given(data=some.binary(max_size=200))
def test_both_forms_agree_on_any_bytes(data):
    def outcome(kernel):
        try:
            return {name: list(column) for name, column in kernel.decode(data).items()}
        except ValueError as error:
            return str(error)

    assert outcome(protobuf) == outcome(PLAIN)
