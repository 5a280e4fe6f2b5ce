"""Weights shared over positions: the fixed matrices M^t of a layer, exactly (theory section 10).

Enters: the positions of the layer below, and what a layer does with them: a convolution, a pooling, a graph. Leaves:
``Sharing``: for each independent weight matrix W^t its share w_t of the variance, and M^t row by row. Positions are
counted from 0, the last axis fastest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import prod
from typing import NamedTuple

from ntkfeyn.errors import LimitError

Row = tuple[tuple[int, Fraction], ...]  # (position below, entry of M), positions increasing
Shape = tuple[int, ...]
ONE = Fraction(1)
MAX_POSITIONS = 4096
MAX_ENTRIES = 1_000_000  # of all maps of a layer


class Map(NamedTuple):
    """One weight matrix of its own: Var W = C_W weight / n, read through M; ``rows[a]`` are the entries of row a."""

    weight: Fraction
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Sharing:
    """z_{i;a} = b_i + sum_t sum_k W^t_ik sum_b M^t_ab s(z_{k;b}): ``above`` positions a, ``below`` positions b."""

    below: int
    above: int
    maps: tuple[Map, ...]

    def __hash__(self) -> int:
        return hash((self.below, self.above, len(self.maps), self.maps[0]))

    def over(self, inputs: int) -> Sharing:
        """The same for labels (input, position), of which no two inputs meet: label = input * positions + position."""
        maps = (
            Map(
                one.weight,
                tuple(tuple((x * self.below + b, m) for b, m in row) for x in range(inputs) for row in one.rows),
            )
            for one in self.maps
        )
        return Sharing(inputs * self.below, inputs * self.above, tuple(maps))


def positions_of(layers: Iterable[Sharing | None]) -> tuple[int, ...]:
    """Of the input and of every layer, from how each shares its weights, None where it does not; 1 before any does."""
    found: list[int] = []
    for sharing in layers:
        found = found or [1 if sharing is None else sharing.below]
        found.append(found[-1] if sharing is None else sharing.above)
    return tuple(found)


class Axis(NamedTuple):
    """Which positions below each position above reads along one axis: ``reads[p][t]``, None where it reads a zero."""

    above: int
    reads: tuple[tuple[int | None, ...], ...]


def axis_reads(size: int, kernel: int, stride: int, dilation: int, padding: str) -> Axis:
    """Along one axis. With "circular" and "zero" padding ceil(size/stride) positions are left; "valid" pads nothing."""
    reach = (kernel - 1) * dilation + 1
    if padding == "valid":
        above, first = (size - reach) // stride + 1, 0
    else:
        above = -(-size // stride)
        first = -(max((above - 1) * stride + reach - size, 0) // 2)
    found = []
    for p in range(above):
        places = [first + p * stride + t * dilation for t in range(kernel)]
        if padding == "circular":
            places = [place % size for place in places]
        found.append(tuple(place if 0 <= place < size else None for place in places))
    return Axis(above, tuple(found))


def convolution(shape: Shape, axes: Sequence[Axis]) -> Sharing:
    """One map an offset of the kernel, each with the same share of the variance."""
    above = tuple(axis.above for axis in axes)
    kernel = tuple(len(axis.reads[0]) for axis in axes)
    check_entries(prod(kernel) * prod(above))
    share = Fraction(1, prod(kernel))
    maps = []
    for offset in product(*map(range, kernel)):
        rows: list[Row] = []
        for place in product(*map(range, above)):
            found = [axis.reads[p][t] for axis, p, t in zip(axes, place, offset, strict=True)]
            known = [at for at in found if at is not None]
            rows.append(((_flat(known, shape), ONE),) if len(known) == len(axes) else ())
        maps.append(Map(share, tuple(rows)))
    return Sharing(prod(shape), prod(above), tuple(maps))


def _flat(place: Iterable[int], shape: Shape) -> int:
    number = 0
    for at, size in zip(place, shape, strict=True):
        number = number * size + at
    return number


def mean_pool(positions: int) -> Sharing:
    """One weight matrix reads the mean over positions."""
    row = tuple((p, Fraction(1, positions)) for p in range(positions))
    return Sharing(positions, 1, (Map(ONE, (row,)),))


def flatten(positions: int) -> Sharing:
    """A weight matrix of its own for each position."""
    maps = (Map(Fraction(1, positions), (((p, ONE),),)) for p in range(positions))
    return Sharing(positions, 1, tuple(maps))


def propagation(rows: Sequence[Row]) -> Sharing:
    """One weight matrix, read through a matrix over the nodes of a graph."""
    check_entries(sum(map(len, rows)))
    return Sharing(len(rows), len(rows), (Map(ONE, tuple(rows)),))


def check_entries(entries: int) -> None:
    """Raises LimitError."""
    if entries > MAX_ENTRIES:
        raise LimitError(f"its averaging has {entries} entries; at most {MAX_ENTRIES} are allowed; try fewer positions")
