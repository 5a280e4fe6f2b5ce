"""The averaging operator on tensors: A once for each pair of a tensor's channel (theory section 10).

Enters: the components wanted of a tensor at layer l + 1, the operator between the labels of layers l and l + 1. Leaves:
the components of the right-hand side, at labels of layer l, that they are sums of; and these sums as a sparse matrix.
"""

from __future__ import annotations

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
    found: list[tuple[Ints, Ints, Array]] = []  # rows, orbits, weights
    examples: dict[str, list[Ints]] = {"orbits": [], "tuples": []}
    total = 0
    for some in _blocks(summands):
        row, weights, tuples = _expanded(known, [one[some] for one in at], pairs, rows.shape[1])
        numbers = orbits(name, operator.below, tuples, moves)
        distinct, first, inverse = np.unique(numbers, return_index=True, return_inverse=True)
        code, place = np.unique(row * len(distinct) + inverse, return_inverse=True)
        row, orbit = some[code // len(distinct)], distinct[code % len(distinct)]
        found.append((row, orbit, np.asarray(np.bincount(place, weights), dtype=float)))
        examples["orbits"].append(distinct)
        examples["tuples"].append(tuples[first])
        total += len(distinct)
        if total > 4 * MAX_COMPONENTS:
            raise _too_many(name, total)
    if not found:
        return Averaged(Components(name, rows[:0], operator.below, moves), csr_array((len(rows), 0)))
    _, first = np.unique(np.concatenate(examples["orbits"]), return_index=True)
    if len(first) > MAX_COMPONENTS:
        raise _too_many(name, len(first))
    read = Components(name, np.concatenate(examples["tuples"])[first], operator.below, moves)
    row, orbit, weights = (np.concatenate(parts) for parts in zip(*found, strict=True))
    column = read.numbers[np.searchsorted(read.orbits, orbit)]
    return Averaged(read, csr_array((weights, (row, column)), shape=(len(rows), len(read))))


def _too_many(name: str, components: int) -> LimitError:
    return LimitError(
        f"{name} needs {components} components over labels (input, position); at most {MAX_COMPONENTS} are allowed;"
        f" {SMALLER}"
    )


def _blocks(summands: Array) -> list[Ints]:
    """Components in blocks of about as many summands."""
    edges = np.searchsorted(np.cumsum(summands), np.arange(BLOCK, summands.sum() + BLOCK, BLOCK))
    parts = np.split(np.arange(len(summands)), np.unique(edges + 1))
    return [part for part in parts if len(part)]


def _expanded(known: Pairs, at: list[Ints], pairs: Any, slots: int) -> tuple[Ints, Array, Ints]:
    """Every summand of some components: which component, its weight, the labels of its slots."""
    row = np.arange(len(at[0]))
    weights = np.ones(len(row))
    tuples = np.zeros((len(row), slots), dtype=np.int64)
    for one, (v, w) in zip(at, pairs, strict=True):
        code = one[row]
        start, counts = known.starts[code], known.starts[code + 1] - known.starts[code]
        each = np.repeat(np.arange(len(row)), counts)
        entry = start[each] + np.arange(len(each)) - np.repeat(np.cumsum(counts) - counts, counts)
        row, weights, tuples = row[each], weights[each] * known.weights[entry], tuples[each]
        tuples[:, v], tuples[:, w] = known.first[entry], known.second[entry]
    return row, weights, tuples
