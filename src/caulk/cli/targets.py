"""Options and sentences that the verbs about running programs share."""

import base64
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from cyclopts import Group, Parameter

from caulk import app
from caulk.capture import places
from caulk.cli.progress import attended
from caulk.model.errors import UsageError
from caulk.model.table import Table
from caulk.model.target import Access
from caulk.model.units import parse_bytes, parse_seconds
from caulk.ports import Reach
from caulk.store.captures import Captures
from caulk.views import text

_ENDPOINT = Group("The program's endpoint")
_KUBERNETES = Group("Kubernetes and containers")

Output = Literal["table", "json"]
T = TypeVar("T")


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Reaching:
    """How a target is reached; the names are those of kubectl and curl."""

    context: Annotated[str, Parameter(group=_KUBERNETES, env_var="CAULK_CONTEXT")] = ""
    """The context of the kubeconfig."""
    kubeconfig: Annotated[str, Parameter(group=_KUBERNETES, env_var="CAULK_KUBECONFIG")] = ""
    """The kubeconfig; without it, KUBECONFIG or ~/.kube/config."""
    helper_image: Annotated[str, Parameter(group=_KUBERNETES, env_var="CAULK_HELPER_IMAGE")] = ""
    """An image with Python 3.6 or later, for a helper container beside a target whose image lacks the tools."""
    port: Annotated[int | None, Parameter(group=_ENDPOINT)] = None
    """The port that the program serves its profiles, its admin interface or its inspector on."""
    prefix: Annotated[str, Parameter(group=_ENDPOINT)] = ""
    """What stands before /debug/pprof there."""
    https: Annotated[bool, Parameter(group=_ENDPOINT, negative="")] = False
    """It speaks TLS."""
    cacert: Annotated[str, Parameter(group=_ENDPOINT)] = ""
    """A file of certificates to trust."""
    insecure: Annotated[bool, Parameter(name=["--insecure", "-k"], group=_ENDPOINT, negative="")] = False
    """Do not check its certificate."""
    header: Annotated[tuple[str, ...], Parameter(name=["--header", "-H"], group=_ENDPOINT, negative="")] = ()
    """A header (`Authorization: Bearer …`, or @FILE with one a line); may be given again."""
    user: Annotated[str, Parameter(name=["--user", "-u"], group=_ENDPOINT, env_var="CAULK_USER")] = ""
    """NAME:PASSWORD for basic authentication."""
    directory: str = ""
    """Where in the target a dump may be written."""
    seconds: float | None = None
    """How long a profile over time is taken."""

    @property
    def access(self) -> Access:
        """The same, as places and runtimes take it."""
        return Access(
            port=self.port,
            prefix=self.prefix,
            scheme="https" if self.https else "http",
            headers=dict(_headers(self.header, self.user)),
            cacert=self.cacert,
            is_insecure=self.insecure,
            directory=self.directory,
            seconds=self.seconds,
            context=self.context,
            kubeconfig=self.kubeconfig,
            helper_image=self.helper_image,
            state=str(app.home() / "loans"),
        )


@contextmanager
def reached(wanted: str, access: Access) -> Iterator[Reach]:
    """The verbs on the target that `wanted` means, for as long as they are needed."""
    reach = places.reach(places.target(wanted, access), access)
    try:
        yield reach
    finally:
        reach.close()


def store() -> Captures:
    """The captures of this user."""
    return Captures(app.home() / "captures")


def size(said: str) -> int:
    """Bytes of what a person wrote; 0 for nothing."""
    try:
        return parse_bytes(said) if said else 0
    except ValueError as error:
        raise UsageError(str(error), hint="Write 512M or 2G.") from None


def seconds(said: str) -> float:
    """Seconds of what a person wrote; 0 for nothing."""
    try:
        return parse_seconds(said) if said else 0.0
    except ValueError as error:
        raise UsageError(str(error), hint="Write 30s, 5m, 12h or 7d.") from None


def show(answer: Table, output: str) -> None:
    """A table on stdout, for people or for machines; fixes stand below it."""
    if output == "json":
        sys.stdout.write(str(app.rendered(answer, "json")))
        return
    width = shutil.get_terminal_size((120, 24)).columns if sys.stdout.isatty() else 160
    sys.stdout.write(text.render(answer, width=width))
    for fix in answer.extra.get("fixes", ()):
        sys.stdout.write("\n" + "\n".join(map(text.clean, fix.splitlines())) + "\n")


def complain(sentence: str) -> None:
    """Says it on stderr."""
    print(f"caulk: {sentence}", file=sys.stderr, flush=True)


def show_record(record: Any) -> None:
    """A record as indented JSON on stdout."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(record), indent=1).decode() + "\n")


def long(task: Callable[[Any], T]) -> T:
    """The result of a task that gets a `Progress`, which a terminal shows."""
    return attended(lambda talk: task(talk.progress), is_long=True, is_undone=True)


def _headers(given: tuple[str, ...], user: str) -> Iterator[tuple[str, str]]:
    lines = []
    for header in given:
        if header.startswith("@"):
            try:
                lines += Path(header[1:]).read_text("utf-8").splitlines()
            except OSError as error:
                raise UsageError(f"{header[1:]} cannot be read: {error.strerror}") from None
        else:
            lines.append(header)
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            # The value may be a secret: it is not repeated.
            raise UsageError("a --header has no colon", hint="--header 'Authorization: Bearer TOKEN'")
        yield name.strip(), value.strip()
    if user:
        yield "Authorization", "Basic " + base64.b64encode(user.encode()).decode()
