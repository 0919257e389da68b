"""Rules in files: what Prometheus reads, the operator's PrometheusRule, and a ConfigMap that holds either.

The operator's kind: https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PrometheusRule.
Read from YAML's nodes rather than from objects: so each rule knows its line, and an alias cannot multiply.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from caulk.alerting.rule import Group, Rule
from caulk.model.errors import MalformedDump

_LARGEST = 8 << 20
_MOST_RULES, _MOST_ITEMS = 20_000, 2_000
_HINT = "A file of rules has `groups:` with `rules:`, or is a PrometheusRule or a ConfigMap. Render templates first."


def read(text: str, *, name: str) -> list[Group]:
    """The groups in a file's text, in its order. Raises MalformedDump where it has none, or is no YAML."""
    found = list(_groups(text, name, 0, 0))
    if not found:
        raise MalformedDump(f"{name}: there are no rules in it", hint=_HINT)
    return found


def _groups(text: str, name: str, first: int, depth: int) -> Iterator[Group]:
    """The groups in the text that begins on line `first` of the file, counted from 0."""
    if len(text) > _LARGEST:
        raise MalformedDump(f"{name}: {len(text):,} characters are too many for rules")
    try:
        # A document is composed only when the one before it has been read.
        for document in yaml.compose_all(text, Loader=yaml.SafeLoader):
            yield from _of_document(document, name, first, depth)
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f":{first + where.line + 1}" if where else ""
        problem = getattr(error, "problem", None) or "it is not YAML"
        raise MalformedDump(f"{name}{line}: {problem}", hint=_HINT) from None
    except RecursionError:
        raise MalformedDump(f"{name}: it is nested too deeply", hint=_HINT) from None


def _of_document(node: Any, name: str, first: int, depth: int) -> Iterator[Group]:
    fields = _fields(node)
    kind = _text(fields.get("kind"))
    if kind == "List" and depth == 0:
        items = _items(fields.get("items"))
        if len(items) > _MOST_ITEMS:
            raise MalformedDump(f"{name}: a list has {len(items):,} items")
        for item in items:
            yield from _of_document(item, name, first, depth + 1)
    elif kind == "ConfigMap" and depth < 2:
        for value in _fields(fields.get("data")).values():
            if "groups" in (inner := _text(value)):
                block = value.style in ("|", ">")
                yield from _groups(inner, name, first + value.start_mark.line + block, depth + 1)
    else:
        holder = _fields(fields.get("spec")) if "spec" in fields else fields
        for group in _items(holder.get("groups")):
            yield _group(group, name, first)


def _group(node: Any, name: str, first: int) -> Group:
    fields = _fields(node)
    rules = _items(fields.get("rules"))
    if len(rules) > _MOST_RULES:
        raise MalformedDump(f"{name}: a group has {len(rules):,} rules")
    return Group(
        _text(fields.get("name")), tuple(_rule(rule, name, first) for rule in rules), _text(fields.get("interval"))
    )


def _rule(node: Any, name: str, first: int) -> Rule:
    fields = _fields(node)
    line = first + node.start_mark.line + 1
    alert, record = _text(fields.get("alert")), _text(fields.get("record"))
    if not (alert or record) or not _text(fields.get("expr")):
        raise MalformedDump(f"{name}:{line}: a rule needs `alert` or `record`, and `expr`", hint=_HINT)
    return Rule(
        alert or record,
        _text(fields.get("expr")).strip(),
        is_alert=bool(alert),
        lasting=_text(fields.get("for")),
        labels={key: _text(value) for key, value in _fields(fields.get("labels")).items()},
        annotations={key: _text(value) for key, value in _fields(fields.get("annotations")).items()},
        line=line,
    )


def _fields(node: Any) -> dict[str, Any]:
    """The nodes of a mapping by key; none of anything else."""
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}


def _items(node: Any) -> list[Any]:
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _text(node: Any) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def plain(groups: Sequence[Group]) -> dict[str, Any]:
    """What `rule_files` of Prometheus names."""
    return {"groups": [_group_record(group) for group in groups]}


def operator(groups: Sequence[Group], *, name: str, labels: Mapping[str, str]) -> dict[str, Any]:
    """The same for the Prometheus operator, which picks rules by `labels`."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": _metadata(name, labels),
        "spec": plain(groups),
    }


def config_map(groups: Sequence[Group], *, name: str, labels: Mapping[str, str]) -> dict[str, Any]:
    """The same as a ConfigMap with one file, `NAME.yml`, for a Prometheus that mounts it or a sidecar that finds it."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _metadata(name, labels),
        "data": {f"{name}.yml": write(plain(groups))},
    }


def write(record: Mapping[str, Any]) -> str:
    """YAML of a record, in its order: the same record, the same bytes."""
    return yaml.dump(record, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)


class _Dumper(yaml.SafeDumper):
    """Texts of several lines stand as blocks, as people write them; nothing becomes an alias."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _string(dumper: yaml.SafeDumper, text: str) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _string)


def _metadata(name: str, labels: Mapping[str, str]) -> dict[str, Any]:
    return {"name": name} | ({"labels": dict(labels)} if labels else {})


def _group_record(group: Group) -> dict[str, Any]:
    record: dict[str, Any] = {"name": group.name}
    if group.interval:
        record["interval"] = group.interval
    return record | {"rules": [_rule_record(rule) for rule in group.rules]}


def _rule_record(rule: Rule) -> dict[str, Any]:
    record: dict[str, Any] = {"alert" if rule.is_alert else "record": rule.name, "expr": rule.expr}
    if rule.lasting:
        record["for"] = rule.lasting
    if rule.labels:
        record["labels"] = dict(rule.labels)
    if rule.annotations:
        record["annotations"] = dict(rule.annotations)
    return record
