"""Features of a written expression: whether it is smooth where a kernel needs it, and how finely it is structured.

Enters: the nodes of an expression, the largest standard deviation of the preactivations. Leaves: the finest length on
which it changes, or an error that says where it has a kink, a pole or a feature too fine for quadrature. The range is
cut into cells, and every node is enclosed in an interval on each: a cell is halved until no root, logarithm or
denominator on it can vanish and no function's argument moves over more than about one of its own lengths. What is not
sampled cannot be missed. Where that takes cells too narrow for any rule, the activation is refused: a zero under a root
and a spike too narrow to resolve are refused alike.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import ceil, inf, log
from typing import NamedTuple

import numpy as np
import scipy.special
from numpy.typing import NDArray

from ntkfeyn.errors import NtkfeynError
from ntkfeyn.expectations.activations import Features
from ntkfeyn.expectations.expression import Constant, Function, Node, Power, Product, Sum, Variable
from ntkfeyn.expectations.quadrature import CUT, GRID, MAX_AXIS_NODES, OFFSETS

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
WEIGHTY = 8.0  # features beyond so many standard deviations hold less than 1e-14 of a mean
PLACES, NEAR = 4, 3.0  # how many fine places are looked at, how far out
PIECES = 64  # first cells
DIGITS = 40  # halvings that tell a zero from a small number
NARROWEST = 1e-9  # cells far out, relative to the range
MOST_CELLS = 200_000
SLACK = 4e-16  # rounding of one operation, relative, outward
HUGE, FLAT = 300.0, 740.0  # exp(-HUGE) is far below any constant's inverse, exp(-FLAT) is 0
LEAST, LARGEST = 1e-9, 1e150
ROUNDED = 1.3  # ratio of the ranges that are looked at


class Interval(NamedTuple):
    """An enclosure on each cell."""

    low: Array
    high: Array

    @property
    def width(self) -> Array:
        return self.high - self.low

    @property
    def distance(self) -> Array:
        """From 0, 0 if that is inside."""
        return np.maximum(np.maximum(self.low, -self.high), 0.0)


class Finder:
    """The features of one expression, found once for each range."""

    def __init__(self, node: Node, name: str) -> None:
        self.node, self.name = node, name
        self._known = cache(self._found)

    def found(self, spread: float, nodes: int = MAX_AXIS_NODES) -> Features:
        """For standard deviations up to ``spread``, and rules of so many nodes. Raises NtkfeynError."""
        return self._known(ROUNDED ** ceil(log(max(spread, LEAST)) / log(ROUNDED) - 1e-9), nodes)

    def _found(self, spread: float, nodes: int) -> Features:
        reach = (CUT * GRID - min(OFFSETS) + max(OFFSETS)) * spread
        least = GRID * 2 * CUT / nodes * spread
        edges = np.linspace(-reach, reach, PIECES + 1)
        cells = Interval(edges[:-1], edges[1:])
        kept: list[tuple[Array, Array]] = []
        while len(cells.low):
            cells = self._unresolved(cells, spread, least, kept)
        widths, centres = np.concatenate([k[0] for k in kept]), np.concatenate([k[1] for k in kept])
        return _summary(widths, centres, spread)

    def _unresolved(self, cells: Interval, spread: float, least: float, kept: list[tuple[Array, Array]]) -> Interval:
        """Halves of the cells that are still too wide; the others are added to ``kept`` if they weigh anything."""
        scan = self._scan(cells)
        centre = 0.5 * (cells.low + cells.high)
        weighty = cells.distance < WEIGHTY * spread
        good = scan.safe & (scan.resolved | ~weighty)
        kept.append((cells.width[good & weighty], centre[good & weighty]))
        smallest = np.where(weighty, least, NARROWEST * spread)
        lost = np.flatnonzero(~good & (cells.width < 2 * smallest))
        if len(lost) or np.count_nonzero(~good) > MOST_CELLS:
            lost = lost if len(lost) else np.flatnonzero(~good)
            raise self._refusal(Interval(cells.low[lost], cells.high[lost]))
        return _halves(Interval(cells.low[~good], cells.high[~good]))

    def _refusal(self, cells: Interval) -> NtkfeynError:
        """What is wrong on these cells: a singularity, if one is left however far they are halved."""
        fine = cells
        for _ in range(DIGITS):
            fine = _halves(fine)
            scan = self._scan(fine)
            if scan.safe.all():
                break
            fine = scan.worst()
        else:
            scan = self._scan(fine)
            why = next(why for _, safe, why in scan.dangers if not safe[0])
            return NtkfeynError(
                f"the activation '{self.name}' is not smooth at z = {_place(fine, 0)}: {why} there",
                "it must be smooth wherever the kernel needs it: try relu or leaky_relu(a) for a kink, a smaller C_W",
            )
        first = int(np.argmin(np.abs(cells.low + cells.high)))
        return NtkfeynError(
            f"the activation '{self.name}' changes within less than {cells.width[first]:.2g} near"
            f" z = {_place(cells, first)}, too finely for a quadrature over the preactivations of this kernel",
            "try a wider feature, a slower oscillation, or a smaller C_W",
        )

    def _scan(self, cells: Interval) -> Scan:
        scan = Scan(cells)
        with np.errstate(all="ignore"):
            scan.enclose(self.node)
        return scan


def _halves(cells: Interval) -> Interval:
    middle = 0.5 * (cells.low + cells.high)
    return Interval(np.concatenate([cells.low, middle]), np.concatenate([middle, cells.high]))


def _place(cells: Interval, which: int) -> str:
    """A point of a cell in as few digits as its width allows."""
    low, high = float(cells.low[which]), float(cells.high[which])
    return "0" if low <= 0 <= high else f"{0.5 * (low + high):.4g}"


def _summary(widths: Array, centres: Array, spread: float) -> Features:
    """The finest length and a few places where it is reached."""
    length = float(widths.min())
    places: list[float] = []
    near = np.flatnonzero((np.abs(centres) < NEAR * spread) & (widths < 4 * length))
    for i in near[np.lexsort((np.abs(centres[near]), widths[near]))]:
        if len(places) < PLACES and all(abs(centres[i] - p) > 0.3 * spread for p in places):
            places.append(float(centres[i]))
    return Features(length, tuple(places) if length < spread / PLACES else ())


class Scan:
    """Enclosures of nodes on cells; ``safe``: nothing on the cell is singular, ``resolved``: nor too fine for it.

    ``dangers`` lists what may vanish: its enclosure, the cells where it cannot, and words for it.
    """

    def __init__(self, cells: Interval) -> None:
        self.cells = cells
        self.safe: Flags = np.ones(len(cells.low), dtype=bool)
        self.resolved = self.safe.copy()
        self.dangers: list[tuple[Interval, Flags, str]] = []

    def worst(self) -> Interval:
        """The cells that are not safe, those first where what may vanish is least; so many of them."""
        size = np.full(len(self.safe), inf)
        for argument, safe, _ in self.dangers:
            size = np.where(safe, size, np.minimum(size, np.abs(argument.low + argument.high)))
        order = np.argsort(size, kind="stable")[: min(PIECES, int(np.count_nonzero(~self.safe)))]
        return Interval(self.cells.low[order], self.cells.high[order])

    def enclose(self, node: Node) -> Interval:
        match node:
            case Constant(value):
                found = Interval(np.full(len(self.safe), value), np.full(len(self.safe), value))
            case Variable():
                return self.cells
            case Sum(left, right, sign):
                a, b = self.enclose(left), self.enclose(right)
                found = (
                    Interval(a.low + b.low, a.high + b.high) if sign > 0 else Interval(a.low - b.high, a.high - b.low)
                )
            case Product(left, right):
                a = self.enclose(left)
                found = _square(a) if left == right else _product(a, self.enclose(right))
            case Power(base, exponent):
                found = self._power(self.enclose(base), exponent.numerator, exponent.denominator)
            case Function(name, argument):
                found = self._function(name, self.enclose(argument))
        return _outward(found)

    def _power(self, base: Interval, above: int, below: int) -> Interval:
        exponent = above / below
        if below > 1:
            self._apart(base, base.low > 0, "what is under a root vanishes or is negative")
        elif above < 0:
            self._apart(base, base.distance > 0, "a denominator vanishes")
        if below > 1 or above < 0:
            base = Interval(np.where(base.low > 0, base.low, np.where(base.high < 0, base.low, 0.0)), base.high)
        if below == 1 and above % 2 == 0:
            ends = Interval(base.distance, np.maximum(np.abs(base.low), np.abs(base.high)))
        else:
            ends = base
        values = [_signed_power(end, exponent, odd=below == 1 and above % 2 == 1) for end in ends]
        return Interval(np.minimum(*values), np.maximum(*values))

    def _function(self, name: str, argument: Interval) -> Interval:
        if name == "log":
            self._apart(argument, argument.low > 0, "the argument of a logarithm vanishes or is negative")
            return Interval(np.log(np.maximum(argument.low, 0.0)), np.log(np.maximum(argument.high, 0.0)))
        away = argument.distance
        allowed = np.where(away < HUGE, np.clip(away / 8, 1.0, 16.0), away / 4)
        if name in ("sin", "cos"):
            allowed = np.ones_like(away)
        elif name == "atan":
            allowed = 0.5 * (1.0 + away)
        elif name == "erf":
            away = np.where(away > 27.3, FLAT + 1, away)
        self.resolved &= (argument.width <= allowed) | ((away > FLAT) & (name not in ("sin", "cos", "atan")))
        if name in ("sin", "cos"):
            return _wave(argument, 0.5 if name == "sin" else 0.0)
        if name == "cosh":
            return Interval(np.cosh(away), np.cosh(np.maximum(np.abs(argument.low), np.abs(argument.high))))
        return Interval(*(_MONOTONE[name](end) for end in argument))

    def _apart(self, argument: Interval, safe: Flags, why: str) -> None:
        """Something that must not vanish, and changes on the scale of its own size."""
        self.safe &= safe
        self.resolved &= (argument.width <= argument.distance) | (argument.distance > LARGEST)
        self.dangers.append((argument, safe, why))


_MONOTONE: dict[str, Callable[[Array], Array]] = {
    "exp": np.exp,
    "tanh": np.tanh,
    "sinh": np.sinh,
    "atan": np.arctan,
    "erf": scipy.special.erf,
    "sigmoid": scipy.special.expit,
    "softplus": lambda x: np.logaddexp(0.0, x),
}


def _outward(found: Interval) -> Interval:
    """Rounding taken care of; what is no number may be anything."""
    low, high = (np.asarray(end) for end in found)
    low = np.where(np.isnan(low), -inf, low - SLACK * np.abs(low))
    high = np.where(np.isnan(high), inf, high + SLACK * np.abs(high))
    return Interval(np.where(np.isnan(low), -inf, low), np.where(np.isnan(high), inf, high))


def _product(a: Interval, b: Interval) -> Interval:
    ends = np.stack([x * y for x in a for y in b])
    ends = np.where(np.isnan(ends), 0.0, ends)  # 0 times infinity: the end where the other factor is finite says more
    return Interval(ends.min(axis=0), ends.max(axis=0))


def _square(a: Interval) -> Interval:
    return Interval(a.distance**2, np.maximum(np.abs(a.low), np.abs(a.high)) ** 2)


def _signed_power(value: Array, exponent: float, *, odd: bool) -> Array:
    if odd:
        return np.asarray(np.sign(value) * np.abs(value) ** exponent)
    return np.asarray(np.maximum(value, 0.0) ** exponent)


def _wave(argument: Interval, shift: float) -> Interval:
    """cos(u - shift pi): 1 at even, -1 at odd multiples of pi."""
    low, high = (end / np.pi - shift for end in argument)
    ends = [np.cos(np.pi * low), np.cos(np.pi * high)]
    rounding = SLACK * np.maximum(np.abs(low), np.abs(high)) * 8
    top = np.floor(high / 2 + rounding) * 2 >= low - rounding
    bottom = np.floor((high - 1) / 2 + rounding) * 2 + 1 >= low - rounding
    least = np.where(bottom, -1.0, np.minimum(*ends) - rounding * 8)
    return Interval(least, np.where(top, 1.0, np.maximum(*ends) + rounding * 8))
