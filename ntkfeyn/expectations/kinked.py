"""Gaussian expectations for ReLU and LeakyReLU, without quadrature across a kink (theory section 7).

Enters: the expectations of a plan and the kernel of a layer. Leaves: their values. In each expectation the activations
at one sample are gathered into one two-sided monomial z^p (A+ or A-), all derivatives act on it as a distribution, and
samples that are multiples of one another are one variable. Delta functions condition the Gaussian; Stein's identity
<z_a f> = sum_b K_ab <d_b f> lowers powers of z until arcs in a plane or orthant probabilities remain.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.errors import RequestError
from ntkfeyn.expectations.activations import Kinked
from ntkfeyn.expectations.kernels import Kernel
from ntkfeyn.expectations.keys import EPSILON, Expectations, KernelError, Key
from ntkfeyn.expectations.orthants import correlations, orthant, plane_mean
from ntkfeyn.runtime.workers import Mapped

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
PARALLEL = 1e-13  # 1 - |correlation| below which two samples are one variable
EQUAL = 4 * EPSILON  # what it is off by
FLAT = 1e-11  # third eigenvalue, relative, below which a covariance is a plane


class Factor(NamedTuple):
    """A function of one variable: z^degree (right or left), or its derivative delta^(-degree - 1) for degree < 0."""

    degree: int
    right: Array
    left: Array


class KinkedExpectations:
    """Values of a plan's expectations; exact up to rounding."""

    amplifies = True
    resolution = 0.0

    def __init__(self, activation: Kinked, expectations: Expectations) -> None:
        self.activation, self.expectations = activation, expectations
        self.at_zero: list[float] = []

    def distances(self, kernel: Kernel) -> None:
        """Correlations are all that is used."""

    def values(self, kernel: Kernel, needed: NDArray[np.bool_], mapped: Mapped = map) -> Array:
        """All needed expectations by number, shape (size,); the others are nan, number 0 is 0.

        Raises RequestError where a value depends on how the kink is smoothed, LimitError for too many samples.
        """
        values = np.full(self.expectations.size, np.nan)
        asked = list(self._needed(kernel, needed))
        tasks = [(self.activation, key, rows, blocks) for key, _, rows, blocks in asked]
        if tasks:
            results: Iterable[Array] = mapped(expectation, *zip(*tasks, strict=True))
            for (_, numbers, _, _), result in zip(asked, results, strict=True):
                values[numbers] = result
        values[0] = 0.0
        return values

    def spread(self, kernel: Kernel, needed: NDArray[np.bool_], mapped: Mapped = map) -> tuple[Array, Array]:
        """``values`` and their absolute values: no sum over nodes is taken; ``bounds`` knows what cancels."""
        values = self.values(kernel, needed, mapped)
        return values, np.abs(values)

    def bounds(self, kernel: Kernel, masses: Array, needed: NDArray[np.bool_], off: KernelError) -> Array:
        """Error bounds of the values from rounding, shape (size,).

        Derivatives with respect to the kernel diverge as two samples become parallel: they amplify what the kernel is
        off by, and samples that are taken as one variable are off by their angle.
        """
        errors = np.zeros_like(masses)
        for key, numbers, rows, blocks in self._needed(kernel, needed):
            exactly = kernel.parallel[rows[:, :, None], rows[:, None, :]]
            errors[numbers] = _bounds(key, blocks, exactly, masses[numbers], off)
        return errors

    def _needed(self, kernel: Kernel, needed: NDArray[np.bool_]) -> Iterator[tuple[Key, Ints, Ints, Array]]:
        """Key, numbers, sample tuples and their kernels of what is needed."""
        for key, rows in self.expectations.rows.items():
            numbers = self.expectations.numbers(key)
            some = needed[numbers]
            if some.any():
                yield key, numbers[some], rows[some], kernel.matrix[rows[some][:, :, None], rows[some][:, None, :]]


