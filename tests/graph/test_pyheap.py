"""PyHeap files: names of attributes and locals, roots, cut and damaged files. Files are built here by their layout."""

import random

import pytest
from dumped import path_to
from pyheaps import pyheap as pyheap_file

from caulk._core import uncompiled
from caulk.formats import pyheap
from caulk.model.errors import MalformedDump
from caulk.model.graph import ROOTS


def test_the_magic_number_tells_it():
    assert pyheap.sniff(pyheap_file()[:4096])
    assert not pyheap.sniff(b"\0" * 100)


def test_a_holder_has_the_names_of_attributes_and_modules():
    graph = pyheap.read(pyheap_file())
    assert path_to(graph, "list") == [
        "(module)", "module app", ".CACHE", "dict", "[key]", "Row", ".other", "list",
    ]  # fmt: skip
    assert graph.coverage == 1.0
    assert graph.taken_at is not None
    assert graph.taken_at.year == 2026


def test_what_a_class_answers_is_not_drawn_on_its_instances():
    graph = pyheap.read(pyheap_file())
    row = next(number for number in range(len(graph)) if graph.type_name(number) == "Row")
    assert [str(reference.label) for reference in graph.references(row)] == [".other", "()"]


def test_locals_of_threads_are_roots():
    graph = pyheap.read(pyheap_file())
    labels = {str(reference.label): graph.type_name(reference.target) for reference in graph.references(ROOTS)}
    assert labels["local row"] == "Row"
    assert labels["(module)"] == "module"


def test_no_value_is_shown():
    graph = pyheap.read(pyheap_file())
    shown = [*graph.strings, *graph.types.name, *(label.name for label in graph.labels), *graph.comments]
    assert not [name for name in shown if "secret" in name]


def test_sizes_are_kept():
    graph = pyheap.read(pyheap_file())
    [size] = [graph.size_of(number) for number in range(len(graph)) if graph.type_name(number) == "list"]
    assert size == 99


def test_every_cut_gives_a_part_or_an_error():
    data = pyheap_file()
    parts = 0
    for length in range(8, len(data)):
        try:
            graph = pyheap.read(data[:length])
        except MalformedDump:
            continue
        parts += 1
        assert graph.coverage < 1
        assert any("cut short" in warning for warning in graph.warnings)
    assert parts > 100


def test_another_version_is_refused():
    data = pyheap_file()
    with pytest.raises(MalformedDump, match="version 9"):
        pyheap.read(data[:11] + b"\x09" + data[12:])


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_file_gives_the_same_graph_or_error_from_both_kernels(seed, monkeypatch):
    chance = random.Random(seed)
    data = bytearray(pyheap_file())
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(8, len(data))
        data[at : at + chance.choice((0, 1, 4))] = chance.choice(
            (b"", b"\xff\xff\xff\xff", b"\0", b"\x7f\xff", chance.randbytes(3))
        )
    answers = [outcome(bytes(data))]
    monkeypatch.setattr(pyheap, "kernel", uncompiled.load("cpython_graph"))
    monkeypatch.setattr(pyheap, "pyheap", uncompiled.load("pyheap"))
    answers.append(outcome(bytes(data)))
    assert answers[0] == answers[1]


def outcome(data: bytes) -> object:
    try:
        graph = pyheap.read(data)
    except MalformedDump as error:
        return str(error)
    assert all(0 < target < len(graph) for target in graph.target)
    assert graph.first[len(graph)] == len(graph.target)
    return [list(column) for column in (graph.type, graph.size, graph.first, graph.target, graph.label)]
