"""A program of the user's that is told: the incident as JSON on stdin, as for the action `run`."""

import msgspec

from caulk.config.schema import Command
from caulk.watch.commands import handed
from caulk.watch.notify.told import Told
from caulk.watch.telling import document, headline


def send(settings: Command, told: Told) -> None:
    """Runs it; raises `CaulkError` unless it ends with 0."""
    record = {"notification": told.key, "text": headline(told.incident), "incident": document(told.incident)}
    handed(
        settings.command,
        msgspec.json.encode(record),
        key=told.key,
        incident=told.incident,
        timeout_s=settings.timeout,
    )
