"""What is said of real programs that were recorded, of each runtime, leaking and not."""

import json
from pathlib import Path

import pytest

from caulk.analysis.trend.pool import judge
from caulk.formats import series

RECORDINGS = Path(__file__).parents[2] / "bench/detect/recordings"
TRUTH = json.loads((RECORDINGS / "index.json").read_text())


def said(name):
    (one,) = judge(series.read(str(RECORDINGS / f"{name}.csv.gz"), warn=print), limit=TRUTH[name]["limit"])
    return one


#: These grew by as much as a leak, and as evenly, for most of the three days and a half: memory alone does not tell.
_ALIKE = {"cpython-cycles", "cpython-imports", "node-cache", "node-jit"}
HEALTHY = [name for name, truth in TRUTH.items() if not truth["is_leak"] and name not in _ALIKE]


@pytest.mark.parametrize("name", ["go-leak", "cpython-native", "c-leak", "c-leak-recycled"])
def test_a_program_that_leaked_is_leaking(name):
    assert TRUTH[name]["is_leak"]
    assert said(name).state == "leaking"


@pytest.mark.parametrize("name", HEALTHY)
def test_a_program_that_did_not_leak_is_not_leaking(name):
    assert said(name).state != "leaking"
