"""Every dump that caulk reads, one module each. Content decides which: exactly one format claims any sample."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from caulk.formats.source import Source, open_source
from caulk.model.census import Census, Extent
from caulk.model.errors import MalformedDump
from caulk.model.graph import ObjectGraph
from caulk.model.original import Originals
from caulk.model.profile import Profile

if TYPE_CHECKING:
    # The shapes of runtimes and places stand there too, which reading a dump does not wait for.
    from caulk.ports import Format, HeapFormat, Snapshot

#: To add a format, add a module and its name here.
TEXT = (
    "go_heap",
    "go_goroutine",
    "jvm_histogram",
    "v8_sampling",
    "heap_snapshot",
    "speedscope",
    "gperftools",
    "jemalloc",
    "folded",
)
#: A pprof profile has no magic number, so it comes last.
BINARY = ("hprof", "cpython_graph", "pyheap", "tracemalloc", "memray", "pprof")
FORMATS = TEXT + BINARY
#: Those that read into an object graph, and straight from a mapped file: a heap may be larger than memory.
GRAPHS = frozenset({"hprof", "heap_snapshot", "cpython_graph", "pyheap"})
#: Those whose readers ask for the names of the source: what they would ask with is not in what they read into.
RENAMED = frozenset({"hprof", "heap_snapshot", "v8_sampling"})
#: Those that compute sizes from how the runtime lays objects out, and may be told.
LAID_OUT = frozenset({"hprof"})
_HEAD = 4096


def read(path: str) -> Profile:
    """The profile in the file at `path` (`STDIN` is stdin), whatever wrote it."""
    return read_source(open_source(path))


def read_source(source: Source) -> Profile:
    """The profile in an opened source; raises `MalformedDump` that names what it is instead."""
    found = snapshot(source)
    if isinstance(found, ObjectGraph):
        raise MalformedDump(
            f"{source.path} is a heap dump ({found.format}), not a profile", hint="`caulk analyze` reads it."
        )
    return found


def snapshot(source: Source, originals: Originals | None = None, *, compact_headers: bool | None = None) -> "Snapshot":
    """The profile or the object graph in an opened source; raises `MalformedDump` that names what it is instead.

    With `originals` the formats of `RENAMED` name functions, classes and fields as the source does. `compact_headers`
    says of a JVM how it laid objects out, where that is known.
    """
    module = recognise(source)
    name = _name(module)
    with _placed(source):
        data = cast(bytes, source.data) if name in GRAPHS else source.whole()
        reader: Callable[..., Snapshot] = module.read
        found = reader(data, **_told(name, originals, compact_headers))
    return replace(found, warnings=source.warnings + found.warnings) if source.warnings else found


def extent(source: Source) -> Extent | None:
    """How large the heap in an opened source is, about, at a fraction of the cost of reading it; None for a profile."""
    module = recognise(source)
    if _name(module) not in GRAPHS:
        return None
    with _placed(source):
        return cast("HeapFormat", module).extent(cast(bytes, source.data))


def census(source: Source, originals: Originals | None = None, *, compact_headers: bool | None = None) -> Census:
    """The types of a heap whose `extent` says what counting takes; as `snapshot` otherwise."""
    module = cast("HeapFormat", recognise(source))
    told = _told(_name(module), originals, compact_headers)
    with _placed(source):
        counter: Callable[..., Census] = module.census
        found = counter(cast(bytes, source.data), **told)
    return replace(found, warnings=source.warnings + found.warnings) if source.warnings else found


def recognise(source: Source) -> "Format":
    """The format module that claims the source's first bytes."""
    head = source.data[:_HEAD]
    if source.is_cut and not head:
        raise MalformedDump(f"{source.path}: {source.warnings[0]}", hint="Was the download or the copy interrupted?")
    if not head.strip():
        what = "is empty" if not source.data else "holds nothing but white space"
        raise MalformedDump(
            f"{source.path} {what}", hint="Was the capture interrupted, or the disk full? Take the dump again."
        )
    for name in TEXT if _is_text(head) else BINARY:
        module = cast("Format", import_module(f"caulk.formats.{name}"))
        if module.sniff(source.data[: getattr(module, "HEAD", _HEAD)]):
            return module
    # Explaining a mistake needs more than reading does; who made none does not wait for it.
    error = import_module("caulk.formats.strangers").stranger(source.path, head)
    raise MalformedDump(f"{error} ({source.warnings[0]})", hint=error.hint) if source.is_cut else error


def _name(module: "Format") -> str:
    return module.__name__.rpartition(".")[2]


def _told(name: str, originals: Originals | None, compact_headers: bool | None) -> dict[str, Any]:
    """What a format is told beside the data: what it can make use of."""
    told: dict[str, Any] = {"originals": originals} if originals and name in RENAMED else {}
    return told | ({"compact_headers": compact_headers} if name in LAID_OUT else {})


@contextmanager
def _placed(source: Source) -> Iterator[None]:
    """Errors of a reader, with the file that they are about."""
    try:
        yield
    except MalformedDump as error:
        cut = f" ({source.warnings[0]})" if source.is_cut else ""
        raise MalformedDump(f"{source.path}: {error}{cut}", hint=error.hint) from None


def _is_text(head: bytes) -> bool:
    """Whether there is no control character in it but white space: the binary formats begin with others."""
    return not head.translate(None, _TEXT_BYTES)


_TEXT_BYTES = bytes({7, 8, 9, 10, 12, 13, 27} | set(range(0x20, 0x100)) - {0x7F})
