"""Averages: sums of order 1 and the closed form of order 0, in the eigenbasis of the kernel on the training points.

Enters: tensors, targets, a schedule, sums of ``derivation.training``. Leaves: predictions (order 0 with its covariance;
order 1 by source) and the motion of the kernel by source, at every time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.derivation.training import POINTS, History, Source, Sum
from ntkfeyn.model.tensors import MEAN_KERNEL, MEAN_NTK, TensorId
from ntkfeyn.training.histories import Schedule

Array = NDArray[np.float64]
Tensors = dict[TensorId, Array]
Sources = dict[Source, Array]
PROPAGATED = "P"  # the mode of the propagator at I, where I is a training point
NULL = 64 * np.finfo(float).eps  # share of the largest eigenvalue below which a mode does not move


class Predictions(NamedTuple):
    """Axes (times, points, outputs); ``covariance`` (times, points, points), the same for every output."""

    order0: Array
    covariance: Array
    order1: Sources


@dataclass(frozen=True)
class Modes:
    """Of Theta on the training points; ``null``: eigenvalues that are zero; ``targets`` (modes, outputs)."""

    values: Array
    vectors: Array
    targets: Array
    null: NDArray[np.bool_]

    @property
    def moving(self) -> Array:
        """The eigenvectors, 0 for a mode whose eigenvalue is 0: there every tensor of the NTK vanishes as well."""
        return np.where(self.null, 0.0, self.vectors)


def modes_of(theta: Array, targets: Array, error: float) -> Modes:
    """Of Theta on the training points, known to ``error``; ``targets`` (training points, outputs)."""
    values, vectors = np.linalg.eigh(theta)
    null = values <= max(NULL * max(values[-1], 0.0) * len(values), 4 * len(values) * error)
    return Modes(np.where(null, 0.0, values), vectors, vectors.T @ targets, null)


def predicted(tensors: Tensors, modes: Modes, schedule: Schedule, sums: Sequence[Sum]) -> Predictions:
    """The mean prediction at all points."""
    trained, outputs = len(modes.values), modes.targets.shape[1]
    theta, kernel = tensors[MEAN_NTK], tensors[MEAN_KERNEL]
    since = schedule.convolved(modes.values, ("", PROPAGATED), PROPAGATED, None)
    response = (theta[:, :trained] @ modes.moving) * since[:, None, :]  # what a target of each mode becomes
    free = np.repeat(np.eye(len(theta))[None], len(schedule.times), axis=0)  # what an initial output becomes
    free[:, :, :trained] -= response @ modes.vectors.T
    covariance = free @ kernel @ free.transpose(0, 2, 1)
    order1 = {source: np.zeros((len(schedule.times), len(theta), outputs)) for source in Source}
    for (source, history), amount in _amounts(sums, tensors, modes, "I").items():
        order1[source] += _propagated(amount, history, theta, modes, schedule)
    return Predictions(response @ modes.targets, covariance, order1)


def moved_kernel(
    tensors: Tensors, modes: Modes, schedule: Schedule, sums: Sequence[Sum], asked: NDArray[np.bool_]
) -> Sources:
    """n E[H(t) - H(0)] by source, axes (times, points, points), averaged over output neurons; nan where not asked."""
    points = len(tensors[MEAN_NTK])
    moved = {source: np.zeros((len(schedule.times), points, points)) for source in (Source.FIRST, Source.SECOND)}
    for (source, history), amount in _amounts(sums, tensors, modes, "IJ").items():
        letters = history.residuals
        weights = schedule.convolved(modes.values, ("", *history.nodes), letters, history)
        moved[source] += np.einsum(f"t{letters},IJ{letters}->tIJ", weights, amount[..., 0])
    kept = {source: np.where(asked, one, np.nan) for source, one in moved.items()}
    return {source: np.where(asked.T, one.transpose(0, 2, 1), one) for source, one in kept.items()}


def _amounts(sums: Sequence[Sum], tensors: Tensors, modes: Modes, asked: str) -> dict[tuple[Source, History], Array]:
    """What multiplies each history, axes (a point for each of ``asked``, a mode for each residual, outputs).

    The kernel at I and J is averaged over output neurons, and has one output.
    """
    trained, outputs = len(modes.values), modes.targets.shape[1]
    kernel = modes.vectors.T @ tensors[MEAN_KERNEL][:trained, :trained] @ modes.vectors
    found: dict[tuple[Source, History], Array] = {}
    rotated: dict[tuple[TensorId, tuple[bool, ...]], Array] = {}
    for one in sums:
        axes = asked + one.history.residuals
        neurons = one.neurons if asked == "I" else _merged(one.neurons)
        spec, factors = _factors(one, modes, neurons, asked, kernel)
        inside = (one.tensor, tuple(letter not in asked for letter in one.indices))
        if inside not in rotated:
            rotated[inside] = _rotated(tensors[one.tensor], inside[1], modes)
        amount = np.einsum(f"{spec}->{axes}o", rotated[inside], *factors)
        free = sum(not set(group) & {*one.targets, "I"} for group in neurons)  # neurons that nothing depends on
        scale = float(one.coefficient) * float(outputs) ** free
        key = (one.source, one.history)
        found[key] = found.get(key, 0.0) + scale * amount
    return found


def _rotated(array: Array, inside: Sequence[bool], modes: Modes) -> Array:
    """A tensor with the indices that are ``inside`` the training inputs in the eigenbasis."""
    for axis, residual in enumerate(inside):
        if residual:
            array = np.take(array, range(len(modes.values)), axis=axis)
            array = np.moveaxis(np.tensordot(array, modes.moving, axes=(axis, 0)), -1, axis)
    return array


def _factors(one: Sum, modes: Modes, neurons: Sequence[str], asked: str, kernel: Array) -> tuple[str, list[Array]]:
    """K and the targets as factors of an einsum, and its operands as text.

    The neuron of I is that of the output ``o``; it is averaged over where the kernel is asked for. Others are summed.
    """
    outputs = modes.targets.shape[1]
    operands, factors = [one.indices, *one.kernels], [kernel] * len(one.kernels)
    free = iter("abcd")
    for group in neurons:
        inside = [letter for letter in one.targets if letter in group]
        neuron = next(free) if "I" not in group or (inside and asked == "IJ") else "o"
        operands += [letter + neuron for letter in inside]
        factors += [modes.targets] * len(inside)
        if "I" in group and neuron != "o":
            operands.append("o")
            factors.append(np.full(1, 1.0 / outputs))
        elif "I" in group and not inside:
            operands.append("o")
            factors.append(np.ones(outputs if asked == "I" else 1))
    return ",".join(operands), factors


def _propagated(amount: Array, history: History, theta: Array, modes: Modes, schedule: Schedule) -> Array:
    """A source at all points carried to the end, axes (times, points, outputs).

    A test point adds it up, less what the kernel makes of what training points have moved by.
    """
    trained, letters = len(modes.values), history.residuals
    axes, nodes = PROPAGATED + letters, history.nodes
    own = np.tensordot(modes.moving, amount[:trained], axes=(0, 0))
    result = np.zeros((len(schedule.times), len(amount), amount.shape[-1]))
    inside = schedule.convolved(modes.values, (PROPAGATED, *nodes), axes, history)
    result[:, :trained] = np.einsum("aP,tPo->tao", modes.vectors, np.einsum(f"t{axes},{axes}o->tPo", inside, own))
    if len(amount) > trained:
        direct = schedule.convolved(modes.values, ("", *nodes), letters, history)
        passed = schedule.convolved(modes.values, ("", PROPAGATED, *nodes), axes, history)
        moved = np.einsum(f"t{axes},{axes}o->tPo", passed, own)
        result[:, trained:] = np.einsum(f"t{letters},I{letters}o->tIo", direct, amount[trained:])
        result[:, trained:] -= np.einsum("aP,tPo->tao", theta[trained:, :trained] @ modes.moving, moved)
    return result


def _merged(neurons: Sequence[str]) -> tuple[str, ...]:
    """The classes where I and J are one neuron."""
    both = "".join(group for group in neurons if set(group) & set(POINTS[:2]))
    return (both, *(group for group in neurons if not set(group) & set(both)))
