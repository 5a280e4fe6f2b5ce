"""Groups: sets of samples that can share a grid, because their axes have the same scales.

Enters: factors of many kernels. Leaves: groups with what their sets have in common. A grid for a little more than a
scale is good for that scale as well, so scales are rounded up, and many sets share few grids.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
COARSE, GRAIN = 1.1, 1.04  # ratio of neighbouring scales, of one or two axes and of more
NOWHERE = -(10**6)  # stands for the scale of an axis along which nothing moves


class Group(NamedTuple):
    """``columns[set, sample, axis]``: how the samples of the sets ``numbers`` move along each axis.

    ``settled[sample]``: the last axis that it moves along; ``scales``: how far samples move along each axis at most.
    """

    numbers: Ints
    columns: Array
    settled: tuple[int, ...]
    scales: tuple[float, ...]


def groups(factors: Array) -> Iterator[Group]:
    """``factors``: shape (sets, samples, axes). Axes along which nothing moves are left out, but for one."""
    sets, _, axes = factors.shape
    moving = (factors != 0).any(axis=1)
    order = np.argsort(~moving, axis=1, kind="stable")
    columns = np.take_along_axis(factors, order[:, None, :], axis=2)
    largest = np.abs(columns).max(axis=1)
    ratio = COARSE if axes <= 2 else GRAIN
    with np.errstate(divide="ignore"):
        exact = np.ceil(np.log(largest) / np.log(ratio))
    grains = np.where(largest > 0, exact, NOWHERE).astype(np.int64)
    last = axes - 1 - (columns != 0)[:, :, ::-1].argmax(axis=2)
    settled = np.where((columns != 0).any(axis=2), last, 0)
    kinds, which = np.unique(np.concatenate([settled, grains], axis=1), axis=0, return_inverse=True)
    by_kind = np.argsort(which.ravel(), kind="stable")
    ends = np.cumsum(np.bincount(which.ravel(), minlength=len(kinds))) if sets else np.zeros(0, dtype=np.int64)
    for kind, numbers in zip(kinds.tolist(), np.split(by_kind, ends[:-1]), strict=True):
        own = [grain for grain in kind[-axes:] if grain > NOWHERE]
        scales = tuple(ratio**grain for grain in own) or (0.0,)
        yield Group(numbers, columns[numbers][:, :, : len(scales)], tuple(kind[:-axes]), scales)
