"""Recursions at one input stepped layer by layer, with the trapezoidal rule: numbers for series to be held against.

Nothing of ntkfeyn.asymptotics is used. Every mean <d^k f> of a product f of activations is <He_k(x) f> K^(-k/2), by
parts, so no derivative is ever carried out by Leibniz. Held against `evaluate` in test_depth.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import prod, sqrt

import numpy as np
from numpy.polynomial import hermite_e
from numpy.typing import NDArray

from ntkfeyn.derivation.recursion import derive_system
from ntkfeyn.derivation.reduction import split_omega
from ntkfeyn.expectations.activations import activation
from ntkfeyn.model.tensors import TensorId

Array = NDArray[np.float64]
Mean = tuple[tuple[int, ...], int]
Row = dict[TensorId, float]
CUT, STEP = 13.0, 0.08  # of the trapezoidal rule, in standard deviations
K, THETA = TensorId("K", 0), TensorId("Theta", 0)


class Stepper:
    """One layer after the other, at equal widths."""

    def __init__(self, name: str, targets: Sequence[TensorId], couplings: Mapping[str, float], weights: str) -> None:
        self.couplings, self.function = couplings, activation(name)
        self.parts: dict[TensorId, list[tuple[float, tuple[TensorId, ...], tuple[Mean, ...]]]] = {}
        means: set[Mean] = set()
        for recursion in derive_system(targets, weights).recursions:
            rows = self.parts[recursion.id] = []
            for part in (part for term in recursion.terms for part in split_omega(term)):
                held = tuple(
                    (tuple(sorted(f.order for f in group.factors)), part.derivatives(g))
                    for g, group in enumerate(part.groups)
                )
                means |= set(held)
                scale = float(part.coefficient) * prod(
                    couplings.get(name, 1.0) ** power for name, power in part.couplings
                )
                rows.append((scale, tuple(t.id for t in part.tensors), held))
        self.means = sorted(means)
        self.x = np.arange(-CUT, CUT + STEP / 2, STEP)
        weight = np.exp(-0.5 * self.x**2)
        weight = weight / weight.sum()
        self.top = max(max(orders) for orders, _ in means)
        orders = range(1 + max(k for _, k in means))
        self.he = [hermite_e.hermeval(self.x, [0] * k + [1]) * weight for k in orders]

    def first(self, kernel: float) -> Row:
        """Layer 1."""
        gram = (kernel - self.couplings["C_b"]) / self.couplings["C_W"]
        return dict.fromkeys(self.parts, 0.0) | {
            K: kernel,
            THETA: self.couplings["lambda_b"] + self.couplings["lambda_W"] * gram,
        }

    def means_at(self, kernel: float) -> dict[Mean, float]:
        root = sqrt(kernel)
        s = self.function.table(root * self.x, self.top)
        return {(m, k): float(self.he[k] @ prod(s[j] for j in m)) / root**k for m, k in self.means}

    def step(self, here: Row) -> Row:
        value = self.means_at(here[K])
        return {
            tensor: sum(
                scale * prod(here[t] for t in needed) * prod(value[mean] for mean in held)
                for scale, needed, held in terms
            )
            for tensor, terms in self.parts.items()
        }

    def run(self, kernel: float, layers: int) -> dict[TensorId, Array]:
        """Each tensor at layers 1 .. layers."""
        rows = [self.first(kernel)]
        for _ in range(layers - 1):
            rows.append(self.step(rows[-1]))
        return {tensor: np.array([row[tensor] for row in rows]) for tensor in self.parts}


def elementary(values: Sequence[Fraction], degree: int) -> Fraction:
    """The elementary symmetric polynomial."""
    row = [Fraction(1)] + [Fraction(0)] * degree
    for value in values:
        for k in range(degree, 0, -1):
            row[k] += value * row[k - 1]
    return row[degree]
