"""Commands of the user's: they get the incident as JSON on stdin, its id and the step's key in the environment."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence

import msgspec

from caulk.config.rules import Run
from caulk.model.errors import CaulkError
from caulk.model.incident import Incident, Outgoing
from caulk.watch.actions import Done
from caulk.watch.steps import action_of
from caulk.watch.telling import document

_SAID = 400


class CommandFailed(CaulkError):
    """It did not end with 0."""


def run(owed: Outgoing, incident: Incident) -> Done:
    """The step of a rule that runs a command; what fails is not run again: it may have done its part."""
    action = action_of(owed)
    assert isinstance(action, Run)
    handed(
        action.command,
        msgspec.json.encode(document(incident)),
        key=owed.id,
        incident=incident,
        timeout_s=action.timeout,
    )
    return Done("ran", f"{action.command[0]} ended well")


def handed(command: Sequence[str], stdin: bytes, *, key: str, incident: Incident, timeout_s: float) -> None:
    """Runs a command until it ends, or its time is up: then it is ended with all that it began.

    Raises `CommandFailed` with its last words.
    """
    environ: Mapping[str, str] = {**os.environ, "CAULK_INCIDENT": incident.id, "CAULK_IDEMPOTENCY_KEY": key}
    kept = {name: value for name, value in environ.items() if not (name.startswith("CAULK_") and "__" in name)}
    try:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=kept,
            start_new_session=True,
        )
    except OSError as error:
        raise CommandFailed(f"{command[0]} cannot be run: {error.strerror}") from None
    with process:
        try:
            _, said = process.communicate(stdin, timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise CommandFailed(f"{command[0]} did not end within {timeout_s:.0f} s") from None
    if process.returncode:
        words = said.decode(errors="replace").strip()[-_SAID:]
        raise CommandFailed(f"{command[0]} ended with {process.returncode}" + (f": {words}" if words else ""))
