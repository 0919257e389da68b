"""What doctor says to do about each way that would not work."""

from pathlib import Path

from standin import READY, Folder, Told

from caulk.capture import doctor, offers
from caulk.model.capture import Check, Cost, Taken

GB = 1 << 30


def test_what_the_memory_limit_forbids_is_mended_by_lending_all_that_it_needs(tmp_path: Path):
    target = Folder(tmp_path)
    target.free = 1 << 20
    ways = [
        Told(lambda sink: Taken(), Cost(extra_bytes=GB + 1), READY),
        Told(lambda sink: Taken(), Cost(), Check("needs", "nothing listens", "serve it")),
        Told(lambda sink: Taken(), Cost(), READY),
    ]
    found = [offers._offer("shop", way, target, None) for way in ways]
    alias, reference = ways[0].alias, target.target.reference
    lent, served = doctor.fixes(target.target, found)
    assert lent.startswith(f"for {alias}:\ncaulk capture {reference} --as {alias} --lend 1025M ")
    assert served == f"for {alias}:\nserve it"
