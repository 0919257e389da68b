"""The verbs that ask what a dump of any kind says: the judgement, functions, calls, changes, lines, the file itself.

Each is a row of `caulk.reports.REPORTS`.
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from caulk import app
from caulk.cli.asking import Common, Compared, asked, told, with_base, write
from caulk.model.errors import UsageError
from caulk.reports import Question
from caulk.symbols.sources import Sources

#: Functions that a graph shows: more is a picture that nobody reads.
_NODES = 80


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
    question = asked(files, common, at=at)
    if open:
        return _open(question)
    answer = told("analyze", question, common)
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
    told("suspects", asked(files, common, at=at), common)
    return 0


def top(file: str, /, *, common: Compared = Compared()) -> int:
    """Functions by what they hold themselves (flat) and with all that they called (cum).

    Parameters
    ----------
    file
        A dump; `-` is stdin.

    """
    told("top", asked(with_base(file, common), common), common)
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
    told("tree", asked(with_base(file, common), common, inverted=invert), common)
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
    told("flame", asked(with_base(file, common), common, inverted=invert), common)
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
    told("peek", asked([file], common, pattern=function), common)
    return 0


def graph(file: str, /, *, common: Compared = Compared()) -> int:
    """The call graph of the heaviest functions; of a heap dump of types, by which alone keeps which alive.

    Parameters
    ----------
    file
        A dump; `-` is stdin.

    """
    question = asked(with_base(file, common), common)
    told("graph", question if common.limit is not None else replace(question, limit=_NODES), common)
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
    told("diff", asked([before, after], common, at=at), common)
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
    told("threads", asked([file], common, pattern=pattern), common)
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
    question = asked([file], common, pattern=function)
    told("source", replace(question, sources=Sources(source).find, source_url=source_url), common)
    return 0


def raw(file: str, /, *, common: Common = Common()) -> int:
    """What the file itself says, before any judgement: format, times, sampling, sums, mappings, keys of labels.

    Parameters
    ----------
    file
        A dump; `-` is stdin.

    """
    told("raw", asked([file], common), common)
    return 0


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
