"""Differences of two runs as errors of the first.

Enters: tensors layer by layer, of a run and of coarser ones with noise. Leaves: an error for each component.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.model.tensors import TensorId

Array = NDArray[np.float64]
Values = dict[TensorId, Array]
SAFETY = 5.0  # how many times the difference is stated
SHARE = 0.5  # of the largest difference, for components where it is small by chance
ROUNDING = 1e-13  # relative to the largest component


def differences(fine: Sequence[Values], coarse: Sequence[Sequence[Values]]) -> list[Values]:
    """The error of a finer run, layer by layer, from its largest difference from other ones."""
    layers = zip(fine, *coarse, strict=True)
    return [{t: _error(a[t], np.stack([b[t] for b in others])) for t in a} for a, *others in layers]


def total(one: Values, other: Values) -> Values:
    return {t: e + other[t] for t, e in one.items()}


def relative(values: Values, errors: Values) -> float:
    """The largest error of a layer relative to the largest component of its tensor; inf for nothing but errors."""
    worst = 0.0
    for tensor, found in values.items():
        size, error = (float(np.max(np.abs(one), initial=0.0)) for one in (found, errors[tensor]))
        if error:
            worst = max(worst, error / size if size else inf)
    return worst


def _error(fine: Array, coarse: Array) -> Array:
    """The difference; a component where it is small by chance is given a share of the largest one."""
    difference = np.max(np.abs(coarse - fine), axis=0)
    scale = np.max(np.abs(fine), initial=0.0)
    return np.asarray(SAFETY * np.maximum(difference, SHARE * difference.max(initial=0.0)) + ROUNDING * scale)
