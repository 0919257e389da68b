"""The one place that builds objects: dumps from paths, answers from questions, bytes from answers."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from caulk import __version__, _core, formats
from caulk.analysis.dumps import Dump
from caulk.analysis.objects.plan import Plan, begun, plan
from caulk.formats.source import STDIN, Source, open_source
from caulk.model.contents import Duplicates
from caulk.model.diagram import Graph
from caulk.model.errors import UsageError
from caulk.model.graph import References
from caulk.model.profile import Profile
from caulk.model.table import Stacks, Table
from caulk.reports import REPORTS, Answer, Question, Report, profiles

if TYPE_CHECKING:
    from caulk.ports import Progress, View

#: What can be written, by `-o` and by the suffix of `--out`.
OUTPUTS = {
    "table": ".txt",
    "speedscope": ".speedscope.json",
    "json": ".json",
    "html": ".html",
    "treemap": ".treemap.svg",
    "svg": ".svg",
    "folded": ".folded",
    "pprof": ".pb.gz",
    "dot": ".dot",
}
_PLAIN = "This is the plain form of the report: the page was not built with this caulk; `make install` builds it."
#: Reading several files at once pays only where there is something to read.
_PARALLEL_BYTES, _HEAP_BYTES = 4 << 20, 256 << 20
#: From this size on a heap dump's index is kept.
_INDEXED_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Reading:
    """How dumps are read: where names of addresses and of what was renamed come from, and which references hold."""

    binaries: Sequence[Path] = ()
    debug_directories: Sequence[Path] = ()
    references: References = "strong"
    mappings: Sequence[Path] = ()
    max_memory: int | None = None
    """Bytes that the analysis of heap dumps may take; None for what there is."""
    compact_headers: bool | None = None
    """Whether the JVM had them, where that is known."""


@dataclass(frozen=True, slots=True)
class Talk:
    """Who hears of long work: its plan, before it begins, and its progress."""

    planned: Callable[[str, Plan], object] = lambda *_: None
    progress: "Progress" = lambda *_: None


def load(
    paths: Sequence[str],
    on_large: Callable[[int], None] | None = None,
    *,
    reading: Reading = Reading(),
    talk: Talk = Talk(),
) -> list[Dump]:
    """The dumps at `paths`, in their order; kernels run without the GIL, so large profiles are read side by side.

    A large heap dump leaves an index in the cache directory, and is not read again as long as it is the same. One that
    memory cannot hold is analysed through files, or only its types are counted: `Dump.mode` says so.
    """
    for path in (*reading.binaries, *reading.debug_directories, *reading.mappings):
        if not path.exists():
            raise UsageError(f"{path}: no such file or directory")
    size = sum(Path(path).stat().st_size for path in paths if Path(path).is_file())
    if on_large:
        on_large(size)
    # Heaps take their turns: several at once would need the memory of all.
    is_together = len(paths) > 1 and _PARALLEL_BYTES < size < _HEAP_BYTES
    room = _room(reading.max_memory, readers=len(paths) if is_together else 1)
    if is_together:
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

        with ThreadPoolExecutor() as pool:
            together = replace(talk, progress=lambda *_: None)
            return list(map(_dated, pool.map(partial(_dump, reading=reading, talk=together, room=room), paths)))
    return [
        _dated(_dump(path, reading, replace(talk, progress=_part(talk.progress, at, len(paths))), room))
        for at, path in enumerate(paths)
    ]


def _dated(dump: Dump) -> Dump:
    """A capture in its directory knows when it was taken, where the format cannot say it: its manifest does."""
    beside = Path(dump.path).with_name("manifest.json")
    if dump.profile.taken_at or dump.path == STDIN or not beside.is_file():
        return dump
    manifest = import_module("caulk.store.captures").manifest_in(beside.parent)
    taken = manifest.taken_at if manifest and manifest.path == Path(dump.path).name else ""
    if not taken:
        return dump
    return replace(dump, profile=replace(dump.profile, taken_at=datetime.fromisoformat(taken)))


def _part(progress: "Progress", at: int, of: int) -> "Progress":
    """The progress of one of several works."""
    return lambda done, total, step: progress(at + done / total, of, step)


def _dump(path: str, reading: Reading, talk: Talk, room: Callable[[], int | None]) -> Dump:
    index = _index(path, reading)
    if index and index.is_file():
        kept = import_module("caulk.analysis.objects.heaps").Description
        found = import_module("caulk.store.index").load(index, kept)
        if found:
            heap = import_module("caulk.analysis.objects.heaps").unpacked(*found)
            return Dump(path, heap.profile, Path(path).stat().st_size, heap, partial(_duplicates, path, None, heap))
    source = open_source(path)
    planned = _plan(source, reading, room)
    if planned:
        talk.planned(path, planned)
    mappings = _mappings(path, reading)
    talk.progress(0, 1, "reading")
    if planned and planned.mode == "streaming":
        census = formats.census(source, mappings, compact_headers=reading.compact_headers)
        profile = import_module("caulk.analysis.objects.heaps").counted(census)
        return Dump(path, profile, source.size_bytes, census=census, shortage=planned.shortage)
    snapshot = formats.snapshot(source, mappings, compact_headers=reading.compact_headers)
    if mappings:
        renamed = import_module("caulk.symbols.mappings")
        snapshot = renamed.named(snapshot, mappings) if isinstance(snapshot, Profile) else snapshot
        snapshot = replace(snapshot, **renamed.said(snapshot.comments, snapshot.warnings, mappings))
    if isinstance(snapshot, Profile):
        return Dump(path, _named(snapshot, source, reading), source.size_bytes)
    heaps = import_module("caulk.analysis.objects.heaps")
    aside = None
    if planned and planned.mode == "two-pass":
        aside = import_module("caulk.store.scratch").Scratch(cache() / "heaps")
        snapshot = heaps.laid_aside(snapshot, aside)
    heap = heaps.examine(snapshot, reading.references, aside=aside, progress=talk.progress)
    heap = _with_repeats(heap, source)
    if index:
        described, columns = heaps.packed(heap)
        # From here on the columns lie in the index: nobody else may keep them in memory.
        del snapshot, heap
        _keep(index, described, columns, going=partial(talk.progress, begun("index"), 1, "index"))
        heap = heaps.unpacked(described, columns)
    # What is not a file cannot be opened again.
    kept = source if path == STDIN else None
    return Dump(path, heap.profile, source.size_bytes, heap, partial(_duplicates, path, kept, heap))


def _plan(source: Source, reading: Reading, room: Callable[[], int | None]) -> Plan | None:
    """How to go about a heap dump that is large or must be kept small; raises `UsageError` where there is no way."""
    if reading.max_memory is None and len(source.data) < _INDEXED_BYTES:
        return None
    extent = formats.extent(source)
    if extent is None:
        return None
    found = plan(
        len(source.data),
        extent,
        room(),
        is_compiled=_core.COMPILED,
    )
    if found.mode != "streaming" and not found.fits:
        raise UsageError(
            f"{source.path}: {found.shortage}", hint="--max-memory SIZE allows more; then the system may have to swap."
        )
    return found


def _room(most: int | None, readers: int) -> Callable[[], int | None]:
    """Asks how many bytes a further heap may take, with the interpreter; None where nobody knows.

    What there was before the first does not count to the `most`; what the heaps so far take does.
    """
    before: list[int] = []

    def left() -> int | None:
        if most is None:
            free: int | None = import_module("caulk.places.local").headroom()
            return free if free is None else free // readers
        before.append(_anonymous())
        return max(most - max(before[-1] - before[0], 0), 0) // readers

    return left


def _anonymous() -> int:
    """Bytes of memory that this process has for itself; 0 where the system does not say."""
    reading = import_module("caulk.places.local").reading(os.getpid())
    return reading.anonymous if reading else 0


def _with_repeats(heap: Any, source: Source) -> Any:
    """A heap with what equal strings waste among its findings, if that is much.

    A look at parts of the dump says whether to compare all strings: that takes a quarter of the time of an analysis and
    more.
    """
    repeats, contents = import_module("caulk.analysis.repeats"), import_module("caulk.formats.contents")
    if not repeats.may_matter(heap) or contents.repeated(source, heap.graph) < repeats.TOLD / 2:
        return heap
    found = contents.duplicates(source, heap.graph, heap.dominators.idom, rows=repeats.TEXTS, objects=repeats.STRINGS)
    return repeats.with_repeats(heap, found)


def _duplicates(path: str, source: Source | None, heap: Any, rows: int, objects: int) -> Duplicates:
    """The contents that several strings of a heap have; the only question that needs the dump beside the heap."""
    found: Duplicates = import_module("caulk.formats.contents").duplicates(
        source or open_source(path), heap.graph, heap.dominators.idom, rows=rows, objects=objects
    )
    return found


def _mappings(path: str, reading: Reading) -> Any:
    """The mapping files that are given and those beside a dump; None where there is none, which is nearly always."""
    if not _has_mappings(path, reading):
        return None
    return import_module("caulk.symbols.mappings").Mappings(reading.mappings, _beside_of(path))


def _mapping_files(path: str, reading: Reading) -> tuple[str, ...]:
    """What an index depends on besides its dump: which mapping files there are."""
    if not _has_mappings(path, reading):
        return ()
    found: tuple[str, ...] = import_module("caulk.symbols.mappings").files_of(reading.mappings, _beside_of(path))
    return found


def _has_mappings(path: str, reading: Reading) -> bool:
    beside = _beside_of(path)
    return bool(reading.mappings or (beside and (any(beside.glob("*.map")) or (beside / "mapping.txt").is_file())))


def _beside_of(path: str) -> Path | None:
    return Path(path).parent if path != STDIN else None


def _named(profile: Profile, source: Source, reading: Reading) -> Profile:
    if profile.runtime == "cpython":
        profile = import_module("caulk.formats.python_names").named(profile)
    names = import_module("caulk.symbols.symbolize")
    if names.lacks_names(profile):
        profile = names.symbolize(
            profile,
            binaries=reading.binaries,
            debug_directories=(*reading.debug_directories, *names.DEBUG_DIRECTORIES),
            debuginfod=os.environ.get("DEBUGINFOD_URLS", "").split(),
            cache=cache(),
            beside=_beside_of(source.path),
        )
        profile = import_module("caulk.formats.dropped").without_dropped(profile)
    return profile


def _index(path: str, reading: Reading) -> Path | None:
    """Where the index of a dump is, or would be kept; None where reading it again is as fast."""
    file = Path(path)
    if path == STDIN or not file.is_file() or file.stat().st_size < _INDEXED_BYTES:
        return None
    version = import_module("caulk.analysis.objects.heaps").VERSION
    facts = _mapping_files(path, reading)
    layout = f"compact headers: {reading.compact_headers}"
    key = import_module("caulk.store.index").key_of(file, __version__, version, reading.references, layout, *facts)
    return cache() / "heaps" / f"{key}.index"


def _keep(index: Path, description: Any, columns: Any, *, going: Callable[[], object]) -> None:
    try:
        import_module("caulk.store.index").write(index, description, columns, going=going)
    except OSError as error:
        # Without an index everything works, the next question only takes as long as this one.
        print(f"caulk: no index was kept in {index.parent}: {error.strerror}", file=sys.stderr)


def cache() -> Path:
    """Where what can be made again is kept."""
    home = os.environ.get("CAULK_HOME")
    if home:
        return Path(home) / "cache"
    return import_module("platformdirs").user_cache_path("caulk")  # type: ignore[no-any-return]


def home() -> Path:
    """Where what must be kept is kept: captures, and what was armed."""
    home = os.environ.get("CAULK_HOME")
    return Path(home) if home else import_module("platformdirs").user_data_path("caulk")


def report(name: str) -> Report:
    """The report of that name."""
    return next(row for row in REPORTS if row.name == name)


def output_of(path: str) -> str:
    """The output that a file's suffix asks for."""
    for name, suffix in OUTPUTS.items():
        if path.endswith(suffix):
            return name
    raise UsageError(
        f"{path}: the suffix does not say what to write", hint=f"Use one of {', '.join(OUTPUTS.values())}."
    )


