"""Programs with a token in every place where a program has data, and how to look for it in files and answers."""

import gzip
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from caulk import app
from caulk.model.errors import UsageError
from caulk.reports import REPORTS, Question

PROBE = Path(__file__).resolve().parents[2] / "probe/src"
#: Nothing that is found by accident; where only names of identifiers fit, it stands alone.
TOKEN = "Xq7Planted"
NUMBER = 7_304_420_017_123

JAVA = """
package com.example;
import java.lang.management.ManagementFactory;
import java.util.*;
public class Planted {
  static String FIELD = "Xq7Planted static field";
  static long NUMBER = 7304420017123L;
  static Planted LAST;
  String field = new StringBuilder("Xq7Planted").append(" built").toString();
  String wide = field + "\\u2603";
  char[] chars = "Xq7Planted chars".toCharArray();
  byte[] bytes = "Xq7Planted bytes".getBytes();
  long[] numbers = {7304420017123L};
  Long boxed = 7304420017123L;
  long number = 7304420017123L;
  Map<String, Object> map = new HashMap<>();
  Properties properties = new Properties();
  ThreadLocal<String> local = ThreadLocal.withInitial(() -> "Xq7Planted thread local");
  StringBuilder builder = new StringBuilder("Xq7Planted builder");
  public static void main(String[] args) throws Exception {
    LAST = new Planted();
    for (int i = 0; i < 200; i++) LAST.map.put("Xq7Planted key " + i, new int[] {i});
    LAST.properties.setProperty("Xq7Planted property", "Xq7Planted value");
    LAST.local.get();
    LAST.map.put("env", System.getenv());
    LAST.map.put("args", args);
    Thread thread = new Thread(() -> {
      String onStack = "Xq7Planted on the stack" + args.length;
      synchronized (LAST) { try { LAST.wait(); } catch (InterruptedException e) { LAST.field += onStack; } }
    }, "Xq7Planted thread");
    thread.setDaemon(true);
    thread.start();
    while (thread.getState() != Thread.State.WAITING) Thread.onSpinWait();
    ManagementFactory.getPlatformMXBean(com.sun.management.HotSpotDiagnosticMXBean.class).dumpHeap(args[0], true);
  }
}
"""

NODE = """
const { writeHeapSnapshot } = require('node:v8');
class Quote { #hidden = 'Xq7Planted private'; constructor(n) { this.text = 'Xq7Planted quote ' + n; } }
const held = { map: new Map(), set: new Set(), byUser: {}, weak: new WeakMap(), keys: [], handlers: [], sparse: [] };
for (let n = 0; n < 200; n++) {
  held.map.set('Xq7Planted map key ' + n, new Quote(n));
  held.set.add(`Xq7Planted template ${n}`);
  held.byUser['Xq7Planted' + String.fromCharCode(65 + n % 26, 65 + n / 26)] = new Quote(n);
  const key = { name: 'Xq7Planted weak key ' + n };
  held.keys.push(key);
  held.weak.set(key, 'Xq7Planted weak value ' + n);
  const captured = 'Xq7Planted captured ' + n;
  held.handlers.push(function onTick() { return captured; });
}
held.parsed = JSON.parse('{"Xq7PlantedParsed key": {"a": "Xq7Planted deep"}}');
held.sparse[730442001] = { far: true };
held.number = 7304420017123.5;
held.big = 7304420017123n;
held.symbol = Symbol('Xq7Planted symbol');
held.pattern = new RegExp('Xq7Planted.*' + process.argv.length);
held.error = new Error('Xq7Planted message');
held.sliced = ('Xq7Planted ' + 'x'.repeat(100)).slice(0, 60);
held.evaluated = eval('(function named() { return "Xq7Planted source"; })');
held.url = new URL('https://example.org/?Xq7Planted');
held.argv = process.argv;
held.env = { ...process.env };
globalThis.held = held;
import('data:text/javascript,export const f = () => "Xq7Planted module"').then((module) => {
  held.module = module;
  writeHeapSnapshot(process.argv[2], { exposeNumericValues: true });
  process.exit(0);
});
"""

