"""The verbs that ask one question of a dump. They share their options; each is a row of `caulk.reports.REPORTS`."""

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
from caulk.reports.question import Grouping
from caulk.symbols.sources import Sources

_FILTERS = Group("Filters (regular expressions, as in pprof)")
_OUTPUT = Group("Output")
_SYMBOLS = Group("Names")
_HEAPS = Group("Heap dumps")
_LARGE = 8 << 20
#: Files that take longer than anybody would wait without a word.
_LONG = 32 << 20
#: Functions that a graph shows: more is a picture that nobody reads.
_NODES = 80

Output = Literal["table", "json", "html", "svg", "treemap", "folded", "speedscope", "pprof", "dot"]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Symbols:
    """How a dump is read; names of addresses come from the paths in the profile and the system's debug files too."""

    binary: Annotated[tuple[Path, ...], Parameter(group=_SYMBOLS, negative="")] = ()
    """The program or a library that wrote addresses, or a directory of them; may be given again."""
    debug_dir: Annotated[tuple[Path, ...], Parameter(group=_SYMBOLS, negative="")] = ()
    """A directory of separate debug files, as /usr/lib/debug is; may be given again."""
    mapping: Annotated[tuple[Path, ...], Parameter(group=_SYMBOLS, negative="")] = ()
    """A source map, a mapping.txt of R8 or ProGuard, or a directory of source maps; may be given again."""
    references: Annotated[References, Parameter(group=_HEAPS)] = "strong"
    """Which references of a heap dump hold: strong, soft ones too, or all."""
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
            self.references,
            self.mapping,
            max_memory=_size("--max-memory", self.max_memory),
            compact_headers=self.compact_headers,
        )


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

    base: Annotated[str, Parameter(name=["--base", "--diff-base"])] = ""
    """An older dump of the same program: the answer is what changed since."""


def analyze(
    *files: str,
    at: tuple[str, ...] = (),
    fail_on: Literal["leaking", "suspect"] = "leaking",
    exit_zero: bool = False,
    open: Annotated[bool, Parameter(negative="")] = False,
    common: Common = Common(),
) -> int:
    """Judge one or several dumps of one program: who allocates what is not freed.

    Reads pprof (Go, Envoy, tcmalloc, Node.js), Go's text profiles and goroutine dumps, V8 .heapprofile, tracemalloc
    snapshots, JVM class histograms and folded stacks; the content decides, not the name. Several files of one program
    are growth over time. Exits with 1 if the verdict is `leaking`.

    Parameters
    ----------
    files
        Dumps; `-` is stdin. Ordered by the time in them where all have one, else as given.
    at
        When each file was taken (ISO 8601 or seconds since 1970), once for each file.
    fail_on
        The state from which the exit code is 1.
    exit_zero
        Exit with 0 whatever the verdict.
    open
        Show the one-file report in the browser.

    """
    question = _question(files, common, at=at)
    if open:
        return _open(question)
    answer = _answer("analyze", question, common)
    bad = {"leaking"} | ({"suspect"} if fail_on == "suspect" else set())
    return 1 if answer.verdict.state in bad and not exit_zero else 0


def suspects(*files: str, at: tuple[str, ...] = (), common: Common = Common()) -> int:
    """The findings alone, worst first.

    Parameters
    ----------
    files
        Dumps of one program; `-` is stdin.
    at
        When each file was taken, once for each file.

    """
    _answer("suspects", _question(files, common, at=at), common)
    return 0


def top(file: str, /, *, common: Compared = Compared()) -> int:
    """Functions by what they hold themselves (flat) and with all that they called (cum).

    Parameters
    ----------
    file
        A dump; `-` is stdin.

    """
    _answer("top", _question(_with_base(file, common), common), common)
    return 0


def tree(
    file: str, /, *, invert: Annotated[bool, Parameter(negative="")] = False, common: Compared = Compared()
) -> int:
    """The call tree, each call with all that was allocated below it.

    Parameters
    ----------
    file
        A dump; `-` is stdin.
    invert
        From the allocations up to their callers.

    """
    _answer("tree", _question(_with_base(file, common), common, inverted=invert), common)
    return 0


def flame(
    file: str, /, *, invert: Annotated[bool, Parameter(negative="")] = False, common: Compared = Compared()
) -> int:
    """The call tree as a flame graph: text on a terminal, `-o html` or `-o svg` for the picture.

    Parameters
    ----------
    file
        A dump; `-` is stdin.
    invert
        From the allocations up to their callers.

    """
    _answer("flame", _question(_with_base(file, common), common, inverted=invert), common)
    return 0


def peek(file: str, function: str = "", /, *, common: Common = Common()) -> int:
    """A function with its direct callers and callees.

    Parameters
    ----------
    file
        A dump; `-` is stdin.
    function
        A regular expression; without it, the heaviest functions.

    """
    _answer("peek", _question([file], common, pattern=function), common)
    return 0


def graph(file: str, /, *, common: Compared = Compared()) -> int:
    """The call graph of the heaviest functions; of a heap dump of types, by which alone keeps which alive.

    Parameters
    ----------
    file
        A dump; `-` is stdin.

    """
    question = _question(_with_base(file, common), common)
    _answer("graph", question if common.limit is not None else replace(question, limit=_NODES), common)
    return 0


