"""Centred Gaussians cut along the axes: orthant probabilities and means of two-sided monomials in a plane.

Enters: covariance matrices, many at once. Leaves: P(all z > 0) for up to five variables, and
<prod of z^p (A+ if z > 0 else A-)> for variables of rank at most two. Closed forms, but for the probability in four
variables: one integral of an analytic function along a path of correlations (Plackett 1954).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import combinations
from math import gamma, pi

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.errors import LimitError

Array = NDArray[np.float64]
MAX_VARIABLES = 5


def correlations(covariance: Array) -> Array:
    """Shape (.., n, n); a variable without variance is uncorrelated with all others."""
    scale = np.sqrt(np.maximum(np.einsum("...ii->...i", covariance), 0.0))
    safe = np.where(scale > 0, scale, 1.0)
    rho = covariance / (safe[..., :, None] * safe[..., None, :])
    return np.asarray(np.clip(rho, -1.0, 1.0))


def orthant(rho: Array) -> Array:
    """P(all z > 0) for correlation matrices, shape (rows, n, n) -> (rows,). Raises LimitError beyond five variables."""
    n = rho.shape[-1]
    if n == 0:
        return np.ones(len(rho))
    if n == 1:
        return np.full(len(rho), 0.5)
    if n == 2:
        return 0.25 + np.arcsin(rho[:, 0, 1]) / (2 * pi)
    if n == 3:
        angles = np.arcsin(rho[:, 0, 1]) + np.arcsin(rho[:, 0, 2]) + np.arcsin(rho[:, 1, 2])
        return np.asarray(0.125 + angles / (4 * pi))
    if n == 4:
        return _four(rho)
    if n == MAX_VARIABLES:  # odd: P(all > 0) = P(all < 0), so inclusion and exclusion determine it
        total = np.ones(len(rho))
        for size in range(1, n):
            for chosen in combinations(range(n), size):
                index = np.array(chosen)
                total += (-1) ** size * orthant(rho[:, index[:, None], index])
        return total / 2
    raise LimitError(
        f"a kinked activation needs an expectation over {n} different inputs",
        f"at most {MAX_VARIABLES} are allowed; try fewer inputs or --components pairs",
    )


def _four(rho: Array) -> Array:
    """The correlations between {0, 1} and {2, 3} grow from 0: dP/d rho_ij = phi(0, 0; rho_ij) P(z_k, z_l > 0 | ij)."""
    t, weights = _endpoint_rule()
    total = orthant(rho[:, :2, :2]) * orthant(rho[:, 2:, 2:])
    path = rho[:, None, :, :] * np.ones((len(t), 1, 1))
    path[:, :, :2, 2:] *= t[:, None, None]
    path[:, :, 2:, :2] *= t[:, None, None]
    for i, j in ((0, 2), (0, 3), (1, 2), (1, 3)):
        k, m = 1 - i, 5 - j
        r = path[:, :, i, j]
        rest = np.maximum(1 - r * r, 1e-300)

        def given(a: int, b: int, i: int = i, j: int = j, r: Array = r, rest: Array = rest) -> Array:
            """Covariance of a and b given z_i = z_j = 0."""
            ai, aj, bi, bj = path[:, :, a, i], path[:, :, a, j], path[:, :, b, i], path[:, :, b, j]
            return path[:, :, a, b] - (ai * bi + aj * bj - r * (ai * bj + aj * bi)) / rest

        scale = np.sqrt(np.maximum(given(k, k) * given(m, m), 1e-300))
        inner = 0.25 + np.arcsin(np.clip(given(k, m) / scale, -1, 1)) / (2 * pi)
        total += (rho[:, None, i, j] / (2 * pi * np.sqrt(rest)) * inner) @ weights
    return np.asarray(total)


@cache
def _endpoint_rule() -> tuple[Array, Array]:
    """tanh-sinh on [0, 1]: square roots at the ends, from singular covariances, cost no accuracy."""
    s = np.arange(-56, 57) * 0.0625
    inner = 0.5 * pi * np.sinh(s)
    t = 0.5 * (1 + np.tanh(inner))
    weights = 0.0625 * 0.25 * pi * np.cosh(s) / np.cosh(inner) ** 2
    return t, weights


Mono = tuple[int, Array, Array]  # z^p times A+ (z > 0) or A- (z < 0); A of shape (rows,)


def plane_mean(covariance: Array, monos: Sequence[Mono]) -> Array:
    """<prod of monomials> for covariances of rank at most two, shape (rows, n, n) -> (rows,).

    In polar coordinates of the plane the radius is a moment and the angle runs over arcs without a kink, on which
    Gauss-Legendre is exact to rounding.
    """
    power = sum(p for p, _, _ in monos)
    vectors = _plane_vectors(covariance)  # (rows, n, 2)
    lengths = np.hypot(vectors[..., 0], vectors[..., 1])
    angles = np.arctan2(vectors[..., 1], vectors[..., 0])
    breaks = np.sort(np.concatenate([angles - pi / 2, angles + pi / 2], axis=1) % (2 * pi), axis=1)
    width = np.diff(breaks, axis=1, append=breaks[:, :1] + 2 * pi)
    nodes, weights = np.polynomial.legendre.leggauss(12 + power)
    phi = breaks[:, :, None] + width[:, :, None] * (nodes + 1) / 2
    middle = breaks + width / 2
    integrand = np.ones_like(phi)
    for v, (p, right, left) in enumerate(monos):
        sign = np.cos(middle - angles[:, v, None])
        side = np.where(sign > 0, right[:, None], left[:, None])
        flat = lengths[:, v] == 0  # z = 0 almost surely: the mean of both sides, which is the limit
        side = np.where(flat[:, None], (right + left)[:, None] / 2, side)
        factor = (lengths[:, v, None, None] * np.cos(phi - angles[:, v, None, None])) ** p
        integrand = integrand * factor * side[:, :, None]
    arcs = (integrand @ weights) * width / 2
    return np.asarray(2 ** (power / 2) * gamma(1 + power / 2) * arcs.sum(axis=1) / (2 * pi))


def _plane_vectors(covariance: Array) -> Array:
    """Two coordinates for each variable with these inner products."""
    rows, n, _ = covariance.shape
    if n == 1:
        return np.stack([np.sqrt(np.maximum(covariance[:, :, 0], 0)), np.zeros((rows, 1))], axis=2)
    if n == 2:
        a, b, c = covariance[:, 0, 0], covariance[:, 0, 1], covariance[:, 1, 1]
        first = np.sqrt(np.maximum(a, 0))
        safe = np.where(first > 0, first, 1.0)
        across = np.sqrt(np.maximum(a * c - b * b, 0)) / safe
        across = np.where(first > 0, across, np.sqrt(np.maximum(c, 0)))
        return np.stack([np.stack([first, 0 * first], 1), np.stack([b / safe, across], 1)], axis=1)
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors[:, :, -2:] * np.sqrt(np.maximum(values[:, None, -2:], 0)))
