"""The command line: verbs are imported when they are called, errors are caught here and nowhere else."""

import os
import sys
import textwrap
from collections.abc import Sequence

import cyclopts

from caulk import __version__
from caulk.formats.source import STDIN
from caulk.model.errors import CaulkError

#: Verb, where it lives, what it does. Reports are rows of `caulk.reports.REPORTS`; a test holds the two together.
VERBS = (
    ("run", "caulk.cli.run:main", "Run a program, watch it, and name its leak at the end."),
    ("watch", "caulk.cli.watch:main", "Watch programs, and say who leaks, how fast, since when."),
    ("serve", "caulk.cli.serve:main", "The web page: on dumps, on a target, or on all that is watched."),
    ("ps", "caulk.cli.ps:main", "What runs here or there, its memory, and what a capture could get."),
    ("memory", "caulk.cli.memory:main", "Where the memory of a program is, kind by kind, and what limit would fit it."),
    ("doctor", "caulk.cli.doctor:main", "Check every way to capture a program, and say what to change."),
    ("capture", "caulk.cli.capture:main", "Take the heap of a running program, safely."),
    ("captures", "caulk.cli.captures:app", "Captures that were taken: list, show, export, prune."),
    ("arm", "caulk.cli.arm:main", "Switch on a dump at death in a running program."),
    ("disarm", "caulk.cli.arm:disarm", "Put back what arm switched."),
    ("analyze", "caulk.cli.reports:analyze", "Judge one or several dumps: who makes or holds what is not freed."),
    ("judge", "caulk.cli.judge:main", "Judge memory over time: who leaks, how fast, since when."),
    ("incident", "caulk.cli.incident:app", "What rules and alerts opened: list, show, export, close."),
    ("dashboards", "caulk.cli.dashboards:main", "Grafana dashboards for the memory of programs."),
    ("rules", "caulk.cli.rules:app", "Alerts on memory for Prometheus; what is wrong with those that exist."),
    ("suspects", "caulk.cli.reports:suspects", "The findings alone."),
    ("top", "caulk.cli.reports:top", "Functions by what they hold themselves and with all they called."),
    ("tree", "caulk.cli.reports:tree", "The call tree with what was allocated below each call."),
    ("flame", "caulk.cli.reports:flame", "The call tree as a flame graph."),
    ("peek", "caulk.cli.reports:peek", "A function with its callers and callees."),
    ("graph", "caulk.cli.reports:graph", "The call graph of the heaviest functions, or of types that keep others."),
    ("diff", "caulk.cli.reports:diff", "What grew between two dumps, by function."),
    ("types", "caulk.cli.objects:types", "What each type of a heap dump has and retains."),
    ("dominators", "caulk.cli.objects:dominators", "Who alone keeps what alive, type under type."),
    ("paths", "caulk.cli.objects:paths", "What chains of references keep the objects of a type."),
    ("roots", "caulk.cli.objects:roots", "Where the runtime begins to hold, and how much."),
    ("strings", "caulk.cli.objects:strings", "Strings that a heap dump has more than once, and who holds them."),
    ("waste", "caulk.cli.objects:waste", "Collections that are empty or nearly so, and who holds them."),
    ("threads", "caulk.cli.reports:threads", "Where threads or goroutines stand, and how many at one place."),
    ("source", "caulk.cli.reports:source", "The lines of a function with what each holds."),
    ("raw", "caulk.cli.reports:raw", "What the file itself says, before any judgement."),
    ("convert", "caulk.cli.convert:main", "Write a profile in another tool's format."),
    ("redact", "caulk.cli.redact:main", "Write a dump again without the values in it."),
    ("schema", "caulk.cli.schema:main", "The JSON Schema of `caulk analyze -o json`."),
)

app = cyclopts.App(
    name="caulk",
    help="Finds memory leaks in running programs, and names the code.",
    version=f"caulk {__version__}",
    version_flags=["--version", "-V"],
    result_action="return_value",
)
for _name, _where, _help in VERBS:
    app.command(_where, name=_name, help=_help)


def carry_out(arguments: Sequence[str]) -> int:
    """Carry out a command line and give its exit code; what goes wrong is said on stderr, never as a traceback."""
    try:
        code = app(_with_stdin(arguments), exit_on_error=False, print_error=False)
        sys.stdout.flush()
        return int(code or 0)
    except cyclopts.CycloptsError as error:
        return _complain(
            " ".join(str(error).split()), "`caulk --help` lists the verbs; `caulk VERB --help` its options.", 2
        )
    except CaulkError as error:
        return _complain(str(error), error.hint, error.exit_code)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read the output has seen enough (`caulk top FILE | head`); a flush at exit must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0


def _with_stdin(arguments: Sequence[str]) -> list[str]:
    """The arguments with `-` as the name of stdin, lest it be taken for an option; a program's own are left alone."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return [STDIN if a == "-" and i < end else a for i, a in enumerate(arguments)]


def _complain(message: str, hint: str, code: int) -> int:
    print(f"caulk: {message}", file=sys.stderr)
    if hint:
        print(textwrap.indent(hint.rstrip(), "  "), file=sys.stderr)
    return code
