"""Kernels: covariances of preactivations, and the distances of samples as variables of their own.

Enters: K, or K with distances that were carried from the layer below. Leaves: factors L with K = L L^T for sets of
samples. Where two samples are nearly equal, or nearly opposite, K_aa + K_bb - 2 K_ab has lost the digits of their
distance, and chaotic layers amplify what is left of it: there the distance is taken as it was carried, and a set is
factorised in the variables z_a and z_b - z_a, the latter by its own size.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import frexp

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
NEAR = 4e-3  # distance, relative to both variances, below which it is a variable of its own
LOST = 0.1  # the same below which a Gram matrix knows it less well than inputs do
NEGLIGIBLE = 1e-14  # what is left of a variance counts as nothing below this share of it


@dataclass(frozen=True)
class Kernel:
    """All arrays of shape (samples, samples); nan where a pair is not needed.

    ``matrix``: K_ab; ``minus``: <(z_a - z_b)^2>; ``plus``: <(z_a + z_b)^2>; ``excess``: K_aa - K_bb.
    """

    matrix: Array
    minus: Array
    plus: Array
    excess: Array
    rounded: bool = True  # whether distances are no more than K knows
    known_parallel: NDArray[np.bool_] | None = None

    @staticmethod
    def of(matrix: Array) -> Kernel:
        """Distances as far as K itself knows them."""
        size = np.diag(matrix)
        both = size[:, None] + size
        return Kernel(matrix, np.maximum(both - 2 * matrix, 0), np.maximum(both + 2 * matrix, 0), size[:, None] - size)

    @staticmethod
    def of_inputs(matrix: Array, inputs: Array) -> Kernel:
        """``matrix`` is x.x'/n_0 of the inputs; distances that it knows less well come from the inputs."""
        found, size = Kernel.of(matrix), np.diag(matrix)
        lost = np.minimum(found.minus, found.plus) < LOST * (size[:, None] + size)
        for a, x in enumerate(inputs):
            others = np.flatnonzero(lost[a])
            less, more = x - inputs[others], x + inputs[others]
            found.minus[a, others] = np.einsum("bi,bi->b", less, less) / inputs.shape[1]
            found.plus[a, others] = np.einsum("bi,bi->b", more, more) / inputs.shape[1]
            found.excess[a, others] = np.einsum("bi,bi->b", less, more) / inputs.shape[1]
        return replace(found, rounded=False, known_parallel=parallel_in(matrix, inputs))

    @cached_property
    def parallel(self) -> NDArray[np.bool_]:
        """Pairs that are known to be exactly parallel, or one of them zero."""
        if self.known_parallel is not None:
            return self.known_parallel
        return np.eye(len(self.matrix), dtype=bool)

    @cached_property
    def signs(self) -> Array:
        """1 where samples are closer to equal, -1 where they are closer to opposite."""
        return np.where(self.minus <= self.plus, 1.0, -1.0)

    @cached_property
    def near(self) -> NDArray[np.bool_]:
        """Pairs whose distance is a variable of its own."""
        size = np.diag(self.matrix)
        near: NDArray[np.bool_] = np.minimum(self.minus, self.plus) < NEAR * (size[:, None] + size) / 2
        np.fill_diagonal(near, False)
        return near

    @cached_property
    def pairs(self) -> Ints:
        """The near pairs a < b, shape (pairs, 2)."""
        return np.argwhere(np.triu(self.near))

    def at(self, samples: Ints) -> Kernel:
        """The kernel of some samples, in their order."""
        at = np.ix_(samples, samples)
        known = None if self.known_parallel is None else self.known_parallel[at]
        return Kernel(self.matrix[at], self.minus[at], self.plus[at], self.excess[at], self.rounded, known)

    def rescaled(self, power: int) -> Kernel:
        """All of it times 2^power."""
        matrix, minus, plus, excess = np.ldexp([self.matrix, self.minus, self.plus, self.excess], power)
        return Kernel(matrix, minus, plus, excess, self.rounded, self.known_parallel)

    def moved(self, share: float) -> Kernel:
        """Distances larger by this share of themselves, or of what they were left over from."""
        size = np.diag(self.matrix)
        less, more = (size[:, None] + size,) * 2 if self.rounded else (self.minus, self.plus)
        return replace(self, minus=self.minus + share * less, plus=self.plus + share * more)

    def following(self, C_W: float, C_b: float) -> Kernel:
        """C_b + C_W times it: the kernel of the layer that takes these samples, if it is the matrix of their means."""
        shifted = C_b + C_W * self.matrix
        minus, plus, excess = C_W * self.minus, 4 * C_b + C_W * self.plus, C_W * self.excess
        return Kernel(shifted, minus, plus, excess, self.rounded, None if C_b else self.known_parallel)


