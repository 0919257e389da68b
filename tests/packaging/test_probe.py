"""What `pip install caulk-probe` gives: a variable starts it in every Python, and without the variable it is silent."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROBE = Path(__file__).resolve().parents[2] / "probe"
SAY = (
    "import os, sys; print('caulk_probe.control' in sys.modules, os.path.exists(f'/tmp/.caulk_probe_pid{os.getpid()}'))"
)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a virtual environment that has the probe, built and installed for real."""
    folder = tmp_path_factory.mktemp("probe")
    shutil.copytree(PROBE, folder / "probe", ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    made = folder / "venv/bin/python"
    subprocess.run([made, "-m", "pip", "install", "-q", folder / "probe"], check=True)
    return made


@pytest.mark.parametrize(("value", "starts"), [("1", True), ("0", False), ("", False), (None, False)])
def test_a_variable_starts_it(python: Path, value: str | None, starts: bool):
    told = {"CAULK_PROBE": value} if value is not None else {}
    environ = {name: each for name, each in os.environ.items() if name not in ("CAULK_PROBE", "PYTHONPATH")}
    ran = subprocess.run([python, "-c", SAY], env=environ | told, capture_output=True, text=True, check=True)
    assert (ran.stdout, ran.stderr) == (f"{starts} {starts}\n", "")


def test_a_program_that_is_started_so_leaves_nothing(python: Path):
    environ = {**os.environ, "CAULK_PROBE": "1"}
    ran = subprocess.run(
        [python, "-c", "import os; print(os.getpid())"], env=environ, capture_output=True, text=True, check=True
    )
    assert not Path(f"/tmp/.caulk_probe_pid{ran.stdout.strip()}").exists()
