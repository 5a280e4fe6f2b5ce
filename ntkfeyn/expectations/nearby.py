"""Nearby samples: <s s> of two samples that are almost equal or opposite, so that their distance keeps its digits.

Enters: pairs of samples with their kernels, and points of one grid a pair. Leaves: <(s(z_a) -+ s(z_b))^2>. From it
<s_a s_b> = (<s_a^2> + <s_b^2> - <(s_a - s_b)^2>) / 2: the quadratures of <s_a s_a> and <s_a s_b> are off by different
amounts, and where samples are nearer than that the layers above would amplify, or merge, what is no distance at all.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.expectations.keys import Differentiated, Expectations, Key

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
NEAR = 1e-3  # 1 - |correlation| below which a distance is integrated by itself
TWO: Key = (Differentiated((0,), 0), Differentiated((0,), 0))
ONE: Key = (Differentiated((0, 0), 0),)


def nearby_pairs(expectations: Expectations, kernel: Array, needed: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Pairs of nearby samples whose <s s> is needed, and the numbers of <s_a s_b>, <s_a s_a>, <s_b s_b>."""
    if TWO not in expectations.rows or ONE not in expectations.rows:
        return np.zeros((0, 2), dtype=np.int64), np.zeros((0, 3), dtype=np.int64)
    rows, numbers = expectations.rows[TWO], expectations.numbers(TWO)
    single = dict(zip(expectations.rows[ONE][:, 0].tolist(), expectations.numbers(ONE).tolist(), strict=True))
    a, b = rows.T
    size = np.sqrt(np.diag(kernel)[a] * np.diag(kernel)[b])
    near = needed[numbers] & (np.abs(kernel[a, b]) > (1 - NEAR) * size)
    found = [
        (row, (n, single.get(row[0], 0), single.get(row[1], 0)))
        for row, n in zip(rows[near].tolist(), numbers[near].tolist(), strict=True)
    ]
    found = [(row, three) for row, three in found if all(needed[list(three)])]
    pairs, triples = [row for row, _ in found], [three for _, three in found]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2), np.array(triples, dtype=np.int64).reshape(-1, 3)


def distance(s: Array, weights: Array, opposite: bool) -> float:
    """<(s_a - s_b)^2>, or with + for opposite samples; ``s`` at the points of a grid, shape (2, points)."""
    return float(weights @ (s[0] + s[1] if opposite else s[0] - s[1]) ** 2)
