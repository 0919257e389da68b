"""promtool, which evaluates rules as Prometheus does.

Tests: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from caulk.model.errors import CaulkError, UsageError

_TIMEOUT_S = 600
_HOUR = 3600
_FIRING = 'ALERTS{alertstate="firing"}'
_HINT = "apt install prometheus, or put promtool of a release of Prometheus in PATH (or give --promtool)."
_SAMPLE = re.compile(r'\{alertname="((?:[^"\\]|\\.)*)"\} ([-+0-9.Ee]+)')


def find(wanted: str) -> str:
    """The path of promtool. Raises UsageError where there is none."""
    path = shutil.which(wanted or "promtool")
    if path is None:
        raise UsageError(f"{wanted or 'promtool'} is not on this machine", hint=_HINT)
    return path


def fired(
    promtool: str,
    rules: Path,
    series: Sequence[tuple[str, str]],
    *,
    number: int,
    step: float,
    interval: float,
    seconds: float,
) -> dict[str, tuple[float, float]]:
    """Alerts that fire on these series: when first, in seconds from the begin, and for how many in all.

    Test `number` is written that expects nothing, in the directory of `rules`; promtool says what it got instead.
    It is asked hour by hour, since it loads no more than 10,000 samples for a question.
    """
    window = f"[{_HOUR - int(interval)}s:{int(interval)}s]"
    first = f"min by (alertname) (min_over_time(timestamp({_FIRING}){window}))"
    often = f"max by (alertname) (count_over_time((count by (alertname) ({_FIRING})){window}))"
    test = {
        "rule_files": [rules.name],
        "evaluation_interval": f"{int(interval)}s",
        "tests": [
            {
                "interval": f"{int(step)}s",
                "input_series": [{"series": name, "values": values} for name, values in series],
                "promql_expr_test": [
                    {"expr": expr, "eval_time": f"{at}s", "exp_samples": []}
                    for at in range(_HOUR, int(seconds) + 1, _HOUR)
                    for expr in (first, often)
                ],
            }
        ],
    }
    began: dict[str, float] = {}
    lasted: dict[str, float] = {}
    for expr, alert, value in _ask(promtool, rules.with_name(f"replay-{number}.yml"), test):
        if expr == first:
            began.setdefault(alert, value)
        else:
            lasted[alert] = lasted.get(alert, 0.0) + value * interval
    return {alert: (began[alert], lasted[alert]) for alert in sorted(began)}


def _ask(promtool: str, file: Path, test: dict[str, Any]) -> Iterator[tuple[str, str, float]]:
    """What promtool got instead of nothing, in the order it was asked: the expression, the alert, the value."""
    # JSON is YAML, and much faster to write.
    file.write_bytes(msgspec.json.encode(test))
    try:
        done = subprocess.run(
            [promtool, "test", "rules", file.name],
            cwd=file.parent,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CaulkError(f"promtool has not ended after {_TIMEOUT_S} s", hint="Replay fewer rules at once.") from None
    said = done.stdout + done.stderr
    blocks = said.split("    expr: ")[1:]
    if done.returncode and (not blocks or " err: " in said):
        raise UsageError(f"promtool cannot evaluate these rules: {' '.join(said.split())[:500]}", hint=_HINT)
    for block in blocks:
        quoted, _, rest = block.partition(", time: ")
        for name, value in _SAMPLE.findall(rest.partition("got:")[2]):
            yield quoted.strip().strip('"').replace('\\"', '"'), name, float(value)
