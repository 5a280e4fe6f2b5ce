"""Recursions at one input stepped layer by layer, with Gauss-Hermite quadrature: numbers for series to be held against.

Nothing of ntkfeyn.asymptotics is used. Every mean <d^k f> of a product f of activations is <He_k(x) f> K^(-k/2), by
parts, so no derivative is ever carried out by Leibniz. Held against `evaluate` in test_depth.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from math import sqrt

import numpy as np
from numpy.polynomial import hermite_e
from numpy.typing import NDArray

from ntkfeyn.derivation.recursion import derive_system
from ntkfeyn.derivation.reduction import split_omega
from ntkfeyn.expectations.activations import activation
from ntkfeyn.model.tensors import TensorId

Array = NDArray[np.float64]
Mean = tuple[tuple[int, ...], int]
NODES = 80


def stepped(
    name: str, targets: Sequence[TensorId], start: float, layers: int, couplings: dict[str, float], weights: str
) -> dict[TensorId, Array]:
    """Each tensor at layers 1 .. layers, shape (layers,), equal widths; ``start`` is K^(1)."""
    system = derive_system(targets, weights)
    gram = (start - couplings["C_b"]) / couplings["C_W"]
    parts: dict[TensorId, list[tuple[float, tuple[TensorId, ...], tuple[Mean, ...]]]] = {}
    means: dict[Mean, int] = {}
    for recursion in system.recursions:
        sums: Counter[tuple[tuple[TensorId, ...], tuple[Mean, ...]]] = Counter()
        for term in recursion.terms:
            for part in split_omega(term):
                found = []
                for g, group in enumerate(part.groups):
                    mean = (tuple(sorted(f.order for f in group.factors)), part.derivatives(g))
                    means.setdefault(mean, len(means))
                    found.append(mean)
                scale = part.coefficient
                for coupling, power in part.couplings:
                    scale *= Fraction(couplings.get(coupling, 1.0)) ** power
                sums[tuple(sorted(t.id for t in part.tensors)), tuple(sorted(found))] += scale  # type: ignore[assignment]
        parts[recursion.id] = [(float(scale), *key) for key, scale in sums.items() if scale]
    here = {recursion.id: 0.0 for recursion in system.recursions}
    here[TensorId("K", 0)] = start
    here[TensorId("Theta", 0)] = couplings["lambda_b"] + couplings["lambda_W"] * gram
    rows = [dict(here)]
    x, weight = hermite_e.hermegauss(NODES)
    weight = weight / weight.sum()
    top = max(max(orders) for orders, _ in means)
    he = [hermite_e.hermeval(x, [0] * k + [1]) * weight for k in range(1 + max(k for _, k in means))]
    function = activation(name)
    for _ in range(layers - 1):
        root = sqrt(here[TensorId("K", 0)])
        s = function.table(root * x, top)
        value = {}
        for orders, k in means:
            product = np.ones_like(x)
            for m in orders:
                product = product * s[m]
            value[orders, k] = float(he[k] @ product) / root**k
        here = {
            tensor: sum(
                scale * float(np.prod([here[t] for t in needed])) * float(np.prod([value[mean] for mean in held]))
                for scale, needed, held in terms
            )
            for tensor, terms in parts.items()
        }
        rows.append(here)
    return {target: np.array([row[target] for row in rows]) for target in targets}
