"""`caulk serve`: the web page, on dumps, on a target, or on all that is watched."""

import asyncio
import signal
import sys
import webbrowser
from pathlib import Path

from caulk import app
from caulk.model.errors import UsageError


def main(
    *wanted: str,
    http: str = "127.0.0.1:8082",
    open: bool = True,
) -> int:
    """Serve the web page, on dumps or on what is watched; it listens on this machine alone unless told otherwise.

    Parameters
    ----------
    wanted
        Dumps; two are a difference, more are growth. Without any, everything that is watched.
    http
        The address to listen on.
    open
        Show it in the browser, where there is one and this is a terminal.

    """
    try:
        from caulk.web.server import application, serve  # noqa: PLC0415  # a server, for those who serve
        from caulk.web.site import site  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the page needs {error.name}, which is not installed", hint="pip install 'caulk[server]'"
        ) from None
    one = site(app.home())
    ids = [one.dumps.add(Path(file)) for file in wanted]
    one.begins_at = f"/d/{'..'.join(ids)}" if ids else "/"
    host, _, port = http.rpartition(":")

    def ready(at: int) -> None:
        url = f"http://{host}:{at}{one.begins_at}"
        print(f"caulk: the page is at {url}", file=sys.stderr, flush=True)
        if open and sys.stderr.isatty():
            webbrowser.open(url)

    async def run() -> None:
        task = asyncio.ensure_future(serve(application(one), one, host=host, port=int(port), on_ready=ready))
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        await asyncio.wait([task])

    asyncio.run(run())
    return 0
