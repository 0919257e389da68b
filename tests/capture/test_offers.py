"""What might harm the program is refused, with the figures and the reason."""

from pathlib import Path

import pytest
from standin import NO_COST, READY, Folder, Told

from caulk.capture import offers as offering
from caulk.capture.offers import Offer, chosen
from caulk.model.capture import Check, Cost, Taken
from caulk.model.errors import CaptureFailed, Lacks, Unreachable, UsageError
from caulk.model.target import Access, Patience, Volume

MIB = 1 << 20
DEAF = Check("needs", "nothing listens")


def offered(target: Folder, cost: Cost = NO_COST, check: Check = READY, store_free: int | None = None) -> Offer:
    return offering._offer("shop", Told(lambda sink: Taken(), cost, check), target, store_free)


@pytest.fixture
def target(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_what_fits_is_open(target):
    cost = Cost(pause_s=1.0, extra_bytes=100 * MIB, disk_bytes=100 * MIB, directory="/dumps", size_bytes=100 * MIB)
    target.patient = Patience(30.0, "liveness probe, 10 s × 3")
    assert offered(target, cost, store_free=200 * MIB).is_open


def test_memory_that_the_limit_does_not_leave_is_refused(target):
    target.free = 99 * MIB
    offer = offered(target, Cost(extra_bytes=100 * MIB))
    assert not offer.is_open
    assert offer.lacks_memory
    assert "100 MB" in offer.obstacles[0] and "99.0 MB" in offer.obstacles[0]


@pytest.mark.parametrize(("pause", "is_open"), [(14.0, True), (16.0, False)])
def test_a_pause_counts_twice_against_the_liveness_probe(target, pause, is_open):
    target.patient = Patience(30.0, "liveness probe, 10 s × 3")
    assert offered(target, Cost(pause_s=pause)).is_open is is_open


@pytest.mark.parametrize(
    ("volume", "why"),
    [
        (Volume("/dumps", "tmpfs", 1 << 40, is_writable=True), "memory"),
        (Volume("/dumps", "ext4", 120 * MIB, is_writable=True), "left"),
        (Volume("/dumps", "ext4", 1 << 40, is_writable=False), "written"),
    ],
)
def test_a_dump_is_never_written_to_memory_or_to_a_full_or_read_only_volume(target, volume, why):
    target.space = volume
    (obstacle,) = offered(target, Cost(disk_bytes=100 * MIB, directory="/dumps")).obstacles
    assert why in obstacle


def test_a_capture_that_the_disk_here_cannot_hold_is_refused(target):
    assert not offered(target, Cost(size_bytes=100), store_free=99).is_open


def test_a_way_whose_cost_cannot_be_told_is_not_taken_for_safe(target):
    class Mute(Told):
        def cost(self) -> Cost:
            raise Unreachable("no answer")

    offer = offering._offer("shop", Mute(lambda sink: Taken()), target, None)
    assert not offer.is_open
    assert offer.check.standing == "unsafe"


def test_a_way_whose_check_fails_is_impossible_and_says_why(target):
    class Blind(Told):
        def check(self) -> Check:
            raise Lacks("no permission to exec")

    offer = offering._offer("shop", Blind(lambda sink: Taken()), target, None)
    assert (offer.check.standing, offer.check.why) == ("impossible", "no permission to exec")


def test_the_richest_that_is_open_is_chosen(target):
    refused = offered(target, Cost(extra_bytes=1 << 40))
    profile = offered(target)
    assert chosen([refused, profile]) is profile


def test_nothing_open_names_every_reason(target):
    refused = offered(target, Cost(extra_bytes=1 << 40))
    absent = offered(target, check=Check("needs", "no endpoint", "serve it"))
    with pytest.raises(CaptureFailed) as failure:
        chosen([refused, absent])
    assert "memory in the target" in failure.value.hint and "no endpoint" in failure.value.hint


def test_what_was_asked_for_by_name_is_given_or_said_to_be_unknown(target):
    offer = offered(target)
    assert chosen([offer], "heap") is offer
    with pytest.raises(UsageError, match="tea"):
        chosen([offer], "tea")


def test_a_process_that_cannot_be_seen_is_the_reason_if_its_ports_do_not_help(target, monkeypatch):
    def unseen() -> None:
        raise Lacks("the role lacks create on pods/exec", hint="kind: Role")

    monkeypatch.setattr(target, "process", unseen)
    served = type(
        "Served", (), {"NAME": "go", "ways": lambda reach, access: [Told(lambda sink: Taken(), NO_COST, DEAF)]}
    )
    monkeypatch.setattr(offering, "_runtime", lambda name: served)
    with pytest.raises(Lacks, match="pods/exec") as failure:
        offering.offers(target, Access())
    assert "kind: Role" in failure.value.hint and "nothing listens" in failure.value.hint
