"""Histories: the time integrals of training in the eigenbasis of the kernel (THEORY section 12).

Enters: eigenvalues, and which decays are convolved. Leaves: the convolutions, for gradient flow at given times or for
gradient descent after given steps. The convolution of exp(-x_0 t) .. exp(-x_q t) is (-1)^q times the divided difference
of exp(-x t) at the nodes x_0 .. x_q; that of r_0^s .. r_q^s, summed over steps, is the divided difference of x^N. Both
are sums of positive terms for positive nodes, equal ones included, and are computed as such: nothing cancels.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial, inf, isinf

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.derivation.training import History
from ntkfeyn.errors import bad_request

Array = NDArray[np.float64]
NEAR = 1.0  # spread of nodes times t up to which a series is used: above it differences lose no digits
TERMS = 24  # of the series: the last one is below 1e-24
MAX_TIMES, MAX_STEPS = 100, 10**7


@dataclass(frozen=True)
class Flow:
    """Gradient flow to each of ``times``, infinity included. The unit is 1/rate for the loss 1/2 sum eps^2."""

    times: tuple[float, ...]

    def check(self) -> None:
        """Raises RequestError for times that are none, or too many."""
        many = len(set(self.times)) != len(self.times) or not 1 <= len(self.times) <= MAX_TIMES
        if many or any(isinstance(t, bool) or not isinstance(t, int | float) or not t >= 0 for t in self.times):
            shown = ",".join(map(str, self.times))
            raise bad_request(
                f"times {shown[:60]} were asked for",
                f"1 to {MAX_TIMES} different numbers from 0 up are allowed, and inf",
                "--times 0.5,1,2,inf",
            )

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(f"time-{t:g}" for t in self.times)

    def between(self, points: int) -> Flow:
        """So many times from 0 to the last finite one."""
        last = max((t for t in self.times if not isinf(t)), default=1.0)
        return Flow(tuple(np.linspace(0, last, points).tolist()))

    @property
    def shared_steps(self) -> bool:
        """Whether several residuals can be of one step."""
        return False

    def convolved(self, eigenvalues: Array, words: tuple[str, ...], axes: str, history: History | None) -> Array:
        """The convolution of decays: ``words`` are products of modes, "" is a constant.

        Leaves shape (times, modes, ..) with an axis for each letter of ``axes``. ``history`` is of no account here.
        """
        nodes = _nodes(eigenvalues, words, axes, np.add, 0.0)
        return np.array([_exponential(nodes, t) for t in self.times])


@dataclass(frozen=True)
class Descent:
    """Gradient descent with step ``rate``, after each number of ``steps``."""

    steps: tuple[int, ...]
    rate: float

    def check(self) -> None:
        """Raises RequestError for steps or a rate that are none."""
        if not isinstance(self.rate, int | float) or not 0 < self.rate < inf:
            raise bad_request(f"rate {self.rate} was asked for", "a positive number is allowed", "--rate 0.1")
        good = all(type(n) is int and 0 <= n <= MAX_STEPS for n in self.steps)
        if not good or not 1 <= len(self.steps) <= MAX_TIMES or len(set(self.steps)) != len(self.steps):
            shown = ",".join(map(str, self.steps))
            raise bad_request(
                f"steps {shown[:60]} were asked for",
                f"1 to {MAX_TIMES} different whole numbers from 0 to {MAX_STEPS} are allowed",
                "--steps 10,100 --rate 0.1",
            )

    @property
    def times(self) -> tuple[float, ...]:
        """Steps times the rate: the time of gradient flow that they come to."""
        return tuple(n * self.rate for n in self.steps)

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(f"step-{n}" for n in self.steps)

    def between(self, points: int) -> Descent:
        """At most so many numbers of steps from 0 to the last."""
        steps = np.unique(np.linspace(0, max(self.steps), points).round().astype(int))
        return Descent(tuple(steps.tolist()), self.rate)

    @property
    def shared_steps(self) -> bool:
        """Whether several residuals can be of one step."""
        return True

    def stable(self, largest: float) -> bool:
        """Whether a mode with the largest eigenvalue decays."""
        return self.rate * largest < 2

    def convolved(self, eigenvalues: Array, words: tuple[str, ...], axes: str, history: History | None) -> Array:
        """As for ``Flow``, by sums over steps, with the rate to the power of what is summed and of the residuals."""
        decays = 1 - self.rate * eigenvalues
        nodes = _nodes(decays, words, axes, np.multiply, 1.0)
        power, lead = len(words) - 1, np.ones(())
        if history is not None:
            power += len(history.residuals) - len(history.levels)
            if history.nested:  # a residual of a later step is older by one step for each level before it
                earlier = tuple(history.nodes[:-1])
                lead = np.prod([_nodes(decays, (word,), axes, np.multiply, 1.0)[..., 0] for word in earlier], axis=0)
        return np.array([self.rate**power * lead * _power(nodes, n) for n in self.steps])


Schedule = Flow | Descent


def _nodes(values: Array, words: tuple[str, ...], axes: str, joined: np.ufunc, unit: float) -> Array:
    """Each word's value for every mode of its letters: an axis for each letter of ``axes``, and one of words."""
    shape = (len(values),) * len(axes)
    nodes = np.full((*shape, len(words)), unit)
    for i, word in enumerate(words):
        for letter in word:
            axis = axes.index(letter)
            along = values.reshape([-1 if k == axis else 1 for k in range(len(axes))])
            nodes[..., i] = joined(nodes[..., i], along)
    return nodes