def answered(row: Report, question: Question, output: str, **looks: Any) -> tuple[Answer, str | bytes]:
    """The answer to a question, and the same as text or bytes; `looks` (width, colour) are the text view's."""
    answer = row.answer(question)
    if output == "html":
        return answer, page(row, question, answer)
    return answer, rendered(answer, output, **looks)


def rendered(answer: Answer, output: str, **looks: Any) -> str | bytes:
    """An answer as text or bytes, in any output but the page, which shows more than one answer."""
    if output == "table":
        return _view("text").render(answer, **looks)  # type: ignore[no-any-return]
    if output == "json":
        return _view("json").render(answer)  # type: ignore[no-any-return]
    if output == "dot" and isinstance(answer, Graph):
        return _view("diagram").render(answer)  # type: ignore[no-any-return]
    if output == "dot":
        raise UsageError("this is no graph to write as dot", hint="`caulk graph` draws one.")
    if not isinstance(answer, Stacks):
        raise UsageError(f"this has no stacks to write as {output}", hint="`caulk tree` and `caulk flame` have them.")
    if output in ("svg", "treemap"):
        return _view("flame" if output == "svg" else "treemap").svg(answer)  # type: ignore[no-any-return]
    view: View = _view(output)
    return view.render(answer.tree)


def page(row: Report, question: Question, answer: Answer, memory: Any = None, captures: Sequence[float] = ()) -> str:
    """The answer as one HTML file; an analysis is the page of its dumps, or its plain form where that is not built.

    `memory` is a series of readings, and `captures` when dumps were taken meanwhile (seconds since 1970).
    """
    if isinstance(answer, Graph):
        answer = _view("diagram").table(answer)
    if isinstance(answer, Table | Stacks):
        section = _section(row.name, row.summary, answer)
        return _view("html").page(f"caulk {row.name}", section)  # type: ignore[no-any-return]
    return one_file(question, answer, memory=memory, captures=captures)


