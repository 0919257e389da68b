"""Who may read `/metrics`: whoever sends the user name and password of the settings, and nobody where there are none.

500 `Metrics authentication not configured` without credentials in the settings, 401 without theirs in the request: also
where profiling is off.
"""

from __future__ import annotations

import _operator
import binascii

from caulk_probe import process

PATHS = ("/metrics", "/metrics/")
_PLAIN = "text/plain; charset=utf-8"


def answer(settings, authorization):
    """Status, headers and body; `authorization` is the header of the request as text, or ''."""
    if settings.faults():
        return 500, [("Content-Type", _PLAIN)], b"Metrics authentication not configured"
    if not is_allowed(settings, authorization):
        headers = [("Content-Type", _PLAIN), ("WWW-Authenticate", 'Basic realm="Metrics"')]
        return 401, headers, b"Unauthorized"
    from caulk_probe import exposition

    own = process.current() if settings.is_profiling else None
    if own is not None:
        own.read()
    return 200, [("Content-Type", exposition.CONTENT_TYPE)], exposition.text(own, settings)


def is_allowed(settings, authorization):
    """Whether the header says the right name and password; a wrong one takes as long wherever it is wrong."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        said = binascii.a2b_base64(rest.strip().encode("ascii"))
    except (ValueError, UnicodeEncodeError):
        return False
    # Names may not contain a colon, so the whole is one word.
    expected = "{}:{}".format(settings.username, settings.password).encode("utf-8")
    return _operator._compare_digest(said, expected)
