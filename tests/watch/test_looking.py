"""What kind of memory an incident is about, by looks at a real program that grows in one kind of it."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from caulk.config.rules import Look
from caulk.model.breakdown import Advice, Breakdown, Slice
from caulk.model.errors import Lacks
from caulk.model.incident import Incident, Moment
from caulk.model.target import Access, Target
from caulk.model.watching import Workload
from caulk.watch.actions import TryAgain
from caulk.watch.looking import Looking
from caulk.watch.steps import step

MIB = 1 << 20
STEP = step(Look(), "i1", 100, 1.0)
GROWS = """
import mmap, sys
held = []
print("ready", flush=True)
for line in sys.stdin:
    held.append(mmap.mmap(-1, 48 << 20, mmap.MAP_SHARED if line.strip() == "shared" else mmap.MAP_PRIVATE))
    held[-1].write(bytes(48 << 20))
    print("ready", flush=True)
"""


def incident(target):
    return Incident("i1", "k1", "leak", "it leaks", Workload("local:shop", "shop"), 1.0, target=target)


@pytest.fixture
def program():
    process = subprocess.Popen(
        [sys.executable, "-c", GROWS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.communicate()


def looked(about, earlier=()):
    done = Looking(Access())(STEP, replace(about, moments=tuple(earlier)))
    return done, Moment(1.0, done.what, done.text, STEP.id, **done.facts)


@pytest.mark.parametrize(("kind", "words"), [("shared", "shared memory"), ("private", "nothing here tells apart")])
def test_the_kind_that_grew_between_two_looks_is_named_first(program, kind, words):
    about = incident(Target("local", f"pid:{program.pid}", "shop"))
    first, moment = looked(about)
    assert first.what == "looked" and "are held" in first.text
    program.stdin.write(f"{kind}\n")
    assert program.stdout.readline() == "ready\n"
    second, _ = looked(about, [moment])
    assert second.text.startswith("grew since the look before: +48")
    assert words in second.text.partition(",")[0]


def test_advice_stands_with_the_look():
    slices = (Slice("anonymous", 190 * MIB, "private memory"), Slice("free", 10 * MIB, "not used"))
    told = Advice(256 * MIB, ("raise the limit",), ("-Xmx contradicts it",))
    about = incident(Target("local", f"pid:{os.getpid()}", "shop"))
    done = Looking(Access(), lambda reach: (Breakdown(slices, 190 * MIB, 200 * MIB), told))(STEP, about)
    assert done.facts["details"] == ("-Xmx contradicts it", "raise the limit")


def test_a_program_that_may_not_be_seen_is_skipped_with_the_reason():
    def refuse(reach):
        raise Lacks("user 7 may not see it")

    about = incident(Target("local", f"pid:{os.getpid()}", "shop"))
    done = Looking(Access(), refuse)(STEP, about)
    assert done.what == "skipped" and "user 7 may not see it" in done.text


def test_a_program_that_does_not_answer_is_tried_again_and_then_skipped():
    about = incident(Target("local", "pid:999999999", "shop"))
    with pytest.raises(TryAgain):
        Looking(Access())(STEP, about)
    assert Looking(Access())(replace(STEP, attempts=9), about).what == "skipped"


def test_an_incident_without_a_target_is_skipped():
    assert Looking(Access())(STEP, incident(None)).what == "skipped"
