"""Critical points of an activation: where both susceptibilities are 1 at a fixed point of K (theory section 8).

Enters: an activation. Leaves: its points (C_W, C_b, K*), with their class and whether they attract. Deep networks keep
their kernel only there: chi_par = C_W <s' s' + s s''>_K says what becomes of a small change of K, chi_perp =
C_W <s' s'>_K of the angle between two inputs, and both are 1 at K* = C_b + C_W <s^2>_K*.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import exp, inf, isfinite, log, sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.errors import NtkfeynError, too_large
from ntkfeyn.expectations.activations import Activation, Smooth, activation
from ntkfeyn.expectations.quadrature import CUT, Rule, hermite, trapezoid
from ntkfeyn.runtime.version import TOOL

Array = NDArray[np.float64]
Integrand = Callable[[list[Array]], list[Array]]

SMALLEST, LARGEST, PER_DECADE = 1e-6, 1e6, 8  # kernels at which <s s''> is looked at
CONVERGED = 1e-13  # relative to the mean of the modulus
TAIL = 1e-15  # share of the mean that the outermost standard deviation may hold
PLATEAU = 1e-9  # changes that stop falling below this are rounding in s
NOISE = 1e-8  # <s s''> below this share of <s' s'> has no sign
SMALL_KERNELS = (1e-3, 1e-2)
MAX_HALVINGS = 30
SMALLEST_SLOPE = 1e-100
FLAT = 1e-9  # K d(chi_par)/dK below this decides nothing: the next order does
FINEST = 1 << 17  # nodes of the last rule tried


class Stability(StrEnum):
    """The class of a critical point, as JSON names it."""

    SCALE_INVARIANT = "scale-invariant"
    HALF_STABLE = "half-stable"
    STABLE = "stable"
    UNSTABLE = "unstable"
    VANISHING = "K* = 0"


class Attracts(StrEnum):
    """Whether a kernel near K* goes there, as JSON names it."""

    YES = "yes"
    NO = "no"
    ABOVE = "from above"
    BELOW = "from below"
    EVERY = "every K is fixed"
    OPEN = "undecided"


class CriticalPoint(NamedTuple):
    """Couplings, fixed point (None: every K is one), susceptibilities there, class, what K does near it.

    ``start`` is a K^(1) that stays or ends at K*.
    """

    cw: float
    cb: float
    kernel: float | None
    chi_parallel: float
    chi_perpendicular: float
    kind: Stability
    attracts: Attracts
    start: float

    @property
    def gram(self) -> float:
        """x.x'/n_0 of an input with K^(1) = ``start``."""
        return (self.start - self.cb) / self.cw


@dataclass(frozen=True)
class Criticality:
    """All points found; ``searched``: between which kernels (None where no search was needed); ``reason``: why none."""

    activation: str
    points: tuple[CriticalPoint, ...]
    searched: tuple[float, float] | None
    reason: str = ""

    @property
    def main(self) -> CriticalPoint | None:
        """The point to tune a network to: one that attracts, if only from one side."""
        for wanted in ((Attracts.YES, Attracts.EVERY), (Attracts.ABOVE, Attracts.BELOW)):
            for point in self.points:
                if point.attracts in wanted:
                    return point
        return None


def critical_points(text: str) -> Criticality:
    """The critical points of an activation, by name or expression. Raises RequestError for one that is not known.

    Points at K* > 0 are found where <s s''> changes sign; one where it only touches zero is missed.
    """
    function = activation(text)
    slopes = function.slopes
    if slopes is not None:
        _check_size(slopes, function.name)
        cw = 2 / (slopes[0] ** 2 + slopes[1] ** 2)
        point = CriticalPoint(cw, 0.0, None, 1.0, 1.0, Stability.SCALE_INVARIANT, Attracts.EVERY, 1.0)
        return Criticality(function.name, (point,), None)
    with np.errstate(all="ignore"):  # what is not finite counts as not converged
        vanishing, why = _vanishing(function)
        found, reason, searched = _positive(function)
    points = tuple(sorted([*vanishing, *found], key=lambda point: _RANK[point.attracts]))
    answer = Criticality(function.name, points, searched)
    return answer if answer.main else replace(answer, reason=f"{why}, and {reason}")


_RANK = {Attracts.YES: 0, Attracts.EVERY: 0, Attracts.ABOVE: 1, Attracts.BELOW: 1, Attracts.OPEN: 2, Attracts.NO: 3}


def _check_size(slopes: Sequence[float], name: str) -> None:
    """Raises LimitError where the square of a slope, or one over it, is no number."""
    largest = max(map(abs, slopes))
    if not SMALLEST_SLOPE < largest < 1 / SMALLEST_SLOPE:
        allowed = f"{SMALLEST_SLOPE:g} to {1 / SMALLEST_SLOPE:g} is allowed"
        raise too_large(f"'{name}' has the slope {largest:.3g} at 0", allowed, "a multiple of it with the slope 1")


