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
from ntkfeyn.expectations.grids import Axes, product_grid
from ntkfeyn.expectations.grouping import groups
from ntkfeyn.expectations.kernels import Kernel, factors
from ntkfeyn.expectations.keys import EPSILON, Differentiated, Key
from ntkfeyn.expectations.quadrature import hermite
from ntkfeyn.expectations.slopes import by_slopes

Array = NDArray[np.float64]
CHUNK = 1 << 16  # nodes of pairs at a time
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


def distances(activation: Smooth, kernel: Kernel, chosen: Callable[[tuple[float, ...]], Axes]) -> Distances:
    """One row a pair of ``kernel.pairs``; ``chosen`` says which rules axes with these scales need."""
    found = factors(kernel, kernel.pairs)
    rows = np.concatenate([found.L, found.apart[:, 1:]], axis=1)  # z_a, z_b, z_b - sign z_a
    signs = kernel.signs[tuple(kernel.pairs.T)]
    result = np.zeros((6, len(rows)))
    for group in groups(rows):
        axes = chosen(group.scales)
        rules = (rule if len(rule.nodes) >= FEWEST else hermite(FEWEST + len(rule.nodes) % 2) for rule in axes.rules)
        x, weights = product_grid(tuple(rules), axes.radius).points()
        step = max(1, CHUNK // len(weights))
        for start in range(0, len(group.numbers), step):
            own = group.numbers[start : start + step]
            z = group.columns[start : start + step] @ x
            result[:, own] = _apart(activation, z, weights, signs[own, None])
    return Distances(*result)


def _apart(activation: Smooth, z: Array, weights: Array, signs: Array) -> Array:
    """``z``: samples a and b, and z_b - sign z_a, shape (pairs, 3, nodes)."""
    values = activation.table(z[:, :2], 0)[0]
    first, second = values[:, 0], values[:, 1]
    size = np.abs(first) + np.abs(second)
    less, more = second - first, second + first
    close, left = _difference(activation, z[:, 0], z[:, 2], less, size)
    less, less_off = np.where(signs > 0, close, less), np.where(signs > 0, left, size)
    rows = [
        less**2,
        more**2,
        -less * more,
        np.abs(less) * (np.abs(less) + 2 * less_off) + EPSILON * less_off**2,
        np.abs(more) * (np.abs(more) + 2 * size) + EPSILON * size**2,
        np.abs(less * more) + less_off * np.abs(more),
    ]
    return np.array([row @ weights for row in rows])


def _difference(activation: Smooth, z: Array, apart: Array, plain: Array, size: Array) -> tuple[Array, Array]:
    """s(z + apart) - s(z), and the sizes of what it is a difference of; ``plain`` where slopes do not resolve it."""
    [(found, slopes)] = by_slopes(activation, z, apart, 1, POINTS)
    agreed = np.abs(found - plain) <= AGREED * np.maximum(size, np.abs(z) * np.max(np.abs(slopes), axis=0))
    return np.where(agreed, found, plain), np.where(agreed, 0.0, size)
