"""Fluctuations: t_m(z) = s^(m)(z) - s^(m)(0), with all its digits also where z is small.

Enters: a smooth activation, nodes. Leaves: the values at 0 and the fluctuations. A polynomial loses its constant; else
t_m(z) is z times the mean of s^(m+1) between 0 and z. Where the rule for this mean, or the difference itself, is not
good enough shows in the other: both know the same number.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.expectations.activations import Polynomial, Smooth
from ntkfeyn.expectations.keys import EPSILON
from ntkfeyn.expectations.slopes import by_slopes

Array = NDArray[np.float64]
POINTS = 12  # of the Gauss-Legendre rule between 0 and z
CLOSE = 0.75  # |z| up to which a difference loses digits that matter
AGREED = 32 * EPSILON  # relative to what is subtracted: a larger disagreement means that the rule does not resolve s


def values_at_zero(activation: Smooth, top: int) -> list[float]:
    """s(0), s'(0), .., s^(top)(0)"""
    return [float(value[0]) for value in activation.table(np.zeros(1), top)]


def fluctuations(activation: Smooth, z: Array, table: list[Array]) -> list[Array]:
    """t_0, t_1, .. for as many derivatives as ``table`` lists at the nodes z; shapes as of z."""
    if isinstance(activation, Polynomial):
        return _without_constants(activation, z, len(table))
    zero = values_at_zero(activation, len(table) - 1)
    found = [value - constant for value, constant in zip(table, zero, strict=True)]
    close = np.abs(z) < CLOSE
    if not close.any():
        return found
    sloped = by_slopes(activation, 0.0, z[close], len(table), POINTS)
    for plain, value, constant, (by_slope, _) in zip(found, table, zero, sloped, strict=True):
        size = np.abs(value[close]) + abs(constant)
        agreed = np.abs(by_slope - plain[close]) <= AGREED * size
        plain[close] = np.where(agreed, by_slope, plain[close])
    return found


def _without_constants(activation: Polynomial, z: Array, orders: int) -> list[Array]:
    """Each derivative of a polynomial without its constant, which is z times another polynomial."""
    rows, row = [], np.asarray(activation.coefficients, dtype=np.float64)
    for _ in range(orders):
        rest = row[1:] if len(row) > 1 else np.zeros(1)
        rows.append(np.asarray(z * np.polynomial.polynomial.polyval(z, rest)))
        row = rest * np.arange(1, len(rest) + 1)
    return rows
