"""`caulk doctor TARGET`: prove, before the leak, that each way of capturing would work, and say what to change."""

from typing import Annotated

from cyclopts import Parameter

from caulk.capture import doctor
from caulk.capture.offers import offers
from caulk.cli.targets import Output, Reaching, reached, show, store
from caulk.model.errors import CaptureFailed


def main(
    target: str,
    *,
    output: Annotated[Output, Parameter(name=["--output", "-o"])] = "table",
    reaching: Reaching = Reaching(),
) -> int:
    """Check every way to capture a program, without side effects, and print the smallest fix for each that would fail.

    Exits with 4 if nothing can be taken safely.

    Parameters
    ----------
    target
        pid:1234, docker:NAME, compose:SERVICE, k8s:NAMESPACE/POD, http://host:port, or a number or name to look up.
    output
        table or json.

    """
    with reached(target, reaching.access) as reach:
        found = offers(reach, reaching.access, store().free_bytes())
        show(doctor.table(reach.target, found), output)
    return 0 if any(offer.is_open for offer in found) else CaptureFailed.exit_code
