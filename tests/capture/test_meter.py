"""What a capture took of memory is measured with what a copy of the program takes that it forks for it."""

import subprocess
import sys
import time

from caulk.capture.meter import Meter
from caulk.model.target import Target
from caulk.places.local.reaching import LocalReach

COPIES = """
import os
held = bytearray(b"x") * (96 << 20)
print("ready", flush=True)
input()
child = os.fork()
if not child:
    for at in range(0, len(held), 4096):
        held[at] = 1
    print("copied", flush=True)
    input()
    os._exit(0)
os.waitpid(child, 0)
print("gone", flush=True)
input()
"""


def test_the_pages_that_a_forked_child_copies_count():
    with subprocess.Popen([sys.executable, "-c", COPIES], stdin=-1, stdout=-1, text=True) as program:
        assert program.stdin and program.stdout
        assert program.stdout.readline() == "ready\n"
        reach = LocalReach(Target("local", f"pid:{program.pid}", "copies"), program.pid)
        with Meter(reach) as meter:
            program.stdin.write("\n")
            program.stdin.flush()
            assert program.stdout.readline() == "copied\n"
            end = time.monotonic() + 30
            while not (meter.costs(0, 0).extra_bytes or 0) >= 90 << 20 and time.monotonic() < end:
                time.sleep(0.01)
        assert 90 << 20 <= meter.costs(0, 0).extra_bytes <= 130 << 20
        reach.close()
        program.communicate("\n\n")
