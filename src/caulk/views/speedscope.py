"""speedscope files: the JSON that https://www.speedscope.app opens, one sampled profile for each measure.

Schema: https://www.speedscope.app/file-format-schema.json. Deterministic: neither times nor random names.
"""

from typing import Any

import msgspec

from caulk import __version__
from caulk.model.errors import UsageError
from caulk.model.tree import Tree

NAME = "speedscope"

_UNITS = {"bytes", "nanoseconds", "microseconds", "milliseconds", "seconds"}


def render(tree: Tree, active: int = 0) -> bytes:
    """Every stack with its own value; the measure `active` is shown first.

    Raises `UsageError` for values below zero, which speedscope refuses.
    """
    frames = tree.frames
    shared = [_frame(frames.function_name(i), frames.file_name(i), frames.line[i]) for i in range(len(frames))]
    return msgspec.json.encode(
        {
            "$schema": "https://www.speedscope.app/file-format-schema.json",
            "exporter": f"caulk {__version__}",
            "activeProfileIndex": active,
            "shared": {"frames": shared},
            "profiles": [_profile(tree, measure) for measure in range(len(tree.measures))],
        }
    )


def _frame(name: str, file: str, line: int) -> dict[str, Any]:
    frame: dict[str, Any] = {"name": name}
    if file:
        frame["file"] = file
    if line > 0:
        frame["line"] = line
    return frame


def _profile(tree: Tree, measure: int) -> dict[str, Any]:
    column, about = tree.values[measure], tree.measures[measure]
    nodes = [node for node, value in enumerate(column) if value]
    if any(column[node] < 0 for node in nodes):
        raise UsageError(
            f"{about} has values below zero (it is a difference), which speedscope cannot show",
            hint="pprof, folded, html and json can.",
        )
    weights = [column[node] for node in nodes]
    return {
        "type": "sampled",
        "name": str(about),
        "unit": about.unit if about.unit in _UNITS else "none",
        "startValue": 0,
        "endValue": sum(weights),
        "samples": [tree.stack(node) for node in nodes],
        "weights": weights,
    }
