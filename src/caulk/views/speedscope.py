"""speedscope files: the JSON that https://www.speedscope.app opens, one sampled profile for each measure.

Schema: https://www.speedscope.app/file-format-schema.json. Deterministic: neither times nor random names.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from caulk import __version__
from caulk.model.errors import UsageError
from caulk.model.measure import Measure
from caulk.model.tree import Tree

NAME = "speedscope"

_UNITS = {"bytes", "nanoseconds", "microseconds", "milliseconds", "seconds"}


def render(tree: Tree, active: int = 0) -> bytes:
    """Every stack with its own value; the measure `active` is shown first.

    Raises `UsageError` for values below zero, which speedscope refuses.
    """
    frames = tree.frames
    samples = [_samples(tree, measure) for measure in range(len(tree.measures))]
    # A filter leaves frames behind that no stack has any more.
    used = sorted({frame for measure in samples for stack in measure[0] for frame in stack})
    place = {frame: at for at, frame in enumerate(used)}
    shared = [_frame(frames.function_name(i), frames.file_name(i), frames.line[i]) for i in used]
    return msgspec.json.encode(
        {
            "$schema": "https://www.speedscope.app/file-format-schema.json",
            "exporter": f"caulk {__version__}",
            "activeProfileIndex": active,
            "shared": {"frames": shared},
            "profiles": [_profile(about, *found, place) for about, found in zip(tree.measures, samples, strict=True)],
        }
    )


def _frame(name: str, file: str, line: int) -> dict[str, Any]:
    frame: dict[str, Any] = {"name": name}
    if file:
        frame["file"] = file
    if line > 0:
        frame["line"] = line
    return frame


def _samples(tree: Tree, measure: int) -> tuple[list[list[int]], list[int]]:
    """The stacks that have a value, and these."""
    column = tree.values[measure]
    nodes = [node for node, value in enumerate(column) if value]
    if any(column[node] < 0 for node in nodes):
        raise UsageError(
            f"{tree.measures[measure]} has values below zero (it is a difference), which speedscope cannot show",
            hint="pprof, folded, html and json can.",
        )
    return [list(tree.stack(node)) for node in nodes], [column[node] for node in nodes]


def _profile(
    about: Measure, stacks: Sequence[Sequence[int]], weights: Sequence[int], place: Mapping[int, int]
) -> dict[str, Any]:
    return {
        "type": "sampled",
        "name": str(about),
        "unit": about.unit if about.unit in _UNITS else "none",
        "startValue": 0,
        "endValue": sum(weights),
        "samples": [[place[frame] for frame in stack] for stack in stacks],
        "weights": weights,
    }
