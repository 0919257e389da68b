"""Node.js under `caulk run`: a preloaded agent samples the heap, and V8 dumps it once when it nears its limit.

Switches are set by NODE_OPTIONS (https://nodejs.org/api/cli.html#node_optionsoptions). An option that a Node does not
know kills it there, so only `--require` is set for all; `--diagnostic-dir`, which takes the dump out of the program's
working directory, exists since 14.8 and is set when the `node` of PATH is that new.
The message "Wrote snapshot to ..." on standard error is Node's own.
"""

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

AGENT = Path(__file__).parents[1] / "agents" / "node.cjs"

#: Options that also write into the diagnostic directory, or choose it: theirs is the user's.
_USERS_OWN = re.compile(r"--(diagnostic-dir|cpu-prof|heap-prof|redirect-warnings|heapsnapshot-near-heap-limit)")


def environment(environ: Mapping[str, str], workspace: Path) -> dict[str, str]:
    """NODE_OPTIONS with the agent behind what the user set; the same for any number of processes below."""
    users = environ.get("NODE_OPTIONS", "")
    added = {"NODE_OPTIONS": f"{users} --require {_quoted(str(AGENT))}".lstrip()}
    if not _USERS_OWN.search(users) and _is_new_enough(environ):
        added["NODE_OPTIONS"] += f" --diagnostic-dir={_quoted(str(workspace))}"
        added["CAULK_RUN_NODE_DUMPS"] = "1"
    return added


def recognises(executable: str) -> bool:
    """Whether this is Node by the name of its file."""
    return executable.rpartition("/")[2] in {"node", "nodejs"}


def why_silent(command: Sequence[str]) -> str:
    """Why a Node started like this did not report."""
    if any(argument.startswith(("--permission", "--experimental-permission")) for argument in command):
        return "its permission model forbids the agent"
    return "its NODE_OPTIONS was taken away, or it is older than 12.17"


def _is_new_enough(environ: Mapping[str, str]) -> bool:
    node = shutil.which("node", path=environ.get("PATH"))
    if not node:
        return False
    plain = {name: value for name, value in environ.items() if name != "NODE_OPTIONS"}
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, timeout=5, check=False, env=plain).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    version = re.match(rb"v(\d{1,4})\.(\d{1,4})\.", answer)
    return version is not None and (int(version[1]), int(version[2])) >= (14, 8)


def _quoted(path: str) -> str:
    """A word of NODE_OPTIONS: double quotes where there is a space, a backslash before quotes and backslashes."""
    if not re.search(r'[\s"\\]', path):
        return path
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
