"""Closed forms in the depth for homogeneous activations at one input: linear, ReLU, LeakyReLU (THEORY section 11).

Enters: the two slopes of the activation and the couplings, in one field. Leaves: a ``Closed`` setting.

At one input a mean of h factors s and some s' is a number times K^(h/2), as homogeneity.py shows for kinks; for a
linear activation all derivatives are carried out. Both susceptibilities are chi = C_W <s' s'>, a number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import perm, prod

from ntkfeyn.asymptotics.sums import DepthSum, Field, Number
from ntkfeyn.derivation.homogeneity import Mean, no_such_mean, without_derivatives
from ntkfeyn.model.tensors import TensorId


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

    @property
    def kernel(self) -> DepthSum | None:
        """It follows from its recursion."""
        return None

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
