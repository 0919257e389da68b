"""Recording for a while: how long, and the wait, which says how far it is and can be ended at any moment."""

import math
import time

from caulk.model.target import Access
from caulk.ports import Sink

_USUAL_S = 10
_MOST_S = 3600
_STEP_S = 0.2


def duration(access: Access) -> int:
    """Whole seconds to record for: what the user said, or ten; an hour at most."""
    return min(max(math.ceil(access.seconds), 1), _MOST_S) if access.seconds else _USUAL_S


def wait(seconds: float, sink: Sink, step: str) -> None:
    """Lets so much time go by; what `sink.progress` raises ends it."""
    began = time.monotonic()
    while (gone := time.monotonic() - began) < seconds:
        sink.progress(gone, seconds, step)
        time.sleep(min(_STEP_S, seconds - gone))
