"""Closed forms of Gaussian expectations, derived here; nothing of the package is imported.

``kernel(activation, k11, k12, k22)`` gives <s s> and <s' s'>. For GELU, with P = <Phi Phi> an orthant probability,
Stein's identity twice and Price's theorem (d/dk12 is a derivative on each factor, d/dk11 half of two on the first) give
<s s> as derivatives of P; SymPy takes them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import product
from math import acos, asin, cosh, exp, pi, sinh, sqrt

import numpy as np
import sympy as sp


def relu(a: float, b: float, c: float) -> tuple[float, float]:
    angle = acos(max(-1.0, min(1.0, b / sqrt(a * c))))
    return sqrt(a * c) * (np.sin(angle) + (pi - angle) * np.cos(angle)) / (2 * pi), (pi - angle) / (2 * pi)


def erf(a: float, b: float, c: float) -> tuple[float, float]:
    size = (1 + 2 * a) * (1 + 2 * c)
    return 2 / pi * asin(2 * b / sqrt(size)), 4 / (pi * sqrt(size - 4 * b * b))


def sin(a: float, b: float, c: float) -> tuple[float, float]:
    return exp(-(a + c) / 2) * sinh(b), exp(-(a + c) / 2) * cosh(b)


@cache
def _gelu_forms() -> Callable[..., Sequence[float]]:
    a, b, c = sp.symbols("a b c", positive=True)
    P = sp.Rational(1, 4) + sp.asin(b / sp.sqrt((1 + a) * (1 + c))) / (2 * sp.pi)
    ss = b * P + (a * c + b * b) * sp.diff(P, b) + 2 * a * b * sp.diff(P, a) + 2 * b * c * sp.diff(P, c)
    return sp.lambdify((a, b, c), [ss, sp.diff(ss, b)], "math")


def gelu(a: float, b: float, c: float) -> tuple[float, float]:
    ss, dd = _gelu_forms()(a, b, c)
    return ss, dd


KERNELS = {"relu": relu, "erf": erf, "sin": sin, "gelu": gelu}


def infinite_width(activation: str, gram: np.ndarray, depth: int, couplings: Sequence[float]) -> tuple:
    """K and Theta at order 0 at the last layer; couplings C_W, C_b, lambda_W, lambda_b."""
    cw, cb, lw, lb = couplings
    K, T = cb + cw * gram, lb + lw * gram
    n = len(gram)
    for _ in range(depth - 1):
        both = np.array([[KERNELS[activation](K[i, i], K[i, j], K[j, j]) for j in range(n)] for i in range(n)])
        K, T = cb + cw * both[..., 0], lb + lw * both[..., 0] + cw * T * both[..., 1]
    return K, T


def sines(kernel: np.ndarray, factors: Sequence[tuple[int, int]]) -> float:
    """<prod of sin^(m)(z_a)> in any dimension: products of exponentials e^{i t z} with mean e^{-t K t / 2}."""
    total = 0j
    for signs in product((1, -1), repeat=len(factors)):
        t = np.zeros(len(kernel))
        weight = 1.0 + 0j
        for sign, (a, m) in zip(signs, factors, strict=True):
            t[a] += sign  # sin = (e - e*) / 2i, and each derivative multiplies e^{+-iz} with +-i
            weight *= sign * (1j * sign) ** m / 2j
        total += weight * np.exp(-0.5 * t @ kernel @ t)
    return float(total.real)
