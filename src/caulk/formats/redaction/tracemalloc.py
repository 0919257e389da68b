"""tracemalloc snapshots without values: they hold sizes, lines and paths of source files, and nothing else.

What is written is the pickle that reading it understood. A string in it that is no file of a frame and no word of the
format is masked, and what follows the pickle is left out. Paths are kept, with what they say of who installed it where.
"""

from caulk._core import pickles, snapshots
from caulk.formats import tracemalloc
from caulk.ports import Write

_WORDS = {
    b"tracemalloc", b"Snapshot", b"_Traces", b"traces", b"_traces", b"traceback_limit", b"copyreg", b"_reconstructor",
    b"copy_reg", b"builtins", b"__builtin__", b"object",
}  # fmt: skip


def redact(data: bytes, write: Write) -> tuple[str, ...]:
    """Write the snapshot with nothing but traces in it; raises `MalformedDump` as reading it does."""
    warnings = tracemalloc.read(data).warnings
    values = pickles.read(data)
    done, _ = values["scalar"]
    files = set(snapshots.read(data, values)["frame_file"])
    at = 0
    strings = zip(values["string_start"], values["string_length"], strict=True)
    for number, (start, length) in enumerate(strings):
        if number not in files and data[start : start + length] not in _WORDS:
            write(data[at:start])
            write(b"x" * length)
            at = start + length
    write(data[at:done])
    return warnings
