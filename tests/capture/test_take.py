"""A capture is complete, or partial and can be gone on with, or not there; and nothing is lost in the target."""

import hashlib
import json
from pathlib import Path

import pytest
from standin import Folder, Told

from caulk.capture import take
from caulk.capture.offers import Offer
from caulk.model.capture import Taken
from caulk.model.errors import CaptureFailed, Unreachable
from caulk.store.captures import Captures

SNAPSHOT = b'{"snapshot":{},"strings":[' + b" " * 20_000 + b"]}"
QUIET = lambda *_: None  # noqa: E731


@pytest.fixture
def target(tmp_path: Path) -> Folder:
    (tmp_path / "target").mkdir()
    return Folder(tmp_path / "target")


@pytest.fixture
def store(tmp_path: Path) -> Captures:
    return Captures(tmp_path / "captures")


def offer(way) -> Offer:
    told = Told(way)
    return Offer("shop", told, told.check())


def dumping(target: Folder, data: bytes = SNAPSHOT, *, remove: bool = True) -> Offer:
    def make(sink) -> Taken:
        sink.leaving("/heap.dump")
        (target.root / "heap.dump").write_bytes(data)
        return Taken("/heap.dump", remove=remove, facts={"pause_s": "0.25", "version": "1"})

    return offer(make)


def test_a_dump_in_the_target_is_fetched_verified_kept_and_then_removed_there(target, store):
    entry = take.capture(dumping(target), target, store, QUIET)
    assert entry.manifest.complete
    assert entry.path.read_bytes() == SNAPSHOT
    assert entry.manifest.sha256 == hashlib.sha256(SNAPSHOT).hexdigest()
    assert entry.manifest.actual.pause_s == 0.25
    assert not (target.root / "heap.dump").exists()
    assert store.all()[0].manifest == entry.manifest


def test_a_dump_that_was_there_before_stays_in_the_target(target, store):
    take.capture(dumping(target, remove=False), target, store, QUIET)
    assert (target.root / "heap.dump").exists()


def test_a_capture_is_private(target, store):
    entry = take.capture(dumping(target), target, store, QUIET)
    assert {path.stat().st_mode & 0o777 for path in entry.directory.iterdir()} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in (store.root, entry.directory)} == {0o700}


