"""The Pythons of other versions that this machine has: commands that import `leak` and know the probe.

Found on PATH, under pyenv and under uv; and CPython as WebAssembly, where `CAULK_PYODIDE` is the folder of the npm
package `pyodide` (its version 314 is Python 3.14): 32 bits, no threads, no fork.
"""

import os
import shutil
import subprocess
import sys
from itertools import chain
from pathlib import Path

SAY = "import sys, os; print(*sys.version_info[:2], hasattr(sys, '_is_gil_enabled') and not sys._is_gil_enabled())"
IMPORT = ("-c", "import leak")
WASM = Path(__file__).with_name("pyodide.mjs")


def found() -> dict[str, tuple[str, ...]]:
    """The command of one Python for each version but this one, by a name such as `3.13`."""
    known: dict[str, tuple[str, ...]] = {}
    for path in _candidates():
        version = _version(path)
        if version is not None and version != "{}.{}".format(*sys.version_info[:2]):
            known.setdefault(version, (path, *IMPORT))
    folder, node = os.environ.get("CAULK_PYODIDE"), shutil.which("node")
    if folder and node:
        known["wasm"] = (node, str(WASM), folder)
    return known


def _candidates() -> list[str]:
    home = Path.home()
    on_path = (shutil.which(f"python3.{minor}") for minor in range(9, 16))
    roots = (Path(os.environ.get("PYENV_ROOT", home / ".pyenv")) / "versions", home / ".local/share/uv/python")
    installed = chain.from_iterable(sorted(root.glob("*/bin/python3")) for root in roots)
    return [*filter(None, on_path), *map(str, installed)]


def _version(path: str) -> str | None:
    """`3.13`, or `3.13t` where it runs without the interpreter lock; None if it is too old, or does not start."""
    said = subprocess.run([path, "-c", SAY], capture_output=True, text=True, check=False).stdout.split()
    if len(said) != 3 or (int(said[0]), int(said[1])) < (3, 9):
        return None
    return f"{said[0]}.{said[1]}" + ("t" if said[2] == "True" else "")
