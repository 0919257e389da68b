"""`caulk memory TARGET`: where a program's memory is, kind by kind, and whether its limit and settings fit it."""

from dataclasses import asdict
from typing import Annotated

from cyclopts import Parameter

from caulk.capture import memory
from caulk.cli.targets import Output, Reaching, reached, show, show_record
from caulk.model.breakdown import Advice, Breakdown
from caulk.model.table import Heading, Table
from caulk.model.target import Target
from caulk.model.units import format_share, format_value

SCHEMA = "caulk.memory/1"
_HEADINGS = (
    Heading("part", "part"),
    Heading("size", "size", "bytes"),
    Heading("share", "share", "share"),
    Heading("bar", ""),
    Heading("what", "what it is"),
)
_WIDTH = 24


def main(
    target: str,
    *,
    output: Annotated[Output, Parameter(name=["--output", "-o"])] = "table",
    reaching: Reaching = Reaching(),
) -> int:
    """Show what a program's memory is, part by part up to its limit, and what limit and settings would fit it.

    Reads what the kernel says of it; the program is not asked.

    Parameters
    ----------
    target
        pid:1234, docker:NAME, compose:SERVICE, k8s:NAMESPACE/POD, or a number or name to look up.
    output
        table or json.

    """
    with reached(target, reaching.access) as reach:
        now, advice = memory.look(reach)
        if output == "json":
            show_record({"schema": SCHEMA, "target": reach.target.reference, **asdict(now), "advice": asdict(advice)})
        else:
            show(_table(reach.target, now, advice), output)
    return 0


def _table(target: Target, now: Breakdown, advice: Advice) -> Table:
    whole = now.limit or now.used or 1
    rows = [
        (piece.part, piece.size, piece.size / whole, "█" * round(_WIDTH * piece.size / whole), piece.what)
        for piece in sorted(now.slices, key=lambda piece: (piece.part == "free", -piece.size))
    ]
    limit = (
        f" of {format_value(now.limit, 'bytes')} ({format_share(now.used / now.limit)})" if now.limit else ", no limit"
    )
    head = f"{target.reference}: {target.name}, {format_value(now.used, 'bytes')}{limit}"
    return Table("memory", _HEADINGS, rows, (head, *now.notes, *advice.contradictions, *advice.sentences))
