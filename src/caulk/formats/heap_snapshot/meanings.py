"""What the columns of a snapshot mean: what its strings say, then what its structure tells, then types and labels."""

from mmap import mmap

from caulk._core.heap_labels import Meaning
from caulk._core.heap_shapes import Shapes
from caulk._core.heap_words import Words
from caulk.formats.heap_snapshot.text import Snapshot
from caulk.model.column import Ints


def meaning(data: bytes | mmap, snapshot: Snapshot) -> tuple[Ints, Meaning]:
    """What each string is where it names something (`'B'`), and what gives nodes their types and edges their labels.

    Kinds of nodes get marks, and the variables of blocks names (`caulk._core.heap_shapes`).
    """
    words = Words(data, snapshot.strings)
    means = words.meanings()
    Shapes(snapshot.columns, means).mark()
    return means, Meaning(snapshot.columns, means, words.tables(means))
