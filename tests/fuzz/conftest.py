"""The samples of the formats' and of the graphs' tests are what is mutated here."""

import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
sys.path += [str(TESTS / "formats"), str(TESTS / "graph")]


@pytest.fixture
def plain_kernels(monkeypatch):
    """A function after which every module uses the kernels uncompiled."""
    from mutation import uncompile

    return uncompile(monkeypatch)
