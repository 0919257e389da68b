"""Runs the probe's tests with every Python from 3.9 to 3.14 that is here, each with every Django that knows it.

python tests/probe/versions.py [FOLDER]     # virtual environments are made in FOLDER, .venv/probe without one

Pythons are those of PATH, of pyenv and of CAULK_PROBE_PYTHONS (paths, separated by spaces). The tests themselves run in
this Python; the servers, and all of the probe that is in them, in the other.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
#: The first and the last Python of each Django.
DJANGO = {"4.2": (9, 12), "5.2": (10, 14)}
SERVERS = ("gunicorn", "uvicorn", "prometheus-client")


def pythons() -> dict[int, str]:
    """One interpreter for each minor version of Python 3."""
    named = os.environ.get("CAULK_PROBE_PYTHONS", "").split()
    on_path = [found for minor in range(9, 15) if (found := shutil.which(f"python3.{minor}"))]
    pyenv = map(str, sorted((Path.home() / ".pyenv/versions").glob("3.*/bin/python3")))
    found: dict[int, str] = {}
    for each in (*named, *on_path, *pyenv):
        said = subprocess.run(
            [each, "-c", "import sys, venv; print(*sys.version_info[:2])"], check=False, capture_output=True, text=True
        )
        major, _, minor = said.stdout.strip().partition(" ")
        if major == "3" and 9 <= int(minor) <= 14:
            found.setdefault(int(minor), each)
    return found


def main() -> int:
    """Says for each pair how its tests ended."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".venv/probe")
    ended = {}
    for minor, python in sorted(pythons().items()):
        for django, (first, last) in DJANGO.items():
            if not first <= minor <= last:
                continue
            made = folder / f"{minor}-{django}"
            if not made.exists():
                subprocess.run([python, "-m", "venv", made], check=True)
                packages = [f"django=={django}.*", *SERVERS]
                subprocess.run([made / "bin/python", "-m", "pip", "install", "-q", *packages], check=True)
            told = {**os.environ, "CAULK_PROBE_PYTHON": str(made.resolve() / "bin/python")}
            print(f"Python 3.{minor}, Django {django}", flush=True)
            tests = subprocess.run([sys.executable, "-m", "pytest", HERE], env=told, check=False)
            ended[minor, django] = tests.returncode
    for (minor, django), code in ended.items():
        print(f"Python 3.{minor}, Django {django}: {'failed' if code else 'passed'}")
    return max(ended.values(), default=2)


if __name__ == "__main__":
    sys.exit(main())
