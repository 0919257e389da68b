"""Captures by the real memray, of small programs."""

import subprocess
import sys
import tempfile
from pathlib import Path


def captured(source: str, *options: str, cwd: Path | None = None) -> bytes:
    """The capture of a Python program; `options` are of `memray run`, which packs it unless told otherwise."""
    with tempfile.TemporaryDirectory() as folder:
        program, capture = Path(folder, "program.py"), Path(folder, "capture.bin")
        program.write_text(source)
        command = [sys.executable, "-m", "memray", "run", "-q", *options, "-o", str(capture), str(program)]
        ran = subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=180, check=False)
        assert capture.is_file(), ran.stderr
        return capture.read_bytes()
