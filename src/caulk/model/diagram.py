"""Diagrams: the heaviest functions, or types, with what goes between them: what the report `graph` gives to views."""

from dataclasses import dataclass

from caulk.model.measure import Measure


@dataclass(frozen=True, slots=True)
class Node:
    """A function, or a type: `own` is without and `total` with what is below it, once however deep it recurs."""

    name: str
    location: str
    package: str
    own: int
    total: int


@dataclass(frozen=True, slots=True)
class Edge:
    """What goes from one node (by number) to another; where it is residual, by way of others that are left out."""

    source: int
    target: int
    value: int
    is_residual: bool


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes by their total, edges by their value, the heaviest first. `total` is what shares are of."""

    name: str
    measure: Measure
    total: int
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    signed: bool = False
    notes: tuple[str, ...] = ()
