"""What alerts see and what they mistake: the published rules and caulk's, by `caulk rules audit --replay`.

    python bench/rules.py > bench/rules.md

Every scenario is scraped each 15 s and evaluated each minute, by promtool.
"""

import sys
from pathlib import Path

from caulk.alerting import documents
from caulk.alerting.replay import judging, promtool
from caulk.alerting.replay.scenarios import SCENARIOS
from caulk.alerting.rule import Group
from caulk.alerting.rules.build import build
from caulk.alerting.rules.thresholds import Thresholds

PUBLISHED = Path(__file__).parents[1] / "tests/alerting/published/memory-leak-alerts.yml"
HEAD = """# What alerts on memory see

Growth alerts of the runbook's published rules, and of `caulk rules` for three sources, on two leaks and seven programs
that do not leak. A time is how long after the leak's begin the first alert fired; a false alarm says for how much of
the time it fired. Made by `bench/rules.py`, evaluated by promtool.

What the published rules see of the slow leak is the noise on it, as they see it in steady memory. The constants of
caulk's rules were chosen with these programs in sight. Its own judgement, which `--source caulk` alarms on, is
measured on series that nobody had looked at: [detect](detect/results.md).
"""


def cell(found: judging.Replay, name: str) -> str:
    """The growth alerts of one scenario in a few words."""
    judged = [each for each in found.outcomes if each.scenario == name and each.verdict != "level"]
    fired = [each for each in judged if each.first_s is not None]
    if judged[0].is_leak:
        return f"after {min(each.first_s for each in fired) / 60:.0f} min" if fired else "**missed**"
    hours = next(each.hours for each in SCENARIOS if each.name == name)
    if not fired:
        return "quiet"
    return f"**false alarm**, {max(each.firing_s for each in fired) / hours / 3600:.0%}"


def main() -> None:
    rules: dict[str, list[Group]] = {"published": documents.read(PUBLISHED.read_text(), name=str(PUBLISHED))}
    for name in ("probe", "kubernetes", "go"):
        rules[f"caulk, {name}"] = build([name], Thresholds())
    found = {}
    for name, groups in rules.items():
        print(name, file=sys.stderr)
        found[name] = judging.replay(groups, tool=promtool.find(""))
    print(HEAD)
    print("| | " + " | ".join(rules) + " |\n|---" * 1 + "|---" * len(rules) + "|")
    for scenario in SCENARIOS:
        print(f"| {scenario.says} | " + " | ".join(cell(each, scenario.name) for each in found.values()) + " |")
    false = [len({each.scenario for each in one.false_alarms}) for one in found.values()]
    print("| leaks missed | " + " | ".join(str(len(one.unheard)) for one in found.values()) + " |")
    print("| programs with false alarms | " + " | ".join(map(str, false)) + " |")


if __name__ == "__main__":
    main()
