"""One step of the recursions, from layer l to l + 1, at all components (theory section 5).

Enters: the terms of a plan, the tensors of layer l, couplings, Gaussian expectations. Leaves: a tensor of layer l + 1,
and what errors of all that enters, and rounding of each product, do to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.derivation.terms import Powers, ProductTerm
from ntkfeyn.expectations.keys import EPSILON
from ntkfeyn.model.tensors import TensorId
from ntkfeyn.solve.plan import Factor, Plan, TermPlan

Array = NDArray[np.float64]
Values = dict[TensorId, Array]
BLOCK = 1 << 21  # products held at a time


def active_terms(
    plan: Plan, held: Mapping[TensorId, bool], couplings: Mapping[str, float]
) -> dict[TensorId, list[TermPlan]]:
    """The terms that do not vanish: ``held`` says which tensors hold anything."""
    powers: dict[Powers, float] = {}  # few, of very many terms

    def alive(term: TermPlan) -> bool:
        if term.couplings not in powers:
            powers[term.couplings] = factor_of(term, couplings)
        return powers[term.couplings] != 0 and all(held[name] for name, _ in term.tensors)

    return {tensor: [term for term in terms if alive(term)] for tensor, terms in plan.terms.items()}


def needed_means(plan: Plan, active: dict[TensorId, list[TermPlan]]) -> NDArray[np.bool_]:
    """Which expectations occur in terms that do not vanish."""
    needed = np.zeros(plan.expectations.size, dtype=bool)
    for terms in active.values():
        for term in terms:
            for numbers in term.needed():
                needed[numbers] = True
    needed[0] = False
    return needed


def step(
    plan: Plan,
    tensor: TensorId,
    terms: list[TermPlan],
    couplings: Mapping[str, float],
    previous: Values,
    means: Array,
) -> tuple[Array, Array]:
    """One recursion at all components, and the sums of absolute values that it is left over from."""
    total, mass = np.zeros((2, len(plan.components[tensor])))
    for term in terms:
        factor = factor_of(term, couplings)
        gathered = [(previous[name], f) for name, f in term.tensors] + [(means, f) for f in term.means]
        for rows in _blocks(term):
            product = np.ones((1, len(term.counts)))
            for values, f in gathered:
                product = product * _gather(values, f, rows)
            total[term.rows[rows]] += factor * (product @ term.counts)
            mass[term.rows[rows]] += abs(factor) * (np.abs(product) @ term.counts)
    if plan.averaging is None:
        return total, mass
    constant = sum(factor_of(term, couplings) for term in plan.averaging.constants.get(tensor, ()))
    matrix = plan.averaging.matrices[tensor]
    return matrix @ total + constant, abs(matrix) @ mass + abs(constant)


def step_error(
    plan: Plan,
    tensor: TensorId,
    terms: list[TermPlan],
    couplings: Mapping[str, float],
    known: tuple[Values, Values, Array, Array],
) -> Array:
    """What errors of the factors, and rounding of each product, do to one recursion."""
    previous, errors, means, bounds = known
    total = np.zeros(len(plan.components[tensor]))
    for term in terms:
        factor = abs(factor_of(term, couplings))
        gathered = [(previous[name], errors[name], f) for name, f in term.tensors]
        gathered += [(means, bounds, f) for f in term.means]
        for rows in _blocks(term):
            product, error = np.ones((1, len(term.counts))), np.zeros((1, len(term.counts)))
            for values, off, f in gathered:
                one = np.abs(_gather(values, f, rows))
                error = error * one + product * _gather(off, f, rows)
                product = product * one
            total[term.rows[rows]] += factor * ((error + EPSILON * product) @ term.counts)
    return total if plan.averaging is None else np.asarray(abs(plan.averaging.matrices[tensor]) @ total)


def factor_of(term: TermPlan | ProductTerm, couplings: Mapping[str, float]) -> float:
    """The term's coefficient times its couplings, each to its power; a coupling that the network lacks is zero."""
    powers = (np.float64(couplings.get(name, 0.0)) ** power for name, power in term.couplings)  # inf, and no error
    return float(term.coefficient * prod(powers))


def _blocks(term: TermPlan) -> Iterator[slice]:
    size = len(term.rows)
    block = max(1, BLOCK // len(term.counts))
    return (slice(start, min(start + block, size)) for start in range(0, size, block))


def _gather(values: Array, factor: Factor, rows: slice) -> Array:
    """The values of one factor, shape (rows, combinations)."""
    one = values[factor.table[rows]]
    several = len(factor.options) > 1 or factor.table.shape[1] > 1
    return one[:, factor.options] if several else one
