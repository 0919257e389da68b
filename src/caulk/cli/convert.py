"""`caulk convert A B`: the same profile in another tool's format."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from caulk import app
from caulk.analysis.dumps import Dump
from caulk.cli.asking import Symbols, write
from caulk.formats.source import STDIN
from caulk.model.errors import UsageError
from caulk.reports import Question
from caulk.reports.profiles import chosen_measure
from caulk.views import folded, pprof, speedscope

Output = Literal["pprof", "folded", "speedscope", "svg", "html", "json"]

_NONE_GIVEN = Symbols()


def main(
    source: str,
    target: str = "",
    /,
    *,
    output: Annotated[Output | None, Parameter(name=["--output", "-o"])] = None,
    measure: Annotated[str, Parameter(name=["--measure", "-m"])] = "",
    symbols: Symbols = _NONE_GIVEN,
) -> int:
    """Write a profile in another format: pprof, folded, speedscope, svg, html or json, by the suffix of the target.

    pprof and speedscope keep every measure, pprof alone labels, times and addresses; the others show one measure.

    Parameters
    ----------
    source
        A dump; `-` is stdin.
    target
        The file to write; its suffix is the format (.pb.gz, .folded, .speedscope.json, .svg, .html, .json). Without it,
        or as `-`, stdout.
    output
        The format, whatever the suffix.
    measure
        Which measure, by name, where the format holds one or shows one first.

    """
    to_stdout = target in ("", STDIN)
    if to_stdout and not output:
        raise UsageError(
            "convert needs to know the format",
            hint="Give a file with its suffix, `caulk convert A B.pb.gz`, or `-o pprof` for stdout.",
        )
    wanted = output or app.output_of(target)
    [dump] = app.load([source], reading=symbols.reading)
    write(converted(dump, wanted, measure), None if to_stdout else Path(target))
    return 0


def converted(dump: Dump, output: str, measure: str = "") -> str | bytes:
    """A dump as `output`; raises `UsageError` with the reason where that would say something that is not so."""
    profile = dump.profile
    if profile.kind == "histogram":
        raise UsageError(
            f"{dump.path} counts objects by class and has no stacks to convert",
            hint="`caulk top FILE -o json` or `--out top.html` writes what it has.",
        )
    if output == "table":
        raise UsageError(
            "text for people is no format to convert to", hint="`caulk tree FILE --out tree.txt` writes it."
        )
    chosen = chosen_measure(profile, measure)
    if output == "pprof":
        return pprof.encode(profile)
    if output == "speedscope":
        return speedscope.render(profile.tree, chosen)
    if output == "folded":
        return folded.render(profile.tree, chosen)
    _, rendered = app.answered(app.report("flame"), Question([dump], measure=measure), output)
    return rendered
