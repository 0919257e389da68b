"""What capturing a Node.js costs, predicted beside measured: pause, memory and file, on heaps of three sizes.

    PYTHONPATH=src python bench/captures_node.py [NODE] > table.md

Each heap holds records in maps, small objects in one large array (the worst for its size), closures, or strings.
Memory is what the process takes above what it had, read while the way works; the pause is what its main thread works,
as a machine that does other things too makes it longer.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from caulk.capture.meter import Meter
from caulk.model.target import Access, Target
from caulk.places.local import LocalReach
from caulk.runtimes import node

SOURCE = """
const [kind, mebibytes] = [process.argv[2], Number(process.argv[3])];
class Order { constructor(n) { this.id = n; this.customer = 'customer-' + n; this.lines = [{ sku: n, count: 2 }]; } }
const kept = [];
let n = 0;
let map = null;
const make = {
  records() { if (n % 100 === 0) kept.push((map = new Map())); map.set('key-' + n, new Order(n++)); },
  array() { kept.push({ n: n++ }); },
  closures() { const held = { n: n++ }; kept.push(() => held); },
  strings() { kept.push(Buffer.alloc(1000, 'text ' + n++).toString('latin1')); },
}[kind];
while (process.memoryUsage().heapUsed < mebibytes * 1048576) for (let k = 0; k < 1000; k++) make();
globalThis.kept = kept;
console.log('ready');
setInterval(() => {}, 1000);
"""
KINDS, SIZES_MIB = ("records", "array", "closures", "strings"), (16, 64, 160)
_HEADINGS = ("heap", "pause s", "predicted", "memory MiB", "predicted", "file MiB", "predicted")
_TICKS = os.sysconf("SC_CLK_TCK")


class Counting:
    """A sink that keeps nothing but the size."""

    size = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Counts."""
        self.size += len(data)

    def nothing(self, *_: object) -> None:
        """Does nothing."""

    leaving = beside = progress = nothing


def main() -> None:
    program = sys.argv[1] if len(sys.argv) > 1 else shutil.which("node") or "node"
    print(f"| {' | '.join(_HEADINGS)} |")
    print(f"|{' --- |' * len(_HEADINGS)}")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "held.cjs"
        file.write_text(SOURCE)
        for kind in KINDS:
            for size in SIZES_MIB:
                print(f"| {' | '.join(measured(program, file, kind, size))} |", flush=True)


def measured(program: str, file: Path, kind: str, size: int) -> list[str]:
    """One row."""
    command = [program, "--inspect-port=0", "--max-old-space-size=1024", str(file), kind, str(size)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout and process.stdout.readline() == "ready\n"
            reach = LocalReach(Target("local", f"pid:{process.pid}", kind), process.pid)
            way = next(way for way in node.ways(reach, Access()) if way.alias == "heap")
            cost, sink, before = way.cost(), Counting(), worked_s(process.pid)
            with Meter(reach) as meter:
                way.take(sink)
            actual = meter.costs(worked_s(process.pid) - before, 0)
        finally:
            process.kill()
    pairs = ((actual.extra_bytes or 0, cost.extra_bytes), (sink.size, cost.size_bytes))
    sizes = [f"{number / 2**20:,.0f}" for pair in pairs for number in pair]
    return [f"{kind} {size} MiB", f"{actual.pause_s:.1f}", f"{cost.pause_s:.1f}", *sizes]


def worked_s(pid: int) -> float:
    """Seconds of work of the main thread."""
    fields = Path(f"/proc/{pid}/task/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


if __name__ == "__main__":
    main()
