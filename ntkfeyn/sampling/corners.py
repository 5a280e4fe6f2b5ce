"""Orthogonal weights: corners of Haar-random matrices, drawn, and averaged over where a layer is the last one.

Enters: random numbers of networks; what layer l of each network is. Leaves: weights W = sqrt(C_W N/n) O, with O a
corner of a Haar-random orthogonal N x N matrix, N = max(n_l, n_(l+1)), and the averages over W of the products that V,
D, F, A and B are made of (theory section 9). Two rows i != j of O give, for four slots at i, i, j, j,

    (N - 1) N (N + 2) E[O_ik1 O_ik2 O_jk3 O_jk4] = (N + 1) delta_12 delta_34 - delta_13 delta_24 - delta_14 delta_23

exactly, so a product of such sums is one of traces, chains and rings of layer l: no estimate has a bias.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.model.ensembles import ORTHOGONAL
from ntkfeyn.model.network import Layer

Array = NDArray[np.float64]
CHAINS, RINGS = {"D", "F"}, {"A", "B"}  # tensors whose average needs chains, rings
AVERAGED = {"V", *CHAINS, *RINGS}


def orthogonal(layer: Layer) -> bool:
    """Whether the weights that lead to a layer are orthogonal."""
    return layer.weights == ORTHOGONAL


def matrix_size(below: int, above: int | None) -> int:
    """N of the weights between two layers; None: the output layer, which is no wider than the one below."""
    return max(below, above or 0)


def corners(streams: list[np.random.Generator], rows: int, columns: int, size: int) -> Array:
    """Corners (networks, rows, columns) of Haar-random orthogonal matrices of a size, each network from its stream.

    The first columns of a Haar-random matrix are those of a Gaussian one made orthonormal, one after the other: Q of
    Q R with a positive diagonal of R.
    """
    few = min(rows, columns)
    found = np.empty((len(streams), rows, columns))
    for one, rng in zip(found, streams, strict=True):
        q, r = np.linalg.qr(rng.standard_normal((size, few)))
        q *= np.where(np.diagonal(r) < 0, -1.0, 1.0)
        one[:] = q[:, :rows].T[:rows, :columns] if rows <= columns else q[:rows]
    return found


class Below(NamedTuple):
    """Layer l of each network, axes (networks, ..), divided by n or, with two sums over neurons, by n^2.

    ``products`` sum_k s_a s_b (a, b); ``traces`` sum_k M_kk;ab (a, b); ``chains`` sum_kk' s_1 M_34 s_2 and ``rings``
    sum_kk' M_12 M_34 with axes (1, 3, 2, 4). What is not needed is None.
    """

    products: Array
    traces: Array | None = None
    chains: Array | None = None
    rings: Array | None = None


def averages(names: tuple[str, ...], below: Below, size: int) -> dict[str, Array]:
    """Of two weights each at neurons i != j, without C_W^2, in each tensor's index order.

    F and B whole; V, D and A without the product of both means, which is what independent rows would give.
    """
    volume = (size - 1) * (size + 2)
    same, crossed = 2 / volume, -size / volume  # N^2 Wg(1,1) - 1 and N^2 Wg(2)
    found = {}
    G, T = below.products, below.traces
    if "V" in names:
        both = _outer(G, G)
        found["V"] = same * both + crossed * (both.transpose(0, 1, 3, 2, 4) + both.transpose(0, 1, 3, 4, 2))
    if T is not None and below.chains is not None:
        chains = _paired(below.chains)
        turned = chains.transpose(0, 2, 1, 3, 4)
        found["D"] = same * _outer(G, T) + crossed * (chains + turned)
        found["F"] = _paired((1 + same) * chains + crossed * (_outer(G, T) + turned))
    if T is not None and below.rings is not None:
        rings = _paired(below.rings)
        turned = rings.transpose(0, 1, 2, 4, 3)
        found["A"] = same * _outer(T, T) + crossed * (rings + turned)
        found["B"] = _paired((1 + same) * rings + crossed * (_outer(T, T) + turned))
    return found


def _paired(x: Array) -> Array:
    """Axes (1, 3, 2, 4) to (1, 2, 3, 4), or back."""
    return x.transpose(0, 1, 3, 2, 4)


def _outer(x: Array, y: Array) -> Array:
    return np.asarray(np.einsum("mab,mcd->mabcd", x, y))
