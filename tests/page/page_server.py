"""The page's server in a thread of its own, over a site that a test made."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from caulk.config import Config
from caulk.config.schema import Serve
from caulk.web.pulse import pulse
from caulk.web.server import application, serve
from caulk.web.site import Site, site


def shown(home: Path, **given: object) -> Site:
    """A site whose server takes any port."""
    return site(home, **{"config": Config(serve=Serve(address="127.0.0.1:0")), **given})


@contextmanager
def serving(one: Site) -> Iterator[str]:
    """A server of a site, meanwhile; its address."""
    end, base = begun(one)
    try:
        yield base
    finally:
        end()


def begun(one: Site) -> tuple[Callable[[], None], str]:
    """Begins to serve a site in a thread; gives what ends it, and its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    settings = msgspec.structs.replace(one.config.serve, address=base.removeprefix("http://"))
    one.config = msgspec.structs.replace(one.config, serve=settings)
    loop = asyncio.new_event_loop()
    tasks = [loop.create_task(serve(application(one), one, listener)), loop.create_task(pulse(one))]

    def run() -> None:
        try:
            loop.run_until_complete(asyncio.wait(tasks))
        finally:
            loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def end() -> None:
        for task in tasks:
            loop.call_soon_threadsafe(task.cancel)
        thread.join(20)
        listener.close()

    return end, base
