"""chi^2 of many components together, whose covariance is that of group means (Hotelling's T^2).

Enters: what components are off, means of groups of networks. Leaves: ``ChiSquare``, None with too few groups.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, f

Array = NDArray[np.float64]
SAME = 1e-9  # share of the largest variance below which a combination of components does not fluctuate
WIDE = 1024  # components, from which on their covariance is not held
SPARE = 8  # groups of blocks more than components, for a covariance


class ChiSquare(NamedTuple):
    """chi^2 of all components together, from Hotelling's T^2 as one with the same p-value."""

    value: float
    freedom: int
    """Combinations of components that fluctuate independently."""
    p: float


def hotelling(off: Array, groups: Array, worth: float, errors: Array) -> ChiSquare | None:
    """Whether ``off`` is zero: its variance is that of the group means (groups, components) divided by ``worth``.

    Combinations of components that do not fluctuate (equal by symmetry) are left out; None with too few groups.
    """
    many = len(groups)
    spread = groups.std(axis=0, ddof=1)
    some = spread > SAME * np.max(np.abs(groups), initial=0.0)
    if not some.any():
        return ChiSquare(0.0, 0, 1.0)
    off, groups, errors, spread = off[some], groups[:, some], errors[some], spread[some]
    variances, axes = _principal(groups / spread, worth)
    moving = variances > SAME * variances.max()
    freedom = int(moving.sum())
    if many < freedom + SPARE:
        return None
    axes = axes[:, moving]
    uncertain = variances[moving] + (errors / spread) ** 2 @ axes**2
    squared = float((((off / spread) @ axes) ** 2 / uncertain).sum())
    p = float(f.sf(squared * (many - freedom) / (freedom * (many - 1)), freedom, many - freedom))
    return ChiSquare(float(chi2.isf(p, freedom)) if p > 0 else squared, freedom, p)


def _principal(groups: Array, worth: float) -> tuple[Array, Array]:
    """Combinations of components, (components, combinations), that fluctuate independently, after their variances."""
    many, components = groups.shape
    if components <= WIDE:
        variances, axes = np.linalg.eigh(np.atleast_2d(np.corrcoef(groups, rowvar=False)) / worth)
        return variances, axes
    _, spreads, axes = np.linalg.svd(groups - groups.mean(axis=0), full_matrices=False)
    return spreads**2 / (many - 1) / worth, axes.T
