"""How a program ended while it was captured, as its place tells it: the capture itself only hears a connection drop."""

import time

from caulk.capture import places
from caulk.model.errors import CaulkError, UsageError
from caulk.model.target import Access, Target

#: An engine, a kubelet notices within a second or two.
_LOOKS, _LOOK_S = 5, 0.5


def ended(seen: Target, access: Access) -> str:
    """How a target ended since it was seen, in a clause; empty where it runs as it did. Asks its place for 2 s."""
    for look in range(_LOOKS):
        time.sleep(_LOOK_S if look else 0)
        try:
            now = places.target(seen.reference, access)
        except UsageError:
            return f"{seen.reference} runs no more"
        except CaulkError as error:
            return str(error)
        if end := _end(seen, now, access):
            return end
    return ""


def _end(seen: Target, now: Target, access: Access) -> str:
    if now.labels.get("restarts", "") != seen.labels.get("restarts", ""):
        return f"{seen.reference} was restarted: it ended with {now.labels.get('last_end', 'an error')}"
    if now.labels.get("state", "running") == "running":
        return ""
    reach = places.reach(now, access)
    try:
        reach.reading()
    except CaulkError as error:
        return str(error)
    finally:
        reach.close()
    return ""
