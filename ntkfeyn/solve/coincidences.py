"""Coincidences: which slots share a sample, and what terms become where they do (theory section 7).

Enters: index tuples, product terms without Omegas. Leaves: the patterns of equal samples with their rows; the terms
with equal samples as one slot, equal ones added. A derivative acts on a sample once, so few placements are left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.derivation.reduction import Terms, collect_equal, least_labels
from ntkfeyn.derivation.terms import Factor, Group, ProductTerm, Tensor

Ints = NDArray[np.int64]


def patterns(columns: Ints) -> Iterator[tuple[tuple[int, ...], Ints]]:
    """Rows by which slots share a sample: (first slot with the same sample for each slot, row numbers)."""
    same = columns[:, :, None] == columns[:, None, :]
    first = same.argmax(axis=2)
    codes = first @ (columns.shape[1] ** np.arange(columns.shape[1], dtype=np.int64))
    for code in np.unique(codes):
        rows = np.flatnonzero(codes == code)
        yield tuple(int(v) for v in first[rows[0]]), rows


def with_equal_samples(terms: Terms, first: Mapping[int, int]) -> Terms:
    """The terms where each slot has the sample of slot ``first[slot]``; they name no diagrams.

    Groups stay apart, for a derivative acts on one of them: in group g a slot is called ``in_group(slot, g, first)``.
    """
    return collect_equal(_merged(term, first) for term in terms)


def in_group(slot: int, group: int, first: Mapping[int, int]) -> int:
    """A label for the sample of a slot inside a group; the slot itself in the first one."""
    return slot + group * (1 + max(first))


def _merged(term: ProductTerm, first: Mapping[int, int]) -> ProductTerm:
    """One term; groups are sorted by their contents, and the labels that point to them follow."""
    contents = [
        (
            sorted((first[f.slot], f.order, f.function) for f in group.factors),
            sorted({first[slot] for slot in group.domain if slot in group.samples}),
        )
        for group in term.groups
    ]
    order = sorted(range(len(contents)), key=lambda g: (contents[g], term.derivatives(g)))
    place = {-old - 1: -new - 1 for new, old in enumerate(order)}
    tensors = (Tensor(t.name, t.order, tuple(place[v] if v < 0 else first[v] for v in t.labels)) for t in term.tensors)
    groups = []
    for new, old in enumerate(order):
        factors, domain = contents[old]
        named = tuple(Factor(in_group(slot, new, first), m, function) for slot, m, function in factors)
        groups.append(Group(named, (), tuple(in_group(slot, new, first) for slot in domain)))
    return ProductTerm(term.coefficient, term.couplings, tuple(sorted(map(least_labels, tensors))), tuple(groups), ())
