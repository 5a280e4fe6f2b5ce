"""Tensors: those of the output layer that the sums of training read, from one solve.

Enters: sums, a request for numbers, how many inputs are trained on. Leaves: by name, arrays over all points, errors.
Only the components that a sum reads are asked for: at least two indices are training inputs.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.derivation.training import Sum
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.tensors import MEAN_KERNEL, MEAN_NTK, TensorId
from ntkfeyn.solve.evaluation import evaluate_tuples
from ntkfeyn.solve.request import Request

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Pairs = NDArray[np.bool_]
PATTERNS = 3  # of signs with which errors are carried


class PointTensors(NamedTuple):
    """K, Theta and tensors of order 1 at the output layer of one network, shape (points,) * slots; 0 where not read."""

    values: dict[TensorId, Array]
    errors: dict[TensorId, Array]

    def moved(self, pattern: int) -> dict[TensorId, Array]:
        """Each component off by its error, up or down: the same signs whoever asks; K and Theta stay symmetric."""
        moved = {}
        for i, (tensor, values) in enumerate(self.values.items()):
            rng = np.random.default_rng([pattern, i])
            signs = rng.choice([-1.0, 1.0], size=values.shape)
            signs = np.triu(signs) + np.triu(signs, 1).T if tensor in (MEAN_KERNEL, MEAN_NTK) else signs
            moved[tensor] = values + signs * self.errors[tensor]
        return moved


def solved(
    request: Request, trained: int, prediction: Iterable[Sum], kernel: Iterable[Sum], asked_pairs: Pairs
) -> list[PointTensors]:
    """One a network of the request; the first ``trained`` points are trained on. Raises NtkfeynError.

    The kernel's motion is read at ``asked_pairs`` of points alone, shape (points, points).
    """
    points = len(request.gram)
    pairs = all_pairs(points)
    wanted: dict[TensorId, list[Ints]] = {MEAN_KERNEL: [pairs], MEAN_NTK: [pairs], TensorId("Theta", 1): [pairs]}
    for asked, sums in (("I", prediction), ("IJ", kernel)):
        for one in sums:
            wanted.setdefault(one.tensor, []).append(_tuples(one.indices, asked, trained, asked_pairs))
    tuples = {tensor: np.unique(np.concatenate(rows), axis=0) for tensor, rows in wanted.items()}
    by_slot = {tensor: _by_slot(tensor, rows) for tensor, rows in tuples.items()}
    found = []
    for setting in evaluate_tuples(request, by_slot):
        values, errors = {}, {}
        for tensor in tuples:
            last = setting.layers[-1][str(tensor)]
            where = tuple(last.indices.T - 1)
            values[tensor], errors[tensor] = np.zeros((2, *(points,) * last.indices.shape[1]))
            values[tensor][where], errors[tensor][where] = last.values, last.errors
        found.append(PointTensors(values, errors))
    return found


def kernel_pairs(points: int, trained: int, every: bool) -> Pairs:
    """Where the motion of the kernel is asked for, i <= j: everywhere, or where i is trained on or both are one point.

    Two different test inputs with two training inputs are four different ones, and as many such sets cost the most.
    """
    i, j = np.indices((points, points))
    return np.asarray((i <= j) & ((i < trained) | (i == j) | every))


def all_pairs(points: int) -> Ints:
    """Index tuples of a kernel at all points."""
    return np.array(list(product(range(points), repeat=2)), dtype=np.int64)


def _tuples(indices: str, asked: str, trained: int, asked_pairs: Pairs) -> Ints:
    """Every index tuple that a sum reads in the eigenbasis of the training points, in index order."""
    points = len(asked_pairs)
    ranges = [range(points if letter in asked else trained) for letter in indices]
    rows = np.array(list(product(*ranges)), dtype=np.int64)
    if asked == "IJ":
        rows = rows[asked_pairs[rows[:, indices.index("I")], rows[:, indices.index("J")]]]
    return rows


def _by_slot(tensor: TensorId, rows: Ints) -> Ints:
    """Tuples in index order, by slot."""
    placed = np.empty_like(rows)
    placed[:, list(standard(tensor.name).index)] = rows
    return placed
