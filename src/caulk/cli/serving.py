"""The page being served: server, loop, and what tells pages of it, in one event loop, until somebody ends it."""

import asyncio
import os
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from caulk.capture import places
from caulk.cli.targets import complain
from caulk.web.pulse import pulse
from caulk.web.security import Access
from caulk.web.server import application, serve
from caulk.web.site import Site

#: Until a target is first read, which says the address of its page.
_FIRST_READING_S = 5.0
#: When all that is kept is on disk, work in threads that does not end has so long.
_LAST_S = 5.0


@dataclass(slots=True)
class Serving:
    """The page, the loop and what tells pages of it, in one event loop."""

    site: Site
    listener: socket.socket
    address: str
    targets: Sequence[str]
    is_opened: bool

    async def run(self) -> None:
        """Until somebody ends it: Ctrl-C and SIGTERM are an end like any other."""
        ended = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        door = Access(self.address, self.site.config.serve, self.site.home)
        tasks = [
            asyncio.create_task(serve(application(self.site, access=door), self.site, self.listener)),
            asyncio.create_task(pulse(self.site)),
            asyncio.create_task(ended.wait()),
        ]
        if self.site.loop:
            tasks.append(asyncio.create_task(self.site.loop.run()))
        announcing = asyncio.create_task(self._announce(door))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*tasks, announcing):
                task.cancel()
            await asyncio.gather(*tasks, announcing, return_exceptions=True)
            _end_at_last()
        for task in done:
            task.result()

    async def _announce(self, door: Access) -> None:
        if self.targets and self.site.loop:
            self.site.begins_at = await self._page_of_target()
        scheme = "https" if self.site.config.serve.cert else "http"
        # An address for every interface is none to go to.
        shown = self.address.replace("0.0.0.0:", "127.0.0.1:").replace("[::]:", "[::1]:")
        url = door.invitation(f"{scheme}://{shown}{self.site.begins_at}")
        complain(f"the page is at {url}")
        if self.is_opened and sys.stderr.isatty():
            await asyncio.to_thread(webbrowser.open, url)

    async def _page_of_target(self) -> str:
        """The page of the one target that is watched, which its first reading tells; else the fleet's."""
        loop = self.site.loop
        assert loop is not None
        wanted = await asyncio.to_thread(self._references)
        until = asyncio.get_running_loop().time() + _FIRST_READING_S
        while not len(loop.fleet) and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(0.02)
        rows = loop.fleet.rows()
        named = [row for row in rows if {seen.target.reference for seen in row.observations if seen.target} & wanted]
        found = named or rows
        # Of several, one may be read before the others: what stands for all of them is the fleet.
        is_one = len(found) == 1 and (len(wanted) == 1 or len(found[0].observations) == len(wanted))
        return f"/t/{quote(found[0].workload.key, safe='')}" if is_one else "/"

    def _references(self) -> set[str]:
        return {target.reference for one in self.targets for target in places.targets(one, self.site.access)}


def _end_at_last() -> None:
    """Ends the process a while later, if work in threads has not ended by itself: all that is kept is kept."""
    last = threading.Timer(_LAST_S, os._exit, (0,))
    last.daemon = True
    last.start()
