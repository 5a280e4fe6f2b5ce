"""The steps of a network from layer 1 to its output (theory sections 5 and 10).

Enters: a System, what is wanted of the output layer, the labels of each layer. Leaves: a ``Stack``: for each step its
plan, from the output down, so that each layer is planned at the components that the one above reads and no others.
A network whose layers all have the same labels, its samples, has one plan for all of its steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.derivation.expansion import reached, tensor_placements
from ntkfeyn.derivation.recursion import System
from ntkfeyn.derivation.reduction import Terms
from ntkfeyn.derivation.terms import ProductTerm
from ntkfeyn.expectations.keys import Expectations
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.tensors import MEAN_KERNEL, MEAN_NTK, TensorId
from ntkfeyn.solve.averaging import Averaging, average
from ntkfeyn.solve.components import Components, check_codes, orbits
from ntkfeyn.solve.labels import Labels, Operator
from ntkfeyn.solve.plan import Plan, Samples, by_coincidence, placed, product_terms, tabulated

Ints = NDArray[np.int64]
Of = dict[TensorId, Components]


@dataclass(frozen=True)
class Stack:
    """``first``: the components of layer 1; ``steps``: the plan of the step from each layer to the next."""

    first: Of
    steps: tuple[Plan, ...]

    @property
    def last(self) -> Of:
        """The components of the output layer."""
        return self.steps[-1].above if self.steps else self.first

    def centred(self) -> Stack:
        """With joint cumulants written in fluctuations of the activation. Raises LimitError."""
        return Stack(self.first, tuple(plan.centring() for plan in self.steps))


def uniform(plan: Plan, depth: int) -> Stack:
    """One plan for every step."""
    return Stack(plan.components, (plan,) * (depth - 1))


def layered(
    system: System, wanted: dict[TensorId, Ints], labels: Labels, advance: Callable[[str], None] = lambda _: None
) -> Stack:
    """The steps that lead to index tuples over the labels of the output layer. Raises LimitError."""
    known = {r.id: wanted.get(r.id, np.zeros((0, len(standard(r.name).labels)), np.int64)) for r in system.recursions}
    last = labels.counts[-1], labels.moves[-1]
    above = {tensor: Components(tensor.name, tuples, *last) for tensor, tuples in known.items()}
    parts = _product_terms(system, False)
    held = _alive(parts, len(labels.operators))
    steps: list[Plan] = []
    for layer in reversed(range(len(labels.operators))):
        steps.insert(0, _step(system, parts, held[layer], above, labels.operators[layer], labels.moves[layer]))
        above = steps[0].below
        advance(f"plan of layer {layer + 2}")
    return Stack(above, tuple(steps))


def _product_terms(system: System, centring: bool) -> dict[TensorId, Terms]:
    return dict(zip((r.id for r in system.recursions), product_terms(system, centring), strict=True))


def _alive(parts: dict[TensorId, Terms], steps: int) -> list[frozenset[TensorId]]:
    """Which tensors there are at all at layers 1, 2, ..: at layer 1 the means alone."""
    found = [frozenset({MEAN_KERNEL, MEAN_NTK})]
    for _ in range(steps - 1):
        held = found[-1]
        found.append(frozenset(t for t, some in parts.items() if any(_holds(part, held) for part in some)))
    return found


def _holds(part: ProductTerm, held: frozenset[TensorId]) -> bool:
    return all(tensor.id in held for tensor in part.tensors)


def _step(
    system: System,
    parts: dict[TensorId, Terms],
    held: frozenset[TensorId],
    above: Of,
    operator: Operator | None,
    moves: Ints,
) -> Plan:
    """One step to the components ``above``; ``moves``: of the labels below, shape (moves, labels).

    Made again with fluctuations, it has the same components and averages.
    """
    components, averaging = above, None
    if operator is not None:
        read = {t: average(t.name, own, operator, moves) for t, own in above.items()}
        components = {t: one.read for t, one in read.items()}
        constants = {t: tuple(p for p in some if _constant(p)) for t, some in parts.items()}
        averaging = Averaging(above, {t: one.matrix for t, one in read.items()}, constants)

    def alive(written: dict[TensorId, Terms]) -> dict[TensorId, Terms]:
        """The terms that are averaged, of tensors that are wanted."""
        kept = {t: some for t, some in written.items() if len(above[t])}
        outside = averaging is not None
        return {
            t: tuple(p for p in some if _holds(p, held) and not (outside and _constant(p))) for t, some in kept.items()
        }

    below = _read(alive(parts), components, moves, list(above))

    def planned(written: dict[TensorId, Terms]) -> Plan:
        expectations = Expectations(moves.shape[1], moves)
        tables = tabulated(alive(written), components, below, expectations)
        known = {t: tables.get(t, ()) for t in above}
        return Plan(components, below, known, expectations, averaging, again)

    again = cache(lambda: planned(_product_terms(system, True)))
    return planned(parts)


def _constant(part: ProductTerm) -> bool:
    """C_b or lambda_b, which no operator acts on."""
    return not part.groups and not part.tensors


def _read(terms: dict[TensorId, Terms], components: Of, moves: Ints, tensors: list[TensorId]) -> Of:
    """The components of the layer below that terms read, and K at all samples that meet in an expectation."""
    found: dict[TensorId, list[Ints]] = {tensor: [] for tensor in tensors}
    for tensor in tensors:
        check_codes(tensor.name, moves.shape[1])
    for tensor, parts in terms.items():
        for part, numbers, of in by_coincidence(parts, standard(tensor.name).labels, components[tensor].rows):
            if not len(numbers):
                continue
            domains = reached(part)
            for factor in part.tensors:
                for tuples in placed(tensor_placements(factor, domains, True), of):
                    found[factor.id].append(_distinct(factor.name, moves, tuples))
            found[MEAN_KERNEL] += _pairs(part, of, moves)
    read = {}
    for tensor, listed in found.items():
        empty = np.zeros((0, len(standard(tensor.name).labels)), dtype=np.int64)
        read[tensor] = Components(tensor.name, np.concatenate([empty, *listed]), moves.shape[1], moves)
    return read


def _pairs(part: ProductTerm, of: Samples, moves: Ints) -> Iterator[Ints]:
    for group in part.groups:
        slots = sorted({factor.slot for factor in group.factors})
        for v, w in combinations_with_replacement(slots, 2):
            yield _distinct(MEAN_KERNEL.name, moves, np.stack([of[v], of[w]], axis=1))


def _distinct(name: str, moves: Ints, tuples: Ints) -> Ints:
    """One index tuple of each orbit."""
    flat = tuples.reshape(-1, tuples.shape[-1])
    return flat[np.unique(orbits(name, moves.shape[1], flat, moves), return_index=True)[1]]
