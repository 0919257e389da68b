"""What objects cost in the heap: HPROF does not say, so HotSpot's layout is computed again.

A class dump gives field types with references as wide as an id, whatever they took in the heap. Header, width of
references and rules of packing are found by trying the ones that HotSpot has, and keeping those whose sizes agree with
the distances between neighbours in the heap. Rules: src/hotspot/share/classfile/fieldLayoutBuilder.cpp (JDK 15 and
later), layout_fields in classFileParser.cpp of JDK 8 to 14. Nothing in a dump tells of padding (@Contended) and of the
fields that the JVM adds to some of its own classes, so for those a larger distance is believed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from caulk.model.column import Ints

REFERENCE = 2
#: Bytes of a value by HPROF's type code; references differ.
WIDTHS: Mapping[int, int] = {4: 1, 5: 2, 6: 4, 7: 8, 8: 1, 9: 2, 10: 4, 11: 8}
#: Fields that the JVM adds and application classes inherit: `ClassLoader.loader_data`, an address.
_ADDED = {"java.lang.ClassLoader": (11,)}
#: Classes of the JDK with fields or padding that no class dump shows (javaClasses.hpp, @Contended).
_LARGER = {
    "java.lang.Class",
    "java.lang.InternalError",
    "java.lang.Module",
    "java.lang.StackFrameInfo",
    "java.lang.Thread",
    "java.lang.invoke.MemberName",
    "java.lang.invoke.MethodHandleNatives$CallSiteContext",
    "java.lang.invoke.ResolvedMethodName",
    "java.security.AccessControlContext",
    "java.util.concurrent.ConcurrentHashMap$CounterCell",
    "java.util.concurrent.Exchanger$Node",
    "java.util.concurrent.ForkJoinPool",
    "java.util.concurrent.ForkJoinPool$WorkQueue",
    "java.util.concurrent.SubmissionPublisher$BufferedSubscription",
    "java.util.concurrent.atomic.Striped64$Cell",
}
#: Of so many neighbours the closest is believed to touch.
_FEWEST = 2


class Shape(NamedTuple):
    """One class, as far as its layout goes: its superclass's row or -1, types of its own fields, declared bytes."""

    name: str
    above: int
    fields: tuple[int, ...]
    declared: int
    is_boot: bool


class Evidence(NamedTuple):
    """Distances to the next object: by class the least and how many had it, and of arrays (type, length, distance)."""

    least: Ints
    agreed: Ints
    arrays: Ints


@dataclass(frozen=True, slots=True)
class Layout:
    """How a JVM lays objects out. `packing` is the rule for fields: `new` since JDK 15, `old` before, or `declared`."""

    reference: int
    header: int
    array: int
    """Where the elements of an array begin, before they are aligned to their width."""
    packing: Literal["new", "old", "declared"] = "new"
    word: int = 8
    alignment: int = 8

    def __str__(self) -> str:
        headers = {8: "compact headers" if self.word == 8 else "headers of 8 bytes", 12: "headers of 12 bytes"}
        references = "references of 4 bytes" if self.word == 4 else "compressed references"
        return (
            f"{references if self.reference == 4 else 'references of 8 bytes'}, "
            f"{headers.get(self.header, 'headers of 16 bytes')}, objects aligned to {self.alignment} bytes"
        )

    def width(self, kind: int) -> int:
        """Bytes of a field or an element."""
        return self.reference if kind == REFERENCE else WIDTHS[kind]

    def base(self, kind: int) -> int:
        """Where the elements of an array begin."""
        return _up(self.array, self.width(kind)) if kind else self.header

    def array_size(self, kind: int, length: int) -> int:
        """Bytes of an array."""
        return _up(self.base(kind) + length * self.width(kind), self.alignment)


