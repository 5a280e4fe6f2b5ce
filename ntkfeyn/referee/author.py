"""An author's notation: letters, layers, brackets, derivatives and widths as they stand in his formula.

Enters: a verdict, its source. Leaves: notations in which our terms are written as he would.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from ntkfeyn.derivation.rules import WIDTH_RATIO
from ntkfeyn.derivation.terms import Powers, ProductTerm
from ntkfeyn.referee.canonical import WIDTHS, Canonical, Terms
from ntkfeyn.referee.evaluation import Evaluator
from ntkfeyn.referee.points import Point
from ntkfeyn.referee.source import Source
from ntkfeyn.referee.tokens import tokenise
from ntkfeyn.referee.verdict import Verdict
from ntkfeyn.render.formulas import term_text
from ntkfeyn.render.notation import LatexNotation, TextNotation
from ntkfeyn.render.symbols import DEFAULT

BOUND = ("b", r"\beta", "c", r"\gamma", r"\nu")
_SIGN = re.compile(r"[+-]?\s*")
_KERNEL = re.compile(r"\\rangle _ (\{(?: [^{}]+| \{[^{}]*\})*? \}|\S+)")


class AuthorNotation(LatexNotation):
    """The letters of a notation, labels of samples by slot as the author has them; the rest as in his formula.

    ``bound``: what the author calls the labels that are summed, one after the other.
    """

    def __init__(self, verdict: Verdict, source: Source, bound: Sequence[str] = ()) -> None:
        assert verdict.words is not None
        letters = verdict.words.symbols.latex
        used = {label.split("_")[0] for label in verdict.claim.labels}
        letter = next((sign for sign in (letters.bound, *BOUND) if sign not in used), letters.bound)
        tokens = [token.text for token in verdict.claim.equation.right]
        joined = " ".join(tokens)
        self.layers = layers_of(verdict)
        upper, here = (" ".join(token.text for token in tokenise(layer)) for layer in self.layers[:2])
        layered = f"^ {{ ( {here} ) }}" in joined
        super().__init__(replace(letters, bound=letter), self.layers[1] if layered else "")
        self.bound = bound
        listed = verdict.claim.shape.labels
        self.names = {
            listed[v]: _label(t) for v, t in zip(verdict.claim.shape.index, verdict.claim.labels, strict=True)
        }
        ratio = letters.coupling(WIDTH_RATIO)
        self.ratio = ratio if ratio in tokens else ""
        self.lifted = f"( {upper} )" in joined
        self.leibniz = r"\frac { d" in joined
        kernel = _KERNEL.search(joined)
        self.kernel = "_" + re.sub(r" (?![A-Za-z])|(?<![A-Za-z]) ", "", kernel[1]) if kernel else ""
        self.stretched = r"\left\langle" in source.text

    def label(self, label: int) -> str:
        if label >= 0:
            return self.names[label]
        return self.bound[-label - 1] if -label <= len(self.bound) else super().label(label)

    def indices(self, labels: Sequence[int]) -> str:
        names = [self.label(label) for label in labels]
        return "".join(f"{a} " if a[-1].isalpha() and a[0] == "\\" else a for a in names).rstrip()

    def function(self, order: int) -> str:
        above = f"^{{({self.layer_shown})}}" if self.layer_shown and order <= 3 else ""
        return super().function(order) + above

    def power(self, coupling: str, exponent: int) -> str:
        letter = self.letters.coupling(coupling)
        if coupling != WIDTH_RATIO and self.lifted and "^" not in letter:
            whole = f"{letter}^{{({self.layers[0]})}}"
            return whole if exponent == 1 else rf"({whole})^{{{exponent}}}"
        return super().power(coupling, exponent)

    def derivatives(self, labels: Sequence[int], inner: str) -> str:
        if not self.leibniz:
            return super().derivatives(labels, inner)
        above = f"^{len(labels)}" if len(labels) > 1 else ""
        z = self.letters.preactivation + (f"^{{({self.layer_shown})}}" if self.layer_shown else "")
        below = r"\,".join(f"d{z}_{{{self.label(label)}}}" for label in labels)
        return rf"\frac{{d{above}({inner})}}{{{below}}}"

    def mean(self, inner: str) -> str:
        if r"\langle" not in self.letters.expectation[0]:
            return super().mean(inner)
        left, right = (r"\left\langle", r"\right\rangle") if self.stretched else (r"\langle", r"\rangle")
        return f"{left} {inner}{right}{self.kernel}"


class PlainNotation(TextNotation):
    """Text, with the labels of the author's samples by slot."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.words.symbols.plain if verdict.words else DEFAULT.plain)
        listed = verdict.claim.shape.labels
        self.names = {listed[v]: t for v, t in zip(verdict.claim.shape.index, verdict.claim.labels, strict=True)}

    def label(self, label: int) -> str:
        return self.names[label] if label >= 0 else super().label(label)


