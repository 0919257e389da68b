"""Source code on the page: of the directories that were given, and of no other."""

from pathlib import Path

from page_asking import client

from caulk.config import Config
from caulk.config.schema import Serve
from caulk.web.server import application
from caulk.web.site import site

PROFILE = Path(__file__).parents[1] / "page/dumps/go.3.pb.gz"
SHOP = Path(__file__).parents[1] / "page/programs"


def lines(home: Path, **serve: object) -> list[dict[str, object]]:
    one = site(home, config=Config(serve=Serve(**serve)))
    number = one.dumps.add(PROFILE)
    with client(application(one)) as browser:
        path = f"/api/d/{number}/source?pattern=putSession"
        while (answer := browser.get(path)).status_code == 202:
            pass
    return answer.json()["rows"]


def test_a_line_is_shown_with_its_text_where_a_directory_was_given(tmp_path: Path):
    texts = [row["source"] for row in lines(tmp_path, sources=(str(SHOP),))]
    assert any("make([]byte, 512)" in str(text) for text in texts)


def test_without_a_directory_no_file_is_read(tmp_path: Path):
    found = lines(tmp_path)
    assert found
    assert not any("make([]byte" in str(row) for row in found)


def test_a_template_makes_links_of_lines(tmp_path: Path):
    found = lines(tmp_path, source_url="https://host/shop/blob/v1/{file}#L{line}")
    assert any("https://host/shop/blob/v1/" in str(row) and "#L22" in str(row) for row in found)