def _bounds(key: Key, kernels: Array, exactly: NDArray[np.bool_], values: Array, off: KernelError) -> Array:
    """Error bounds of one expectation at many sample tuples.

    Close to parallel samples its singular part goes as angle^-p and depends on the kernel through the angle, so an
    error delta of the kernel costs delta / angle^(p + 2); where the samples are taken as one variable, the angle
    itself, if they are not known to be parallel ``exactly``: a kernel tells no angle below the root of its rounding.
    Quadrature below may make samples parallel that are not, in every run alike: an angle of sqrt(2 delta) is
    then not resolved.
    """
    delta, unresolved = off.rounding, np.sqrt(2 * off.quadrature)
    limits, powers = _parallel_limits(key), _singular_powers(key)
    gap = np.maximum(1 - np.abs(correlations(kernels)), EPSILON)
    singular = np.zeros(len(kernels))
    for i in range(len(key)):
        for j in range(i):
            angle = np.sqrt(2 * gap[:, i, j])
            apart = delta * angle ** -(powers[i, j] + 2)
            power = max(1.0, -powers[i, j])
            hidden = np.sqrt(2 * (gap[:, i, j] + EQUAL)) ** power
            merged = np.maximum(np.where(exactly[:, i, j], 0.0, hidden), unresolved**power)
            singular = np.maximum(singular, np.where(gap[:, i, j] < limits[i, j], merged, apart))
    degree = sum(1 - m for f in key for m in f.orders) - sum(f.k for f in key)
    size = np.mean(np.einsum("bii->bi", kernels), axis=1)
    natural = np.where(size > 0, np.maximum(size, 1e-300) ** (degree / 2), 0.0)
    return np.asarray(values * (delta + 4 * EPSILON) + singular * natural)


def _singular_powers(key: Key) -> Array:
    """p for every pair of samples: their part of the expectation goes as angle^-p, all derivatives on the pair."""
    total = sum(f.k for f in key)
    steps = np.array([sum(m - 1 for m in f.orders) for f in key])
    return np.asarray(total + steps[:, None] + steps[None, :] - 1, dtype=float)


def _parallel_limits(key: Key) -> Array:
    """1 - |correlation| below which two samples of an expectation are one variable, shape (samples, samples).

    With p powers of the angle in the denominator, the kernel's rounding costs epsilon / angle^(p + 2), taking the
    samples as one costs the angle: the limit is where both are equal. It is the same for all placements of derivatives.
    """
    limits = np.full((len(key), len(key)), PARALLEL)
    if any(m > 1 for f in key for m in f.orders):
        return limits  # s'' s' at parallel samples of different size does not exist: keep them apart
    p = _singular_powers(key)
    return np.where(p >= 1, np.maximum(PARALLEL, EPSILON ** (2 / np.maximum(p + 3, 4.0)) / 2), limits)


def expectation(activation: Kinked, key: Key, rows: Ints, kernels: Array) -> Array:
    """<key> at many sample tuples ``rows`` with kernels (rows, d, d)."""
    with np.errstate(all="ignore"):  # what is not finite is refused
        return _by_lines(activation, key, rows, kernels)


def _by_lines(activation: Kinked, key: Key, rows: Ints, kernels: Array) -> Array:
    values = np.zeros(len(rows))
    lines, ratios = _lines(rows, kernels, _parallel_limits(key))
    zero = np.einsum("bii->bi", kernels) <= 0
    codes = np.concatenate([lines, zero, ratios < 0], axis=1)
    _, which = np.unique(codes, axis=0, return_inverse=True)
    which = which.ravel()
    for pattern in range(which.max(initial=-1) + 1):
        some = np.flatnonzero(which == pattern)
        values[some] = _same_lines(activation, key, lines[some[0]], zero[some[0]], ratios[some], kernels[some])
    return values


def _lines(rows: Ints, kernels: Array, limits: Array) -> tuple[Ints, Array]:
    """For each slot the slot that stands for its line (its least sample) and the ratio z_slot / z_line."""
    rho = correlations(kernels)
    d = rows.shape[1]
    parallel = 1 - np.abs(rho) < limits
    order = np.where(parallel | np.eye(d, dtype=bool), rows[:, None, :], np.iinfo(np.int64).max)
    lines = order.argmin(axis=2)
    each = np.arange(len(rows))[:, None]
    size = np.einsum("bii->bi", kernels)[each, lines]
    ratios = np.where(size > 0, kernels[each, np.arange(d), lines] / np.where(size > 0, size, 1.0), 1.0)
    ratios[lines == np.arange(d)] = 1.0
    return lines, ratios


