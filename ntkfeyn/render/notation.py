"""Notations: the vocabularies in which formulas are written: text, LaTeX, and LaTeX made of macros.

Enters: the letters of a medium. Leaves: pieces of formulas as strings: powers, tensors, activations, derivatives,
means, sums. formulas.py puts them together.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from ntkfeyn.derivation.rules import COUPLINGS, TAU
from ntkfeyn.model.ensembles import GAUSSIAN
from ntkfeyn.model.tensors import NAMES
from ntkfeyn.render.mathtex import joined, single
from ntkfeyn.render.symbols import LATEX, Letters, Symbols
from ntkfeyn.render.systematic import systematic_symbol

MACROS = {
    "lambda_W": "LW",
    "lambda_b": "Lb",
    "width_ratio": "R",
    "tau": "Tau",
}  # the letters of other couplings make theirs


class TextNotation:
    """Unicode on a terminal."""

    space = " "  # between factors
    brackets = ("[", "]")  # of what an operator acts on
    inner = " "  # between activations of one expectation
    times = " · "  # between numbers

    def __init__(self, letters: Letters) -> None:
        self.letters = letters

    def formula(self, written: str, tex: str = "") -> str:
        """A formula that stands within words; ``tex``: where LaTeX has other signs than these."""
        return written

    def indexed(self, letter: str, index: str) -> str:
        return f"{letter}_{index}"

    def raised(self, base: str, exponent: str) -> str:
        """A power; on one line an exponent that is no single sign stands in brackets."""
        return f"{base}^{exponent}"

    def fraction(self, value: Fraction) -> str:
        return str(value)

    def power(self, coupling: str, exponent: int) -> str:
        letter = self.letters.coupling(coupling)
        return letter if exponent == 1 else f"{letter}^{exponent}"

    def label(self, label: int) -> str:
        return self.letters.sample(label) if label >= 0 else f"{self.letters.bound}{-label}"

    def letter(self, name: str) -> str:
        """A tensor's letter; one that has none gets its systematic symbol."""
        known = name in NAMES or name in self.letters.tensors
        return self.letters.tensor(name) if known else self.unnamed(systematic_symbol(name))

    def unnamed(self, symbol: str) -> str:
        """How a systematic symbol is written."""
        return symbol

    def symbol(self, name: str, correction: int) -> str:
        """A tensor without labels: K^{1}."""
        return self.letter(name) + (f"^{{{correction}}}" if correction else "")

    def tensor(self, name: str, correction: int, labels: Sequence[int]) -> str:
        return f"{self.symbol(name, correction)}_{self.indices(labels)}"

    def indices(self, labels: Sequence[int]) -> str:
        names = [self.label(label) for label in labels]
        short = all(label >= 0 for label in labels) and all(len(name) == 1 for name in names)
        return "".join(names) if short else "{" + " ".join(names) + "}"

    def function(self, order: int) -> str:
        """The activation, ``order`` times differentiated."""
        return self.letters.activation + ("'" * order if order <= 3 else f"^({order})")

    def activation(self, sample: int, order: int) -> str:
        return self.indexed(self.function(order), self.label(sample))

    def omega(self, first: int, second: int) -> str:
        return self.indexed(self.letters.omega, self.indices((first, second)))

    def averaging(self, pair: tuple[int, int]) -> str:
        """The operator that averages a pair of labels."""
        return self.indexed(self.letters.averaging, self.indices(pair))

    def derivative(self, label: int) -> str:
        return self.indexed(self.letters.derivative, self.label(label))

    def derivatives(self, labels: Sequence[int], inner: str) -> str:
        return "".join(map(self.derivative, labels)) + f"({inner})"

    def delta(self, first: int, second: int) -> str:
        """The Kronecker delta of the neurons of two slots."""
        i = self.letters.neuron
        return f"{self.letters.delta}_{{{i}{first} {i}{second}}}"

    def mean(self, inner: str) -> str:
        left, right = self.letters.expectation
        return f"{left}{inner}{right}"

    def sum(self, labels: Sequence[int], domain: Sequence[int]) -> str:
        names = ",".join(self.label(label) for label in labels)
        return f"Σ_{{{names}∈{{{','.join(map(self.label, domain))}}}}}"

    @property
    def layer(self) -> str:
        return self.letters.layer

    @property
    def width(self) -> str:
        """n_l"""
        return f"{self.letters.width}_{self.layer}"

    @property
    def width_below(self) -> str:
        """n_(l-1)"""
        return f"{self.letters.width}_({self.layer}-1)"


