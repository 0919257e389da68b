"""Trees of frames: the one shape behind every stack view, whatever wrote the profile.

A tree is columns, not objects: node `i` has `parent[i] < i` (the root is node 0), so a total is one backward pass and
nothing recurses, however deep a stack is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from caulk.model.column import Ints
from caulk.model.measure import Measure


@dataclass(frozen=True, slots=True)
class Mapping:
    """A part of a binary in the address space of the program: what an address without a name belongs to."""

    start: int = 0
    limit: int = 0
    offset: int = 0
    file: str = ""
    build_id: str = ""


@dataclass(frozen=True, slots=True)
class Frames:
    """The distinct frames of a profile, by number; every column has one entry a frame.

    `function` and `file` index `strings` (0 is the empty string), `line` is 0 where unknown, `mapping` is -1 where
    there is none. A frame without a function keeps its address: it is shown as `module+0x…`, never dropped.
    """

    strings: Sequence[str]
    function: Ints
    file: Ints
    line: Ints
    mapping: Ints
    address: Ints
    mappings: tuple[Mapping, ...] = ()

    def __len__(self) -> int:
        return len(self.function)

    def function_name(self, frame: int) -> str:
        """The function's name; where there is none `module+0x…`, else `file:line`."""
        name = self.strings[self.function[frame]]
        if name:
            return name
        file = self.file_name(frame)
        if file:
            return f"{file.rpartition('/')[2] or file}:{self.line[frame]}"
        address = self.address[frame]
        if self.mapping[frame] >= 0:
            mapping = self.mappings[self.mapping[frame]]
            if mapping.file:
                module = mapping.file.rpartition("/")[2] or mapping.file
                return f"{module}+0x{(address - mapping.start + mapping.offset) & 0xFFFFFFFFFFFFFFFF:x}"
        return f"0x{address & 0xFFFFFFFFFFFFFFFF:x}"

    def file_name(self, frame: int) -> str:
        """The source file as the producer wrote it, or the empty string."""
        return self.strings[self.file[frame]]

    def module_name(self, frame: int) -> str:
        """The binary that an address belongs to, or the empty string."""
        at = self.mapping[frame]
        return self.mappings[at].file if at >= 0 else ""


@dataclass(frozen=True, slots=True)
class Tree:
    """Stacks as a prefix tree: `values[m][i]` is the measure `m` of exactly the stack that ends at node `i` (flat).

    Shape: every column has one entry a node; `parent[0]` and `frame[0]` are -1. Values may be negative (a delta).
    """

    measures: tuple[Measure, ...]
    frames: Frames
    parent: Ints
    frame: Ints
    values: tuple[Ints, ...]

    def __len__(self) -> int:
        return len(self.parent)

    def total(self, measure: int) -> int:
        """The sum of a measure over all stacks."""
        return sum(self.values[measure])

    def stack(self, node: int) -> list[int]:
        """Frame numbers from the outermost caller to the node itself."""
        frames = []
        while node > 0:
            frames.append(self.frame[node])
            node = self.parent[node]
        frames.reverse()
        return frames
