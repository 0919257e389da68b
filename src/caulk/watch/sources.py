"""From what people name, and what caulk.toml lists, to the sources that the loop asks."""

import base64
import contextlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

from caulk.capture import places
from caulk.capture.offers import runtimes
from caulk.config import schema
from caulk.config.secrets import revealed
from caulk.model.errors import CaulkError, UsageError
from caulk.model.target import Access, Target
from caulk.ports import Source
from caulk.readings import elastic, prometheus
from caulk.readings.docker import Containers
from caulk.readings.endpoint import Endpoint
from caulk.readings.groups import Groups
from caulk.readings.http import Asked, Client
from caulk.readings.kubernetes import Pods
from caulk.readings.processes import Processes

_ANY = Access()


def configured(watch: schema.Watch, access: Access = _ANY) -> list[Source]:
    """The sources that caulk.toml lists."""
    client = Client()
    return [*sources(watch.targets, access), *(_server(source, client, access) for source in watch.sources)]


def sources(wanted: Sequence[str], access: Access = _ANY) -> list[Source]:
    """The sources for what people wrote: processes are read together, all else by itself.

    Raises `UsageError` and `Unreachable` for what cannot be watched from the beginning.
    """
    client = Client()
    found: list[Source] = []
    finders = []
    for reference in wanted:
        scheme = reference.partition(":")[0] if ":" in reference else ""
        if scheme in ("http", "https"):
            found.append(_endpoint(reference, client, access))
        elif scheme in ("docker", "compose"):
            found.append(_containers(reference, access))
        elif scheme == "k8s":
            found.append(_pods(reference, access))
        elif scheme == "cgroup":
            found.append(Groups(reference.partition(":")[2]))
        elif scheme in ("", "pid"):
            finder = _finder(reference, access)
            if finder:
                finders.append(finder)
            elif places.targets(reference, access):
                found.append(_containers(f"docker:{reference}", access))
            else:
                raise UsageError(f"{reference!r}: there is no such target", hint="`caulk ps` lists what runs.")
        else:
            places.targets(reference, access)  # says which there are
    if finders:
        every = tuple(finders)
        found.insert(0, Processes(lambda: chain.from_iterable(find() for find in every), runtime=_Runtimes()))
    return found


def _finder(reference: str, access: Access) -> Callable[[], Iterable[int]] | None:
    """What finds the processes that a reference means, each time anew where that can change; None for none now."""
    number = reference.removeprefix("pid:")
    if not number:
        return _own

    def find() -> list[int]:
        return [int(target.reference.removeprefix("pid:")) for target in place.targets(f"pid:{number}", access)]

    if number.isdigit() and Path(f"/proc/{number}").exists():
        return lambda: [int(number)]
    place = places.place("local")
    found = find()
    if not found and reference.startswith("pid:"):
        raise UsageError(f"{reference!r}: there is no such target", hint="`caulk ps` lists what runs.")
    return find if found else None


def _own() -> Iterable[int]:
    """Every process of this user, for root of all; not this one."""
    own, me = os.geteuid(), os.getpid()
    for path in Path("/proc").iterdir():
        if path.name.isdigit() and int(path.name) != me and (own == 0 or _owner(path) == own):
            yield int(path.name)


def _owner(path: Path) -> int:
    try:
        return path.stat().st_uid
    except OSError:
        return -1


def _containers(reference: str, access: Access) -> Source:
    place = places.place("docker")
    place.targets(reference, access)  # says what there is, if it is not that
    engine = import_module("caulk.places.docker.engine").Engine()
    return Containers(
        engine, lambda: place.targets(reference, access), name=reference, runtime=_Runtimes(), is_here=engine.is_here
    )


def _pods(reference: str, access: Access) -> Source:
    place = places.place("kubernetes")
    place.targets(reference, access)
    cluster = import_module("caulk.places.kubernetes.cluster").Cluster
    return Pods(lambda: cluster(access), lambda: place.targets(reference, access), name=reference)


def _endpoint(address: str, client: Client, access: Access) -> Source:
    path = urlsplit(address).path.strip("/")
    url = address if path else address.rstrip("/") + "/metrics"
    asked = Asked(url, access.headers, access.cacert, access.is_insecure)
    return Endpoint(asked, client, target=_served_at(url))


def _served_at(url: str) -> Target:
    """What answers at an address, as the target of a capture."""
    parts = urlsplit(url)
    root = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    return Target("endpoint", root, parts.netloc.rpartition("@")[2])


def _server(source: schema.Source, client: Client, access: Access) -> Source:
    asked = Asked(source.url.rstrip("/"), _headers(source), source.cacert, source.insecure, float(source.timeout))
    if isinstance(source, schema.Prometheus):
        return prometheus.Server(
            asked,
            client,
            source.query,
            limit_query=source.limit_query,
            workload=source.workload,
            replica=source.replica,
        )
    if isinstance(source, schema.Elastic):
        return elastic.Server(asked, client, index=source.index, service=source.service, window_s=float(source.window))
    target = places.target(source.target, access) if source.target else _served_at(source.url)
    return Endpoint(asked, client, name=source.name, target=target, limit=source.limit, is_probed=source.probe)


def _headers(source: schema.Http) -> Mapping[str, str]:
    """What authorizes, from the environment or from files."""
    token = revealed(source.token, source.token_file)
    if token:
        return {"Authorization": f"Bearer {token}"}
    if source.user:
        said = f"{source.user}:{revealed(source.password, source.password_file)}"
        return {"Authorization": f"Basic {base64.b64encode(said.encode()).decode()}"}
    return {}


class _Runtimes:
    """The runtimes of programs, looked up once for each executable: a look reads all that a process has mapped."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def __call__(self, target: Target) -> str:
        """The runtime of a program, as far as it can be seen; empty if it cannot."""
        executable = ""
        if target.place == "local":
            with contextlib.suppress(OSError):
                executable = str(Path(f"/proc/{target.reference.removeprefix('pid:')}/exe").readlink())
        if executable not in self._known:
            found = _seen(target)
            if not executable:
                return found
            self._known[executable] = found
        return self._known[executable]


def _seen(target: Target) -> str:
    try:
        reach = places.reach(target, _ANY)
    except CaulkError:
        return ""
    try:
        return next((found.NAME for found in runtimes(reach)), "")
    except CaulkError:
        return ""
    finally:
        reach.close()
