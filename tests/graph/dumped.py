"""Programs that are run, dump themselves with the probe's dumper, and are read back as graphs."""

import os
import subprocess
import sys
from collections import deque
from pathlib import Path

from caulk.formats import cpython_graph
from caulk.model.graph import ROOTS, STRONG, ObjectGraph

PROBE = Path(__file__).resolve().parents[2] / "probe/src"
#: Put before each program; `DUMP()` writes `heap.cgraph`.
HEAD = """
import caulk_probe.dumper as _dumper, sys, time
PATH = sys.argv[1]
def DUMP(**how):
    _dumper.dump(PATH, **how)
    while not _dumper.is_done(PATH):
        time.sleep(0.002)
"""


def run(
    program: str, folder: Path, *, python: tuple[str, ...] = (sys.executable, "-c", "import leak"), **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run `program` as a module `leak` beside a start file; its dump is `heap.cgraph` in `folder`."""
    (folder / "leak.py").write_text(HEAD + program)
    return subprocess.run(
        [*python, folder / "heap.cgraph"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{PROBE}{os.pathsep}{folder}", **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def graph_of(program: str, folder: Path, **variables: str) -> ObjectGraph:
    """The graph that `program` dumped of itself."""
    ran = run(program, folder, **variables)
    assert ran.returncode == 0, ran.stderr
    return cpython_graph.read((folder / "heap.cgraph").read_bytes())


def path_to(graph: ObjectGraph, type_name: str) -> list[str]:
    """The shortest strong way from the roots to an object of a type: labels, and names or types, in turn."""
    came: dict[int, tuple[int, str]] = {ROOTS: (ROOTS, "")}
    waiting = deque([ROOTS])
    while waiting:
        number = waiting.popleft()
        if number and graph.type_name(number) == type_name:
            steps = []
            while number != ROOTS:
                steps.append(graph.name(number) or graph.type_name(number))
                number, label = came[number]
                steps.append(label)
            return steps[::-1]
        for reference in graph.references(number):
            if reference.strength == STRONG and reference.target not in came:
                came[reference.target] = number, str(reference.label)
                waiting.append(reference.target)
    raise AssertionError(f"no {type_name} is reached")


def numbers_of(graph: ObjectGraph, type_name: str) -> list[int]:
    """All objects of a type."""
    kind = graph.types.name.index(type_name)
    return [number for number, type_ in enumerate(graph.type) if type_ == kind]
