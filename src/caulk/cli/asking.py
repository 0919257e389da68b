"""What the verbs that ask about dumps share: their options, the question that these make, and where its answer goes."""

import os
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Group, Parameter

from caulk import _core, app
from caulk.analysis.filters import Filters
from caulk.analysis.fold import Granularity
from caulk.cli.files import appearing
from caulk.cli.progress import attended
from caulk.formats.source import STDIN
from caulk.model.errors import UsageError
from caulk.model.graph import References
from caulk.model.units import parse_bytes
from caulk.reports import Question

_FILTERS = Group("Filters (regular expressions, as in pprof)")
_OUTPUT = Group("Output")
_SYMBOLS = Group("Names")
_HEAPS = Group("Heap dumps")
_LARGE = 8 << 20
#: Files that take longer than anybody would wait without a word.
_LONG = 32 << 20

Output = Literal["table", "json", "html", "svg", "treemap", "folded", "speedscope", "pprof", "dot"]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Read:
    """How a dump is read; names of addresses come from the paths in the profile and the system's debug files too."""

    binary: Annotated[tuple[Path, ...], Parameter(group=_SYMBOLS, negative="")] = ()
    """The program or a library that wrote addresses, or a directory of them; may be given again."""
    debug_dir: Annotated[tuple[Path, ...], Parameter(group=_SYMBOLS, negative="")] = ()
    """A directory of separate debug files, as /usr/lib/debug is; may be given again."""
    mapping: Annotated[tuple[Path, ...], Parameter(group=_SYMBOLS, negative="")] = ()
    """A source map, a mapping.txt of R8 or ProGuard, or a directory of source maps; may be given again."""
    max_memory: Annotated[str, Parameter(group=_HEAPS)] = ""
    """The memory that a heap dump may take (2G, 512M); without it, what the machine and its limits leave."""
    compact_headers: Annotated[bool | None, Parameter(group=_HEAPS)] = None
    """Whether the JVM of an .hprof ran with compact object headers; without it, the dump tells."""

    @property
    def reading(self) -> app.Reading:
        """The same, as the application takes it."""
        return app.Reading(
            self.binary,
            self.debug_dir,
            mappings=self.mapping,
            max_memory=bytes_of("--max-memory", self.max_memory),
            compact_headers=self.compact_headers,
        )


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Symbols(Read):
    """The same, where it is chosen at the start which references hold."""

    references: Annotated[References, Parameter(group=_HEAPS)] = "strong"
    """Which references of a heap dump hold: strong, soft ones too, or all."""

    @property
    def reading(self) -> app.Reading:
        """The same, as the application takes it."""
        return replace(super().reading, references=self.references)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Common(Symbols):
    """What every question takes."""

    focus: Annotated[str, Parameter(group=_FILTERS)] = ""
    """Keep stacks with a frame that matches."""
    ignore: Annotated[str, Parameter(group=_FILTERS)] = ""
    """Drop stacks with a frame that matches."""
    hide: Annotated[str, Parameter(group=_FILTERS)] = ""
    """Take matching frames out of the stacks."""
    show: Annotated[str, Parameter(group=_FILTERS)] = ""
    """Keep only matching frames in the stacks."""
    from_: Annotated[str, Parameter(name=["--from", "--show-from"], group=_FILTERS)] = ""
    """Begin stacks at their outermost match; drop those without one."""
    measure: Annotated[str, Parameter(name=["--measure", "--sample-index", "-m"])] = ""
    """Which of the profile's measures, by name (inuse_objects …); without it, what the profile says."""
    granularity: Granularity = "functions"
    """What a node is: functions, lines or files."""
    limit: Annotated[int | None, Parameter(name=["--limit", "-n"])] = None
    """Rows at most: 30, or 80 functions of a graph."""
    output: Annotated[Output | None, Parameter(name=["--output", "-o"], group=_OUTPUT)] = None
    """Format on stdout: table, json, html, svg (a flame graph), treemap, folded, speedscope, pprof or dot (a graph)."""
    out: Annotated[Path | None, Parameter(group=_OUTPUT)] = None
    """Write a file instead; its suffix is the format."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Compared(Common):
    """What a question takes that can be asked about a change."""

    base: Annotated[tuple[str, ...], Parameter(name=["--base", "--diff-base"], negative="")] = ()
    """An older dump of the same program: the answer is what changed since; may be given again, the oldest first."""
    survivors: Annotated[bool, Parameter(negative="")] = False
    """With two bases: only what came after the first and was still there in the second and in the dump."""


def with_base(file: str, common: Compared) -> list[str]:
    """The dumps of a question about one, or about what changed since others."""
    return [*common.base, file]


def asked(
    files: tuple[str, ...] | list[str],
    common: Common,
    *,
    at: tuple[str, ...] = (),
    pattern: str = "",
    inverted: bool = False,
    values: bool = False,
) -> Question:
    """The question that options make of files, which are read here; raises `UsageError`."""
    if not files:
        raise UsageError("no file given", hint="`caulk analyze FILE…` takes dumps; `caulk run -- CMD` makes them.")
    if list(files).count(STDIN) > 1:
        raise UsageError("stdin (`-`) can be read only once")
    times = [_time(text) for text in at]
    is_long = sum(Path(file).stat().st_size for file in files if Path(file).is_file()) > _LONG
    return Question(
        dumps=attended(
            lambda talk: app.load(list(files), _warn_if_slow, reading=common.reading, talk=talk), is_long=is_long
        ),
        filters=Filters(common.focus, common.ignore, common.hide, common.show, common.from_),
        measure=common.measure,
        granularity=common.granularity,
        limit=max(common.limit, 1) if common.limit is not None else 30,
        pattern=pattern,
        inverted=inverted,
        values=values,
        at=times,
        survivors=isinstance(common, Compared) and common.survivors,
    )


def told(name: str, question: Question, common: Common) -> Any:
    """Render to stdout or a file, and give the answer itself."""
    row = app.report(name)
    output = common.output or (app.output_of(str(common.out)) if common.out else "table")
    terminal = common.out is None and sys.stdout.isatty()
    width = _width() if terminal else 100
    answer, rendered = app.answered(row, question, output, width=width, colour=terminal and _colour())
    write(rendered, common.out)
    return answer


def _width() -> int:
    import shutil  # noqa: PLC0415

    return shutil.get_terminal_size((100, 24)).columns


def write(rendered: str | bytes, out: Path | None) -> None:
    """Write to stdout, or to a file that appears whole or not at all."""
    data = rendered.encode("utf-8", "replace") if isinstance(rendered, str) else rendered
    if out is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    with appearing(out) as file:
        file.write(data)


def bytes_of(option: str, text: str) -> int | None:
    """The size that an option gives, in bytes; None where it is empty. Raises `UsageError`."""
    try:
        return parse_bytes(text) if text else None
    except ValueError as error:
        raise UsageError(f"{option} {error}", hint="For instance 2G or 512M.") from None


def _time(text: str) -> datetime:
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except (ValueError, OverflowError, OSError):
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"--at {text!r} is not a time", hint="ISO 8601 (2026-01-31T12:00:00Z) or seconds since 1970."
        ) from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _colour() -> bool:
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _warn_if_slow(size: int) -> None:
    if size > _LARGE and not _core.COMPILED:
        print(
            "caulk: the kernels are not compiled, so this is slow. With gcc and python3-dev installed,"
            " reinstall caulk to compile them.",
            file=sys.stderr,
        )
