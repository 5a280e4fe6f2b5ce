"""Nested sums over layers: the numbers in which linear recursions in the depth are solved exactly.

Enters: coefficients in any field (fractions, rational functions, floats). Leaves: ``DepthSum``, closed under products
and under summation over layers. An element at depth L is a sum of

    coefficient * sum over layers l_1 < .. < l_k < L  of  letter_1 .. letter_k * l_1^a_1 chi^(b_1 l_1) .. L^a chi^(b L)

A LETTER (e, f) stands for n_l^-e tau_l^f at its layer l. At equal widths there are no letters, so k = 0: polynomials in
L, times powers of chi^L where chi is not 1. Sums without a letter are done in closed form (Faulhaber, and its
counterpart with chi), so only those over widths that nobody knows are left.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import comb
from typing import Any, Protocol

Number = Any  # an element of the field: Fraction, float, or a rational function of SymPy's
Letter = tuple[int, int]
Word = tuple[Letter, ...]
Power = tuple[int, int]  # (a, b): l^a chi^(b l)
Monomial = tuple[Power, ...]  # of l_1, .., l_k and L
NO_LETTER: Letter = (0, 0)
ONE: Power = (0, 0)


class Field(Protocol):
    """Where coefficients live, and chi in it."""

    def number(self, value: Fraction | int) -> Number:
        """A rational number as an element."""
        ...

    def chi(self, power: int) -> Number:
        """A power of chi; never 1 for a power that occurs in a sum and is not 0."""
        ...


@dataclass(frozen=True)
class DepthSum:
    """``terms[word][monomial]``: coefficients, none zero; a monomial has a power a letter of its word, and one of L."""

    terms: dict[Word, dict[Monomial, Number]]

    @staticmethod
    def of(value: Number, power: Power = ONE) -> DepthSum:
        """value * L^a chi^(b L)."""
        return DepthSum({(): {(power,): value}} if value else {})

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __add__(self, other: DepthSum) -> DepthSum:
        total = {word: dict(row) for word, row in self.terms.items()}
        for word, row in other.terms.items():
            mine = total.setdefault(word, {})
            for monomial, value in row.items():
                _add(mine, monomial, value)
        return _clean(total)

    def times(self, value: Number, power: Power = ONE) -> DepthSum:
        """The product with value * L^a chi^(b L)."""
        if not value:
            return DepthSum({})
        return _clean(
            {
                word: {(*m[:-1], _product(m[-1], power)): c * value for m, c in row.items()}
                for word, row in self.terms.items()
            }
        )

    def __mul__(self, other: DepthSum) -> DepthSum:
        total: dict[Word, dict[Monomial, Number]] = {}
        for first, row in self.terms.items():
            for second, column in other.terms.items():
                for shuffle in _shuffles(len(first), len(second)):
                    word = tuple(_letter(first, second, place) for place in shuffle)
                    mine = total.setdefault(word, {})
                    for m, c in row.items():
                        for n, d in column.items():
                            monomial = (*(_merged(m, n, place) for place in shuffle), _product(m[-1], n[-1]))
                            _add(mine, monomial, c * d)
        return _clean(total)

    def summed(self, letter: Letter, field: Field) -> DepthSum:
        """The sum over layers l = 1 .. L-1 of n_l^-e tau_l^f times this at depth l."""
        total: dict[Word, dict[Monomial, Number]] = {}
        for word, row in self.terms.items():
            for monomial, value in row.items():
                if letter != NO_LETTER:
                    _add(total.setdefault((*word, letter), {}), (*monomial, ONE), value)
                    continue
                inner, (a, b) = monomial[:-1], monomial[-1]
                for j, c in enumerate(_antidifference(a, b, field)):
                    _add(total.setdefault(word, {}), (*inner, (j, b)), value * c)
                    for place, lower in _first_layer(inner, j, b):
                        _add(total[word], place, -value * c * field.chi(b) * lower)
        return _clean(total)


def _add(row: dict[Monomial, Number], monomial: Monomial, value: Number) -> None:
    row[monomial] = row[monomial] + value if monomial in row else value


def _clean(terms: dict[Word, dict[Monomial, Number]]) -> DepthSum:
    rows = {word: {m: c for m, c in row.items() if c} for word, row in terms.items()}
    return DepthSum({word: row for word, row in rows.items() if row})


def _product(first: Power, second: Power) -> Power:
    return first[0] + second[0], first[1] + second[1]


Place = tuple[int, int]  # which index of the first and of the second sum stands here; -1: none


@cache
def _shuffles(first: int, second: int) -> tuple[tuple[Place, ...], ...]:
    """Ways to order the indices of two nested sums, where one of each may coincide."""
    return tuple(tuple(reversed(way)) for way in _from_above(first, second))


def _from_above(first: int, second: int) -> Iterator[tuple[Place, ...]]:
    if not first and not second:
        yield ()
    if first:
        yield from (((first - 1, -1), *rest) for rest in _from_above(first - 1, second))
    if second:
        yield from (((-1, second - 1), *rest) for rest in _from_above(first, second - 1))
    if first and second:
        yield from (((first - 1, second - 1), *rest) for rest in _from_above(first - 1, second - 1))


def _letter(first: Word, second: Word, place: Place) -> Letter:
    i, j = place
    return _product(first[i] if i >= 0 else NO_LETTER, second[j] if j >= 0 else NO_LETTER)


def _merged(first: Monomial, second: Monomial, place: Place) -> Power:
    i, j = place
    return _product(first[i] if i >= 0 else ONE, second[j] if j >= 0 else ONE)


def _first_layer(inner: Monomial, j: int, b: int) -> Iterator[tuple[Monomial, int]]:
    """l^j chi^(b (l-1)) at the first layer of a sum, l = l_k + 1, as monomials; without l_k it is layer 1."""
    if not inner:
        yield (ONE,), 1
    else:
        for i in range(j + 1):
            yield (*inner[:-1], _product(inner[-1], (i, b)), ONE), comb(j, i)


def _antidifference(a: int, b: int, field: Field) -> list[Number]:
    """p_0, p_1, .. with f(l) = chi^(b l) sum_j p_j l^j and f(l+1) - f(l) = l^a chi^(b l)."""
    zero, one = field.number(0), field.number(1)
    if b == 0:  # Faulhaber
        p = [zero] * (a + 2)
        for j in range(a, -1, -1):
            above = sum((p[i] * comb(i, j) for i in range(j + 2, a + 2)), zero)
            p[j + 1] = ((one if j == a else zero) - above) * field.number(Fraction(1, j + 1))
        return p
    x = field.chi(b)
    p = [zero] * (a + 1)
    for j in range(a, -1, -1):
        above = sum((p[i] * comb(i, j) for i in range(j + 1, a + 1)), zero)
        p[j] = ((one if j == a else zero) - above * x) / (x - 1)
    return p
