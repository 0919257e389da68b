"""`caulk redact A B`: the same dump without what the program had in memory."""

import sys
from contextlib import nullcontext
from pathlib import Path

from isal import isal_zlib

from caulk.cli.files import appearing
from caulk.formats import redaction
from caulk.formats.source import STDIN, open_source


def main(source: str, target: str, /) -> int:
    """Write a dump again without its values: for hprof, heapsnapshot, pprof, tracemalloc and CPython graphs.

    Objects, types, sizes, references and the names of code stay, and so does every answer of caulk; texts, numbers,
    keys, names of threads, command lines and values of labels go. `.gz` at the end of the target compresses it.

    Parameters
    ----------
    source
        A dump; `-` is stdin.
    target
        The file to write, for nobody else to read; `-` is stdout.

    """
    with nullcontext(sys.stdout.buffer) if target == STDIN else appearing(Path(target)) as file:
        if target.endswith(".gz"):
            # wbits 31 is gzip, with no time in its header.
            packer = isal_zlib.compressobj(2, isal_zlib.DEFLATED, 31)
            warnings = redaction.redact(open_source(source), lambda piece: file.write(packer.compress(piece)))
            file.write(packer.flush())
        else:
            warnings = redaction.redact(open_source(source), file.write)
    for warning in warnings:
        print(f"caulk: {source}: {warning}", file=sys.stderr)
    return 0
