"""Who holds most of a group of objects that are all over a heap: the field, by some of them."""

from collections import Counter
from collections.abc import Iterable, Sequence

from caulk.analysis.holders.chains import links
from caulk.analysis.holders.containers import Containers
from caulk.analysis.holders.names import holder_of, short_holder
from caulk.analysis.objects.paths import Nearest
from caulk.model.graph import LABEL_MASK, ROOTS, Label, ObjectGraph

#: Steps above an object that are looked at, a long list being one: fields hold what they hold through few of them.
_STEPS = 12
#: Of the elements of a long list every one of so many remembers where the list begins.
_REMEMBERING = 64


class UsualHolders:
    """Names holders in one graph; `nearest` are the ways from the roots.

    Every list is climbed once and every way is named once, however many objects are asked about.
    """

    def __init__(self, graph: ObjectGraph, nearest: Nearest) -> None:
        self._graph, self._nearest = graph, nearest
        self._containers = Containers(graph)
        self._begins: dict[int, int] = {}
        self._named: dict[tuple[tuple[int, int, str], ...], str] = {}

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
        way: list[int] = []
        while number != ROOTS and parent[number] >= 0 and len(way) < _STEPS:
            way.append(self._beginning(number))
            number = parent[way[-1]]
        way.reverse()
        # Ways of objects that are called alike, by types and labels, have one name.
        key = tuple((*self._reached(one), graph.name(one)) for one in way)
        if key not in self._named:
            self._named[key] = self._name(
                [(one, graph.labels[label]) for one, (_, label, _) in zip(way, key, strict=True)]
            )
        return self._named[key]

    def _beginning(self, number: int) -> int:
        """The first of a list of objects of one type that hold each other by one reference, up from `number`."""
        parent, begins = self._nearest.parent, self._begins
        reached, climbed = self._reached(number), 0
        remembering = []
        while number not in begins:
            if climbed % _REMEMBERING == 0:
                remembering.append(number)
            above = parent[number]
            if above == ROOTS or parent[above] < 0 or self._reached(above) != reached:
                begins[number] = number
                break
            number, climbed = above, climbed + 1
        first = begins[number]
        if climbed:
            begins.update(dict.fromkeys(remembering, first))
        return first

    def _reached(self, number: int) -> tuple[int, int]:
        """An object's type, and the label of the reference by which it is held."""
        graph = self._graph
        return graph.type[number], graph.label[self._nearest.edge[number]] & LABEL_MASK

    def _name(self, steps: Sequence[tuple[int, Label]]) -> str:
        name, _ = holder_of(links(self._graph, steps, self._containers))
        return self._of_runtime(steps) if name.startswith("runtime.") else short_holder(name)

    def _of_runtime(self, steps: Sequence[tuple[int, Label]]) -> str:
        """What of the runtime's own holds the last step: its constants are in arrays of code or of a root."""
        types = self._graph.types
        kinds = [self._graph.type[number] for number, _ in reversed(steps[:-1])]
        return f"runtime.{next((types.name[k].strip('()') for k in kinds if types.kind[k] != 'array'), 'roots')}"