class LatexNotation(TextNotation):
    """LaTeX maths. ``layer_shown``: what tensors carry in brackets above, if anything."""

    space = inner = r"\,"
    times = r" \cdot "
    brackets = (r"\bigl[", r"\bigr]")

    def __init__(self, letters: Letters = LATEX, layer_shown: str = "") -> None:
        super().__init__(letters)
        self.layer_shown = layer_shown

    def indexed(self, letter: str, index: str) -> str:
        return f"{letter}_{{{index}}}"

    def raised(self, base: str, exponent: str) -> str:
        return f"{base}^{{{exponent.strip('()')}}}"

    def fraction(self, value: Fraction) -> str:
        if value.denominator == 1:
            return str(value.numerator)
        sign = "-" if value < 0 else ""
        return rf"{sign}\tfrac{{{abs(value.numerator)}}}{{{value.denominator}}}"

    def power(self, coupling: str, exponent: int) -> str:
        letter = self.letters.coupling(coupling)
        return letter if exponent == 1 else f"{letter}^{{{exponent}}}"

    def label(self, label: int) -> str:
        return self.letters.sample(label) if label >= 0 else f"{self.letters.bound}_{{{-label}}}"

    def unnamed(self, symbol: str) -> str:
        return rf"\mathsf{{{symbol}}}"

    def symbol(self, name: str, correction: int) -> str:
        return self.letter(name) + (rf"^{{\{{{correction}\}}}}" if correction else "")

    def tensor(self, name: str, correction: int, labels: Sequence[int]) -> str:
        above = (rf"\{{{correction}\}}" if correction else "") + (f"({self.layer_shown})" if self.layer_shown else "")
        return f"{self.letter(name)}{f'^{{{above}}}' if above else ''}_{{{self.indices(labels)}}}"

    def indices(self, labels: Sequence[int]) -> str:
        names = [self.label(label) for label in labels]
        short = all(label < 10 for label in labels) and all(map(single, names))
        return joined(names) if short else ",".join(names)

    def function(self, order: int) -> str:
        return self.letters.activation + ("'" * order if order <= 3 else f"^{{({order})}}")

    def delta(self, first: int, second: int) -> str:
        neurons = " ".join(f"{self.letters.neuron}_{{{self.label(slot)}}}" for slot in (first, second))
        return f"{self.letters.delta}_{{{neurons}}}"

    def mean(self, inner: str) -> str:
        left, right = self.letters.expectation
        return f"{left} {inner}{right}"

    def sum(self, labels: Sequence[int], domain: Sequence[int]) -> str:
        names = ",".join(self.label(label) for label in labels)
        return rf"\sum_{{{names}\in\{{{','.join(map(self.label, domain))}\}}}}"

    @property
    def width_below(self) -> str:
        return f"{self.letters.width}_{{{self.layer}-1}}"


class InlineNotation(LatexNotation):
    """LaTeX within words: formulas stand between dollar signs."""

    def formula(self, written: str, tex: str = "") -> str:
        return f"${tex or written}$"


class MacroNotation(LatexNotation):
    """LaTeX made of macros whose names begin with ``prefix``: readable source, one place to restyle (macros.tex)."""

    def __init__(self, prefix: str, letters: Letters = LATEX) -> None:
        super().__init__(letters)
        self.macro = "\\" + prefix
        self.space, self.inner = f"{self.macro}O ", f"{self.macro}I "

    def fraction(self, value: Fraction) -> str:
        return f"{self.macro}Cf{{{value.numerator}}}{{{value.denominator}}}"

    def power(self, coupling: str, exponent: int) -> str:
        return f"{self.macro}{coupling_macro(coupling)}{{{exponent}}}"

    def label(self, label: int) -> str:
        return f"{self.macro}X{{{label}}}" if label >= 0 else f"{self.macro}B{{{-label}}}"

    def indices(self, labels: Sequence[int]) -> str:
        return "".join(self.label(label) for label in labels)

    def tensor(self, name: str, correction: int, labels: Sequence[int]) -> str:
        return f"{self.macro}T{{{name}}}{{{correction}}}{{{self.indices(labels)}}}"

    def activation(self, sample: int, order: int) -> str:
        return f"{self.macro}S{{{order}}}{{{sample}}}"

    def omega(self, first: int, second: int) -> str:
        return f"{self.macro}Om{{{self.indices((first, second))}}}"

    def averaging(self, pair: tuple[int, int]) -> str:
        return f"{self.macro}Av{{{self.indices(pair)}}}"

    def derivatives(self, labels: Sequence[int], inner: str) -> str:
        return "".join(f"{self.macro}D{{{-label}}}" for label in labels) + f"{self.macro}P{{{inner}}}"

    def mean(self, inner: str) -> str:
        return f"{self.macro}M{{{inner}}}"

    def sum(self, labels: Sequence[int], domain: Sequence[int]) -> str:
        return f"{self.macro}Sum{{{','.join(str(-label) for label in labels)}}}{{{','.join(map(str, domain))}}}"


def coupling_macro(coupling: str) -> str:
    """The name of its macro, behind the prefix."""
    return MACROS.get(coupling, re.sub(r"[^A-Za-z]", "", coupling))


def coupling_macros(letters: Letters, weights: str = GAUSSIAN) -> dict[str, str]:
    """Macro names and letters of every coupling of an ensemble of weights."""
    names = [coupling.name for coupling in COUPLINGS if weights != GAUSSIAN or coupling.name != TAU]
    return {coupling_macro(name): letters.coupling(name) for name in names}


def latex_of(symbols: Symbols) -> LatexNotation | None:
    """For JSON, which holds formulas only where somebody asked for letters of his own."""
    return None if symbols.ours else LatexNotation(symbols.latex)


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
