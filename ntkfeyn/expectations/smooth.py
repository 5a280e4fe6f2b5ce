"""Gaussian expectations of smooth activations: <prod of derivatives of s at the samples>_K, many at once.

Enters: the expectations of a plan and the kernel of a layer. Leaves: their values. For each set of samples that occurs,
K restricted to it is factorised (it may be singular: axes without variance drop out, K is never inverted) and a product
grid inside a ball is laid on the whitened axes, the same for all sets with the same scales. The factor is triangular,
so each sample moves along fewer axes than the grid has: see ``nested``. An eigenbasis would need every sample at every
node.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache, partial
from math import inf, log, sqrt

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.expectations.activations import Smooth, checked
from ntkfeyn.expectations.batches import Batch, batches
from ntkfeyn.expectations.fluctuations import values_at_zero
from ntkfeyn.expectations.grids import Axes, product_grid
from ntkfeyn.expectations.grouping import groups
from ntkfeyn.expectations.kernels import Kernel, factors
from ntkfeyn.expectations.keys import EPSILON, Expectations, KernelError, Key
from ntkfeyn.expectations.nearby import SLOPES, Distances, distances
from ntkfeyn.expectations.nested import CHUNK, Sums
from ntkfeyn.expectations.products import values_of
from ntkfeyn.expectations.quadrature import REACHED, AxisRules, ball, hermite
from ntkfeyn.runtime.workers import Mapped

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
ROUGH = 2.0  # means of absolute values, of which some digits matter, take so many times fewer nodes on each axis
TASK = 1 << 18  # nodes of small grids that one worker adds up


class SmoothExpectations:
    """Values of a plan's expectations at one tolerance (relative error of each integral along each axis).

    ``coarsening`` leaves that many times fewer nodes on each axis; above 1 they are also shifted, so that no node is
    shared with the full rule: the difference shows how far that has converged, and how its sums round.
    """

    amplifies = False

    def __init__(
        self, activation: Smooth, expectations: Expectations, tolerance: float, coarsening: float = 1.0
    ) -> None:
        self.activation, self.coarsening = activation, coarsening
        self.tolerance = max(tolerance, REACHED)
        self.finer = max(1.0, log(tolerance) / log(REACHED))  # nodes grow no faster than the digits that they bring
        self.resolution = 0.0 if activation.exact else self.tolerance
        self.expectations, self.size = expectations, expectations.size
        self.batches = batches(expectations)
        moving = [max(one.orders) for key in expectations.rows for one in key if one.fluctuation]
        self.at_zero = values_at_zero(activation, max(moving)) if moving else []

    def values(self, kernel: Kernel, needed: NDArray[np.bool_], mapped: Mapped = map) -> Array:
        """All needed expectations by number, shape (size,); the others are nan, number 0 is 0."""
        return np.asarray(self._filled(kernel, needed, mapped, masses=False)[0])

    def spread(self, kernel: Kernel, needed: NDArray[np.bool_], mapped: Mapped = map) -> tuple[Array, Array]:
        """``values``, and the means of the absolute values of the same products, of which a sum rounds a share."""
        values, masses = self._filled(kernel, needed, mapped, masses=True)
        return values, masses

    def bounds(self, kernel: Kernel, masses: Array, needed: NDArray[np.bool_], off: KernelError) -> Array:
        """Error bounds of the values from rounding, shape (size,): they change by as little as the kernel does."""
        return np.where(needed, masses * (off.rounding + 4 * EPSILON), 0.0)

    def _filled(self, kernel: Kernel, needed: NDArray[np.bool_], mapped: Mapped, masses: bool) -> Array:
        values = np.full((2 if masses else 1, self.size), np.nan)
        for batch in reversed(self.batches):  # the largest grids first: what is too large is refused at once
            wanted = needed[batch.numbers]
            columns, rows = np.flatnonzero(wanted.any(axis=0)), np.flatnonzero(wanted.any(axis=1))
            if len(rows):
                part = Batch(
                    batch.subsets[rows],
                    tuple(batch.assignments[c] for c in columns),
                    batch.numbers[np.ix_(rows, columns)],
                )
                self._fill(values, part, kernel, mapped)
        values[:, 0] = 0.0
        return values

    def distances(self, kernel: Kernel) -> Distances:
        """Of the activations of nearby samples."""
        rules = self._axis_rules(SLOPES, kernel, np.unique(kernel.pairs))
        return distances(self.activation, kernel, lambda scales: self._axes(scales, rules, 2))

    def _fill(self, values: Array, batch: Batch, kernel: Kernel, mapped: Mapped) -> None:
        sums = cache(partial(Sums, self.activation, batch.assignments))
        rules = self._axis_rules(batch.tests, kernel, np.unique(batch.subsets))
        most = max(sum(len(f.orders) for f in assignment) for assignment in batch.assignments)
        axes_of = partial(self._axes, rules=rules, most=most)
        found = [(group, axes_of(group.scales)) for group in groups(factors(kernel, batch.subsets).L)]
        tasks, numbers = [], []
        for group, axes in found:
            table = sums(group.settled, len(group.scales))
            rough = axes_of(group.scales, rougher=ROUGH) if len(values) > 1 else None
            step = max(1, TASK // axes.size)
            for start in range(0, len(group.numbers), step):
                tasks.append((table, group.columns[start : start + step], axes, rough))
                numbers.append(batch.numbers[group.numbers[start : start + step]])
        for own, result in zip(numbers, mapped(_integral, *zip(*tasks, strict=True)), strict=True):
            values[:, own] = result

    def _axis_rules(self, keys: tuple[Key, ...], kernel: Kernel, samples: Ints) -> AxisRules:
        """How many nodes an axis needs, measured on the products with all samples at one point."""
        spread = float(np.sqrt(np.max(np.diag(kernel.matrix)[samples], initial=0.0)))
        spread = 1.3 ** np.ceil(np.log(max(spread, 1e-9)) / np.log(1.3))
        return _measured(self.activation, keys, spread)

    def _axes(self, scales: tuple[float, ...], rules: AxisRules, most: int, rougher: float = 1.0) -> Axes:
        """Good enough for this run, or rougher; ``most`` activations are multiplied."""
        coarsening = self.coarsening * rougher
        degree = self.activation.degree
        if degree is not None:  # a compared run takes other nodes
            exact = hermite(most * degree // 2 + 1 + (2 if coarsening > 1.0 else 0))
            return Axes((exact,) * len(scales), inf)
        radius = ball(max(rules.cut(scale, self.tolerance) for scale in scales), len(scales))
        radius *= sqrt(self.finer / coarsening)
        chosen = (rules.axis(scale, self.tolerance, radius, coarsening, self.finer) for scale in scales)
        return Axes(tuple(chosen), radius)


@lru_cache(maxsize=512)
def _measured(activation: Smooth, keys: tuple[Key, ...], spread: float) -> AxisRules:
    """What has been measured serves every run: it does not depend on how good a rule has to be."""
    return AxisRules(_test_functions(activation, keys), spread, activation.name, *activation.features(spread))


def _integral(sums: Sums, columns: Array, axes: Axes, rough: Axes | None) -> Array:
    """What one worker does; all of it can be sent to another process. Shape (1 or 2, sets, assignments)."""
    with np.errstate(all="ignore"):  # what is not finite is refused
        rows = [_means(sums, columns, one, one is rough) for one in (axes, rough) if one]
    return np.stack(rows)


def _means(sums: Sums, columns: Array, axes: Axes, absolute: bool) -> Array:
    """Shape (sets, assignments)"""
    grid = product_grid(axes.rules, axes.radius)
    step = max(1, CHUNK // grid.size)
    return np.concatenate([sums(columns[i : i + step], grid, absolute) for i in range(0, len(columns), step)])


def _test_functions(activation: Smooth, keys: tuple[Key, ...]) -> Callable[[Array], Array]:
    """Each key with all its samples at one point."""
    distinct = sorted({f for key in keys for f in key})

    def tests(z: Array) -> Array:
        values = values_of(activation, z, distinct)
        rows = []
        for key in keys:
            row = values[key[0]]
            for f in key[1:]:
                row = row * values[f]
            rows.append(row)
        return checked(np.stack(rows), activation.name)

    return tests
