"""Growth laws: how a tensor grows with depth, read off its values at layers 1 .. L.

Enters: the values of one tensor. Leaves: its power of depth at criticality or its exponential rate off it, with an
uncertainty. At a fixed point K* > 0, or where every K is fixed, both susceptibilities are 1, so that each tensor is a
sum of lower ones: an exact polynomial in l, whose degree is the exponent. At K* = 0 the kernel decays as 1/l and
corrections are powers of 1/l and log(l)/l; some tensors there are powers of log(l) times a power of l.
"""

from __future__ import annotations

from enum import StrEnum
from math import log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MAX_DEGREE = 9
EXACT = 1e-6  # a polynomial that misses no layer by more than this share of the tensor there is the answer
LEAST_LAYERS = 16
WINDOW = 4  # power laws are fitted to layers L/4 .. L, and to L/8 .. L/2 to see what that changes
SMOOTH, SHRINKS = 1e-5, 1.5  # logarithms leave a residual above this that falls by less than this from L/2 to L
TRUSTED = 0.02  # share of what an extrapolation adds that stays uncertain at least
ENOUGH_LAYERS = 256  # with fewer, logarithms cannot be told from powers: all that it adds is uncertain
TRUSTED_RATE = 0.05
DOMINANT = 20  # below this many e-foldings an exponential is hard to tell from a power times another one
TINY = 1e-290
STEADY = 1e-9  # rates below this are rounding and the tolerance of the solver


class Form(StrEnum):
    """The kind of a growth law, as JSON names it.

    POLYNOMIAL is exact; the corrections of a SLOW power die slower than 1/l, as powers of log l do; NONE: no law seen.
    """

    ZERO = "zero"
    POLYNOMIAL = "polynomial"
    POWER = "power"
    SLOW = "slow"
    EXPONENTIAL = "exponential"
    NONE = "none"


class Growth(NamedTuple):
    """``value``: exponent p of l^p or rate r of e^(r l) a layer; ``local``: the same between the last layers alone.

    A polynomial is ``leading`` times l^value and lower powers.
    """

    form: Form
    value: float | None = None
    uncertainty: float | None = None
    local: float | None = None
    leading: float | None = None
    note: str = ""


