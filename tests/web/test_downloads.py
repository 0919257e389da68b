"""Downloads: answers as files of other tools, under safe names, and with no text that a spreadsheet would run."""

import csv
import gzip
import io
import json
import re
import subprocess

import pytest

from caulk import app
from caulk.model.table import Heading, Table
from caulk.views import csv as view


@pytest.mark.parametrize(
    ("form", "begins"),
    [
        ("json", b"{"),
        ("csv", b"depth,total,own,function,file,line\r\n"),
        ("pprof", b"\x1f\x8b"),
        ("speedscope", b"{"),
        ("folded", b""),
        ("svg", b"<svg"),
    ],
)
def test_stacks_can_be_saved_in_every_form(served, heaps, form, begins):
    answer = served.get(f"/d/{served.show(heaps[1])}/download?tab=flame&form={form}")
    assert answer.status_code == 200
    assert answer.content.startswith(begins)
    assert re.fullmatch(r'attachment; filename="[A-Za-z0-9][A-Za-z0-9._-]+"', answer.headers["Content-Disposition"])


@pytest.mark.parametrize("form", ["pprof", "speedscope", "folded"])
def test_what_was_saved_can_be_read_again(served, python_heaps, tmp_path, form):
    whole = app.load([str(python_heaps[1])])[0].profile
    body = served.get(f"/d/{served.show(python_heaps[1])}/download?form={form}").content
    (tmp_path / "again").write_bytes(body)
    assert app.load([str(tmp_path / "again")])[0].profile.tree.total(0) == whole.total(whole.default_measure)


def test_go_tool_pprof_reads_what_was_saved_of_a_difference(served, go_heaps, go, tmp_path):
    (tmp_path / "grown.pb.gz").write_bytes(served.get(f"/d/{served.show(*go_heaps)}/download?form=pprof").content)
    command = [go, "tool", "pprof", "-top", str(tmp_path / "grown.pb.gz")]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    assert "main.openTicket" in said


def test_a_filter_holds_for_what_is_saved(served, python_heaps):
    ids = served.show(python_heaps[1])
    lines = served.get(f"/d/{ids}/download?form=folded&focus=open_ticket").text.splitlines()
    assert lines
    assert all("open_ticket" in line for line in lines)


def test_a_table_is_saved_as_rows_and_not_as_stacks(served, python_heaps):
    ids = served.show(python_heaps[1])
    rows = list(csv.DictReader(io.StringIO(served.get(f"/d/{ids}/download?tab=top&form=csv").text)))
    shown = served.get(f"/api/d/{ids}/top").json()["rows"]
    assert [int(row["flat"]) for row in rows] == [row["flat"] for row in shown]
    refused = served.get(f"/d/{ids}/download?tab=top&form=pprof")
    assert refused.status_code == 400
    assert "no stacks" in refused.json()["what"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "=cmd|' /C calc'!A0"])
def test_no_text_is_a_formula(text):
    table = Table("t", (Heading("name", "name"), Heading("grown", "grown", "bytes", signed=True)), [(text, -5)])
    (_, (name, grown)) = csv.reader(io.StringIO(view.render(table)))
    assert not name.startswith(("=", "+", "-", "@"))
    assert grown == "-5"


@pytest.mark.parametrize("name", ['a"; filename="b', "a\r\nSet-Cookie: x=1", "../../x", "é" * 300, "...", ""])
def test_the_name_of_a_download_is_a_safe_one(served, python_heaps, name):
    number = served.site.dumps.add(python_heaps[0], name=name)
    header = served.get(f"/d/{number}/download?tab=top&form=json").headers["Content-Disposition"]
    assert re.fullmatch(r'attachment; filename="[A-Za-z0-9][A-Za-z0-9._-]*\.json"', header)
    assert len(header) < 200


def test_what_goes_over_a_network_is_compressed_and_what_stays_here_is_not(served, java_heaps):
    at = f"/api/d/{served.show(java_heaps[0])}/types"
    near = served.get(at)
    far = served.browser.get(at, headers={"X-Forwarded-For": "203.0.113.9"})
    assert "Content-Encoding" not in near.headers
    assert far.headers["Content-Encoding"] == "gzip"
    assert int(far.headers["Content-Length"]) < len(near.content)
    assert far.content == near.content


def test_a_dump_that_cannot_be_read_says_so_instead_of_a_file(served, tmp_path):
    (tmp_path / "no.pb.gz").write_bytes(gzip.compress(b"nothing"))
    answer = served.get(f"/d/{served.show(tmp_path / 'no.pb.gz')}/download?form=json")
    assert answer.status_code == 422
    assert json.loads(answer.text)["schema"] == "caulk.error/1"
