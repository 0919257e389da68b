"""A path of references in the terms of the program: containers instead of their insides, a run of equals as one step.

`.OPEN ConcurrentHashMap` → `Node[]` → `Node` → `Ticket` is read as `.OPEN ConcurrentHashMap` → `[81,204 entries]
Ticket`, and a list of a million promises that wait for each other is one step with a count.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from caulk.analysis.holders.containers import Container, Containers
from caulk.model.graph import Label, ObjectGraph, TypeKind


@dataclass(frozen=True, slots=True)
class Link:
    """One step: object `number`, how the one before refers to it, and what it is.

    Of a container, `inside` are the objects of its insides that the path goes through. `repeats` objects of this type
    follow each other over the same reference.
    """

    number: int
    label: Label
    kind: TypeKind
    type: str
    name: str
    container: Container | None = None
    inside: tuple[int, ...] = ()
    repeats: int = 1

    @property
    def what(self) -> str:
        """The object's own name with what it is, or its type."""
        if not self.name:
            return self.type
        kind = {"object": "", "native": "", "internal": "", "closure": "function"}.get(self.kind, self.kind)
        return f"{kind} {self.name}".strip()


def own_name(name: str) -> str:
    """An object's own name without what it is: dumps write `class OrderBook`, `module app`, `function run`."""
    what, _, rest = name.partition(" ")
    return rest if what in ("class", "module", "function", "frame") and rest else name


def links(graph: ObjectGraph, steps: Iterable[tuple[int, Label]], containers: Containers) -> tuple[Link, ...]:
    """A path from the roots, folded; `steps` are objects and how each is referred to, the roots themselves left out."""
    found: list[Link] = []
    for number, label in steps:
        last = found[-1] if found else None
        kind = graph.type[number]
        if last is not None and last.container is None and (row := containers.started_by(label)):
            last = found[-1] = replace(last, container=row)
        if last is not None and last.container and containers.is_part(last.container, kind, label):
            found[-1] = replace(last, inside=(*last.inside, number))
            continue
        type_name, name = graph.types.name[kind], graph.name(number)
        if graph.types.kind[kind] == "closure" and not name and graph.runtime != "cpython":
            # V8 calls a function's type by the function.
            name = type_name
        name = own_name(name)
        if last is not None and name and (last.name, last.kind) == (name, graph.types.kind[kind]):
            # A module and the dictionary of its variables are one to the reader.
            found[-1] = replace(last, inside=(*last.inside, number))
            continue
        if last is not None and last.label == label and last.type == type_name and not name and not last.name:
            found[-1] = replace(last, repeats=last.repeats + 1, number=number)
            continue
        found.append(
            Link(number, label, graph.types.kind[kind], type_name, name, None if name else containers.of(kind))
        )
    return _without_cycles(found)


def _without_cycles(found: list[Link]) -> tuple[Link, ...]:
    """Rings of two to four steps that are gone through several times over, as one of them with a count."""
    out: list[Link] = []
    at = 0
    while at < len(found):
        length = next((n for n in (2, 3, 4) if _turns(found, at, n) > 2), 0)
        if not length:
            out.append(found[at])
            at += 1
            continue
        turns = _turns(found, at, length)
        out.append(replace(found[at], repeats=turns))
        out.extend(found[at + 1 : at + length])
        at += turns * length
    return tuple(out)


def _turns(found: Sequence[Link], at: int, length: int) -> int:
    def same(a: Link, b: Link) -> bool:
        return a.label == b.label and a.type == b.type and a.name == b.name

    turns = 1
    start = at + length
    while start + length <= len(found) and all(same(found[at + i], found[start + i]) for i in range(length)):
        turns += 1
        start += length
    return turns


def describe(links: Sequence[Link], entries: dict[int, int] | None = None) -> tuple[str, ...]:
    """Each link as a line: `class OrderBook`, `.OPEN java.util.HashMap`, `[81,204 entries] com.example.Ticket`.

    `entries` are the numbers of entries of containers, by object.
    """
    said = []
    before: Link | None = None
    for link in links:
        if before is not None and before.container:
            number = (entries or {}).get(before.number)
            reference = f"[{number:,} {before.container.noun}]" if number else "[]"
        else:
            reference = str(link.label) if before is not None or link.label.kind in ("local", "variable") else ""
        times = f" × {link.repeats:,}" if link.repeats > 1 else ""
        said.append(f"{reference} {link.what}{times}".strip())
        before = link
    return tuple(said)
