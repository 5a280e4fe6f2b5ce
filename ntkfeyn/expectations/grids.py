"""Grids: nested nodes of whitened axes inside a ball (theory section 7).

Enters: a rule for each axis, the radius of the ball. Leaves: levels, one an axis: below each point of a level lie the
nodes of the next axis that are inside the ball. A grid knows nothing of samples: sets of samples whose axes have the
same scales share it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import inf, prod, sqrt
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.expectations.quadrature import Rule, check_nodes

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Numbers = TypeVar("Numbers", Array, Ints)
MAX_NODES = 40_000_000  # of one grid
MAX_HELD = 1 << 25  # points of all axes but the last that are held at a time


class Axes(NamedTuple):
    """A rule for each axis, and the radius of the ball."""

    rules: tuple[Rule, ...]
    radius: float

    @property
    def size(self) -> int:
        """More nodes than the grid has."""
        return prod(len(rule.nodes) for rule in self.rules)


class Level(NamedTuple):
    """Nodes of one axis with their own weights.

    ``counts[point]`` of them, from ``starts[point]`` on, lie below a point of the level before.
    """

    counts: Ints
    starts: Ints
    nodes: Array
    weights: Array

    @staticmethod
    def of(counts: Ints, nodes: Array, weights: Array) -> Level:
        """With the starts."""
        return Level(counts, np.cumsum(counts) - counts, nodes, weights)

    def moved(self, z: Array, column: Array) -> Array:
        """z at the points before, shape (sets, samples, points), and ``column`` along this axis -> z at its nodes."""
        moved = np.repeat(z, self.counts, axis=-1)
        moved += column[:, :, None] * self.nodes
        return moved

    def summed(self, values: Numbers) -> Numbers:
        """Sums over the nodes below each point, shape (.., nodes) -> (.., points)."""
        return np.add.reduceat(values, self.starts, axis=-1)


class Grid(NamedTuple):
    """Levels of all axes but the last; of the last one the rule, and how many of its nodes lie below each point.

    ``reach``: how far the points above the last axis are from the origin at most.
    """

    levels: tuple[Level, ...]
    last: Rule
    counts: Ints
    reach: float

    @property
    def size(self) -> int:
        """How many nodes there are in all."""
        return int(self.counts.sum())

    def bottom(self) -> Level:
        """The level of the last axis."""
        node = _numbers(self.counts)
        return Level.of(self.counts, self.last.nodes[node], self.last.weights[node])

    def points(self) -> tuple[Array, Array]:
        """Where all nodes lie, shape (axes, nodes), and their weights."""
        x, weights = np.zeros((0, 1)), np.ones(1)
        for level in (*self.levels, self.bottom()):
            x = np.concatenate([np.repeat(x, level.counts, axis=1), level.nodes[None]])
            weights = np.repeat(weights, level.counts) * level.weights
        return x, weights

    def parts(self, most: int, nodes: bool = True) -> Iterator[Grid]:
        """The grid in parts of about so many nodes, or points above the last axis; cut along the first axis."""
        counts = self.counts if nodes else np.ones_like(self.counts)
        if not self.levels or int(counts.sum()) <= most:
            yield self
            return
        run = np.cumsum(_below(self.levels, counts)) // most
        edges = [0, *(np.flatnonzero(np.diff(run)) + 1).tolist(), len(run)]
        for start, stop in pairwise(edges):
            yield self._cut(start, stop)

    def _cut(self, start: int, stop: int) -> Grid:
        """The part below some nodes of the first axis."""
        first = self.levels[0]
        levels = [Level.of(np.array([stop - start]), first.nodes[start:stop], first.weights[start:stop])]
        for level in self.levels[1:]:
            ends = np.cumsum(level.counts)
            nodes = slice(int(ends[start] - level.counts[start]), int(ends[stop - 1]))
            levels.append(Level.of(level.counts[start:stop], level.nodes[nodes], level.weights[nodes]))
            start, stop = nodes.start, nodes.stop
        return Grid(tuple(levels), self.last, self.counts[start:stop], self.reach)


def product_grid(rules: Sequence[Rule], radius: float) -> Grid:
    """One axis a rule. Raises LimitError where the nodes would be too many."""
    radii = np.zeros(1)
    levels = []
    for rule in rules[:-1]:
        counts = _inside(rule, radii, radius)
        check_nodes(len(rules), int(counts.sum()), MAX_HELD // (len(rules) + 2))
        node = _numbers(counts)
        levels.append(Level.of(counts, rule.nodes[node], rule.weights[node]))
        radii = np.repeat(radii, counts) + levels[-1].nodes ** 2
    counts = _inside(rules[-1], radii, radius)
    check_nodes(len(rules), int(counts.sum()), MAX_NODES)
    return Grid(tuple(levels), rules[-1], counts, sqrt(radii.max()))


def _inside(rule: Rule, radii: Array, radius: float) -> Ints:
    """For each point, how many nodes of the next axis lie inside the ball; the nearest one always does."""
    if radius == inf:
        return np.full(len(radii), len(rule.nodes))
    reach = np.sqrt(np.maximum(radius**2 - radii, 0.0))
    return np.maximum(np.searchsorted(np.abs(rule.nodes), reach, side="right"), 1)


def _below(levels: Sequence[Level], counts: Ints) -> Ints:
    """How many nodes lie below each node of the first axis."""
    for level in reversed(levels[1:]):
        counts = level.summed(counts)
    return counts


def _numbers(counts: Ints) -> Ints:
    """0 .. counts[0] - 1, 0 .. counts[1] - 1, .."""
    return np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
