"""Bundles with their source maps, for tests: `«f quoteCache 1»` is `f`, in line 1 of the source `quoteCache`."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_MARK = re.compile(r"«(\S+) (\S+) (\d+)»")

#: A program as a minifier leaves it: all names short, given again in every function, and everything in one line.
PROGRAM = (
    "const «f quoteCache 1»=new Map;"
    "const «n Quote 3»=class{constructor(«e size 3»){this.legs=new Array(«e size 3»).fill(0)}};"
    "class «p Bare 5»{}"
    "function «m remember 7»(«e quote 7»,«t other 7»)"
    "{«f quoteCache 8».set(«f quoteCache 8».size,[«e quote 8»,«t other 8»])}"
    "var «s put 11»=«t size 11»=>{let «e quote 12»=new «n Quote 12»(«t size 12»);"
    "«m remember 13»(«e quote 13»,new «p Bare 13»)},"
    "«u fill 15»=function(«t size 15»){for(let «e i 16»=0;«e i 16»<«t size 16»;«e i 16»++)«s put 16»(50)};"
    "globalThis.keep=«u fill 19»;«u fill 20»(4e3);"
)


def vlq(*numbers: int) -> str:
    """Numbers as a source map has them."""
    out = ""
    for number in numbers:
        rest = -number << 1 | 1 if number < 0 else number << 1
        while rest >= 32:
            out += _DIGITS[rest & 31 | 32]
            rest >>= 5
        out += _DIGITS[rest]
    return out


def mappings(rows: Iterable[tuple[int, ...]]) -> str:
    """Segments of one line (column, source, line, column, name) as text."""
    last = [0] * 5
    parts = []
    for row in rows:
        parts.append(vlq(*(value - before for value, before in zip(row, last, strict=False))))
        last = [*row, *last[len(row) :]]
    return ",".join(parts)


def bundle(template: str, source: str = "../src/cache.ts", **more: object) -> tuple[str, dict[str, object]]:
    """The text of a bundle of one line, and its map."""
    names: dict[str, int] = {}
    rows: list[tuple[int, ...]] = []
    text, at = "", 0
    for mark in _MARK.finditer(template):
        text += template[at : mark.start()]
        at = mark.end()
        rows.append((len(text), 0, int(mark[3]) - 1, 0, names.setdefault(mark[2], len(names))))
        text += mark[1]
        # What follows an identifier is the source's too, and has no name.
        rows.append((len(text), 0, int(mark[3]) - 1, 1))
    text += template[at:]
    map = {"version": 3, "sources": [source], "names": list(names), "mappings": mappings(rows), **more}
    return text, map


def write(directory: Path, template: str = PROGRAM, *, end: str = "", name: str = "bundle.cjs") -> Path:
    """Write a bundle and its map into a directory, and give the bundle's path."""
    directory.mkdir(parents=True, exist_ok=True)
    text, map = bundle(template)
    path = directory / name
    path.write_text(f"{text}{end}\n")
    path.with_name(f"{name}.map").write_text(json.dumps(map))
    return path
