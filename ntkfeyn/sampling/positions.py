"""Positions: the matrices M^t of a layer that shares its weights, and what they do to axes of arrays.

Enters: how a layer shares its weights (theory section 10). Leaves: sparse matrices, the average A over pairs of
positions, the distinct features that a layer reads. A layer without positions is one map, of one position to one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ntkfeyn.model.sharing import Row, Sharing

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Maps:
    """``shares`` w_t, shape (maps,); ``matrices`` M^t, sparse (positions above, below)."""

    shares: Array
    matrices: tuple[Any, ...]

    def averaged(self, pairs: Array, first: int, second: int) -> Array:
        """A: the sum over t of w_t M^t f M^t^T on two axes of f, from positions below to those above."""
        found: Any = 0.0
        for share, matrix in zip(self.shares, self.matrices, strict=True):
            found = found + share * along(np, matrix, along(np, matrix, pairs, first), second)
        return np.asarray(found)

    def turned(self, pairs: Array, first: int, second: int) -> Array:
        """A transposed: the sum over t of w_t M^t^T f M^t, from positions above to those below."""
        found: Any = 0.0
        for share, matrix in zip(self.shares, self.matrices, strict=True):
            found = found + share * along(np, matrix.T, along(np, matrix.T, pairs, first), second)
        return np.asarray(found)


class Reading(NamedTuple):
    """What a layer reads of the one below: features, the distinct rows of all M^t, sparse (features, positions).

    ``places`` (maps, positions above): the feature that M^t reads there; ``gains`` sqrt(w_t), 0 where it reads none.
    """

    rows: Any
    places: Ints
    gains: Array

    @property
    def features(self) -> int:
        """Of one input."""
        return int(self.rows.shape[0])

    def over(self, inputs: int) -> Reading:
        """``places`` and ``gains`` for labels (input, position): features count on from input to input."""
        first = np.repeat(np.arange(inputs) * self.features, self.places.shape[1])
        return Reading(self.rows, np.tile(self.places, inputs) + first, np.tile(self.gains, inputs))


@lru_cache(maxsize=64)
def maps_of(sharing: Sharing | None) -> Maps:
    """The matrices of a layer; one position to one without sharing."""
    if sharing is None:
        return Maps(np.ones(1), (csr_array(np.ones((1, 1))),))
    shares = np.array([float(one.weight) for one in sharing.maps])
    return Maps(shares, tuple(_sparse(one.rows, sharing.below) for one in sharing.maps))


@lru_cache(maxsize=64)
def reading_of(sharing: Sharing | None) -> Reading:
    """The features that a layer reads."""
    if sharing is None:
        return Reading(csr_array(np.ones((1, 1))), np.zeros((1, 1), dtype=np.int64), np.ones((1, 1)))
    numbers: dict[Row, int] = {}
    for one in sharing.maps:
        for row in one.rows:
            if row:
                numbers.setdefault(row, len(numbers))
    places = [[numbers.get(row, 0) for row in one.rows] for one in sharing.maps]
    gains = [[float(one.weight) ** 0.5 if row else 0.0 for row in one.rows] for one in sharing.maps]
    rows = _sparse(tuple(numbers) or ((),), sharing.below)
    return Reading(rows, np.array(places, dtype=np.int64), np.array(gains))


def _sparse(rows: tuple[Row, ...], below: int) -> Any:
    ends = np.cumsum([0, *map(len, rows)])
    columns = [b for row in rows for b, _ in row]
    return csr_array(([float(m) for row in rows for _, m in row], columns, ends), shape=(len(rows), below))


def along(xp: Any, matrix: Any, x: Any, axis: int) -> Any:
    """A sparse matrix times an array along one of its axes."""
    first = xp.moveaxis(x, axis, 0)
    flat = first.reshape(len(first), -1)
    found = matrix @ flat if xp is np else xp.asarray(matrix.toarray()) @ flat
    return xp.moveaxis(found.reshape(-1, *first.shape[1:]), 0, axis)
