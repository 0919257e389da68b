"""CPython under `caulk run`: an agent that `sitecustomize` starts traces allocations with `tracemalloc`.

The interpreter imports `sitecustomize` from PYTHONPATH before the program (https://docs.python.org/3/library/site.html),
so a shell, a launcher, a virtual environment or a pool of workers between caulk and the program makes no difference.
Every allocation is traced, with 16 frames: memory for the traces and, for code that mostly allocates, two to four
times the run time.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

#: What the agent calls itself where memray records.
RECORDED = "memray"
RECORDING = ".memray"
NOT_RECORDED = "memray cannot be imported there (pip install memray into its environment)"
SUFFIX = ".tracemalloc"
AGENTS = Path(__file__).parents[1] / "agents"

#: Options of the interpreter that hide PYTHONPATH, or `site`, from it.
_DEAF = {"I": "-I ignores PYTHONPATH", "E": "-E ignores PYTHONPATH", "S": "-S skips sitecustomize"}
_WITH_ARGUMENT = {"W", "X", "Q"}


def environment(environ: Mapping[str, str], workspace: Path) -> dict[str, str]:
    """PYTHONPATH with the folder of the agent in front; the agent takes it out of the program's `sys.path` again."""
    rest = environ.get("PYTHONPATH", "")
    return {"PYTHONPATH": f"{AGENTS}{os.pathsep}{rest}" if rest else str(AGENTS)}


def recognises(executable: str) -> bool:
    """Whether this is an interpreter by the name of its file; programs that embed Python report by themselves."""
    name = executable.rpartition("/")[2]
    return (name.startswith("python") and name[6:].replace(".", "").isdigit()) or name == "python"


def why_silent(command: Sequence[str]) -> str:
    """Why an interpreter started like this did not report."""
    for argument in command[1:]:
        if not argument.startswith("-") or argument == "-" or argument.startswith("--"):
            break
        for letter in argument[1:]:
            if letter in _DEAF:
                return _DEAF[letter]
            if letter in _WITH_ARGUMENT or letter in "cm":
                break
        if argument[1] in "cm":
            break
    return "its PYTHONPATH was taken away, or it is older than 3.8"
