"""What a browser is told to ask for while it still reads the page: what the page asks first, and nothing else."""

from pathlib import Path

import pytest
from page_asking import client

from caulk.web.server import application
from caulk.web.site import Site, site

PROFILE = Path(__file__).parents[1] / "page/dumps/go.3.pb.gz"


@pytest.fixture
def served(tmp_path: Path) -> Site:
    (tmp_path / "page").mkdir()
    (tmp_path / "page/index.html").write_text("<!doctype html>")
    return site(tmp_path / "home", page=tmp_path / "page")


@pytest.fixture
def asker(served: Site):
    with client(application(served)) as one:
        yield one


@pytest.fixture
def shown(served: Site) -> str:
    return served.dumps.add(PROFILE)


def ahead(asker, path: str) -> list[str]:
    return [link.partition(">")[0].lstrip(" <") for link in asker.get(path).headers["link"].split(", ")]


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/", ["/api/session", "/api/fleet"]),
        ("/t/a%2Fb%20c", ["/api/session", "/api/t/a%2Fb%20c"]),
        ("/d/a..b", ["/api/session", "/api/d/a..b"]),
        ("/d/a/flame", ["/api/session", "/api/d/a"]),
        ("/d/a/flame?q=main", ["/api/session"]),
        ("/jobs", ["/api/session"]),
    ],
)
def test_the_first_questions_of_a_page_are_named_with_it(asker, path: str, asked: list[str]):
    assert ahead(asker, path) == asked


def test_the_answers_of_tabs_are_named_once_the_dump_is_open(asker, shown):
    address = f"/d/{shown}"
    assert ahead(asker, address) == ["/api/session", f"/api{address}"]
    while asker.get(f"/api{address}").status_code == 202:
        pass
    assert ahead(asker, f"{address}/flame") == [
        "/api/session",
        *(f"/api{address}{tab}" for tab in ("", "/suspects", "/flame")),
    ]


def test_an_address_adds_nothing_to_the_header_but_itself(asker):
    header = asker.get("/t/x%3E%2C%20%3C%2Fapi%2Fjobs%3E").headers["link"]
    assert header.count("<") == header.count(">") == 2
    assert "\n" not in header
