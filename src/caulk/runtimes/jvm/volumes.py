"""Where in a target a heap dump can be written: a volume that is writable, not memory, and has room.

A dump on a tmpfs counts against the memory limit, and kills the program that it is to explain.
"""

from collections.abc import Iterator, Sequence
from posixpath import dirname, join, normpath

from caulk.model.errors import CaptureFailed, Lacks
from caulk.model.target import Access, FileStat, Process, Volume
from caulk.ports import Reach
from caulk.runtimes.jvm.attach import DIRECTORY
from caulk.runtimes.jvm.flags import PATH, stated

#: Of the directories that an image has and everybody may write to, the one that is seldom memory.
OTHER = "/var/tmp"  # noqa: S108 - the target's
_USUAL = (DIRECTORY, OTHER, "/dumps", "/data", "/logs")
#: What a volume keeps, so that the program can go on writing to it.
SPARE_BYTES = 64 << 20
_S_IFMT, _S_IFDIR = 0o170000, 0o040000


def volumes(reach: Reach, access: Access, process: Process) -> Sequence[Volume]:
    """The directories that may be meant for dumps, the likeliest first; only the user's, if there is one.

    Raises `Lacks` if the place cannot look at any.
    """
    found, lack = [], None
    for directory in _candidates(reach, access, process):
        try:
            found.append(reach.volume(directory))
        except Lacks as error:
            lack = error
        except CaptureFailed:
            # It is not there.
            continue
    if lack and not found:
        raise lack
    return found


def usable(found: Sequence[Volume]) -> Sequence[Volume]:
    """Those of them that take a dump at all."""
    return [volume for volume in found if volume.is_writable and not volume.is_memory]


def best(found: Sequence[Volume], size: int) -> Volume | None:
    """The first usable one with room for `size` bytes; else the one with the most."""
    fit = usable(found)
    roomy = (volume for volume in fit if volume.free_bytes >= size + SPARE_BYTES)
    return next(roomy, max(fit, key=lambda volume: volume.free_bytes, default=None))


def oom_directory(reach: Reach, process: Process, path: str) -> tuple[str, str]:
    """The directory of the dump that `-XX:HeapDumpPath=path` means; its path if that is fixed, else nothing."""
    if not path:
        return process.directory, ""
    whole = normpath(join(process.directory, path))
    if path.endswith("/") or _is_directory(reach.stat(whole)):
        return whole, ""
    return dirname(whole), whole


def _candidates(reach: Reach, access: Access, process: Process) -> Iterator[str]:
    if access.directory:
        yield access.directory
        return
    switches = stated(process)
    wanted = [process.directory, switches.get("Djava.io.tmpdir", ""), *_USUAL]
    if switches.get(PATH):
        wanted.insert(0, oom_directory(reach, process, switches[PATH])[0])
    for directory in dict.fromkeys(normpath(join(process.directory, each)) for each in wanted if each):
        # The JVM expands %p in the names of dumps, and parts its commands at quotes.
        if directory.isprintable() and not set('%"\\') & set(directory):
            yield directory


def _is_directory(found: FileStat | None) -> bool:
    return found is not None and found.mode & _S_IFMT == _S_IFDIR
