"""CPython tracemalloc snapshots: what `tracemalloc.Snapshot.dump` writes, a pickle that is read without `pickle`.

Every traced block counts, so nothing is an estimate. Layout: `Lib/tracemalloc.py`; a trace is (domain, size, frames),
from Python 3.9 on with the length of the stack before the limit; frames are (file, line), the most recent call first.
tracemalloc keeps no function names: a frame is told by its file and line.
"""

from array import array

from caulk._core import pickles, snapshots, stacks
from caulk.model.column import Ints, Strings
from caulk.model.errors import MalformedDump
from caulk.model.label import Label, LabelSet
from caulk.model.measure import Measure
from caulk.model.profile import Profile
from caulk.model.samples import Nodes, Samples
from caulk.model.tree import Frames

NAME = "tracemalloc"

_MEASURES = (Measure("live", "bytes"), Measure("blocks", "count"))


def sniff(head: bytes) -> bool:
    """A pickle of protocol 2 to 5 that names tracemalloc."""
    return head[:1] == b"\x80" and head[1:2] in (b"\2", b"\3", b"\4", b"\5") and b"tracemalloc" in head


def read(data: bytes) -> Profile:
    """The profile in a snapshot's pickle; one that was cut short gives the traces before the cut.

    Raises `MalformedDump` for a pickle that asks for anything but a snapshot: it could run code, and never does.
    """
    try:
        values = pickles.read(data)
        found = snapshots.read(data, values)
    except ValueError as error:
        raise MalformedDump(
            f"not a tracemalloc snapshot: the pickle {error}".replace("the pickle the ", "the "),
            hint="Nothing in it was run. Snapshots are written by `tracemalloc.take_snapshot().dump(FILE)`.",
        ) from None
    done, is_whole = values["scalar"]
    limit, traces, shortened = found["scalar"]
    warnings = []
    if not is_whole:
        if not traces:
            raise MalformedDump(
                f"a tracemalloc snapshot cut short at byte {done:,}, before its first trace",
                hint="Was the disk full, or the program killed while it wrote? Take the snapshot again.",
            )
        warnings.append(f"the snapshot was cut short at byte {done:,}; only the first {traces:,} traces could be read")
    elif done < len(data):
        warnings.append(f"{len(data) - done:,} bytes after the end of the snapshot were not read")
    trie = stacks.Trie()
    node_of_stack = trie.insert(found["stack_start"], array("i", found["stack_frame"]))
    samples, label_sets = _samples(found, trie, node_of_stack)
    return Profile(
        format=NAME,
        runtime="cpython",
        kind="heap",
        measures=_MEASURES,
        frames=_frames(data, values, found),
        samples=samples,
        label_sets=label_sets,
        period=1,
        # How much is missing of a snapshot that was cut, nobody knows: at least its last byte.
        coverage=min(done / (len(data) + (not is_whole)), 1.0),
        warnings=tuple(warnings),
        comments=_comments(limit, traces, shortened),
    )


def _samples(found: dict[str, Ints], trie: stacks.Trie, node_of_stack: Ints) -> tuple[Samples, tuple[LabelSet, ...]]:
    """A row for each node and domain. Domains other than 0 belong to extensions (numpy, say) and become labels."""
    rows: dict[tuple[int, int], int] = {}
    label_sets: dict[LabelSet, int] = {(): 0}
    node, labels, live, blocks = array("i"), array("i"), array("q"), array("q")
    columns = (found["row_stack"], found["row_domain"], found["row_bytes"], found["row_blocks"])
    for stack, domain, size, count in zip(*columns, strict=True):
        key = (node_of_stack[stack], domain)
        row = rows.setdefault(key, len(rows))
        if row == len(node):
            label_set = (Label("domain", number=domain),) if domain else ()
            node.append(key[0])
            labels.append(label_sets.setdefault(label_set, len(label_sets)))
            live.append(size)
            blocks.append(count)
        else:
            live[row] = min(live[row] + size, (1 << 63) - 1)
            blocks[row] += count
    return Samples(Nodes(trie.parent, trie.frame, node), labels, (live, blocks)), tuple(label_sets)


def _frames(data: bytes, values: dict[str, Ints], found: dict[str, Ints]) -> Frames:
    count = len(found["frame_line"])
    return Frames(
        strings=["", *Strings(data, values["string_start"], values["string_length"])],
        function=array("i", bytes(4 * count)),
        file=array("i", (file + 1 for file in found["frame_file"])),
        line=array("q", (max(line, 0) for line in found["frame_line"])),
        mapping=array("i", [-1]) * count,
        address=array("q", bytes(8 * count)),
    )


def _comments(limit: int, traces: int, shortened: int) -> tuple[str, ...]:
    if not shortened:
        return ()
    deep = f"{limit} frame{'s' * (limit != 1)}" if limit else "a part"
    return (
        f"{shortened:,} of {traces:,} traces keep only {deep} of their stack; "
        "more callers are seen with `tracemalloc.start(25)` or PYTHONTRACEMALLOC=25",
    )
