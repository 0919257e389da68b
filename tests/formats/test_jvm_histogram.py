"""Class histograms of the JVM: one frame a class, named as Java's source names it."""

import subprocess

import pytest
from readable import rows, stacks
from samples import HISTOGRAM

from caulk.formats import jvm_histogram, read
from caulk.model.errors import MalformedDump
from caulk.model.measure import Measure

PROGRAM = """
public class Hold {
    static class Ticket { long a, b; }
    static Ticket[] tickets = new Ticket[1000];
    static int[][] grid = new int[77][3];
    public static void main(String[] args) throws Exception {
        for (int i = 0; i < tickets.length; i++) tickets[i] = new Ticket();
        System.out.println("ready");
        System.in.read();
    }
}
"""


def test_rows_are_classes_with_bytes_and_instances():
    profile = jvm_histogram.read(HISTOGRAM)
    assert rows(profile) == [
        ((("byte[]", "java.base@17.0.15", 0),), (), (1069432, 14936)),
        ((("com.example.Book$Ticket", "", 0),), (), (800, 10)),
        ((("com.example.Book$Ticket[]", "", 0),), (), (64, 2)),
        ((("int[][]", "java.base@17.0.15", 0),), (), (32, 1)),
    ]
    assert profile.measures == (Measure("live", "bytes"), Measure("instances", "count"))
    assert (profile.kind, profile.runtime, profile.coverage, profile.warnings) == ("histogram", "jvm", 1.0, ())


@pytest.mark.parametrize(
    ("name", "readable"),
    [
        ("[Z", "boolean[]"),
        ("[[[J", "long[][][]"),
        ("[[Lcom.x.Y;", "com.x.Y[][]"),
        ("com.x.Y", "com.x.Y"),
        ("App$$Lambda$14/0x00007f2c4c001000", "App$$Lambda$14/0x00007f2c4c001000"),
        ("<constMethodKlass>", "<constMethodKlass>"),
    ],
)
def test_class_names_are_made_readable(name, readable):
    table = HISTOGRAM[: HISTOGRAM.index(b"   1:")] + f"   1:   2   48  {name}\nTotal   2   48\n".encode()
    assert stacks(jvm_histogram.read(table)) == {(readable,): 48}


def test_the_heading_may_have_no_module_and_no_process_before_it():
    old = HISTOGRAM.replace(b" (module)", b"").replace(b"4711:\n", b"").replace(b" (java.base@17.0.15)", b"")
    assert jvm_histogram.sniff(old)
    assert jvm_histogram.read(old).tree.total(0) == 1070328


def test_without_its_total_a_histogram_is_a_part():
    profile = jvm_histogram.read(HISTOGRAM[: HISTOGRAM.index(b"   3:")])
    assert profile.tree.total(0) == 1070232
    assert "no total" in profile.warnings[0]


def test_rows_that_are_missing_show_in_the_coverage():
    profile = jvm_histogram.read(HISTOGRAM.replace(b"   2:            10", b"   2:            ??"))
    assert profile.coverage == (1070328 - 800) / 1070328
    assert "make no sense" in profile.warnings[1]


def test_a_heading_alone_is_an_error():
    with pytest.raises(MalformedDump, match="without a class"):
        jvm_histogram.read(HISTOGRAM[: HISTOGRAM.index(b"   1:")])


def test_the_histograms_of_a_real_jvm_are_read_to_the_byte(java, require, tmp_path):
    jcmd, jmap = require("jcmd"), require("jmap")
    (tmp_path / "Hold.java").write_text(PROGRAM)
    with subprocess.Popen(
        [java, str(tmp_path / "Hold.java")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        try:
            assert program.stdout and program.stdout.readline() == "ready\n"
            for name, command in (
                ("jcmd", [jcmd, str(program.pid), "GC.class_histogram"]),
                ("jmap", [jmap, "-histo:live", str(program.pid)]),
            ):
                text = subprocess.run(command, capture_output=True, check=True).stdout
                (tmp_path / name).write_bytes(text)
                profile = read(str(tmp_path / name))
                instances, size = text.split()[-2:]
                assert (profile.tree.total(1), profile.tree.total(0)) == (int(instances), int(size))
                assert profile.format == "jvm-histogram"
                assert stacks(profile, 1)[("Hold$Ticket",)] == 1000
                assert stacks(profile, 1)[("Hold$Ticket[]",)] == 1
                assert stacks(profile, 1)[("int[][]",)] >= 1
                assert profile.warnings == ()
        finally:
            program.kill()
