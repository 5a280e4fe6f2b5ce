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
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.expectations.activations import Smooth, checked
from ntkfeyn.expectations.batches import Batch, batches
from ntkfeyn.expectations.fluctuations import values_at_zero
from ntkfeyn.expectations.keys import EPSILON, Expectations, KernelError, Key
from ntkfeyn.expectations.nearby import distance, nearby_pairs
from ntkfeyn.expectations.products import values_of
from ntkfeyn.expectations.quadrature import REACHED, AxisRules, Rule, ball, check_nodes, hermite
from ntkfeyn.runtime.workers import Mapped

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
CHUNK = 16_384  # nodes at a time: what fits into the cache
TASK = 16  # chunks that one worker adds up
BLOCK = 48  # sample sets whose grids are held at a time
MAX_NODES = 40_000_000  # of one grid
MAX_HELD = 1 << 25  # numbers of all points that are held at a time, before the last axis
NEGLIGIBLE = 1e-14  # what is left of a variance counts as nothing below this share of it


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

    def values(self, kernel: Array, needed: NDArray[np.bool_], mapped: Mapped = map) -> Array:
        """All needed expectations by number, shape (size,); the others are nan, number 0 is 0."""
        return np.asarray(self._filled(kernel, needed, mapped, masses=False)[0])

    def spread(self, kernel: Array, needed: NDArray[np.bool_], mapped: Mapped = map) -> tuple[Array, Array]:
        """``values``, and the means of the absolute values of the same products, of which a sum rounds a share."""
        values, masses = self._filled(kernel, needed, mapped, masses=True)
        return values, masses

    def bounds(self, kernel: Array, masses: Array, needed: NDArray[np.bool_], off: KernelError) -> Array:
        """Error bounds of the values from rounding, shape (size,): they change by as little as the kernel does."""
        return np.where(needed, masses * (off.rounding + 4 * EPSILON), 0.0)

    def _filled(self, kernel: Array, needed: NDArray[np.bool_], mapped: Mapped, masses: bool) -> Array:
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
        self._separate(values[0], kernel, needed)
        return values

    def _separate(self, values: Array, kernel: Array, needed: NDArray[np.bool_]) -> None:
        """<s_a s_b> of nearby samples from their distance."""
        pairs, numbers = nearby_pairs(self.expectations, kernel, needed)
        if not len(pairs):
            return
        batch = next(batch for batch in self.batches if batch.subsets.shape[1] == 2)
        rules = self._rules(batch, kernel)
        axes = cholesky(kernel[pairs[:, :, None], pairs[:, None, :]])
        for (a, b), (across, first, second), columns in zip(pairs, numbers, axes, strict=True):
            z, weights = _points(self._grid(columns, rules, batch))
            opposite = bool(kernel[a, b] < 0)
            apart = distance(self.activation.table(z, 0)[0], weights, opposite)
            values[across] = (values[first] + values[second] - apart) / (-2 if opposite else 2)

    def _fill(self, values: Array, batch: Batch, kernel: Array, mapped: Mapped) -> None:
        products = cache(lambda split: Products(self.activation, batch, split, len(values) > 1))
        axes = cholesky(kernel[batch.subsets[:, :, None], batch.subsets[:, None, :]])
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

    def _rules(self, batch: Batch, kernel: Array) -> AxisRules:
        """How many nodes an axis needs, measured on the products with all samples at one point."""
        keys = tuple(sorted({tuple(sorted(assignment)) for assignment in batch.assignments}))
        spread = float(np.sqrt(np.max(np.diag(kernel)[np.unique(batch.subsets)])))
        spread = 1.3 ** np.ceil(np.log(max(spread, 1e-9)) / np.log(1.3))
        if (keys, spread) not in self.rules:
            tests, features = _test_functions(self.activation, keys), self.activation.features(spread)
            self.rules[keys, spread] = AxisRules(tests, spread, self.activation.name, *features)
        return self.rules[keys, spread]

    def _grid(self, axes: Array, rules: AxisRules, batch: Batch) -> Grid:
        """Points on the axes of one sample set inside a ball; column i of ``axes`` is how z moves along axis i."""
        columns = [column for column in axes.T if column.any()] or [np.zeros(len(axes))]
        scales = [float(np.max(np.abs(column))) for column in columns]
        radius, degree = inf, self.activation.degree
        if degree is not None:
            most = max(sum(len(f.orders) for f in assignment) for assignment in batch.assignments)
            more = 2 if self.coarsening > 1.0 else 0  # other nodes, exact as well
            chosen = [hermite(most * degree // 2 + 1 + more)] * len(columns)
        else:
            radius = ball(max(rules.cut(scale, self.tolerance) for scale in scales), len(columns))
            radius *= sqrt(self.finer / self.coarsening)
            chosen = [rules.axis(scale, self.tolerance, radius, self.coarsening, self.finer) for scale in scales]
        z, weights, radii = np.zeros((len(axes), 1)), np.ones(1), np.zeros(1)
        for column, rule in zip(columns[:-1], chosen[:-1], strict=True):
            counts = _inside(rule, radii, radius)
            check_nodes(len(axes), int(counts.sum()), MAX_HELD // (len(axes) + 2))
            z, weights, radii = _extend(z, weights, radii, column, rule, counts)
        counts = _inside(chosen[-1], radii, radius)
        check_nodes(len(axes), int(counts.sum()), MAX_NODES)
        kept = np.flatnonzero(counts)
        return Grid(z[:, kept], weights[kept], columns[-1], chosen[-1], counts[kept])


def cholesky(kernels: Array) -> Array:
    """L with K = L L^T for each of many positive semidefinite K, shape (sets, n, n); rows in the order of K.

    The largest remaining variance comes first; axes without variance are zero columns. Each axis moves only the samples
    that came after it was chosen: the last one moves a single sample unless K is singular.
    """
    sets, n, _ = kernels.shape
    L = np.zeros_like(kernels)
    each = np.arange(sets)
    left = np.einsum("bii->bi", kernels).copy()
    for k in range(n):
        pivot = left.argmax(axis=1)
        variance = left[each, pivot]
        column = kernels[each, :, pivot] - np.einsum("bik,bk->bi", L, L[each, pivot])
        column = np.where(left > -np.inf, column, 0.0) / np.sqrt(np.maximum(variance, 1e-300))[:, None]
        column[each, pivot] = np.sqrt(np.maximum(variance, 0.0))
        column[variance <= NEGLIGIBLE * kernels[each, pivot, pivot]] = 0.0
        L[:, :, k] = column
        left = left - column**2
        left[each, pivot] = -np.inf
    return L


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
    node = _node_numbers(counts)
    x = rule.nodes[node]
    moved = np.repeat(z, counts, axis=1)
    moved += column[:, None] * x
    return moved, np.repeat(weights, counts) * rule.weights[node], np.repeat(radii, counts) + x * x


def _node_numbers(counts: Ints) -> Ints:
    """0 .. counts[0] - 1, 0 .. counts[1] - 1, .."""
    return np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)


def _points(grid: Grid) -> tuple[Array, Array]:
    """Every point of a grid with its weight."""
    node = _node_numbers(grid.counts)
    z = np.repeat(grid.z, grid.counts, axis=1) + grid.column[:, None] * grid.last.nodes[node]
    return z, np.repeat(grid.weights, grid.counts) * grid.last.weights[node]


def _runs(counts: Ints, nodes: int) -> Iterator[slice]:
    """Runs of points with about so many nodes; they depend on the grid alone, so results do not depend on workers."""
    chunk = np.cumsum(counts) // nodes
    edges = [int(edge) for edge in np.flatnonzero(np.diff(chunk)) + 1]
    return (slice(start, stop) for start, stop in zip([0, *edges], [*edges, len(counts)], strict=True))


def _part(grid: Grid, run: slice) -> Grid:
    return grid._replace(z=grid.z[:, run], weights=grid.weights[run], counts=grid.counts[run])


def _tasks(grid: Grid) -> Iterator[Grid]:
    return (_part(grid, run) for run in _runs(grid.counts, CHUNK * TASK))


def _integral(products: Products, grid: Grid) -> Array:
    """What one worker does; all of it can be sent to another process."""
    with np.errstate(all="ignore"):  # what is not finite is refused
        return np.asarray(sum(products(_part(grid, run)) for run in _runs(grid.counts, CHUNK)))


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
        node = _node_numbers(counts)
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