def _exponential(nodes: Array, t: float) -> Array:
    """(-1)^q exp(-x t)[x_0, .., x_q] for nodes x >= 0 along the last axis: positive, with relative accuracy.

    At infinity it is 1 over the product of the others if one node is zero. Where more are zero it grows without bound:
    what stands there is 0, for it meets nothing but modes that do not move (``averages``).
    """
    nodes = np.sort(nodes, axis=-1)
    if isinf(t):
        zeros = (nodes == 0).sum(axis=-1)
        return np.where(zeros == 1, 1 / np.where(nodes == 0, 1.0, nodes).prod(axis=-1), 0.0)
    y, order = nodes * t, nodes.shape[-1]
    row = [np.exp(-y[..., i]) for i in range(order)]
    for d in range(1, order):
        row = [_step(y[..., i : i + d + 1], row[i], row[i + 1], d) for i in range(order - d)]
    return np.asarray(t ** (order - 1) * row[0])


def _step(y: Array, lower: Array, upper: Array, d: int) -> Array:
    """The difference at d + 1 sorted nodes from those at the first d and the last d of them."""
    spread = y[..., -1] - y[..., 0]
    near = spread <= NEAR
    result = (lower - upper) / np.where(near, 1.0, spread)
    if near.any():
        result[near] = _series(y[near], d)
    return result


def _series(y: Array, d: int) -> Array:
    """exp(-y_last) sum_r h_r(y_last - y)/(d + r)!, h_r the complete homogeneous symmetric polynomials."""
    shifted = y[:, -1:] - y
    complete = np.zeros((TERMS, len(y)))  # h_0 .. of the nodes so far
    complete[0] = 1
    for node in shifted.T:
        for r in range(1, TERMS):
            complete[r] += node * complete[r - 1]
    weights = np.array([1 / factorial(d + r) for r in range(TERMS)])
    return np.asarray(np.exp(-y[:, -1]) * (weights @ complete))


def _power(nodes: Array, n: int) -> Array:
    """The divided difference of x^n at the nodes along the last axis: the corner of a power of a bidiagonal matrix."""
    order = nodes.shape[-1]
    matrix = np.zeros((*nodes.shape, order))
    index = np.arange(order)
    matrix[..., index, index] = nodes
    matrix[..., index[:-1], index[1:]] = 1
    return np.asarray(np.linalg.matrix_power(matrix, n)[..., 0, -1])