#: What 64-bit HotSpot does, the likeliest first: with and without compressed references and class pointers, compact
#: headers (JDK 24), and array elements right behind a full header (JDK 23).
_HOTSPOT = (
    Layout(reference=4, header=12, array=16),
    Layout(reference=8, header=12, array=16),
    Layout(reference=4, header=8, array=12),
    Layout(reference=8, header=8, array=12),
    Layout(reference=8, header=16, array=24),
    Layout(reference=8, header=16, array=20),
    Layout(reference=4, header=16, array=24),
    Layout(reference=4, header=16, array=20),
)
_HOTSPOT_32 = Layout(reference=4, header=8, array=12, word=4)
_ANDROID = Layout(reference=4, header=8, array=12, word=4, packing="declared")


def find_layout(
    shapes: Sequence[Shape],
    evidence: Evidence,
    *,
    id_size: int,
    alignment: int,
    is_android: bool,
    compact_headers: bool | None,
) -> tuple[Layout, bool]:
    """The layout that explains the heap best, and whether the heap confirms it; `compact_headers` may be known."""
    if is_android:
        return _ANDROID, True
    if id_size == 4:
        return _agreeing([replace(_HOTSPOT_32, packing="old"), _HOTSPOT_32], shapes, evidence)
    layouts = [
        replace(layout, alignment=alignment)
        for layout in _HOTSPOT
        if compact_headers is None or (layout.header == 8) == compact_headers
    ]
    matches = [_matches(layout, evidence.arrays) for layout in layouts]
    best = [layout for layout, count in zip(layouts, matches, strict=True) if count == max(matches)]
    return _agreeing(
        [replace(layout, packing=packing) for layout in best for packing in ("new", "old")], shapes, evidence
    )


def instance_sizes(shapes: Sequence[Shape], layout: Layout, evidence: Evidence) -> list[int]:
    """Bytes of an instance of each class, with what its neighbours' distance says about the JVM's own classes."""
    packing = _Packing(shapes, layout)
    sizes = [0] * len(shapes)
    for row in sorted(range(len(shapes)), key=packing.depth):
        size = packing.size(row)
        if (
            shapes[row].name in _LARGER
            and shapes[row].is_boot
            and layout.packing != "declared"
            and evidence.agreed[row] >= _FEWEST
            and size < evidence.least[row] <= size + 512
        ):
            size = evidence.least[row]
            packing.pad(row, size)
        sizes[row] = size
    return sizes


def class_size(mirror: int, statics: Sequence[int], layout: Layout) -> int:
    """Bytes of a class object: an instance of `java.lang.Class` (`mirror` bytes) with the static fields behind it."""
    space = _Space(mirror)
    for kind in sorted(statics, key=lambda kind: (kind != REFERENCE, -layout.width(kind))):
        space.put(layout.width(kind))
    return _up(space.end, layout.alignment)


def _agreeing(layouts: Sequence[Layout], shapes: Sequence[Shape], evidence: Evidence) -> tuple[Layout, bool]:
    """Of `layouts` the first whose sizes are the distances of most objects."""
    told = sorted(
        (row for row in range(len(shapes)) if evidence.agreed[row] >= _FEWEST and not shapes[row].is_boot),
        key=lambda row: -evidence.agreed[row],
    )
    told += sorted(
        (row for row in range(len(shapes)) if evidence.agreed[row] >= _FEWEST and shapes[row].is_boot),
        key=lambda row: -evidence.agreed[row],
    )
    told = told[:300]
    agreed = []
    for layout in layouts:
        packing = _Packing(shapes, layout)
        agreed.append(sum(packing.size(row) == evidence.least[row] for row in told))
    best = max(agreed)
    return layouts[agreed.index(best)], bool(told) and best * 2 > len(told)


def _matches(layout: Layout, arrays: Ints) -> int:
    return sum(
        layout.array_size(arrays[i], arrays[i + 1]) == arrays[i + 2] for i in range(0, len(arrays), 3) if arrays[i + 2]
    )