def power_law(values: Array) -> Growth:
    """The exponent of a tensor at criticality from its values at layers 1 .. L, shape (L,)."""
    if not np.any(values):
        return Growth(Form.ZERO)
    if len(values) < LEAST_LAYERS:
        return Growth(Form.NONE, note=f"only {len(values)} layers")
    local = _slope(values, len(values))
    exact = _polynomial(values)
    if exact is not None:
        degree, leading = exact
        return Growth(Form.POLYNOMIAL, float(degree), 0.0, local, leading)
    if not values[max(2, len(values) // (2 * WINDOW)) - 1]:
        return Growth(Form.NONE, local=local, note=f"too few layers for a tensor that starts at layer {_first(values)}")
    change = last_change(values)
    if change * 2 * WINDOW > len(values):
        return Growth(Form.NONE, local=local, note=f"the sign changes at layer {change}: try a larger --depth")
    here, residual = _extrapolated(values)
    before, residual_before = _extrapolated(values[: len(values) // 2])
    slope = _slope(values, len(values)) or 0.0
    if residual > SMOOTH and residual * SHRINKS > residual_before:
        return _slow_power(values, here, slope)
    share = TRUSTED if len(values) >= ENOUGH_LAYERS else 1.0
    uncertainty = 2 * abs(here - before) + share * abs(here - slope)
    return Growth(Form.POWER, here, uncertainty, local)


def exponential(values: Array) -> Growth:
    """The rate r of e^(r l) off criticality from ln|v| = a + r l + p ln l at late layers; values of shape (L,)."""
    if not np.any(values):
        return Growth(Form.ZERO)
    values = _before_underflow(values)
    count = len(values)
    if count < LEAST_LAYERS:
        return Growth(Form.NONE, note=f"only {count} layers")
    change = last_change(values)
    if 2 * change > count:
        return Growth(Form.NONE, note=f"the sign changes at layer {change}: try a larger --depth")
    wide, late = _rate(values, count // 2), _rate(values, 3 * count // 4)
    tail = np.log(np.abs(values[-1 - count // 8 :]))
    local = float(tail[-1] - tail[0]) / (len(tail) - 1)
    if local * count > DOMINANT and local > 2 * float(np.log(abs(values[-1] / values[count // 2]))) / (
        count - count // 2
    ):
        return Growth(Form.NONE, note="it grows faster than an exponential")
    share = TRUSTED_RATE if abs(local) * count > DOMINANT else 0.5
    uncertainty = 2 * abs(late - wide) + share * abs(late - local) + STEADY
    return Growth(Form.EXPONENTIAL, late, uncertainty, local)


def stays_polynomial(values: Array) -> bool:
    """Whether the local exponent has stopped growing: over a doubling of the depth it doubles for an exponential."""
    envelope = np.maximum.accumulate(np.abs(values))
    late, early = _slope(envelope, len(values)), _slope(envelope, len(values) // 2)
    return late is None or early is None or late <= SHRINKS * max(early, 1.0)


def last_change(values: Array) -> int:
    """The last layer at which the sign differs from the layer before; zeros at the first layers do not count."""
    signs = np.sign(values)
    start = _first(values) - 1
    changes = np.flatnonzero(signs[start + 1 :] != signs[start:-1])
    return int(changes[-1]) + start + 2 if len(changes) else 0


def _first(values: Array) -> int:
    """The first layer that is not 0."""
    return int(np.flatnonzero(values)[0]) + 1


def _before_underflow(values: Array) -> Array:
    """The layers before a decaying tensor is too small for a float."""
    start = _first(values) - 1
    small = np.flatnonzero(np.abs(values[start:]) < TINY)
    return (
        values[: start + int(small[0])]
        if len(small) and not np.any(np.abs(values[start + small[0] :]) > TINY)
        else values
    )


def _slope(values: Array, layer: int) -> float | None:
    """d ln|v| / d ln l between layers l/2 and l; None where one of them is 0."""
    low = layer // 2
    if not values[low - 1] or not values[layer - 1]:
        return None
    return float(np.log(abs(values[layer - 1] / values[low - 1]))) / log(layer / low)


def _polynomial(values: Array) -> tuple[int, float] | None:
    """Degree and leading coefficient of a polynomial in l through all layers, or None.

    Each layer counts relative to the largest value up to it. The basis (l-1 choose k) is triangular at the first
    layers, where growing tensors are smallest: powers of l would lose them.
    """
    start = _first(values) - 1
    weights = 1 / np.maximum.accumulate(np.abs(values[start:]))
    layers = np.arange(start, len(values), dtype=np.float64)  # l - 1
    column, columns, factorial = np.ones_like(layers), [], 1.0
    for degree in range(min(MAX_DEGREE, len(values) // 4) + 1):
        columns.append(column * weights)
        matrix = np.stack(columns, axis=1)
        scale = np.abs(matrix).max(axis=0)
        found = np.linalg.lstsq(matrix / scale, values[start:] * weights, rcond=None)[0]
        if np.max(np.abs(matrix / scale @ found - values[start:] * weights)) < EXACT:
            return degree, float(found[-1] / scale[-1] / factorial)
        column = column * (layers - degree) / (degree + 1)
        factorial *= degree + 1
    return None


def _extrapolated(values: Array) -> tuple[float, float]:
    """p of ln|v| = p ln l + a + b/l + c ln(l)/l at layers L/4 .. L, and the largest residual."""
    layers = np.arange(max(2, len(values) // WINDOW), len(values) + 1, dtype=np.float64)
    logs = np.log(layers)
    basis = np.stack([logs, np.ones_like(logs), 1 / layers, logs / layers], axis=1)
    return _fitted(basis, values[-len(layers) :])


def _rate(values: Array, start: int) -> float:
    """r of ln|v| = r l + a + p ln l + b/l from layer ``start`` on."""
    layers = np.arange(start, len(values) + 1, dtype=np.float64)
    basis = np.stack([layers, np.ones_like(layers), np.log(layers), 1 / layers], axis=1)
    return _fitted(basis, values[start - 1 :])[0]


def _fitted(basis: Array, values: Array) -> tuple[float, float]:
    """The first coefficient of ln|values| in a basis, and the largest residual."""
    target = np.log(np.abs(values))
    found = np.linalg.lstsq(basis, target, rcond=None)[0]
    return float(found[0]), float(np.max(np.abs(basis @ found - target)))


def _slow_power(values: Array, here: float, slope: float) -> Growth:
    """Local slopes over doublings as p + c/(k + d), k = log2 l: what powers of log l leave behind.

    The distance from the fit without logarithms is the uncertainty: this extrapolation goes far.
    """
    ends = [len(values) // 8, len(values) // 4, len(values) // 2, len(values)]
    logs = [float(np.log(abs(values[end - 1]))) for end in ends]
    slopes = [(logs[k + 1] - logs[k]) / log(ends[k + 1] / ends[k]) for k in range(3)]
    first, second = slopes[1] - slopes[0], slopes[2] - slopes[1]
    if not first * second > 0 or not abs(first) > abs(second):
        note = "slow corrections hide the exponent: try a larger --depth"
        return Growth(Form.NONE, local=slope, note=note)
    place = 2 / (first / second - 1)
    value = slopes[0] + first * (place + 1)
    return Growth(Form.SLOW, value, abs(value - here), slope)
