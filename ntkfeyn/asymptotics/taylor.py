"""Small kernels: Gaussian means as series in K, from the Taylor coefficients of the activation (THEORY section 11).

Enters: the derivatives of s at 0 over s'(0), as elements of a field: numbers, or letters. Leaves: a ``Setting``. With
C_W = 1/s'(0)^2 and C_b = 0 the kernel falls to K* = 0 as K at l+1 = K - a K^2 + .. if a is positive, x = a K, where

    a = - s'''(0)/s'(0) - (3/4) (s''(0)/s'(0))^2
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cache
from math import factorial, perm, prod

from ntkfeyn.asymptotics.falling import Setting
from ntkfeyn.asymptotics.fields import rational_part
from ntkfeyn.asymptotics.series import Falling, Series, Size, power_series
from ntkfeyn.asymptotics.sums import Field, Number
from ntkfeyn.derivation.homogeneity import Mean
from ntkfeyn.model.tensors import TensorId


def vanishing_kernel(
    field: Field,
    s: Sequence[Number],
    scale: Fraction,
    couplings: Mapping[str, Number],
    constants: Callable[[TensorId], Number],
) -> Setting:
    """K* = 0; ``s`` lists s(0) = 0, s'(0) = 1, s''(0), .., ``scale`` is a, C_W = 1. The more of s, the more terms."""

    @cache
    def means(mean: Mean) -> Series:
        found = _mean(field, s, mean)
        return Series(
            {size: c * field.number(scale ** -int(size.power)) for size, c in found.terms.items()}, found.bound
        )

    f = means(Mean((0, 0), 0)).times(field.number(scale))
    coefficients = tuple(f.terms.get(Size(j, 0), field.number(0)) for j in range(int(f.bound.power)))
    chi = means(Mean((1, 1), 0))
    p = -rational_part(chi.terms.get(Size(1, 0), field.number(0)))
    return Setting(Falling(field, coefficients), chi, p, means, couplings, constants)


def _mean(field: Field, s: Sequence[Number], mean: Mean) -> Series:
    """<d^k of the product of s^(m)> in powers of K, as far as what is known of s goes."""
    product, end, lowest = [field.number(1)], 10**6, 0
    for m in mean.orders:
        factor = [c * field.number(Fraction(1, factorial(j))) for j, c in enumerate(s[m:])]
        least = next((j for j, c in enumerate(factor) if c), len(factor))
        end, lowest = min(end + least, len(factor) + lowest), lowest + least
        product = _times(product, factor, end, field)
    k = mean.derivatives
    known = max(0, end - k + 1) // 2  # K^known is the first that is not
    row = [field.number(0)] * known
    for j in range(k, min(len(product), k + 2 * known), 2):
        row[(j - k) // 2] = product[j] * (perm(j, k) * prod(range(1, j - k, 2)))  # <z^2i> = (2i-1)!! K^i
    return power_series(row, known)


def _times(first: Sequence[Number], second: Sequence[Number], end: int, field: Field) -> list[Number]:
    """A product of polynomials below z^end."""
    result = [field.number(0)] * min(len(first) + len(second) - 1, end)
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            if a and b and i + j < end:
                result[i + j] = result[i + j] + a * b
    return result