PYTHON = """
import os, sys, threading, tracemalloc
tracemalloc.start(5)
import caulk_probe.dumper as dumper
class Session:
    def __init__(self, n):
        self.text = f'Xq7Planted attribute {n}'
TABLE = {f'Xq7Planted key {n}': Session(n) for n in range(200)}
NAMES = {f'Xq7Planted{chr(65 + n)}': n for n in range(26)}
NUMBER = 7304420017123
RAW = b'Xq7Planted bytes'
SET = {'Xq7Planted member'}
def closure():
    captured = 'Xq7Planted captured'
    return lambda: captured
HANDLER = closure()
ready = threading.Event()
def work():
    local = 'Xq7Planted local'
    ready.set()
    threading.Event().wait()
threading.Thread(target=work, name='Xq7Planted thread', daemon=True).start()
ready.wait()
KEPT = sys.argv, dict(os.environ)
dumper.dump(sys.argv[1])
tracemalloc.take_snapshot().dump(sys.argv[2])
os._exit(0)
"""


def java(java: str, javac: str, folder: Path) -> Path:
    """The dump of a JVM."""
    (folder / "Planted.java").write_text(JAVA)
    dump = folder / "planted.hprof"
    subprocess.run([javac, "-d", folder, folder / "Planted.java"], check=True, capture_output=True)
    options = ["-cp", folder, f"-Dsecret={TOKEN}", f"-D{TOKEN}.key=1"]
    _run([java, *options, "com.example.Planted", dump, f"--password={TOKEN}"], f"{TOKEN}_KEY")
    return dump


def node(node: str, folder: Path) -> Path:
    """The snapshot of a Node.js."""
    (folder / "service.cjs").write_text(NODE)
    dump = folder / "planted.heapsnapshot"
    # An object of a few properties is one of the program to V8, wherever their names came from: see docs/redact.md.
    _run([node, folder / "service.cjs", dump, f"--password={TOKEN}"], "ANOTHER_KEY")
    return dump


def python(folder: Path) -> tuple[Path, Path]:
    """The graph and the tracemalloc snapshot of a CPython."""
    (folder / "service.py").write_text(PYTHON)
    graph, snapshot = folder / "planted.cgraph", folder / "planted.tracemalloc"
    _run([sys.executable, folder / "service.py", graph, snapshot, f"--password={TOKEN}"], f"{TOKEN}_KEY")
    return graph, snapshot


def _run(command: list[str | Path], variable: str) -> None:
    environ = {**os.environ, "SECRET": TOKEN, variable: TOKEN, "PYTHONPATH": str(PROBE)}
    subprocess.run(command, check=True, capture_output=True, timeout=120, env=environ)


def found(data: bytes) -> list[bytes]:
    """What is left of the token in bytes: with some bytes around it."""
    forms = [TOKEN.encode(encoding) for encoding in ("ascii", "utf-16-le", "utf-16-be")]
    forms += [NUMBER.to_bytes(8, "big"), NUMBER.to_bytes(8, "little"), str(NUMBER).encode(), b"730442001"]
    places = [data.find(form) for form in forms]
    return [data[max(place - 40, 0) : place + 60] for place in places if place >= 0]


def answers(path: Path, outputs: list[str]) -> dict[tuple[str, str], bytes]:
    """What every question says of a dump, in each output that the answer has."""
    [dump] = app.load([str(path)])
    given = {}
    for row in REPORTS:
        question = Question(
            dumps=[dump] * (2 if row.name == "diff" else 1), pattern="." * (row.name == "paths"), limit=100_000
        )
        for output in outputs:
            with suppress(UsageError):
                _, answer = app.answered(row, question, output)
                data = answer.encode() if isinstance(answer, str) else answer
                given[row.name, output] = gzip.decompress(data) if output == "pprof" else data
    return given
