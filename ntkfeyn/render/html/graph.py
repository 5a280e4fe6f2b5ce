"""The dependency graph of a system: what needs what, in layers, as inline SVG whose nodes are links.

Enters: recursions. Leaves: places of nodes, the edges that are drawn (what follows from others is left out), and for
each node what it needs and what needs it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ntkfeyn.derivation.recursion import Recursion
from ntkfeyn.model.tensors import TensorId

COLUMN, ROW, HEIGHT, LETTER, PADDING = 24, 78, 34, 9.5, 22  # lengths in px


@dataclass(frozen=True)
class Node:
    """A tensor: the middle of its box, its width, and its neighbours; ``known`` if its recursion is on the page."""

    tensor: TensorId
    x: float
    y: float
    width: float
    known: bool
    needs: tuple[TensorId, ...]
    needed_by: tuple[TensorId, ...]


@dataclass(frozen=True)
class Graph:
    nodes: tuple[Node, ...]
    edges: tuple[tuple[TensorId, TensorId, str], ...]  # from what is needed, to what needs it, the way
    width: float
    height: float


def dependency_graph(recursions: Sequence[Recursion], names: Mapping[TensorId, str]) -> Graph:
    """Layers from the top: what needs nothing else stands first. ``names`` are shown in the boxes."""
    needs = {recursion.id: tuple(t for t in recursion.dependencies if t != recursion.id) for recursion in recursions}
    everything = list(dict.fromkeys([*(t for found in needs.values() for t in found), *needs]))
    ranks: dict[TensorId, int] = {}

    def rank(tensor: TensorId) -> int:
        if tensor not in ranks:
            ranks[tensor] = 0
            ranks[tensor] = 1 + max((rank(one) for one in needs.get(tensor, ())), default=-1)
        return ranks[tensor]

    rows: dict[int, list[TensorId]] = {}
    for tensor in sorted(everything, key=TensorId.by_order):
        rows.setdefault(rank(tensor), []).append(tensor)
    widths = {tensor: LETTER * len(names[tensor]) + PADDING for tensor in everything}
    lengths = {k: sum(widths[t] for t in row) + COLUMN * (len(row) - 1) for k, row in rows.items()}
    whole = max(lengths.values(), default=0)
    places: dict[TensorId, tuple[float, float]] = {}
    for k in sorted(rows):
        x = (whole - lengths[k]) / 2
        for tensor in _ordered(rows[k], needs, places):
            places[tensor] = (x + widths[tensor] / 2, ROW * k + HEIGHT / 2)
            x += widths[tensor] + COLUMN
    nodes = [
        Node(
            tensor,
            *places[tensor],
            widths[tensor],
            tensor in needs,
            needs.get(tensor, ()),
            tuple(other for other in needs if tensor in needs[other]),
        )
        for k in sorted(rows)
        for tensor in sorted(rows[k], key=lambda t: places[t])
    ]
    edges = [(a, b, _way(places[a], places[b])) for b in needs for a in _direct(b, needs)]
    return Graph(tuple(nodes), tuple(edges), whole, ROW * max(rows, default=0) + HEIGHT)


def _ordered(
    row: Sequence[TensorId],
    needs: Mapping[TensorId, Sequence[TensorId]],
    places: Mapping[TensorId, tuple[float, float]],
) -> list[TensorId]:
    """Below the middle of what they need."""

    def middle(tensor: TensorId) -> float:
        found = [places[one][0] for one in _direct(tensor, needs) if one in places]
        return sum(found) / len(found) if found else 0.0

    return sorted(row, key=lambda tensor: (middle(tensor), TensorId.by_order(tensor)))


def _direct(tensor: TensorId, needs: Mapping[TensorId, Sequence[TensorId]]) -> list[TensorId]:
    """What is needed not only because something else that is needed needs it."""
    found = needs.get(tensor, ())
    through: set[TensorId] = set()
    waiting = list(found)
    while waiting:
        for one in needs.get(waiting.pop(), ()):
            if one not in through:
                through.add(one)
                waiting.append(one)
    return [one for one in found if one not in through]


def _way(start: tuple[float, float], end: tuple[float, float]) -> str:
    """A curve from the bottom of a box to the top of another."""
    (x, y), (u, v) = (start[0], start[1] + HEIGHT / 2), (end[0], end[1] - HEIGHT / 2)
    middle = (y + v) / 2
    return f"M{x:.0f} {y:.0f}C{x:.0f} {middle:.0f} {u:.0f} {middle:.0f} {u:.0f} {v:.0f}"
