"""Growth of holders over several graphs, in which no object has the same number twice."""

import random
from array import array
from typing import Any

import pytest
from heaps import heap
from test_holders import array_list, findings, hash_map, held, jvm

from caulk._core import holdings, uncompiled
from caulk.analysis import holders
from caulk.analysis.holders import Held
from caulk.analysis.holders.tree import plant
from caulk.model.graph import ObjectGraph


def moment(tickets: int, *, products: int = 300, pages: int = 0, noise: int = 0) -> Held:
    """A program with a constant catalogue that is larger than its leak."""
    text = "".join(f"z{i}:app.Noise*24!;" for i in range(noise))
    text += "c:class.app.Catalogue!; c -> all.ALL;" + hash_map("all", products, "app.Product", size=900)
    text += "o:class.app.OrderBook!; o -> open.OPEN;" + hash_map("open", tickets, "app.Ticket", size=800)
    if pages:
        text += "b:class.app.Bus!; b -> l.LISTENERS;" + array_list("l", pages, "app.Page", size=700)
    return held(jvm(text, static=["ALL", "OPEN", "LISTENERS"]))


def test_what_grows_is_the_finding_and_a_larger_constant_catalogue_is_not():
    verdict, found = holders.analyse([moment(20), moment(140, noise=3), moment(260, noise=1)])
    assert verdict.state == "leaking"
    assert [f.holder for f in found] == ["app.OrderBook.OPEN"]
    assert (found[0].count, found[0].growth_count) == (260, 240)
    assert found[0].growth_bytes == found[0].series[-1] - found[0].series[0] > 240 * 800
    assert "cannot tell a leak from a cache" in verdict.sentence


def test_one_graph_of_the_same_program_ranks_the_catalogue_with_it():
    holders_of_one = [f.holder for f in findings(moment(260).graph)]
    assert holders_of_one == ["app.Catalogue.ALL", "app.OrderBook.OPEN"]


def test_growth_that_goes_on_over_five_graphs_is_a_leak_and_has_a_rate():
    moments = [moment(50 + 100 * i) for i in range(5)]
    verdict, found = holders.analyse(moments, [0.0, 0.5, 1.0, 1.5, 2.0])
    assert (verdict.state, found[0].shape) == ("leaking", "rising")
    per_ticket = found[0].growth_bytes / found[0].growth_count
    assert found[0].growth_bytes_per_hour == pytest.approx(200 * per_ticket, rel=0.01)
    assert "/h)" in found[0].title


def test_of_graphs_that_are_seconds_apart_nobody_is_told_a_rate():
    _, found = holders.analyse([moment(50 + 100 * i) for i in range(5)], [0.0, 0.001, 0.002, 0.003, 0.004])
    assert found[0].growth_bytes_per_hour is None
    assert "(+" not in found[0].title


def test_growth_is_told_alike_from_trees_that_were_kept():
    moments = [moment(20), moment(140, noise=3), moment(260, noise=1)]
    kept = [one._replace(tree=holders.packed(one.planted())) for one in moments]
    assert holders.analyse(kept) == holders.analyse(moments)


def test_growth_that_flattens_is_warming_up():
    verdict, found = holders.analyse([moment(n) for n in (20, 200, 290, 300, 301)])
    assert (verdict.state, found[0].shape) == ("warming", "flattening")


def test_nothing_that_grows_is_steady():
    verdict, found = holders.analyse([moment(50, noise=i) for i in (3, 9, 1)])
    assert (verdict.state, found) == ("steady", ())


def test_without_times_there_is_no_rate():
    _, found = holders.analyse([moment(20), moment(200)])
    assert found[0].growth_bytes_per_hour is None


def test_two_holders_that_grow_are_ranked_by_how_much():
    _, found = holders.analyse([moment(20, pages=30), moment(220, pages=130), moment(420, pages=230)])
    assert [f.holder for f in found] == ["app.OrderBook.OPEN", "app.Bus.LISTENERS"]
    assert found[0].growth_share > found[1].growth_share > 0


