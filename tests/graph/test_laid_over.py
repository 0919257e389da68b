"""Two dumps laid over each other: the same nodes, what was there before and what is there after."""

import pytest
from heaps import heap

from caulk.analysis.dumps import Dump
from caulk.analysis.objects.heaps import examine
from caulk.formats.builder import ProfileBuilder
from caulk.model.errors import UsageError
from caulk.model.measure import Measure
from caulk.reports import Question
from caulk.reports.laid import laid_over

OLD = "book:Book*40!; one:Order*8; book -> one.open"
NEW = "book:Book*40!; one:Order*8; two:Order*8; log:Log*16!; book -> one.open two.open"


def heap_dump(text: str, path: str = "dump") -> Dump:
    examined = examine(heap(text))
    return Dump(path, examined.profile, 1, examined)


def profile_dump(*lines: tuple[str, int], kind: str = "heap") -> Dump:
    builder = ProfileBuilder(Measure("inuse_space", "bytes"))
    for functions, value in lines:
        builder.add([builder.frame(name) for name in functions.split(";")], [value])
    return Dump("a.pb.gz", builder.build(format="pprof", runtime="go", kind=kind))


def both(answer, before) -> dict[str, tuple[int, int]]:
    tree = answer.tree
    names = ["/".join(tree.frames.function_name(f) for f in tree.stack(node)) for node in range(len(tree))]
    assert before.frames is tree.frames
    assert before.parent == tree.parent
    rows = zip(names, before.values[0], tree.values[0], strict=True)
    return {name: (old, new) for name, old, new in rows if old or new}


def test_stacks_of_two_profiles_share_their_nodes():
    question = Question([profile_dump(("main;a", 5), ("main;b", 3)), profile_dump(("main;a", 9), ("main;c", 1))])
    answer, before = laid_over("flame", question)
    assert both(answer, before) == {"main/a": (5, 9), "main/b": (3, 0), "main/c": (0, 1)}
    assert answer.total == 5, "shares are of what grew"
    assert answer.name == "flame"


def test_compared_stacks_can_begin_at_the_allocations():
    question = Question([profile_dump(("main;a", 5)), profile_dump(("main;a", 9), ("x;a", 1))], inverted=True)
    assert both(*laid_over("tree", question)) == {"a/main": (5, 9), "a/x": (0, 1)}


def test_one_dump_has_nothing_before():
    answer, before = laid_over("flame", Question([profile_dump(("main", 5))]))
    assert before is None
    assert not answer.signed


def test_who_keeps_what_is_compared_type_under_type():
    question = Question([heap_dump(OLD), heap_dump(NEW)])
    assert both(*laid_over("dominators", question)) == {"Book": (40, 40), "Book/Order": (8, 16), "Log": (0, 16)}


def test_paths_to_a_type_that_was_not_there_before_are_all_new():
    question = Question([heap_dump(OLD), heap_dump(NEW)], pattern="Log")
    assert list(both(*laid_over("paths", question)).values()) == [(0, 16)]


@pytest.mark.parametrize(
    ("name", "dumps", "said"),
    [
        ("roots", [heap_dump(NEW)], "has no stacks"),
        ("flame", [profile_dump(("f", 1)), heap_dump(NEW)], "cannot be compared"),
        ("dominators", [profile_dump(("f", 1))], "is a profile"),
        ("paths", [heap_dump(OLD), heap_dump(NEW)], "needs a type"),
    ],
)
def test_what_has_no_such_stacks_says_so(name, dumps, said):
    with pytest.raises(UsageError, match=said):
        laid_over(name, Question(dumps))
