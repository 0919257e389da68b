"""What the pages are shown: a wide profile that every viewer reads, a heap of two million nodes, a fleet of 5,000."""

import random
import subprocess
import sys
from array import array
from pathlib import Path

from caulk.model.measure import Measure
from caulk.model.tree import Frames, Tree
from caulk.views import pprof

HERE = Path(__file__).resolve().parent
_PACKAGES = ("main", "net/http", "encoding/json", "shop/cart", "shop/store", "database/sql", "runtime", "bufio", "sync")


def profile(work: Path, nodes: int) -> Path:
    """A pprof file whose tree has that many nodes, some 30 deep, with weights as uneven as real ones."""
    path = work / f"wide-{nodes}.pb.gz"
    if not path.exists():
        path.write_bytes(pprof.render(_tree(nodes)))
    return path


def _tree(nodes: int) -> Tree:
    chance = random.Random(7)  # the same tree each time
    functions = [f"{chance.choice(_PACKAGES)}.function{number}" for number in range(20_000)]
    files = [f"/src/{name.rpartition('.')[0]}/file{number % 40}.go" for number, name in enumerate(functions)]
    strings = ["", *functions, *files]
    size = len(functions)
    frames = Frames(
        strings=strings,
        function=array("i", range(1, size + 1)),
        file=array("i", range(size + 1, 2 * size + 1)),
        line=array("i", (chance.randrange(1, 900) for _ in range(size))),
        mapping=array("i", [-1]) * size,
        address=array("Q", [0]) * size,
    )
    parent, frame, own, depth = array("i", [-1]), array("i", [-1]), array("q", [0]), [0]
    for number in range(1, nodes):
        # Mostly below one of the newest, so that it gets deep; now and then anywhere, so that it gets wide.
        above = max(number - 1 - int(chance.expovariate(0.2)), 0) if chance.random() < 0.9 else chance.randrange(number)
        while depth[above] > 40:
            above = parent[above]
        parent.append(above)
        depth.append(depth[above] + 1)
        frame.append(chance.randrange(size))
        own.append(int(chance.paretovariate(1.1) * 512))
    return Tree((Measure("inuse_space", "bytes"),), frames, parent, frame, (own,))


def heap(work: Path, objects: int) -> Path:
    """A heap snapshot of Node.js with some two million nodes."""
    path = work / f"node-{objects}.heapsnapshot"
    if not path.exists():
        maker = HERE.parent / "programs/heap_maker.mjs"
        subprocess.run(["node", "--max-old-space-size=12000", maker, "size", path, str(objects)], check=True)
    return path


def traces(work: Path) -> Path:
    """What memray recorded of a program with many stacks."""
    path = work / "stacks.memray"
    if not path.exists():
        program = HERE / "many_stacks.py"
        subprocess.run([sys.executable, "-m", "memray", "run", "-q", "-o", path, program], check=True)
    return path