def test_a_holder_that_is_new_grew_from_nothing():
    _, found = holders.analyse([moment(20), moment(20, pages=300)])
    assert [(f.holder, f.growth_count) for f in found] == [("app.Bus.LISTENERS", 300)]


def test_the_fingerprint_of_a_leak_is_the_same_in_one_graph_and_in_several():
    _, found = holders.analyse([moment(20), moment(260)])
    alone = next(f for f in findings(moment(260).graph) if f.holder == "app.OrderBook.OPEN")
    assert found[0].fingerprint == alone.fingerprint


def random_graph(seed: int) -> ObjectGraph:
    rng = random.Random(seed)
    count = rng.randrange(2, 60)
    text = "".join(f"o{i}:{rng.choice('ABCD')}*{rng.randrange(8, 64)}{'!' if not i else ''};" for i in range(count))
    for i in range(count):
        for _ in range(rng.randrange(4)):
            arrow = rng.choice(("->", "->", "->", "?>"))
            text += f"o{i} {arrow} o{rng.randrange(count)}.{rng.choice(('f', 'g', '[]'))};"
    return heap(text)


@pytest.mark.parametrize("seed", range(40))
def test_the_tree_has_every_object_that_is_held_once_and_its_bytes_are_the_heaps(seed):
    graph = random_graph(seed)
    of = held(graph)
    tree = plant(graph, of.dominators)
    assert sum(tree.count) == len(of.dominators.order)
    assert tree.total[0] == of.dominators.retained[0]
    for number in of.dominators.order[1:]:
        assert tree.identity[tree.nodes[number]] == graph.type[number]


def merged(kernel: Any, graph: ObjectGraph) -> tuple[Any, ...]:
    """The tree of a graph by a kernel, with everything shared out that has no holder alone."""
    of, none, types = held(graph), array("i"), len(graph.types)
    kinds = bytes({"element": 1, "field": 2}.get(label.kind, 0) for label in graph.labels)
    known = {"first": graph.first, "target": graph.target, "label": graph.label, "kind": graph.type}
    known |= {"named": none, "naming": none, "types": types, "weakest": 0}
    tree = kernel.Holdings(kinds)
    idom, order, retained = of.dominators.idom, of.dominators.order, of.dominators.retained
    nodes = tree.merge(idom, order, retained, size=graph.size, **known)
    marked = bytes(1 if via < 0 and node else 0 for node, via in enumerate(tree.column("via")))
    shared = tree.share(nodes, marked, idom, retained, **known)
    made = kernel.contents(
        graph.first,
        graph.target,
        graph.label,
        graph.type,
        1,
        parts=bytes(number % 2 for number in range(types)),
        inside=bytes(len(graph.labels)),
        types=types,
        weakest=0,
    )
    names = ("parent", "via", "identity", "sample", "count", "flat", "best", "folded")
    return list(nodes), bytes(shared), [list(tree.column(name)) for name in names], [list(column) for column in made]


@pytest.mark.skipif(not holdings.COMPILED, reason="there is only the uncompiled form")
@pytest.mark.parametrize("seed", range(40))
def test_the_compiled_kernel_and_plain_python_agree(seed):
    graph = random_graph(seed)
    assert merged(holdings, graph) == merged(uncompiled.load("holdings"), graph)


@pytest.mark.parametrize("seed", range(40))
def test_sharing_out_moves_bytes_and_loses_none(seed):
    graph = random_graph(seed)
    _, _, columns, _ = merged(holdings, graph)
    assert sum(columns[5]) == held(graph).dominators.retained[0]


def test_what_hundreds_refer_to_is_nobodys():
    text = "".join(f"u{i}:User*16!;" for i in range(300))
    text += "".join(f"u{i} -> c{j}.common;" for i in range(300) for j in range(40))
    text += "".join(f"c{j}:Common*5000;" for j in range(40))
    of = held(heap(text))
    tree = plant(of.graph, of.dominators)
    # Split into 300 parts they would be the users', who are not to blame.
    assert [tree.label(node) for node in range(1, len(tree.parent)) if tree.total[node] == 40 * 5000] == [None]
