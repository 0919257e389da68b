"""The page's server in a thread of its own, over a site that a test made."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from caulk.config import Config
from caulk.config.schema import Serve
from caulk.web.server import application, serve
from caulk.web.site import Site, site


def shown(home: Path, **given: object) -> Site:
    """A site whose server takes any port."""
    return site(home, config=Config(serve=Serve(address="127.0.0.1:0")), **given)


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
    one.config = Config(serve=Serve(address=base.removeprefix("http://")))
    loop = asyncio.new_event_loop()
    task = loop.create_task(serve(application(one), one, listener))

    def run() -> None:
        try:
            loop.run_until_complete(asyncio.wait([task]))
        finally:
            loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def end() -> None:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(20)
        listener.close()

    return end, base
