"""The catalogue agrees with the manifests, whatever was in it before, in SQLite and in PostgreSQL."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from caulk.model.capture import Captured, Manifest
from caulk.model.errors import UsageError
from caulk.store.captures import Entry
from caulk.store.catalog import Catalog


def entry(number: int, *, runtime: str = "jvm", complete: bool = True) -> Entry:
    taken = f"2026-01-{number:02}T00:00:00Z"
    target = Captured("docker", runtime, "shop", f"docker:{runtime}")
    manifest = Manifest(
        id=f"c{number}", target=target, format="hprof", taken_at=taken, complete=complete, size_bytes=5 << 40
    )
    return Entry(Path(f"/captures/c{number}"), manifest)


@pytest.fixture
def catalog(url: str) -> Iterator[Catalog]:
    made = Catalog(url)
    yield made
    made.close()


def test_the_newest_complete_captures_are_found_first(catalog):
    catalog.refresh([entry(1), entry(3), entry(2, complete=False), entry(4, runtime="go")])
    assert [m.id for m in catalog.find()] == ["c4", "c3", "c1"]
    assert [m.id for m in catalog.find(runtime="jvm", limit=1)] == ["c3"]
    assert [m.id for m in catalog.find(reference="docker:go")] == ["c4"]
    assert [m.id for m in catalog.find(since=datetime(2026, 1, 3, tzinfo=UTC))] == ["c4", "c3"]


def test_a_manifest_comes_back_as_it_was(catalog):
    catalog.refresh([entry(1)])
    assert catalog.find() == [entry(1).manifest]


def test_what_is_gone_goes_and_what_changed_changes(catalog):
    assert catalog.refresh([entry(1), entry(2, complete=False)]) == 2
    changed = entry(2)
    changed = replace(changed, manifest=replace(changed.manifest, sha256="ab"))
    assert catalog.refresh([changed, entry(3)]) == 3
    assert [m.id for m in catalog.find()] == ["c3", "c2"]
    assert catalog.refresh([changed, entry(3)]) == 0


def test_a_catalogue_that_was_tampered_with_is_put_right(url, catalog):
    catalog.refresh([entry(1), entry(2)])
    engine = sa.create_engine(url)
    with engine.begin() as link:
        link.execute(sa.text("update captures set runtime = 'tea' where id = 'c1'"))
        link.execute(sa.text("delete from captures where id = 'c2'"))
    engine.dispose()
    assert catalog.refresh([entry(1), entry(2)]) == 2
    assert [m.target.runtime for m in catalog.find()] == ["jvm", "jvm"]


def test_captures_of_one_second_come_in_one_order_in_every_database(catalog):
    alike = [replace(entry(1).manifest, id=number) for number in ("Z", "a", "B", "a-b", "aa", "é", "_")]
    catalog.refresh([Entry(Path("/captures"), manifest) for manifest in alike])
    assert [m.id for m in catalog.find()] == sorted((m.id for m in alike), reverse=True)


def test_words_that_no_column_can_hold_as_they_are_come_back(catalog):
    odd = replace(entry(1).manifest, facts={"title": "a\0b \U0001f41b 'x' %s :y"})
    catalog.refresh([Entry(Path("/captures/%s :y 'x'"), odd)])
    assert catalog.find() == [odd]


def test_those_who_refresh_at_once_agree(url):
    wanted = [entry(number) for number in range(1, 29)]
    together = threading.Barrier(4, timeout=60)

    def refresh(number: int) -> None:
        together.wait()
        mine = Catalog(url)
        for turn in range(4):
            together.wait()
            mine.refresh(wanted if turn % 2 == 0 else wanted[: 7 * (number + 1)])
        together.wait()
        mine.refresh(wanted)
        mine.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(refresh, range(4)))
    catalog = Catalog(url)
    assert catalog.refresh(wanted) == 0
    assert len(catalog.find()) == len(wanted)
    catalog.close()


def test_a_database_of_another_kind_is_refused():
    with pytest.raises(UsageError, match="mysql cannot hold the catalogue"):
        Catalog("mysql://somewhere/catalog")
