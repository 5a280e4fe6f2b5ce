"""The plan of one step from layer l to l+1: a System as index tables (theory section 5, product terms).

Enters: a System and the sample sets asked for. Leaves: for each product term which entries of the layer-l tensors and
expectations are multiplied and added for each component; and the list of expectations. Nothing depends on the layer.

A derivative acts on a sample once: of several slots of a group with the same sample only the first one may be
differentiated, and it stands for the product of all activations at that sample (theory section 7). Where a term has
many more placements than components have patterns of equal samples, it is written for each pattern on its own: equal
samples are one, few placements are left, and terms meet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.derivation.expansion import Placement, reached, tensor_placements, written_terms
from ntkfeyn.derivation.recursion import System
from ntkfeyn.derivation.reduction import Terms, split_omega
from ntkfeyn.derivation.terms import Group, Powers, ProductTerm
from ntkfeyn.errors import LimitError
from ntkfeyn.expectations.keys import Differentiated, Expectations, Key
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.tensors import TensorId
from ntkfeyn.solve.averaging import Averaging
from ntkfeyn.solve.centring import centred, fluctuates
from ntkfeyn.solve.coincidences import in_group, patterns, with_equal_samples
from ntkfeyn.solve.components import Components, Family, maximal

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Samples = dict[int, Ints]  # of each slot, for each of some components
MAX_TABLE = 60_000_000  # entries of all index tables together
WORTH = 8  # placements saved that pay for one more term
BLOCK = 1 << 20  # tuples looked up at a time


@dataclass(frozen=True)
class Factor:
    """Values gathered for one factor of a term: ``table[component, option]``, ``options[combination]``."""

    table: Ints
    options: Ints


@dataclass(frozen=True)
class TermPlan:
    """coefficient * couplings * sum over combinations of ``counts`` * tensors * expectations.

    Row i of every table is of component ``rows[i]``; other components have no such term.
    """

    rows: Ints
    coefficient: float
    couplings: Powers
    tensors: tuple[tuple[TensorId, Factor], ...]
    means: tuple[Factor, ...]
    counts: Array

    def needed(self) -> Iterable[Ints]:
        return (factor.table.ravel() for factor in self.means)


@dataclass(frozen=True)
class Plan:
    """``components`` and ``terms`` by tensor, and the expectations that the terms refer to by number.

    ``below``: the components of layer l that terms read; ``averaging`` makes tensors of layer l+1 from the right-hand
    sides, None where they are that. ``centring`` makes the plan of the same components with joint cumulants written in
    fluctuations.
    """

    components: dict[TensorId, Components]
    below: dict[TensorId, Components]
    terms: dict[TensorId, tuple[TermPlan, ...]]
    expectations: Expectations
    averaging: Averaging | None
    centring: Callable[[], Plan]

    @property
    def above(self) -> dict[TensorId, Components]:
        """The components of layer l+1."""
        return self.components if self.averaging is None else self.averaging.components


def make_plan(system: System, families: dict[TensorId, Family], samples: int, centring: bool = False) -> Plan:
    """One step that serves every layer of a network whose layers have the same labels, the samples.

    ``families`` gives the sample sets wanted of each target. ``centring``: joint cumulants are written in fluctuations
    of the activation. Raises LimitError when the tables would be too large.
    """
    components = _components(system, families, samples)
    terms = {r.id: parts for r, parts in zip(system.recursions, product_terms(system, centring), strict=True)}
    expectations = Expectations(samples)
    tables = tabulated(terms, components, components, expectations)
    again = cache(lambda: make_plan(system, families, samples, True))
    return Plan(components, components, tables, expectations, None, again)


def tabulated(
    terms: dict[TensorId, Terms],
    components: dict[TensorId, Components],
    below: dict[TensorId, Components],
    expectations: Expectations,
) -> dict[TensorId, tuple[TermPlan, ...]]:
    """Index tables of terms at ``components``, which read those of ``below`` and ``expectations``."""
    size = 0
    tables = {}
    for tensor, parts in terms.items():
        plans = []
        for part, numbers, samples_of in by_coincidence(parts, standard(tensor.name).labels, components[tensor].rows):
            plan = _term(part, numbers, samples_of, below, expectations)
            size += sum(factor.table.size for _, factor in plan.tensors) + sum(f.table.size for f in plan.means)
            if size > MAX_TABLE:
                raise LimitError(
                    f"this request needs index tables of more than {MAX_TABLE} entries;"
                    " try fewer inputs, --components pairs, or a lower order"
                )
            plans.append(plan)
        tables[tensor] = tuple(plans)
    expectations.close()
    return tables


def product_terms(system: System, centring: bool) -> list[Terms]:
    """Of each recursion, without Omegas; means of order 0 are no differences, and never centred."""
    parts = [tuple(part for term in one.terms for part in split_omega(term)) for one in system.recursions]
    if not centring:
        return parts
    higher = [i for i, one in enumerate(system.recursions) if one.order]
    for i, terms in zip(higher, centred([parts[i] for i in higher]), strict=True):
        parts[i] = terms
    return parts


def _components(system: System, families: dict[TensorId, Family], samples: int) -> dict[TensorId, Components]:
    """What each tensor is needed at: its own families and those of every tensor that depends on it."""
    wanted: dict[TensorId, set[tuple[int, ...]]] = {recursion.id: set() for recursion in system.recursions}
    for target, family in families.items():
        wanted[target] |= family
    for recursion in reversed(system.recursions):
        for needed in recursion.dependencies:
            if needed != recursion.id:
                wanted[needed] |= wanted[recursion.id]
    return {tensor: Components.over(tensor.name, maximal(sets), samples) for tensor, sets in wanted.items()}


def by_coincidence(parts: Terms, slots: Sequence[int], rows: Ints) -> Iterator[tuple[ProductTerm, Ints, Samples]]:
    """Terms, the components that they are of, and the sample of each slot there.

    Each term comes once, or once a pattern of equal samples where this saves placements.
    """
    classes = list(patterns(rows))
    if WORTH * len(classes) * len(parts) > written_terms(parts):
        every = np.arange(len(rows)), dict(zip(slots, rows.T, strict=True))
        yield from ((part, *every) for part in parts)
        return
    for pattern, numbers in classes:
        first = {slot: slots[k] for slot, k in zip(slots, pattern, strict=True)}
        columns = [(slot, column) for slot, column in zip(slots, rows[numbers].T, strict=True) if first[slot] == slot]
        samples = {in_group(slot, g, first): column for slot, column in columns for g in range(len(slots))}
        yield from ((part, numbers, samples) for part in with_equal_samples(parts, first))


def _term(
    term: ProductTerm,
    numbers: Ints,
    samples: Samples,
    components: dict[TensorId, Components],
    expectations: Expectations,
) -> TermPlan:
    """``samples[slot]`` lists the sample of that slot for each of the components ``numbers``."""
    domains = reached(term)
    options = [tensor_placements(tensor, domains, True) for tensor in term.tensors]
    shape = tuple(map(len, options))
    tensors = []
    for t, (tensor, option) in enumerate(zip(term.tensors, options, strict=True)):
        found = [components[tensor.id].find(rows) for rows in placed(option, samples)]
        table = np.concatenate(found, axis=1) if len(found) > 1 else found[0]
        chosen = np.broadcast_to(_along(np.arange(len(option)), t, shape), shape).ravel()
        tensors.append((tensor.id, Factor(table, chosen)))
    means = [_mean(group, options, samples, len(numbers), expectations) for group in term.groups]
    multiplicities = [np.array([count for _, _, count in option], dtype=float) for option in options]
    counts = _outer(np.multiply, multiplicities, 1.0)
    return TermPlan(numbers, float(term.coefficient), term.couplings, tuple(tensors), tuple(means), counts)


def placed(option: tuple[Placement, ...], samples: Samples) -> Iterator[Ints]:
    """The index tuples of a tensor for each component of the term and each placement of its derivatives, in blocks."""
    column = {slot: i for i, slot in enumerate(samples)}
    by_slot = np.stack(list(samples.values()), axis=1)
    labels = np.array([[column[s] for s in one.labels] for one, _, _ in option], dtype=np.int64)
    width = max(1, BLOCK // max(1, len(by_slot)))
    return (by_slot[:, labels[start : start + width]] for start in range(0, len(option), width))


def _along(values: Array | Ints, axis: int, shape: tuple[int, ...]) -> NDArray[Any]:
    """Values along one axis of the combinations, to be broadcast along the others."""
    return values.reshape([-1 if t == axis else 1 for t in range(len(shape))])


def _outer(operation: np.ufunc, values: Sequence[Array | Ints], start: float | int) -> NDArray[Any]:
    """Values of one option a tensor, taken together for every combination, in the order of itertools.product."""
    shape = tuple(map(len, values))
    placed = [_along(one, t, shape) for t, one in enumerate(values)]
    return np.asarray(reduce(operation, placed, np.full((1,) * len(shape), start))).reshape(-1)


def _mean(
    group: Group,
    placements: Sequence[tuple[Placement, ...]],
    samples: Samples,
    size: int,
    expectations: Expectations,
) -> Factor:
    """One group: an option for each way its slots are hit by derivatives; of equal slots the first one is hit."""
    slots = [factor.slot for factor in group.factors]
    base = 1 + sum(max(len(hit) for _, hit, _ in option) for option in placements)
    powers = {slot: base ** (len(slots) - 1 - slots.index(slot)) for slot in slots}
    hits = [np.array([sum(powers.get(s, 0) for s in hit) for _, hit, _ in option]) for option in placements]
    codes, chosen = np.unique(_outer(np.add, hits, 0), return_inverse=True)
    options = codes[:, None] // base ** np.arange(len(slots) - 1, -1, -1) % base
    table = np.zeros((size, len(options)), dtype=np.int64)
    if size:
        columns = np.stack([samples[slot] for slot in slots], axis=1)
        for pattern, rows in patterns(columns):
            for column, hit in enumerate(options.tolist()):
                found = _key([factor.order for factor in group.factors], fluctuates(group), hit, pattern)
                if found is not None:
                    key, first_slots = found
                    expectations.ask(table, rows, column, key, columns[rows][:, first_slots])
    return Factor(table, chosen)


def _key(
    orders: list[int], fluctuation: bool, hit: Sequence[int], pattern: tuple[int, ...]
) -> tuple[Key, list[int]] | None:
    """The expectation for slots that coincide as in ``pattern``, and the slots that name its samples.

    None if a slot is hit that is not the first one of its sample.
    """
    if any(k and pattern[slot] != slot for slot, k in enumerate(hit)):
        return None
    found = []
    for first in sorted(set(pattern)):
        inside = [orders[slot] for slot, other in enumerate(pattern) if other == first]
        found.append((Differentiated(tuple(sorted(inside)), hit[first], fluctuation), first))
    found.sort()
    return tuple(one for one, _ in found), [first for _, first in found]


def standard_samples(name: str, index_samples: Sequence[int]) -> tuple[int, ...]:
    """Samples given in the tensor's index order, listed by slot of ``standard(name)``."""
    shape = standard(name)
    by_slot = [0] * len(index_samples)
    for position, sample in zip(shape.index, index_samples, strict=True):
        by_slot[position] = sample
    return tuple(by_slot)
