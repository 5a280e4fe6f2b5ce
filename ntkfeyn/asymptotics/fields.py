"""Fields: what coefficients are: fractions, or rational functions or polynomials of the letters that were left open.

Enters: names of letters. Leaves: a ``Field`` whose elements SymPy can write. SymPy is imported where there are letters.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from ntkfeyn.asymptotics.sums import Number


@dataclass(frozen=True)
class Rational:
    """Fractions; ``base``: chi."""

    base: Fraction = Fraction(1)

    def number(self, value: Fraction | int) -> Number:
        return Fraction(value)

    def chi(self, power: int) -> Number:
        return self.base**power


@dataclass(frozen=True)
class Letters:
    """Rational functions of letters; ``base``: chi, an element (default: 1)."""

    names: tuple[str, ...]
    base: Any = None
    ring: Any = field(init=False, compare=False)

    def __post_init__(self) -> None:
        from sympy import QQ

        object.__setattr__(self, "ring", QQ.frac_field(*self.names))

    def letter(self, name: str) -> Number:
        """A letter as an element."""
        return self.ring.gens[self.names.index(name)]

    def number(self, value: Fraction | int) -> Number:
        exact = Fraction(value)
        return self.ring(exact.numerator) / exact.denominator

    def chi(self, power: int) -> Number:
        return self.number(1) if self.base is None else self.base**power


@dataclass(frozen=True)
class Polynomials:
    """Polynomials in letters, for what is never divided by but by numbers; much faster than their quotients."""

    names: tuple[str, ...]
    ring: Any = field(init=False, compare=False)

    def __post_init__(self) -> None:
        from sympy import QQ, ring

        object.__setattr__(self, "ring", ring(self.names, QQ)[0])

    def letter(self, name: str) -> Number:
        """A letter as an element."""
        return self.ring.gens[self.names.index(name)]

    def number(self, value: Fraction | int) -> Number:
        exact = Fraction(value)
        return self.ring(exact.numerator) * self.ring.domain(1, exact.denominator)

    def chi(self, power: int) -> Number:
        return self.number(1)


def letters_in(value: Number) -> set[str]:
    """The letters that an element depends on."""
    if isinstance(value, Fraction):
        return set()
    return {str(symbol) for symbol in value.as_expr().free_symbols}


def rational_part(value: Number) -> Fraction:
    """An element of ``Polynomials`` without letters as a fraction."""
    found = value.coeff(1)
    return Fraction(int(found.numerator), int(found.denominator))
