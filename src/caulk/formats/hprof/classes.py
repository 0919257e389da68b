"""The classes of a heap as types and as objects: numbers, names, loaders, and the references that classes hold."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from caulk._core.hprof_addresses import Addresses
from caulk._core.hprof_classes import ClassTable
from caulk.formats.hprof.layout import REFERENCE, Layout, Shape
from caulk.formats.hprof.naming import PRIMITIVES, is_hidden, kind_of, loader_names
from caulk.formats.hprof.records import ClassDump
from caulk.formats.hprof.references import Labels, Places, superclasses
from caulk.formats.hprof.roots import Edges
from caulk.model.column import Column, Ints
from caulk.model.graph import TypeKind, Types

_ROOTS_TYPE = "(roots)"
_CLASS = "java.lang.Class"
#: Statics that hold the loaders that live as long as the JVM, and what those are called.
_BUILT_IN: Mapping[tuple[str, str], str] = {
    ("java.lang.ClassLoader", "scl"): "app",
    ("java.lang.ClassLoader$SystemClassLoader", "loader"): "app",
    ("jdk.internal.loader.ClassLoaders", "APP_LOADER"): "app",
    ("jdk.internal.loader.ClassLoaders", "PLATFORM_LOADER"): "platform",
}
_BOOT = "boot"
#: What HotSpot writes as a static field and is none: the constants that a class has resolved.
_NO_STATICS = ("<resolved_references>", "<init_lock>")


class Classes:
    """The classes of a heap, by row; their types are 1 + row, and behind them come those that no class stands for."""

    def __init__(self, dumps: Sequence[ClassDump], addresses: Addresses) -> None:
        self.dumps, self._addresses = dumps, addresses
        self.ids = array("q", [each.id for each in dumps])
        self.above = superclasses(dumps)
        self.names = self._named()
        self.numbers = addresses.numbers(self.ids)
        self.loaders = self._loaders()
        self.types = array("i", range(1, len(dumps) + 1))
        rows = {name: row for row, name in reversed(list(enumerate(self.names))) if not dumps[row].loader}
        self._more: list[tuple[str, TypeKind]] = []
        self._class_row = rows.get(_CLASS, -1)
        self.class_type = self._class_row + 1 or self._another(_CLASS, "class")
        self.primitive_types = array("i", bytes(4 * 12))
        for code, name in PRIMITIVES.items():
            row = rows.get(f"{name}[]", -1)
            self.primitive_types[code] = row + 1 or self._another(f"{name}[]", "array")
        self.first_missing = 1 + len(dumps) + len(self._more)

    @property
    def of_boot(self) -> Ints:
        """The classes of the boot loader, by number."""
        return array("i", [number for number, each in zip(self.numbers, self.dumps, strict=True) if not each.loader])

    @property
    def holds(self) -> Ints:
        """By row the class that instances refer to: none where it lives as long as the JVM does, whoever uses it.

        An edge for every object would only say again what the loader's own edges say.
        """
        return array(
            "i",
            [
                0 if each.loader in self._immortal and not is_hidden(each.text) else number
                for number, each in zip(self.numbers, self.dumps, strict=True)
            ],
        )

    def add_edges(self, edges: Edges, labels: Labels) -> None:
        """Add what classes refer to: static fields, superclass, loader; and loaders to what they have loaded."""
        words = {
            name: labels.word("internal", name)
            for name in ("superclass", "class loader", "signers", "protection domain", "loaded class", *_NO_STATICS)
        }
        statics: dict[str, int] = {}
        sources, targets, found = array("i"), array("q"), array("I")
        for number, each in zip(self.numbers, self.dumps, strict=True):
            for id, word in (
                (each.super, words["superclass"]),
                (each.loader, words["class loader"]),
                (each.signers, words["signers"]),
                (each.domain, words["protection domain"]),
                *(
                    (
                        field.value,
                        statics.get(field.name) or statics.setdefault(field.name, _static(field.name, labels)),
                    )
                    for field in each.statics
                    if field.type == REFERENCE
                ),
            ):
                if id:
                    sources.append(number)
                    targets.append(id)
                    found.append(word)
        for source, target, word in zip(sources, self._addresses.numbers(targets), found, strict=True):
            edges.add(source, target, word)
        for number, each, loader in zip(self.numbers, self.dumps, self.loaders, strict=True):
            if loader and not is_hidden(each.text):
                edges.add(loader, number, words["loaded class"])

    def table(self, id_size: int, where: Places, words: tuple[int, int]) -> ClassTable:
        """What the kernels need to know of classes; `words` are the labels of an element, and of an object's class."""
        return ClassTable(
            id_size, self.ids, self.types, where.first, where.offset, where.label, self.holds, where.referent,
            where.follower, self.primitive_types, self.first_missing, words,
        )  # fmt: skip

    def shapes(self) -> list[Shape]:
        """What the layout of instances depends on, by row."""
        return [
            Shape(
                name,
                above,
                tuple(kind for _, kind in each.fields if 2 <= kind <= 11 and kind != 3),
                each.bytes,
                not each.loader,
            )
            for name, above, each in zip(self.names, self.above, self.dumps, strict=True)
        ]

    def mirror(self, shallow: Sequence[int], layout: Layout) -> int:
        """Bytes of a class object without its statics."""
        return shallow[self._class_row] if self._class_row >= 0 else layout.header

    def static_types(self, row: int) -> list[int]:
        """The types of a class's static fields."""
        return [field.type for field in self.dumps[row].statics if field.name not in _NO_STATICS]

    def own_names(self) -> tuple[Ints, Ints, list[str]]:
        """`named`, `naming` and `strings` of the graph: class objects are called by their class."""
        rows = sorted((number, row) for row, number in enumerate(self.numbers) if number)
        return (
            array("i", [number for number, _ in rows]),
            array("i", range(len(rows))),
            [f"class {self.names[row]}" for _, row in rows],
        )

    def all_types(self, missing: Ints, type_column: Column) -> Types:
        """Every type, with the loader of its class by name; `missing` are classes that are not in the dump."""
        by_type = (_ROOTS_TYPE, *self.names)
        loaders = list(dict.fromkeys(loader for loader in self.loaders if loader))
        classes = {
            loader: by_type[type_column[loader]] if type_column[loader] <= len(self.names) else "" for loader in loaders
        }
        built_in = {number: name for number, name in self._built_in.items() if number}
        names = loader_names(loaders, built_in, classes)
        owners = [
            names[loader] if loader else "" if each.loader else _BOOT
            for loader, each in zip(self.loaders, self.dumps, strict=True)
        ]
        kinds = [kind_of(self._line(row)) for row in range(len(self.dumps))]
        unknown = [f"unknown-class-{i}" for i in range(1, len(missing) + 1)] or ["unknown-class"]
        return Types(
            [*by_type, *(name for name, _ in self._more), *unknown],
            ["root", *kinds, *(kind for _, kind in self._more), *["object"] * len(unknown)],  # type: ignore[list-item]
            ["", *owners, *[_BOOT] * len(self._more), *[""] * len(unknown)],
        )

    def _another(self, name: str, kind: TypeKind) -> int:
        self._more.append((name, kind))
        return len(self.dumps) + len(self._more)

    def _named(self) -> list[str]:
        names, unknown = [], 0
        for each in self.dumps:
            unknown += not each.text
            names.append(each.name or f"unknown-class-{unknown}")
        return names

    def _loaders(self) -> Ints:
        return self._addresses.numbers(array("q", [each.loader for each in self.dumps]))

    def _line(self, row: int) -> Iterator[str]:
        while row >= 0:
            yield self.names[row]
            row = self.above[row]

    @cached_property
    def _built_in_ids(self) -> dict[int, str]:
        found = {}
        for name, each in zip(self.names, self.dumps, strict=True):
            for field in each.statics:
                if not each.loader and field.value and (name, field.name) in _BUILT_IN:
                    found[field.value] = _BUILT_IN[name, field.name]
        return found

    @property
    def _immortal(self) -> set[int]:
        return {0, *self._built_in_ids}

    @property
    def _built_in(self) -> dict[int, str]:
        ids = self._built_in_ids
        return dict(zip(self._addresses.numbers(array("q", ids)), ids.values(), strict=True))


def _static(name: str, labels: Labels) -> int:
    return (
        labels.word("internal", name.strip("<>").replace("_", " "))
        if name in _NO_STATICS
        else labels.word("static", name)
    )
