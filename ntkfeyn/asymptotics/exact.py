"""Recursions at one input solved exactly in the depth: no layer is ever stepped through (THEORY section 11).

Enters: a System, and a ``Closed`` setting, in which every mean is a number times a power of K. Leaves: every tensor as
a ``DepthSum``. With K known the recursion of each tensor is linear in itself,

    T at l+1 = chi^m T at l + sources        m the number of pairs of its channel

by ``self_part``, where both susceptibilities are chi, and its sources are products of what is solved already. At
unequal widths T/n_(l-1)^order is solved for, where a term of order r with the width factor rho^x carries 1/n_l^(r-x).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ntkfeyn.asymptotics.one_input import Term, one_input
from ntkfeyn.asymptotics.sums import NO_LETTER, DepthSum, Field, Letter, Number
from ntkfeyn.derivation.homogeneity import Mean
from ntkfeyn.derivation.recursion import Recursion, System
from ntkfeyn.derivation.rules import TAU, WIDTH_RATIO
from ntkfeyn.derivation.susceptibilities import self_part
from ntkfeyn.model.tensors import MEAN_KERNEL, MEAN_NTK, TensorId


class Closed(Protocol):
    """Couplings and x.x'/n_0 of the input, elements of ``field``; K, where it does not follow from its recursion.

    ``base``: whether chi is not 1, so that powers of chi^L occur. ``equal``: whether all widths are.
    """

    @property
    def field(self) -> Field: ...

    @property
    def couplings(self) -> Mapping[str, Number]: ...

    @property
    def gram(self) -> Number: ...

    @property
    def kernel(self) -> DepthSum | None: ...

    @property
    def base(self) -> bool: ...

    @property
    def equal(self) -> bool: ...

    def mean(self, mean: Mean, tensor: TensorId) -> tuple[Number, int]:
        """A number and a power of K, for the recursion of a tensor. Raises RequestError where there is none."""
        ...


def solved(system: System, setting: Closed) -> dict[TensorId, DepthSum]:
    """T/n_(L-1)^order at layer L of every tensor of a system. Raises RequestError for what a kink does not have."""
    found: dict[TensorId, DepthSum] = {}
    for recursion in system.recursions:
        given = setting.kernel if recursion.id == MEAN_KERNEL else None
        found[recursion.id] = given if given is not None else _solution(recursion, setting, found)
    return found


def _solution(recursion: Recursion, setting: Closed, known: dict[TensorId, DepthSum]) -> DepthSum:
    """T at L = chi^(m (L-1)) [T at 1 + sum over l < L of chi^(-m l) sources at l]."""
    own, field = recursion.id, setting.field
    m = len(self_part(recursion).pairs) if setting.base else 0
    total = DepthSum.of(_first_layer(own, setting))
    for letter, source in _sources(recursion, setting, known).items():
        total = total + source.times(field.number(1), (0, -m)).summed(letter, field)
    return total.times(field.chi(-m), (0, m)) if m else total


def _sources(recursion: Recursion, setting: Closed, known: dict[TensorId, DepthSum]) -> dict[Letter, DepthSum]:
    """What a layer adds, by the powers of its width and of tau."""
    own = recursion.id
    found: dict[Letter, DepthSum] = {}
    for term in one_input(recursion):
        if own in term.tensors or (own == MEAN_KERNEL and term.means):
            continue  # what the tensor feeds on itself
        widths = recursion.order - term.couplings.power(WIDTH_RATIO), term.couplings.power(TAU)
        letter = NO_LETTER if setting.equal else widths
        found[letter] = found.get(letter, DepthSum({})) + _source(term, own, setting, known)
    return found


def _source(term: Term, own: TensorId, setting: Closed, known: dict[TensorId, DepthSum]) -> DepthSum:
    number, powers = setting.field.number(term.coefficient), 0
    for mean in term.means:
        value, power = setting.mean(mean, own)
        number, powers = number * value, powers + power
    for name, power in term.couplings:
        if name not in (WIDTH_RATIO, TAU):
            number = number * setting.couplings[name] ** power
    product = DepthSum.of(number)
    for tensor in (*term.tensors, *(MEAN_KERNEL,) * powers):
        product = product * known[tensor]
    return product


def _first_layer(tensor: TensorId, setting: Closed) -> Number:
    """K and Theta of layer 1; every other tensor vanishes there (theory section 1)."""
    bias, weight = {MEAN_KERNEL: ("C_b", "C_W"), MEAN_NTK: ("lambda_b", "lambda_W")}.get(tensor, (None, None))
    if bias is None or weight is None:
        return setting.field.number(0)
    return setting.couplings[bias] + setting.couplings[weight] * setting.gram