def diff(before: str, after: str, /, *, at: tuple[str, ...] = (), common: Common = Common()) -> int:
    """What grew and what went between two dumps; percentages are of the growth.

    Parameters
    ----------
    before
        The older dump.
    after
        The newer dump.
    at
        When each was taken, twice.

    """
    _answer("diff", _question([before, after], common, at=at), common)
    return 0


def types(
    file: str,
    pattern: str = "",
    /,
    *,
    by: Grouping = "types",
    least: str = "",
    common: Compared = Compared(),
) -> int:
    """Types of a heap dump by what they retain: their objects together, none counted twice.

    Parameters
    ----------
    file
        A heap dump (.hprof, .heapsnapshot, a CPython graph); `-` is stdin.
    pattern
        A regular expression; without it, all types.
    by
        What a row is: a type, a package (a module), or an owner (a class loader, an npm package).
    least
        Only rows that retain so much (10M, 500k), or with `--base` have changed by so much.

    """
    question = _question(_with_base(file, common), common, pattern=pattern)
    _answer("types", replace(question, by=by, least=_size("--least", least) or 0), common)
    return 0


def dominators(file: str, /, *, common: Compared = Compared()) -> int:
    """Who alone keeps what alive: each type below the type that all paths to its objects go through.

    Parameters
    ----------
    file
        A heap dump; `-` is stdin.

    """
    _answer("dominators", _question(_with_base(file, common), common), common)
    return 0


def paths(file: str, pattern: str, /, *, common: Compared = Compared()) -> int:
    """The shortest chains of references from the roots to the objects of a type, laid over each other.

    Parameters
    ----------
    file
        A heap dump; `-` is stdin.
    pattern
        A regular expression that the type's name matches.

    """
    _answer("paths", _question(_with_base(file, common), common, pattern=pattern), common)
    return 0


def roots(file: str, /, *, common: Common = Common()) -> int:
    """The roots by kind: how many references each kind has, and what they retain.

    Parameters
    ----------
    file
        A heap dump; `-` is stdin.

    """
    _answer("roots", _question([file], common), common)
    return 0


def strings(file: str, /, *, values: Annotated[bool, Parameter(negative="")] = False, common: Common = Common()) -> int:
    """Strings that a heap dump has more than once: how many, what they waste, and who holds them.

    Parameters
    ----------
    file
        A heap dump with contents (.hprof, .heapsnapshot); `-` is stdin.
    values
        Show the beginning of each text too. Without it no content of the program's memory is shown.

    """
    _answer("strings", _question([file], common, values=values), common)
    return 0


def waste(file: str, pattern: str = "", /, *, common: Common = Common()) -> int:
    """Collections of a heap dump that hold nothing or have room for more than four times what they hold.

    Parameters
    ----------
    file
        A heap dump; `-` is stdin.
    pattern
        A regular expression that the type of the collection matches; without it, all.

    """
    _answer("waste", _question([file], common, pattern=pattern), common)
    return 0


def threads(file: str, pattern: str = "", /, *, common: Common = Common()) -> int:
    """Threads, or goroutines, whose stacks are equal: how many, in which state, for how long.

    Parameters
    ----------
    file
        A goroutine profile (pprof, or text of `debug=1` and `debug=2`) or a heap dump of the JVM; `-` is stdin.
    pattern
        A regular expression that a function of the stack matches; without it, all.

    """
    _answer("threads", _question([file], common, pattern=pattern), common)
    return 0


def source(
    file: str,
    function: str = "",
    /,
    *,
    source: Annotated[tuple[Path, ...], Parameter(name="--source", negative="")] = (),
    source_url: str = "",
    common: Common = Common(),
) -> int:
    """The lines of a function with what each holds itself (flat) and with all that it calls (cum).

    Parameters
    ----------
    file
        A profile; `-` is stdin.
    function
        A regular expression; without it, the heaviest functions.
    source
        A directory of source code, the only place that is looked in; may be given again.
    source_url
        Where lines can be looked at: `https://host/owner/repository/blob/REVISION/{file}#L{line}`.

    """
    for directory in source:
        if not directory.is_dir():
            raise UsageError(f"--source {directory}: no such directory")
    question = _question([file], common, pattern=function)
    _answer("source", replace(question, sources=Sources(source).find, source_url=source_url), common)
    return 0


def raw(file: str, /, *, common: Common = Common()) -> int:
    """What the file itself says, before any judgement: format, times, sampling, sums, mappings, keys of labels.

    Parameters
    ----------
    file
        A dump; `-` is stdin.

    """
    _answer("raw", _question([file], common), common)
    return 0


def _with_base(file: str, common: Compared) -> list[str]:
    """The dumps of a question about one, or about what changed since another."""
    return [common.base, file] if common.base else [file]


def _question(
    files: tuple[str, ...] | list[str],
    common: Common,
    *,
    at: tuple[str, ...] = (),
    pattern: str = "",
    inverted: bool = False,
    values: bool = False,
) -> Question:
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
    )


def _answer(name: str, question: Question, common: Common) -> Any:
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


def _open(question: Question) -> int:
    import tempfile  # noqa: PLC0415
    import webbrowser  # noqa: PLC0415

    directory = Path(tempfile.mkdtemp(prefix="caulk-"))
    path = directory / "report.html"
    _, rendered = app.answered(app.report("analyze"), question, "html")
    write(rendered, path)
    print(f"wrote {path}", file=sys.stderr)
    if not webbrowser.open(path.as_uri()):
        print("no browser was found; open the file with one", file=sys.stderr)
    return 0


def _size(option: str, text: str) -> int | None:
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
