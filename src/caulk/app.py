"""The one place that builds objects: dumps from paths, answers from questions, bytes from answers."""

import os
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from caulk import formats, reports
from caulk.analysis.dumps import Dump
from caulk.formats.source import STDIN, Source, open_source
from caulk.model.errors import UsageError
from caulk.model.table import Stacks, Table
from caulk.ports import View
from caulk.reports import REPORTS, Answer, Question, Report
from caulk.symbols.symbolize import DEBUG_DIRECTORIES, lacks_names, symbolize

#: What can be written, by `-o` and by the suffix of `--out`.
OUTPUTS = {
    "table": ".txt",
    "speedscope": ".speedscope.json",
    "json": ".json",
    "html": ".html",
    "svg": ".svg",
    "folded": ".folded",
    "pprof": ".pb.gz",
}
#: Reading several files at once pays only where there is something to read.
_PARALLEL_BYTES = 4 << 20


def load(
    paths: Sequence[str],
    on_large: Callable[[int], None] | None = None,
    *,
    binaries: Sequence[Path] = (),
    debug_directories: Sequence[Path] = (),
) -> list[Dump]:
    """The dumps at `paths`, in their order; kernels run without the GIL, so large ones are read side by side.

    Addresses without names get them from `binaries` and `debug_directories`, and from where systems keep such files.
    """
    for path in (*binaries, *debug_directories):
        if not path.exists():
            raise UsageError(f"{path}: no such file or directory")
    dump = partial(_dump, binaries=binaries, debug_directories=debug_directories)
    sources = [open_source(path) for path in paths]
    size = sum(len(source.data) for source in sources)
    if on_large:
        on_large(size)
    if len(sources) > 1 and size > _PARALLEL_BYTES:
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

        with ThreadPoolExecutor() as pool:
            return list(pool.map(dump, sources))
    return [dump(source) for source in sources]


def _dump(source: Source, binaries: Sequence[Path], debug_directories: Sequence[Path]) -> Dump:
    profile = formats.read_source(source)
    if profile.runtime == "cpython":
        profile = import_module("caulk.formats.python_names").named(profile)
    if lacks_names(profile):
        profile = symbolize(
            profile,
            binaries=binaries,
            debug_directories=(*debug_directories, *DEBUG_DIRECTORIES),
            debuginfod=os.environ.get("DEBUGINFOD_URLS", "").split(),
            cache=cache(),
            beside=Path(source.path).parent if source.path != STDIN else None,
        )
    return Dump(source.path, profile, source.size_bytes)


def cache() -> Path:
    """Where what can be made again is kept."""
    home = os.environ.get("CAULK_HOME")
    if home:
        return Path(home) / "cache"
    return import_module("platformdirs").user_cache_path("caulk")  # type: ignore[no-any-return]


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
    if not isinstance(answer, Stacks):
        raise UsageError(f"this has no stacks to write as {output}", hint="`caulk tree` and `caulk flame` have them.")
    if output == "svg":
        return _view("flame").svg(answer)  # type: ignore[no-any-return]
    view: View = _view(output)
    return view.render(answer.tree)


def page(row: Report, question: Question, answer: Answer, **memory: Any) -> str:
    """The answer as one HTML file; an analysis comes with its flame graph, its tables, and its growth."""
    html = _view("html")
    if isinstance(answer, Table | Stacks):
        return html.page(f"caulk {row.name}", _section(row.name, row.summary, answer))  # type: ignore[no-any-return]
    sections = []
    comparable = len(question.dumps) > 1 and len({dump.profile.kind for dump in question.dumps}) == 1
    if comparable:
        sections.append(_section("growth", "Where it grew", reports.difference_tree(question)))
        sections.append(_section("diff", "What grew, by function", reports.diff(question)))
    if not question.dumps:
        return html.report(answer, sections, **memory)  # type: ignore[no-any-return]
    sections.append(_section("flame", "What is live, by who allocated it", reports.flame(question)))
    sections.append(_section("top", "Functions", reports.top(question)))
    return html.report(answer, sections, **memory)  # type: ignore[no-any-return]


def _section(name: str, title: str, answer: Table | Stacks) -> Any:
    return _view("html").Section(name, title, answer)


def _view(name: str) -> Any:
    return import_module(f"caulk.views.{name}")
