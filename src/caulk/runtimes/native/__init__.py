"""Programs of C, C++ and Rust under `caulk run --native`: an allocator that profiles is preloaded into every process.

jemalloc (https://jemalloc.net/jemalloc.3.html, `opt.prof`) samples and writes a dump for every 16 MiB allocated and one
at the end; it costs little. gperftools' tcmalloc (https://gperftools.github.io/gperftools/heapprofile.html) takes the
stack of every allocation, some ten times slower, and stands in where jemalloc is not installed. Neither is asked for
dumps by signals: a program that has no handler would die. The same environment has CPython record itself with memray.

A program that runs already is captured where it profiles itself: `ways` knows how.
"""

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from _imp import extension_suffixes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from string import Template

from caulk.model.capture import Setting
from caulk.model.errors import CaptureFailed, UsageError
from caulk.model.target import Access, Process
from caulk.ports import Reach, Way
from caulk.runtimes.native.ways import ALLOCATING, MANAGED, NATIVE, DumpBySignal, Files, Gperftools, Jemalloc, Mallctl

NAME = "native"
EVIDENCE = ("profile",)
SUFFIX = ".heap"

#: Bytes allocated, or grown by, between two dumps; bytes between two samples.
_INTERVAL_LOG2, _SAMPLE_LOG2 = 24, 17
_STEM = "caulk-native"
_DIRECTORIES = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/lib/*-linux-*")
#: caulk-native.PID.SEQUENCE.i7.heap; with gperftools caulk-native_PID.0007.heap, or no PID in the first process.
_DUMP = re.compile(rf"{_STEM}(?:\.(\d+)\.(\d+)\.([a-z])\d*|(?:_(\d+))?\.(\d+))\.heap")
_ELF, _INTERPRETER_HEADER = b"\x7fELF", 3
_HEADERS_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Allocator:
    """A library that profiles when it is preloaded, and the variables that have it write to `$prefix`."""

    library: str
    package: str
    variables: Mapping[str, str]


ALLOCATORS = (
    Allocator(
        "libjemalloc.so.2",
        "libjemalloc2",
        {
            "MALLOC_CONF": f"prof:true,prof_final:true,lg_prof_sample:{_SAMPLE_LOG2},"
            f"lg_prof_interval:{_INTERVAL_LOG2},prof_prefix:$prefix"
        },
    ),
    Allocator(
        "libtcmalloc.so.4",
        "libgoogle-perftools4",
        {
            "HEAPPROFILE": "$prefix",
            "HEAP_PROFILE_INUSE_INTERVAL": str(1 << _INTERVAL_LOG2),
            "HEAP_PROFILE_ALLOCATION_INTERVAL": "0",
            "PERFTOOLS_VERBOSE": "-1",
        },
    ),
)
MISSING = (
    "no allocator that profiles is installed, so only Python's allocations are recorded:"
    f" apt-get install {ALLOCATORS[0].package} (or {ALLOCATORS[1].package})"
)
STATIC = (
    "its program is static, so no allocator can be preloaded (a Go program that serves net/http/pprof: --pprof URL;"
    " others: link an allocator that profiles)"
)


@dataclass(frozen=True, slots=True)
class Preload:
    """An allocator that was seen to profile here, by the path of its library."""

    allocator: Allocator
    path: str

    def environment(self, environ: Mapping[str, str], workspace: Path) -> dict[str, str]:
        """The variables that preload it; what the user set of the same names is kept, and goes before what is ours."""
        prefix = str(workspace / _STEM)
        if "," in prefix:
            raise UsageError(
                f"{workspace}: a directory with a comma cannot take an allocator's dumps", hint="--keep DIR"
            )
        added = {name: Template(value).substitute(prefix=prefix) for name, value in self.allocator.variables.items()}
        if "MALLOC_CONF" in added and environ.get("MALLOC_CONF"):
            added["MALLOC_CONF"] += f",{environ['MALLOC_CONF']}"  # of two values the last one counts
        added["LD_PRELOAD"] = " ".join(filter(None, [self.path, environ.get("LD_PRELOAD")]))
        return added


def preload() -> Preload | None:
    """The first allocator that is installed and profiles a program; None if there is none."""
    for allocator in ALLOCATORS:
        for directory in _DIRECTORIES:
            for path in sorted(Path("/").glob(f"{directory[1:]}/{allocator.library}")):
                found = Preload(allocator, str(path))
                if _works(found):
                    return found
    return None


def recording() -> dict[str, str]:
    """Has the agent in CPython record with memray: the program's own, or, for the same Python, caulk's."""
    found = importlib.util.find_spec("memray")
    origin = Path(found.origin).parent.parent if found and found.origin else ""
    return {"CAULK_RUN_NATIVE": f"{extension_suffixes()[0]}:{origin}"}


def dumps(workspace: Path) -> dict[int | None, list[Path]]:
    """The dumps that lie in the workspace by process, oldest first; None is the first process of all."""
    found: dict[int | None, list[tuple[int, Path]]] = {}
    for entry in os.scandir(workspace):
        if match := _DUMP.fullmatch(entry.name):
            pid = match[1] or match[4]
            found.setdefault(int(pid) if pid else None, []).append((int(match[2] or match[5]), Path(entry.path)))
    return {pid: [path for _, path in sorted(some)] for pid, some in found.items()}


def is_last(path: Path) -> bool:
    """Whether this dump was made by the end of its process."""
    match = _DUMP.fullmatch(path.name)
    return match is not None and match[3] == "f"


def is_static(executable: Path) -> bool:
    """Whether nothing can be preloaded into a program, since it asks for no dynamic loader; False if it is no ELF."""
    try:
        with executable.open("rb") as file:
            head = file.read(_HEADERS_BYTES)
    except OSError:
        return False
    if head[:4] != _ELF or len(head) < 64:
        return False
    is_wide = head[4] == 2
    number = partial(int.from_bytes, byteorder="big" if head[5] == 2 else "little")
    at = number(head[32:40]) if is_wide else number(head[28:32])
    size, count = (number(head[o : o + 2]) for o in ((54, 56) if is_wide else (42, 44)))
    kinds = [number(head[start : start + 4]) for start in range(at, at + size * count, max(size, 1))]
    return _INTERPRETER_HEADER not in kinds


def serves(process: Process) -> bool:
    """Whether the program has an allocator that profiles, or is of C, C++ or Rust, and could have one."""
    files = "\n".join([*process.libraries, process.executable, *(f"/{name}" for name in process.sections)])
    if evidence(process):
        return True
    return bool(NATIVE.search(files)) and not MANAGED.search(files)


def evidence(process: Process) -> tuple[str, ...]:
    """What `caulk ps` says can be had: nothing of a program whose allocator does not profile."""
    files = "\n".join([*process.libraries, process.executable, *(f"/{name}" for name in process.sections)])
    return EVIDENCE if ALLOCATING.search("\n".join([files, *process.environ])) else ()


def ways(reach: Reach, access: Access) -> Sequence[Way]:
    """A dump on demand, where the allocator takes a signal; else the newest that it has written by itself."""
    gperftools, jemalloc = Gperftools(reach), Jemalloc(reach)
    return [DumpBySignal(gperftools), Files(gperftools), Files(jemalloc), Mallctl(jemalloc)]


def arm(reach: Reach, directory: str) -> Sequence[Setting]:
    """Raises: allocators read their settings once, when the program starts."""
    raise CaptureFailed(
        "gperftools and jemalloc read their settings when the program starts, and not again",
        hint="Set HEAPPROFILE or MALLOC_CONF (`caulk doctor` says how) and start it anew, or `caulk run --native`.",
    )


def disarm(reach: Reach, settings: Sequence[Setting]) -> None:
    """Nothing is ever set."""


def _works(found: Preload) -> bool:
    """Whether a program leaves a dump: a library may be built without its profiler, or for another kind of machine."""
    with tempfile.TemporaryDirectory(prefix="caulk-") as folder:
        plain = {"PATH": os.environ.get("PATH", os.defpath)}
        try:
            subprocess.run(
                [sys.executable, "-I", "-S", "-c", ""],
                env=plain | found.environment({}, Path(folder)),
                capture_output=True,
                timeout=10,
                check=False,
            )
        except (OSError, subprocess.SubprocessError):
            return False
        return bool(dumps(Path(folder)))
