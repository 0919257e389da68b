import json
import sys
from pathlib import Path

import cyclopts
import yaml

from caulk.cli import carry_out

PUBLISHED = str(Path(__file__).parents[1] / "alerting" / "published" / "memory-leak-alerts.yml")
MB = 1 << 20


def test_rules_are_written_in_the_form_that_is_asked_for(capsys, tmp_path):
    assert carry_out(["rules", "--source", "go", "--label", "team=shop", "--growth-warning", "20M"]) == 0
    (_, alerts) = yaml.safe_load(capsys.readouterr().out)["groups"]
    assert all(rule["labels"]["team"] == "shop" for rule in alerts["rules"])
    assert f"> {20 * MB}" in alerts["rules"][0]["expr"]
    out = tmp_path / "rule.yml"
    assert carry_out(["rules", "--as", "operator", "--name", "memory", "--out", str(out)]) == 0
    assert yaml.safe_load(out.read_text())["kind"] == "PrometheusRule"
    assert yaml.safe_load(out.read_text())["metadata"]["name"] == "memory"


def test_scrape_jobs_are_written(capsys):
    assert carry_out(["rules", "scrape", "a=h:1", "--user", "m", "--password-file", "/run/p"]) == 0
    (job,) = yaml.safe_load(capsys.readouterr().out)["scrape_configs"]
    assert job["basic_auth"] == {"username": "m", "password_file": "/run/p"}


def test_an_audit_exits_with_1_where_there_are_errors(capsys):
    assert carry_out(["rules", "audit", PUBLISHED]) == 1
    assert "rate() is for counters" in capsys.readouterr().out
    assert carry_out(["rules", "audit", PUBLISHED, "--exit-zero", "-o", "json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["schema"] == "caulk.rules-audit/1"
    assert {each["check"] for each in record["remarks"]} >= {"rate-on-gauge", "per-second", "page-cache", "units"}


def test_what_caulk_writes_passes_its_audit(capsys, tmp_path):
    out = tmp_path / "caulk.yml"
    assert carry_out(["rules", "--out", str(out)]) == 0
    assert carry_out(["rules", "audit", str(out)]) == 0
    assert capsys.readouterr().out.startswith("0 errors, 0 warnings")


def test_a_replay_tells_which_leak_nobody_sees(capsys, require):
    require("promtool")
    assert carry_out(["rules", "audit", PUBLISHED, "--replay", "--scenario", "leak-500", "-o", "json"]) == 1
    record = json.loads(capsys.readouterr().out)["replay"]
    assert record["unheard"] == ["leak-500"]
    assert {each["verdict"] for each in record["outcomes"] if each["alert"] == "CriticalMemoryGrowthRate"} == {"silent"}


def test_a_replay_of_recorded_readings_is_held_to_their_judgement(capsys, require, tmp_path):
    require("promtool")
    file, rules = tmp_path / "memory.csv", tmp_path / "caulk.yml"
    rows = [f"{1_760_000_000 + 60 * i},{(200 + 3 * i) * MB},leaky" for i in range(360)]
    file.write_text("time,bytes,series\n" + "\n".join(rows) + "\n")
    assert carry_out(["rules", "--source", "process", "--out", str(rules)]) == 0
    assert carry_out(["rules", "audit", str(rules), "--series", str(file), "-o", "json"]) == 0
    outcomes = json.loads(capsys.readouterr().out)["replay"]["outcomes"]
    caught = {each["alert"] for each in outcomes if each["verdict"] == "caught"}
    assert {each["is_leak"] for each in outcomes} == {True}
    assert "CriticalMemoryGrowthRate" in caught


def test_what_cannot_be_done_is_said(capsys, tmp_path):
    for arguments, says in (
        (["rules", "--source", "ruby"], "no source is called ruby"),
        (["rules", "--label", "team"], "--label team is no NAME=VALUE"),
        (["rules", "--growth-warning", "much"], "is not a size"),
        (["rules", "--over-critical", "2s"], "too short"),
        (["rules", "--out", str(tmp_path / "no" / "file")], "cannot be written"),
        (["rules", "audit", str(tmp_path / "none.yml")], "cannot be read"),
        (["rules", "audit", PUBLISHED, "--replay", "--scenario", "nope"], "no scenario is called nope"),
        (["rules", "audit", PUBLISHED, "--replay", "--promtool", "/no/promtool"], "is not on this machine"),
    ):
        assert carry_out(arguments) == 2, arguments
        assert says in capsys.readouterr().err


def test_what_is_not_installed_is_said(capsys, monkeypatch):
    for module in ("yaml", "promql_parser"):
        with monkeypatch.context() as patched:
            for name in [each for each in sys.modules if each.startswith(("caulk.alerting", "caulk.cli.rules"))]:
                patched.delitem(sys.modules, name)
            patched.setitem(sys.modules, module, None)
            patched.setattr("caulk.cli.app", fresh_app())
            assert carry_out(["rules"]) == 2
        assert f"rules need {module}, which is not installed" in capsys.readouterr().err


def fresh_app():
    """The command line as at its start: nothing of it has been imported yet."""
    app = cyclopts.App(result_action="return_value")
    app.command("caulk.cli.rules:app", name="rules")
    return app
