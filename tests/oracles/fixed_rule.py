"""Tensors of a network by one quadrature rule for every axis, as emitted code has it, from the expanded terms.

Of the package it takes the terms of the recursions alone: no plan, no solver, no expectation. Each of these lives on
the samples that occur in it, z = L x with L the Cholesky factor of their kernel, samples in order; an axis without
variance is left out. ``solve`` returns all layers, tensors as arrays in index order, as precise as the Gram matrix is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.derivation.recursion import derive_system
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.tensors import MEAN_KERNEL, MEAN_NTK, TensorId

Array = NDArray[np.float64]
Tensors = dict[TensorId, Array]  # by slot of standard(name)
Rule = tuple[Array, Array]  # nodes and weights for a unit normal
Derivatives = Callable[[Array, int], Sequence[Array]]  # nodes, m -> s, s', .., s^(m)
TOP = 12
NOTHING = 64  # roundings of a variance that are left below which an axis moves nothing


class Means:
    """<prod of s^(m)(z_a)> with one kernel, each computed once."""

    def __init__(self, kernel: Array, rule: Rule, derivatives: Derivatives, shaken: float = 0.0) -> None:
        self.kernel, self.rule, self.derivatives, self.shaken = kernel, rule, derivatives, shaken
        self.grids: dict[tuple[int, ...], tuple[list[Sequence[Array]], Array]] = {}
        self.known: dict[tuple[tuple[int, int], ...], Any] = {}
        self.tables: dict[tuple[int, ...], Array] = {}

    def table(self, orders: tuple[int, ...]) -> Array:
        """<prod over k of s^(orders[k])(z_(a_k))> for all samples a_0, a_1, .., one axis each."""
        if orders not in self.tables:
            n = len(self.kernel)
            found = np.empty((n,) * len(orders), dtype=self.kernel.dtype)
            for samples in product(range(n), repeat=len(orders)):
                found[samples] = self.mean(tuple(sorted(zip(samples, orders, strict=True))))
            self.tables[orders] = found
        return self.tables[orders]

    def mean(self, factors: tuple[tuple[int, int], ...]) -> Any:
        if factors not in self.known:
            samples = tuple(sorted({a for a, _ in factors}))
            tables, value = self.grid(samples)
            for a, m in factors:
                value = value * tables[samples.index(a)][m]
            sign = 1 - 2 * (len(self.known) * 7 % 5 % 2)
            self.known[factors] = value.sum() * (1 + sign * value.dtype.type(self.shaken))
        return self.known[factors]

    def grid(self, samples: tuple[int, ...]) -> tuple[list[Sequence[Array]], Array]:
        """Derivatives at every point for each sample, and the weights of the points."""
        if samples not in self.grids:
            L = factor(self.kernel[np.ix_(samples, samples)])
            axes = [axis for axis in L.T if axis.any()] or [L[:, 0]]
            x = np.stack([axis.ravel() for axis in np.meshgrid(*[self.rule[0]] * len(axes), indexing="ij")])
            w = [axis.ravel() for axis in np.meshgrid(*[self.rule[1]] * len(axes), indexing="ij")]
            z = np.stack(axes, axis=1) @ x
            self.grids[samples] = [self.derivatives(row, TOP) for row in z], np.prod(np.stack(w), axis=0)
        return self.grids[samples]


def factor(kernel: Array) -> Array:
    """L with L L^T = kernel, row by row; a column is zero where no variance is left."""
    n = len(kernel)
    L = np.zeros((n, n), dtype=kernel.dtype)
    for k in range(n):
        left = kernel[k, k] - L[k, :k] @ L[k, :k]
        if left > NOTHING * np.finfo(kernel.dtype).eps * kernel[k, k]:
            L[k, k] = np.sqrt(left)
            L[k + 1 :, k] = (kernel[k + 1 :, k] - L[k + 1 :, :k] @ L[k, :k]) / L[k, k]
    return L


def solve(
    names: Sequence[TensorId],
    derivatives: Sequence[Derivatives],
    rule: Rule,
    gram: Array,
    widths: Sequence[int],
    couplings: dict[str, Sequence[float]],
    shaken: float = 0.0,
) -> list[dict[str, Array]]:
    """``shaken``: every expectation is off by this share, to see what becomes of it.

    ``derivatives`` and ``widths`` of the hidden layers, ``couplings`` one a layer by name; tensors as NAME@R."""
    n = len(gram)
    C_W, lambda_W, C_b, lambda_b = (couplings[name] for name in ("C_W", "lambda_W", "C_b", "lambda_b"))
    system = derive_system(names)
    here: Tensors = {one.id: np.zeros((n,) * len(one.cumulant.labels), dtype=gram.dtype) for one in system.recursions}
    here |= {MEAN_KERNEL: C_b[0] + C_W[0] * gram, MEAN_NTK: lambda_b[0] + lambda_W[0] * gram}
    layers = [here]
    for l, table in enumerate(derivatives, 1):  # noqa: E741
        values = {name: row[l] for name, row in couplings.items()}
        values["width_ratio"] = gram.dtype.type(widths[l - 1]) / widths[l - 2] if l > 1 else 1.0
        means = Means(here[MEAN_KERNEL], rule, table, shaken)
        here = {one.id: step(one.cumulant.labels, one.expanded, values, means, here) for one in system.recursions}
        layers.append(here)
    return [{f"{name}@{r}": np.transpose(row[name, r], standard(name).index) for name, r in names} for row in layers]


def step(labels: Sequence[int], terms: Sequence[Any], values: dict[str, float], means: Means, here: Tensors) -> Array:
    """One recursion at every component, one axis a slot."""
    n = len(means.kernel)
    at = dict(zip(labels, np.indices((n,) * len(labels)), strict=True))
    kind = here[MEAN_KERNEL].dtype
    total = np.zeros((n,) * len(labels), dtype=kind)
    for term in terms:
        factor_ = kind.type(term.coefficient.numerator) / kind.type(term.coefficient.denominator)
        factor_ *= prod(values[name] ** p for name, p in term.couplings)
        if not (factor_ and all(here[t.id].any() for t in term.tensors)):
            continue
        product_ = np.full(total.shape, factor_, dtype=kind)
        for t in term.tensors:
            product_ = product_ * here[t.id][tuple(at[s] for s in t.labels)]
        for factors in term.expectations:
            product_ = product_ * means.table(tuple(m for _, m in factors))[tuple(at[s] for s, _ in factors)]
        total += product_
    return total
