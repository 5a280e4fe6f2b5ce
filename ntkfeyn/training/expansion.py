"""Expansion: the mean prediction and kernel of trained networks at orders 0 and 1 in 1/n, with their errors.

Enters: a ``TrainingRequest``. Leaves: an ``Expansion`` for each network. Errors of the tensors are carried: everything
is computed again with tensors that are off by their errors, in several patterns of signs. The largest difference
counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.derivation.training import Source, Sum, kernel_sums, prediction_sums
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.model.network import width_below
from ntkfeyn.model.tensors import MEAN_NTK, TensorId
from ntkfeyn.solve.evaluation import evaluate_tuples
from ntkfeyn.training.averages import Modes, Sources, Tensors, modes_of, moved_kernel, predicted
from ntkfeyn.training.request import TrainingRequest, check_stable
from ntkfeyn.training.tensors import PATTERNS, PointTensors, all_pairs, solved

Array = NDArray[np.float64]
THETA_1 = TensorId("Theta", 1)
SAFETY = 2.0  # few patterns of signs: the largest difference may be small by chance
UNFITTED = 1e-9  # share of the targets that may be left where the kernel is singular


class Curve(NamedTuple):
    """The same between the times that are asked for, for figures: order 0, order 1 and its sources, n (H(t) - H(0))."""

    times: tuple[float, ...]
    order0: Array
    order1: Array
    sources: Sources
    change1: Array


class Expansion(NamedTuple):
    """One network. Axes: times, points (training first), outputs; of kernels times, points, points.

    ``width`` is n, that of the last hidden layer. ``*_errors`` are what the tensors' errors amount to.
    """

    width: int
    order0: Array
    order1: Sources
    covariance: Array
    kernel: Array
    initial: Array
    change: Sources
    order0_errors: Array
    order1_errors: Array
    initial_errors: Array
    change_errors: Array
    modes: Modes
    curve: Curve | None

    @property
    def prediction1(self) -> Array:
        """The mean prediction at order 1."""
        return _total(self.order1)

    @property
    def change1(self) -> Array:
        """n E[H(t) - H(0)]"""
        return _total(self.change)


class _Numbers(NamedTuple):
    order0: Array
    order1: Sources
    covariance: Array
    change: Sources


def expanded(request: TrainingRequest) -> list[Expansion]:
    """One a network. Raises NtkfeynError for what does not exist, does not converge, or diverges."""
    _check_kernel(request)
    prediction, kernel = prediction_sums(), kernel_sums()
    if not request.schedule.shared_steps:
        prediction, kernel = (
            tuple(one for one in sums if not one.history.simultaneous) for sums in (prediction, kernel)
        )
    found = []
    tensors = solved(request.numbers, request.trained, prediction, kernel, request.pairs)
    for network, solution in zip(request.numbers.networks, tensors, strict=True):
        found.append(_expansion(request, width_below(network.hidden, network.depth), solution, prediction, kernel))
    return found


def _check_kernel(request: TrainingRequest) -> None:
    """The kernel at order 0 costs little: what diverges, or has no scale, is refused before the rest is solved."""
    pairs = all_pairs(request.trained)
    quick = request.numbers._replace(advance=lambda _: None, networks=request.numbers.networks[:1])
    [setting] = evaluate_tuples(quick, {MEAN_NTK: pairs})
    theta = np.zeros((request.trained, request.trained))
    theta[tuple(pairs.T)] = setting.layers[-1][str(MEAN_NTK)].values
    largest = float(np.linalg.eigvalsh(theta)[-1])
    if largest <= 0:
        raise NtkfeynError("the kernel vanishes on the training inputs: nothing is learnt", "try larger inputs")
    check_stable(request.schedule, largest)


def _expansion(
    request: TrainingRequest, width: int, solution: PointTensors, prediction: Sequence[Sum], kernel: Sequence[Sum]
) -> Expansion:
    trained, values = request.trained, solution.values
    error = float(np.max(solution.errors[MEAN_NTK][:trained, :trained]))
    theta = values[MEAN_NTK][:trained, :trained]
    modes = modes_of(theta, request.targets, error)
    best = _numbers(request, values, modes, prediction, kernel)
    off = [np.zeros_like(part) for part in (best.order0, best.order0, best.change[Source.FIRST])]
    for pattern in range(PATTERNS):
        moved = solution.moved(pattern)
        shaken = modes_of(moved[MEAN_NTK][:trained, :trained], request.targets, error)
        other = _numbers(request, moved, shaken, prediction, kernel)
        pairs = zip((best.order0, _total(best.order1), _total(best.change)),
                    (other.order0, _total(other.order1), _total(other.change)), strict=True)  # fmt: skip
        off = [np.maximum(worst, SAFETY * np.abs(a - b)) for worst, (a, b) in zip(off, pairs, strict=True)]
    return Expansion(
        width, best.order0, best.order1, best.covariance, values[MEAN_NTK], values[THETA_1], best.change,
        off[0], off[1], solution.errors[THETA_1], off[2], modes, _curve(request, values, modes, prediction, kernel),
    )  # fmt: skip


def _curve(
    request: TrainingRequest, values: Tensors, modes: Modes, prediction: Sequence[Sum], kernel: Sequence[Sum]
) -> Curve | None:
    if not request.curve:
        return None
    dense = request.schedule.between(request.curve)
    found = _numbers(request._replace(schedule=dense), values, modes, prediction, kernel)
    return Curve(dense.times, found.order0, _total(found.order1), found.order1, _total(found.change))


def _numbers(
    request: TrainingRequest, tensors: Tensors, modes: Modes, prediction: Sequence[Sum], kernel: Sequence[Sum]
) -> _Numbers:
    order0, covariance, order1 = predicted(tensors, modes, request.schedule, prediction)
    return _Numbers(order0, order1, covariance, moved_kernel(tensors, modes, request.schedule, kernel, request.pairs))


def _total(sources: Sources) -> Array:
    return np.asarray(np.sum(list(sources.values()), axis=0))


def warnings(request: TrainingRequest, found: Expansion) -> list[str]:
    """What training can never fit, and where the expansion says nothing."""
    lines = [
        f"training inputs {a + 1} and {b + 1} are equal and their targets differ: training never fits both"
        for a, b in request.equal_inputs()
    ]
    left = float(np.linalg.norm(found.modes.targets[found.modes.null]))
    if not lines and left > UNFITTED * float(np.linalg.norm(request.targets)):
        lines.append(
            f"the kernel is singular on the training inputs, and {left:.3g} of the targets lies where it vanishes:"
            " training never fits that part"
        )
    return lines
