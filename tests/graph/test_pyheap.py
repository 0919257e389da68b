"""PyHeap files: names of attributes and locals, roots, cut and damaged files. Files are built here by their layout."""

import pytest
from dumped import path_to
from pyheaps import pyheap as pyheap_file

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


def test_another_version_is_refused():
    data = pyheap_file()
    with pytest.raises(MalformedDump, match="version 9"):
        pyheap.read(data[:11] + b"\x09" + data[12:])
