"""Damaged dumps of every format of object graphs: the only outcomes are a valid graph and `MalformedDump`.

What is read is examined and judged as a whole dump would be, and both forms of the kernels give the same answer.
"""

from importlib import import_module

import pytest
from graph_samples import SAMPLES
from hypothesis import given
from hypothesis import strategies as some
from mutation import COUNT, mutant
from valid import check

from caulk.analysis.objects import heaps
from caulk.formats import GRAPHS, census, contents, extent, snapshot
from caulk.formats.redaction import redact
from caulk.formats.source import Source
from caulk.model.errors import MalformedDump, UsageError
from caulk.model.graph import ObjectGraph, References

REFERENCES: tuple[References, ...] = ("strong", "soft", "all")
COLUMNS = ("type", "size", "first", "target", "label", "named", "naming", "site")
#: Both forms of the kernels read these many of each sample's mutants; the compiled one alone reads more.
COMPARED = max(COUNT // 10, 100)


#: Where they stand in what is seen of a graph.
COVERAGE, WARNINGS = 0, 1


def outcome(data: bytes, name: str, references: References = "strong") -> tuple[object, ...]:
    """All that can be seen of the graph in `data`, or its error; anything else that is raised is a bug."""
    try:
        graph: ObjectGraph = import_module(f"caulk.formats.{name.partition('/')[0]}").read(data)
    except MalformedDump as error:
        return str(error), error.hint
    check(graph)
    heap = heaps.examine(graph, references)
    assert all(finding.bytes >= 0 for finding in heap.findings)
    heaps.packed(heap)
    return (
        graph.coverage,
        graph.warnings,
        *(list(getattr(graph, column)) for column in COLUMNS),
        graph.types,
        list(graph.labels),
        list(graph.strings),
        list(graph.sites),
        dict(graph.large),
        graph.comments,
        graph.memory,
        graph.taken_at,
        list(heap.dominators.retained),
        heap.findings,
    )


def others(data: bytes) -> list[object]:
    """What becomes of `data` where it is measured, counted, written without values and read for equal strings."""
    source, answers = Source("mutant", data, len(data)), []
    for ask in (measured, counted, redacted, compared):
        try:
            answers.append(ask(source))
        except (MalformedDump, UsageError) as error:
            answers.append((str(error), error.hint))
    return answers


def measured(source: Source) -> object:
    found = extent(source)
    # What is planned for is what the file can hold, not what it claims.
    assert found is None or 0 <= found.objects + found.references <= len(source.data)
    return found


def counted(source: Source) -> object:
    found = extent(source)
    return heaps.counted(census(source)).tree.values if found and found.counting else None


def redacted(source: Source) -> bytes:
    out = bytearray()
    redact(source, out.extend)
    try:
        graph = snapshot(Source("redacted", bytes(out), len(out)))
    except MalformedDump:
        return bytes(out)
    assert isinstance(graph, ObjectGraph)
    check(graph)
    return bytes(out)


def compared(source: Source) -> object:
    graph = snapshot(source)
    if not isinstance(graph, ObjectGraph):
        return None
    share = contents.repeated(source, graph)
    assert share >= 0
    try:
        found = contents.duplicates(source, graph, heaps.examine(graph).dominators.idom, rows=30, objects=100)
    except MalformedDump as error:
        raise AssertionError("what could be read once can be read again") from error
    assert all(0 <= number < len(graph) for row in found.rows for number in row.objects)
    return share, found.contents, found.copies, found.wasted, [found.text(row, 80) for row in range(len(found.rows))]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_mutant_is_a_valid_graph_or_an_error_and_both_kernels_agree(name, plain_kernels):
    mutants = [mutant(SAMPLES, name, seed) for seed in range(COMPARED)]
    compiled = [outcome(data, name) for data in mutants]
    plain_kernels()
    for seed, (data, expected) in enumerate(zip(mutants, compiled, strict=True)):
        assert outcome(data, name) == expected, f"seed {seed}: {data!r}"


@pytest.mark.parametrize("name", SAMPLES)
def test_a_mutant_can_be_judged_by_any_references(name):
    for seed in range(COMPARED, COUNT):
        outcome(mutant(SAMPLES, name, seed), name, REFERENCES[seed % 3])


@pytest.mark.parametrize("name", SAMPLES)
def test_a_mutant_is_counted_redacted_and_compared_or_refused_and_both_kernels_agree(name, plain_kernels):
    mutants = [mutant(SAMPLES, name, seed) for seed in range(COMPARED)]
    compiled = [others(data) for data in mutants]
    plain_kernels()
    for seed, (data, expected) in enumerate(zip(mutants, compiled, strict=True)):
        assert others(data) == expected, f"seed {seed}: {data!r}"


@pytest.mark.parametrize("name", sorted(GRAPHS))
@given(data=some.binary(max_size=300))
def test_any_bytes_handed_to_a_reader_are_a_graph_or_an_error(name, data):
    assert import_module(f"caulk.formats.{name}").sniff(data) in (True, False)
    outcome(data, name)


@pytest.mark.parametrize("name", SAMPLES)
@given(data=some.data())
def test_any_bytes_in_the_middle_of_a_sample_are_a_graph_or_an_error(name, data):
    sample = SAMPLES[name]
    at = data.draw(some.integers(0, len(sample)))
    outcome(sample[:at] + data.draw(some.binary(max_size=50)) + sample[at:], name)
