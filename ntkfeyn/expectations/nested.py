"""Nested sums: all expectations over sets of samples, axis by axis, from the last one inwards (theory section 7).

Enters: how samples move along the axes of a grid, and which product each expectation has at each sample. Leaves: the
expectations. Factors of K are triangular: a sample is settled at the last axis that it moves along, so its activation
is computed once for each node down to there and not for those below, and a sum over an axis is taken once for all
expectations that agree below it. Where very many points lie above the last axis, the mean over it is a smooth function
of one variable, which is computed at few places and interpolated.
"""

from __future__ import annotations

from functools import reduce
from math import hypot
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.expectations.activations import Smooth, checked
from ntkfeyn.expectations.grids import Grid, Level
from ntkfeyn.expectations.interpolation import Interpolated, mean_along
from ntkfeyn.expectations.keys import Differentiated, Key
from ntkfeyn.expectations.products import values_of

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Head = tuple[tuple[int, Differentiated], ...]  # what stands at samples settled at one axis, by their place there
Values = dict[tuple[int, Differentiated], Array]
CHUNK = 16_384  # nodes at a time: what fits into the cache
POINTS = 16_384  # points above the last axis at a time, where means over it are interpolated
MANY = 4096  # points above the last axis from which on a mean over it is worth interpolating


class Suffix(NamedTuple):
    """One sum over an axis: the factors at that axis, and which sum over the next one they multiply (-1: none)."""

    head: Head
    below: int


class Sums:
    """Expectations ``assignments`` over sets of samples that are settled at the same axes.

    ``settled[a]`` is the last axis along which sample a moves.
    """

    def __init__(self, activation: Smooth, assignments: tuple[Key, ...], settled: tuple[int, ...], axes: int) -> None:
        self.activation = activation
        self.order = sorted(range(len(settled)), key=settled.__getitem__)
        self.counts = [settled.count(axis) for axis in range(axes)]  # samples settled at each axis
        self.suffixes: list[list[Suffix]] = [[] for _ in range(axes)]
        below = [-1] * len(assignments)
        for axis in reversed(range(axes)):
            here = [a for a in self.order if settled[a] == axis]
            heads = [tuple((i, key[a]) for i, a in enumerate(here)) for key in assignments]
            rows = [Suffix(head, number) for head, number in zip(heads, below, strict=True)]
            place = {row: i for i, row in enumerate(dict.fromkeys(rows))}
            self.suffixes[axis] = list(place)
            below = [place[row] for row in rows]
        self.place = np.array(below)

    def __call__(self, columns: Array, grid: Grid, absolute: bool) -> Array:
        """``columns``: shape (sets, samples, axes). Returns shape (sets, assignments).

        ``absolute``: of the absolute values.
        """
        columns = columns[:, self.order]
        along = None if absolute else self._along(columns, grid)
        parts = grid.parts(CHUNK if along is None else POINTS, along is None)
        found = np.sum([self._sums(columns, part, absolute, along) for part in parts], axis=0)
        return checked(found, self.activation.name)

    def _along(self, columns: Array, grid: Grid) -> Interpolated | None:
        """Means over the last axis, where it moves one sample and points above it are many."""
        if len(columns) != 1 or self.counts[-1] != 1 or len(grid.counts) < MANY:
            return None
        *before, sigma = columns[0, -1].tolist()
        wanted = [one for head, _ in self.suffixes[-1] for _, one in head]
        return mean_along(self.activation, grid.last, sigma, (hypot(*before) * grid.reach, len(grid.counts)), wanted)

    def _sums(self, columns: Array, grid: Grid, absolute: bool, along: Interpolated | None) -> Array:
        levels = grid.levels if along else (*grid.levels, grid.bottom())
        z = np.zeros((*columns.shape[:2], 1))
        found = []
        for axis, level in enumerate(levels):
            z = level.moved(z, columns[:, -z.shape[1] :, axis])
            here = self.counts[axis]
            found.append(self._values(axis, z[:, :here], absolute))
            z = z[:, here:]
        below = along(z[0, 0])[:, None] if along else np.ones((1, 1, 1))
        for axis, level in reversed(list(enumerate(levels))):
            below = self._summed(axis, found[axis], level, below)
        return below[self.place, :, 0].T

    def _values(self, axis: int, z: Array, absolute: bool) -> Values:
        """Every factor at the samples settled at this axis, shape (sets, points) each."""
        wanted = dict.fromkeys(one for suffix in self.suffixes[axis] for one in suffix.head)
        if not wanted:
            return {}
        values = values_of(self.activation, z, dict.fromkeys(f for _, f in wanted))
        return {(i, f): np.abs(values[f][:, i]) if absolute else values[f][:, i] for i, f in wanted}

    def _summed(self, axis: int, found: Values, level: Level, below: Array) -> Array:
        """The sums over one axis, shape (suffixes, sets, points); ``below``: those over the axes after it."""
        weighted = below * level.weights
        shape = np.broadcast_shapes(weighted.shape[1:], *(value.shape for value in found.values()))
        products = np.empty((len(self.suffixes[axis]), *shape))
        for product, (head, number) in zip(products, self.suffixes[axis], strict=True):
            product[...] = reduce(np.multiply, (found[one] for one in head), weighted[number])
        return level.summed(products)
