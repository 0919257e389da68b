"""Programs of the runtimes that are captured."""

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import jvms
import pytest


@pytest.fixture(scope="session")
def classes(require: Callable[[str], str]) -> Iterator[Path]:
    """The directory of `Holder`, which every user may read: not below that of pytest."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as made:
        folder = Path(made)
        folder.chmod(0o755)
        (folder / "Holder.java").write_text(jvms.SOURCE)
        subprocess.run([require("javac"), "-d", folder, folder / "Holder.java"], check=True)
        yield folder
