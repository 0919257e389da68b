"""`caulk dashboards`: what it writes, and what it says to those who ask for something else."""

import json
from pathlib import Path

import pytest

from caulk.cli import carry_out
from caulk.dashboards.catalog import DASHBOARDS


def test_without_a_place_to_write_dashboards_are_listed(capsys):
    assert carry_out(["dashboards"]) == 0
    out = capsys.readouterr().out
    assert all(dashboard.name in out for dashboard in DASHBOARDS)


def test_each_dashboard_becomes_a_file_and_the_same_bytes_each_time(tmp_path):
    for folder in ("a", "b"):
        assert carry_out(["dashboards", "--out", str(tmp_path / folder)]) == 0
    files = sorted((tmp_path / "a").iterdir())
    assert [file.name for file in files] == sorted(f"caulk-{dashboard.name}.json" for dashboard in DASHBOARDS)
    assert all(file.read_bytes() == (tmp_path / "b" / file.name).read_bytes() for file in files)


def test_one_dashboard_goes_to_stdout(capsys):
    assert carry_out(["dashboards", "jvm", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["uid"] == "caulk-jvm"


def test_configmaps_of_several_are_one_stream(capsys):
    assert carry_out(["dashboards", "jvm", "go", "-o", "configmap"]) == 0
    assert capsys.readouterr().out.count("kind: ConfigMap") == 2


def test_each_prefix_has_a_dashboard(tmp_path):
    arguments = ["--prefix", "datastore", "--prefix", "indexer_", "--out", str(tmp_path)]
    assert carry_out(["dashboards", "component", *arguments]) == 0
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == ["caulk-component-datastore.json", "caulk-component-indexer.json"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["jmv", "-o", "json"], "there is no dashboard 'jmv'"),
        (["-o", "json"], "too many for one JSON"),
        (["go", "--prefix", "datastore", "-o", "json"], "--prefix is for the dashboard"),
        (["component", "--prefix", 'a"}', "-o", "json"], "no prefix of metrics"),
        (["go", "--pod-label", "pod name", "-o", "json"], "no name of a label"),
        (["go", "--out", "/dev/null/x"], "Not a directory"),
    ],
)
def test_what_cannot_be_is_said_with_what_to_do(arguments, said, capsys):
    assert carry_out(["dashboards", *arguments]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert len(err.splitlines()) > 1


def test_the_manual_says_what_each_panel_tells(capsys):
    assert carry_out(["dashboards", "-o", "markdown"]) == 0
    page = (Path(__file__).parents[2] / "docs" / "dashboards.md").read_text(encoding="utf-8")
    assert page.endswith(capsys.readouterr().out), "caulk dashboards -o markdown gives the end of docs/dashboards.md"
