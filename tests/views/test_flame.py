"""Flame graphs: which boxes are drawn, in what order, how wide, in what colour."""

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from caulk.formats.builder import ProfileBuilder
from caulk.model.measure import Measure
from caulk.model.table import Stacks
from caulk.views import flame


def stacks(*lines: tuple[str, int], total: int = 0, signed: bool = False) -> Stacks:
    """Stacks in the folded manner: `("main;f", 5)`."""
    builder = ProfileBuilder(Measure("inuse_space", "bytes"))
    for functions, value in lines:
        builder.add([builder.frame(name) for name in functions.split(";") if name], [value])
    tree = builder.build(format="folded", runtime="", kind="heap").tree
    return Stacks("flame", tree, total or tree.total(0), signed)


def boxes(layout: flame.Layout) -> list[str]:
    return [layout.name(box) for box in range(len(layout))]


def test_callers_come_before_callees_and_the_widest_callee_first():
    layout = flame.lay_out(stacks(("main;light", 1), ("main;heavy;deep", 5), ("other", 2)))
    assert boxes(layout) == ["all", "main", "heavy", "deep", "light", "other"]
    assert layout.depth.tolist() == [0, 1, 2, 3, 2, 1]
    assert layout.total.tolist() == [8, 6, 5, 5, 1, 2]
    assert layout.own.tolist() == [0, 0, 0, 5, 1, 2]


def test_a_stack_without_a_value_has_no_box():
    layout = flame.lay_out(stacks(("main", 5), ("main;nothing", 0)))
    assert boxes(layout) == ["all", "main"]
    assert layout.left_out == 0


def test_a_limit_keeps_the_widest_boxes_and_never_a_callee_without_its_caller():
    layout = flame.lay_out(stacks(("a;b;c;d", 9), ("e;f", 8), ("g", 7)), limit=6)
    assert boxes(layout) == ["all", "a", "b", "c", "d", "e"]
    assert layout.left_out == 2
    assert layout.total[5] == 8, "a caller keeps its value"


def test_a_stack_of_any_depth_is_drawn_without_recursion_down_to_a_limit():
    layout = flame.lay_out(stacks((";".join(f"f{i}" for i in range(15_000)), 5)))
    assert len(layout) == flame.MAX_DEPTH + 1
    assert layout.left_out == 15_000 - flame.MAX_DEPTH


def test_in_a_difference_a_gain_and_a_loss_do_not_hide_each_other():
    layout = flame.lay_out(stacks(("main;gained", 60), ("main;lost", -50), total=60, signed=True))
    assert layout.total.tolist() == [10, 10, 60, -50]
    assert layout.weight.tolist() == [110, 110, 60, 50], "a box is as wide as all that changed below it"
    assert [round(layout.share(box), 2) for box in range(4)] == [0.17, 0.17, 1.0, -0.83], "shares are of the growth"


def test_shares_are_of_the_total_that_filters_left_as_it_was():
    layout = flame.lay_out(stacks(("main", 25), total=100))
    assert layout.share(1) == 0.25


@pytest.mark.parametrize(
    ("function", "file", "package"),
    [
        ("github.com/acme/shop/cart.(*Store).Put", "/src/cart/store.go", "github.com/acme/shop/cart"),
        ("main.run.func1", "/src/main.go", "main"),
        ("a/b.Map[go.shape.string,github.com/x/y.T].Set", "/src/b.go", "a/b"),
        ("com.example.shop.Cart.add", "Cart.java", "com.example.shop"),
        ("std::vector<a::b>::push_back(int)", "", "std"),
        ("handler", "/app/node_modules/express/router.js", "/app/node_modules/express"),
        ("", "/app/shop/views.py", "/app/shop"),
        ("malloc", "", ""),
    ],
)
def test_the_package_is_found_as_each_language_writes_it(function, file, package):
    assert flame.package_of(function, file) == package


def test_a_package_has_the_same_colour_in_every_graph():
    one = flame.lay_out(stacks(("main.a;lib.b", 5)))
    other = flame.lay_out(stacks(("lib.c;main.d;main.e", 9)))
    assert flame.hue(one, 1) == flame.hue(other, 2) == flame.hue(other, 3)
    assert flame.hue(one, 2) == flame.hue(other, 1)
    assert flame.hue(one, 1) != flame.hue(one, 2)


def test_the_columns_for_the_script_hold_each_frame_once():
    columns = flame.columns(flame.lay_out(stacks(("a;b;a", 3), ("a", 2))))
    assert columns["strings"] == ["all", "", "a", "b"]
    assert [columns["strings"][columns["name"][frame]] for frame in columns["frame"]] == ["all", "a", "b", "a"]
    assert columns["weight"] is None, "without losses the width is the total"


def rectangles(picture: str) -> list[tuple[float, float, float]]:
    """Left, top and width of every box."""
    root = ET.fromstring(picture)
    groups = root.findall("{http://www.w3.org/2000/svg}g")
    found = [group.find("{http://www.w3.org/2000/svg}rect") for group in groups]
    return [(float(r.get("x")), float(r.get("y")), float(r.get("width"))) for r in found]


def test_the_picture_puts_callees_below_their_caller_and_none_over_another():
    drawn = rectangles(flame.svg(stacks(("a;b", 30), ("a;c", 20), ("d", 50), ("d;e;f", 7))))
    assert len(drawn) == 7
    for row in {y for _, y, _ in drawn}:
        spans = sorted((x, x + width) for x, y, width in drawn if y == row)
        assert all(end <= start for (_, end), (start, _) in pairwise(spans))
        assert spans[0][0] >= 0
        assert spans[-1][1] <= flame.WIDTH


def test_the_picture_is_well_formed_and_the_same_each_time_whatever_the_names_are():
    names = ["</title><script>x</script>", "a\0b", "\u202ex", "\ud800", "y" * 10_000, "'\"&"]
    answer = stacks(*((";".join([name, *names]), 5) for name in names))
    picture = flame.svg(answer)
    assert picture == flame.svg(answer)
    assert {element.tag.rpartition("}")[2] for element in ET.fromstring(picture).iter()} == {
        "svg", "title", "rect", "text", "g",
    }  # fmt: skip


def test_the_picture_of_a_difference_is_blue_where_it_shrank_and_orange_where_it_grew():
    picture = flame.svg(stacks(("grew", 60), ("shrank", -50), total=60, signed=True))
    fills = dict(re.findall(r"<title>(\w+)&#10;[^<]*</title><rect [^>]*fill=\"hsl\((\d+)", picture))
    assert fills["grew"] == "28"
    assert fills["shrank"] == "212"


def test_an_empty_picture_is_still_a_picture():
    assert ET.fromstring(flame.svg(stacks())).tag.endswith("svg")
