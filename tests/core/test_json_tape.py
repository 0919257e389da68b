"""The tape holds what the document holds, whatever its depth; both forms of the kernel agree on every input."""

import json as stdlib
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caulk._core import json, uncompiled

plain = uncompiled.load("json")

DOCUMENT = (
    b'\xef\xbb\xbf {"head": {"name": "a\\u00e9\\"", "empty": {}, "list": [], "n": [0, -1, 2.5, 1e3, -0.5E-2]},\r\n'
    b'\t"flags": [true, false, null], "big": 123456789012345678901, "\xff": "\xf0\x9f"} '
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


def value_at(tape: json.Tape, data: bytes, token: int) -> object:
    """The Python value of a token, put together without `get`, `first` and `next`."""
    kind, start, value = tape.kind(token), tape.start(token), tape.value(token)
    if kind == "[":
        return [value_at(tape, data, at) for at in inside(tape, token)]
    if kind == "{":
        parts = [value_at(tape, data, at) for at in inside(tape, token)]
        return dict(zip(parts[0::2], parts[1::2], strict=True))
    if kind == "i":
        return value
    if kind in "tfn":
        return {"t": True, "f": False, "n": None}[kind]
    text = data[start : start + value].decode()
    return stdlib.loads(f'"{text}"' if kind in '"\\' else text)


def inside(tape: json.Tape, token: int) -> list[int]:
    found, at = [], token + 1
    while at < tape.value(token):
        found.append(at)
        at = tape.value(at) + 1 if tape.kind(at) in "{[" else at + 1
    return found


def answer(data: bytes, kernel: object = json) -> object:
    """All that a kernel says of some bytes: its tokens, or its error."""
    try:
        tape = kernel.tape(data)
    except ValueError as error:
        return str(error)
    rows = [(tape.kind(i), tape.start(i), tape.value(i)) for i in range(len(tape))]
    members = [[tape.get(i, name) for name in (b"head", b"list", b"n", b"")] for i in range(len(tape))]
    return rows, tape.position, tape.is_cut, [(tape.first(i), tape.next(i)) for i in range(len(tape))], members


@given(json_values, st.sampled_from([None, 1]), st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_document_reads_as_the_standard_library_reads_it(value, indent, ascii_only):
    data = stdlib.dumps(value, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    tape = json.tape(data)
    assert not tape.is_cut
    if ascii_only:
        assert value_at(tape, data, 0) == stdlib.loads(data)


def test_members_and_elements_are_found():
    tape = json.tape(DOCUMENT)
    head = tape.get(0, b"head")
    numbers = tape.get(head, b"n")
    found = []
    token = tape.first(numbers)
    while token >= 0:
        found.append(tape.kind(token) + str(tape.value(token)))
        token = tape.next(token)
    assert found == ["i0", "i-1", "d3", "d3", "d7"]
    assert tape.get(0, b"n") == -1
    assert tape.get(numbers, b"n") == tape.get(-1, b"n") == -1
    assert tape.first(tape.get(head, b"list")) == tape.first(head) == -1
    assert tape.kind(tape.get(0, b"big")) == "d"
    assert tape.kind(tape.get(head, b"name")) == "\\"
    assert tape.kind(len(tape)) == tape.kind(-1) == ""


def test_the_first_of_two_equal_names_is_the_one():
    tape = json.tape(b'{"a":1,"a":2}')
    assert tape.value(tape.get(0, b"a")) == 1


def test_a_token_that_is_not_there_is_an_error():
    tape = json.tape(b"[1]")
    for ask in (tape.start, tape.value, tape.next):
        for token in (-1, 3):
            with pytest.raises(IndexError):
                ask(token)


@pytest.mark.parametrize("depth", [1, 200_000])
def test_depth_costs_nothing_but_memory(depth):
    tape = json.tape(b'{"a":[' * depth + b"7" + b"]}" * depth)
    assert len(tape) == 5 * depth + 1
    assert not tape.is_cut
    assert tape.value(0) == len(tape) - 1


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"[1,]", "a value is expected, at byte 3"),
        (b"[1 2]", "a comma or the end of the list or object is expected, at byte 3"),
        (b"[1}", "a comma or the end of the list or object is expected, at byte 2"),
        (b"{1:2}", "a member's name is expected, at byte 1"),
        (b'{"a":1,}', "a member's name is expected, at byte 7"),
        (b'{"a" 1}', "a colon is expected, at byte 5"),
        (b"{} x", "something follows the document, at byte 3"),
        (b'"a\nb"', "a string holds a control character, at byte 2"),
        (b'"\\x41"', "a string holds an escape that JSON does not have, at byte 2"),
        (b'"\\u00g0"', "a string holds an escape that JSON does not have, at byte 5"),
        (b"[01]", "a number is not as JSON writes it, at byte 1"),
        (b"[1.]", "a number is not as JSON writes it, at byte 1"),
        (b"[.5]", "a value is expected, at byte 1"),
        (b"[-]", "a number is not as JSON writes it, at byte 1"),
        (b"[1e+]", "a number is not as JSON writes it, at byte 1"),
        (b"[NaN]", "a value is expected, at byte 1"),
        (b"[nul]", "a value is expected, at byte 1"),
        (b"\x00", "a value is expected, at byte 0"),
    ],
)
def test_what_is_not_json_is_an_error_that_says_where(data, where):
    assert answer(data) == answer(data, plain) == where


def test_a_document_that_was_cut_gives_the_tokens_before_the_cut():
    whole = answer(DOCUMENT)[0]
    counts = []
    for cut in range(3, len(DOCUMENT.rstrip())):
        rows, position, is_cut, *_ = answer(DOCUMENT[:cut])
        assert is_cut
        assert position <= cut
        # A container that is open does not know its end: it is the end of the tape.
        count = len(rows)
        assert rows == [(k, start, min(v, count) if k in "{[" else v) for k, start, v in whole[:count]]
        counts.append(count)
    assert counts == sorted(counts)
    # A number is whole only when the bracket behind it is there, which is a token itself.
    assert counts[0] == 0
    assert counts[-1] == len(whole) - 1
    assert max(b - a for a, b in pairwise(counts)) == 2


def test_both_forms_agree_on_every_cut():
    for cut in range(len(DOCUMENT) + 1):
        assert answer(DOCUMENT[:cut]) == answer(DOCUMENT[:cut], plain), cut


def test_both_forms_agree_on_mutants():
    pick = random.Random(8)
    errors = 0
    for _ in range(600):
        data = bytearray(DOCUMENT)
        for _ in range(pick.randint(1, 3)):
            at = pick.randrange(len(data))
            data[at : at + pick.randint(0, 2)] = pick.choice(
                (b"", b'"', b"\\", b"[", b"}", b",", b"7", b"-", b"e", b"\xff")
            )
        said = answer(bytes(data))
        assert said == answer(bytes(data), plain), bytes(data)
        errors += isinstance(said, str)
    assert 100 < errors < 600