def test_a_connection_that_drops_goes_on_where_it_was(target, store, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    target.cuts = [7000, 0, 5000]
    entry = take.capture(dumping(target), target, store, QUIET)
    assert entry.path.read_bytes() == SNAPSHOT
    assert target.served == len(SNAPSHOT)


def test_a_target_that_dies_meanwhile_leaves_a_partial_capture_that_is_gone_on_with(target, store):
    dump = dumping(target)

    def dies(done: float, total: float, step: str) -> None:
        target.is_gone = target.is_gone or (step == "fetching" and done > 9000)
        if target.is_gone:
            raise Unreachable("it died")

    with pytest.raises(Unreachable):
        take.capture(dump, target, store, dies)
    (entry,) = store.all()
    assert not entry.manifest.complete
    assert 0 < entry.path.stat().st_size < len(SNAPSHOT)
    target.is_gone, target.served = False, 0
    assert store.unfinished("pid:7") == [entry]
    whole = take.resume(entry, target, store, QUIET)
    assert whole.path.read_bytes() == SNAPSHOT
    assert target.served < len(SNAPSHOT)
    assert not (target.root / "heap.dump").exists()
    assert store.unfinished("pid:7") == []


def test_caulk_killed_while_the_target_writes_finds_the_file_again(target, store):
    def killed(sink) -> Taken:
        sink.leaving("/heap.dump")
        (target.root / "heap.dump").write_bytes(SNAPSHOT)
        raise SystemExit

    with pytest.raises(SystemExit):
        take.capture(offer(killed), target, store, QUIET)
    (entry,) = store.unfinished("pid:7")
    assert take.resume(entry, target, store, QUIET).path.read_bytes() == SNAPSHOT
    assert not (target.root / "heap.dump").exists()


def test_a_source_that_could_not_be_removed_is_removed_by_the_next_start(target, store):
    def stubborn(path: str) -> None:
        raise Unreachable("gone for a moment")

    remove, target.remove = target.remove, stubborn
    entry = take.capture(dumping(target), target, store, QUIET)
    assert entry.manifest.complete and entry.manifest.remote
    target.remove = remove
    (left,) = store.unfinished("pid:7")
    take.resume(left, target, store, QUIET)
    assert not (target.root / "heap.dump").exists()
    assert store.unfinished("pid:7") == []


def test_a_file_that_changed_since_is_fetched_anew(target, store):
    target.cuts = [5000] * 20
    dump = dumping(target)

    def cut(done: float, total: float, step: str) -> None:
        if done > 4000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take.capture(dump, target, store, cut)
    other = SNAPSHOT[:12] + b"\t" + SNAPSHOT[13:]
    (target.root / "heap.dump").write_bytes(other)
    target.cuts = []
    assert take.resume(store.all()[0], target, store, QUIET).path.read_bytes() == other


@pytest.mark.parametrize("data", [b"", SNAPSHOT[:-1], b"oops"])
def test_a_dump_that_is_not_whole_is_no_success(target, store, data):
    with pytest.raises(CaptureFailed, match="not whole"):
        take.capture(dumping(target, data), target, store, QUIET)
    assert store.all() == []
    assert not (target.root / "heap.dump").exists()


def test_a_way_that_fails_leaves_nothing(target, store):
    def fails(sink) -> Taken:
        sink.leaving("/heap.dump")
        raise CaptureFailed("no room")

    with pytest.raises(CaptureFailed, match="no room"):
        take.capture(offer(fails), target, store, QUIET)
    assert store.all() == []


def test_a_stream_that_is_cut_leaves_nothing_that_looks_like_a_capture(target, store):
    def streams(sink) -> Taken:
        sink.write(SNAPSHOT[:500])
        raise Unreachable("it died")

    with pytest.raises(Unreachable):
        take.capture(offer(streams), target, store, QUIET)
    assert store.all() == []


def test_two_captures_of_one_target_do_not_run_at_once(target, store):
    def another(sink) -> Taken:
        with pytest.raises(CaptureFailed, match="another capture"):
            take.capture(dumping(target), target, Captures(store.root), QUIET)
        sink.write(SNAPSHOT)
        return Taken()

    assert take.capture(offer(another), target, store, QUIET).manifest.complete


def test_a_loan_is_given_back_even_if_the_capture_fails(target, store):
    def fails(sink) -> Taken:
        raise CaptureFailed("no")

    with pytest.raises(CaptureFailed):
        take.capture(offer(fails), target, store, QUIET, lend=5)
    assert target.lent == [5, -5]


def test_where_the_target_does_not_hash_what_it_sends_it_hashes_the_file_afterwards(target, store, monkeypatch):
    target.is_hashing = False
    asked = []
    monkeypatch.setattr(target, "digest", lambda path, length: asked.append(length) or "0" * 64)
    with pytest.raises(CaptureFailed, match="SHA-256"):
        take.capture(dumping(target), target, store, QUIET)
    assert asked == [len(SNAPSHOT)]


def test_without_a_hash_in_the_target_the_manifest_says_so(target, store):
    target.can_hash = False
    entry = take.capture(dumping(target), target, store, QUIET)
    assert entry.path.read_bytes() == SNAPSHOT
    assert "not compared" in entry.manifest.warnings[0]


def test_what_arrives_altered_is_refused(target, store, monkeypatch):
    monkeypatch.setattr(target, "digest", lambda path, length: "0" * 64)
    with pytest.raises(CaptureFailed, match="SHA-256"):
        take.capture(dumping(target), target, store, QUIET)
    (entry,) = store.all()
    assert not entry.manifest.complete
    assert (target.root / "heap.dump").exists()


def test_files_beside_a_capture_are_listed_with_their_hashes(target, store):
    def make(sink) -> Taken:
        sink.beside("../../bin/envoy", b"\x7fELF")
        sink.write(SNAPSHOT)
        return Taken()

    entry = take.capture(offer(make), target, store, QUIET)
    ((name, digest),) = entry.manifest.files.items()
    assert (entry.directory / name).read_bytes() == b"\x7fELF"
    assert digest == hashlib.sha256(b"\x7fELF").hexdigest()
    assert json.loads((entry.directory / "manifest.json").read_bytes())["files"] == {name: digest}
