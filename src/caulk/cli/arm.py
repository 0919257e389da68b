"""`caulk arm TARGET` and `caulk disarm TARGET`: dump-at-death on a running program, without a restart."""

import sys
import time
from typing import Annotated

from cyclopts import Parameter

from caulk import app
from caulk.capture import arm as arming
from caulk.cli.targets import Output, Reaching, reached, seconds, show_record
from caulk.model.errors import CaptureFailed, UsageError
from caulk.ports import Reach


def main(
    target: str,
    *,
    hold: str = "",
    output: Annotated[Output, Parameter(name=["--output", "-o"])] = "table",
    reaching: Reaching = Reaching(),
) -> int:
    """Switch on a dump at death in a running program: on OutOfMemoryError (JVM), near the heap limit (Node.js) …

    `caulk doctor` says beforehand whether there is a place to write it; --directory chooses another.

    Parameters
    ----------
    target
        pid:1234, docker:NAME, compose:SERVICE, k8s:NAMESPACE/POD, or a number or name to look up.
    hold
        Stay, and see every so often (30s, 5m) that all stays set; what was switched off is set again.
    output
        table or json.

    """
    every = seconds(hold)
    with reached(target, reaching.access) as reach:
        done = arming.arm(reach, reaching.directory, app.home())
        if output == "json":
            show_record(done)
        for setting in done.settings if output == "table" else ():
            was = f" (was {setting.before})" if setting.before else ""
            print(f"{setting.name} = {setting.value}{was}")
        while every:
            time.sleep(every)
            _renewed(reach, reaching.directory, done)
    return 0


def _renewed(reach: Reach, directory: str, first: arming.Armed) -> None:
    now = reach.process()
    if (now.pid, round(now.started)) != (first.pid, round(first.started)):
        raise CaptureFailed(f"{reach.target.reference} has started anew, and is not armed any more")
    state = app.home()
    known = {s.name: s for s in first.settings}
    for setting in arming.arm(reach, directory, state).settings:
        if setting.value != known.get(setting.name, setting).value:
            print(f"caulk: {setting.name} had been changed, and is {setting.value} again", file=sys.stderr)


def disarm(
    target: str,
    *,
    output: Annotated[Output, Parameter(name=["--output", "-o"])] = "table",
    reaching: Reaching = Reaching(),
) -> int:
    """Put back what `caulk arm` switched in a running program.

    Parameters
    ----------
    target
        As for `caulk arm`.
    output
        table or json.

    """
    with reached(target, reaching.access) as reach:
        settings = arming.disarm(reach, app.home())
    if output == "json":
        show_record(settings)
    elif settings:
        for setting in settings:
            print(f"{setting.name} = {setting.before or '(unset)'}")
    else:
        raise UsageError(f"{target} is not armed", hint="`caulk arm` arms it; a program that starts anew is not.")
    return 0
