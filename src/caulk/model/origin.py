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
#: Shared libraries that every program has, and the allocators.
_ALLOCATOR_LIBRARY = r"libtcmalloc|libjemalloc|libmimalloc"
_RUNTIME_LIBRARY = (
    rf"(libc|libstdc\+\+|libc\+\+|libgcc_s|ld-linux|ld-musl|libpthread|libm|{_ALLOCATOR_LIBRARY})"
    r"(?![a-z])[\w.+\-]*"
)
_RUNTIME_FILE = re.compile(
    rf"""^node:|^internal/|^native\ |^java\.|^jdk\.
      |^<frozen\ |^<__array_function__|^<string>$
      |/lib(64)?/python\d(\.\d+)?/(?!site-packages|dist-packages)
      |/(go|toolchain@).*/src/({_GO})/[^@]*\.go$
      |^({_GO})/[\w/]+\.go$
      |/include/c\+\+/|/libstdc\+\+-v3/|/libcxx(abi)?/|/rustc/[0-9a-f]{{7,}}/library/|/lib/rustlib/src/rust/library/
      |^(\./|\.\./)(csu|elf|io|libio|malloc|misc|nptl|posix|stdio-common|stdlib|string|sysdeps|time)/
      |(^|/){_RUNTIME_LIBRARY}$""",
    re.VERBOSE,
)
_LIBRARY_FILE = re.compile(r"/(site|dist)-packages/|/node_modules/|/pkg/mod/|/vendor/|@v\d+\.\d|/\.cargo/registry/")
_JVM_STANDARD = re.compile(r"^(java|javax|jdk|sun|com\.sun)\.|^(byte|char|short|int|long|float|double|boolean)\b|^\[")
_ALLOCATOR = re.compile(
    r"""^(_*(libc_)?(malloc|calloc|realloc|reallocarray|free|memalign|posix_memalign|aligned_alloc|p?valloc|strn?dup)
      |_int_(malloc|realloc|memalign)|sysmalloc
      |operator\ (new|delete)(\[\])?
      |tc_(malloc|new|newarray|calloc|realloc|memalign)|(do|slow)_(malloc|calloc|realloc)\w*
      |je_\w*|jemalloc_\w+|prof_\w+|[mr]allocx|mi_\w*alloc\w*|_mi_\w+|__rust_\w*alloc\w*|__r(dl|g)_\w*alloc\w*)\b
      |^(void\*?\ )?(tcmalloc|MallocHook|MallocExtension|jemalloc|_?rjem|tikv_jemallocator|HeapProfileTable)::
      |^(void\*\ )?\(anonymous\ namespace\)::(do|slow)_\w*alloc\w*""",
    re.VERBOSE,
)
#: C's start-up and the standard libraries of C++ and Rust, by name: where no file tells, which goes first. Rust's
#: `core` and `alloc` count with their modules only, for a C++ program may have namespaces of these names.
_NATIVE_STANDARD = re.compile(
    r"""^((void|bool)\ )?(<&?(dyn\ )?)?(std::|__gnu_cxx::|__cxxabiv1::|hashbrown::
        |core::(alloc|any|array|cell|char|fmt|future|hash|iter|mem|num|ops|option|panicking|pin|ptr|result|slice|str|task)::
        |alloc::(alloc|borrow|boxed|collections|ffi|fmt|raw_vec|rc|slice|str|string|sync|task|vec)::)
      |^(_start|__libc_\w+|_dl_\w+|__cxa_\w+|start_thread|__?clone3?|__rust_\w+)$""",
    re.VERBOSE,
)


def origin_of(function: str, file: str, module: str, runtime: str) -> Origin:
    """Whose code this frame is; a frame that nothing is known of counts as the application's."""
    if _ALLOCATOR.match(function):
        return "runtime"
    if not file and not module and "+0x" in function:
        module = function.rpartition("+0x")[0]
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
    if not file and _NATIVE_STANDARD.match(function):
        return "runtime"
    if not file and module and (_RUNTIME_FILE.search(module) or ".so" in module):
        return "library"
    return "application"


def is_runtime_library(module: str) -> bool:
    """Whether a binary is one that every program has, or an allocator: nobody looks for a leak in it."""
    return re.search(rf"(^|/){_RUNTIME_LIBRARY}$", module) is not None


def is_allocator_library(module: str) -> bool:
    """Whether a binary is an allocator that is not linked into its program."""
    return re.search(rf"(^|/)({_ALLOCATOR_LIBRARY})(?![a-z])[^/]*$", module) is not None


def is_allocator(function: str) -> bool:
    """Whether a function is known by its name for one of an allocator."""
    return _ALLOCATOR.match(function) is not None


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