class _Space:
    """Bytes that fields are put into one after the other, holes first."""

    __slots__ = ("end", "holes")

    def __init__(self, end: int, holes: Sequence[tuple[int, int]] = ()) -> None:
        self.end, self.holes = end, list(holes)

    def put(self, width: int) -> None:
        """Into the smallest hole that it fits, the last of several, else behind everything."""
        best = -1
        for i in range(len(self.holes) - 1, -1, -1):
            start, end = self.holes[i]
            if _up(start, width) + width <= end and (
                best < 0 or end - start < self.holes[best][1] - self.holes[best][0]
            ):
                best = i
        if best >= 0:
            start, end = self.holes.pop(best)
            at = _up(start, width)
            self.holes[best:best] = [hole for hole in ((start, at), (at + width, end)) if hole[0] < hole[1]]
            return
        at = _up(self.end, width)
        if at > self.end:
            self.holes.append((self.end, at))
        self.end = at + width


class _Packing:
    """Where the fields of classes end, under one layout; a superclass is laid out once."""

    def __init__(self, shapes: Sequence[Shape], layout: Layout) -> None:
        self._shapes, self._layout = shapes, layout
        self._spaces: dict[int, _Space] = {}
        self._depths: dict[int, int] = {}

    def size(self, row: int) -> int:
        layout = self._layout
        if layout.packing == "declared":
            return _up(max(self._shapes[row].declared, layout.header), layout.alignment)
        return _up(_up(self._space(row).end, layout.word), layout.alignment)

    def pad(self, row: int, size: int) -> None:
        """What is known to be this large leaves its subclasses no hole."""
        self._spaces[row] = _Space(size)

    def depth(self, row: int) -> int:
        for at in reversed(self._line(row)):
            above = self._shapes[at].above
            self._depths[at] = self._depths.get(above, -1) + 1
        return self._depths[row]

    def _line(self, row: int) -> list[int]:
        """The class and its superclasses up to one that is known, or to where they run in a circle."""
        line, seen = [], set()
        while row >= 0 and row not in self._depths and row not in seen:
            seen.add(row)
            line.append(row)
            row = self._shapes[row].above
        return line

    def _space(self, row: int) -> _Space:
        line, seen, at = [], set(), row
        while at >= 0 and at not in self._spaces and at not in seen:
            seen.add(at)
            line.append(at)
            at = self._shapes[at].above
        for at in reversed(line):
            shape = self._shapes[at]
            above = self._spaces.get(shape.above) or _Space(self._layout.header)
            fields = shape.fields + _ADDED.get(shape.name, ()) * shape.is_boot
            self._spaces[at] = (_packed_new if self._layout.packing == "new" else _packed_old)(
                above, fields, self._layout
            )
        return self._spaces[row]


def _packed_new(above: _Space, fields: Sequence[int], layout: Layout) -> _Space:
    """Primitive fields by falling width, then references, each into holes of the superclasses if it fits."""
    space = _Space(above.end, above.holes)
    for kind in sorted(fields, key=lambda kind: (kind == REFERENCE, -layout.width(kind))):
        space.put(layout.width(kind))
    return space


def _packed_old(above: _Space, fields: Sequence[int], layout: Layout) -> _Space:
    """Eight bytes, four, two, one, references last; a hole before the eights is filled, no other."""
    counts = {
        width: sum(kind != REFERENCE and layout.width(kind) == width for kind in fields) for width in (8, 4, 2, 1)
    }
    references = sum(kind == REFERENCE for kind in fields)
    end = _up(above.end, layout.reference)
    if counts[8] and end % 8:
        hole = 8 - end % 8
        end += hole
        for width in (4, 2, 1):
            while hole >= width and counts[width]:
                counts[width] -= 1
                hole -= width
        if hole >= layout.reference and references:
            references -= 1
    end += sum(width * count for width, count in counts.items())
    if references:
        end = _up(end, layout.reference) + references * layout.reference
    return _Space(_up(end, layout.reference))


def _up(value: int, to: int) -> int:
    return -(-value // to) * to
