"""Every dump that caulk reads, one module each. Content decides which: exactly one format claims any sample."""

import html
import re
from dataclasses import replace
from importlib import import_module
from types import ModuleType
from typing import Any

from caulk.formats.source import Source, open_source
from caulk.model.errors import MalformedDump
from caulk.model.profile import Profile

#: To add a format, add a module and its name here. Text before binary: a pprof profile has no magic number.
FORMATS = ("go_heap", "go_goroutine", "jvm_histogram", "v8_sampling", "tracemalloc", "folded", "pprof")
_HEAD = 4096

#: What people hand in by mistake, by its first bytes.
_KNOWN_STRANGERS = (
    (b"JAVA PROFILE ", "a JVM heap dump (hprof)"),
    (b'{"snapshot":{"meta"', "a V8 heap snapshot"),
    (b'{"snapshot":', "a V8 heap snapshot"),
    (b"\x7fELF", "a program or a core file, not a profile of one"),
    (b"heap_v2/", "a jemalloc heap profile"),
    (b"heap profile:", "a C++ heap profile (gperftools), or a damaged one of Go"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd file"),
    (b"<svg", "a picture"),
    (b"\x89PNG", "a picture"),
)


def read(path: str) -> Profile:
    """The profile in the file at `path` (`STDIN` is stdin), whatever wrote it."""
    return read_source(open_source(path))


def read_source(source: Source) -> Profile:
    """The profile in an opened source; raises `MalformedDump` that names what it is instead."""
    module: Any = recognise(source)
    try:
        profile: Profile = module.read(source.data)
    except MalformedDump as error:
        cut = f" ({source.warnings[0]})" if source.is_cut else ""
        raise MalformedDump(f"{source.path}: {error}{cut}", hint=error.hint) from None
    return replace(profile, warnings=source.warnings + profile.warnings) if source.warnings else profile


def recognise(source: Source) -> ModuleType:
    """The format module that claims the source's first bytes."""
    head = source.data[:_HEAD]
    if source.is_cut and not head:
        raise MalformedDump(f"{source.path}: {source.warnings[0]}", hint="Was the download or the copy interrupted?")
    if not head.strip():
        what = "is empty" if not source.data else "holds nothing but white space"
        raise MalformedDump(
            f"{source.path} {what}", hint="Was the capture interrupted, or the disk full? Take the dump again."
        )
    for name in FORMATS:
        module: Any = import_module(f"caulk.formats.{name}")
        if module.sniff(head):
            return module  # type: ignore[no-any-return]
    raise _stranger(source.path, head)


def _stranger(path: str, head: bytes) -> MalformedDump:
    """The error for bytes that no format claims: it names what they are where that can be told."""
    text = head.lstrip()[:2048]
    if re.match(rb"(?i)<(!doctype html|html|head|\?xml)", text):
        title = re.search(rb"(?is)<title[^>]*>(.*?)</title>", text) or re.search(rb"(?is)<h1[^>]*>(.*?)</h1>", text)
        said = html.unescape(title[1].decode("utf-8", "replace")).strip()[:80] if title else ""
        return MalformedDump(
            f"{path} is an HTML page{f' ({said!r})' if said else ''}, not a profile",
            hint="The download saved an error or login page: look at address and login; `curl -f` would have failed.",
        )
    for magic, name in _KNOWN_STRANGERS:
        if text.startswith(magic) or head.startswith(magic):
            return MalformedDump(f"{path} is {name}, which caulk does not read")
    if text.isascii() and text[:1].isalnum() and b"\0" not in text:
        first = text.splitlines()[0].decode("ascii")[:80]
        return MalformedDump(
            f"{path} is text that begins {first!r}, not a profile",
            hint="If it was downloaded, that is the server's answer. `caulk analyze --help` lists the formats.",
        )
    return MalformedDump(
        f"{path} is not in a format that caulk knows", hint="`caulk analyze --help` lists the formats that it reads."
    )
