"""Which containers a reference means: by name, by id, or by Compose's labels."""

from collections.abc import Iterator
from typing import Any

from caulk.model.errors import Unreachable, UsageError
from caulk.model.target import Access, Target
from caulk.places.docker.engine import Engine

SCHEMES = ("docker", "compose")

_PROJECT, _SERVICE = "com.docker.compose.project", "com.docker.compose.service"


def targets(wanted: str, access: Access) -> list[Target]:
    """What `docker:NAME` or `compose:SERVICE[@PROJECT]` means; the stopped too, where a name is given."""
    scheme, _, name = wanted.partition(":")
    listed = Engine().get("/containers/json", all="1" if name else "0")
    found = _of_compose(listed, name) if scheme == "compose" else _of_name(listed, name)
    chosen = [_target(container) for container in found]
    if name and not chosen:
        known = ", ".join(_name(container) for container in listed[:8]) or "none"
        raise Unreachable(f"{wanted}: there is no such container", hint=f"The engine has: {known}.")
    return chosen


def _of_name(listed: list[Any], name: str) -> Iterator[Any]:
    for container in listed:
        if (
            not name
            or name in (_name(container), container["Id"])
            or (len(name) >= 6 and container["Id"].startswith(name))
        ):
            yield container


def _of_compose(listed: list[Any], name: str) -> list[Any]:
    """Those of a service; several projects may have one of that name, and then the project must be given."""
    service, _, project = name.partition("@")
    found = [
        container
        for container in listed
        for labels in [container.get("Labels") or {}]
        if _SERVICE in labels
        and (not service or labels[_SERVICE] == service)
        and (not project or labels.get(_PROJECT) == project)
    ]
    projects = sorted({container["Labels"].get(_PROJECT, "") for container in found})
    if service and len(projects) > 1:
        named = ", ".join(f"compose:{service}@{project}" for project in projects)
        raise UsageError(f"compose:{name}: several projects have this service", hint=f"Name one: {named}.")
    return found


def _target(container: Any) -> Target:
    labels = {
        "container": container["Id"][:12],
        "image": container.get("Image", ""),
        "digest": container.get("ImageID", ""),
        "state": container.get("State", ""),
    }
    compose = container.get("Labels") or {}
    for label, key in (("project", _PROJECT), ("service", _SERVICE)):
        if compose.get(key):
            labels[label] = compose[key]
    return Target("docker", f"docker:{_name(container)}", compose.get(_SERVICE) or _name(container), labels)


def _name(container: Any) -> str:
    names = container.get("Names") or [container["Id"][:12]]
    return str(names[0]).lstrip("/")
