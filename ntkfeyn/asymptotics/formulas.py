"""Forms as formulas: on a terminal and in LaTeX, factored by SymPy where they are exact.

Enters: a form and the letters of a notation. Leaves: a string. L is written as the letter of a layer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from ntkfeyn.asymptotics.forms import Asymptotic, Exact, Form, LogTerm, Units
from ntkfeyn.asymptotics.sums import Letter, Monomial, Number, Word
from ntkfeyn.render.notation import LatexNotation, TextNotation

DIGITS = 8
SMALL = 10**6  # fractions with larger denominators are written as floats
GREEK = {"chi": ("χ", r"\chi"), "alpha": ("α", r"\alpha")}  # letters of forms, in text and in LaTeX


class Pen:
    """Writes on a terminal."""

    index = 0  # of text in ``GREEK``
    product = " "

    def __init__(self, notation: TextNotation) -> None:
        self.notation = notation

    def letter(self, name: str) -> str:
        """chi, alpha, r5, q, .."""
        return GREEK.get(name, (name, name))[self.index]

    def power(self, base: str, exponent: Fraction | int) -> str:
        """Nothing for the power 0."""
        if not exponent:
            return ""
        return base if exponent == 1 else f"{base}^{_short(Fraction(exponent))}"

    def logarithm(self, power: int) -> str:
        """(log L)^power"""
        inner = f"log({self.notation.layer})"
        return self.power(inner, power)

    def expression(self, value: Any, names: Mapping[str, str]) -> str:
        """A SymPy expression; ``names`` of its symbols."""
        from sympy import Symbol, sstr

        written = sstr(value.subs({Symbol(name): Symbol(text) for name, text in names.items()}, simultaneous=True))
        return re.sub(r"(?<=\S)\*(?=\S)", " ", written.replace("**", "^"))

    def sum(self, indices: list[str], inner: str) -> str:
        return f"Σ_{{{'<'.join([*indices, self.notation.layer])}}} {inner}"

    def widths(self, word: Word, indices: list[str]) -> str:
        """The letters of a word: 1/n_k tau_k."""
        parts = [self._width(letter, k) for letter, k in zip(word, indices, strict=True)]
        return " ".join(parts)

    def _width(self, letter: Letter, index: str) -> str:
        n, tau = self.notation.letters.width, self.notation.letters.coupling("tau")
        return " ".join(filter(None, [self.power(f"{n}_{index}", -letter[0]), self.power(f"{tau}_{index}", letter[1])]))

    def number(self, value: float) -> str:
        return f"{value:.{DIGITS}g}"

    def below(self, power: int) -> str:
        """n_(L-1)^power"""
        return self.power(self.notation.width_below, power)

    def rest(self, inner: str) -> str:
        return f"O({inner or '1'})"

    def unknown(self, inner: str) -> str:
        return f"c {inner}".strip() + "   (c depends on the first layer)"

    def bracketed(self, inner: str) -> str:
        return f"({inner})"


class LatexPen(Pen):
    """Writes LaTeX maths."""

    index = 1
    product = r"\,"

    def __init__(self, notation: LatexNotation) -> None:
        super().__init__(notation)

    def letter(self, name: str) -> str:
        digits = re.fullmatch(r"([a-z])(\d+)", name)
        return f"{digits[1]}_{{{digits[2]}}}" if digits else super().letter(name)

    def power(self, base: str, exponent: Fraction | int) -> str:
        if not exponent:
            return ""
        return base if exponent == 1 else f"{base}^{{{_short(Fraction(exponent)).strip('()')}}}"

    def logarithm(self, power: int) -> str:
        return f"{self.power(chr(92) + 'log', power)} {self.notation.layer}" if power else ""

    def expression(self, value: Any, names: Mapping[str, str]) -> str:
        from sympy import Symbol, latex

        return str(latex(value, symbol_names={Symbol(name): text for name, text in names.items()}))

    def sum(self, indices: list[str], inner: str) -> str:
        return rf"\sum_{{{'<'.join([*indices, self.notation.layer])}}} {inner}"

    def _width(self, letter: Letter, index: str) -> str:
        n, tau = self.notation.letters.width, self.notation.letters.coupling("tau")
        return rf"{self.power(f'{n}_{{{index}}}', -letter[0])} {self.power(f'{tau}_{{{index}}}', letter[1])}".strip()

    def number(self, value: float) -> str:
        mantissa, _, exponent = f"{value:.{DIGITS}g}".partition("e")
        return rf"{mantissa}\cdot 10^{{{int(exponent)}}}" if exponent else mantissa

    def below(self, power: int) -> str:
        return self.power(f"{self.notation.letters.width}_{{{self.notation.layer}-1}}", power)

    def rest(self, inner: str) -> str:
        return rf"O\left({inner or '1'}\right)"

    def unknown(self, inner: str) -> str:
        return rf"c\,{inner}" if inner else "c"

    def bracketed(self, inner: str) -> str:
        return rf"\left({inner}\right)"


def _short(value: Fraction) -> str:
    if value.denominator == 1:
        return str(value)
    return f"({value})" if value.denominator < SMALL else f"{float(value):.6g}"


def formula(form: Form, pen: Pen) -> str:
    """The right-hand side."""
    return _exact(form, pen) if isinstance(form, Exact) else _asymptotic(form, pen)


def _exact(form: Exact, pen: Pen) -> str:
    if not form.sum:
        return "0"
    if form.rounded:
        return _rounded(form, pen)
    parts = []
    for word, row in sorted(form.sum.terms.items()):
        indices = [f"k{i + 1}" if pen.index == 0 else f"k_{{{i + 1}}}" for i in range(len(word))]
        inner, single = _factored(row, form, pen, indices)
        if word:
            inner = inner if single and not inner.startswith("-") else pen.bracketed(inner)
            parts.append(pen.sum(indices, f"{inner}{pen.product}{pen.widths(word, indices)}"))
        else:
            parts.append(inner)
    total = " + ".join(parts)
    scale = pen.below(form.tensor.order) if not form.equal else ""
    return f"{scale} {pen.bracketed(total) if len(parts) > 1 else total}".strip() if scale else total


def _factored(row: Mapping[Monomial, Number], form: Exact, pen: Pen, indices: list[str]) -> tuple[str, bool]:
    """A sum of monomials as a product, and whether it is no sum."""
    from sympy import Add, Integer, Symbol, factor

    places = [Symbol(f"_k{i}") for i in range(len(indices))] + [Symbol("_L")]
    chi = as_sympy(form.chi) if form.chi is not None else Integer(1)
    total = Integer(0)
    for monomial, value in row.items():
        term = as_sympy(value)
        for place, (a, b) in zip(places, monomial, strict=True):
            term *= place**a * chi ** (b * place)
        total += term
    product = factor(total)
    for name, power in form.units:
        product *= Symbol(name) ** power
    names = {str(s): pen.letter(str(s)) for s in total.free_symbols | product.free_symbols}
    names |= {"_L": pen.notation.layer, **{f"_k{i}": index for i, index in enumerate(indices)}}
    return pen.expression(product, names), not isinstance(product, Add)


def as_sympy(value: Number) -> Any:
    """An element as a SymPy expression."""
    from sympy import Rational

    return Rational(value.numerator, value.denominator) if isinstance(value, Fraction) else value.as_expr()


def _rounded(form: Exact, pen: Pen) -> str:
    """A polynomial with floats, highest power first."""
    text = ""
    for a, value in reversed(list(enumerate(form.polynomial or []))):
        if value:
            written = pen.number(abs(float(value)))
            body = f"{written} {pen.power(pen.notation.layer, a)}".strip()
            text += (" - " if value < 0 else " + ") + body if text else ("-" if value < 0 else "") + body
    return text


def _asymptotic(form: Asymptotic, pen: Pen) -> str:
    """Terms, then what is not known."""
    if not form.terms:
        known = form.following
        return pen.unknown(_growth(*known, pen)) if known else "0"
    text = ""
    for term in form.terms:
        body, negative = _term(term, pen)
        text += (" - " if negative else " + ") + body if text else ("-" if negative else "") + body
    if form.following:
        text += f" + {pen.rest(_growth(*form.following, pen))}"
    scale = units(form.units, pen)
    return f"{scale} {pen.bracketed(text)}" if scale else text


def units(letters: Units, pen: Pen) -> str:
    """What a form is multiplied with."""
    return pen.product.join(pen.power(pen.letter(name), power) for name, power in letters if power)


def _growth(power: Fraction, logs: int, pen: Pen) -> str:
    parts = [pen.power(pen.notation.layer, power), pen.logarithm(logs)]
    return pen.product.join(part for part in parts if part)


def _term(term: LogTerm, pen: Pen) -> tuple[str, bool]:
    """A term without its sign, and whether it is negative."""
    growth = _growth(term.power, term.logs, pen)
    value = term.coefficient
    if isinstance(value, Fraction):
        negative, size = value < 0, abs(value)
        exact = size.denominator < SMALL
        written = pen.expression(as_sympy(size), {}) if exact else pen.number(float(size))
    else:
        from sympy import Add, factor

        product = factor(as_sympy(value))
        negative = bool(product.could_extract_minus_sign())
        product = -product if negative else product
        names = {str(symbol): pen.letter(str(symbol)) for symbol in product.free_symbols}
        written = pen.expression(product, names)
        written = pen.bracketed(written) if isinstance(product, Add) else written
    if written == "1" and growth:
        return growth, negative
    return pen.product.join(part for part in (written, growth) if part), negative
