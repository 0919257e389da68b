"""The directory of captures: whatever crash came before, what is listed is true."""

import errno
import hashlib
import os
import time
from pathlib import Path

import pytest

from caulk.formats.source import open_source
from caulk.model.capture import Captured, Manifest
from caulk.model.errors import CaptureFailed, UsageError
from caulk.store.captures import Captures, Draft, Entry

SHOP = Manifest(target=Captured("local", "jvm", "shop", "pid:7"), format="hprof")


@pytest.fixture
def store(tmp_path: Path) -> Captures:
    return Captures(tmp_path / "captures")


def kept(store: Captures, data: bytes = b"heap", name: str = "shop", age_s: float = 0.0) -> Entry:
    draft = store.begin(Manifest(target=Captured("local", "jvm", name, f"pid:{name}"), format="hprof"), ".hprof")
    draft.write(data)
    entry = draft.keep()
    aged = time.time() - age_s
    os.utime(entry.directory, (aged, aged))
    return entry


def test_a_kept_capture_is_listed_whole(store):
    entry = kept(store)
    assert store.all() == [entry]
    assert store.find("latest").path.read_bytes() == b"heap"


def test_a_draft_is_listed_as_partial_and_its_bytes_are_gone_on_with(store):
    draft = store.begin(SHOP, ".hprof")
    draft.write(b"he")
    draft.leaving("/heap.hprof")
    draft.leave()
    (entry,) = store.all()
    assert not entry.manifest.complete
    again = store.resume(entry)
    assert again.size == 2
    again.write(b"ap")
    assert again.keep().path.read_bytes() == b"heap"


def crash_after_rename(draft: Draft) -> None:
    draft._file.close()
    draft.entry.path.rename(draft.entry.directory / draft.entry.manifest.path)


def crash_before_done(draft: Draft) -> None:
    entry = draft.keep()
    (entry.directory / "done").unlink()


@pytest.mark.parametrize(("crash", "is_complete"), [(crash_after_rename, False), (crash_before_done, True)])
def test_a_crash_between_the_last_steps_is_put_right(store, crash, is_complete):
    draft = store.begin(SHOP, ".hprof")
    draft.write(b"heap")
    draft.leaving("/heap.hprof")
    crash(draft)
    (entry,) = Captures(store.root).all()
    assert entry.manifest.complete is is_complete
    assert entry.path.read_bytes() == b"heap"
    assert (entry.directory / "done").exists() is is_complete


def test_a_directory_from_a_crash_before_its_manifest_goes_after_a_while(store):
    kept(store)
    empty = store.root / "20260101T000000Z-shop-aaaa"
    empty.mkdir()
    assert len(store.all()) == 1 and empty.exists()
    os.utime(empty, (0, 0))
    assert len(store.all()) == 1 and not empty.exists()


def test_a_damaged_manifest_hides_only_its_own_capture(store):
    first = kept(store)
    second = kept(store, name="other")
    (second.directory / "manifest.json").write_bytes(b"{")
    assert store.all() == [first]


def test_a_file_that_shrank_is_not_complete(store):
    entry = kept(store)
    entry.path.write_bytes(b"he")
    assert not store.all()[0].manifest.complete


def test_captures_are_found_by_either_end_of_their_id_and_never_by_chance(store):
    first, second = kept(store), kept(store)
    assert store.find(first.manifest.id[-4:]) in (first, second)
    assert store.find(second.manifest.id) == second
    with pytest.raises(UsageError, match="more than one"):
        store.find(first.manifest.id[:8])
    with pytest.raises(UsageError, match="no capture"):
        store.find("tea")


def test_quotas_take_the_oldest_and_leave_the_newest_of_every_target(store):
    only = kept(store, b"x" * 100, "b", 400)
    old, middle, new = (kept(store, b"x" * 100, "a", age) for age in (300, 200, 100))
    assert store.excess(None, 2, None) == [old, middle]
    assert store.excess(None, None, 250.0) == [old]
    assert store.excess(0, None, None) == [old, middle]
    assert store.excess(None, 9, 900.0) == []
    assert all(entry in store.all() for entry in (only, new))


def test_files_beside_captures_are_kept_once_and_go_with_the_last(store):
    entries = []
    for _ in range(2):
        draft = store.begin(SHOP, ".hprof")
        draft.write(b"heap")
        draft.beside("envoy", b"\x7fELF" * 100)
        entries.append(draft.keep())
    first, second = entries
    assert (first.directory / "envoy").samefile(second.directory / "envoy")
    store.remove(first)
    assert (second.directory / "envoy").read_bytes() == b"\x7fELF" * 100
    store.remove(second)
    assert list((store.root / "blobs").iterdir()) == []


def test_what_is_written_is_hashed_though_its_buffer_is_used_again_at_once(store):
    draft, buffer, whole = store.begin(SHOP, ".hprof"), bytearray(3 << 20), hashlib.sha256()
    for turn in range(8):
        buffer[:] = bytes([turn]) * len(buffer)
        whole.update(buffer)
        draft.write(memoryview(buffer))
    entry = draft.keep()
    assert entry.manifest.sha256 == whole.hexdigest() == hashlib.sha256(entry.path.read_bytes()).hexdigest()


def test_a_disk_that_fails_makes_no_complete_capture(store, monkeypatch):
    def fails(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    draft = store.begin(SHOP, ".hprof")
    monkeypatch.setattr("os.fsync", fails)
    draft.write(bytes(65 << 20))
    with pytest.raises(CaptureFailed, match="Input/output error"):
        draft.keep()
    draft.leave()
    assert store.all() == []


def test_a_packed_capture_has_the_same_content_and_is_still_complete(store):
    data = b"JAVA PROFILE 1.0.2\0" + bytes(2 << 20)
    entry = store.pack(kept(store, data))
    (listed,) = store.all()
    assert listed == entry and listed.manifest.complete
    assert listed.size_bytes < len(data) / 10
    assert bytes(open_source(str(listed.path)).data) == data
    assert store.pack(entry) == entry


def test_what_does_not_compress_is_left_as_it_is(store):
    entry = kept(store, os.urandom(2 << 20))
    assert store.pack(entry) == entry
    assert [path.name for path in sorted(entry.directory.iterdir())] == ["done", "heap.hprof", "manifest.json"]
