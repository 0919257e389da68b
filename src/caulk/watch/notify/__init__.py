"""Notifications: one module a kind, each with `send(settings, told)`, named once here.

They come from the outbox, at least once: the same notification, sent again, has the same key and the same content.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from caulk.config.rules import Notify
from caulk.config.schema import Alertmanager, Command, Notifier, Slack, Webhook
from caulk.model.errors import CaulkError
from caulk.model.incident import Incident, Outgoing
from caulk.watch.actions import Done, TryAgain
from caulk.watch.notify import alertmanager, command, slack, webhook
from caulk.watch.notify.told import Told
from caulk.watch.steps import action_of

_KINDS: Mapping[type[Any], Callable[[Any, Told], None]] = {
    Webhook: webhook.send,
    Slack: slack.send,
    Alertmanager: alertmanager.send,
    Command: command.send,
}


@dataclass(slots=True)
class Notifying:
    """Sends what incidents owe to those of `[notify.*]`."""

    recipients: Mapping[str, Notifier]

    def __call__(self, owed: Outgoing, incident: Incident) -> Done:
        """One notification to one recipient; raises `TryAgain` until it is delivered."""
        action = action_of(owed)
        assert isinstance(action, Notify)
        name = action.to[0]
        settings = self.recipients.get(name)
        if settings is None:
            return Done("skipped", f"nobody is called {name!r} any more")
        try:
            _KINDS[type(settings)](settings, Told(incident, owed.id))
        except CaulkError as error:
            raise TryAgain(f"{name}: {error}", hint=error.hint) from error
        return Done("notified", f"{name} was told")
