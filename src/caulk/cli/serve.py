"""`caulk serve`: the web page, on dumps, on a target, or on all that is watched."""

import asyncio
import contextlib
import errno
import socket
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import Group, Parameter

from caulk import app
from caulk.cli.asking import Read
from caulk.cli.targets import Reaching, complain
from caulk.config import Config, load
from caulk.config.schema import Serve
from caulk.model.errors import UsageError
from caulk.model.target import Access

if TYPE_CHECKING:
    from caulk.store.history import History
    from caulk.store.incidents import Incidents
    from caulk.watch.keeping import Keeping
    from caulk.watch.loop import Loop
    from caulk.web.site import Site

_PAGE = Group("The page's address")
_ENDPOINT = Group("The program's endpoint")
#: So many ports are tried, where nobody said which.
_PORTS = 100
_AS_THEY_ARE = Read()


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Reached(Reaching):
    """As elsewhere; but `--insecure` is about the page itself."""

    insecure: Annotated[bool, Parameter(name=["--insecure-endpoint", "-k"], group=_ENDPOINT, negative="")] = False
    """Do not check its certificate."""


def main(
    *wanted: str,
    http: Annotated[str, Parameter(group=_PAGE)] = "",
    token_file: Annotated[str, Parameter(group=_PAGE)] = "",
    read_token_file: Annotated[str, Parameter(group=_PAGE)] = "",
    tls_cert: Annotated[str, Parameter(group=_PAGE)] = "",
    tls_key: Annotated[str, Parameter(group=_PAGE)] = "",
    insecure: Annotated[bool, Parameter(group=_PAGE, negative="")] = False,
    open: Annotated[bool, Parameter(group=_PAGE)] = True,
    source: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    source_url: str = "",
    interval: str = "",
    config: str = "",
    rules: bool = True,
    reaching: Reached = Reached(),
    read: Read = _AS_THEY_ARE,
) -> int:
    """Serve the web page, on dumps or on what is watched; it listens on this machine alone unless told otherwise.

    Without dumps it does all that `caulk watch` does. Ends well at Ctrl-C or SIGTERM.

    Parameters
    ----------
    wanted
        Dumps: two are a difference, more are growth. Or targets, as `caulk watch` takes them. Without any, what
        caulk.toml lists, and without that every program of this user.
    http
        The address to listen on, 127.0.0.1:8082 if caulk.toml says no other; the next free port where that is taken.
    token_file
        A file with the token of those who may do everything.
    read_token_file
        A file with the token of those who may only look.
    tls_cert
        A file with the certificate, for TLS.
    tls_key
        A file with its key.
    insecure
        Listen for others without TLS, where a proxy does that.
    open
        Show it in the browser, where there is one and this is a terminal.
    source
        A directory of source code, the only place that is looked in; may be given again.
    source_url
        Where lines can be looked at: `https://host/owner/repository/blob/REVISION/{file}#L{line}`.
    interval
        Time between two readings (5s, 1m).
    config
        The caulk.toml.
    rules
        Act by the rules. --no-rules only looks.

    """
    _needed()
    from caulk.cli.serving import Serving  # noqa: PLC0415  # a server, for those who serve

    given = {
        "address": http,
        "token_file": token_file,
        "read_token_file": read_token_file,
        "cert": tls_cert,
        "key": tls_key,
        "insecure": insecure,
        "sources": source,
        "source_url": source_url,
    }
    settings = load(config)
    serving = msgspec.structs.replace(settings.serve, **{name: value for name, value in given.items() if value})
    settings = msgspec.structs.replace(settings, serve=serving)
    if missing := [one for one in serving.sources if not Path(one).is_dir()]:
        raise UsageError(f"--source {missing[0]}: no such directory")
    files, targets = _parted(wanted)
    with contextlib.ExitStack() as stack:
        listener, address = _listening(serving, is_free=not http)
        stack.enter_context(listener)
        watch = None
        if not files:
            watch = stack.enter_context(_watching(settings, targets, reaching.access, interval, is_acting=rules))
        site = _site(settings, reaching.access, read.reading, watch, stack)
        site.begins_at = _of_dumps(site, files)
        asyncio.run(Serving(site, listener, address, targets, is_opened=open).run())
    return 0


