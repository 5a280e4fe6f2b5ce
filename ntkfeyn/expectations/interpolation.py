"""Interpolation: means over the last axis as functions of where a sample is before it (theory section 7).

Enters: the rule of the last axis, how far a sample moves along it, where it starts from at very many points. Leaves:
<f(start + sigma x)>_x at these points, or None where polynomials of a few panels are not as good as the sum itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.expectations.activations import Smooth
from ntkfeyn.expectations.keys import Differentiated
from ntkfeyn.expectations.products import values_of
from ntkfeyn.expectations.quadrature import Rule

Array = NDArray[np.float64]
NODES = 14  # Chebyshev nodes of a panel
WIDTH = 1.0  # of the first panels; each try halves them
GOOD = 1e-14  # last two coefficients relative to the mean of absolute values in a panel
LOST = 8  # sum of the coefficients of powers, relative to the same: what they cancel
WORTH = 3  # fewer places than points by this factor, or there is nothing to gain


class Interpolated(NamedTuple):
    """Polynomials of panels between -reach and reach: ``coefficients`` of powers, shape (wanted, powers, panels)."""

    coefficients: Array
    reach: float

    def __call__(self, start: Array) -> Array:
        """The mean of each wanted product at the points ``start``, shape (wanted, points)."""
        panels = self.coefficients.shape[2]
        scaled = (start + self.reach) * (panels / (2 * self.reach))
        place = np.minimum(scaled.astype(np.int64), panels - 1)
        t = 2 * (scaled - place) - 1
        values = np.empty((len(self.coefficients), len(t)))
        for value, rows in zip(values, self.coefficients, strict=True):
            np.take(rows[-1], place, out=value)
            for row in rows[-2::-1]:
                value *= t
                value += row.take(place)
        return values


def mean_along(
    activation: Smooth, rule: Rule, sigma: float, region: tuple[float, int], wanted: Sequence[Differentiated]
) -> Interpolated | None:
    """The mean of each wanted product, as a function; ``region``: how far points reach, and how many there are."""
    reach, points = region[0] * (1 + 1e-12) + 1e-300, region[1]
    width = WIDTH
    while (panels := 2 * ceil(reach / width)) * NODES * WORTH < points:
        coefficients = _panels(activation, rule, sigma, reach, panels, wanted)
        if coefficients is not None:
            return Interpolated(coefficients, reach)
        width /= 2
    return None


def _panels(
    activation: Smooth, rule: Rule, sigma: float, reach: float, panels: int, wanted: Sequence[Differentiated]
) -> Array | None:
    """Coefficients of powers, shape (wanted, powers, panels)."""
    angles = np.pi * (np.arange(NODES) + 0.5) / NODES
    half = reach / panels
    centres = -reach + half * (2 * np.arange(panels) + 1)
    places = (centres[:, None] + half * np.cos(angles)).ravel()
    values = values_of(activation, places[:, None] + sigma * rule.nodes, wanted)
    transform = np.cos(np.arange(NODES)[:, None] * angles) * (2 / NODES)
    transform[0] /= 2
    coefficients = np.empty((len(wanted), NODES - 2, panels))
    for i, one in enumerate(wanted):
        means = transform @ (values[one] @ rule.weights).reshape(panels, NODES).T
        size = np.max((np.abs(values[one]) @ rule.weights).reshape(panels, NODES), axis=1)
        coefficients[i] = _powers()[:-2, :-2] @ means[:-2]
        resolved = np.abs(means[-2:]) <= GOOD * size
        if not resolved.all() or (np.abs(coefficients[i]).sum(axis=0) > LOST * size).any():
            return None
    return coefficients


@cache
def _powers() -> Array:
    """From coefficients of Chebyshev polynomials to those of powers."""
    rows = np.zeros((NODES, NODES))
    for k in range(NODES):
        rows[: k + 1, k] = np.polynomial.chebyshev.cheb2poly(np.eye(NODES)[k, : k + 1])
    return rows
