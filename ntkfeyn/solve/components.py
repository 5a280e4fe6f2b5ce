"""Components of tensors: index tuples over samples, each orbit of a tensor's symmetry group once.

Enters: a tensor name and the families of samples that may occur together. Leaves: the representatives of the orbits,
and where any index tuple finds its representative. Tuples are listed by slot of ``standard(name)``, samples 0-based.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import combinations, product
from math import comb

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.errors import LimitError, NtkfeynError
from ntkfeyn.model.canonical import components
from ntkfeyn.model.cumulants import standard

Ints = NDArray[np.int64]
Family = frozenset[tuple[int, ...]]
MAX_COMPONENTS = 4_000_000


def subsets_up_to(samples: int, size: int) -> Family:
    """The largest sets of at most ``size`` of the samples."""
    return frozenset(combinations(range(samples), min(samples, size)))


def maximal(sets: Iterable[tuple[int, ...]]) -> Family:
    """The sets that lie in no other one."""
    found = sorted({tuple(sorted(set(s))) for s in sets}, key=lambda s: (-len(s), s))
    if found and len(found[0]) == len(found[-1]):
        return frozenset(found)
    kept: list[tuple[int, ...]] = []
    covered: set[tuple[int, ...]] = set()
    for one in found:
        if one not in covered:
            kept.append(one)
            for size in range(1, len(one)):
                covered.update(combinations(one, size))
    return frozenset(kept)


class Components:
    """The orbits of one tensor that hold given index tuples; ``rows`` are representatives, shape (orbits, slots).

    ``moves``: permutations of the samples, shape (moves, samples), that change no tensor (the identity among them).
    """

    def __init__(self, name: str, tuples: Ints, samples: int, moves: Ints | None = None) -> None:
        self.name, self.samples, self.moves = name, samples, moves
        self.slots = len(standard(name).labels)
        check_codes(name, samples)
        one_each = tuples[np.unique(orbits(name, samples, tuples, moves), return_index=True)[1]]
        self.codes: Ints = np.unique(self._codes(one_each))
        powers = samples ** np.arange(self.slots - 1, -1, -1, dtype=np.int64)
        self.rows: Ints = self.codes[:, None] // powers % samples
        found = orbits(name, samples, self.rows, moves)
        self.numbers: Ints = np.argsort(found)
        self.orbits: Ints = found[self.numbers]

    @classmethod
    def over(cls, name: str, family: Family, samples: int) -> Components:
        """All over a family of sample sets. Raises LimitError."""
        check_codes(name, samples)
        return cls(name, all_tuples(name, family, samples), samples)

    def __len__(self) -> int:
        return len(self.codes)

    def find(self, tuples: Ints) -> Ints:
        """The orbit number of each index tuple, shape (..., slots) -> (...)."""
        wanted = orbits(self.name, self.samples, tuples, self.moves)
        found = np.searchsorted(self.orbits, wanted)
        if wanted.size and (found.max(initial=0) >= len(self.orbits) or (self.orbits[found] != wanted).any()):
            raise NtkfeynError(f"a component of {self.name} was not asked for")
        return self.numbers[found]

    def _codes(self, tuples: Ints) -> Ints:
        """The least code that the symmetries of the tensor give."""
        weights = _code_weights(self.name, self.samples)
        best = tuples @ weights[:, 0]
        for k in range(1, weights.shape[1]):
            np.minimum(best, tuples @ weights[:, k], out=best)
        return best


def orbits(name: str, samples: int, tuples: Ints, moves: Ints | None = None) -> Ints:
    """A number for each orbit of a tensor's symmetries, and of moves of all samples together."""
    if moves is None or len(moves) == 1:
        return _orbits(name, samples, tuples)
    best = _orbits(name, samples, moves[0][tuples])
    for move in moves[1:]:
        np.minimum(best, _orbits(name, samples, move[tuples]), out=best)
    return best


