"""Find over HTTP: whatever has a name, ranked, from one box."""

from pathlib import Path
from typing import Any

import pytest
from fleet_site import API, Watched, at

from caulk.web.find import Names


def names(*of: str, asked: str) -> list[str]:
    return [name for _, name in Names(of).having(asked.casefold().split())]


def test_what_begins_with_the_words_comes_first_and_then_the_shorter_name():
    found = names("com.acme.Cart", "Cartography", "cart", "shop.carting", asked="Cart")
    assert found == ["cart", "Cartography", "shop.carting", "com.acme.Cart"]


def test_all_words_must_be_in_the_name_in_any_order_and_case():
    assert names("net/http.Server", "net/url.Values", "HTTP", asked="server HTTP") == ["net/http.Server"]
    assert names("a", "b", asked="c") == []


def test_names_may_hold_anything():
    assert names("a\nb", "", "ß", "x" * 5000, asked="ss") == ["ß"]
    assert names("a\nb", asked="a b") == ["a\nb"]


@pytest.mark.parametrize("asked", ["a", "node", "n42 app"])
def test_a_name_among_very_many_is_found_without_looking_at_all_of_them(asked: str):
    looks = 0

    class Text(str):
        __slots__ = ()

        def find(self, *wanted: Any) -> int:
            nonlocal looks
            looks += 1
            return super().find(*wanted)

    many = Names(f"app.node.n{number}.handler" for number in range(200_000))
    many.text = Text(many.text)
    assert many.having(asked.split())
    assert looks < 20_000


def test_targets_incidents_and_dumps_are_found_by_their_names(watched: Watched, tmp_path: Path):
    watched.see(100)
    watched.see(70, key="local:0:/srv:checkout.py")
    incident = watched.incident("checkout")
    (tmp_path / "checkout.txt").write_text("a;b 5\n")
    number = watched.site.dumps.add(tmp_path / "checkout.txt")
    found = watched.get("/api/find?q=checkout")["found"]
    assert {one["kind"]: one["href"] for one in found} == {
        "target": f"/t/{at('local:0:/srv:checkout.py')}",
        "incident": f"/i/{incident.id}",
        "dump": f"/d/{number}",
    }
    (target,) = watched.get("/api/find?q=shop+APP")["found"]
    assert (target["title"], target["href"], target["detail"]) == ("app", f"/t/{at(API)}", "unknown, 100 MB")


def test_functions_are_found_in_dumps_that_are_open_and_not_before(watched: Watched, tmp_path: Path):
    (tmp_path / "x.folded").write_text("main;shop.Cart.put;map.assign 500\nmain;other 20\n")
    number = watched.site.dumps.add(tmp_path / "x.folded")
    assert watched.get("/api/find?q=cart.put")["found"] == []
    watched.read(number)
    (found,) = watched.get("/api/find?q=cart.put")["found"]
    assert (found["kind"], found["title"], found["detail"]) == ("frame", "shop.Cart.put", "x.folded")
    assert found["href"] == f"/d/{number}/flame?sel=frame%3Ashop.Cart.put"


def test_types_are_found_in_heap_dumps_that_are_open(watched: Watched, node_heaps: list[Path]):
    number = watched.site.dumps.add(node_heaps[0])
    watched.read(number)
    found = watched.get("/api/find?q=ticket")["found"]
    assert any(one["kind"] == "type" and f"/d/{number}/types?sel=type%3A" in one["href"] for one in found)


def test_nothing_is_found_for_no_words_and_long_questions_are_refused(watched: Watched):
    watched.see(100)
    assert watched.get("/api/find")["found"] == []
    assert watched.get("/api/find?q=%20%20")["found"] == []
    assert watched.get(f"/api/find?q={'x' * 201}", 400)["what"]
