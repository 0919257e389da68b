"""Dumps that real programs wrote of themselves, before and after they grew; those of heaps hold a secret.

What grows in each is called `Ticket` or made by `open_ticket`; values that nobody may see hold `SECRET`.
"""

import os
import subprocess
import sys
from pathlib import Path

SECRET = "hunter2 is the password"

_NODE = """
const { writeHeapSnapshot } = require('node:v8');
class Ticket {
  constructor(n) { this.owner = ('SECRET-' + (n % 7)).split('').join(''); this.rows = new Array(40).fill(n); }
}
const tickets = globalThis.tickets = [];
globalThis.config = { password: ('SECRET' + process.pid).toString() };
for (const out of process.argv.slice(2)) {
  for (let n = 0; n < 3000; n++) tickets.push(new Ticket(n));
  writeHeapSnapshot(out);
}
process.exit(0);
"""

_JAVA = """
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import com.sun.management.HotSpotDiagnosticMXBean;
class Hold {
  static class Ticket { String owner = new String("SECRET".toCharArray()); long[] rows = new long[40]; }
  static final ArrayList<Ticket> OPEN = new ArrayList<>();
  public static void main(String[] outs) throws Exception {
    var bean = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
    for (String out : outs) {
      for (int n = 0; n < 3000; n++) OPEN.add(new Ticket());
      bean.dumpHeap(out, true);
    }
  }
}
"""

_GO = """
package main

import (
	"os"
	"runtime"
	"runtime/pprof"
)

var tickets [][]byte

//go:noinline
func openTicket() { tickets = append(tickets, make([]byte, 4096)) }

func main() {
	runtime.MemProfileRate = 4096
	for at, out := range os.Args[1:] {
		kind := "heap"
		if at == 2 {
			kind = "goroutine"
		}
		for n := 0; n < 3000; n++ {
			openTicket()
		}
		runtime.GC()
		file, _ := os.Create(out)
		pprof.Lookup(kind).WriteTo(file, 0)
		file.Close()
	}
}
"""

_PYTHON = """
import sys, tracemalloc
tracemalloc.start(10)
tickets = []
def open_ticket(n):
    tickets.append(bytearray(4096 + n))
for out in sys.argv[1:]:
    for n in range(3000):
        open_ticket(n)
    tracemalloc.take_snapshot().dump(out)
"""


def node(folder: Path, executable: str) -> list[Path]:
    """Two heap snapshots of one Node.js program."""
    return _written(folder, ("node-1.heapsnapshot", "node-2.heapsnapshot"), "hold.cjs", _NODE, executable)


def java(folder: Path, executable: str) -> list[Path]:
    """Two .hprof of one JVM."""
    return _written(folder, ("java-1.hprof", "java-2.hprof"), "Hold.java", _JAVA, executable)


def go(folder: Path, executable: str) -> list[Path]:
    """Two pprof heap profiles of one Go program, and its goroutines."""
    return _written(folder, ("go-1.pb.gz", "go-2.pb.gz", "go-goroutines.pb.gz"), "hold.go", _GO, executable, "run")


def python(folder: Path) -> list[Path]:
    """Two tracemalloc snapshots of one CPython program."""
    return _written(folder, ("python-1.tm", "python-2.tm"), "hold.py", _PYTHON, sys.executable)


def _written(folder: Path, names: tuple[str, ...], script: str, source: str, *command: str) -> list[Path]:
    (folder / script).write_text(source.replace("SECRET", SECRET))
    outs = [folder / name for name in names]
    environment = {**os.environ, "GOFLAGS": "-mod=mod", "GO111MODULE": "auto"}
    subprocess.run(
        [*command, str(folder / script), *map(str, outs)], check=True, capture_output=True, timeout=300, env=environment
    )
    return outs