def _orbits(name: str, samples: int, tuples: Ints) -> Ints:
    """Piece by piece: each piece has few symmetries, and equal pieces are sorted."""
    total = np.zeros(tuples.shape[:-1], dtype=np.int64)
    for kind in _pieces(name):
        size = len(kind[0][0])
        powers = samples ** np.arange(size, dtype=np.int64)
        alike = [np.min([tuples[..., list(order)] @ powers for order in orders], axis=0) for orders in kind]
        for code in np.sort(alike, axis=0) if len(alike) > 1 else alike:
            total = total * samples**size + code
    return total


def distinct(name: str, indices: Ints) -> Ints:
    """Places of the rows, (components, slots) in index order from 1, that no symmetry makes equal to an earlier one."""
    by_slot = np.empty_like(indices)
    by_slot[:, list(standard(name).index)] = indices - 1
    samples = int(indices.max(initial=1))
    return np.sort(np.unique(orbits(name, samples, by_slot), return_index=True)[1])


def check_codes(name: str, samples: int) -> None:
    """Raises LimitError where index tuples have no number of their own."""
    if samples ** len(standard(name).labels) >= 2**62:
        raise LimitError(f"{name} over {samples} inputs has too many components; try --components or fewer inputs")


def all_tuples(name: str, family: Family, samples: int) -> Ints:
    """Every index tuple over a family, by slot, sorted in the tensor's index order; counted before it is listed.

    Each has exactly the samples of one set that lies in a member of the family. Raises LimitError.
    """
    shape = standard(name)
    slots = len(shape.labels)
    inside: dict[int, set[tuple[int, ...]]] = {size: set() for size in range(1, slots + 1)}
    for subset in sorted(family, key=len, reverse=True):
        _check_number(name, samples, len(subset) ** slots)
        for size in range(1, min(slots, len(subset)) + 1):
            inside[size].update(combinations(subset, size))
    _check_number(name, samples, sum(len(sets) * surjections(slots, size) for size, sets in inside.items()))
    found = [np.zeros((0, slots), dtype=np.int64)]
    for size, sets in inside.items():
        if sets:
            patterns = [p for p in product(range(size), repeat=slots) if len(set(p)) == size]
            found.append(np.array(sorted(sets), dtype=np.int64)[:, np.array(patterns)].reshape(-1, slots))
    by_slot = np.concatenate(found)
    return by_slot[np.lexsort(by_slot[:, list(shape.index)].T[::-1])]


def surjections(slots: int, samples: int) -> int:
    """In how many ways slots are given samples such that each sample occurs."""
    return sum((-1) ** k * comb(samples, k) * (samples - k) ** slots for k in range(samples + 1))


def _check_number(name: str, samples: int, components: int) -> None:
    if components > MAX_COMPONENTS:
        raise LimitError(
            f"{name} over {samples} inputs has {components} components; at most {MAX_COMPONENTS} are allowed;"
            " try --components pairs, a list such as 1-1-2-2, or fewer inputs"
        )


@cache
def _code_weights(name: str, samples: int) -> Ints:
    """Column g: powers of ``samples`` such that tuple @ column is the code of the tuple permuted by symmetry g."""
    symmetries: Sequence[tuple[int, ...]] = standard(name).symmetries
    slots = len(standard(name).labels)
    weights = np.zeros((slots, len(symmetries)), dtype=np.int64)
    for column, g in enumerate(symmetries):
        for i, source in enumerate(g):
            weights[source, column] += samples ** (slots - 1 - i)
    return weights


@cache
def _pieces(name: str) -> tuple[tuple[tuple[tuple[int, ...], ...], ...], ...]:
    """For each kind of connected piece, for each piece of that kind, its slots in every order of its symmetries."""
    shape = standard(name)
    kinds: dict[object, list[tuple[tuple[int, ...], ...]]] = {}
    for piece in components(shape.edges, shape.partner):
        kinds.setdefault(piece.certificate, []).append(piece.orders)
    return tuple(tuple(kind) for kind in kinds.values())