def _label(name: str) -> str:
    base, _, index = name.partition("_")
    return f"{base}_{{{index}}}" if index else base


def layers_of(verdict: Verdict) -> tuple[str, str, str]:
    """What the author calls the layers l+1, l and l-1: a recursion may go from l-1 to l."""
    assert verdict.words is not None
    layer = verdict.words.symbols.latex.layer
    names = {1: f"{layer}+1", 0: layer, -1: f"{layer}-1", -2: f"{layer}-2"}
    upper = verdict.claim.layer + 1
    return names[upper], names[upper - 1], names[upper - 2]


def ones_of(verdict: Verdict) -> tuple[str, ...]:
    """The couplings that the author has set to 1."""
    return tuple(name.split()[0] for name in verdict.assumed)


def scale(verdict: Verdict) -> Terms:
    """What stands in front of the tensor on the left, one monomial."""
    return Evaluator(Canonical(Point(0, 1, 0)), {}).value(verdict.claim.scale)


def author_text(verdict: Verdict, term: ProductTerm, notation: AuthorNotation, leading: bool) -> str:
    """A term of ours times what stands on the left: widths in one fraction, with the number."""
    [(monomial, number)] = scale(verdict).items()
    powers = dict(monomial.powers)
    ratio = term.couplings.power(WIDTH_RATIO)
    widths = {name: powers.pop(name, 0) for name in WIDTHS}
    couplings = term.couplings.times(Powers.of(**powers))
    couplings = couplings.times(Powers.of(**{name: -couplings.power(name) for name in ones_of(verdict)}))
    coefficient = term.coefficient * number
    if not any(widths.values()) and (notation.ratio or not ratio):
        return term_text(term._replace(coefficient=coefficient, couplings=couplings), notation, leading=leading)
    couplings = couplings.times(Powers.of(**{WIDTH_RATIO: -ratio}))
    widths[WIDTHS[0]] += ratio
    widths[WIDTHS[1]] -= ratio
    front = fraction(abs(coefficient), widths, notation)
    unit = Fraction(-1 if coefficient < 0 else 1)
    text = term_text(term._replace(coefficient=unit, couplings=couplings), notation, leading=leading)
    if not front:
        return text
    sign = _SIGN.match(text)
    assert sign is not None
    return f"{sign[0]}{front}\\,{text[sign.end() :]}"


def fraction(number: Fraction, widths: dict[str, int], notation: AuthorNotation) -> str:
    """A number and powers of widths as one fraction; nothing for 1."""
    n, layer = notation.letters.width, notation.layers[1]
    letters = {WIDTHS[0]: f"{n}_{{{layer}}}", WIDTHS[1]: f"{n}_{{{notation.layers[2]}}}"}
    if layer[1:].isalpha() or len(layer) == 1:
        letters[WIDTHS[0]] = f"{n}_{layer}"

    def product(value: int, sign: int) -> str:
        parts = [letters[name] + (f"^{{{abs(k)}}}" if abs(k) > 1 else "") for name, k in widths.items() if k * sign > 0]
        return ("" if value == 1 and parts else str(value)) + "".join(parts)

    above, below = product(number.numerator, 1), product(number.denominator, -1)
    if below == "1":
        return "" if above == "1" else above
    return rf"\frac{{{above}}}{{{below}}}"
