"""Interpolation: means over the last axis as functions of where a sample is before it (theory section 7).

Enters: the rule of the last axis, how far a sample moves along it, where it starts from at very many points. Leaves:
<f(start + sigma x)>_x at these points, or None where polynomials of a few panels are not as good as the sum itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

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
WORTH = 3  # fewer places than points by this factor, or there is nothing to gain


def mean_along(
    activation: Smooth, rule: Rule, sigma: float, start: Array, wanted: Sequence[Differentiated], masses: bool
) -> list[list[Array]] | None:
    """The mean of each wanted product at the points ``start``; with masses a second list, of absolute values."""
    reach = float(np.max(np.abs(start))) * (1 + 1e-12) + 1e-300
    width = WIDTH
    while (panels := 2 * ceil(reach / width)) * NODES * WORTH < len(start):
        found = _panels(activation, rule, sigma, reach, panels, wanted)
        if found is not None:
            coefficients, sizes = found
            place, t = _located(start, reach, panels)
            means = [_clenshaw(one, place, t) for one in coefficients]
            return [means, [one[place] for one in sizes]] if masses else [means]
        width /= 2
    return None


def _panels(
    activation: Smooth, rule: Rule, sigma: float, reach: float, panels: int, wanted: Sequence[Differentiated]
) -> tuple[Array, Array] | None:
    """Chebyshev coefficients, shape (wanted, NODES, panels), and means of absolute values, shape (wanted, panels)."""
    angles = np.pi * (np.arange(NODES) + 0.5) / NODES
    half = reach / panels
    centres = -reach + half * (2 * np.arange(panels) + 1)
    places = (centres[:, None] + half * np.cos(angles)).ravel()
    values = values_of(activation, places[:, None] + sigma * rule.nodes, wanted)
    transform = np.cos(np.arange(NODES)[:, None] * angles) * (2 / NODES)
    transform[0] /= 2
    coefficients, sizes = [], []
    for one in wanted:
        means = (values[one] @ rule.weights).reshape(panels, NODES)
        coefficients.append(transform @ means.T)
        sizes.append(np.max((np.abs(values[one]) @ rule.weights).reshape(panels, NODES), axis=1))
        if not np.all(np.abs(coefficients[-1][-2:]) <= GOOD * sizes[-1]):
            return None
    return np.array(coefficients), np.array(sizes)


def _located(start: Array, reach: float, panels: int) -> tuple[NDArray[np.int64], Array]:
    """The panel of each point, and where it is between -1 and 1."""
    scaled = (start + reach) * (panels / (2 * reach))
    place = np.minimum(scaled.astype(np.int64), panels - 1)
    return place, 2 * (scaled - place) - 1


def _clenshaw(coefficients: Array, place: NDArray[np.int64], t: Array) -> Array:
    """The sum of coefficients times Chebyshev polynomials at t."""
    last, before = np.zeros_like(t), np.zeros_like(t)
    twice = 2 * t
    for row in coefficients[:0:-1]:
        last, before = row[place] + twice * last - before, last
    return np.asarray(coefficients[0][place] + t * last - before)
