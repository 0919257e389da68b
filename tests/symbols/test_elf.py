"""ELF files are read to their bounds and no further: a damaged one is refused or gives less, at once."""

import random
import struct
from pathlib import Path

import native_programs as native
import pytest
from native_programs import SHOP, stack

from caulk.symbols.elf import NotElf, Symbols, read_elf
from caulk.symbols.lines import _of_binutils, _of_llvm
from caulk.symbols.symbolize import symbolize


@pytest.fixture(scope="module")
def program(require, tmp_path_factory) -> Path:
    require("g++")
    return native.compiled(tmp_path_factory.mktemp("elf"), SHOP, "-O1")


@pytest.fixture(scope="module")
def run(program):
    return native.run(program)


def test_the_build_id_is_the_one_that_readelf_prints(program, require):
    said = native.ran([require("readelf"), "-n", str(program)])
    assert f"Build ID: {read_elf(program).build_id}\n" in said


def test_every_function_with_an_extent_is_known_at_its_start_and_not_behind_its_end(program, require):
    symbols = read_elf(program).symbols()
    rows = [line.split() for line in native.ran([require("nm"), "-S", "--defined-only", str(program)]).splitlines()]
    functions = {int(r[0], 16): int(r[1], 16) for r in rows if len(r) == 4 and r[2] in "tT"}
    assert functions
    for start, size in functions.items():
        assert symbols.at(start) == symbols.at(start + size - 1) != ""
        if start + size not in functions:
            assert symbols.at(start + size) != symbols.at(start)


def test_an_address_between_two_functions_belongs_to_neither():
    symbols = Symbols([(100, 10, "a"), (200, 10, "b")])
    assert [symbols.at(at) for at in (99, 100, 109, 110, 199, 209, 210)] == ["", "a", "a", "", "", "b", ""]


@pytest.mark.parametrize(
    "text", [b"", b"\x7fELF", b"#!/bin/sh\n", b"\x7fELF\x02\x01" + b"\xff" * 58, b"\x7fELF\x03\x01" * 20]
)
def test_what_is_no_elf_file_is_refused(text, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(text)
    with pytest.raises(NotElf):
        read_elf(path)


def test_headers_that_claim_more_than_the_file_has_are_refused(program, tmp_path):
    data = bytearray(program.read_bytes())
    struct.pack_into("<Q", data, 32, 1 << 62)  # e_phoff
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(NotElf):
        read_elf(path)


def test_a_truncated_binary_never_gives_a_wrong_name(program, run, tmp_path):
    data, right = program.read_bytes(), set(stack(symbolize(run.profile(), debug_directories=())))
    for cut in range(0, len(data), len(data) // 23):
        part = tmp_path / "shop"
        part.write_bytes(data[:cut])
        moved = run.moved(program, "/gone/shop")
        names = stack(symbolize(moved.profile(), binaries=[part], debug_directories=()))
        assert {n for n in names if "+0x" not in n} <= right


def test_a_mutated_binary_gives_a_profile_whatever_is_in_it(program, run, tmp_path):
    dice, data = random.Random(3), program.read_bytes()
    for _ in range(24):
        mutant = bytearray(data)
        # Headers are at both ends of the file, where a changed byte changes most.
        for _ in range(12):
            at = dice.choice([dice.randrange(0x400), dice.randrange(len(data)), len(data) - 1 - dice.randrange(2048)])
            mutant[at] = dice.choice([0, 1, 0x7F, 0xFF, dice.randrange(256)])
        path = tmp_path / "shop"
        path.write_bytes(mutant)
        named = symbolize(run.moved(program, "/gone/shop").profile(), binaries=[path], debug_directories=())
        assert named.total(0) == 4096
        assert stack(named)


def test_answers_of_tools_that_make_no_sense_are_no_answers():
    assert _of_llvm(["", "{", "[]", '{"Address": 5, "Symbol": []}', '{"Address": "0x1", "Symbol": [{}]}', "null"]) == {}
    assert _of_binutils(["garbage", "0x0000000000000001", "f", "0x00000000zzzzzzzz", "g", "x:9"]) == {}
