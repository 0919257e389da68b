"""Every command line that a page quotes is one that the real command line takes, and every verb is in the README."""

import re
import shlex
from itertools import takewhile
from pathlib import Path

import pytest

from caulk.cli import VERBS, app

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))]
FENCED = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def quoted(page: Path) -> list[str]:
    """The `caulk …` lines of a page's blocks (after a prompt, if there is one), and those within its sentences."""
    text = page.read_text()
    lines = [line.removeprefix("$ ") for block in FENCED.findall(text) for line in block.splitlines()]
    lines += re.findall(r"`([^`\n]+)`", FENCED.sub("", text))
    return [line for line in lines if re.match(r"caulk [\w-]", line)]


COMMANDS = sorted({(str(page.relative_to(ROOT)), line) for page in PAGES for line in quoted(page)})


@pytest.mark.parametrize(("document", "line"), COMMANDS)
def test_a_quoted_command_line_is_one_that_caulk_takes(document: str, line: str):
    words = shlex.split(line, comments=True)
    if len(words) == 2 and words[1] in {name for name, _, _ in VERBS}:
        return  # the verb is named, not called
    command = list(takewhile(lambda word: word not in {"|", ">", "2>", "&&", ";", "&"}, words))
    app.parse_args(command[1:], exit_on_error=False, print_error=False)


def test_pages_do_quote_command_lines():
    assert any(page == "README.md" for page, _ in COMMANDS)
    assert any(page.startswith("docs/") for page, _ in COMMANDS)


@pytest.mark.parametrize("verb", [name for name, _, _ in VERBS])
def test_every_verb_has_a_section_in_the_readme(verb: str):
    headings = re.findall(r"^#+ .*", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert any(f"`caulk {verb}`" in heading for heading in headings)
