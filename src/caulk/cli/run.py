"""`caulk run -- CMD`: run a program as it would run alone, and say at its end which code leaks."""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from caulk import app
from caulk.cli.asking import write
from caulk.cli.status import StatusLine
from caulk.model.errors import UsageError
from caulk.model.records import Analysis
from caulk.model.units import format_duration, format_value
from caulk.reports import Question
from caulk.run.conclusion import Conclusion, alike, conclude
from caulk.run.run import Run, run
from caulk.views import text


def main(
    *command: Annotated[str, Parameter(allow_leading_hyphen=True)],
    out: Path | None = None,
    keep: Path | None = None,
    pprof: str | None = None,
    frames: int = 16,
    native: Annotated[bool, Parameter(negative="")] = False,
    fail_on: Literal["leaking", "suspect"] | None = None,
    quiet: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Run any program with the right switches for its runtime, watch it, and name the leak at the end.

    Works through shells, launchers, npm and pools of workers: only variables of the environment are set. CPython is
    traced (tracemalloc), Node.js sampled, of a JVM class histograms are taken; Go and others are asked at --pprof URL.
    Exits as the program did. What caulk says goes to stderr.

    Parameters
    ----------
    command
        The program and its arguments, behind `--`.
    out
        Write the analysis to this file too; its suffix is the format (.html, .json, .txt).
    keep
        Keep the profiles in this directory, for `caulk analyze` or other tools.
    pprof
        Where the program serves /debug/pprof/, for instance http://127.0.0.1:6060.
    frames
        How many frames of each Python stack are recorded; fewer cost less.
    native
        Name leaks below the runtime, in C, C++ and Rust: an allocator that profiles (Debian: libjemalloc2) is
        preloaded, and CPython records itself with memray, native frames included. Costs more time.
    fail_on
        Exit with 1 if the verdict is this bad and the program itself succeeded.
    quiet
        No memory on the terminal's last line while the program runs.

    """
    if not command:
        raise UsageError("no command given", hint="caulk run -- python app.py")
    if out:
        app.output_of(str(out))
    workspace = _workspace(keep)
    try:
        with StatusLine(enabled=not quiet) as status:
            ended = run(
                command,
                workspace=workspace,
                pprof_url=pprof,
                on_reading=status.show,
                frames=frames,
                is_native=native,
            )
        return _say(ended, workspace, out=out, kept=bool(keep), fail_on=fail_on)
    finally:
        # A dump that a runtime wrote when it died cannot be had again.
        if not keep and not any(next(workspace.glob(left), None) for left in ("*.hprof*", "*.heapsnapshot")):
            shutil.rmtree(workspace, ignore_errors=True)


def _workspace(keep: Path | None) -> Path:
    """A private directory for the profiles, which hold the program's secrets."""
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="caulk-"))
    try:
        keep.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{keep} cannot be made: {error.strerror}") from None
    return keep


def _say(ended: Run, workspace: Path, *, out: Path | None, kept: bool, fail_on: str | None) -> int:
    conclusions = conclude(ended, cache=app.cache())
    talk = [_summary(ended)]
    code = ended.exit_code
    terminal = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    width = shutil.get_terminal_size((100, 24)).columns if sys.stderr.isatty() else 100
    if conclusions:
        first = conclusions[0]
        talk.append(_who(first, conclusions[1:]))
        talk.append(text.render(first.analysis, width=width, colour=terminal))
        talk.extend(_others(conclusions[1:]))
        for shot in (shot for c in conclusions for shot in c.deaths):
            talk.append(f"It left a heap dump when it ran out of memory: {shot.path}")
        if fail_on and not code and _is_as_bad(first.analysis, fail_on):
            code = 1
    else:
        talk.append("No process gave a profile: there is nothing to name.")
        talk.append(_hint(ended))
    talk.extend(f"note: {note}" for note in ended.notes)
    if out and conclusions:
        _report(conclusions[0], ended, out)
        talk.append(f"report: {out}")
    elif out:
        talk.append(f"report: {out} was not written, for want of a profile")
    if kept:
        talk.append(f"profiles: {workspace}")
    sys.stdout.flush()
    print("\n".join(part.rstrip("\n") for part in talk if part), file=sys.stderr)
    return code


def _summary(ended: Run) -> str:
    readings = ended.series.readings
    peak = max((reading.rss for reading in readings), default=0)
    grown = format_value(ended.series.growth, "bytes", signed=True) if readings else ""
    return (
        f"\ncaulk: ended with {ended.exit_code} after {format_duration(ended.elapsed_s)},"
        f" peak memory {format_value(peak, 'bytes')}{f', {grown} from first to last' if grown else ''}"
    )


def _who(first: Conclusion, others: tuple[Conclusion, ...]) -> str:
    subject = first.subject
    same = alike(first, others)
    workers = f"; {same} more of {len(others) + 1} processes show the same" if same else ""
    return f"caulk: {first.runtime} process {subject.pid or 'at the endpoint'}: {text.clean(subject.command)}{workers}"


def _others(others: tuple[Conclusion, ...]) -> list[str]:
    """One line for each other process whose verdict asks for attention."""
    return [
        f"also {c.runtime} process {c.subject.pid}: {c.analysis.verdict.sentence}"
        for c in others
        if c.analysis.verdict.state in ("leaking", "suspect")
    ][:5]


def _hint(ended: Run) -> str:
    grown = ended.series.growth
    if grown < 16 << 20:
        return ""
    return (
        f"Its memory grew by {format_value(grown, 'bytes')}. If it is a Go program that serves /debug/pprof/,"
        " give --pprof URL; a program of C, C++ or Rust shows who takes it with `caulk run --native -- …`."
    )


def _is_as_bad(analysis: Analysis, fail_on: str) -> bool:
    return analysis.verdict.state == "leaking" or (fail_on == "suspect" and analysis.verdict.state == "suspect")


def _report(conclusion: Conclusion, ended: Run, out: Path) -> None:
    """The same analysis in the format of `out`; the page has the memory chart beside it."""
    question = Question(dumps=conclusion.dumps)
    output = app.output_of(str(out))
    if output == "html":
        readings = conclusion.subject.series if conclusion.subject.series.readings else ended.series
        captures = [shot.taken_at.timestamp() for shot in conclusion.subject.captures]
        rendered: str | bytes = app.page(
            app.report("analyze"), question, conclusion.analysis, memory=readings, captures=captures
        )
    else:
        rendered = app.rendered(conclusion.analysis, output)
    write(rendered, out)
