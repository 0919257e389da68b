"""Folded stacks: `main;parse;new 42`, the text that flame graph scripts and speedscope read.

Deterministic: one line for each stack that has a value of its own, in the order of the text.
"""

from collections import Counter

from caulk.model.tree import Tree

NAME = "folded"

# What would end a name or a line, in names that come from a dump; a leading `#` would make the line a comment.
_ESCAPES = {ord(";"): ":"} | dict.fromkeys((*range(32), 127), " ")


def render(tree: Tree, measure: int = 0) -> str:
    """Every stack with its own value of `measure`; stacks that are written alike are one line."""
    names = [tree.frames.function_name(i).translate(_ESCAPES) or "?" for i in range(len(tree.frames))]
    sums: Counter[str] = Counter()
    for node, value in enumerate(tree.values[measure]):
        if value:
            sums[_stack([names[frame] for frame in tree.stack(node)])] += value
    return "".join(f"{stack} {value}\n" for stack, value in sorted(sums.items()) if value)


def _stack(names: list[str]) -> str:
    stack = ";".join(names) or "(no stack)"
    return f" {stack}" if stack.startswith("#") else stack
