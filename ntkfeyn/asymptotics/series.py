"""Truncated series in a small x and the logarithm of 1/x, and the recursions that they solve (THEORY section 11).

Enters: coefficients in a ``Field``. Leaves: ``Series``, a sum of t x^j lambda^i with lambda = log(1/x), known down to a
bound; ``solution`` of T(f(x)) = c(x) T(x) + S(x) for a map f(x) = x - x^2 + .. that falls to 0; ``in_depth``, the same
as a series in 1/L and log L.

Terms are compared by size at small x: smaller j first, then larger i. j need not be an integer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb, inf
from typing import NamedTuple

from ntkfeyn.asymptotics.sums import Field, Number

BEYOND = 99  # more logarithms than a power of x ever has: a bound above all of them


class Size(NamedTuple):
    """x^j lambda^i, or L^-j (log L)^i; ``logs`` is -i, so that the smallest of two is the largest term."""

    power: Fraction | float
    logs: int

    def times(self, other: Size) -> Size:
        return Size(self.power + other.power, self.logs + other.logs)


NEVER = Size(inf, 0)


@dataclass(frozen=True)
class Series:
    """Coefficients by size, none zero, all larger than ``bound``: from there on nothing is known."""

    terms: dict[Size, Number]
    bound: Size = NEVER

    @property
    def leading(self) -> Size:
        return min(self.terms, default=self.bound)

    def __add__(self, other: Series) -> Series:
        total = dict(self.terms)
        for size, value in other.terms.items():
            total[size] = total[size] + value if size in total else value
        return known(total, min(self.bound, other.bound))

    def __mul__(self, other: Series) -> Series:
        bound = min(self.leading.times(other.bound), self.bound.times(other.leading))
        total: dict[Size, Number] = {}
        for size, value in self.terms.items():
            for other_size, factor in other.terms.items():
                place = size.times(other_size)
                if place < bound:
                    total[place] = total[place] + value * factor if place in total else value * factor
        return known(total, bound)

    def times(self, value: Number) -> Series:
        return known({size: c * value for size, c in self.terms.items()}, self.bound)

    def power(self, exponent: int, one: Number) -> Series:
        """A power >= 0."""
        result = Series({Size(0, 0): one})
        for _ in range(exponent):
            result = result * self
        return result


def known(terms: dict[Size, Number], bound: Size) -> Series:
    """Without zeros and without what lies at the bound or below."""
    return Series({size: value for size, value in terms.items() if value and size < bound}, bound)


def power_series(coefficients: Sequence[Number], bound: float = inf) -> Series:
    """c_0 + c_1 x + .., known below x^bound."""
    return known({Size(j, 0): c for j, c in enumerate(coefficients)}, Size(bound, 0))


@dataclass(frozen=True)
class Falling:
    """The map f(x) = x - x^2 + f_3 x^3 + .., known below x^(len(f)), of a kernel that falls to its fixed point."""

    field: Field
    coefficients: tuple[Number, ...]

    @property
    def drift(self) -> Number:
        """g in 1/x = L + g log L + a constant + .. at layer L."""
        return self.field.number(1) - self.coefficients[3]

    def shifted(self, power: Fraction | float, logs: int) -> Series:
        """x^power lambda^logs at f(x), as far as it is known."""
        field = self.field
        bound = len(self.coefficients) - 1
        u = list(self.coefficients[1:])  # f(x)/x
        v = [-c for c in _logarithm(u, field)]  # log(1/f) = lambda + v
        scale = power_series(_real_power(u, power, field), bound)
        total = Series({}, NEVER)
        for r in range(logs + 1):
            part = scale * power_series(v, bound).power(r, field.number(1))
            shift = Size(power, -(logs - r))
            moved = {size.times(shift): c * comb(logs, r) for size, c in part.terms.items()}
            total = total + known(moved, part.bound.times(shift))
        return total

    def solution(self, m: Fraction, c: Series, source: Series, constant: Number) -> Series:
        """T with T(f(x)) = c(x) T(x) + source, c = 1 - m x + ..; ``constant`` stands before x^m + .., which solves it
        without a source."""
        found: dict[Size, Number] = {}
        rest, waiting = source, True
        while True:
            j = rest.leading.power - 1 if rest.terms else m
            j = min(j, m) if waiting else j
            if j + 1 >= rest.bound.power or not (rest.terms or waiting):
                break
            row = {-size.logs: value for size, value in rest.terms.items() if size.power == j + 1}
            level = self._level(row, self.field.number(1 / Fraction(m - j)) if j != m else None)
            if j == m:
                level[0], waiting = constant, False
            for i, value in level.items():
                if value:
                    found[Size(j, -i)] = value
                    image = self.shifted(j, i) + c * Series({Size(j, -i): self.field.number(-1)})
                    rest = rest + image.times(-value)
            rest = known({size: v for size, v in rest.terms.items() if size.power > j + 1}, rest.bound)
        return known(found, Size(rest.bound.power - 1, -BEYOND))

    def _level(self, row: Mapping[int, Number], inverse: Number | None) -> dict[int, Number]:
        """t_i with t_i/inverse + (i+1) t_(i+1) = row_i; no inverse: (i+1) t_(i+1) = row_i."""
        if inverse is None:
            return {i + 1: value * self.field.number(Fraction(1, i + 1)) for i, value in row.items()}
        level, above = {}, self.field.number(0)
        for i in range(max(row, default=-1), -1, -1):
            above = (row.get(i, self.field.number(0)) - above * (i + 1)) * inverse
            level[i] = above
        return level


def _logarithm(u: Sequence[Number], field: Field) -> list[Number]:
    """log u for u = 1 + .., by k u_0 w_k = k u_k - sum_(j<k) j w_j u_(k-j)."""
    w = [field.number(0)]
    for k in range(1, len(u)):
        inner = sum((w[j] * u[k - j] * j for j in range(1, k)), field.number(0))
        w.append(u[k] - inner * field.number(Fraction(1, k)))
    return w


def _real_power(u: Sequence[Number], power: Fraction | float, field: Field) -> list[Number]:
    """u^power for u = 1 + .., power of any sign, by k w_k = sum_(j>=1) (power j - k + j) u_j w_(k-j)."""
    w = [field.number(1)]
    for k in range(1, len(u)):
        inner = sum(
            (u[j] * w[k - j] * field.number(Fraction(power) * j - k + j) for j in range(1, k + 1)), field.number(0)
        )
        w.append(inner * field.number(Fraction(1, k)))
    return w


def in_depth(series: Series, drift: Number, constant: Number, field: Field) -> Series:
    """A series in x at layer L as one in 1/L and log L, with two powers of 1/L of each term.

    1/x = L + g log L + C + .. and lambda = log L + (g log L + C)/L + .., where C, ``constant``, depends on the start.
    """
    total = Series({}, series.bound)
    for (j, logs), value in series.terms.items():
        i, power = -logs, field.number(Fraction(j))
        parts = Series({Size(j, -i): value})
        for size, factor in (
            (Size(j + 1, -i - 1), -drift * power),
            (Size(j + 1, -i), drift * i - constant * power),
            (Size(j + 1, -i + 1), constant * i),
        ):
            parts = parts + known({size: factor * value}, NEVER)
        total = total + known(parts.terms, Size(j + 2, -BEYOND) if j or i else NEVER)
    return total