def _vanishing(function: Activation) -> tuple[list[CriticalPoint], str]:
    """K* = 0 with C_W = 1/s'(0)^2, if s(0) = 0 and s'(0) is not; and why it does not serve.

    C_W <s^2>_K = K + a K^2 + .. with a = s^(3)(0)/s'(0) + (3/4) (s^(2)(0)/s'(0))^2: it attracts if a < 0.
    """
    s = [float(v[0]) for v in function.table(np.zeros(1), 3)]
    if not all(map(isfinite, s)) or abs(s[0]) > CONVERGED * max(map(abs, s)):
        return [], "s(0) is not 0"
    if s[1]:
        _check_size(s[1:2], function.name)
    cw = 1 / s[1] ** 2 if abs(s[1]) > CONVERGED * max(map(abs, s)) and s[1] ** 2 else inf
    if not isfinite(cw):
        return [], "s'(0) is 0"
    parts = s[3] / s[1], 0.75 * (s[2] / s[1]) ** 2
    start = 1.0
    if abs(sum(parts)) > CONVERGED * sum(map(abs, parts)):
        attracts = Attracts.YES if sum(parts) < 0 else Attracts.NO
        start = 2 / abs(sum(parts))  # 1 for tanh and erf
    else:
        attracts = _beyond_the_expansion(function, cw)
    why = {Attracts.NO: "K* = 0 repels", Attracts.OPEN: "whether K* = 0 attracts is not decided"}.get(attracts, "")
    if attracts == Attracts.YES:
        start = _in_the_basin(function, cw, start)
    return [CriticalPoint(cw, 0.0, 0.0, 1.0, 1.0, Stability.VANISHING, attracts, start)], why


def _in_the_basin(function: Activation, cw: float, start: float) -> float:
    """The start, halved until C_W <s^2>_K < K there and below: K then falls to 0."""
    for _ in range(MAX_HALVINGS):
        kernels = (start * np.linspace(0.1, 1.0, 10)).tolist()
        try:
            if all(cw * gaussian_means(function, K, 0, lambda s: [s[0] ** 2])[0] < K for K in kernels):
                break
        except NtkfeynError:
            pass
        start /= 2
    return start


def _beyond_the_expansion(function: Activation, cw: float) -> Attracts:
    """Whether K* = 0 attracts where K^2 has no coefficient: from C_W <s^2>_K / K - 1 at two small K."""
    try:
        means = [gaussian_means(function, K, 0, lambda s: [s[0] ** 2])[0] for K in SMALL_KERNELS]
    except NtkfeynError:
        return Attracts.OPEN
    excess = [cw * mean / K - 1 for mean, K in zip(means, SMALL_KERNELS, strict=True)]
    if abs(excess[0]) < NOISE or not excess[1] / excess[0] > 1:
        return Attracts.OPEN
    return Attracts.YES if excess[0] < 0 else Attracts.NO


def _positive(function: Activation) -> tuple[list[CriticalPoint], str, tuple[float, float]]:
    """Points with K* > 0, why there is none, and the range of kernels where means converge."""
    kernels, gaps = _scan(function)
    if not kernels:
        raise NtkfeynError(
            f"no Gaussian mean of '{function.name}' converges; it must be smooth on the whole line. Try: z*tanh(z)"
        )
    points, refused = [], ""
    for i in range(len(kernels) - 1):
        if gaps[i] * gaps[i + 1] < 0:
            try:
                point = _point(function, _root(function, kernels[i], kernels[i + 1]))
            except NtkfeynError:
                continue
            if point.cb >= 0:
                points.append(point)
            else:
                refused += f"; K = {point.kernel:.6g} would need C_b = {point.cb:.6g}"
    low, high = kernels[0], kernels[-1]
    return points, f"no K between {low:.3g} and {high:.3g} has <s s''> = 0 and C_b >= 0{refused}", (low, high)


def _scan(function: Activation) -> tuple[list[float], list[float]]:
    """Kernels on a logarithmic grid and <s s''>/<s' s'> there (0 where it has no sign), where the means converge."""
    decades = round(log(LARGEST / SMALLEST) / log(10))
    kernels: list[float] = []
    gaps: list[float] = []
    missed = 0
    for K in np.geomspace(SMALLEST, LARGEST, PER_DECADE * decades + 1).tolist():
        try:
            gap = _gap(function, K)
        except NtkfeynError:
            missed += 1
            if kernels and missed == PER_DECADE:
                break  # larger kernels only take longer to fail
            continue
        if kernels and missed:  # no root is looked for across kernels that were left out
            kernels, gaps = [*kernels, K], [*gaps, 0.0]
        kernels.append(K)
        gaps.append(gap if abs(gap) > NOISE else 0.0)
        missed = 0
    return kernels, gaps


def _gap(function: Activation, K: float) -> float:
    """<s s''>_K / <s' s'>_K: chi_par / chi_perp - 1. Raises NtkfeynError where the means do not converge."""
    squared, product = gaussian_means(function, K, 2, lambda s: [s[1] ** 2, s[0] * s[2]])
    if not squared > 0:
        raise NtkfeynError(f"<s' s'> vanishes at K = {K}")
    return product / squared


