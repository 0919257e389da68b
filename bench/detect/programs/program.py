"""A program of CPython for recordings: program MODE SECONDS MEGABYTES."""

import ctypes
import gc
import importlib
import math
import mmap
import pkgutil
import random
import shutil
import sys
import time
import xml
from pathlib import Path

DAY = 24.0


class Node:
    """Something in a cycle: only the collector frees it."""

    def __init__(self) -> None:
        self.me, self.text = self, "x" * random.randrange(200, 2000)


def record(n: int) -> dict[str, object]:
    return {"id": n, "name": f"user {n}", "tags": [n * 1.5 + i for i in range(random.randrange(20, 220))]}


def load(t: float) -> float:
    return (0.55 - 0.4 * math.cos(2 * math.pi * (t % DAY) / DAY)) * random.uniform(0.8, 1.2)


def modules() -> list[str]:
    """What may be imported, in no order."""
    packages = (importlib.import_module(name) for name in ("email", "json", "asyncio", "concurrent.futures", "logging"))
    names = [f"{p.__name__}.{m.name}" for p in (*packages, xml) for m in pkgutil.iter_modules(p.__path__)]
    # Some do things as they are imported.
    names += sorted(n for n in sys.stdlib_module_names if n not in ("antigravity", "this", "idlelib", "turtle", "nt"))
    random.shuffle(names)
    return [name for name in names if not name.startswith("_") and "test" not in name]


def large_file() -> mmap.mmap:
    with Path(shutil.which("node") or sys.executable).open("rb") as file:
        return mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)


def main(mode: str, seconds: float, megabytes: float) -> None:
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    kept: list[object] = [record(i) for i in range(3000)]
    cache: dict[int, object] = {}
    job: list[object] = []
    names = modules() if mode == "imports" else []
    mapped = b"" if mode != "files" else large_file()
    if mode == "cycles":
        gc.set_threshold(int(megabytes * 700), 1, 1)
    owed, begun = 0.0, time.monotonic()
    while (t := time.monotonic() - begun) < seconds:
        now, at_night = load(t), 3 < t % DAY < 7
        for i in range(int(now * 20)):
            record(i)
        tick = 0.02 / seconds * megabytes * 1048576
        if mode in ("leak", "native"):
            owed += tick * now / 0.55
        elif mode == "night" and at_night:
            owed += tick * 6
        elif mode == "steps" and random.random() < 0.005:
            owed += tick * 200
        elif mode == "cache":
            for _ in range(int(now * 8)):
                cache.setdefault(random.randrange(int(megabytes * 200)), record(1))
        elif mode == "batch" and at_night and len(job) < megabytes * 200:
            job += [record(i) for i in range(200)]
        elif mode == "batch" and not at_night:
            job = []
        elif mode == "cycles":
            for _ in range(int(now * 60)):
                Node()
        elif mode == "imports" and names and random.random() < now * 0.1:
            try:
                kept.append(importlib.import_module(names.pop()))
            except Exception:  # what does not load here is not missed
                continue
        elif mode == "files" and mapped:
            for _ in range(int(now * 6)):
                _ = mapped[random.randrange(len(mapped))]
        while owed > 8192:
            owed -= 8192
            if mode == "native":
                ctypes.memset(libc.malloc(8192), 1, 8192)
            else:
                kept.append(bytes(8160) + b"x")
        time.sleep(0.02)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]))
