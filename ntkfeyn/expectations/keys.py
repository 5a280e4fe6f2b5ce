"""Keys: which Gaussian expectations a plan needs, each numbered once (theory sections 5 and 7).

Enters: products of derivatives of the activation, one a distinct sample, and the sample tuples at which they occur.
Leaves: a number for each, and the tables of the plan filled with these numbers.
"""

from __future__ import annotations

from functools import reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
EPSILON = 2e-16  # rounding of one operation, relative


class Differentiated(NamedTuple):
    """d^k of the product of s^(m), m in ``orders``, all at one sample.

    ``fluctuation``: of s^(m) - s^(m)(0) instead; then k is 0.
    """

    orders: tuple[int, ...]
    k: int
    fluctuation: bool = False


class KernelError(NamedTuple):
    """Relative errors of a kernel: by rounding, as it was tracked, and by the quadratures of the layers below."""

    rounding: float
    quadrature: float = 0.0


Key = tuple[Differentiated, ...]  # one entry a distinct sample, sorted


class Expectations:
    """Every expectation that a plan needs, numbered from 1; number 0 is the constant zero.

    ``moves``: permutations of the samples, shape (moves, samples), that change none.
    """

    def __init__(self, samples: int, moves: Ints | None = None) -> None:
        self.samples = samples
        self.moves = np.arange(samples)[None] if moves is None else moves
        self.asked: dict[Key, list[Ints]] = {}
        self.patches: list[tuple[Ints, Ints, int, Key, Ints]] = []
        self.rows: dict[Key, Ints] = {}
        self.first: dict[Key, int] = {}
        self.size = 1

    def ask(self, table: Ints, rows: Ints, column: int, key: Key, tuples: Ints) -> None:
        """Entry (rows, column) of a table will be the number of this expectation at these sample tuples."""
        found = (sorted_among_equals(move[tuples], key) @ self._powers(len(key)) for move in self.moves)
        codes = reduce(np.minimum, found)
        self.asked.setdefault(key, []).append(np.unique(codes))
        self.patches.append((table, rows, column, key, codes))

    def close(self) -> None:
        """Number the expectations and write the numbers into the tables."""
        codes: dict[Key, Ints] = {}
        for key in sorted(self.asked):
            codes[key] = np.unique(np.concatenate(self.asked[key]))
            self.first[key] = self.size
            self.rows[key] = codes[key][:, None] // self._powers(len(key)) % self.samples
            self.size += len(codes[key])
        for table, rows, column, key, wanted in self.patches:
            table[rows, column] = self.first[key] + np.searchsorted(codes[key], wanted)
        self.asked, self.patches = {}, []

    def numbers(self, key: Key) -> Ints:
        """The number of each row of ``rows[key]``."""
        return self.first[key] + np.arange(len(self.rows[key]))

    def _powers(self, size: int) -> Ints:
        return self.samples ** np.arange(size - 1, -1, -1, dtype=np.int64)


def sorted_among_equals(tuples: Ints, key: Key) -> Ints:
    """Samples in increasing order where neighbouring functions are equal: one number for equal expectations."""
    start = 0
    for stop in range(1, len(key) + 1):
        if stop == len(key) or key[stop] != key[start]:
            if stop - start > 1:
                tuples[:, start:stop].sort(axis=1)
            start = stop
    return tuples
