"""The averaging operator on tensors: A once for each pair of a tensor's channel (theory section 10).

Enters: the components wanted of a tensor at layer l + 1, the operator between the labels of layers l and l + 1. Leaves:
the components of the right-hand side, at labels of layer l, that they are sums of; and these sums as a sparse matrix.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.derivation.reduction import Terms
from ntkfeyn.errors import LimitError
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.tensors import TensorId
from ntkfeyn.solve.components import MAX_COMPONENTS, Components, check_codes, orbits
from ntkfeyn.solve.labels import Operator, Pairs

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
BLOCK = 1 << 21  # summands held at a time
MAX_SUMMANDS = 300_000_000
SMALLER = "try fewer inputs or positions, a stride, pool = 'flatten', --components 1-1-1-1, or fewer tensors"


class Averaged(NamedTuple):
    """Components of a right-hand side, and the matrix (components above, components of it) that averages them."""

    read: Components
    matrix: Any


@dataclass(frozen=True)
class Averaging:
    """``components`` of layer l + 1, the matrices that make them, and terms that no operator acts on: constants."""

    components: dict[TensorId, Components]
    matrices: dict[TensorId, Any]
    constants: dict[TensorId, Terms]


def average(name: str, above: Components, operator: Operator, moves: Ints) -> Averaged:
    """What the components ``above`` are sums of; ``moves`` of the labels below change none. Raises LimitError."""
    from scipy.sparse import csr_array

    check_codes(name, operator.below)
    pairs = standard(name).channel
    rows = above.rows
    listed = [rows[:, v] * operator.above + rows[:, w] for v, w in pairs]
    codes = np.unique(np.concatenate(listed))
    known = operator.at(codes // operator.above, codes % operator.above)
    at = [np.searchsorted(codes, one) for one in listed]
    sizes = np.diff(known.starts)
    summands = np.prod([sizes[one].astype(float) for one in at], axis=0)
    if summands.sum() > MAX_SUMMANDS:
        raise LimitError(
            f"{name} at {len(rows)} components is a sum of {summands.sum():.2g} over the labels of the layer below;"
            f" at most {MAX_SUMMANDS:.0e} are allowed; {SMALLER}"
        )
    _check_number(name, _fewest(name, known, at, operator.below, len(moves)), 0)
    found = Sums(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), rows[:0])
    held: list[Sums] = []
    for some, within in _blocks(summands, sizes[at[0]]):
        row, weights, tuples = _expanded(known, [one[some] for one in at], pairs, rows.shape[1], within)
        held.append(_summed([Sums(some[row], orbits(name, operator.below, tuples, moves), weights, tuples)]))
        if sum(len(one.rows) for one in held) > max(MAX_COMPONENTS, len(found.rows)):
            found, held = _summed([found, *held]), []
            _check_number(name, len(np.unique(found.orbits)), len(found.rows))
    found = _summed([found, *held])
    _check_number(name, len(np.unique(found.orbits)), len(found.rows))
    _, first = np.unique(found.orbits, return_index=True)
    read = Components(name, found.tuples[first], operator.below, moves)
    column = read.numbers[np.searchsorted(read.orbits, found.orbits)]
    return Averaged(read, csr_array((found.weights, (found.rows, column)), shape=(len(rows), len(read))))


class Sums(NamedTuple):
    """Summands of the component ``rows[i]``: a weight times the component of an orbit, of which a tuple is given."""

    rows: Ints
    orbits: Ints
    weights: Array
    tuples: Ints


def _summed(parts: list[Sums]) -> Sums:
    """One summand of each orbit for each component."""
    row, orbit, weights, tuples = (np.concatenate(one) for one in zip(*parts, strict=True))
    distinct, inverse = np.unique(orbit, return_inverse=True)
    code, first, place = np.unique(row * max(1, len(distinct)) + inverse, return_index=True, return_inverse=True)
    return Sums(
        row[first], orbit[first], np.asarray(np.bincount(place, weights, len(code)), dtype=float), tuples[first]
    )


def _fewest(name: str, known: Pairs, at: list[Ints], labels: int, moves: int) -> int:
    """No fewer components than this are read: tuples that differ, by the largest number that an orbit can hold.

    Those of one sum differ; so do those of all sums, if each label pair is left to the first of the pairs that read it.
    """
    pair = np.repeat(np.arange(len(known.starts) - 1), np.diff(known.starts))
    code = np.unique((pair * labels + known.first) * labels + known.second)
    first = np.unique(code % labels**2, return_index=True)[1]
    found = []
    for kept, count in ((code, np.max), (code[first], np.sum)):
        sizes = np.bincount(kept // labels**2, minlength=len(known.starts) - 1).astype(float)
        found.append(float(count(np.prod([sizes[one] for one in at], axis=0), initial=0.0)))
    return int(max(found) / (len(standard(name).symmetries) * moves))


def _check_number(name: str, components: int, entries: int) -> None:
    """Raises LimitError."""
    if components > MAX_COMPONENTS:
        raise LimitError(
            f"{name} needs {components} components over labels (input, position) or more; at most {MAX_COMPONENTS}"
            f" are allowed; {SMALLER}"
        )
    if entries > 4 * MAX_COMPONENTS:
        raise LimitError(
            f"{name} needs a matrix of {entries} entries or more over labels (input, position); at most"
            f" {4 * MAX_COMPONENTS} are allowed; {SMALLER}"
        )


def _blocks(summands: Array, first: Ints) -> Iterator[tuple[Ints, tuple[int, int]]]:
    """Components in blocks of about as many summands; of one with more, a part of the entries of its first pair."""
    small = np.flatnonzero(summands <= BLOCK)
    edges = np.arange(BLOCK, summands[small].sum() + BLOCK, BLOCK)
    for part in np.split(small, np.unique(np.searchsorted(np.cumsum(summands[small]), edges) + 1)):
        if len(part):
            yield part, (0, int(first[part].max()))
    for one in np.flatnonzero(summands > BLOCK).tolist():
        step = max(1, int(BLOCK * first[one] / summands[one]))
        yield from ((np.array([one]), (low, low + step)) for low in range(0, int(first[one]), step))


def _expanded(
    known: Pairs, at: list[Ints], pairs: Any, slots: int, within: tuple[int, int]
) -> tuple[Ints, Array, Ints]:
    """Every summand of some components: which component, its weight, the labels of its slots.

    ``within``: the entries that are taken of the first pair.
    """
    row = np.arange(len(at[0]))
    weights = np.ones(len(row))
    tuples = np.zeros((len(row), slots), dtype=np.int64)
    for pair, (one, (v, w)) in enumerate(zip(at, pairs, strict=True)):
        code = one[row]
        start, counts = known.starts[code], known.starts[code + 1] - known.starts[code]
        if pair == 0:
            start, counts = start + within[0], np.clip(counts - within[0], 0, within[1] - within[0])
        each = np.repeat(np.arange(len(row)), counts)
        entry = start[each] + np.arange(len(each)) - np.repeat(np.cumsum(counts) - counts, counts)
        row, weights, tuples = row[each], weights[each] * known.weights[entry], tuples[each]
        tuples[:, v], tuples[:, w] = known.first[entry], known.second[entry]
    return row, weights, tuples
