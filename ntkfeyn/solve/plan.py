"""The plan of one step from layer l to l+1: a System as index tables (theory section 5, product terms).

Enters: a System and the sample sets asked for. Leaves: for each product term which entries of the layer-l tensors and
expectations are multiplied and added for each component; and the list of expectations. Nothing depends on the layer.

A derivative acts on a sample once: of several slots of a group with the same sample only the first one may be
differentiated, and it stands for the product of all activations at that sample (theory section 7).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.derivation.expansion import reached, tensor_placements
from ntkfeyn.derivation.recursion import System
from ntkfeyn.derivation.reduction import split_omega
from ntkfeyn.derivation.terms import Group, Powers, ProductTerm
from ntkfeyn.errors import LimitError
from ntkfeyn.expectations.keys import Differentiated, Expectations, Key
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.tensors import TensorId
from ntkfeyn.solve.components import Components, Family, maximal

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
MAX_TABLE = 60_000_000  # entries of all index tables together


@dataclass(frozen=True)
class Factor:
    """Values gathered for one factor of a term: ``table[component, option]``, ``options[combination]``."""

    table: Ints
    options: Ints


@dataclass(frozen=True)
class TermPlan:
    """coefficient * couplings * sum over combinations of ``counts`` * tensors * expectations."""

    coefficient: float
    couplings: Powers
    tensors: tuple[tuple[TensorId, Factor], ...]
    means: tuple[Factor, ...]
    counts: Array

    def needed(self) -> Iterable[Ints]:
        return (factor.table.ravel() for factor in self.means)


@dataclass(frozen=True)
class Plan:
    """``components`` and ``terms`` by tensor, and the expectations that the terms refer to by number."""

    components: dict[TensorId, Components]
    terms: dict[TensorId, tuple[TermPlan, ...]]
    expectations: Expectations
    samples: int


def make_plan(system: System, families: dict[TensorId, Family], samples: int) -> Plan:
    """Index tables for a system; ``families`` gives the sample sets wanted of each target.

    Raises LimitError when the tables would be too large.
    """
    components = _components(system, families, samples)
    expectations = Expectations(samples)
    size = 0
    terms = {}
    for recursion in system.recursions:
        parts = [part for term in recursion.terms for part in split_omega(term)]
        slots = recursion.cumulant.labels
        rows = components[recursion.id].rows
        plans = []
        for part in parts:
            plan = _term(part, dict(zip(slots, rows.T, strict=True)), len(rows), components, expectations)
            size += sum(factor.table.size for _, factor in plan.tensors) + sum(f.table.size for f in plan.means)
            if size > MAX_TABLE:
                raise LimitError(
                    f"this request needs index tables of more than {MAX_TABLE} entries;"
                    " try fewer inputs, --components pairs, or a lower order"
                )
            plans.append(plan)
        terms[recursion.id] = tuple(plans)
    expectations.close()
    return Plan(components, terms, expectations, samples)


def _components(system: System, families: dict[TensorId, Family], samples: int) -> dict[TensorId, Components]:
    """What each tensor is needed at: its own families and those of every tensor that depends on it."""
    wanted: dict[TensorId, set[tuple[int, ...]]] = {recursion.id: set() for recursion in system.recursions}
    for target, family in families.items():
        wanted[target] |= family
    for recursion in reversed(system.recursions):
        for needed in recursion.dependencies:
            if needed != recursion.id:
                wanted[needed] |= wanted[recursion.id]
    return {tensor: Components(tensor.name, maximal(sets), samples) for tensor, sets in wanted.items()}


def _term(
    term: ProductTerm,
    samples: dict[int, Ints],
    size: int,
    components: dict[TensorId, Components],
    expectations: Expectations,
) -> TermPlan:
    """``samples[slot]`` lists the sample of that slot for each of ``size`` components."""
    domains = reached(term)
    options = [tensor_placements(tensor, domains, True) for tensor in term.tensors]
    combinations = list(product(*(range(len(option)) for option in options)))
    hits = [tuple(s for o, i in zip(options, chosen, strict=True) for s in o[i][1]) for chosen in combinations]
    multiplicity = [prod(o[i][2] for o, i in zip(options, chosen, strict=True)) for chosen in combinations]
    tensors = []
    for t, (tensor, option) in enumerate(zip(term.tensors, options, strict=True)):
        own = components[tensor.id]
        table = np.empty((size, len(option)), dtype=np.int64)
        for column, (placed, _, _) in enumerate(option):
            table[:, column] = own.find(np.stack([samples[s] for s in placed.labels], axis=1))
        chosen_options = np.array([chosen[t] for chosen in combinations], dtype=np.int64)
        tensors.append((tensor.id, Factor(table, chosen_options)))
    means = [_mean(group, hits, samples, size, expectations) for group in term.groups]
    counts = np.array(multiplicity, dtype=float)
    return TermPlan(float(term.coefficient), term.couplings, tuple(tensors), tuple(means), counts)


def _mean(
    group: Group, hits: Sequence[tuple[int, ...]], samples: dict[int, Ints], size: int, expectations: Expectations
) -> Factor:
    """One group: an option for each way its slots are hit by derivatives."""
    slots = [factor.slot for factor in group.factors]
    counts = [tuple(hit.count(slot) for slot in slots) for hit in hits]
    options = sorted(set(counts))
    table = np.zeros((size, len(options)), dtype=np.int64)
    if size:
        columns = np.stack([samples[slot] for slot in slots], axis=1)
        for pattern, rows in _patterns(columns):
            for column, hit in enumerate(options):
                found = _key([factor.order for factor in group.factors], hit, pattern)
                if found is not None:
                    key, first_slots = found
                    tuples = _sorted_among_equals(columns[rows][:, first_slots], key)
                    expectations.ask(table, rows, column, key, tuples)
    return Factor(table, np.array([options.index(c) for c in counts], dtype=np.int64))


def _patterns(columns: Ints) -> Iterable[tuple[tuple[int, ...], Ints]]:
    """Rows by which slots share a sample: (first slot with the same sample for each slot, row numbers)."""
    same = columns[:, :, None] == columns[:, None, :]
    first = same.argmax(axis=2)
    codes = first @ (columns.shape[1] ** np.arange(columns.shape[1], dtype=np.int64))
    for code in np.unique(codes):
        rows = np.flatnonzero(codes == code)
        yield tuple(int(v) for v in first[rows[0]]), rows


def _key(orders: list[int], hit: tuple[int, ...], pattern: tuple[int, ...]) -> tuple[Key, list[int]] | None:
    """The expectation for slots that coincide as in ``pattern``, and the slots that name its samples.

    None if a slot is hit that is not the first one of its sample.
    """
    if any(k and pattern[slot] != slot for slot, k in enumerate(hit)):
        return None
    found = []
    for first in sorted(set(pattern)):
        inside = [orders[slot] for slot, other in enumerate(pattern) if other == first]
        found.append((Differentiated(tuple(sorted(inside)), hit[first]), first))
    found.sort()
    return tuple(one for one, _ in found), [first for _, first in found]


def _sorted_among_equals(tuples: Ints, key: Key) -> Ints:
    """Samples in increasing order where neighbouring functions are equal: one number for equal expectations."""
    start = 0
    for stop in range(1, len(key) + 1):
        if stop == len(key) or key[stop] != key[start]:
            if stop - start > 1:
                tuples[:, start:stop].sort(axis=1)
            start = stop
    return tuples


def standard_samples(name: str, index_samples: Sequence[int]) -> tuple[int, ...]:
    """Samples given in the tensor's index order, listed by slot of ``standard(name)``."""
    shape = standard(name)
    by_slot = [0] * len(index_samples)
    for position, sample in zip(shape.index, index_samples, strict=True):
        by_slot[position] = sample
    return tuple(by_slot)
