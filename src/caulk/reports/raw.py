"""The question what a file itself says, before any judgement: what `go tool pprof -raw` has above its samples."""

from collections import Counter
from collections.abc import Iterator

from caulk.analysis.dumps import Dump
from caulk.analysis.objects.heaps import Heap
from caulk.model.census import Census
from caulk.model.graph import ROOTS
from caulk.model.profile import Profile
from caulk.model.samples import Nodes
from caulk.model.table import Heading, Table
from caulk.model.units import format_value
from caulk.reports.question import Question

#: Mappings, label keys and comments that are listed: a profile of a browser maps thousands of files.
_MOST = 100

_Row = tuple[str, str, str]


def raw(question: Question) -> Table:
    """Format, times, sampling, sums, and how much there is of everything; of labels the keys, and no contents."""
    dump = question.dumps[-1]
    rows = [("file", key, value) for key, value in _file(dump) if value]
    if dump.heap:
        rows += _heap(dump.heap)
    elif dump.census:
        rows += _census(dump.census)
    else:
        rows += _profile(dump.profile)
    profile = dump.profile
    rows += [("memory", key, f"{value:,}") for key, value in profile.memory.items()]
    rows += [("comment", "", comment) for comment in profile.comments[:_MOST]]
    rows += [("warning", "", warning) for warning in profile.warnings]
    return Table("raw", (Heading("part", "part"), Heading("what", "what"), Heading("value", "value")), rows)


def _file(dump: Dump) -> Iterator[tuple[str, str]]:
    profile = dump.profile
    yield "name", dump.path
    yield "size", f"{dump.size_bytes:,} bytes"
    yield "format", profile.format
    yield "runtime", profile.runtime
    yield "kind", profile.kind
    yield "taken", f"{profile.taken_at:%Y-%m-%d %H:%M:%S.%f} UTC" if profile.taken_at else ""
    yield "duration", f"{profile.duration_s:g} s" if profile.duration_s else ""
    yield "readable", f"{profile.coverage:.2%}"
    yield "mode", dump.mode or ""


def _profile(profile: Profile) -> Iterator[_Row]:
    if profile.period:
        yield "sampling", "period", f"{profile.period:,} {profile.period_measure or ''}".rstrip()
    for at, measure in enumerate(profile.measures):
        chosen = " (shown without --measure)" if at == profile.default_measure else ""
        total = f"{profile.total(at):,}"
        yield "measure", f"{measure}/{measure.unit}" if measure.unit else str(measure), total + chosen
    if profile.is_delta:
        yield "measure", "", "a difference of two profiles"
    stacks, frames = profile.samples.stacks, profile.frames
    yield "count", "samples", f"{len(profile.samples):,}"
    length = len(stacks.parent) if isinstance(stacks, Nodes) else len(stacks.frames)
    yield "count", "nodes of a tree" if isinstance(stacks, Nodes) else "frames of stacks", f"{length:,}"
    yield "count", "frames", f"{len(frames):,}"
    yield "count", "strings", f"{len(frames.strings):,}"
    yield "count", "mappings", f"{len(frames.mappings):,}"
    nameless = sum(1 for name in frames.function if not frames.strings[name])
    if nameless:
        yield "count", "frames without a name", f"{nameless:,}"
    keys = Counter(label.key for labels in profile.label_sets for label in labels)
    for key, count in keys.most_common(_MOST):
        yield "label", key, f"in {count:,} sets of labels"
    for mapping in frames.mappings[:_MOST]:
        place = f"0x{mapping.start:x}–0x{mapping.limit:x} offset 0x{mapping.offset:x}"
        yield "mapping", mapping.file or "(no file)", f"{place} build id {mapping.build_id or 'unknown'}"
    for what, pattern in (("drop frames", profile.drop_frames), ("keep frames", profile.keep_frames)):
        if pattern:
            yield "pattern", what, pattern


def _heap(heap: Heap) -> Iterator[_Row]:
    graph, found = heap.graph, heap.dominators
    yield "count", "objects", f"{len(graph) - 1:,}"
    yield "count", "references", f"{len(graph.target):,}"
    yield "count", "types", f"{len(graph.types):,}"
    yield "count", "kinds of references", f"{len(graph.labels):,}"
    yield "count", "references of roots", f"{graph.first[ROOTS + 1] - graph.first[ROOTS]:,}"
    yield "count", "objects with a name", f"{len(graph.named):,}"
    yield "count", "places of allocation", f"{len(graph.sites):,}"
    yield "held", "references that hold", found.references
    yield "held", "objects", f"{len(found.order) - 1:,}"
    yield "held", "bytes", format_value(found.retained[ROOTS], "bytes")


def _census(census: Census) -> Iterator[_Row]:
    yield "count", "objects", f"{sum(census.count):,}"
    yield "count", "types", f"{len(census.types):,}"
    yield "count", "bytes", format_value(sum(census.shallow), "bytes")
