"""A profile put together stack by stack: for the formats whose readers are Python loops."""

from array import array
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from caulk.model.column import Ints
from caulk.model.label import LabelSet
from caulk.model.measure import Measure
from caulk.model.profile import Kind, Profile
from caulk.model.samples import Rows, Samples
from caulk.model.tree import Frames, Mapping


class ProfileBuilder:
    """Collects frames, stacks and values; `build` makes the profile. Memory is linear in what was added."""

    def __init__(self, *measures: Measure) -> None:
        self._measures = measures
        self._strings: dict[str, int] = {"": 0}
        self._frames: dict[tuple[int, int, int, int, int], int] = {}
        self._mappings: list[Mapping] = []
        self._starts = array("q", [0])
        self._stack_frames = array("i")
        self._values: tuple[Ints, ...] = tuple(array("q") for _ in measures)
        self._label_numbers: dict[LabelSet, int] = {(): 0}
        self._labels = array("i")

    def __len__(self) -> int:
        """How many stacks were added."""
        return len(self._labels)

    def frame(self, function: str, file: str = "", line: int = 0, *, mapping: int = -1, address: int = 0) -> int:
        """The number of a frame, the same for the same arguments."""
        key = (self._string(function), self._string(file), _int64(line), mapping, _int64(address))
        return self._frames.setdefault(key, len(self._frames))

    def mapping(self, mapping: Mapping) -> int:
        """The number of a binary's mapping."""
        self._mappings.append(mapping)
        return len(self._mappings) - 1

    def add(self, frames: Iterable[int], values: Sequence[int], *, labels: LabelSet = ()) -> None:
        """One stack, outermost caller first, with a value for each measure."""
        self._stack_frames.extend(frames)
        self._starts.append(len(self._stack_frames))
        for column, value in zip(self._values, values, strict=True):
            column.append(_int64(value))
        self._labels.append(self._label_numbers.setdefault(labels, len(self._label_numbers)))

    def build(self, *, format: str, runtime: str, kind: Kind, **rest: Any) -> Profile:
        """The profile of all that was added; `rest` are further fields of `Profile`."""
        columns: Any = list(zip(*self._frames, strict=True)) or [()] * 5
        frames = Frames(
            strings=list(self._strings),
            function=array("i", columns[0]),
            file=array("i", columns[1]),
            line=array("q", columns[2]),
            mapping=array("i", columns[3]),
            address=array("q", columns[4]),
            mappings=tuple(self._mappings),
        )
        return Profile(
            format=format,
            runtime=runtime,
            kind=kind,
            measures=self._measures,
            frames=frames,
            samples=Samples(Rows(self._starts, self._stack_frames), self._labels, self._values),
            label_sets=tuple(self._label_numbers),
            **rest,
        )

    def _string(self, text: str) -> int:
        return self._strings.setdefault(text, len(self._strings))


def moment(nanoseconds: int) -> datetime | None:
    """When a profile was taken, from nanoseconds since the epoch; None for 0 and for what no clock says."""
    if not 0 < nanoseconds < 253402300800 * 10**9:
        return None
    return datetime.fromtimestamp(nanoseconds // 10**9, UTC).replace(microsecond=nanoseconds % 10**9 // 1000)


def _int64(value: int) -> int:
    """Clamp a number from a file to what a column holds; no real one is that large."""
    return max(-(1 << 63), min(value, (1 << 63) - 1))
