"""Every setting is on the page about caulk.toml, and what stands there as an example is taken."""

import re
from pathlib import Path

import pytest
from msgspec import inspect

from caulk.config import Config, load
from caulk.config.rules import DEFAULT_RULES

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/config.md").read_text()


def settings(kind: inspect.Type) -> set[str]:
    """The names of all keys within a table, and of its kinds."""
    if isinstance(kind, inspect.StructType):
        own = {field.encode_name for field in kind.fields} | ({str(kind.tag)} if kind.tag else set())
        return own.union(*(settings(field.type) for field in kind.fields))
    if isinstance(kind, inspect.UnionType):
        return set().union(*(settings(one) for one in kind.types))
    if isinstance(kind, inspect.DictType):
        return settings(kind.value_type)
    return settings(kind.item_type) if isinstance(kind, inspect.VarTupleType) else set()


@pytest.mark.parametrize("key", sorted(settings(inspect.type_info(Config))))
def test_a_setting_is_on_its_page(key):
    assert re.search(rf"`[^`\n]*\b{key}\b[^`\n]*`", PAGE), f"docs/config.md says nothing of {key}"


def test_the_example_is_one_that_caulk_takes(tmp_path):
    (tmp_path / "caulk.toml").write_text(re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)[1])
    config = load(str(tmp_path / "caulk.toml"), {})
    assert [rule.name for rule in config.rules] == ["api-nearly-full"]


@pytest.mark.parametrize("rule", DEFAULT_RULES, ids=lambda rule: rule.name)
def test_a_default_rule_is_on_the_page_about_the_loop(rule):
    assert f"| `{rule.name}` |" in (ROOT / "docs/incidents.md").read_text()
