"""Nearby samples: how far apart their activations are, with all the digits that the distance of the samples has.

Enters: an activation, a kernel with near pairs. Leaves: <(s_a - s_b)^2>, <(s_a + s_b)^2> and <s_a^2 - s_b^2> for each.
Where z_b - z_a is small, s(z_b) - s(z_a) is that times the mean slope between them; as a difference of two values it
would keep no more digits than the values have in common.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.expectations.activations import Smooth
from ntkfeyn.expectations.grids import moving_axes, points, product_grid
from ntkfeyn.expectations.kernels import Kernel, factors
from ntkfeyn.expectations.keys import EPSILON, Differentiated, Key
from ntkfeyn.expectations.quadrature import Rule, hermite

Array = NDArray[np.float64]
Axes = Callable[[list[Array]], tuple[float, list[Rule]]]  # columns -> radius of the ball, a rule for each
SLOPES: tuple[Key, ...] = tuple(((Differentiated((m,), 0)),) * 2 for m in (0, 1))
FEWEST = 6  # nodes of the axis along which a pair is apart: its square is all that is left
POINTS = 5  # of the Gauss-Legendre rule between z_a and z_b
AGREED = 64 * EPSILON  # relative to the values: a larger disagreement means that the rule does not resolve s


class Distances(NamedTuple):
    """Of the activations of each near pair of a kernel, shape (pairs,); masses: sums of what rounding is a share of."""

    minus: Array
    plus: Array
    excess: Array
    minus_mass: Array
    plus_mass: Array
    excess_mass: Array


def distances(activation: Smooth, kernel: Kernel, axes: Axes) -> Distances:
    """One row a pair of ``kernel.pairs``; ``axes`` chooses the rules of a grid."""
    found = factors(kernel, kernel.pairs)
    rows = []
    for (a, b), L, apart in zip(kernel.pairs, found.L, found.apart, strict=True):
        columns = moving_axes(np.stack([L[0], L[1], apart[1]]))
        radius, rules = axes(columns)
        rules = [rule if len(rule.nodes) >= FEWEST else hermite(FEWEST + len(rule.nodes) % 2) for rule in rules]
        z, weights = points(product_grid(columns, rules, radius))
        rows.append(_one(activation, z, weights, kernel.signs[a, b]))
    return Distances(*np.array(rows, dtype=np.float64).reshape(-1, 6).T)


def _one(activation: Smooth, z: Array, weights: Array, sign: float) -> tuple[float, ...]:
    """``z``: samples a and b, and z_b - sign z_a."""
    first, second = activation.table(z[:2], 0)[0]
    size = np.abs(first) + np.abs(second)
    less, more = second - first, second + first
    less_off = more_off = size
    if sign > 0:
        less, less_off = _by_slopes(activation, z[0], z[2], less, size)
    return (
        float(weights @ less**2),
        float(weights @ more**2),
        float(weights @ (-less * more)),
        float(weights @ (np.abs(less) * (np.abs(less) + 2 * less_off) + EPSILON * less_off**2)),
        float(weights @ (np.abs(more) * (np.abs(more) + 2 * more_off) + EPSILON * more_off**2)),
        float(weights @ (np.abs(less * more) + less_off * np.abs(more))),
    )


def _by_slopes(activation: Smooth, z: Array, apart: Array, plain: Array, size: Array) -> tuple[Array, Array]:
    """s(z + apart) - s(z), and the sizes of what it is a difference of; ``plain`` where slopes do not resolve it."""
    x, w = np.polynomial.legendre.leggauss(POINTS)
    slopes = activation.table(z + apart * (0.5 + 0.5 * x)[:, None], 1)[1]
    found = apart * np.tensordot(0.5 * w, slopes, 1)
    agreed = np.abs(found - plain) <= AGREED * np.maximum(size, np.abs(z) * np.max(np.abs(slopes), axis=0))
    return np.where(agreed, found, plain), np.where(agreed, 0.0, size)
