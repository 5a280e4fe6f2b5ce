"""Odd activations at small kernels: Gaussian means as series in K, in letters for Taylor coefficients (section 10).

Enters: the ratios r5, r7, .. of an odd activation, as elements of a field. Leaves: a ``Setting``. With C_W = 1/s'(0)^2
and C_b = 0 the kernel falls to K* = 0 if a = -s'''(0)/s'(0) is positive: K at l+1 = K - a K^2 + ..

Units: x = a K and s(z) = s'(0) a^(-1/2) S(a^(1/2) z) with S(y) = y - y^3/6 + r5 y^5/120 + r7 y^7/5040 + .. So nothing
is divided by, and a tensor with e edges and 2p slots is (lambda_W s'(0)^2)^e a^-p times its series.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from math import factorial, perm, prod

from ntkfeyn.asymptotics.falling import Setting
from ntkfeyn.asymptotics.series import Falling, Series, Size, power_series
from ntkfeyn.asymptotics.sums import Field, Number
from ntkfeyn.derivation.homogeneity import Mean
from ntkfeyn.model.tensors import TensorId


def vanishing_kernel(
    field: Field, ratios: Sequence[Number], bias: Number, constants: Callable[[TensorId], Number]
) -> Setting:
    """K* = 0, from r5, r7, ..; ``bias`` is lambda_b a/(lambda_W s'(0)^2). The more ratios, the more terms."""
    zero, one = field.number(0), field.number(1)
    s = [zero, one, zero, -one]
    for ratio in ratios:
        s += [zero, ratio]

    @cache
    def means(mean: Mean) -> Series:
        return _mean(field, s, mean)

    f = means(Mean((0, 0), 0))
    coefficients = tuple(f.terms.get(Size(j, 0), zero) for j in range(int(f.bound.power)))
    couplings = {"C_W": one, "lambda_W": one, "C_b": zero, "lambda_b": bias}
    return Setting(Falling(field, coefficients), means(Mean((1, 1), 0)), Fraction(1), means, couplings, constants)


def _mean(field: Field, s: Sequence[Number], mean: Mean) -> Series:
    """<d^k of the product of s^(m)> as far as the derivatives s of S at 0 go; those beyond them are not known."""
    product, end = [field.number(1)], 10**6
    lowest = 0
    for m in mean.orders:
        factor = [c * field.number(Fraction(1, factorial(j))) for j, c in enumerate(s[m:])]
        beyond = len(s) + 1 - m  # the first power of y that is not known: s is odd
        least = 1 - m % 2
        end, lowest = min(end + least, beyond + lowest), lowest + least
        product = _times(product, factor, end, field)
    k = mean.derivatives
    even = {}
    for j, c in enumerate(product):
        if j >= k and (j - k) % 2 == 0 and c:
            even[(j - k) // 2] = c * (perm(j, k) * prod(range(1, j - k, 2)))
    known = max(0, end - k + 1) // 2  # x^(known) is the first that is not
    return power_series([even.get(j, field.number(0)) for j in range(known)], known)


def _times(first: Sequence[Number], second: Sequence[Number], end: int, field: Field) -> list[Number]:
    result = [field.number(0)] * min(len(first) + len(second) - 1, end)
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            if a and b and i + j < end:
                result[i + j] = result[i + j] + a * b
    return result
