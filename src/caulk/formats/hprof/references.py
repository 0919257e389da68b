"""What the references of a heap are called and how firmly they hold: by class the places in an instance, and labels."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from caulk.formats.hprof.layout import REFERENCE, WIDTHS
from caulk.formats.hprof.records import ClassDump
from caulk.model.column import Ints
from caulk.model.errors import MalformedDump
from caulk.model.graph import SOFT, STRENGTH_SHIFT, STRONG, WEAK, Label, LabelKind

_REFERENCE_CLASS = "java.lang.ref.Reference"
_FINAL = "java.lang.ref.FinalReference"
_STRENGTHS = {
    "java.lang.ref.SoftReference": SOFT,
    "java.lang.ref.WeakReference": WEAK,
    "java.lang.ref.PhantomReference": WEAK,
    _FINAL: WEAK,
}
#: A damaged dump can ask for endless places: a long line of superclasses, each with many fields.
_MOST_PLACES = 1 << 24
#: Superclasses above a class: nobody writes a tenth of it, and every class is walked up.
_DEEPEST = 200


class Labels:
    """Labels by number, each once."""

    def __init__(self) -> None:
        self.all: list[Label] = []
        self._numbers: dict[Label, int] = {}

    def word(self, kind: LabelKind, name: str = "", strength: int = STRONG) -> int:
        """The word that goes to an edge."""
        label = Label(kind, name)
        number = self._numbers.setdefault(label, len(self.all))
        if number == len(self.all):
            self.all.append(label)
        return strength << STRENGTH_SHIFT | number


@dataclass(frozen=True, slots=True)
class Places:
    """Where references lie in instances, by class: `ClassTable` says what each column is."""

    first: Ints
    offset: Ints
    label: Ints
    referent: Ints
    follower: Ints


def superclasses(classes: Sequence[ClassDump]) -> list[int]:
    """The row of each class's superclass; -1 where there is none, where it closes a circle, or above too many."""
    rows = {each.id: row for row, each in enumerate(classes)}
    above = [rows.get(each.super, -1) for each in classes]
    # Each line of superclasses is gone up once: 1 is on the line that is being gone, 2 is known to end.
    state, depth = bytearray(len(classes)), [0] * len(classes)
    for start in range(len(classes)):
        line, at = [], start
        while at >= 0 and not state[at]:
            state[at] = 1
            line.append(at)
            if above[at] >= 0 and state[above[at]] == 1:
                above[at] = -1
            at = above[at]
        for at in reversed(line):
            state[at] = 2
            depth[at] = depth[above[at]] + 1 if above[at] >= 0 else 0
            if depth[at] > _DEEPEST:
                above[at], depth[at] = -1, 0
    return above


def places(
    classes: Sequence[ClassDump], above: Sequence[int], names: Sequence[str], labels: Labels, id_size: int
) -> Places:
    """The references of instances of each class, in the dump's order: its own fields first, then its superclass's."""
    own: list[list[tuple[int, str]]] = []
    widths: list[int] = []
    for each in classes:
        at, found = 0, []
        for name, kind in each.fields:
            if kind == REFERENCE:
                found.append((at, name))
            at += id_size if kind == REFERENCE else WIDTHS.get(kind, 0)
        own.append(found)
        widths.append(at)
    first, offset, label = array("i", [0]), array("i"), array("I")
    referent, follower = array("i", [-1]) * len(classes), array("i", [0]) * len(classes)
    words: dict[str, int] = {}
    for row in range(len(classes)):
        start, at, below = 0, row, ""
        while at >= 0:
            is_reference = names[at] == _REFERENCE_CLASS
            for place, name in own[at]:
                if is_reference and name == "referent":
                    strength = _STRENGTHS.get(below, WEAK)
                    if below == _FINAL:
                        referent[row] = len(offset)
                    label.append(labels.word("field", name, strength))
                else:
                    if is_reference and name == "next":
                        follower[row] = start + place
                    label.append(words.get(name) or words.setdefault(name, labels.word("field", name)))
                offset.append(start + place)
            start += widths[at]
            below = names[at]
            at = above[at]
        first.append(len(offset))
        if len(offset) > _MOST_PLACES:
            raise MalformedDump(
                f"hprof: class {row + 1:,} of {len(classes):,} brings the fields to more than {_MOST_PLACES:,}",
                hint="No program has classes like these: the file is damaged.",
            )
    return Places(first, offset, label, referent, follower)
