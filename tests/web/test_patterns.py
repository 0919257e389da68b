"""Filters are regular expressions of whoever asks: none may stop the server."""

import re

import pytest

from caulk.model.errors import UsageError
from caulk.web.patterns import check


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+$", r"(a*)*b", r"(\w+\s?)*!", r"(.*)*x", r"(a|a)*$", r"(a|ab)+c", r"((a{1,9})b?){5,}",
        r"(?:a?){20}a{20}",
        r"(?=(a+)+$)", r"(?i:(x+x+)+y)", r"(a)(\1+)+", ".*a.*b.*c.*d.*e", "((((a+)+)+)+)+",
    ],
)  # fmt: skip
def test_what_may_take_for_ever_is_refused(pattern):
    with pytest.raises(UsageError, match="for ever"):
        check(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "", "main", "^main\\.(open|close)$", "(cart)|(order)", "runtime.*alloc", "[a-z]+\\.[A-Z]\\w*", "a{3}b?",
        "(ab)+",
        "\\(\\*Book\\)\\.fill", "^std::vector<.*>::push_back$", "(?i)ticket", ".*a.*b.*c.*", "(x{2})+",
    ],
)  # fmt: skip
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
