"""Who holds most of many objects: named by the field, and found with each list climbed once."""

from collections.abc import Sequence

from heaps import heap

from caulk.analysis.holders.usual import UsualHolders
from caulk.analysis.objects.paths import Nearest, nearest

LENGTH = 2000


class Counted(Sequence):
    """A column that counts how often it is read."""

    def __init__(self, column: Sequence[int]) -> None:
        self.column, self.reads = column, 0

    def __len__(self) -> int:
        return len(self.column)

    def __getitem__(self, at):
        self.reads += 1
        return self.column[at]


def log_of(lines: int):
    """A log whose entries hold each the next, and a text."""
    said = ["log:Log!", "log -> e0.first", "e0:Entry"]
    said += [f"e{i}:Entry; e{i - 1} -> e{i}.next" for i in range(1, lines)]
    said += [f"t{i}:Text; e{i} -> t{i}.text" for i in range(lines)]
    return heap("; ".join(said))


def test_a_list_is_climbed_once_however_many_of_its_elements_are_asked_about():
    graph = log_of(LENGTH)
    ways = nearest(graph)
    parent = Counted(ways.parent)
    usual = UsualHolders(graph, Nearest(parent, ways.edge))
    texts = [graph[f"t{i}"] for i in range(0, LENGTH, 10)]
    for text in texts:
        assert usual.of([text]) == ("Entry.text", 1.0)
    # Climbing it anew for each would be half its length, a hundred times over.
    assert parent.reads < 4 * LENGTH + 200 * len(texts)


def test_a_list_of_any_length_is_one_step_to_what_holds_it():
    graph = heap(
        "; ".join(
            [
                "book:Book!; book -> e0.OPEN; e0:Entry",
                *(f"e{i}:Entry; e{i} -> e{i + 1}.next" for i in range(6000)),
                "e6000:Entry",
            ]
        )
    )
    usual = UsualHolders(graph, nearest(graph))
    assert usual.of([graph["e6000"], graph["e3"]]) == usual.of([graph["e5"]]) == ("Entry.next", 1.0)


def test_objects_that_are_reached_alike_have_one_holder_and_others_their_own():
    graph = heap("a:Cart!; b:Cart!; c:Log!; a -> x.name; b -> y.name; c -> z.line; x:Text; y:Text; z:Text")
    holder, share = UsualHolders(graph, nearest(graph)).of([graph[name] for name in "xyz"])
    assert (holder, round(share, 2)) == ("Cart.name", 0.67)
