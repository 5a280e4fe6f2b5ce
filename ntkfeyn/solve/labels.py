"""Labels (input, position) of the layers of a network that shares weights over positions (theory section 10).

Enters: how each layer shares its weights, the vectors of the input's labels or their Gram matrix. Leaves: the vectors
or the Gram matrix that layer 1 sees; for each layer which labels are equal in every network and so are one; and the
averaging operator between these. Label = input * positions + position.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.errors import LimitError
from ntkfeyn.model.network import Network
from ntkfeyn.model.sharing import Row, Sharing

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
MAX_LABELS = 4096  # of one layer


class Rows(NamedTuple):
    """A matrix M^t by rows: entries of row a are at ``starts[a]`` to ``starts[a + 1]``; ``weight`` is w_t."""

    weight: float
    starts: Ints
    columns: Ints
    entries: Array

    @staticmethod
    def of(weight: float, rows: list[list[tuple[int, float]]]) -> Rows:
        """From (column, entry) lists."""
        starts = np.cumsum([0, *map(len, rows)])
        flat = [pair for row in rows for pair in row]
        return Rows(
            weight,
            starts,
            np.array([column for column, _ in flat], dtype=np.int64),
            np.array([entry for _, entry in flat], dtype=float),
        )

    def times(self, vectors: Array) -> Array:
        """M times vectors, one a label below."""
        above = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))
        total = np.zeros((len(self.starts) - 1, *vectors.shape[1:]))
        np.add.at(total, above, self.entries.reshape(-1, *(1,) * (vectors.ndim - 1)) * vectors[self.columns])
        return total


class Pairs(NamedTuple):
    """(A f)(v, w) for some pairs as sums: entries ``starts[i]`` to ``starts[i + 1]`` are weight * f(first, second)."""

    starts: Ints
    first: Ints
    second: Ints
    weights: Array


@dataclass(frozen=True)
class Operator:
    """(A f)(v, w) = sum_t w_t sum_{v'w'} M^t_vv' M^t_ww' f(v', w'); ``below`` and ``above`` labels."""

    maps: tuple[Rows, ...]
    below: int
    above: int

    def at(self, first: Ints, second: Ints) -> Pairs:
        """A at pairs of labels (first[i], second[i])."""
        found = []
        each = np.arange(len(first))
        for one in self.maps:
            start, other = one.starts[first], one.starts[second]
            sizes, others = one.starts[first + 1] - start, one.starts[second + 1] - other
            counts = sizes * others
            pair = np.repeat(each, counts)
            k = np.arange(len(pair)) - np.repeat(np.cumsum(counts) - counts, counts)
            a, b = start[pair] + k // others[pair], other[pair] + k % others[pair]
            found.append((pair, one.columns[a], one.columns[b], one.weight * one.entries[a] * one.entries[b]))
        pair, a, b, weights = (np.concatenate(parts) for parts in zip(*found, strict=True))
        order = np.argsort(pair, kind="stable")
        starts = np.searchsorted(pair[order], np.arange(len(first) + 1))
        return Pairs(starts, a[order], b[order], weights[order])

    def on(self, matrix: Array) -> Array:
        """A of a symmetric matrix over the labels below."""
        total = np.zeros((self.above, self.above))
        for one in self.maps:
            total += one.weight * one.times(one.times(matrix).T)
        return np.asarray(total / 2 + total.T / 2)


@dataclass(frozen=True)
class Labels:
    """The labels of layers 1 .. depth.

    ``places[l - 1]``: the number of each label among those that differ; ``counts[l - 1]``: how many do.
    ``operators[l - 1]``: between these, from layer l to l + 1, None where labels stay as they are. ``moves[l - 1]``:
    permutations of them that change no tensor, shape (moves, counts), the identity first. ``kept``: for each of those
    of layer 1 the first label that it stands for.
    """

    places: tuple[Ints, ...]
    counts: tuple[int, ...]
    operators: tuple[Operator | None, ...]
    moves: tuple[Ints, ...]

    @cached_property
    def kept(self) -> Ints:
        return np.unique(self.places[0], return_index=True)[1]


def operator_of(sharing: Sharing, inputs: int) -> Operator:
    """Of all labels of a number of inputs."""
    whole = sharing.over(inputs)
    maps = (Rows.of(float(one.weight), [[(b, float(m)) for b, m in row] for row in one.rows]) for one in whole.maps)
    return Operator(tuple(maps), whole.below, whole.above)


def first_vectors(sharing: Sharing | None, vectors: Array, inputs: int) -> Array:
    """What layer 1 is fully connected to: for each of its labels the vectors that it reads, one W^t after the other.

    ``vectors``: of the input's labels, shape (labels, channels). Leaves shape (labels of layer 1, maps * channels),
    whose Gram matrix over their length is A X, for the maps of a layer have equal shares of the variance.
    """
    if sharing is None:
        return vectors
    maps = operator_of(sharing, inputs).maps
    shares = [np.sqrt(one.weight * len(maps)) for one in maps]
    return np.concatenate([share * one.times(vectors) for share, one in zip(shares, maps, strict=True)], axis=1)


def first_gram(sharing: Sharing | None, gram: Array, inputs: int) -> Array:
    """A X: the Gram matrix that layer 1 sees, of that of the input's labels."""
    return gram if sharing is None else operator_of(sharing, inputs).on(gram)


