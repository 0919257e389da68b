"""Databases for the tests of the store: SQLite in a file, and a PostgreSQL of this run's own."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa
from clusters import cluster, programs

_NUMBERS = count()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of its databases, each called by a name."""
    found = programs()
    if found is None:
        pytest.skip("PostgreSQL is not on this machine")
    with cluster(found) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of its own for each test."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    databases = request.getfixturevalue("postgresql")
    engine = sa.create_engine(databases.format("postgres"), isolation_level="AUTOCOMMIT")
    name = f"test_{next(_NUMBERS)}"
    with engine.connect() as link:
        link.execute(sa.text(f"create database {name}"))
    engine.dispose()
    return databases.format(name)
