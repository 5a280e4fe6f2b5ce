"""Exact canonical forms and symmetries of legs joined by a channel.

Enters: a graph on slots with two kinds of edges, the derivative contractions inside the legs ("edges") and the
channel ("partner", one a slot; a slot that is its own partner is unpaired). Leaves: its connected components,
each with a certificate (equal if and only if isomorphic) and with every ordering of its slots that gives this
certificate, that is, its symmetry group. Exact search by individualisation and refinement: no hashes.
Theory: section 2 (channels; relabelled cumulants are one tensor).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

Edges = tuple[tuple[int, int], ...]
Certificate = tuple[int, Edges, Edges]


class Component(NamedTuple):
    """A connected piece: ``orders[g][k]`` is the slot at canonical position k under the g-th symmetry."""

    certificate: Certificate
    orders: tuple[tuple[int, ...], ...]


@lru_cache(maxsize=65536)
def components(edges: Edges, partner: tuple[int, ...]) -> tuple[Component, ...]:
    """The connected components of legs and channel, sorted by certificate (ties by first slot)."""
    size = len(partner)
    root = list(range(size))

    def find(v: int) -> int:
        while root[v] != v:
            v = root[v]
        return v

    for a, b in [*edges, *enumerate(partner)]:
        root[find(a)] = find(b)
    members: dict[int, list[int]] = {}
    for v in range(size):
        members.setdefault(find(v), []).append(v)
    found = [_canonical(tuple(slots), edges, partner) for slots in members.values()]
    return tuple(sorted(found, key=lambda c: (_rank(c.certificate), min(c.orders[0]))))


def _rank(certificate: Certificate) -> tuple[object, ...]:
    """Chains come before rings before other pieces, shorter first: the order used in names and legs."""
    size, edges, channel = certificate
    degree = [0] * size
    for a, b in edges:
        degree[a] += 1
        degree[b] += 1
    kind = 2 if max(degree, default=0) > 1 else int(min(degree) == 1)
    return (kind, size, edges, channel)


def _canonical(slots: tuple[int, ...], edges: Edges, partner: tuple[int, ...]) -> Component:
    neighbours: dict[int, list[int]] = {v: [] for v in slots}
    for a, b in edges:
        if a in neighbours:
            neighbours[a].append(b)
            neighbours[b].append(a)
    sizes = _leg_sizes(slots, neighbours)
    start = {v: (sizes[v], -len(neighbours[v])) for v in slots}
    ranks = {key: i for i, key in enumerate(sorted(set(start.values())))}
    best: Certificate | None = None
    orders: list[tuple[int, ...]] = []
    for order in _orderings({v: ranks[start[v]] for v in slots}, neighbours, partner):
        certificate = _certificate(order, neighbours, partner)
        if best is None or certificate < best:
            best, orders = certificate, [order]
        elif certificate == best:
            orders.append(order)
    assert best is not None
    return Component(best, tuple(sorted(orders)))


def _leg_sizes(slots: tuple[int, ...], neighbours: dict[int, list[int]]) -> dict[int, int]:
    sizes: dict[int, int] = {}
    for v in slots:
        if v in sizes:
            continue
        seen, stack = {v}, [v]
        while stack:
            for u in neighbours[stack.pop()]:
                if u not in seen:
                    seen.add(u)
                    stack.append(u)
        sizes.update(dict.fromkeys(seen, len(seen)))
    return sizes


def _refine(colour: dict[int, int], neighbours: dict[int, list[int]], partner: tuple[int, ...]) -> dict[int, int]:
    classes = len(set(colour.values()))
    while True:
        signature = {
            v: (c, colour[partner[v]], tuple(sorted(colour[u] for u in neighbours[v]))) for v, c in colour.items()
        }
        ranks = {s: i for i, s in enumerate(sorted(set(signature.values())))}
        colour = {v: ranks[s] for v, s in signature.items()}
        if len(ranks) == classes:
            return colour
        classes = len(ranks)


def _orderings(
    colour: dict[int, int], neighbours: dict[int, list[int]], partner: tuple[int, ...]
) -> Iterator[tuple[int, ...]]:
    colour = _refine(colour, neighbours, partner)
    cells: dict[int, list[int]] = {}
    for v, c in colour.items():
        cells.setdefault(c, []).append(v)
    open_cells = [c for c in sorted(cells) if len(cells[c]) > 1]
    if not open_cells:
        yield tuple(cells[c][0] for c in sorted(cells))
        return
    for v in cells[open_cells[0]]:
        singled_out = {u: 2 * c + 1 for u, c in colour.items()}
        singled_out[v] -= 1
        yield from _orderings(singled_out, neighbours, partner)


def _certificate(order: tuple[int, ...], neighbours: dict[int, list[int]], partner: tuple[int, ...]) -> Certificate:
    position = {v: i for i, v in enumerate(order)}
    edges = sorted((position[a], position[b]) for a in order for b in neighbours[a] if position[a] < position[b])
    channel = sorted((position[v], position[partner[v]]) for v in order if position[v] < position[partner[v]])
    return (len(order), tuple(edges), tuple(channel))
