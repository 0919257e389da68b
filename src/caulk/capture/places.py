"""From what people write for a target to the place that it is in.

A reference begins with its place's scheme (`pid:1234`, `docker:web`, `k8s:shop/pod/api-0`, `http://…`); a bare number
or name is looked up among the processes here, and then among containers.
"""

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import cast

from caulk.model.errors import CaulkError, UsageError
from caulk.model.target import Access, Target
from caulk.ports import Place, Reach

#: The schemes of each place, and the module to import when one of them is asked for.
_PLACES = {
    "local": ("pid",),
    "docker": ("docker", "compose"),
    "kubernetes": ("k8s",),
    "endpoint": ("http", "https"),
}
_MOST_CANDIDATES = 12
_ANY = Access()


def place(name: str) -> Place:
    """The place of that name; raises `UsageError` where what it needs is not installed."""
    try:
        return cast("Place", import_module(f"caulk.places.{name}"))
    except ModuleNotFoundError as error:
        raise UsageError(
            f"targets of {name} need {error.name}, which is not installed", hint=f"pip install 'caulk[{name}]'"
        ) from None


def targets(wanted: str, access: Access = _ANY) -> Sequence[Target]:
    """Every target that `wanted` may mean; raises `UsageError`, or `Unreachable` if its place does not answer."""
    scheme, colon, _ = wanted.partition(":")
    if colon:
        for name, schemes in _PLACES.items():
            if scheme in schemes:
                return place(name).targets(wanted, access)
        known = ", ".join(f"{scheme}:" for schemes in _PLACES.values() for scheme in schemes)
        raise UsageError(f"{wanted!r}: {scheme}: is not a place", hint=f"References begin with one of {known}.")
    return list(place("local").targets(f"pid:{wanted}", access)) or list(_in_containers(wanted, access))


def target(wanted: str, access: Access = _ANY) -> Target:
    """The one target that `wanted` means; raises `UsageError` that lists the candidates if there are several."""
    found = targets(wanted, access)
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(f"{wanted!r}: there is no such target", hint="`caulk ps` lists what runs.")
    listed = "\n".join(f"  {candidate.reference}  {candidate.name}" for candidate in found[:_MOST_CANDIDATES])
    more = f"\n  … and {len(found) - _MOST_CANDIDATES} more" if len(found) > _MOST_CANDIDATES else ""
    raise UsageError(f"{wanted!r} may be any of {len(found)} targets", hint=f"Name one of them:\n{listed}{more}")


def reach(found: Target, access: Access = _ANY) -> Reach:
    """The verbs on a target."""
    return place(found.place).reach(found, access)


def _in_containers(name: str, access: Access) -> Iterator[Target]:
    try:
        yield from place("docker").targets(f"docker:{name}", access)
    except CaulkError:
        # No engine, or no such container: nobody asked for one.
        return
