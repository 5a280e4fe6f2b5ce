"""Finite networks with orthogonal weights written out: exact means over O(2) by an angle, over O(3) by quaternions.

No Weingarten function, nothing of ntkfeyn: an independent truth for the judge of orthogonal weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from itertools import pairwise, product
from math import prod

from sympy import QQ
from sympy.polys.rings import ring

from oracles.explicit import ExplicitNetwork

Powers = tuple[tuple[int, ...], ...]  # of the entries of the matrix, row by row
_, _A, _B, _C, _D = ring("a b c d", QQ)
ROTATION = (
    (_A**2 + _B**2 - _C**2 - _D**2, 2 * (_B * _C - _A * _D), 2 * (_B * _D + _A * _C)),
    (2 * (_B * _C + _A * _D), _A**2 - _B**2 + _C**2 - _D**2, 2 * (_C * _D - _A * _B)),
    (2 * (_B * _D - _A * _C), 2 * (_C * _D + _A * _B), _A**2 - _B**2 - _C**2 + _D**2),
)  # of the unit quaternion a + bi + cj + dk
TWO_PAIRS = (1, -2)  # N at which Weingarten functions of two pairs have poles, beside 0
FOUR_PAIRS = (1, 2, 3, -1, -2, -4, -6)


def summed(series: Sequence[Fraction], poles: Sequence[tuple[int, Sequence[int]]]) -> Fraction:
    """A series in 1/n at n = 1 that ends, exactly, once it is multiplied by 1 - pole/N for the poles of each N."""
    polynomial, scale = list(series), Fraction(1)
    for root in (Fraction(pole, size) for size, known in poles for pole in known):
        polynomial = [a - root * b for a, b in zip(polynomial, [Fraction(0), *polynomial], strict=False)]
        scale *= 1 - root
    assert not any(polynomial[-3:]), "the series must have ended"
    return sum(polynomial, Fraction(0)) / scale


def double(n: int) -> int:
    """n!! with (-1)!! = 1"""
    return prod(range(n, 0, -2))


def sphere(powers: Sequence[int]) -> Fraction:
    """E of a monomial in the coordinates of a random point on the unit sphere."""
    if any(p % 2 for p in powers):
        return Fraction(0)
    half, size = sum(powers) // 2, len(powers)
    return Fraction(prod(double(p - 1) for p in powers), prod(size + 2 * i for i in range(half)))


@cache
def haar_moment(size: int, powers: Powers) -> Fraction:
    """E[prod O_ij^p_ij] over O(1), O(2) or O(3)."""
    if sum(map(sum, powers)) % 2:
        return Fraction(0)
    if size == 1:
        return Fraction(1)
    if size == 2:
        (a, b), (c, d) = powers
        signs = Fraction((-1) ** b + (-1) ** d, 2)  # ((cos, -sin), (sin, cos)) or ((cos, sin), (sin, -cos))
        return signs * sphere((a + d, b + c))
    value = prod((ROTATION[i][j] ** powers[i][j] for i, j in product(range(3), repeat=2)), start=_A**0)
    return sum(
        (Fraction(int(c.numerator), int(c.denominator)) * sphere(held) for held, c in value.terms()), Fraction(0)
    )


class HaarNetwork(ExplicitNetwork):
    """Layer 1 and biases Gaussian, W of the layers above a corner of a Haar matrix of size at most 3."""

    def __init__(self, widths: Sequence[int], inputs, activation, C_W: Fraction, **couplings: Fraction) -> None:  # type: ignore[no-untyped-def]
        super().__init__(widths, inputs, activation, C_W, **couplings)
        self.widths, self.C_W = list(widths), C_W
        self.place = {str(symbol): at for at, symbol in enumerate(self.ring.symbols)}
        self.law = cache(self._law)

    def _law(self, layer: int, held: tuple[int, ...]) -> Fraction:
        """The mean of a monomial in the weights of a layer, its powers row by row."""
        below, here = self.widths[layer - 1], self.widths[layer]
        size = max(below, here)
        grid = [[0] * size for _ in range(size)]
        for at, power in enumerate(held):
            grid[at // below][at % below] = power
        degree = sum(held)
        if degree % 2:
            return Fraction(0)
        return (self.C_W * size / below) ** (degree // 2) * haar_moment(size, tuple(map(tuple, grid)))

    def mean(self, polynomial) -> Fraction:  # type: ignore[no-untyped-def]
        """Of a polynomial in all parameters."""
        corners = {
            layer: [self.place[f"w{layer}_{i}_{j}"] for i in range(above) for j in range(below)]
            for layer, (below, above) in enumerate(pairwise(self.widths), 1)
            if layer > 1
        }
        inside = {at for corner in corners.values() for at in corner}
        total = Fraction(0)
        for exponents, coefficient in polynomial.terms():
            value = Fraction(int(coefficient.numerator), int(coefficient.denominator))
            for layer, corner in corners.items():
                value *= value and self.law(layer, tuple(exponents[at] for at in corner))
            for at, power in enumerate(exponents):
                if value and power and at not in inside:
                    value *= self.variance[at] ** (power // 2) * double(power - 1) if power % 2 == 0 else 0
            total += value
        return total
