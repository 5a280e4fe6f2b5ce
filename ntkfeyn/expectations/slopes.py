"""Mean slopes: s^(m)(z + d) - s^(m)(z) as d times the mean of s^(m+1) between z and z + d.

Enters: a smooth activation, where the differences start, how far they go. Leaves: the differences, with all the digits
that d has; as differences of two values they would keep no more than the values have in common.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.expectations.activations import Smooth

Array = NDArray[np.float64]


def by_slopes(
    activation: Smooth, start: Array | float, apart: Array, orders: int, points: int
) -> list[tuple[Array, Array]]:
    """For m below ``orders``: the difference, and the slopes that it is from, one row a point between."""
    x, weights = _rule(points)
    places = start + apart * x.reshape(-1, *(1,) * apart.ndim)
    slopes = activation.table(places, orders)[1:]
    return [(apart * np.tensordot(weights, one, 1), one) for one in slopes]


@cache
def _rule(points: int) -> tuple[Array, Array]:
    """Gauss-Legendre between 0 and 1."""
    x, weights = np.polynomial.legendre.leggauss(points)
    return 0.5 + 0.5 * x, 0.5 * weights
