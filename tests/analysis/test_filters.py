"""Filters mean what they mean in pprof."""

import pytest
from stacks_dsl import heap

from caulk.analysis.filters import Filters, apply
from caulk.model.errors import UsageError
from caulk.model.tree import Tree

TEXT = "main>serve>parse>alloc 10; main>serve>cache>alloc 20; main>idle 5; init 7"


def stacks_of(tree: Tree, measure: int = 1) -> dict[str, int]:
    return {
        ">".join(tree.frames.function_name(f) for f in tree.stack(node)): tree.values[measure][node]
        for node in range(len(tree))
        if tree.values[measure][node]
    }


def filtered(**filters: str) -> dict[str, int]:
    return stacks_of(apply(heap(TEXT).tree, Filters(**filters)))


def test_focus_keeps_stacks_with_a_match_anywhere():
    assert filtered(focus="serve") == {"main>serve>parse>alloc": 10, "main>serve>cache>alloc": 20}


def test_ignore_drops_stacks_with_a_match_anywhere():
    assert filtered(ignore="cache|init") == {"main>serve>parse>alloc": 10, "main>idle": 5}


def test_ignore_wins_over_focus():
    assert filtered(focus="serve", ignore="parse") == {"main>serve>cache>alloc": 20}


def test_hide_takes_frames_out_and_keeps_their_callers_and_callees():
    assert filtered(hide="serve|alloc") == {"main>parse": 10, "main>cache": 20, "main>idle": 5, "init": 7}


def test_a_stack_of_hidden_frames_only_is_dropped():
    assert filtered(hide="init") == {k: v for k, v in stacks_of(heap(TEXT).tree).items() if k != "init"}


def test_show_keeps_only_matching_frames():
    assert filtered(show="parse|cache") == {"parse": 10, "cache": 20}


def test_from_cuts_what_is_above_the_outermost_match():
    assert filtered(show_from="serve|parse") == {"serve>parse>alloc": 10, "serve>cache>alloc": 20}


def test_a_file_matches_too():
    assert filtered(focus=r"/srv/app/") == stacks_of(heap(TEXT).tree)


def test_a_bad_pattern_is_named():
    with pytest.raises(UsageError, match=r"'\('"):
        filtered(focus="(")
