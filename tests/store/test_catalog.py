"""The catalogue agrees with the manifests, whatever was in it before."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from caulk.model.capture import Captured, Manifest
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
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    made = Catalog(f"sqlite:///{tmp_path}/catalog.db")
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


def test_a_catalogue_that_was_tampered_with_is_put_right(tmp_path):
    url = f"sqlite:///{tmp_path}/catalog.db"
    catalog = Catalog(url)
    catalog.refresh([entry(1), entry(2)])
    engine = sa.create_engine(url)
    with engine.begin() as link:
        link.execute(sa.text("update captures set runtime = 'tea' where id = 'c1'"))
        link.execute(sa.text("delete from captures where id = 'c2'"))
    engine.dispose()
    assert catalog.refresh([entry(1), entry(2)]) == 2
    assert [m.target.runtime for m in catalog.find()] == ["jvm", "jvm"]
    catalog.close()
