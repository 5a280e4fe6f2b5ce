"""Styles in which people write recursions by hand, for the referee: the same terms in other clothes.

Enters: a recursion. Leaves: LaTeX, and which of the author's terms each of its terms went into.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from ntkfeyn.derivation.recursion import Recursion
from ntkfeyn.derivation.rules import WIDTH_RATIO
from ntkfeyn.derivation.terms import Powers, ProductTerm
from ntkfeyn.render.formulas import bound_labels, cumulant_text, mean_text, tensor_text, term_text
from ntkfeyn.render.notation import LatexNotation
from ntkfeyn.render.symbols import LATEX, Letters, Symbols


class Style(NamedTuple):
    """``derivative``: partial, leibniz or inverse (the kernel's inverse, as PDLT); ``sums``: domain, all or implied;

    ``layered``: layers stand above; ``scaled``: 1/n_l on the left; ``bracket``: covariances in one bracket;
    ``split``: Omega is written out; ``letters``: of a notation.
    """

    name: str
    derivative: str = "partial"
    sums: str = "domain"
    layered: bool = False
    scaled: bool = False
    bracket: bool = False
    split: bool = False
    letters: Letters = LATEX
    emitted: bool = False

    @property
    def symbols(self) -> Symbols:
        return replace(Symbols(), latex=self.letters)


PDLT = Symbols.read("pdlt").latex
OWN = replace(
    LATEX, tensors={**LATEX.tensors, "F": r"\mathcal{F}", "Theta": "H", "K": "G"}, activation=r"\phi",
    couplings={**LATEX.couplings, "C_W": "s_w", "lambda_W": r"\eta_w"}, expectation=(r"\mathbb{E}[", "]"),
    omega=r"\mathcal{O}", bound=r"\mu", width="N",
)  # fmt: skip
GREEK = replace(LATEX, samples=(r"\alpha", r"\beta", r"\gamma", r"\delta"), slot_0=r"\epsilon", bound=r"\mu")
STYLES = (
    Style("emitted", emitted=True),
    Style("emitted, PDLT's letters", emitted=True, letters=PDLT),
    Style("dz below a fraction", derivative="leibniz", layered=True, scaled=True),
    Style("inverse kernel", derivative="inverse", sums="all", layered=True),
    Style("inverse kernel, implied sums", derivative="inverse", sums="implied", letters=GREEK),
    Style("implied sums", sums="implied", letters=GREEK),
    Style("Omega written out", split=True, layered=True),
    Style("covariances in brackets", bracket=True, scaled=True, derivative="leibniz", sums="all"),
    Style("letters of one's own", letters=OWN, sums="all"),
    Style("letters of one's own, Omega written out", letters=OWN, split=True, derivative="leibniz", scaled=True),
)


class Written(NamedTuple):
    """``places``: the number of the author's term for each term of the recursion."""

    text: str
    places: tuple[int, ...]


class HandNotation(LatexNotation):
    """A style's formulas."""

    def __init__(self, style: Style, samples: Sequence[int]) -> None:
        super().__init__(style.letters, style.letters.layer if style.layered else "")
        self.style, self.samples = style, sorted(set(samples))

    def function(self, order: int) -> str:
        above = f"({self.layer_shown})"
        if not self.layer_shown:
            dotted = order == 1 and self.style.sums == "implied"
            return rf"\dot{{{self.letters.activation}}}" if dotted else super().function(order)
        return f"{super().function(order)}^{{{above}}}" if order <= 3 else super().function(order)

    def power(self, coupling: str, exponent: int) -> str:
        if coupling == WIDTH_RATIO:
            n, layer = self.letters.width, self.letters.layer
            ratio = rf"\frac{{{n}_{{{layer}}}}}{{{n}_{{{layer}-1}}}}"
            return ratio if exponent == 1 else rf"\left({ratio}\right)^{{{exponent}}}"
        if self.layer_shown and "_" in self.letters.coupling(coupling):
            whole = f"{self.letters.coupling(coupling)}^{{({self.layer}+1)}}"
            return whole if exponent == 1 else rf"\left({whole}\right)^{{{exponent}}}"
        return super().power(coupling, exponent)

    def mean(self, inner: str) -> str:
        inner, _, outside = inner.partition("|")
        if self.letters.expectation != LATEX.expectation:
            return super().mean(inner) + outside
        kernel = f"_{{K^{{({self.layer})}}}}" if self.layer_shown else ""
        return rf"\left\langle {inner}\right\rangle{kernel} " + outside

    def derivatives(self, labels: Sequence[int], inner: str) -> str:
        z, names = self.letters.preactivation, [self.label(label) for label in labels]
        if self.style.derivative == "leibniz":
            above = "" if len(labels) == 1 else f"^{len(labels)}"
            below = r"\,".join(f"d{z}_{{{name}}}" for name in names)
            return rf"\frac{{d{above}({inner})}}{{{below}}}"
        if self.style.derivative == "partial" or len(labels) > 2:
            return super().derivatives(labels, inner)
        kernel, below = self.letter("K"), [f"\\nu_{{{-label}}}" for label in labels]
        inverse = "".join(f"{kernel}^{{{name} {other}}}" for name, other in zip(names, below, strict=True))
        inner = f"{inner}{z}_{{{below[0]}}}" if len(below) == 1 else (
            f"({z}_{{{below[0]}}}{z}_{{{below[1]}}}-{kernel}_{{{below[0]} {below[1]}}}){inner}"
        )  # fmt: skip
        summed = "" if self.style.sums == "implied" else rf"\sum_{{{','.join(below)}}}"
        return f"{inner}|{summed}{inverse}" if not summed else f"{inner}|{inverse}"

    def sum(self, labels: Sequence[int], domain: Sequence[int]) -> str:
        names = ",".join(self.label(label) for label in labels)
        extra = [f"\\nu_{{{-label}}}" for label in labels] if self.style.derivative == "inverse" else []
        if self.style.sums == "implied":
            return ""
        if extra and len(labels) <= 2:
            names += "," + ",".join(extra)
        if self.style.sums == "all":
            return rf"\sum_{{{names}\in\{{{','.join(map(self.label, self.samples))}\}}}}"
        return super().sum(labels, domain)


def written(recursion: Recursion, style: Style) -> Written:
    """The recursion by hand."""
    notation = HandNotation(style, recursion.cumulant.labels)
    above = LatexNotation(style.letters, f"{style.letters.layer}+1")
    head = cumulant_text(recursion.cumulant, recursion.order, above)
    n, layer = style.letters.width, style.letters.layer
    groups = _grouped(recursion.terms) if style.bracket else [[i] for i in range(len(recursion.terms))]
    places, rows = [0] * len(recursion.terms), []
    for place, members in enumerate(groups):
        for i in members:
            places[i] = place
        terms = [recursion.terms[i] for i in members]
        emitted = LatexNotation(style.letters)
        rows.append(
            term_text(terms[0], emitted, leading=place == 0) if style.emitted else _row(terms, notation, place == 0)
        )
    if style.scaled:
        head = rf"\frac{{1}}{{{n}_{{{layer}}}}}{head}"
    return Written("\\begin{align}\n" + head + " &= " + " \\nonumber\\\\\n&\\quad ".join(rows) + "\\,.\n\\end{align}\n",
                   tuple(places))  # fmt: skip


def _grouped(terms: Sequence[ProductTerm]) -> list[list[int]]:
    """Terms that differ in their means and their sign alone stand in one bracket."""
    found: dict[tuple[object, ...], list[int]] = {}
    for i, term in enumerate(terms):
        alone = i if any(label < 0 for tensor in term.tensors for label in tensor.labels) else -1
        found.setdefault((abs(term.coefficient), term.couplings, term.tensors, term.diagrams, alone), []).append(i)
    return sorted(found.values())


def _row(terms: Sequence[ProductTerm], notation: HandNotation, leading: bool) -> str:
    first = terms[0]
    if len(terms) == 1:
        text = term_text(_unscaled(first, notation.style), notation, leading=True)
        negative = text.startswith("- ")
        text = _scale(first, notation) + (text[2:] if negative else text)
        return ("-" if negative else "" if leading else "+") + text
    bound, tensors = bound_labels(first.tensors)
    assert not bound
    inner = ""
    for term in terms:
        means = "".join(mean_text(group, [], notation) for group in term.groups)
        inner += ("-" if term.coefficient < 0 else "+" if inner else "") + means
    bare = _powers(first, notation.style)
    parts = [notation.power(name, power) for name, power in bare] + [tensor_text(t, notation) for t in tensors]
    size = abs(first.coefficient)
    parts = ([notation.fraction(size)] if size != 1 else []) + parts
    return ("" if leading else "+") + _scale(first, notation) + rf"{''.join(parts)}\left[{inner}\right]"


def _powers(term: ProductTerm, style: Style) -> Powers:
    """Without the width where it stands in the scale."""
    return Powers((name, power) for name, power in term.couplings if not (style.scaled and name == WIDTH_RATIO))


def _unscaled(term: ProductTerm, style: Style) -> ProductTerm:
    return term._replace(couplings=_powers(term, style)) if style.scaled else term


def _scale(term: ProductTerm, notation: HandNotation) -> str:
    """1/n_l and a power of the ratio of widths, as people write them."""
    if not notation.style.scaled:
        return ""
    n, layer = notation.letters.width, notation.letters.layer
    here, below, power = f"{n}_{{{layer}}}", f"{n}_{{{layer}-1}}", term.couplings.power(WIDTH_RATIO)
    if power == 0:
        return rf"\frac{{1}}{{{here}}}"
    if power < 0:
        return (
            rf"\frac{{{below}}}{{{here}^2}}"
            if power == -1
            else rf"\frac{{{below}^{{{-power}}}}}{{{here}^{{{1 - power}}}}}"
        )
    above = "1" if power == 1 else here if power == 2 else f"{here}^{{{power - 1}}}"
    return rf"\frac{{{above}}}{{{below if power == 1 else f'{below}^{{{power}}}'}}}"
