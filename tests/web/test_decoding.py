"""Records from JSON in several threads at once, as a server has them."""

import subprocess
import sys

PROGRAM = """
import sys, threading
from dataclasses import field, make_dataclass
from caulk.model.decoding import converted, decoded

sys.setswitchinterval(1e-6)
found = []
for number in range(150):
    kind = make_dataclass(f"Kind{number}", [(f"f{at}", "int | None", field(default=None)) for at in range(60)])
    kind.__module__ = __name__
    begin = threading.Barrier(4)

    def asked(kind=kind, begin=begin):
        begin.wait()
        found.append(decoded(b'{"f1": 1, "f59": 2}', kind).f59 + converted({"f1": 1}, kind).f1)

    threads = [threading.Thread(target=asked) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(sum(found))
"""


def test_a_type_that_several_threads_use_for_the_first_time_crashes_none_of_them():
    ran = subprocess.run([sys.executable, "-c", PROGRAM], check=False, capture_output=True, text=True, timeout=120)
    assert (ran.returncode, ran.stdout.strip(), ran.stderr) == (0, str(150 * 4 * 3), "")