def _same_lines(
    activation: Kinked, key: Key, lines: Ints, zero: NDArray[np.bool_], ratios: Array, kernels: Array
) -> Array:
    """All rows with the same slots on the same lines."""
    nothing = np.zeros(len(kernels))
    if any(f.k and lines[slot] != slot for slot, f in enumerate(key)):
        return nothing  # a derivative acts once on a line, at the slot that stands for it
    factors, kept = [], []
    scale = np.ones(len(kernels))
    for line in sorted(set(lines.tolist())):
        inside = [(key[slot].orders, ratios[:, slot]) for slot in range(len(key)) if lines[slot] == line]
        factor = _differentiate(_product(activation, inside), key[line].k)
        if zero[line]:  # z = 0: only a step survives, as the limit of a small input across the others
            if factor.degree != 0:
                return nothing
            scale = scale * (factor.right + factor.left) / 2
            continue
        factors.append(factor)
        kept.append(line)
    index = np.array(kept, dtype=np.int64)
    mean = _Means(kernels[:, index[:, None], index], [f.right for f in factors], [f.left for f in factors])
    return scale * mean(tuple(f.degree for f in factors))


def _product(activation: Kinked, inside: list[tuple[tuple[int, ...], Array]]) -> Factor:
    """prod of s^(m)(c z) over one line as a function of z."""
    rows = len(inside[0][1])
    degree, right, left = 0, np.ones(rows), np.ones(rows)
    delta: Array | None = None
    steps: list[Array] = []
    for orders, c in inside:
        up = np.where(c > 0, activation.right, activation.left)
        down = np.where(c > 0, activation.left, activation.right)
        for m in orders:
            if m == 2:
                delta = c
                continue
            power = c if m == 0 else np.ones(rows)
            degree += m == 0
            steps += [c] if m == 1 else []
            right, left = right * up * power, left * down * power
    if delta is None:
        return Factor(degree, right, left)
    if degree:
        return Factor(-1, np.zeros(rows), np.zeros(rows))  # z delta(z) = 0
    return _step_delta(activation, delta, steps, right, left)


def _step_delta(activation: Kinked, c: Array, steps: list[Array], right: Array, left: Array) -> Factor:
    """s'..s' s'' on one line: (s'^(b+1))' / (b+1); a single s' may have another scale, by symmetry of the kink."""
    jump = (activation.right - activation.left) / np.abs(c)
    if len(steps) > 1 and any((np.abs(other / c - 1) > 1e-9).any() for other in steps):
        raise RequestError(
            f"an expectation of '{activation.name}' at parallel samples depends on how its kink is smoothed;"
            " allowed are samples that are equal or not parallel. Try: --components without that pair, or --cb 0.1"
        )
    b = len(steps)
    a, z = activation.right, activation.left
    mean = sum(a**i * z ** (b - i) for i in range(b + 1)) / (b + 1) if b > 1 else (right + left) / 2
    zero = np.zeros_like(jump)
    return Factor(-1, jump * mean if b else jump, zero)


def _differentiate(factor: Factor, k: int) -> Factor:
    """The k-th derivative; for delta functions ``right - left`` is the coefficient."""
    degree, right, left = factor
    for _ in range(k):
        if degree > 0:
            right, left = right * degree, left * degree
        degree -= 1
    return Factor(degree, right, left)


