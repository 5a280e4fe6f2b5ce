"""Batches: the expectations of a plan, gathered by the set of samples that they live on.

Enters: a plan's expectations, numbered by key. Leaves: for each size one batch; all of one set share a grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.expectations.keys import Expectations, Key

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Batch:
    """All expectations over ``size`` samples: ``numbers[set, assignment]`` (0: not needed).

    An assignment lists one differentiated product for each sample of the sorted set.
    """

    subsets: Ints
    assignments: tuple[Key, ...]
    numbers: Ints

    @property
    def tests(self) -> tuple[Key, ...]:
        """The products that occur, whatever sample each factor is at."""
        return tuple(sorted({tuple(sorted(assignment)) for assignment in self.assignments}))


def batches(expectations: Expectations) -> list[Batch]:
    """The expectations of a plan by the set of samples that they live on."""
    by_size: dict[int, list[tuple[Key, Ints, Ints]]] = {}
    for key, rows in expectations.rows.items():
        numbers = expectations.numbers(key)
        order = np.argsort(rows, axis=1, kind="stable")
        permutations, which = np.unique(order, axis=0, return_inverse=True)
        for p, permutation in enumerate(permutations):
            chosen = np.flatnonzero(which.ravel() == p)
            assignment = tuple(key[i] for i in permutation)
            part = (assignment, rows[chosen][:, permutation], numbers[chosen])
            by_size.setdefault(len(key), []).append(part)
    return [_batch(parts) for _, parts in sorted(by_size.items())]


def _batch(parts: list[tuple[Key, Ints, Ints]]) -> Batch:
    subsets = np.unique(np.concatenate([rows for _, rows, _ in parts]), axis=0)
    place = {tuple(row): i for i, row in enumerate(subsets.tolist())}
    assignments = sorted({assignment for assignment, _, _ in parts})
    column = {assignment: i for i, assignment in enumerate(assignments)}
    numbers = np.zeros((len(subsets), len(assignments)), dtype=np.int64)
    for assignment, rows, own in parts:
        numbers[[place[tuple(row)] for row in rows.tolist()], column[assignment]] = own
    return Batch(subsets, tuple(assignments), numbers)
