"""A message to an incoming webhook of Slack, and to those who take the same JSON (Mattermost, Rocket.Chat, Zulip).

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks; such a webhook knows no idempotency key, so
after a crash at the wrong moment the message is there twice, with the same id of the incident.
"""

import msgspec

from caulk.config.schema import Slack
from caulk.config.secrets import revealed
from caulk.watch.notify.told import Told, post
from caulk.watch.telling import headline, lines

_MOST = 3000


def send(settings: Slack, told: Told) -> None:
    """Posts it; raises `CaulkError` unless the answer is 2xx."""
    text = f"*{_plain(headline(told.incident))}*\n" + "\n".join(f"• {_plain(line)}" for line in lines(told.incident))
    body = msgspec.json.encode({"text": text[:_MOST]})
    post(
        revealed(settings.url, settings.url_file),
        body,
        {"Idempotency-Key": told.key},
        timeout=settings.timeout,
        cacert=settings.cacert,
    )


def _plain(text: str) -> str:
    """Text that is nothing but text: names come from a dump, and must not be links, mentions or bold."""
    for char, escaped in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("*", "∗"), ("`", "'")):
        text = text.replace(char, escaped)
    return " ".join(text.split())
