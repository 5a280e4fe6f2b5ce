"""Order-1 tensors of networks whose weights are shared over labels, as one would first write them: einsum.

The recursions are those of theory sections 5 and 10, typed in; they import nothing of the package. Expectations are
sums over one product grid of all labels, exact for a polynomial of low degree on Gauss-Hermite nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Activation = Callable[[Array], list[Array]]  # s, s', .., zeros after its last derivative
LETTERS = "wxyz"


def operator(maps: Sequence[tuple[float, Array]]) -> Array:
    """A of theory section 10, [a, b, a', b']."""
    weights, matrices = zip(*maps, strict=True)
    return np.einsum("t,tac,tbd->abcd", np.array(weights), np.stack(matrices), np.stack(matrices))


def on_pairs(tensor: Array, A: Array) -> Array:
    """A on axes 0 and 1, and on 2 and 3 if there are some."""
    for axes in ([0, 1], [2, 3])[: tensor.ndim // 2]:
        moved = np.tensordot(A, tensor, axes=([2, 3], axes))
        tensor = np.moveaxis(moved, [0, 1], axes)
    return tensor


class Means:
    """Expectations of products of activations at labels."""

    def __init__(self, kernel: Array, activation: Activation, nodes: int) -> None:
        x, w = np.polynomial.hermite_e.hermegauss(nodes)
        n = len(kernel)
        points = np.stack([axis.ravel() for axis in np.meshgrid(*[x] * n, indexing="ij")])
        axes = np.meshgrid(*[w / w.sum()] * n, indexing="ij")
        self.weights = np.prod(np.stack([axis.ravel() for axis in axes]), axis=0)
        values, vectors = np.linalg.eigh(kernel)
        self.s = activation(vectors * np.sqrt(np.maximum(values, 0)) @ points)

    def two(self, p: int, q: int) -> Array:
        return np.einsum("n,an,bn->ab", self.weights, self.s[p], self.s[q], optimize=True)

    def four(self, p: int, q: int) -> Array:
        """s^(p)_1 s^(p)_2 s^(q)_3 s^(q)_4"""
        left = np.einsum("an,bn->abn", self.s[p], self.s[p])
        right = np.einsum("n,cn,dn->cdn", self.weights, self.s[q], self.s[q])
        return np.tensordot(left, right, axes=(2, 2))

    def derived(self, p: int, q: int, times: int) -> Array:
        """< d_w d_x .. (s^(p)_a s^(q)_b) >, [a, b, w, x, ..]: each derivative on a or on b."""
        n = len(self.s[0])
        e, total = np.eye(n), np.zeros((n,) * (2 + times))
        for landing in product("ab", repeat=times):
            table = self.two(p + landing.count("a"), q + landing.count("b"))
            inputs = ",".join(["ab", *(f"{at}{x}" for at, x in zip(landing, LETTERS, strict=False))])
            total += np.einsum(f"{inputs}->ab{LETTERS[:times]}", table, *[e] * times)
        return total


def solve(
    gram: Array,
    activations: Sequence[Activation],
    operators: Sequence[Array],
    widths: Sequence[int],
    couplings: dict[str, Sequence[float]],
    nodes: int = 5,
) -> list[dict[str, Array]]:
    """``gram`` and ``operators[0]`` lead to layer 1; tensors of every layer by name, indices in their order."""
    rows = [dict(zip(couplings, row, strict=True)) for row in zip(*couplings.values(), strict=True)]
    first = on_pairs(gram, operators[0])
    zero = np.zeros((len(first),) * 4)
    here: dict[str, Any] = dict.fromkeys("VDF", zero) | dict.fromkeys(("K1", "Theta1"), np.zeros_like(first))
    here["K"] = rows[0]["C_b"] + rows[0]["C_W"] * first
    here["Theta"] = rows[0]["lambda_b"] + rows[0]["lambda_W"] * first
    layers = [here]
    for l, (activation, A) in enumerate(zip(activations, operators[1:], strict=True), 1):  # noqa: E741
        rho = widths[l - 1] / widths[l - 2] if l > 1 else 1.0
        new = dense_step(here, Means(here["K"], activation, nodes), rho, rows[l])
        here = {name: on_pairs(value, A) for name, value in new.items()}  # indices in the order of the channel
        here["K"] = here["K"] + rows[l]["C_b"]
        here["Theta"] = here["Theta"] + rows[l]["lambda_b"]
        layers.append(here)
    return layers


def dense_step(here: dict[str, Any], mean: Means, rho: float, row: dict[str, float]) -> dict[str, Array]:
    """The right-hand sides of theory section 5 at labels of layer l, without the biases' constants."""
    K1, T, T1, V, D, F = (here[name] for name in ("K1", "Theta", "Theta1", "V", "D", "F"))
    cw, lam = row["C_W"], row["lambda_W"]
    G = {m: mean.derived(0, 0, m) for m in (0, 2, 4)}
    H = {m: mean.derived(1, 1, m) for m in (0, 2, 4)}
    Om = {m: lam * G[m] + cw * H[m] * T.reshape(T.shape + (1,) * m) for m in G}
    mixed = mean.four(0, 1)
    E = np.einsum("ac,ax->acx", mean.two(1, 1), np.eye(len(T)))  # d_x (s_1 s'_3)
    E = E + np.einsum("ac,cx->acx", mean.two(0, 2), np.eye(len(T)))
    GO = lam * mean.four(0, 0) + cw * np.einsum("abcd,cd->abcd", mixed, T)
    GVG, GVO = (np.einsum("abwx,wxyz,cdyz->abcd", G[2], V, other[2], optimize=True) for other in (G, Om))
    GD = np.einsum("abwx,wxcd,cd->abcd", G[2], D, H[0], optimize=True)
    FF = np.einsum("acx,xcyd,bdy->acbd", E, F, E, optimize=True)
    outer = np.multiply.outer
    theta = cw * T1 * H[0] + np.einsum("wx,abwx->ab", K1, Om[2]) / 2
    theta += np.einsum("wxyz,abwxyz->ab", V, Om[4]) / 8
    theta += cw / 2 * np.einsum("wxab,abwx->ab", D, H[2]) + cw * np.einsum("waxb,abwx->ab", F, H[2])
    return {
        "K": cw * G[0],
        "Theta": Om[0],
        "V": cw**2 * (mean.four(0, 0) - outer(G[0], G[0]) + rho / 4 * GVG),
        "D": cw * (GO - outer(G[0], Om[0]) + rho / 4 * GVO) + rho * cw**2 / 2 * GD,
        "F": cw**2 * (np.einsum("abcd,cd->acbd", mixed, T) + rho * FF),
        "K1": rho * cw * (np.einsum("wx,abwx->ab", K1, G[2]) / 2 + np.einsum("wxyz,abwxyz->ab", V, G[4]) / 8),
        "Theta1": rho * theta,
    }
