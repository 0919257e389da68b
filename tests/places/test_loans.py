"""What is lent elsewhere is written down first, and taken back, by the next caulk if need be."""

import json
from pathlib import Path

import pytest

from caulk.model.errors import Lacks
from caulk.places.loans import Limit, lend, recover

MB = 1 << 20


class Kept:
    """A limit that somebody else keeps."""

    def __init__(self, used: int = 10 * MB) -> None:
        self.set_to: list[int] = []
        self.used = used
        self.limit = Limit("docker-abc", self.set_to.append, lambda: self.used)


def records(state: Path) -> list[Path]:
    return list(state.rglob("*.json"))


def test_a_loan_ends_with_its_block(tmp_path):
    kept = Kept()
    with lend(str(tmp_path), kept.limit, 100 * MB, 50 * MB) as lent:
        assert lent == 150 * MB
        assert records(tmp_path)
    assert kept.set_to == [150 * MB, 100 * MB]
    assert not records(tmp_path)


def test_a_loan_ends_even_if_the_capture_fails(tmp_path):
    kept = Kept()
    with pytest.raises(KeyboardInterrupt), lend(str(tmp_path), kept.limit, 100 * MB, 50 * MB):
        raise KeyboardInterrupt
    assert kept.set_to[-1] == 100 * MB


def test_a_limit_is_not_lowered_below_what_is_used(tmp_path):
    kept = Kept(used=120 * MB)
    with lend(str(tmp_path), kept.limit, 100 * MB, 50 * MB):
        pass
    assert kept.set_to[-1] == 120 * MB + 16 * MB
    kept.used = 20 * MB
    recover(str(tmp_path), kept.limit)
    assert kept.set_to[-1] == 100 * MB
    assert not records(tmp_path)


def test_what_a_killed_caulk_lent_is_taken_back_by_the_next(tmp_path):
    kept = Kept()
    with lend(str(tmp_path), kept.limit, 100 * MB, 50 * MB):
        (record,) = records(tmp_path)
        written = json.loads(record.read_bytes())
        recover(str(tmp_path), kept.limit)
        assert kept.set_to == [150 * MB]
    # Nobody has this number: Linux has none beyond 2^22.
    record.write_text(json.dumps({**written, "owner": 1 << 23}))
    recover(str(tmp_path), kept.limit)
    assert kept.set_to[-1] == 100 * MB


def test_memory_is_not_lent_twice(tmp_path):
    kept = Kept()
    with (
        lend(str(tmp_path), kept.limit, 100 * MB, 50 * MB),
        pytest.raises(Lacks, match="not taken back"),
        lend(str(tmp_path), kept.limit, 150 * MB, 50 * MB),
    ):
        pass
    assert kept.set_to == [150 * MB, 100 * MB]