def one_file(
    question: Question,
    analysis: Any = None,
    *,
    page: Any = None,
    ids: Sequence[str] = (),
    memory: Any = None,
    captures: Sequence[float] = (),
) -> str:
    """The `page` of the dumps with its answers, known there by `ids`; its plain form where there is none."""
    analysis = analysis or profiles.analysis(question)
    page = page or _view("onefile").built()
    if page and question.dumps:
        onefile = import_module("caulk.pages.onefile")
        over_time = onefile.Memory(memory, captures) if memory else None
        return onefile.render(page, question, analysis, ids=ids, memory=over_time)  # type: ignore[no-any-return]
    sections = [_section(*asked) for asked in _beside(question)]
    said = replace(analysis, notes=(*analysis.notes, _PLAIN))
    return _view("html").report(said, sections, memory=memory, captures=captures)  # type: ignore[no-any-return]


def _beside(question: Question) -> Iterator[tuple[str, str, Table | Stacks]]:
    """What people look at after the findings: a name, a title and an answer each."""
    if len(question.dumps) > 1 and len({dump.profile.kind for dump in question.dumps}) == 1:
        changes = import_module("caulk.reports.changes")
        yield "growth", "Where it grew", changes.difference_tree(question)
        by = "type" if question.dumps[-1].heap else "function"
        yield "diff", f"What grew, by {by}", changes.diff(question)
    newest = replace(question, dumps=question.dumps[-1:], at=question.at[-1:])
    if question.dumps and question.dumps[-1].heap:
        objects = import_module("caulk.reports.objects")
        types = import_module("caulk.reports.types")
        yield "dominators", "Who alone keeps what, type under type", objects.dominators(newest)
        yield "types", "Types, by what they retain", types.types(newest)
        yield "roots", "Where the runtime begins to hold", objects.roots(newest)
    elif question.dumps:
        yield "flame", "What is live, by who allocated it", profiles.flame(newest)
        yield "top", "Functions", profiles.top(newest)


def _asked(name: str, question: Question) -> Any:
    return report(name).answer(question)


def _section(name: str, title: str, answer: Table | Stacks) -> Any:
    return _view("html").Section(name, title, answer)


def _view(name: str) -> Any:
    return import_module(f"caulk.views.{name}")