def labels_of(network: Network, inputs: int, first: Array, gram: Array) -> Labels:
    """Labels of every layer; those of layer 1 are equal where the rows of ``first``, vectors or a Gram matrix, are.

    ``gram``: A X over all labels of layer 1. Labels of a layer above are equal where each of their maps reads equal
    labels. Raises LimitError.
    """
    for number, positions in enumerate(network.positions):
        if inputs * positions > MAX_LABELS:
            raise LimitError(
                f"layer {number} has {inputs * positions} labels (input, position); at most {MAX_LABELS} are allowed;"
                " try fewer inputs, or a stride"
            )
    _, at, place = np.unique(first, axis=0, return_index=True, return_inverse=True)
    places = [np.argsort(np.argsort(at))[place.ravel()]]
    counts = [len(at)]
    operators: list[Operator | None] = []
    for layer in network.layers[1:]:
        if layer.sharing is None:
            places.append(places[-1])
            operators.append(None)
        else:
            operator, above = _merged(layer.sharing.over(inputs), places[-1], counts[-1])
            operators.append(operator)
            places.append(above)
        counts.append(int(places[-1].max()) + 1)
    moved = _moves(network, inputs, gram, places)
    return Labels(tuple(places), tuple(counts), tuple(operators), moved)


def _moves(network: Network, inputs: int, gram: Array, places: list[Ints]) -> tuple[Ints, ...]:
    """Shifts of all positions, where every layer commutes with them and the Gram matrix is exactly invariant."""
    shape = (network.shape or ())[1:]
    circular = all(spec.commutes_with_shifts for spec in network.specs)
    shifts = [tuple(shift) for shift in np.ndindex(*shape)] if circular else [(0,) * len(shape)]
    grid = np.arange(inputs * prod(shape)).reshape(inputs, *shape)
    axes = tuple(range(1, 1 + len(shape)))
    every = [np.roll(grid, shift, axes).ravel() for shift in shifts]
    if len(grid.ravel()) != len(gram) or not all((gram[np.ix_(move, move)] == gram).all() for move in every):
        every = []
    found = []
    for place, positions in zip(places, network.positions[1:], strict=True):
        count = int(place.max()) + 1
        some = every if positions > 1 and len(place) == len(gram) else []
        rows = [np.arange(count)]
        for move in some[1:]:
            row = np.empty(count, dtype=np.int64)
            row[place] = place[move]
            rows.append(row)
        found.append(np.unique(np.stack(rows), axis=0))
    return tuple(found)


def _merged(sharing: Sharing, below: Ints, count: int) -> tuple[Operator, Ints]:
    """The operator between labels that differ, and the number of each label above among them."""
    numbers = below.tolist()
    keys: dict[tuple[Row, ...], int] = {}
    place = []
    for a in range(sharing.above):
        read = []
        for one in sharing.maps:
            row: dict[int, Fraction] = {}
            for b, m in one.rows[a]:
                row[numbers[b]] = row.get(numbers[b], Fraction(0)) + m
            read.append(tuple(sorted(row.items())))
        place.append(keys.setdefault(tuple(read), len(keys)))
    maps = []
    for t, one in enumerate(sharing.maps):
        maps.append(Rows.of(float(one.weight), [[(b, float(m)) for b, m in key[t]] for key in keys]))
    return Operator(tuple(maps), count, len(keys)), np.array(place, dtype=np.int64)
