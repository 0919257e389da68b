"""The waterfall: every byte of a limit in exactly one part, so that the parts add up to it.

The kernel charges a page to one cgroup, and counts it in each process that maps it; so pages of files and shared memory
are taken from the cgroup, private memory from the process, and the rest of the cgroup's belongs to others in it.
"""

from collections.abc import Iterator

from caulk.model.breakdown import Breakdown, Group, HeapNow, Mapped, Slice


def waterfall(mapped: Mapped, heap: HeapNow | None, group: Group | None) -> Breakdown:
    """The parts of a process's memory, and of its cgroup's up to the limit."""
    own = list(_private(mapped, heap))
    if group is None:
        slices = [*own, Slice("shmem", mapped.shared, "shared memory"), Slice("files", mapped.files, "mapped files")]
        return Breakdown(_shown(slices), sum(piece.size for piece in slices), peak=mapped.peak)
    notes = []
    mine = sum(piece.size for piece in own)
    others = group.anonymous - mine
    if others < 0:
        # It was moved here with its memory, or both were not read at one moment.
        notes.append(f"{-others:,} bytes of its private memory are charged to no page of this cgroup")
        own, others = _cut(own, -others), 0
    known = group.anonymous + group.file + group.kernel
    slices = [
        *own,
        Slice("others", others, "private memory of other processes in the container"),
        Slice("shmem", group.shared, "shared memory and tmpfs, which nobody takes back"),
        Slice("files", max(group.file - group.shared, 0), "page cache, which the kernel takes back when it needs it"),
        Slice(
            "kernel", group.kernel + max(group.used - known, 0), "the kernel's own: sockets, page tables, stacks, slab"
        ),
    ]
    used = sum(piece.size for piece in slices)
    if group.limit is not None:
        slices.append(Slice("free", group.limit - used, "not used"))
    return Breakdown(_shown(slices), used, group.limit, group.peak or mapped.peak, group.kills, tuple(notes))


def _private(mapped: Mapped, heap: HeapNow | None) -> Iterator[Slice]:
    yield Slice("stacks", mapped.stacks, f"stacks of {mapped.threads:,} threads")
    left = mapped.anonymous - mapped.stacks - mapped.lazy
    unreturned = mapped.lazy
    if heap:
        # What the runtime calls its heap may not be resident yet, or be swapped out.
        resident = min(heap.size, left)
        used = min(heap.used, resident)
        yield Slice("managed", used, f"the runtime's heap, garbage too ({heap.source})")
        unreturned += resident - used
        left -= resident
    yield Slice("unreturned", unreturned, "free inside the heap, or given back and not taken yet by the kernel")
    malloc = min(mapped.malloc, left)
    yield Slice("malloc", malloc, "malloc's heap and arenas")
    if heap:
        yield Slice("native", left - malloc, "native memory beside the heap: buffers, code, collectors, add-ons")
    else:
        yield Slice("anonymous", left - malloc, "heap and native memory that nothing here tells apart")


def _cut(slices: list[Slice], surplus: int) -> list[Slice]:
    """The slices less a surplus, taken from the largest."""
    kept = []
    for piece in sorted(slices, key=lambda piece: -piece.size):
        taken = min(piece.size, surplus)
        surplus -= taken
        kept.append(Slice(piece.part, piece.size - taken, piece.what))
    return kept


def _shown(slices: list[Slice]) -> tuple[Slice, ...]:
    return tuple(piece for piece in slices if piece.size)
