"""Numbers of networks that share weights over positions (theory section 10), from closed loops written by hand."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import asin, pi, sqrt

import numpy as np
import pytest
from numpy.typing import NDArray

import ntkfeyn as nf

Array = NDArray[np.float64]
X = np.random.default_rng(3).normal(size=(2, 3, 4))
MEANS = ("K", "Theta")
COUPLINGS = {"cw": 1.4, "cb": 0.1, "lambda_w": 0.8, "lambda_b": 0.3}


def erf_means(K: Array) -> tuple[Array, Array]:
    """<s s> and <s' s'> of s = erf for all pairs, in closed form (arcsine kernel)."""
    size = np.diag(K)
    ss, dd = np.zeros_like(K), np.zeros_like(K)
    for a, b in product(range(len(K)), repeat=2):
        norm = (1 + 2 * size[a]) * (1 + 2 * size[b])
        ss[a, b] = 2 / pi * asin(2 * K[a, b] / sqrt(norm))
        dd[a, b] = 4 / pi / sqrt(norm - 4 * K[a, b] ** 2)
    return ss, dd


def by_hand(reads: list[Callable[[int], list[list[tuple[int, float]]]]], positions: list[int]) -> tuple[Array, Array]:
    """K and Theta at the output of a network of erf, from loops over pairs of (input, position).

    ``reads[l](p)``: for each W^t what position p of layer l + 1 reads: (position below, factor), shares all equal.
    """
    inputs, P = len(X), positions[0]
    labels = [(a, p) for a in range(inputs) for p in range(P)]
    ss = np.array([[X[a, :, p] @ X[b, :, q] / X.shape[1] for b, q in labels] for a, p in labels])
    dd, theta = np.zeros_like(ss), np.zeros_like(ss)
    for read, above in zip(reads, positions[1:], strict=True):
        K, H = np.zeros((2, inputs * above, inputs * above))
        for (a, p), (b, q) in product(product(range(inputs), range(above)), repeat=2):
            k = h = 0.0
            shares = list(zip(read(p), read(q), strict=True))
            for left, right in shares:
                for (i, x), (j, y) in product(left, right):
                    k += x * y * ss[a * P + i, b * P + j] / len(shares)
                    h += x * y * dd[a * P + i, b * P + j] * theta[a * P + i, b * P + j] / len(shares)
            K[a * above + p, b * above + q] = COUPLINGS["cb"] + COUPLINGS["cw"] * k
            H[a * above + p, b * above + q] = COUPLINGS["lambda_b"] + COUPLINGS["lambda_w"] * k + COUPLINGS["cw"] * h
        theta, P = H, above
        ss, dd = erf_means(K)
    return K, theta


def circular(p: int) -> list[list[tuple[int, float]]]:
    return [[((p + t) % 4, 1.0)] for t in (-1, 0, 1)]


def zero(p: int) -> list[list[tuple[int, float]]]:
    """Kernel 3, stride 2 over four positions: as XLA pads, one zero at the right end alone."""
    return [[(2 * p + t, 1.0)] if 2 * p + t < 4 else [] for t in (0, 1, 2)]


def mean(size: int) -> Callable[[int], list[list[tuple[int, float]]]]:
    return lambda _: [[(p, 1 / size) for p in range(size)]]


def flat(size: int) -> Callable[[int], list[list[tuple[int, float]]]]:
    return lambda _: [[(p, 1.0)] for p in range(size)]


def path(p: int) -> list[list[tuple[int, float]]]:
    """Row-normalised path of four nodes with loops."""
    near = [q for q in (p - 1, p, p + 1) if 0 <= q < 4]
    return [[(q, 1 / len(near)) for q in near]]


NETWORKS = {
    "circular, mean": ([nf.Conv(), nf.Conv(), nf.Dense(pool="mean")], [circular, circular, mean(4)], [4, 4, 4, 1]),
    "stride, flatten": (
        [nf.Conv(padding="zero", stride=2), nf.Dense(pool="flatten"), nf.Dense()],
        [zero, flat(2), flat(1)],
        [4, 2, 1, 1],
    ),
    "valid, output with positions": (
        [nf.Conv(kernel=2, padding="valid"), nf.Conv(kernel=1)],
        [lambda p: [[(p, 1.0)], [(p + 1, 1.0)]], lambda p: [[(p, 1.0)]]],
        [4, 3, 3],
    ),
    "graph, mean": (
        [nf.Graph(edges=[(0, 1), (1, 2), (2, 3)], normalisation="row"), nf.Conv(kernel=1), nf.Dense(pool="mean")],
        [path, lambda p: [[(p, 1.0)]], mean(4)],
        [4, 4, 4, 1],
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_means(name: str) -> None:
    layers, reads, positions = NETWORKS[name]
    network = nf.Network(layers=layers, shape=(3, 4), width=8, activation="erf", **COUPLINGS)
    assert list(network.positions) == positions
    found = nf.evaluate(network, X, MEANS)
    for mean, exact in zip(MEANS, by_hand(reads, positions), strict=True):
        assert found.array(mean) == pytest.approx(exact, rel=1e-7)
    assert (f"1:1-2:{positions[-1]}" in list(found.get("K").keys())) == (positions[-1] > 1)
