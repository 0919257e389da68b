"""Writes two tracemalloc snapshots, the second larger: traces.py FIRST SECOND COUNT [FRAMES]."""

import sys
import tracemalloc


def make(n: int, depth: int) -> object:
    return left(n, depth) if n & 1 else right(n, depth)


def left(n: int, depth: int) -> object:
    return make(n >> 1, depth - 1) if depth else bytearray(40 + n % 300)


def right(n: int, depth: int) -> object:
    return make(n >> 1, depth - 1) if depth else [n] * (n % 30)


first, second, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
tracemalloc.start(int(sys.argv[4]) if len(sys.argv) > 4 else 16)
keep: list[object] = [make(n, 7) for n in range(count // 2)]
tracemalloc.take_snapshot().dump(first)
keep += [make(n, 7) for n in range(count // 2)]
tracemalloc.take_snapshot().dump(second)
