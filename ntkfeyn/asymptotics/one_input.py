"""A recursion at one input: numbers, couplings, tensors without labels, and means of one variable.

Enters: a recursion. Leaves: its terms with every sample label the same, equal ones added.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from ntkfeyn.derivation.homogeneity import Mean, at_one_sample, means_of
from ntkfeyn.derivation.recursion import Recursion
from ntkfeyn.derivation.terms import Powers
from ntkfeyn.model.tensors import TensorId


class Term(NamedTuple):
    """coefficient * couplings * tensors * means <d^k of a product of s^(m)>, everything at layer l."""

    coefficient: Fraction
    couplings: Powers
    tensors: tuple[TensorId, ...]
    means: tuple[Mean, ...]


def one_input(recursion: Recursion) -> tuple[Term, ...]:
    """The terms of a recursion at one input, none equal to another but for its coefficient, none zero."""
    sums: dict[tuple[Powers, tuple[TensorId, ...], tuple[Mean, ...]], Fraction] = {}
    for term in at_one_sample(recursion):
        means = tuple(sorted(Mean(tuple(sorted(mean.orders)), mean.derivatives) for mean in means_of(term)))
        key = (term.couplings, tuple(sorted(tensor.id for tensor in term.tensors)), means)
        sums[key] = sums.get(key, Fraction(0)) + term.coefficient
    return tuple(Term(coefficient, *key) for key, coefficient in sums.items() if coefficient)
