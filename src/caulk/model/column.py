"""Columns: flat typed arrays of the standard library, read and written by the kernels without copying.

A column is an `array.array`: `'i'` for indexes (-1 means none), `'q'` for bytes, counts, values, `'d'` for floats.
Where it may also lie in a mapped file, it is a `Column`: an array, or a memoryview of the same type.
"""

from array import array
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias, overload

if TYPE_CHECKING:
    Ints: TypeAlias = array[int]
    Column: TypeAlias = array[int] | memoryview[int]
else:
    # An array takes no type argument before Python 3.12.
    Ints = array
    Column = array | memoryview


def ints(length: int, *, typecode: str = "q") -> Ints:
    """A column of zeros; `typecode` is `'q'` (64 bits) or `'i'` (32 bits)."""
    return array(typecode, bytes(length * (8 if typecode == "q" else 4)))


class Strings(Sequence[str]):
    """Strings as they lie in the dump: offsets into its bytes, decoded when somebody asks.

    A profile of a million strings costs two columns until a report prints its ten names. Bytes that are not UTF-8
    become U+FFFD: a damaged name is still a name.
    """

    __slots__ = ("_data", "_length", "_start")

    def __init__(self, data: bytes, start: Ints, length: Ints) -> None:
        self._data, self._start, self._length = data, start, length

    def __len__(self) -> int:
        return len(self._start)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        at = self._start[index]
        return self._data[at : at + self._length[index]].decode("utf-8", "replace")

    def __iter__(self) -> Iterator[str]:
        for i in range(len(self)):
            yield self[i]