def parallel_in(matrix: Array, inputs: Array | None = None) -> NDArray[np.bool_]:
    """Which inputs are exactly parallel, or zero: as rational numbers, or as far as their Gram matrix says."""
    matrix = np.ldexp(matrix, -frexp(float(np.max(np.diag(matrix), initial=0.0)))[1])  # exact, and nothing overflows
    size = np.diag(matrix)
    squared, product = matrix * matrix, size[:, None] * size
    if inputs is None:
        return np.asarray(squared == product)
    parallel = np.asarray(product == 0)
    for a, b in np.argwhere(np.triu((squared > (1 - 1e-10) * product) & ~parallel)):
        pivot = int(np.argmax(np.abs(inputs[a])))
        p, q = Fraction(inputs[a, pivot]), Fraction(inputs[b, pivot])
        equal = all(Fraction(x) * q == Fraction(y) * p for x, y in zip(inputs[a], inputs[b], strict=True))
        parallel[a, b] = parallel[b, a] = equal
    return parallel


@dataclass(frozen=True)
class Factors:
    """z = L x for many sets of n samples, shape (sets, n, n), x unit normals.

    ``apart``: the rows of z_b - sign z_a, for samples b that are near an earlier one a of their set; else those of z.
    """

    L: Array
    apart: Array


def factors(kernel: Kernel, subsets: Ints) -> Factors:
    """One factor a set; an axis without variance is a zero column."""
    blocks = kernel.matrix[subsets[:, :, None], subsets[:, None, :]]
    near = kernel.near[subsets[:, :, None], subsets[:, None, :]].any(axis=(1, 2))
    apart = np.zeros_like(blocks)
    apart[~near] = cholesky(blocks[~near])
    L = apart.copy()
    for i in np.flatnonzero(near):
        some = kernel.at(subsets[i])
        place = _references(some.near)
        apart[i] = cholesky(_covariance(some, place)[None])[0]
        moved = np.flatnonzero(place != np.arange(len(place)))
        L[i] = apart[i]
        L[i, moved] += some.signs[moved, place[moved], None] * apart[i, place[moved]]
    return Factors(L, apart)


def _references(near: NDArray[np.bool_]) -> Ints:
    """For each sample the first earlier one near it that stands for itself, or itself."""
    place = np.arange(len(near))
    for b in range(len(near)):
        found = [a for a in range(b) if place[a] == a and near[a, b]]
        place[b] = found[0] if found else b
    return place


def _covariance(kernel: Kernel, place: Ints) -> Array:
    """Of the variables y_b = z_b, or z_b - sign z_a where b is near a; what is small is never a difference of large."""
    n = len(place)
    C = kernel.matrix.copy()
    signs = kernel.signs
    for i in range(n):
        for j in range(i + 1):
            r, s = int(place[i]), int(place[j])
            if r == i and s == j:
                continue
            if s != j and r != i:
                C[i, j] = _two_apart(kernel, (i, r, signs[i, r]), (j, s, signs[j, s]))
            elif r == i:
                C[i, j] = _one_apart(kernel, (j, s, signs[j, s]), i)
            else:
                C[i, j] = _one_apart(kernel, (i, r, signs[i, r]), j)
            C[j, i] = C[i, j]
    return C


def _one_apart(kernel: Kernel, moved: tuple[int, int, float], other: int) -> float:
    """<(z_i - sign z_r) z_other>"""
    i, r, sign = moved
    if other == r and sign > 0:
        return float(kernel.excess[i, r] - kernel.minus[i, r]) / 2
    if other == r:
        return float(kernel.plus[i, r] - kernel.excess[i, r]) / 2
    return float(kernel.matrix[i, other] - sign * kernel.matrix[r, other])


def _two_apart(kernel: Kernel, one: tuple[int, int, float], two: tuple[int, int, float]) -> float:
    """<(z_i - sign z_r) (z_j - sign z_s)>"""
    (i, r, first), (j, s, second) = one, two

    def distance(a: int, b: int, sign: float) -> float:
        return float(kernel.minus[a, b] if sign > 0 else kernel.plus[a, b])

    if i == j:
        return distance(i, r, first)
    if r == s:
        apart = distance(i, r, first) + distance(j, r, second) - distance(i, j, first * second)
        return first * second * apart / 2
    K = kernel.matrix
    return float(K[i, j] - second * K[i, s] - first * K[r, j] + first * second * K[r, s])


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
        reach = np.sqrt(np.maximum(left, 0.0))  # no sample moves farther than what is left of it: rounding may say so
        column = np.clip(column / np.sqrt(np.maximum(variance, 1e-300))[:, None], -reach, reach)
        column[each, pivot] = np.sqrt(np.maximum(variance, 0.0))
        column[variance <= NEGLIGIBLE * kernels[each, pivot, pivot]] = 0.0
        L[:, :, k] = column
        left = left - column**2
        left[each, pivot] = -np.inf
    return L
