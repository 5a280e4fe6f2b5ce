"""Tensors in extended precision (80 bits where the machine has them): the truth that printed errors have to cover.

Enters: an activation of ``TABLES`` or the coefficients of a polynomial, inputs, couplings. Leaves: every tensor at
every layer, from ``fixed_rule`` with a trapezoidal rule fine enough for 17 digits. Nothing of the solver is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import factorial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.expectations import activations
from ntkfeyn.model.tensors import TensorId
from oracles import fixed_rule

Wide = NDArray[np.longdouble]
LONG = np.longdouble
PI = LONG(4) * np.arctan(LONG(1))
CUT = 10.5
TOP = fixed_rule.TOP


def _erf(z: Wide) -> Wide:
    """z exp(-z^2) sum of 2^n z^(2n) / (2n+1)!! times 2/sqrt(pi): no term cancels another."""
    x = np.clip(z, -LONG(7), LONG(7))
    term = x.copy()
    total = x.copy()
    for n in range(1, 260):
        term = term * (2 * x * x) / (2 * n + 1)
        total += term
    return np.asarray(2 / np.sqrt(PI) * np.exp(-x * x) * total)


def _hermite(z: Wide, top: int) -> list[Wide]:
    found = [np.ones_like(z), z]
    for k in range(1, top):
        found.append(z * found[k] - k * found[k - 1])
    return found[: top + 1]


def erf(z: Wide, top: int) -> list[Wide]:
    bell = 2 / np.sqrt(PI) * np.exp(-z * z)
    scale = np.sqrt(LONG(2))
    return [_erf(z), *(bell * (-scale) ** k * he for k, he in enumerate(_hermite(scale * z, max(top - 1, 1))[:top]))]


def normal(z: Wide, top: int) -> list[Wide]:
    root = np.sqrt(LONG(2))
    rows = erf(z / root, top)
    return [(1 + rows[0]) / 2, *(row / (2 * root**m) for m, row in enumerate(rows) if m)]


def sigmoid(z: Wide, top: int) -> list[Wide]:
    return [(1 + np.tanh(z / 2)) / 2, *(v / 2 ** (m + 2) for m, v in enumerate(activations._tanh(z / 2, top)[1:]))]  # type: ignore[arg-type]


def softplus(z: Wide, top: int) -> list[Wide]:
    return [np.logaddexp(LONG(0), z), *sigmoid(z, top - 1)]


def times_z(base: Callable[[Wide, int], list[Wide]]) -> Callable[[Wide, int], list[Wide]]:
    def table(z: Wide, top: int) -> list[Wide]:
        g = base(z, top)
        return [z * g[0], *(z * g[m] + m * g[m - 1] for m in range(1, top + 1))]

    return table


def polynomial(coefficients: Sequence[Fraction]) -> Callable[[Wide, int], list[Wide]]:
    def table(z: Wide, top: int) -> list[Wide]:
        rows = []
        for m in range(top + 1):
            value = np.zeros_like(z)
            for k in range(len(coefficients) - 1, m - 1, -1):
                c = coefficients[k] * (factorial(k) // factorial(k - m))
                value = value * z + LONG(c.numerator) / LONG(c.denominator)
            rows.append(value)
        return rows

    return table


TABLES: dict[str, Callable[[Wide, int], list[Wide]]] = {
    "gelu": times_z(normal), "silu": times_z(sigmoid), "tanh": activations._tanh, "sigmoid": sigmoid, "erf": erf,
    "softplus": softplus, "sin": activations._sin, "cos": activations._cos,
}  # type: ignore[dict-item]  # fmt: skip


def solve(
    names: Sequence[TensorId],
    table: Callable[[Wide, int], list[Wide]],
    inputs: Any,
    depth: int,
    spread: float,
    couplings: dict[str, float],
    moved: float = 0.0,
) -> list[dict[str, Wide]]:
    """``spread``: the largest standard deviation of a preactivation; equal widths.

    ``moved``: nodes by this share of a step, the Gram matrix and expectations by their rounding, to see what is known.
    """
    x = np.asarray(inputs, dtype=LONG)
    gram = x @ x.T / x.shape[1]
    eps = np.finfo(LONG).eps
    if moved:
        gram = gram * (1 + 4 * eps * np.sign(np.subtract.outer(range(len(x)), range(len(x))) ** 2 - 0.5))
    step = LONG(0.2) / max(1.0, spread)
    m = int(CUT / step)
    nodes = step * (np.arange(-m, m + 1) + LONG(moved))
    rule = nodes, step * np.exp(-nodes * nodes / 2) / np.sqrt(2 * PI)
    rows = {name: [LONG(value)] * depth for name, value in couplings.items()}
    shaken = 16 * eps if moved else 0.0
    found: Any = fixed_rule.solve(names, [table] * (depth - 1), rule, gram, [8] * depth, rows, shaken)  # type: ignore[arg-type]
    return list(found)


def doubt(one: list[dict[str, Wide]], other: list[dict[str, Wide]]) -> list[dict[str, Wide]]:
    """What these numbers may be off by themselves, from the same with other nodes."""
    return [
        {t: 20 * np.maximum(np.abs(a[t] - b[t]), np.max(np.abs(a[t] - b[t])) / 4) for t in a}
        for a, b in zip(one, other, strict=True)
    ]