class _Means:
    """<prod of factors> for one set of covariances; a state lists the degree of each variable's factor.

    Degree p >= 0: z^p (right or left); degree -1 - j: (right - left) delta^(j). Lowering a degree by Stein's identity
    or a derivative leaves right and left as they are, so states are all that changes.
    """

    def __init__(self, covariance: Array, right: list[Array], left: list[Array]) -> None:
        self.covariance, self.right, self.left = covariance, right, left
        self.rows = len(covariance)
        self.mean = cache(self._mean)
        self.given = cache(self._given)

    def __call__(self, state: tuple[int, ...]) -> Array:
        return self.mean(state)

    def _mean(self, state: tuple[int, ...]) -> Array:
        deltas = tuple(v for v, degree in enumerate(state) if degree < 0)
        if any(state[v] < -1 for v in deltas):
            return self._less_derivatives(state, deltas)
        density, covariance = self.given(deltas)
        for v in deltas:
            density = density * (self.right[v] - self.left[v])
        rest = [v for v, degree in enumerate(state) if degree >= 0]
        if not rest:
            return density
        flat = np.ones(self.rows, dtype=bool)
        if len(rest) > 2:
            values = np.linalg.eigvalsh(covariance)
            flat = values[:, -3] <= FLAT * values[:, -1]
        result = np.zeros(self.rows)
        if not flat.all():
            power = next((v for v in rest if state[v] > 0), None)
            result = density * self._steps(rest, covariance) if power is None else self._stein(state, power)
        if flat.any():
            monos = [(state[v], self.right[v], self.left[v]) for v in rest]
            result = np.where(flat, density * plane_mean(covariance, monos), result)
        return result

    def _given(self, deltas: tuple[int, ...]) -> tuple[Array, Array]:
        """Density at z = 0 of the variables with delta functions, and the covariance of the others given that."""
        others = [v for v in range(self.covariance.shape[1]) if v not in deltas]
        C = self.covariance
        if not deltas:
            return np.ones(self.rows), C
        inside, across = C[:, deltas][:, :, deltas], C[:, others][:, :, deltas]
        density = (2 * np.pi) ** (-len(deltas) / 2) / np.sqrt(np.linalg.det(inside))
        solved = np.linalg.solve(inside, np.swapaxes(across, 1, 2))
        return density, C[:, others][:, :, others] - across @ solved

    def _stein(self, state: tuple[int, ...], a: int) -> Array:
        """<z_a f> = sum_b C_ab <d_b f>, C given that the variables with delta functions are 0."""
        deltas = tuple(v for v, degree in enumerate(state) if degree < 0)
        others = [v for v in range(len(state)) if v not in deltas]
        covariance = self.given(deltas)[1]
        reduced = _lowered(state, a)
        total = np.zeros(self.rows)
        for position, b in enumerate(others):
            weight = covariance[:, others.index(a), position] * max(reduced[b], 1)
            total = total + weight * self.mean(_lowered(reduced, b))
        return total

    def _steps(self, rest: list[int], covariance: Array) -> Array:
        """prod of (left + (right - left) step(z)): orthant probabilities of subsets."""
        rho = correlations(covariance)
        total = np.zeros(self.rows)
        for mask in range(2 ** len(rest)):
            inside = [i for i in range(len(rest)) if mask >> i & 1]
            weight = np.ones(self.rows)
            for i, v in enumerate(rest):
                weight = weight * (self.right[v] - self.left[v] if i in inside else self.left[v])
            if weight.any():
                index = np.array(inside, dtype=np.int64)
                total = total + weight * orthant(rho[:, index[:, None], index])
        return total

    def _less_derivatives(self, state: tuple[int, ...], deltas: tuple[int, ...]) -> Array:
        """<f d_y h> = sum_a W_ya (<z_a f h> - sum_s C_as <(d_s f) h>), W the inverse over the delta variables."""
        y = min(deltas, key=lambda v: state[v])
        lower = tuple(degree + (v == y) for v, degree in enumerate(state))
        C = self.covariance
        inverse = np.linalg.inv(C[:, deltas][:, :, deltas])
        total = np.zeros(self.rows)
        for i, a in enumerate(deltas):
            inner = np.zeros(self.rows)
            j = -1 - lower[a]
            if j:  # z delta^(j)(z) = -j delta^(j-1)(z)
                inner = inner - j * self.mean(tuple(d + (v == a) for v, d in enumerate(lower)))
            for s, degree in enumerate(state):
                if degree >= 0:
                    inner = inner - C[:, a, s] * max(degree, 1) * self.mean(_lowered(lower, s))
            total = total + inverse[:, deltas.index(y), i] * inner
        return total


def _lowered(state: tuple[int, ...], v: int) -> tuple[int, ...]:
    """The state with one degree less at v."""
    return tuple(degree - (w == v) for w, degree in enumerate(state))