def _needed() -> None:
    for name in ("starlette", "uvicorn"):
        if find_spec(name) is None:
            raise UsageError(f"the page needs {name}, which is not installed", hint="pip install 'caulk[server]'")


def _parted(wanted: Sequence[str]) -> tuple[list[Path], list[str]]:
    """Dumps and targets: what there is as a file is a dump."""
    files = [Path(one) for one in wanted if Path(one).is_file()]
    targets = [one for one in wanted if not Path(one).is_file()]
    if files and targets:
        raise UsageError(
            f"{targets[0]!r} is no file, and {str(files[0])!r} is one",
            hint="Give dumps alone, or targets alone: a capture of a target is taken on its page.",
        )
    if missing := [one for one in targets if "/" in one and ":" not in one]:
        raise UsageError(f"{missing[0]}: no such file", hint="A target is written as pid:1234, docker:web, k8s:shop.")
    return files, targets


def _listening(settings: Serve, *, is_free: bool) -> tuple[socket.socket, str]:
    """A socket that listens where the settings say, and its address; with `is_free` at the next port that is free."""
    from caulk.web.security import check, parted  # noqa: PLC0415

    check(settings.address, settings)
    host, port = parted(settings.address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    ports = range(port, min(port + _PORTS, 1 << 16)) if is_free and settings.address == Serve().address else (port,)
    for tried in ports:
        try:
            listener = socket.create_server((host, tried), family=family)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or tried == ports[-1]:
                raise UsageError(
                    f"{settings.address} cannot be listened on: {error.strerror}",
                    hint="--http 127.0.0.1:9000 chooses another address.",
                ) from None
        else:
            if tried != port:
                complain(f"port {port} is taken: this page is at port {tried}")
            shown = f"[{host}]" if ":" in host else host
            return listener, f"{shown}:{listener.getsockname()[1]}"
    raise AssertionError(ports)


@contextlib.contextmanager
def _watching(
    settings: Config, targets: Sequence[str], access: Access, interval: str, *, is_acting: bool
) -> "Iterator[tuple[Loop, History]]":
    """The loop, with the history that it writes: where another caulk keeps it, one for as long as this runs."""
    from caulk.cli import watching  # noqa: PLC0415  # not for dumps

    every_s = watching.interval_s(interval, settings)
    with contextlib.ExitStack() as stack:
        kept = stack.enter_context(watching.keeping())
        shown = kept or stack.enter_context(_for_now())
        loop = watching.loop(settings, targets, access, every_s, shown)
        is_alone = is_acting and kept is not None
        loop.on_change = stack.enter_context(watching.on_duty(settings, loop, access, is_alone=is_alone))
        yield loop, shown.history


@contextlib.contextmanager
def _for_now() -> "Iterator[Keeping]":
    from caulk.store.history import History  # noqa: PLC0415
    from caulk.watch.keeping import Keeping  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="caulk-") as directory:
        history = History(Path(directory))
        try:
            yield Keeping(history)
        finally:
            history.close()


def _site(
    settings: Config,
    access: Access,
    reading: app.Reading,
    watch: "tuple[Loop, History] | None",
    stack: contextlib.ExitStack,
) -> "Site":
    from caulk.web.site import site  # noqa: PLC0415

    incidents = _incidents(settings)
    if incidents:
        stack.callback(incidents.dispose)
    loop, history = watch or (None, None)
    shown = {"config": settings, "access": access, "incidents": incidents, "loop": loop, "history": history}
    return site(app.home(), reading, **shown)


def _incidents(settings: Config) -> "Incidents | None":
    """The store of incidents, where the database is installed."""
    try:
        from caulk.watch.archive import opened  # noqa: PLC0415
    except ModuleNotFoundError:
        return None
    return opened(settings, app.home())


def _of_dumps(site: "Site", files: Sequence[Path]) -> str:
    return f"/d/{'..'.join(site.dumps.add(file) for file in files)}" if files else "/"