def _root(function: Activation, low: float, high: float) -> float:
    from scipy.optimize import brentq  # it takes longer to import than the rest to run

    found = brentq(lambda x: _gap(function, exp(x)), log(low), log(high), xtol=1e-15, rtol=1e-15)
    return exp(found)


def _point(function: Activation, K: float) -> CriticalPoint:
    """The point at a K with <s s''>_K = 0."""
    values = gaussian_means(function, K, 2, lambda s: [s[0] ** 2, s[1] ** 2, s[0] * s[2]])
    cw = 1 / values[1]
    cb = K - cw * values[0]
    cb = 0.0 if abs(cb) < CONVERGED * K else cb
    kind, attracts = _stability(function, K, cw)
    return CriticalPoint(cw, cb, K, cw * (values[1] + values[2]), cw * values[1], kind, attracts, K)


def _stability(function: Activation, K: float, cw: float) -> tuple[Stability, Attracts]:
    """Class and basin from the first derivative of chi_par in K that is not 0.

    d^k/dK^k C_W <s^2>_K = 2^-k C_W <(s^2)^(2k)>_K, and k = 1 is chi_par = 1.
    """
    try:
        (curvature,) = gaussian_means(function, K, 4, lambda s: [_square(s, 4)])
        if abs(cw / 4 * curvature) * K > FLAT:
            return Stability.HALF_STABLE, Attracts.ABOVE if curvature < 0 else Attracts.BELOW
        (third,) = gaussian_means(function, K, 6, lambda s: [_square(s, 6)])
    except NtkfeynError:
        return Stability.HALF_STABLE, Attracts.OPEN
    if abs(cw / 8 * third) * K * K > FLAT:
        return (Stability.STABLE, Attracts.YES) if third < 0 else (Stability.UNSTABLE, Attracts.NO)
    return Stability.STABLE, Attracts.OPEN


def _square(s: list[Array], order: int) -> Array:
    """(s^2)^(order) by Leibniz."""
    binomial, total = 1, np.zeros_like(s[0])
    for k in range(order + 1):
        total += binomial * s[k] * s[order - k]
        binomial = binomial * (order - k) // (k + 1)
    return total


def gaussian_means(function: Activation, K: float, top: int, integrand: Integrand) -> list[float]:
    """<f>_K of functions f made of s, s', .., s^(top), to about 13 digits of <|f|>. Raises NtkfeynError.

    Polynomials: Gauss-Hermite, exact. Else the trapezoidal rule, whose step is halved until nothing changes: it
    converges exponentially for analytic functions, also where sqrt(K) is far beyond the scale of s.
    """
    sigma = sqrt(K)
    if function.degree is not None:
        means, _ = _apply(function, sigma, top, integrand, hermite(function.degree + 1))
        return _listed(means)
    length = function.features(sigma, FINEST).length if isinstance(function, Smooth) else inf
    step, change = min(0.25, length / max(sigma, 1e-300)), inf
    before, _ = _apply(function, sigma, top, integrand, trapezoid(2 * step, CUT))
    while 2 * CUT / step < FINEST:
        means, sizes = _apply(function, sigma, top, integrand, trapezoid(step, CUT))
        last, change = change, float(np.max(np.abs(means - before) / (sizes + 1e-300)))
        if change <= CONVERGED or (change <= PLATEAU and 2 * change > last):
            return _listed(means)
        before, step = means, step / 2
    raise _not_converged(function, K)


def _listed(means: Array) -> list[float]:
    return [float(mean) for mean in means]


def _apply(function: Activation, sigma: float, top: int, integrand: Integrand, rule: Rule) -> tuple[Array, Array]:
    """Means of the functions and of their moduli."""
    values = np.stack(integrand(function.table(sigma * rule.nodes, top))) * rule.weights
    sizes = np.abs(values).sum(axis=1)
    if not np.isfinite(values).all():
        raise _not_converged(function, sigma**2)
    if function.degree is None:
        outer = np.abs(values[:, np.abs(rule.nodes) > CUT - 1]).sum(axis=1)
        if (outer > TAIL * sizes).any():
            raise _not_converged(function, sigma**2)
    return values.sum(axis=1), sizes


def _not_converged(function: Activation, K: float) -> NtkfeynError:
    return NtkfeynError(f"Gaussian means of '{function.name}' do not converge at K = {K:.3g}")


def points_json(found: Criticality) -> dict[str, Any]:
    """After the schema ntkfeyn.critical/1, without depth scaling."""
    points = [
        {
            "C_W": point.cw,
            "C_b": point.cb,
            "K": point.kernel,
            "chi_parallel": point.chi_parallel,
            "chi_perpendicular": point.chi_perpendicular,
            "class": point.kind,
            "attracts": point.attracts,
        }
        for point in found.points
    ]
    searched = list(found.searched) if found.searched else None
    return {
        "schema": "ntkfeyn.critical/1",
        "meta": {"tool": TOOL, "command": "critical", "activation": found.activation, "searched": searched},
        "points": points,
        "main": found.points.index(found.main) if found.main else None,
        "reason": found.reason,
        "scaling": None,
    }
