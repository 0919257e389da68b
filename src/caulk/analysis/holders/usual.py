"""Who holds most of a group of objects that are all over a heap: the field, by some of them."""

from collections import Counter
from collections.abc import Iterable, Sequence

from caulk.analysis.holders.chains import links
from caulk.analysis.holders.containers import Containers
from caulk.analysis.holders.names import holder_of, short_holder
from caulk.analysis.objects.paths import Nearest
from caulk.model.graph import LABEL_MASK, ROOTS, Label, ObjectGraph

#: A long list is climbed as one step, and no further than this.
_CLIMBED = 5_000
#: Steps above an object that are looked at: fields hold what they hold through few of them.
_STEPS = 12


class UsualHolders:
    """Names holders in one graph; `nearest` are the ways from the roots."""

    def __init__(self, graph: ObjectGraph, nearest: Nearest) -> None:
        self._graph, self._nearest = graph, nearest
        self._containers = Containers(graph)

    def of(self, objects: Iterable[int]) -> tuple[str, float]:
        """The field or variable that holds most of some objects, and what part of them; empty where nothing does."""
        counts = Counter(self._holder(number) for number in objects)
        if not counts:
            return "", 0.0
        holder = min(counts, key=lambda name: (-counts[name], name))
        return holder, counts[holder] / counts.total()

    def _holder(self, number: int) -> str:
        graph, parent = self._graph, self._nearest.parent
        # The characters of a string are held by the string, and that by the program.
        while parent[number] > ROOTS and graph.types.kind[graph.type[parent[number]]] == "string":
            number = parent[number]
        steps: list[tuple[int, Label]] = []
        last = (-1, -1)
        for _ in range(_CLIMBED):
            if number == ROOTS or parent[number] < 0 or len(steps) == _STEPS:
                break
            label = graph.label[self._nearest.edge[number]] & LABEL_MASK
            if (graph.type[number], label) == last:
                steps.pop()
            last = (graph.type[number], label)
            steps.append((number, graph.labels[label]))
            number = parent[number]
        steps.reverse()
        name, _ = holder_of(links(graph, steps, self._containers))
        return self._of_runtime(steps) if name.startswith("runtime.") else short_holder(name)

    def _of_runtime(self, steps: Sequence[tuple[int, Label]]) -> str:
        """What of the runtime's own holds the last step: its constants are in arrays of code or of a root."""
        types = self._graph.types
        kinds = [self._graph.type[number] for number, _ in reversed(steps[:-1])]
        return f"runtime.{next((types.name[k].strip('()') for k in kinds if types.kind[k] != 'array'), 'roots')}"
