"""Susceptibilities: with which coefficient a tensor feeds on itself (Theorem 5.1 of arXiv 2508.11522; section 8).

Enters: a recursion. Leaves: the part of it that is linear in the tensor itself, read off its own terms, as a product of
susceptibilities at one input, one a pair of the channel:

    chi_par  = C_W <s' s' + s s''>   = (1/2) C_W <d^2(s s)> for a pair of two z-legs, C_W <d(s s')> for one z-leg
    chi_perp = C_W <s' s'>           for a pair without z-legs

No term has a smaller power of 1/n than the tensor brings by itself, so each pair is alone on its propagator. All other
terms are sources, made of tensors that come earlier: at criticality, where both are 1, a layer adds sources alone.
"""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from ntkfeyn.derivation.recursion import Recursion
from ntkfeyn.derivation.reduction import Terms, split_omega
from ntkfeyn.derivation.rules import TENSOR
from ntkfeyn.derivation.terms import Group, Powers, ProductTerm, Tensor
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.model.tensors import MEAN_KERNEL, TensorId


class Susceptibility(StrEnum):
    """What a small change of K, or of the angle between two inputs, is multiplied with at a layer; as JSON names it."""

    PARALLEL = "chi_par"
    PERPENDICULAR = "chi_perp"


# orders of the two activations of a pair and number of derivatives: which it is, and how often C_W <..> holds it
KINDS: dict[tuple[tuple[int, ...], int], tuple[Susceptibility, int]] = {
    ((0, 0), 2): (Susceptibility.PARALLEL, 2),
    ((0, 1), 1): (Susceptibility.PARALLEL, 1),
    ((1, 1), 0): (Susceptibility.PERPENDICULAR, 1),
}


class PairFactor(NamedTuple):
    """A pair of the channel, by its slot labels, and its factor."""

    slots: tuple[int, int]
    factor: Susceptibility


class SelfPart(NamedTuple):
    """tensor at layer l+1 = ``ratio`` powers of n_l/n_(l-1) * product of ``pairs`` * the tensor at layer l + sources.

    ``diagrams``: of the terms that it was read off; ``sources``: of all other terms. For K at order 0, whose recursion
    is not linear, it is the derivative by K: d<f> = (1/2) <d^2 f> dK.
    """

    tensor: TensorId
    ratio: int
    pairs: tuple[PairFactor, ...]
    diagrams: tuple[str, ...]
    sources: tuple[str, ...]

    def count(self, factor: Susceptibility) -> int:
        """The power of one of the susceptibilities."""
        return sum(pair.factor == factor for pair in self.pairs)


def self_part(recursion: Recursion) -> SelfPart:
    """The part of a recursion that is linear in its own tensor.

    Raises NtkfeynError if it is no product of susceptibilities: no recursion is known for which this happens.
    """
    parts = tuple(part for term in recursion.terms for part in split_omega(term))
    if recursion.id == MEAN_KERNEL:
        own: Terms = tuple(_by_kernel(term) for term in parts if term.groups)
    else:
        own = tuple(term for term in parts if [tensor.id for tensor in term.tensors] == [recursion.id])
    found = {_pairs(term) for term in own}
    whole = sum((term.coefficient * _held(term) for term in own), Fraction(0))
    powers = Powers.of(C_W=len(recursion.cumulant.channel))
    for _ in range(recursion.order):
        powers = powers.times(TENSOR.couplings)
    if len(found) != 1 or None in found or whole != 1 or any(term.couplings != powers for term in own):
        raise NtkfeynError(f"{recursion.id} does not feed on itself with a product of susceptibilities")
    [pairs] = found
    cited = tuple(dict.fromkeys(diagram for term in own for diagram in term.diagrams))
    rest = [term for term in parts if term not in own and recursion.id != MEAN_KERNEL]
    sources = tuple(dict.fromkeys(diagram for term in rest for diagram in term.diagrams))
    return SelfPart(recursion.id, recursion.order, tuple(pairs or ()), cited, sources)


def _by_kernel(term: ProductTerm) -> ProductTerm:
    """Half the second derivative of the one mean of a term, written as K with both labels on its group."""
    return term._replace(coefficient=term.coefficient / 2, tensors=(Tensor(*MEAN_KERNEL, (-1, -1)),))


def _kind(group: Group, derivatives: int) -> tuple[Susceptibility, int] | None:
    return KINDS.get((tuple(sorted(factor.order for factor in group.factors)), derivatives))


def _pairs(term: ProductTerm) -> tuple[PairFactor, ...] | None:
    """The factor of each group, None if one is no susceptibility."""
    found = []
    for g, group in enumerate(term.groups):
        kind = _kind(group, term.derivatives(g))
        if kind is None:
            return None
        first, last = group.samples[0], group.samples[-1]
        found.append(PairFactor((first, last), kind[0]))
    return tuple(sorted(found))


def _held(term: ProductTerm) -> int:
    """How often the means of a term hold their susceptibilities."""
    number = 1
    for g, group in enumerate(term.groups):
        kind = _kind(group, term.derivatives(g))
        number *= kind[1] if kind else 1
    return number
