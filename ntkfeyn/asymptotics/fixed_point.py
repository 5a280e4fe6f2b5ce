"""Smooth activations at a critical point K* > 0: means there, and as series in K - K* (THEORY section 11).

Enters: an activation and its critical point. Leaves: a ``Closed`` setting of networks that start at K*, where every
mean is a number, and a ``Setting`` of those that fall to it from the side that attracts.

What criticality says of means at K* is put in exactly: C_W <s' s'> = 1, <s s''> = 0, C_b + C_W <s s> = K*. With
<f> at K* + d = sum_j <d^(2j) f> d^j/(2^j j!), K at l+1 is K* + d + c_2 d^2 + c_3 d^3 + ..; x = -c_2 d > 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import factorial, prod
from typing import ClassVar

import numpy as np

from ntkfeyn.asymptotics.falling import Setting
from ntkfeyn.asymptotics.fields import Rational
from ntkfeyn.asymptotics.series import Falling, Series, power_series
from ntkfeyn.asymptotics.sums import DepthSum, Field, Number
from ntkfeyn.criticality.points import CriticalPoint, gaussian_means
from ntkfeyn.derivation.homogeneity import Mean
from ntkfeyn.expectations.activations import Smooth, leibniz
from ntkfeyn.expectations.quadrature import hermite
from ntkfeyn.model.tensors import TensorId

TERMS = 4  # powers of x of a mean
FLAT = 1e-9  # K* c_2 below this decides nothing


@dataclass(frozen=True)
class FixedPoint:
    """A network whose kernel is K* at every layer. Fractions, of floats, so that algebra adds no rounding."""

    function: Smooth
    point: CriticalPoint
    lambda_w: Fraction
    lambda_b: Fraction
    known: dict[tuple[int, ...], Fraction] = field(default_factory=dict)
    base: ClassVar[bool] = False
    equal: ClassVar[bool] = True

    @property
    def field(self) -> Field:
        return Rational()

    @cached_property
    def fixed(self) -> Fraction:
        """K*"""
        return Fraction(self.point.kernel or 0.0)

    @cached_property
    def couplings(self) -> Mapping[str, Number]:
        cw, cb = Fraction(self.point.cw), Fraction(self.point.cb)
        return {"C_W": cw, "C_b": cb, "lambda_W": self.lambda_w, "lambda_b": self.lambda_b}

    @property
    def gram(self) -> Number:
        return (self.fixed - self.couplings["C_b"]) / self.couplings["C_W"]

    @property
    def kernel(self) -> DepthSum | None:
        return DepthSum.of(self.fixed)

    def mean(self, mean: Mean, tensor: TensorId) -> tuple[Number, int]:
        """The number, and no power of K."""
        return self.value(mean), 0

    def value(self, mean: Mean) -> Fraction:
        """<d^k of a product> at K*."""
        parts = leibniz(mean.orders, mean.derivatives)
        return sum((count * self._product(orders) for orders, count in parts), Fraction(0))

    def _product(self, orders: tuple[int, ...]) -> Fraction:
        exact = {(0, 2): Fraction(0), (1, 1): 1 / self.couplings["C_W"], (0, 0): self.gram}
        if orders in exact:
            return Fraction(exact[orders])
        if orders not in self.known:
            self.known[orders] = Fraction(self._mean(orders))
        return self.known[orders]

    def _mean(self, orders: tuple[int, ...]) -> float:
        """By quadrature, exact for polynomials."""
        K, top, degree = self.point.kernel or 0.0, max(orders), self.function.degree
        if degree is not None:
            rule = hermite(degree * len(orders) // 2 + 1)
            s = self.function.table(K**0.5 * rule.nodes, top)
            return float(rule.weights @ prod(s[m] for m in orders))
        [found] = gaussian_means(self.function, K, top, lambda s: [np.asarray(prod(s[m] for m in orders))])
        return found

    @cached_property
    def curvature(self) -> Fraction:
        """c_2; 0 where only higher powers of K - K* decide."""
        c = self.couplings["C_W"] * self.value(Mean((0, 0), 4)) / 8
        return Fraction(c) if abs(c) * self.fixed > FLAT else Fraction(0)

    def approached(self, field: Field, constants: Callable[[TensorId], Number]) -> Setting:
        """Networks that start on the side of K* that attracts; ``curvature`` must not be 0."""
        step = -self.couplings["C_W"] * self.curvature
        f = [step * value for value in self._expanded(Mean((0, 0), 0))]
        chi = [self.couplings["C_W"] * value for value in self._expanded(Mean((1, 1), 0))]
        exact = (Fraction(0), Fraction(1), Fraction(-1), *f[3:])
        couplings = {name: field.number(value) for name, value in self.couplings.items()}

        def series(mean: Mean) -> Series:
            return power_series([field.number(value) for value in self._expanded(mean)], TERMS)

        falling = Falling(field, tuple(map(field.number, exact)))
        perpendicular = power_series([field.number(value) for value in chi], TERMS)
        return Setting(falling, perpendicular, -chi[1], series, couplings, constants)

    def _expanded(self, mean: Mean) -> list[Fraction]:
        """The coefficients of a mean in x."""
        step = -1 / self.curvature
        return [
            self.value(Mean(mean.orders, mean.derivatives + 2 * j)) * step**j / (2**j * factorial(j))
            for j in range(TERMS)
        ]
