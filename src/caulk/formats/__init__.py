"""Every dump that caulk reads, one module each. Content decides which: exactly one format claims any sample."""

from dataclasses import replace
from importlib import import_module
from typing import cast

from caulk.formats.source import Source, open_source
from caulk.model.errors import MalformedDump
from caulk.model.graph import ObjectGraph
from caulk.model.original import Originals
from caulk.model.profile import Profile
from caulk.ports import Format, NamingFormat, Snapshot

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


def snapshot(source: Source, originals: Originals | None = None) -> Snapshot:
    """The profile or the object graph in an opened source; raises `MalformedDump` that names what it is instead.

    With `originals` the formats of `RENAMED` name functions, classes and fields as the source does.
    """
    try:
        module = recognise(source)
        name = module.__name__.rpartition(".")[2]
        data = cast(bytes, source.data) if name in GRAPHS else source.whole()
        if originals and name in RENAMED:
            found = cast(NamingFormat, module).read(data, originals=originals)
        else:
            found = module.read(data)
    except MalformedDump as error:
        cut = f" ({source.warnings[0]})" if source.is_cut else ""
        raise MalformedDump(f"{source.path}: {error}{cut}", hint=error.hint) from None
    return replace(found, warnings=source.warnings + found.warnings) if source.warnings else found


def recognise(source: Source) -> Format:
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
        module = cast(Format, import_module(f"caulk.formats.{name}"))
        if module.sniff(head):
            return module
    # Explaining a mistake needs more than reading does; who made none does not wait for it.
    raise import_module("caulk.formats.strangers").stranger(source.path, head)


def _is_text(head: bytes) -> bool:
    """Whether there is no control character in it but white space: the binary formats begin with others."""
    return not head.translate(None, _TEXT_BYTES)


_TEXT_BYTES = bytes({7, 8, 9, 10, 12, 13, 27} | set(range(0x20, 0x100)) - {0x7F})
