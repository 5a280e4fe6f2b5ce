"""The activation that `verify` takes if none is given: of the lowest degree at which no diagram is zero.

Enters: a cumulant, its order, the layers to compare at. Leaves: one polynomial, or one a layer (THEORY section 6).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache

from ntkfeyn.derivation.diagrams import full_diagrams
from ntkfeyn.derivation.enumeration import enumerate_diagrams
from ntkfeyn.derivation.recursion import derive_recursion
from ntkfeyn.derivation.terms import ExpandedTerm
from ntkfeyn.judge.setting import Setting
from ntkfeyn.model.cumulants import Cumulant, standard
from ntkfeyn.model.ensembles import ORTHOGONAL
from ntkfeyn.model.polynomials import DEFAULT, Coefficients, polynomial
from ntkfeyn.model.tensors import TensorId
from ntkfeyn.verification.derived import diagram_terms

LAST = 3  # the lowest layer below which all tensors are at work; two above it, exact moments of high degrees are dear
HIGHEST = 2  # the order up to which a higher degree takes less than a minute
DEAREST = 20  # degree times pairs and derivatives (edges of the trees), beyond which it takes minutes
SMALL = 4  # pairs and derivatives up to which it does not take minutes with orthogonal weights at the highest order


def with_defaults(setting: Setting, shape: Cumulant, order: int, layers: Sequence[int]) -> Setting:
    """The setting with the default activations of a recursion in place of its own."""
    return replace(setting, activations=default_activations(shape, order, layers, setting.weights))


def default_activations(shape: Cumulant, order: int, layers: Sequence[int], weights: str) -> tuple[Coefficients, ...]:
    """z + z^2/2 and, where diagrams need a d-th derivative, z^d/d besides: one polynomial after layers 1 and 2 each.

    It is z + z^2/2 alone where layer 3 is not the last one, at orders above 2, and where more would take minutes.
    """
    plain = polynomial(DEFAULT)
    size = len(shape.channel) + len(shape.edges)
    dear = weights == ORTHOGONAL and order == HIGHEST and size > SMALL
    if max(layers, default=0) != LAST or order > HIGHEST or dear:
        return (plain,)
    polynomials = tuple(_of_degree(min(degree, DEAREST // size)) for degree in needed_degrees(shape, order, weights))
    return polynomials if polynomials != (plain, plain) else (plain,)


def _of_degree(degree: int) -> Coefficients:
    plain = polynomial(DEFAULT)
    return plain if degree < len(plain) else (*plain, *(Fraction(0),) * (degree - len(plain)), Fraction(1, degree))


def needed_degrees(shape: Cumulant, order: int, weights: str) -> tuple[int, int]:
    """Of the polynomials after layers 1 and 2: the least at which each diagram has a term that is not zero at layer 3.

    After layer 2 a term has a highest derivative. After layer 1, where K and Theta alone are there, the tensors of the
    term must have been made.
    """
    below = above = 0
    for diagram in full_diagrams(enumerate_diagrams(shape, order, weights).diagrams):
        terms = diagram_terms(diagram)
        above = max(above, min(map(_highest_derivative, terms)))
        below = max(below, min(max((_made_by(t.id, weights) for t in term.tensors), default=0) for term in terms))
    return below, above


@cache
def _made_by(tensor: TensorId, weights: str) -> int:
    """The degree of an activation that makes a tensor of K and Theta alone."""
    terms = derive_recursion(standard(tensor.name), tensor.order, weights=weights).expanded
    return min(_highest_derivative(term) for term in terms if {t.name for t in term.tensors} <= {"K", "Theta"})


def _highest_derivative(term: ExpandedTerm) -> int:
    return max((m for factors in term.expectations for _, m in factors), default=0)
