"""Nested sums: all expectations over sets of samples, axis by axis, from the last one inwards (theory section 7).

Enters: how samples move along the axes of a grid, and which product each expectation has at each sample. Leaves: the
expectations. Factors of K are triangular: a sample is settled at the last axis that it moves along, so its activation
is computed once for each node down to there and not for those below, and a sum over an axis is taken once for all
expectations that agree below it. Where very many points lie above the last axis, the mean over it is a smooth function
of one variable, which is computed at few places and interpolated.
"""

from __future__ import annotations

from functools import reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.expectations.activations import Smooth, checked
from ntkfeyn.expectations.grids import Grid, Level
from ntkfeyn.expectations.interpolation import mean_along
from ntkfeyn.expectations.keys import Differentiated, Key
from ntkfeyn.expectations.products import values_of

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Head = tuple[tuple[int, Differentiated], ...]  # what stands at the samples that are settled at one axis
Values = dict[tuple[int, Differentiated], Array]
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
        self.activation, self.settled, self.axes = activation, settled, axes
        self.suffixes: list[list[Suffix]] = [[] for _ in range(axes)]
        below = [-1] * len(assignments)
        for axis in reversed(range(axes)):
            heads = [tuple((a, key[a]) for a, last in enumerate(settled) if last == axis) for key in assignments]
            rows = [Suffix(head, number) for head, number in zip(heads, below, strict=True)]
            place = {row: i for i, row in enumerate(dict.fromkeys(rows))}
            self.suffixes[axis] = list(place)
            below = [place[row] for row in rows]
        self.place = np.array(below)

    def __call__(self, columns: Array, grid: Grid, masses: bool) -> Array:
        """``columns``: shape (sets, samples, axes). Returns shape (1, sets, assignments); with masses a second row.

        Masses are the same sums of absolute values.
        """
        z = np.zeros((*columns.shape[:2], 1))
        found = []
        for axis, level in enumerate(grid.levels):
            z = level.moved(z, columns[:, :, axis])
            found.append(self._values(axis, z))
        last = self._last(z, columns[:, :, -1], grid, masses)
        rows = []
        for sums, absolute in zip(last, (False, True), strict=False):
            for axis in reversed(range(self.axes - 1)):
                sums = self._summed(axis, found[axis], grid.levels[axis], sums, absolute)
            rows.append(np.stack([sums[i][:, 0] for i in self.place], axis=1))
        return checked(np.stack(rows), self.activation.name)

    def _values(self, axis: int, z: Array) -> Values:
        """Every factor at the samples settled at this axis, shape (sets, points) each."""
        wanted = dict.fromkeys(one for suffix in self.suffixes[axis] for one in suffix.head)
        samples = sorted({a for a, _ in wanted})
        if not samples:
            return {}
        values = values_of(self.activation, z[:, samples], dict.fromkeys(f for _, f in wanted))
        return {(a, f): values[f][:, samples.index(a)] for a, f in wanted}

    def _summed(self, axis: int, found: Values, level: Level, below: list[Array], absolute: bool) -> list[Array]:
        """The sums over one axis; ``below``: those over the axes after it, none for the last one."""
        values = {one: np.abs(value) for one, value in found.items()} if absolute else found
        sums = []
        for head, number in self.suffixes[axis]:
            factors = [*(values[one] for one in head), *below[number : number + 1]]
            sums.append(level.summed(reduce(np.multiply, factors, level.weights[None])))
        return sums

    def _last(self, z: Array, column: Array, grid: Grid, masses: bool) -> list[list[Array]]:
        """Sums over the last axis at each point of the others; with masses those of absolute values as well."""
        moving = [a for a, last in enumerate(self.settled) if last == self.axes - 1]
        if len(z) == len(moving) == 1 and z.shape[-1] >= MANY:
            heads = [one for head, _ in self.suffixes[-1] for _, one in head]
            means = mean_along(self.activation, grid.last, float(column[0, moving[0]]), z[0, moving[0]], heads, masses)
            if means is not None:
                return [[one[None] for one in row] for row in means]
        level = grid.bottom()
        found = self._values(self.axes - 1, level.moved(z, column))
        kinds = (False, True) if masses else (False,)
        return [self._summed(self.axes - 1, found, level, [], absolute) for absolute in kinds]
