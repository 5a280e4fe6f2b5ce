"""Centring: joint cumulants of a propagator from the fluctuations of the activation (theory section 4).

Enters: product terms without Omegas. Leaves: terms equal in sum, where each s^(m) of an expectation without derivatives
is its value at 0, a coupling of the layer's activation, plus t_m(z) = s^(m)(z) - s^(m)(0). A joint cumulant does not
feel what is constant in one of its factors: such terms cancel here, as fractions, and never as rounded numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from ntkfeyn.derivation.reduction import Terms, collect_equal
from ntkfeyn.derivation.rules import ACTIVATION
from ntkfeyn.derivation.terms import Factor, Group, Powers, ProductTerm, Tensor
from ntkfeyn.derivation.translation import sorted_term
from ntkfeyn.errors import LimitError

FLUCTUATION = "fluctuation"  # of a factor: t_m
MAX_TERMS = 2000  # of a system: above it the errors say what cancels


def value_at_zero(order: int) -> str:
    """The name of the coupling s^(order)(0)."""
    return f"activation_{order}"


def constants(values: Sequence[float]) -> dict[str, float]:
    """s(0), s'(0), .. as couplings."""
    return {value_at_zero(order): value for order, value in enumerate(values)}


def centred(recursions: Sequence[Terms]) -> tuple[Terms, ...]:
    """The terms of each recursion in fluctuations. Raises LimitError where they would be too many."""
    written = sum(2 ** sum(len(group.factors) for _, group in _free(term)) for terms in recursions for term in terms)
    if written > MAX_TERMS:
        raise LimitError(f"{written} terms in fluctuations; at most {MAX_TERMS} are allowed; try a lower order")
    return tuple(collect_equal(part for term in terms for part in _parts(term)) for terms in recursions)


def _free(term: ProductTerm) -> list[tuple[int, Group]]:
    """The groups that no derivative acts on."""
    return [(g, group) for g, group in enumerate(term.groups) if not term.derivatives(g)]


def _parts(term: ProductTerm) -> Iterator[ProductTerm]:
    free = _free(term)
    factors = [(g, factor) for g, group in free for factor in group.factors]
    for kept in product((False, True), repeat=len(factors)):
        powers = Powers()
        inside: dict[int, list[Factor]] = {g: [] for g, _ in free}
        for (g, factor), moves in zip(factors, kept, strict=True):
            if moves:
                inside[g].append(factor._replace(function=FLUCTUATION))
            else:
                powers = powers.times(Powers.of(**{value_at_zero(factor.order): 1}))
        yield _with_groups(term, inside, powers)


def _with_groups(term: ProductTerm, inside: dict[int, list[Factor]], constants: Powers) -> ProductTerm:
    """The term with other factors in some groups; an expectation without factors is 1 and goes."""
    groups: list[Group] = []
    place: dict[int, int] = {}
    for g, group in enumerate(term.groups):
        factors = inside.get(g)
        if factors is None or factors:
            place[-g - 1] = -len(groups) - 1
            groups.append(group if factors is None else _group(factors))
    tensors = tuple(_relabelled(tensor, place) for tensor in term.tensors)
    couplings = term.couplings.times(constants)
    return sorted_term(term._replace(couplings=couplings, tensors=tensors, groups=tuple(groups), diagrams=()))


def _group(factors: Sequence[Factor]) -> Group:
    return Group(tuple(factors), (), tuple(sorted({factor.slot for factor in factors})))


def _relabelled(tensor: Tensor, place: dict[int, int]) -> Tensor:
    return Tensor(tensor.name, tensor.order, tuple(place.get(label, label) for label in tensor.labels))


def fluctuates(group: Group) -> bool:
    """Whether its factors are fluctuations: then all are, and no derivative acts on it."""
    return any(factor.function != ACTIVATION for factor in group.factors)
