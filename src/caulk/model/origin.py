"""Whose code a frame is: the application's, a library's, or the runtime's. The only thing ranking reads of a name.

Where the source lies decides; the name helps only where the path does not tell (Go's import paths, JVM packages).
"""

import re
from typing import Literal

from caulk.model.tree import Frames

Origin = Literal["application", "library", "runtime"]

#: Go's own packages, by the first element of their path (a build with -trimpath shows nothing else).
_GO = (
    "runtime|internal|sync|syscall|net|os|io|bufio|bytes|strings|strconv|fmt|encoding|crypto|compress|container|context"
    "|database|debug|errors|expvar|go|hash|html|image|iter|log|maps|math|mime|path|plugin|reflect|regexp|slices|sort"
    "|testing|text|time|unicode|unique|unsafe|vendor|archive|cmp|embed|flag|index|weak"
)
_GO_STANDARD = re.compile(rf"^({_GO})[./]")
_RUNTIME_FILE = re.compile(
    rf"""^node:|^internal/|^native\ |^java\.|^jdk\.
      |^<frozen\ |^<__array_function__|^<string>$
      |/lib(64)?/python\d(\.\d+)?/(?!site-packages|dist-packages)
      |/(go|toolchain@).*/src/({_GO})/[^@]*\.go$
      |^({_GO})/[\w/]+\.go$
      |/(libc|libstdc\+\+|ld-linux|libpthread|libtcmalloc|libjemalloc)[\w.+\-]*$""",
    re.VERBOSE,
)
_LIBRARY_FILE = re.compile(r"/(site|dist)-packages/|/node_modules/|/pkg/mod/|/vendor/|@v\d+\.\d|/\.cargo/registry/")
_JVM_STANDARD = re.compile(r"^(java|javax|jdk|sun|com\.sun)\.|^(byte|char|short|int|long|float|double|boolean)\b|^\[")
_ALLOCATOR = re.compile(
    r"^(_*(libc_)?(malloc|calloc|realloc|memalign|posix_memalign|aligned_alloc|valloc|strn?dup)|operator new(\[\])?"
    r"|tc_(malloc|new|newarray|calloc|realloc)|je_\w*alloc\w*|prof_\w+|mallocx|rallocx)\b"
)


def origin_of(function: str, file: str, module: str, runtime: str) -> Origin:
    """Whose code this frame is; a frame that nothing is known of counts as the application's."""
    if _ALLOCATOR.match(function):
        return "runtime"
    if runtime == "go" and _GO_STANDARD.match(function):
        return "runtime"
    if runtime == "jvm" and (_JVM_STANDARD.match(function) or file.startswith(("java.", "jdk."))):
        return "runtime"
    if runtime == "node" and not file:
        # V8's built-ins have no script: (GC), (V8 API), Array.push …
        return "runtime"
    if file and _RUNTIME_FILE.search(file):
        return "runtime"
    if _LIBRARY_FILE.search(file):
        return "library"
    if not file and module and (_RUNTIME_FILE.search(module) or ".so" in module):
        return "library"
    return "application"


#: What CPython runs to load a module: what is allocated below it is code, not data of the line that imports.
LOADER_FILE = "<frozen importlib"


def origins(frames: Frames, runtime: str) -> list[Origin]:
    """The origin of each frame."""
    return [
        origin_of(frames.strings[frames.function[i]], frames.file_name(i), frames.module_name(i), runtime)
        for i in range(len(frames))
    ]


def marks(origin: list[Origin], wanted: Origin) -> bytes:
    """One byte a frame: 1 where its origin is `wanted`."""
    return bytes(1 if o == wanted else 0 for o in origin)
