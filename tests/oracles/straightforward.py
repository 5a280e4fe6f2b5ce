"""The seven order-1 tensors of four inputs as one would first write them: one grid, einsum, every component.

The recursions are those of theory section 5, typed in; they import nothing of the package. ``solve`` returns
K, Theta, V, D, F, A, B at the last layer, V .. B with samples in the tensor's index order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Array = NDArray[np.float64]
Activation = Callable[[Array], list[Array]]


def gelu(z: Array) -> list[Array]:
    """s, s', s'', s'''"""
    density = np.exp(-0.5 * z * z) / sqrt(2 * np.pi)
    return [z * ndtr(z), ndtr(z) + z * density, (2 - z * z) * density, (z**3 - 4 * z) * density]


def tanh(z: Array) -> list[Array]:
    t = np.tanh(z)
    return [t, 1 - t**2, -2 * t * (1 - t**2), (6 * t**2 - 2) * (1 - t**2)]


def linear(z: Array) -> list[Array]:
    return [z, np.ones_like(z), np.zeros_like(z), np.zeros_like(z)]


def grid(kernel: Array, nodes: int, cut: float, activation: Activation) -> tuple[list[Array], Array]:
    """s^(m) at all points of a trapezoidal product grid on whitened axes, shape (samples, points); weights."""
    x = np.linspace(-cut, cut, nodes)
    w = (x[1] - x[0]) * np.exp(-0.5 * x * x) / sqrt(2 * np.pi)
    n = len(kernel)
    points = np.stack([axis.ravel() for axis in np.meshgrid(*[x] * n, indexing="ij")])
    weights = np.prod(np.stack([axis.ravel() for axis in np.meshgrid(*[w] * n, indexing="ij")]), axis=0)
    values, vectors = np.linalg.eigh(kernel)
    return activation(vectors * np.sqrt(np.maximum(values, 0)) @ points), weights


def solve(
    gram: Array,
    depth: int,
    cw: float,
    cb: float,
    nodes: int = 30,
    cut: float = 7.0,
    activations: Sequence[Activation] | None = None,
) -> dict[str, Array]:
    """``activations``: one a hidden layer, GELU without it."""
    n = len(gram)
    K, T = cb + cw * gram, gram.copy()
    V, D, F, A, B = (np.zeros((n,) * 4) for _ in range(5))
    for activation in activations or [gelu] * (depth - 1):
        s, w = grid(K, nodes, cut, activation)

        def two(p: int, q: int, s: list[Array] = s, w: Array = w) -> Array:
            return np.einsum("n,an,bn->ab", w, s[p], s[q], optimize=True)

        def four(p: int, q: int, s: list[Array] = s, w: Array = w) -> Array:
            return np.einsum("n,an,bn,cn,dn->abcd", w, s[p], s[p], s[q], s[q], optimize=True)

        e, pairs = np.eye(n), (two(0, 0), two(1, 1))
        ones, stars = four(0, 0), four(1, 1)
        mixed = four(0, 1)  # s_1 s_2 s'_3 s'_4
        # second derivatives of G = s s and of Omega = s s + C_W Theta s' s', [a, b, x, y]: d_x d_y
        G2 = _second(two(2, 0), two(1, 1), e)
        H2 = _second(two(3, 1), two(2, 2), e)
        O2 = G2 + cw * T[:, :, None, None] * H2
        Om, O0 = pairs[0] + cw * T * pairs[1], pairs[1]
        GO = ones + cw * np.einsum("abcd,cd->abcd", mixed, T)
        OO = ones + cw * (np.einsum("abcd,cd->abcd", mixed, T) + np.einsum("cdab,ab->abcd", mixed, T))
        OO = OO + cw * cw * np.einsum("abcd,ab,cd->abcd", stars, T, T)
        outer = np.multiply.outer
        GVG = np.einsum("abwx,wxyz,cdyz->abcd", G2, V, G2, optimize=True)
        GVO = np.einsum("abwx,wxyz,cdyz->abcd", G2, V, O2, optimize=True)
        OVO = np.einsum("abwx,wxyz,cdyz->abcd", O2, V, O2, optimize=True)
        GD = np.einsum("abwx,wxcd,cd->abcd", G2, D, O0, optimize=True)
        OD = np.einsum("abwx,wxcd,cd->abcd", O2, D, O0, optimize=True)
        near, far = two(1, 1), two(0, 2)  # d_x (s_1 s'_3): s'_1 s'_3 at x = 1, s_1 s''_3 at x = 3
        E1 = np.einsum("ac,ax->acx", near, e) + np.einsum("ac,cx->acx", far, e)
        F_next = np.einsum("abcd,cd->acbd", mixed, T) + np.einsum("acx,xcyd,bdy->acbd", E1, F, E1, optimize=True)
        B_next = np.einsum("abcd,ab,cd->acbd", stars, T, T) + np.einsum("acbd,ac,bd->acbd", B, O0, O0)
        V, D, F, A, B, K, T = (
            cw**2 * (ones - outer(pairs[0], pairs[0]) + GVG / 4),
            cw * (GO - outer(pairs[0], Om) + GVO / 4) + cw**2 / 2 * GD,
            cw**2 * F_next,
            OO
            - outer(Om, Om)
            + OVO / 4
            + cw / 2 * (OD + np.transpose(OD, (2, 3, 0, 1)))
            + cw**2 * np.einsum("abcd,ab,cd->abcd", A, O0, O0),
            cw**2 * B_next,
            cb + cw * pairs[0],
            Om,
        )
    return {"K": K, "Theta": T, "V": V, "D": D, "F": F, "A": A, "B": B}


def _second(far: Array, near: Array, e: Array) -> Array:
    """<d_x d_y (f_a f_b)> for all samples: f''_a f_b, f_a f''_b and twice f'_a f'_b."""
    found = np.einsum("ab,ax,ay->abxy", far, e, e) + np.einsum("ba,bx,by->abxy", far, e, e)
    return found + np.einsum("ab,ax,by->abxy", near, e, e) + np.einsum("ab,bx,ay->abxy", near, e, e)
