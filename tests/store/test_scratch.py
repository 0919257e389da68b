"""Columns laid aside: what comes back is what was there, and nothing of it stays on the disk."""

from array import array

import pytest

from caulk.model.errors import UsageError
from caulk.store.scratch import Scratch


@pytest.mark.parametrize(
    "column", [array("i", [1, -2, 3]), array("I", [7] * 5000), array("q", [1 << 40]), array("B", b"xyz"), array("i")]
)
def test_a_column_comes_back_as_it_was(tmp_path, column):
    laid = Scratch(tmp_path / "cache")(column)
    assert list(laid) == list(column)
    assert memoryview(laid).format == column.typecode


def test_a_column_that_was_laid_aside_can_be_laid_aside_again(tmp_path):
    aside = Scratch(tmp_path)
    assert list(aside(aside(array("I", [1, 2])))) == [1, 2]


def test_nothing_has_a_name_on_the_disk(tmp_path):
    laid = Scratch(tmp_path)(array("i", [1, 2, 3]))
    assert list(tmp_path.iterdir()) == []
    assert laid[2] == 3


def test_no_room_is_said_with_where_there_may_be_some(tmp_path):
    (tmp_path / "full").write_text("not a directory")
    with pytest.raises(UsageError, match="no room") as error:
        Scratch(tmp_path / "full" / "cache")(array("i", [1]))
    assert "CAULK_HOME" in error.value.hint
