"""Grids: product grids inside a ball on whitened axes, laid for one set of samples (theory section 7).

Enters: how the samples move along each axis, a rule for each axis. Leaves: points with weights; the last axis is kept
apart, for only some samples move along it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.expectations.quadrature import Rule, check_nodes

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
MAX_NODES = 40_000_000  # of one grid
MAX_HELD = 1 << 25  # numbers of all points that are held at a time, before the last axis


class Grid(NamedTuple):
    """Points of all axes but the last, shape (samples, points), and the last axis, which only some samples feel.

    ``counts`` nodes of the last axis lie in the ball above each point; ``column`` is how the samples move along it.
    """

    z: Array
    weights: Array
    column: Array
    last: Rule
    counts: Ints

    @property
    def split(self) -> tuple[int, ...]:
        """The samples that move along the last axis."""
        return tuple(int(a) for a in np.flatnonzero(self.column))


def moving_axes(axes: Array) -> list[Array]:
    """The columns along which anything moves; one that does not move if there are none."""
    return [column for column in axes.T if column.any()] or [np.zeros(len(axes))]


def product_grid(columns: Sequence[Array], rules: Sequence[Rule], radius: float) -> Grid:
    """Points z = sum of columns times nodes, inside a ball. Raises LimitError where they would be too many."""
    size = len(columns[0])
    z, weights, radii = np.zeros((size, 1)), np.ones(1), np.zeros(1)
    for column, rule in zip(columns[:-1], rules[:-1], strict=True):
        counts = _inside(rule, radii, radius)
        check_nodes(size, int(counts.sum()), MAX_HELD // (size + 2))
        z, weights, radii = _extend(z, weights, radii, column, rule, counts)
    counts = _inside(rules[-1], radii, radius)
    check_nodes(size, int(counts.sum()), MAX_NODES)
    kept = np.flatnonzero(counts)
    return Grid(z[:, kept], weights[kept], columns[-1], rules[-1], counts[kept])


def _inside(rule: Rule, radii: Array, radius: float) -> Ints:
    """For each point, how many nodes of the next axis lie inside the ball."""
    if radius == inf:
        return np.full(len(radii), len(rule.nodes))
    reach = np.sqrt(np.maximum(radius**2 - radii, 0.0))
    return np.searchsorted(np.abs(rule.nodes), reach, side="right")


def _extend(
    z: Array, weights: Array, radii: Array, column: Array, rule: Rule, counts: Ints
) -> tuple[Array, Array, Array]:
    """Points times the first ``counts`` nodes of one more axis."""
    node = node_numbers(counts)
    x = rule.nodes[node]
    moved = np.repeat(z, counts, axis=1)
    moved += column[:, None] * x
    return moved, np.repeat(weights, counts) * rule.weights[node], np.repeat(radii, counts) + x * x


def node_numbers(counts: Ints) -> Ints:
    """0 .. counts[0] - 1, 0 .. counts[1] - 1, .."""
    return np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)


def points(grid: Grid) -> tuple[Array, Array]:
    """Every point of a grid with its weight."""
    node = node_numbers(grid.counts)
    z = np.repeat(grid.z, grid.counts, axis=1) + grid.column[:, None] * grid.last.nodes[node]
    return z, np.repeat(grid.weights, grid.counts) * grid.last.weights[node]


def runs(counts: Ints, nodes: int) -> Iterator[slice]:
    """Runs of points with about so many nodes; they depend on the grid alone, so results do not depend on workers."""
    chunk = np.cumsum(counts) // nodes
    edges = [int(edge) for edge in np.flatnonzero(np.diff(chunk)) + 1]
    return (slice(start, stop) for start, stop in zip([0, *edges], [*edges, len(counts)], strict=True))
