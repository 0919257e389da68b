"""From a leak to its name, through a real Prometheus and a real Alertmanager, with nobody's help.

A program in Go leaks and has a `/metrics` page; Prometheus sees it grow, Alertmanager calls caulk, caulk finds which
process answers there, captures it twice, and names the function. Then the program ends, and the incident is closed.
"""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alerting_stack import alertmanager, ask, free_port, prometheus, until

from caulk.store.incidents import Incidents

PROGRAM = """
package main

import (
	"fmt"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime"
	"time"
)

type Ticket struct{ body []byte }

var held []*Ticket

func keepTicket() {
	t := &Ticket{make([]byte, 64<<10)}
	for i := range t.body {
		t.body[i] = 1
	}
	held = append(held, t)
}

func metrics(w http.ResponseWriter, _ *http.Request) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Fprintf(w, "# TYPE go_memstats_heap_alloc_bytes gauge\\ngo_memstats_heap_alloc_bytes %d\\n", m.HeapAlloc)
}

func main() {
	http.HandleFunc("/metrics", metrics)
	go http.ListenAndServe(os.Args[1], nil)
	for {
		keepTicket()
		time.Sleep(20 * time.Millisecond)
	}
}
"""
RULES = """
groups:
- name: memory
  rules:
  - alert: HeapGrows
    expr: deriv(go_memstats_heap_alloc_bytes[3s]) > 1e5
    labels: {severity: critical}
    annotations: {summary: the heap grows}
"""
CONFIG = """
[watch]
interval = "1s"
[[rules]]
name = "alert"
trigger = {alert = "Heap*"}
actions = [{do = "capture"}, {do = "capture", grown = "5%"}, {do = "analyse"}]
"""


@pytest.fixture(scope="module")
def leaking(go: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("leaking")
    (folder / "leaking.go").write_text(PROGRAM)
    subprocess.run([go, "build", "-o", "leaking", "leaking.go"], cwd=folder, check=True, timeout=300)
    return folder / "leaking"


@contextmanager
def running(command: list[str], **options: object) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, text=True, **options) as process:
        try:
            yield process
        finally:
            process.terminate()


def test_a_leak_is_alerted_captured_and_named_and_its_end_is_told(leaking, tmp_path, monkeypatch):
    monkeypatch.setenv("CAULK_HOME", str(tmp_path / "home"))
    (tmp_path / "token").write_text("T0")
    port, own = free_port(), free_port()
    (tmp_path / "caulk.toml").write_text(
        f'{CONFIG}\n[listen]\naddress = "127.0.0.1:{own}"\ntoken_file = "{tmp_path}/token"\n'
    )
    scrape = f"- {{job_name: tickets, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}"
    caulk = [sys.executable, "-m", "caulk", "watch", "--config", str(tmp_path / "caulk.toml"), "-o", "json"]
    with running([str(leaking), f"127.0.0.1:{port}"]) as program:
        # A process of its own is watched, so that nothing but the alert leads to the one that leaks.
        watched = [*caulk, f"pid:{program.pid}"]
        said: list[str] = []
        with running(watched, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as loop:
            reader = threading.Thread(target=lambda: said.extend(loop.stderr or ()))
            reader.start()
            until(lambda: any("alerts to" in line for line in said), "the loop's start")
            with (
                alertmanager(tmp_path, f"http://127.0.0.1:{own}/api/v1/alerts", token="T0") as alerts,
                prometheus(tmp_path, RULES, scrape, alerts),
            ):
                store = Incidents(f"sqlite:///{tmp_path}/home/incidents.db")
                incident = until(lambda: next((i for i in store.find() if i.findings), None), "a finding", 150)
                assert ask(f"{alerts}/api/v2/alerts")[0]["labels"]["alertname"] == "HeapGrows"
                program.kill()
                until(lambda: store.get(incident.id).closed_at, "the end of the alert")
                # Alertmanager has told it several times by now.
                assert len(store.find()) == 1
                store.dispose()
        reader.join()
    assert incident.alert.labels["instance"] == f"127.0.0.1:{port}"
    assert len(incident.captures) == 2
    assert incident.verdict.state == "leaking"
    assert "main.keepTicket" in incident.findings[0].title
    assert incident.target.reference == f"pid:{program.pid}"
    assert any("main.keepTicket" in line for line in said)
