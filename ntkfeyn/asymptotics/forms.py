"""Forms: how one tensor depends on the depth, as a record that numbers are asked of.

Enters: a ``DepthSum``, or a ``Series`` in 1/L and log L. Leaves: ``Exact`` or ``Asymptotic``; ``writing`` prints them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import log, prod
from typing import NamedTuple

from ntkfeyn.asymptotics.fields import letters_in
from ntkfeyn.asymptotics.series import NEVER, Series, Size
from ntkfeyn.asymptotics.sums import DepthSum, Number
from ntkfeyn.errors import bad_request
from ntkfeyn.model.tensors import TensorId

Units = tuple[tuple[str, int], ...]  # what a form is to be multiplied with: letters and their powers


@dataclass(frozen=True)
class Exact:
    """tensor = units * ``sum`` at every layer L; at unequal widths times n_(L-1)^order.

    ``chi`` is the base of its exponentials; ``rounded``: coefficients are fractions of floats.
    """

    tensor: TensorId
    sum: DepthSum
    units: Units = ()
    equal: bool = True
    chi: Number = None
    rounded: bool = False

    @property
    def polynomial(self) -> list[Number] | None:
        """Coefficients of L^0, L^1, ..; None if it is no polynomial."""
        row = self.sum.terms.get((), {})
        if set(self.sum.terms) - {()} or any(b for ((_, b),) in row):
            return None
        degree = max((a for ((a, _),) in row), default=0)
        return [row.get(((a, 0),), Fraction(0)) for a in range(degree + 1)]

    def at(self, layer: int, letters: Mapping[str, float], widths: Sequence[float] | None = None) -> float:
        """Its value at a layer; ``letters`` are the values of letters, ``widths`` n_1 .. n_(L-1) and more.

        Raises RequestError for a letter without a value, or widths that are missing.
        """
        if not self.equal and (widths is None or len(widths) < layer):
            raise bad_request("a value at unequal widths", "n_1 .. n_L are needed", "widths=[32, 64, 32]")
        chi = number(self.chi, letters) if self.chi is not None else 1
        total = Fraction(0)
        for word, row in self.sum.terms.items():
            for places in combinations(range(1, layer), len(word)):
                weight = prod(
                    (_width(widths or (), here, letter) for here, letter in zip(places, word, strict=True)), start=1
                )
                for monomial, value in row.items():
                    powers = zip((*places, layer), monomial, strict=True)
                    total += (
                        weight * number(value, letters) * prod(here**a * chi ** (b * here) for here, (a, b) in powers)
                    )
        scale = 1 if self.equal or widths is None or layer < 2 else Fraction(widths[layer - 2]) ** self.tensor.order
        return float(total * prod(Fraction(number_of(name, letters)) ** power for name, power in self.units) * scale)


def _width(widths: Sequence[float], layer: int, letter: tuple[int, int]) -> Fraction:
    """n_l^-e tau_l^f"""
    e, f = letter
    n = Fraction(widths[layer - 1])
    tau = n / max(n, Fraction(widths[layer])) if f else Fraction(1)
    return n**-e * tau**f


class LogTerm(NamedTuple):
    """coefficient * L^power * (log L)^logs."""

    power: Fraction
    logs: int
    coefficient: Number


@dataclass(frozen=True)
class Asymptotic:
    """tensor = units * (``terms`` + what goes as ``following``) at large L.

    ``terms`` do not depend on where the network starts, largest first; ``following`` is (power, logs) of the first that
    does, or that is not known. Without ``terms`` only the power of depth is independent of the start. None: no more.
    """

    tensor: TensorId
    terms: tuple[LogTerm, ...]
    following: tuple[Fraction, int] | None
    units: Units = ()

    @property
    def leading(self) -> tuple[Fraction, int]:
        """Power of L and of log L."""
        if self.terms:
            return self.terms[0].power, self.terms[0].logs
        return self.following or (Fraction(0), 0)

    def at(self, layer: float, letters: Mapping[str, float], count: int | None = None) -> float:
        """The sum of its terms, or of the first ``count``, at a layer."""
        total = sum(
            float(number(c, letters)) * float(layer) ** float(p) * log(layer) ** q for p, q, c in self.terms[:count]
        )
        return float(total * prod(number_of(name, letters) ** power for name, power in self.units))


Form = Exact | Asymptotic


def letters_of(form: Form) -> set[str]:
    """The letters in a form: of coefficients, chi and units."""
    if isinstance(form, Exact):
        values = [value for row in form.sum.terms.values() for value in row.values()]
        values += [] if form.chi is None else [form.chi]
    else:
        values = [term.coefficient for term in form.terms]
    return {name for value in values for name in letters_in(value)} | {name for name, _ in form.units}


def universal(series: Series, constants: frozenset[str]) -> tuple[tuple[LogTerm, ...], tuple[Fraction, int] | None]:
    """The terms before the first that holds a constant, and the power and logarithms of that one."""
    found: list[LogTerm] = []
    for size in sorted(series.terms):
        value = series.terms[size]
        if letters_in(value) & constants:
            return tuple(found), _place(size)
        found.append(LogTerm(*_place(size), value))
    return tuple(found), None if series.bound == NEVER else (-Fraction(series.bound.power), 0)


def _place(size: Size) -> tuple[Fraction, int]:
    return -Fraction(size.power), -size.logs


def number(value: Number, letters: Mapping[str, float]) -> Fraction:
    """An element with numbers for its letters, exactly. Raises RequestError for a letter without one."""
    if isinstance(value, int | Fraction):
        return Fraction(value)
    from sympy import Rational

    expression = value.as_expr()
    given = {name: Fraction(number_of(str(name), letters)) for name in expression.free_symbols}
    found = expression.subs({name: Rational(one.numerator, one.denominator) for name, one in given.items()})
    return Fraction(int(found.p), int(found.q))


def number_of(name: str, letters: Mapping[str, float]) -> float:
    """The value of a letter. Raises RequestError if it has none."""
    if name not in letters:
        raise bad_request(f"'{name}' has no value", "every letter of the form needs one", f"{name}=1.0")
    return letters[name]
