"""The pages hold together: links lead somewhere, every page is on the map, and what they list is what the code has."""

import re
import tomllib
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from caulk.dashboards.catalog import DASHBOARDS
from caulk.formats import FORMATS

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)

#: Where a page may point a reader: documentation that anybody can open.
PUBLIC = {"keepachangelog.com", "semver.org", "github.com", "docs.python.org", "go.dev", "nodejs.org", "127.0.0.1"}
#: Where the metrics of each dashboard are documented.
PUBLIC |= {urlsplit(dashboard.source).netloc for dashboard in DASHBOARDS}
#: What a new machine runs or reads to build caulk.
BUILD = [ROOT / name for name in ("Makefile", "setup.py", "pyproject.toml", ".ci/run", "demo/run")]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as a forge derives them."""
    headings = re.findall(r"^#+ +(.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_link_within_the_project_leads_to_a_page_and_a_heading(document: Path):
    for link in LINK.findall(FENCE.sub("", document.read_text())):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_is_on_the_map():
    index = ROOT / "docs/index.md"
    on_the_map = {(index.parent / link.partition("#")[0]).resolve() for link in LINK.findall(index.read_text())}
    assert set(ROOT.glob("docs/**/*.md")) - {index} <= on_the_map


def test_the_layers_in_the_docs_are_the_layers_that_are_checked():
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    checked = contract["layers"]
    page = (ROOT / "docs/explain/architecture.md").read_text()
    drawn = page.split("## Layers")[1].split("```")[1].split("\n")
    assert [line for line in drawn if line] == checked


def test_every_format_that_is_read_has_a_row():
    page = (ROOT / "docs/formats.md").read_text()
    rows = re.findall(r"^\| `([^`]+)`", page.split("## Read")[1].split("## Written")[0], re.MULTILINE)
    assert sorted(rows) == sorted(import_module(f"caulk.formats.{name}").NAME for name in FORMATS)


@pytest.mark.parametrize("file", PAGES + BUILD, ids=lambda file: str(file.relative_to(ROOT)))
def test_nothing_names_one_persons_machine_or_a_private_host(file: Path):
    text = file.read_text()
    assert not re.findall(r"(?<![\w.])/(?:home|Users|root|work|mnt|tmp)/\w+", text)
    assert set(re.findall(r"https?://([\w.-]+)", text)) <= PUBLIC
