"""`make demo` keeps its promise: every real program that it runs leaks, and caulk finds where."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def line_of(file: str, text: str) -> str:
    """The last line of one of the demo's programs that has `text`, as `file:line`."""
    lines = (ROOT / "demo/programs" / file).read_text().splitlines()
    return f"{file}:{max(number for number, line in enumerate(lines, 1) if text in line)}"


@pytest.mark.usefixtures("go", "node", "java", "gcc")
def test_the_demo_finds_the_leak_of_every_runtime_and_writes_a_page_that_loads_nothing(tmp_path):
    ran = subprocess.run([sys.executable, ROOT / "demo/run"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert len(re.findall(r"^\S.* named ", ran.stdout, re.MULTILINE)) == 5, ran.stdout
    # Who makes it, at which line where the runtime tells, and the field or variable that keeps it.
    held = dict(re.findall(r"^(\S+) +named: (.*)$", ran.stdout, re.MULTILINE))
    assert set(held) == {"CPython", "Node.js", "JVM"}, ran.stdout
    archived, watched = line_of("orders.py", "Closed("), line_of("orders.mjs", "function watchPrices")
    assert held["CPython"] == f"`archive_order` ({archived}) makes it, `__main__.archive` keeps it"
    assert held["Node.js"] == f"`watchPrices` ({watched}) makes it, `variable market` keeps it"
    assert held["JVM"] == "a `Orders$Ticket`, `Orders.OPEN` keeps it"
    # A stripped program's function is not named: saying so would be a lie.
    assert re.findall(r"^Envoy +envoy\+0x[0-9a-f]+ +located ", ran.stdout, re.MULTILINE), ran.stdout
    pages = [tmp_path / path for path in re.findall(r"out/demo/\S+\.html$", ran.stdout, re.MULTILINE)]
    assert len(set(pages)) == 6
    for page in pages:
        assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", page.read_text())


def test_the_demo_names_what_is_missing_and_runs_the_rest(tmp_path):
    ran = subprocess.run(
        [sys.executable, ROOT / "demo/run"],
        cwd=tmp_path,
        env={"PATH": str(tmp_path), "HOME": str(tmp_path), "DEMO_SECONDS": "10"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    for missing in ("Go: go is", "Node.js: node is", "JVM: javac is"):
        assert f"{missing} not on this machine" in ran.stdout
    assert "C++: g++ is not on this machine (apt-get install g++ libjemalloc2)" in ran.stdout
    assert re.search(r"^CPython +archive_order +named ", ran.stdout, re.MULTILINE)
    assert "`__main__.archive` keeps it" in ran.stdout
