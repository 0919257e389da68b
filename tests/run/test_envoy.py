"""The real Envoy, holding requests that never end: its heap is taken over its admin interface, and judged."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from awaiting import PATIENCE_S, reserved_ports

from caulk.analysis.analyse import analyse
from caulk.analysis.dumps import Dump
from caulk.formats import read
from holding_envoy import CONFIG, binary

#: Starts Envoy, then sends requests whose bodies never end, which Envoy keeps until they are whole: 75 MB and more,
#: until profiles of that have been taken.
PROGRAM = """
import os, pathlib, socket, subprocess, sys, threading, time
envoy, config, port, upstream = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
kept, server = [], socket.create_server(("127.0.0.1", upstream), backlog=1024)
def accept():
    while True:
        kept.append(server.accept()[0])
threading.Thread(target=accept, daemon=True).start()
proxy = subprocess.Popen([envoy, "-c", config, "--use-dynamic-base-id", "--concurrency", "1", "--log-level", "off"])
while proxy.poll() is None:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
        break
    except OSError:
        time.sleep(0.05)
workspace, sent = pathlib.Path(os.environ["CAULK_RUN_WORKSPACE"]), 0
while sent < 250 or len(list(workspace.glob("*.pb.gz"))) < 8:
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall(b"POST / HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 900000\\r\\n\\r\\n" + b"x" * 300000)
    kept.append(client)
    sent += 1
    time.sleep(0.02)
proxy.terminate()
proxy.wait()
"""


@pytest.fixture
def envoy() -> Path:
    return binary()


def test_envoys_growth_is_taken_over_its_admin_interface_and_judged(envoy, tmp_path):
    config, program, report = tmp_path / "envoy.yaml", tmp_path / "hold.py", tmp_path / "report.json"
    program.write_text(PROGRAM)
    with reserved_ports(3) as [admin, port, upstream]:
        config.write_text(CONFIG.format(admin=admin, port=port, upstream=upstream))
        command = [sys.executable, "-I", program, envoy, config, port, upstream]
        caulk = [sys.executable, "-m", "caulk", "run", "--out", report, "--keep", tmp_path / "kept"]
        words = [str(word) for word in [*caulk, "--pprof", f"http://127.0.0.1:{admin}", "--", *command]]
        done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    analysis = json.loads(report.read_text())
    assert len(analysis["inputs"]) >= 4
    assert analysis["verdict"]["state"] in ("leaking", "suspect", "warming")
    assert analysis["findings"][0]["growth_bytes"] > 20 << 20
    # tcmalloc samples one allocation in 2 MiB, and its profile does not say so.
    assert analysis["findings"][0]["bytes_error"] > 2 << 20
    assert analysis["smallest_growth_bytes"] > 9 * (2 << 20) * 0.98
    # What is shown is most of what the allocator gave out, or the report would say that the profile is nearly empty.
    assert not any("that the allocator has given out" in note for note in analysis["notes"])
    # The binary is stripped: its frames stay addresses, and the report says what would name them.
    assert analysis["findings"][0]["allocator"].startswith("envoy+0x")
    assert any("symbols are missing" in warning for i in analysis["inputs"] for warning in i["warnings"])
    assert all(i["path"].startswith("envoy-") for i in analysis["inputs"])
    kept = [tmp_path / "kept" / i["path"] for i in analysis["inputs"]]
    assert_the_allocator_is_never_blamed(kept, with_binary=analysis)


def assert_the_allocator_is_never_blamed(profiles: list[Path], *, with_binary: dict) -> None:
    """Neither where the binary shows which code is its allocator's, nor by the profiles alone."""
    alone = [read(str(path)) for path in profiles]
    ends = {profile.tree.frames.function_name(profile.tree.frame[node]) for profile in alone for node in profile.nodes}
    found = analyse([Dump(str(path), profile) for path, profile in zip(profiles, alone, strict=True)])
    for blamed in [f["allocator"] for f in with_binary["findings"]] + [f.allocator for f in found.findings]:
        assert blamed not in ends
    assert found.findings[0].allocator == with_binary["findings"][0]["allocator"]
