"""Gaussian expectations of smooth activations: <prod of derivatives of s at the samples>_K, many at once.

Enters: the expectations of a plan and the kernel of a layer. Leaves: their values. For each set of samples that occurs,
K restricted to it is factorised (it may be singular: axes without variance drop out, K is never inverted) and a product
grid inside a ball is laid on the whitened axes. The factor is triangular, so only one sample moves along the last axis:
its mean given the others is taken first, and all expectations over the set are entries of one matrix product over the
points of the other axes. An eigenbasis would need every sample at every node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from math import inf, log, sqrt

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.expectations.activations import Smooth, checked
from ntkfeyn.expectations.batches import Batch, batches
from ntkfeyn.expectations.fluctuations import values_at_zero
from ntkfeyn.expectations.grids import MAX_HELD, Grid, moving_axes, node_numbers, product_grid, runs
from ntkfeyn.expectations.kernels import Kernel, factors
from ntkfeyn.expectations.keys import EPSILON, Expectations, KernelError, Key
from ntkfeyn.expectations.nearby import SLOPES, Distances, distances
from ntkfeyn.expectations.products import values_of
from ntkfeyn.expectations.quadrature import REACHED, AxisRules, Rule, ball, hermite
from ntkfeyn.runtime.workers import Mapped

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
CHUNK = 16_384  # nodes at a time: what fits into the cache
TASK = 16  # chunks that one worker adds up
BLOCK = 48  # sample sets whose grids are held at a time


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
        self.rules: dict[tuple[tuple[Key, ...], float], AxisRules] = {}

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
        degree = self.activation.degree
        if degree is not None:
            return distances(self.activation, kernel, lambda columns: (inf, [self._exact(2 * degree)] * len(columns)))
        rules = self._axis_rules(SLOPES, kernel, np.unique(kernel.pairs))
        return distances(self.activation, kernel, lambda columns: self.axes(columns, rules))

    def _exact(self, degree: int) -> Rule:
        """For polynomials of this degree; in a compared run with other nodes."""
        return hermite(degree // 2 + 1 + (2 if self.coarsening > 1.0 else 0))

    def _fill(self, values: Array, batch: Batch, kernel: Kernel, mapped: Mapped) -> None:
        products = cache(lambda split: Products(self.activation, batch, split, len(values) > 1))
        axes = factors(kernel, batch.subsets).L
        rules = self._rules(batch, kernel)
        start = 0
        while start < len(axes):
            grids = self._grids(axes[start : start + BLOCK], rules, batch)
            tables = [products(grid.split) for grid in grids]
            parts = [list(_tasks(grid)) for grid in grids]
            tasks = [(table, part) for table, own in zip(tables, parts, strict=True) for part in own]
            terms = iter(mapped(_integral, *zip(*tasks, strict=True)))
            for i, (table, own) in enumerate(zip(tables, parts, strict=True)):
                total = sum(next(terms) for _ in own)
                values[:, batch.numbers[start + i]] = np.asarray(total)[:, table.row, table.column]
            start += len(grids)

    def _grids(self, axes: Array, rules: AxisRules, batch: Batch) -> list[Grid]:
        """The grids of the first sample sets, at least one, as many as may be held at a time."""
        grids: list[Grid] = []
        while len(grids) < len(axes) and sum(grid.z.size for grid in grids) <= MAX_HELD // 2:
            grids.append(self._grid(axes[len(grids)], rules, batch))
        return grids

    def _rules(self, batch: Batch, kernel: Kernel) -> AxisRules:
        """How many nodes an axis needs, measured on the products with all samples at one point."""
        keys = tuple(sorted({tuple(sorted(assignment)) for assignment in batch.assignments}))
        return self._axis_rules(keys, kernel, np.unique(batch.subsets))

    def _axis_rules(self, keys: tuple[Key, ...], kernel: Kernel, samples: Ints) -> AxisRules:
        spread = float(np.sqrt(np.max(np.diag(kernel.matrix)[samples], initial=0.0)))
        spread = 1.3 ** np.ceil(np.log(max(spread, 1e-9)) / np.log(1.3))
        if (keys, spread) not in self.rules:
            tests, features = _test_functions(self.activation, keys), self.activation.features(spread)
            self.rules[keys, spread] = AxisRules(tests, spread, self.activation.name, *features)
        return self.rules[keys, spread]

    def _grid(self, axes: Array, rules: AxisRules, batch: Batch) -> Grid:
        """Points on the axes of one sample set inside a ball; column i of ``axes`` is how z moves along axis i."""
        columns, degree = moving_axes(axes), self.activation.degree
        if degree is not None:
            most = max(sum(len(f.orders) for f in assignment) for assignment in batch.assignments)
            return product_grid(columns, [self._exact(most * degree)] * len(columns), inf)
        radius, chosen = self.axes(columns, rules)
        return product_grid(columns, chosen, radius)

    def axes(self, columns: list[Array], rules: AxisRules) -> tuple[float, list[Rule]]:
        """The radius of a ball, and a rule for each axis, that are good enough for this run."""
        scales = [float(np.max(np.abs(column))) for column in columns]
        radius = ball(max(rules.cut(scale, self.tolerance) for scale in scales), len(columns))
        radius *= sqrt(self.finer / self.coarsening)
        return radius, [rules.axis(scale, self.tolerance, radius, self.coarsening, self.finer) for scale in scales]


def _part(grid: Grid, run: slice) -> Grid:
    return grid._replace(z=grid.z[:, run], weights=grid.weights[run], counts=grid.counts[run])


def _tasks(grid: Grid) -> Iterator[Grid]:
    return (_part(grid, run) for run in runs(grid.counts, CHUNK * TASK))


def _integral(products: Products, grid: Grid) -> Array:
    """What one worker does; all of it can be sent to another process."""
    with np.errstate(all="ignore"):  # what is not finite is refused
        return np.asarray(sum(products(_part(grid, run)) for run in runs(grid.counts, CHUNK)))


class Products:
    """Expectations of a batch as entries ``[row, column]`` of one matrix product over the points of a grid.

    Columns are means over the last axis of products over the samples of ``split``, which move along it; rows are
    products over the other samples, which only need the points. With ``masses`` also those of absolute values.
    """

    def __init__(self, activation: Smooth, batch: Batch, split: tuple[int, ...], masses: bool) -> None:
        self.activation, self.masses = activation, masses
        size = batch.subsets.shape[1]
        last = split or (size - 1,)
        self.inner = _Side(activation, batch.assignments, last)
        self.outer = _Side(activation, batch.assignments, tuple(a for a in range(size) if a not in last))
        self.row, self.column = self.outer.place, self.inner.place

    def __call__(self, grid: Grid) -> Array:
        z, counts = grid.z, grid.counts
        node = node_numbers(counts)
        weights = grid.last.weights[node]
        moving = list(self.inner.samples)
        above = np.repeat(z[moving], counts, axis=1)
        above += grid.column[moving, None] * grid.last.nodes[node]
        inner = self.inner(above)
        inner *= weights
        outer = self.outer(z[list(self.outer.samples)])
        found = [self._mean(outer, inner, grid)]
        if self.masses:
            found.append(self._mean(np.abs(outer), np.abs(inner, out=inner), grid))
        return checked(np.stack(found), self.activation.name)

    def _mean(self, outer: Array, inner: Array, grid: Grid) -> Array:
        means = np.add.reduceat(inner, np.cumsum(grid.counts) - grid.counts, axis=1)
        means *= grid.weights
        return np.asarray(outer @ means.T)


class _Side:
    """The different products over some of the samples; ``place`` says which one each assignment has."""

    def __init__(self, activation: Smooth, assignments: tuple[Key, ...], samples: tuple[int, ...]) -> None:
        self.activation, self.samples = activation, samples
        parts = [tuple((i, assignment[a]) for i, a in enumerate(samples)) for assignment in assignments]
        self.single = single = sorted({one for part in parts for one in part})
        number = {one: k for k, one in enumerate(single)}
        distinct = sorted(set(parts))
        row = {part: k for k, part in enumerate(distinct)}
        self.products = np.array([[number[one] for one in part] for part in distinct], dtype=np.int64)
        self.place = np.array([row[part] for part in parts])

    def __call__(self, z: Array) -> Array:
        """Shape (samples, nodes) -> (products, nodes)."""
        if not self.samples:
            return np.ones((1, z.shape[1]))
        values = values_of(self.activation, z, dict.fromkeys(f for _, f in self.single))
        functions = np.stack([values[f][i] for i, f in self.single])
        value = functions[self.products[:, 0]]
        for k in range(1, self.products.shape[1]):
            value *= functions[self.products[:, k]]
        return value


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
