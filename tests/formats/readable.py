"""A profile as plain Python values, for tests to compare."""

from collections import Counter

from caulk.model.profile import Profile

Stack = tuple[str, ...]


def stacks(profile: Profile, measure: int | None = None) -> dict[Stack, int]:
    """Values of one measure (the default one) by the names of a stack, outermost first; stacks without one are out."""
    tree = profile.tree
    column = tree.values[profile.default_measure if measure is None else measure]
    found: Counter[Stack] = Counter()
    for node, value in enumerate(column):
        found[tuple(tree.frames.function_name(f) for f in tree.stack(node))] += value
    return {stack: value for stack, value in found.items() if value}


def rows(profile: Profile) -> list[tuple[object, ...]]:
    """Every sample: its frames (function, file, line), its labels, its values."""
    frames, tree, samples = profile.frames, profile.tree, profile.samples
    return [
        (
            tuple((frames.function_name(f), frames.file_name(f), frames.line[f]) for f in tree.stack(node)),
            profile.label_sets[samples.labels[i]],
            tuple(column[i] for column in samples.values),
        )
        for i, node in enumerate(profile.nodes)
    ]
