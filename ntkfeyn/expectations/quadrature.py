"""Quadrature on whitened axes: for each axis a rule with just enough nodes for a tolerance (issue: expectations).

Enters: test functions of one variable and the scale sigma with which an axis enters them. Leaves: nodes and weights
for the unit normal. Two rules compete: Gauss-Hermite, good where sigma is small, and the trapezoidal rule, which
converges exponentially where the integrand times the Gaussian is analytic in a strip. How many nodes they need is
measured on the test functions, at a few offsets that stand for the other axes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import ceil, exp, inf, log, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.errors import LimitError

Array = NDArray[np.float64]
Tests = Callable[[Array], Array]  # z of shape (nodes,) -> test functions, shape (tests, nodes)

CUT = 13.0  # half-width of the reference rule, in standard deviations
STEPS = np.asarray(1.12 * 0.92 ** np.arange(400), dtype=np.float64)
GRID = 1.35  # ratio of the scales at which node numbers are measured
MAX_HERMITE = 24
FEWEST = 3  # Hermite nodes: one less, in a compared rule, still sees an axis along which nearby samples differ
FINEST = 1.1  # a reference has a step this many times below the last one that is tried
OFFSETS = (0.0, 0.7, -1.4, 2.5)
MAX_AXIS_NODES = 6000
REACHED = 1e-12  # relative errors below this are rounding
SHIFT = 0.37  # in steps: a rule that is compared has its nodes elsewhere, and no symmetry
PLATEAU = 1e-9  # errors that stop falling below this are rounding in the activation's derivatives


class Rule(NamedTuple):
    """Nodes in order of distance from 0, and weights, for the unit normal."""

    nodes: Array
    weights: Array


class Curve(NamedTuple):
    """Relative errors measured at one scale: by trapezoidal step, by number of Hermite nodes, by cut."""

    steps: Array
    step_errors: Array
    hermite_errors: Array
    cuts: Array
    tails: Array


@cache
def hermite(nodes: int) -> Rule:
    """Gauss-Hermite for the unit normal: exact to degree 2 nodes - 1."""
    x, w = (np.asarray(v, dtype=np.float64) for v in np.polynomial.hermite_e.hermegauss(nodes))
    order = np.argsort(np.abs(x), kind="stable")
    return Rule(x[order], np.asarray(w[order] / w.sum(), dtype=np.float64))


def trapezoid(step: float, cut: float, shift: float = 0.0) -> Rule:
    """Equidistant nodes with |x| <= cut: at multiples of the step, or all moved by this share of it."""
    m = int(cut / step)
    k = np.arange(-m, m + 1) + shift
    k = k[np.abs(k) * step <= cut] if shift else k
    x: Array = step * k[np.argsort(np.abs(k), kind="stable")].astype(np.float64)
    return Rule(x, np.asarray(step * np.exp(-0.5 * x * x) / sqrt(2 * np.pi)))


class AxisRules:
    """Rules by scale and tolerance for one set of test functions; ``spread`` is the size of the offsets.

    ``length``: steps in z of the rule that others are measured by; ``places``: further offsets, where z is looked at.
    """

    def __init__(
        self, tests: Tests, spread: float, name: str, length: float = inf, places: tuple[float, ...] = ()
    ) -> None:
        self.tests, self.spread, self.name, self.length = tests, spread, name, length
        self.offsets = (*(offset * spread for offset in OFFSETS), *places)
        self.curve = cache(self._curve)
        self.axis, self.cut = cache(self._axis), cache(self._cut)  # many sets of samples have few scales

    def _axis(self, sigma: float, tolerance: float, cut: float, coarsening: float = 1.0, finer: float = 1.0) -> Rule:
        """The cheaper of the two rules at this tolerance, with ``finer`` times more nodes than were measured.

        ``coarsening`` then leaves that many times fewer. Above 1 the rule shares nothing with the one at 1: it has a
        node less at least, and a trapezoid is shifted.
        """
        step = self.step(sigma, tolerance)
        upper = self.curve(ceil(_grid_number(sigma))).hermite_errors
        enough = np.flatnonzero(np.maximum(upper[:-1], upper[1:]) < tolerance)
        if len(enough) and enough[0] + 1 < 2 * int(cut / step) + 1:
            nodes = max(FEWEST, ceil((int(enough[0]) + 1) * finer))
            return hermite(min(nodes - 1, int(nodes / coarsening)) if coarsening > 1.0 else ceil(nodes / coarsening))
        if 2 * cut / step > MAX_AXIS_NODES:
            raise self._refusal(sigma)
        return trapezoid(step * coarsening / finer, cut, SHIFT if coarsening > 1.0 else 0.0)

    def step(self, sigma: float, tolerance: float) -> float:
        """The largest sufficient step, interpolated between measured scales."""
        number = _grid_number(sigma)
        low, high = (self._sufficient(n, tolerance) for n in (int(np.floor(number)), ceil(number)))
        share = number - np.floor(number)
        return float(0.98 * low ** (1 - share) * high**share)

    def _cut(self, sigma: float, tolerance: float) -> float:
        """The distance in standard deviations beyond which the test functions hold less than ``tolerance``."""
        curve = self.curve(ceil(_grid_number(sigma)))
        enough = np.flatnonzero(curve.tails < tolerance)
        if not len(enough):
            raise self._refusal(sigma)
        return float(curve.cuts[enough[0]])

    def _sufficient(self, number: int, tolerance: float) -> float:
        curve = self.curve(number)
        enough = np.flatnonzero(curve.step_errors <= max(tolerance, 1.5 * curve.step_errors[-3]))
        return float(curve.steps[enough[0]])

    def _curve(self, number: int) -> Curve:
        sigma = GRID**number
        last = max(12, int(np.searchsorted(-STEPS, -min(0.33 / (0.6 + sigma), FINEST * self.length / sigma))))
        most = int(np.searchsorted(-STEPS, -2 * CUT / MAX_AXIS_NODES))  # steps that are allowed
        while last < most:
            curve = self._measured(sigma, STEPS[:last])
            floor, before = curve.step_errors[-3], curve.step_errors[-9]
            if floor < REACHED or (floor < PLATEAU and before < 2 * floor):
                return curve
            last = min(last + 8, most - 1) if last < most - 1 else most
        raise self._refusal(sigma)

    def _measured(self, sigma: float, steps: Array) -> Curve:
        trapezoids = [*(trapezoid(step, CUT) for step in steps), trapezoid(steps[-1] / FINEST, CUT, SHIFT)]
        hermites = [hermite(n) for n in range(1, MAX_HERMITE + 1)]
        rules = [*trapezoids, *hermites]
        nodes = np.concatenate([rule.nodes for rule in rules])
        starts = np.cumsum([0, *(len(rule.nodes) for rule in rules)])
        weights = np.concatenate([rule.weights for rule in rules])
        errors = np.zeros(len(rules))
        cuts = np.arange(4.0, CUT, 0.125)
        tails = np.zeros(len(cuts))
        finest = slice(starts[len(steps)], starts[len(steps) + 1])
        shifted = [self.tests(sigma * nodes + offset) * weights for offset in self.offsets]
        size = np.max([np.abs(values[:, finest]).sum(axis=1) for values in shifted], axis=0)[:, None] + 1e-300
        beyond = np.abs(nodes[finest])[:, None] > cuts
        for values in shifted:
            sums = np.add.reduceat(values, starts[:-1], axis=1)
            errors = np.maximum(errors, np.max(np.abs(sums - sums[:, [len(steps)]]) / size, axis=0))
            tails = np.maximum(tails, np.max(np.abs(values[:, finest]) @ beyond / size, axis=0))
        worst_from_here = np.maximum.accumulate(errors[: len(steps)][::-1])[::-1]
        return Curve(steps, worst_from_here, errors[len(trapezoids) :], cuts, tails)

    def _refusal(self, sigma: float) -> LimitError:
        return LimitError(
            f"Gaussian means of '{self.name}' do not converge at standard deviation {sigma:.3g} of the preactivations:"
            " the kernel is too large or the activation grows too fast",
            "try a smaller --cw or --depth, or a larger tolerance",
        )


def _grid_number(sigma: float) -> float:
    return max(log(max(sigma, 1e-300)) / log(GRID), -40.0)


@cache
def ball(cut: float, dimension: int) -> float:
    """The radius that cuts as little of a normal in ``dimension`` dimensions as ``cut`` does in one."""
    radius = cut
    for _ in range(30):
        radius = sqrt(cut * cut + 2 * (dimension - 1) * log(max(radius, exp(0.5))))
    return radius


def check_nodes(samples: int, nodes: int, most: int) -> None:
    """Raises LimitError before a grid is laid that would take too much time or memory."""
    if nodes > most:
        raise LimitError(
            f"one expectation over {samples} samples needs {nodes} nodes or more, of which {most} are allowed;"
            " try a larger tolerance, --components pairs, or a smaller kernel"
        )
