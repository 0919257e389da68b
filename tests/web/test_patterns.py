"""Filters are regular expressions of whoever asks: none may stop the server."""

import json
import re
from pathlib import Path

import pytest

from caulk.model.errors import UsageError
from caulk.web.patterns import check

#: Examples for both sides: the page's own tests read them too, since it looks for patterns by itself.
PATTERNS = json.loads((Path(__file__).parents[2] / "frontend/test/patterns.json").read_text())


@pytest.mark.parametrize("pattern", PATTERNS["refused"])
def test_what_may_take_for_ever_is_refused(pattern):
    with pytest.raises(UsageError, match="for ever"):
        check(pattern)


@pytest.mark.parametrize("pattern", PATTERNS["taken"])
def test_what_people_write_is_taken(pattern):
    check(pattern)
    assert re.compile(pattern)


def test_what_is_no_pattern_is_left_to_the_report_that_says_so(served, python_heaps):
    check("(")
    ids = served.show(python_heaps[0])
    assert "regular expression" in served.get(f"/api/d/{ids}/flame?focus=(").json()["what"]
    answer = served.browser.get(f"/api/d/{ids}/flame", params={"focus": r"(\w+\s?)*!"})
    assert answer.status_code == 400
    assert "for ever" in answer.json()["what"]
    revealed = served.send("POST", f"/api/d/{ids}/reveal", json={"tab": "strings", "parameters": {"pattern": "(a+)+$"}})
    assert revealed.status_code == 400


def test_a_pattern_as_deep_as_an_address_may_be_harms_nothing(served, python_heaps):
    ids = served.show(python_heaps[0])
    deep = "(" * 240 + "a" + ")" * 240
    assert served.browser.get(f"/api/d/{ids}/flame", params={"focus": deep}).status_code in (200, 400)
