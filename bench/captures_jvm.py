"""What capturing a JVM costs, predicted beside measured: pause, memory and file of every way, on heaps of three sizes.

    PYTHONPATH=src python bench/captures_jvm.py [JAVA [COLLECTOR]] > table.md

Each heap holds either many small objects (a map of tickets, the worst for its size) or few large ones. Memory is what
the process takes above what it had, read while the way works.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from caulk.capture.meter import Meter
from caulk.model.target import Access, Target
from caulk.places.local import LocalReach
from caulk.runtimes import jvm

SOURCE = """
import java.util.*;

public class Held {
    record Ticket(String name, int number, Ticket before) {}

    public static void main(String[] words) throws Exception {
        long bytes = Long.parseLong(words[1]) << 20;
        Object held;
        if (words[0].equals("large")) {
            List<byte[]> all = new ArrayList<>();
            for (long i = 0; i < bytes >> 14; i++) { all.add(new byte[(1 << 14) - 16]); }
            held = all;
        } else {
            Map<String, Ticket> all = new HashMap<>();
            Ticket last = null;
            for (int i = 0; i < bytes / 144; i++) {
                last = new Ticket("ticket " + i, i, last);
                all.put(last.name, last);
            }
            held = all;
        }
        System.out.println("ready");
        System.in.read();
        System.out.println(held.hashCode());
    }
}
"""
SIZES_MIB = (64, 256, 1024)
WAYS = ("histogram", "heap-all", "heap", "heap-gz")
_HEADINGS = ("heap", "way", "pause s", "predicted", "memory MiB", "predicted", "file MiB", "predicted")


class Nowhere:
    """A sink that keeps nothing."""

    def nothing(self, *_: object) -> None:
        """Does nothing."""

    write = leaving = beside = progress = nothing


def main() -> None:
    """A row for each heap and way."""
    java = sys.argv[1] if len(sys.argv) > 1 else shutil.which("java")
    collector = sys.argv[2] if len(sys.argv) > 2 else "G1"
    print(f"| {' | '.join(_HEADINGS)} |\n|{' --- |' * len(_HEADINGS)}")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder, "Held.java").write_text(SOURCE)
        for kind in ("small", "large"):
            for size in SIZES_MIB:
                for way in WAYS:
                    command = [java, f"-XX:+Use{collector}GC", "-Xmx3g", f"{folder}/Held.java", kind, str(size)]
                    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
                        assert program.stdout is not None
                        assert program.stdout.readline() == "ready\n"
                        row(f"{kind}, {size} MiB", way, program.pid, folder)
                        program.kill()


def row(heap: str, alias: str, pid: int, folder: str) -> None:
    """Takes one way once."""
    reach = LocalReach(Target("local", f"pid:{pid}", "Held"), pid)
    way = next(way for way in jvm.ways(reach, Access(directory=folder)) if way.alias == alias)
    cost = way.cost()
    with Meter(reach) as meter:
        taken = way.take(Nowhere())
    actual = meter.costs(float(taken.facts["pause_s"]), None)
    found = reach.stat(taken.remote) if taken.remote else None
    if found:
        reach.remove(found.path)
    memory = f"{(actual.extra_bytes or 0) / 2**20:.0f} | {cost.extra_bytes / 2**20:.0f}"
    file = f"{found.size / 2**20:.0f} | {cost.disk_bytes / 2**20:.0f}" if found else " | "
    print(f"| {heap} | {alias} | {actual.pause_s:.2f} | {cost.pause_s:.2f} | {memory} | {file} |", flush=True)


if __name__ == "__main__":
    main()
