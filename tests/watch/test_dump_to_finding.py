"""A program that dies of its heap leaves a dump of itself: it is taken, and names who leaked, with nobody's help."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from alerting_stack import until

from caulk.model.incident import Incident
from caulk.store.captures import Captures
from caulk.store.incidents import Incidents

PROGRAM = """
const orders = [];
class Order { constructor(n) { this.lines = Array.from({length: 2000}, (_, i) => ({sku: 'sku-' + n + '-' + i})); } }
let n = 0;
setTimeout(function placeOrder() { orders.push(new Order(n++)); setTimeout(placeOrder, 2); }, 4000);
"""


def test_a_dump_that_a_dying_program_left_is_taken_and_names_who_leaked(node, tmp_path, monkeypatch):
    (tmp_path / "orders.js").write_text(PROGRAM)
    (tmp_path / "dumps").mkdir()
    (tmp_path / "caulk.toml").write_text('[watch]\ninterval = "1s"\n[listen]\naddress = ""\n')
    told = f"--max-old-space-size=40 --heapsnapshot-near-heap-limit=1 --diagnostic-dir={tmp_path}/dumps"
    environ = {**os.environ, "CAULK_HOME": str(tmp_path / "home")}
    program = subprocess.Popen([node, *told.split(), "orders.js"], cwd=tmp_path, stderr=subprocess.DEVNULL)
    watch = [sys.executable, "-m", "caulk", "watch", "--config", str(tmp_path / "caulk.toml"), "-o", "json"]
    loop = subprocess.Popen([*watch, f"pid:{program.pid}"], env=environ, stdout=subprocess.DEVNULL)
    try:
        assert program.wait(60) == -signal.SIGABRT
        store = until(lambda: opened(tmp_path / "home"), "the first incident", 150)
        incident = until(
            lambda: next((i for i in store.find() if i.rule == "dump" and i.findings), None), "a finding", 150
        )
        store.dispose()
    finally:
        program.kill()
        loop.terminate()
        loop.wait(30)
    (entry,) = Captures(tmp_path / "home/captures").all()
    assert incident.captures == (entry.manifest.id,)
    assert (entry.manifest.method, entry.manifest.format) == ("appeared", "heapsnapshot")
    assert entry.path.suffix == ".heapsnapshot"
    assert "Order" in json.dumps([finding.title for finding in incident.findings])
    assert [path.suffix for path in (tmp_path / "dumps").iterdir()] == [".heapsnapshot"]


def named(store: Incidents) -> list[Incident]:
    return [incident for incident in store.find() if incident.findings]


def opened(home: Path) -> Incidents | None:
    if not (home / "incidents.db").exists():
        return None
    store = Incidents(f"sqlite:///{home}/incidents.db")
    return store if store.find() else store.dispose()
