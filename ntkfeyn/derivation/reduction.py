"""Reduction: named, exact rewrites of product terms (theory section 5).

Enters: product terms as translated. Leaves: fewer, equal in sum. ``REWRITES`` is the table of names; each rewrite can
be switched off, and ``reduce_terms`` reports what each one did (``Effect``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from fractions import Fraction
from math import prod
from typing import NamedTuple

from ntkfeyn.derivation.rules import CHOICES
from ntkfeyn.derivation.terms import Factor, Group, ProductTerm, Tensor
from ntkfeyn.derivation.translation import sorted_term
from ntkfeyn.errors import bad_request, closest
from ntkfeyn.model.cumulants import Cumulant, canonical_labels
from ntkfeyn.model.tensors import MEAN_NTK

Terms = tuple[ProductTerm, ...]


class Effect(NamedTuple):
    """What a rewrite did: ``unit`` is what is counted before and after."""

    rewrite: str
    unit: str
    before: int
    after: int


def marginals(terms: Terms, cumulant: Cumulant) -> Terms:
    """Sum each derivative over the samples present in its group only: the others differentiate to zero."""
    return tuple(
        term._replace(groups=tuple(group._replace(domain=group.samples) for group in term.groups)) for term in terms
    )


def symmetrise(terms: Terms, cumulant: Cumulant) -> Terms:
    """Bring the labels of every tensor to the least ones that its symmetry group gives."""
    return tuple(term._replace(tensors=tuple(sorted(map(least_labels, term.tensors)))) for term in terms)


def least_labels(tensor: Tensor) -> Tensor:
    """Samples come before z-legs, z-legs in the order of their groups: V_{b1 b2 b3 b4} reads in group order."""
    after = 1 + max(tensor.labels)
    least = canonical_labels(tensor.name, tuple(v if v >= 0 else after - v for v in tensor.labels))
    return Tensor(tensor.name, tensor.order, tuple(v if v <= after else after - v for v in least))


def collect(terms: Terms, cumulant: Cumulant) -> Terms:
    """Add the coefficients of equal terms; drop those that cancel."""
    return collect_equal(terms)


def collect_equal(terms: Iterable[ProductTerm]) -> Terms:
    """Terms in the order of their first appearance, none equal to another."""
    sums: dict[ProductTerm, ProductTerm] = {}
    for term in terms:
        key = term._replace(coefficient=Fraction(0), diagrams=())
        known = sums.get(key, key)
        cited = merge_ids(known.diagrams, term.diagrams)
        sums[key] = term._replace(coefficient=known.coefficient + term.coefficient, diagrams=cited)
    return tuple(term for term in sums.values() if term.coefficient)


def split_omega(term: ProductTerm) -> Terms:
    """The sum over the choices that every Omega merges."""
    for g, group in enumerate(term.groups):
        if group.omegas:
            (v, w), rest = group.omegas[0], group.omegas[1:]
            halves = []
            for rule, order, mean_inside in CHOICES:
                factors = tuple(sorted([*group.factors, *(Factor(s, order, rule.function) for s in (v, w))]))
                half = term._replace(
                    couplings=term.couplings.times(rule.couplings),
                    tensors=(*term.tensors, Tensor(*MEAN_NTK, (v, w))) if mean_inside else term.tensors,
                    groups=(*term.groups[:g], Group(factors, rest, group.domain), *term.groups[g + 1 :]),
                )
                halves.append(sorted_term(half))
            return tuple(part for half in halves for part in split_omega(half))
    return (term,)


REWRITES: dict[str, Callable[[Terms, Cumulant], Terms]] = {
    "marginals": marginals,
    "symmetrise": symmetrise,
    "collect": collect,
}
MERGE = "omega"  # done where diagrams are translated; left out, the members of a drawing are translated apart


def check_rewrites(without: Collection[str]) -> None:
    """Raises RequestError for a rewrite that does not exist."""
    for name in without:
        if name not in (*REWRITES, MERGE):
            raise bad_request(
                f"unknown rewrite '{name}'",
                f"allowed are {', '.join((*REWRITES, MERGE))}",
                f"--without {closest(name, (*REWRITES, MERGE)) or MERGE}",
            )


def reduce_terms(terms: Terms, cumulant: Cumulant, without: Collection[str] = ()) -> tuple[Terms, tuple[Effect, ...]]:
    """Apply every rewrite of ``REWRITES`` in order, except those in ``without``. Raises RequestError."""
    check_rewrites(without)
    effects = []
    for name, rewrite in REWRITES.items():
        if name in without:
            continue
        rewritten = rewrite(terms, cumulant)
        if name == "marginals":
            effects.append(Effect(name, "derivative placements", placements(terms), placements(rewritten)))
        elif name != "symmetrise":  # its effect shows after Leibniz: see expand
            effects.append(Effect(name, "product terms", len(terms), len(rewritten)))
        terms = rewritten
    return terms, tuple(effects)


def placements(terms: Terms) -> int:
    """How many ways the derivative labels run over their domains, counted one by one."""
    return sum(prod(len(group.domain) ** term.derivatives(g) for g, group in enumerate(term.groups)) for term in terms)


def merge_ids(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    """Diagram ids in the order of their numbers, each once."""
    if first == second or not first:
        return second
    return tuple(sorted({*first, *second}, key=lambda text: (int(text.rsplit(":", 1)[1]), text)))
