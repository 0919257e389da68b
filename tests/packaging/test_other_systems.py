"""On macOS and Windows dumps are read, and containers and pods captured: nothing asks there for what only Linux has."""

import subprocess
import sys

LINUX_ALONE = ("fcntl", "grp", "pwd", "resource", "termios")
SCRIPT = f"""
import importlib, os, pkgutil, socket, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name in {LINUX_ALONE!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

for name in {LINUX_ALONE!r}:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Blocked())
for name in ("O_PATH", "O_DIRECTORY", "O_CLOEXEC", "O_NOFOLLOW"):
    delattr(os, name)
import caulk
wanted = [m.name for m in pkgutil.walk_packages(caulk.__path__, "caulk.")]
# memray itself is not on Windows; its reader is a program of its own.
left_out = ("places.local", "runtimes", "run", "cli.run", "cli.status", "__main__", "formats.memray_reader")
left_out = tuple("caulk." + name for name in left_out)
for name in wanted:
    if not name.startswith(left_out):
        importlib.import_module(name)
assert "caulk.places.local" not in sys.modules
print(len(wanted))
"""


def test_all_but_the_local_place_and_what_runs_programs_is_imported_without_linux():
    ran = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) > 100
