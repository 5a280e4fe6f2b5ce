"""Closed forms in the depth for homogeneous activations at one input: linear, ReLU, LeakyReLU (THEORY section 10).

Enters: a System, the two slopes of the activation, couplings, all in one field. Leaves: every tensor of the system as
a ``DepthSum``, exact: no layer is ever stepped through.

At one input a mean of h factors s and some s' is a number times K^(h/2), as homogeneity.py shows for kinks; for a
linear activation all derivatives are carried out. So with K known, the recursion of each tensor is linear in itself,

    T at l+1 = chi^m T at l + sources        m the number of pairs of its channel, chi = C_W <s' s'>

and its sources are products of what is solved already. At unequal widths T/n_(l-1)^order is solved for, where a term
of order r with the width factor rho^x carries 1/n_l^(r-x).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import perm, prod

from ntkfeyn.asymptotics.one_input import Term, one_input
from ntkfeyn.asymptotics.sums import NO_LETTER, DepthSum, Field, Letter, Number
from ntkfeyn.derivation.homogeneity import Mean, no_such_mean, without_derivatives
from ntkfeyn.derivation.recursion import Recursion, System
from ntkfeyn.derivation.rules import TAU, WIDTH_RATIO
from ntkfeyn.derivation.susceptibilities import self_part
from ntkfeyn.model.tensors import MEAN_KERNEL, MEAN_NTK, TensorId


@dataclass(frozen=True)
class Homogeneous:
    """Slopes right and left of 0, couplings and x.x'/n_0 of the input, elements of ``field``.

    ``base``: whether chi is not 1, so that powers of chi^L occur; then ``field.chi`` knows it. ``equal``: whether all
    widths are.
    """

    field: Field
    right: Number
    left: Number
    couplings: Mapping[str, Number]
    gram: Number
    base: bool = False
    equal: bool = True

    @cached_property
    def linear(self) -> bool:
        """Whether there is no kink."""
        return bool(self.right == self.left)

    def mean(self, mean: Mean, tensor: TensorId) -> tuple[Number, int]:
        """A number and a power of K. Raises RequestError for a mean that a kink does not have."""
        number, h = self._without_derivatives(mean, tensor)
        if not number or h % 2:  # with a kink h is even wherever the number is not 0 (homogeneity.py)
            return self.field.number(0), 0
        half = self.field.number(Fraction(prod(range(1, h, 2)) * number, 2))  # <z^h> on each side of 0
        count = len(mean.orders)
        return half * (self.right**count + self.left**count), h // 2

    def _without_derivatives(self, mean: Mean, tensor: TensorId) -> tuple[int, int]:
        """A number, and how many s are left beside the s'."""
        if self.linear:
            h, k = mean.orders.count(0), mean.derivatives
            return (0, 0) if max(mean.orders) > 1 or k > h else (perm(h, k), h - k)
        found = without_derivatives(mean)
        if found is None:
            raise no_such_mean(tensor)
        return found[0], found[1].count(0)


def solved(system: System, setting: Homogeneous) -> dict[TensorId, DepthSum]:
    """T/n_(L-1)^order at layer L of every tensor of a system. Raises RequestError for what a kink does not have."""
    found: dict[TensorId, DepthSum] = {}
    for recursion in system.recursions:
        found[recursion.id] = _solution(recursion, setting, found)
    return found


def _solution(recursion: Recursion, setting: Homogeneous, known: dict[TensorId, DepthSum]) -> DepthSum:
    """T at L = chi^(m (L-1)) [T at 1 + sum over l < L of chi^(-m l) sources at l]."""
    own, field = recursion.id, setting.field
    m = len(self_part(recursion).pairs) if setting.base else 0
    total = DepthSum.of(_first_layer(own, setting))
    for letter, source in _sources(recursion, setting, known).items():
        total = total + source.times(field.number(1), (0, -m)).summed(letter, field)
    return total.times(field.chi(-m), (0, m)) if m else total


def _sources(
    recursion: Recursion, setting: Homogeneous, known: dict[TensorId, DepthSum]
) -> dict[Letter, DepthSum]:
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


def _source(term: Term, own: TensorId, setting: Homogeneous, known: dict[TensorId, DepthSum]) -> DepthSum:
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


def _first_layer(tensor: TensorId, setting: Homogeneous) -> Number:
    """K and Theta of layer 1; every other tensor vanishes there (theory section 1)."""
    bias, weight = {MEAN_KERNEL: ("C_b", "C_W"), MEAN_NTK: ("lambda_b", "lambda_W")}.get(tensor, (None, None))
    if bias is None or weight is None:
        return setting.field.number(0)
    return setting.couplings[bias] + setting.couplings[weight] * setting.gram
