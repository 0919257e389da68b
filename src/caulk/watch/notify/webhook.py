"""The incident as JSON to an HTTP endpoint of the user's, signed where there is a key.

`Idempotency-Key` is the same for the same notification. `X-Caulk-Signature` is `sha256=` and the HMAC of the body in
hexadecimal digits, as GitHub signs its webhooks.
"""

import hashlib
import hmac

import msgspec

from caulk.config.schema import Webhook
from caulk.config.secrets import revealed
from caulk.watch.notify.told import Told, post
from caulk.watch.telling import document, headline


def send(settings: Webhook, told: Told) -> None:
    """Posts it; raises `CaulkError` unless the answer is 2xx."""
    record = {"notification": told.key, "text": headline(told.incident), "incident": document(told.incident)}
    body = msgspec.json.encode(record)
    headers = {"Idempotency-Key": told.key}
    if key := revealed(settings.secret, settings.secret_file):
        headers["X-Caulk-Signature"] = f"sha256={hmac.new(key.encode(), body, hashlib.sha256).hexdigest()}"
    if token := revealed(settings.token, settings.token_file):
        headers["Authorization"] = f"Bearer {token}"
    url = revealed(settings.url, settings.url_file)
    post(url, body, headers, timeout=settings.timeout, cacert=settings.cacert)
