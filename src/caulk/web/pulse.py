"""What pages that listen are told of by itself: readings, incidents and captures that are new."""

import asyncio
import time

from caulk.model.units import iso
from caulk.store.captures import Entry
from caulk.web.fleet import turn
from caulk.web.kept import Stock, changed
from caulk.web.site import Site

#: Pages ask again for what they show: once a second is enough.
_BEAT_S = 1.0


async def pulse(site: Site) -> None:
    """Tells what is new, until it is cancelled."""
    at, before = turn(site.loop), await asyncio.to_thread(site.kept.stock)
    while True:
        await asyncio.sleep(_BEAT_S)
        now, after = turn(site.loop), await asyncio.to_thread(site.kept.stock)
        if now != at:
            site.events.tell("fleet", {"at": iso(time.time())})
        if after.version != before.version:
            site.dumps.look_again()
            _tell(site, before, after)
        at, before = now, after


def _tell(site: Site, before: Stock, after: Stock) -> None:
    incidents, captures = changed(before, after)
    for number in incidents:
        site.events.tell("incident", {"id": number})
    for entry in captures:
        site.events.tell("capture", _told(entry))
    if len(after.entries) < len(before.entries) and not captures:
        site.events.tell("capture", {"id": "", "target": ""})


def _told(entry: Entry) -> dict[str, str]:
    return {"id": entry.manifest.id, "target": entry.manifest.target.reference}
