"""Interpolation: means over the last axis as functions of where a sample is before it (theory section 7).

Enters: the rule of the last axis, how far a sample moves along it, where it starts from at very many points. Leaves:
<f(start + sigma x)>_x at these points, or None where polynomials of a few panels are not as good as the sum itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
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
LOST = 8  # sum of the coefficients of powers, relative to the same: what they cancel
RUN = 8192  # points at a time
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
            means = list(_evaluated(coefficients, place, t))
            return [means, list(sizes[:, place])] if masses else [means]
        width /= 2
    return None


def _panels(
    activation: Smooth, rule: Rule, sigma: float, reach: float, panels: int, wanted: Sequence[Differentiated]
) -> tuple[Array, Array] | None:
    """Coefficients of powers, shape (wanted, NODES, panels), and means of absolute values, shape (wanted, panels)."""
    angles = np.pi * (np.arange(NODES) + 0.5) / NODES
    half = reach / panels
    centres = -reach + half * (2 * np.arange(panels) + 1)
    places = (centres[:, None] + half * np.cos(angles)).ravel()
    values = values_of(activation, places[:, None] + sigma * rule.nodes, wanted)
    transform = np.cos(np.arange(NODES)[:, None] * angles) * (2 / NODES)
    transform[0] /= 2
    coefficients, sizes = np.empty((len(wanted), NODES, panels)), np.empty((len(wanted), panels))
    for i, one in enumerate(wanted):
        means = transform @ (values[one] @ rule.weights).reshape(panels, NODES).T
        sizes[i] = np.max((np.abs(values[one]) @ rule.weights).reshape(panels, NODES), axis=1)
        coefficients[i] = _powers() @ means
        resolved = np.abs(means[-2:]) <= GOOD * sizes[i]
        if not resolved.all() or (np.abs(coefficients[i]).sum(axis=0) > LOST * sizes[i]).any():
            return None
    return coefficients, sizes


@cache
def _powers() -> Array:
    """From coefficients of Chebyshev polynomials to those of powers."""
    rows = np.zeros((NODES, NODES))
    for k in range(NODES):
        rows[: k + 1, k] = np.polynomial.chebyshev.cheb2poly(np.eye(NODES)[k, : k + 1])
    return rows


def _located(start: Array, reach: float, panels: int) -> tuple[NDArray[np.int64], Array]:
    """The panel of each point, and where it is between -1 and 1."""
    scaled = (start + reach) * (panels / (2 * reach))
    place = np.minimum(scaled.astype(np.int64), panels - 1)
    return place, 2 * (scaled - place) - 1


def _evaluated(coefficients: Array, place: NDArray[np.int64], t: Array) -> Array:
    """The polynomials of each point's panel at t, by Horner, in runs of points that fit into the cache."""
    values = np.empty((len(coefficients), len(t)))
    for start in range(0, len(t), RUN):
        run = slice(start, start + RUN)
        panel, at = place[run], t[run]
        for value, rows in zip(values[:, run], coefficients, strict=True):
            np.take(rows[-1], panel, out=value)
            for row in rows[-2::-1]:
                value *= at
                value += row.take(panel)
    return values
