"""The table of rules of an appendix: for each element of a diagram its picture, its factor, and why.

Enters: the rules of ``derivation.rules`` and a notation. Leaves: rows, in the order in which a diagram is read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ntkfeyn.derivation.diagrams import full_diagrams
from ntkfeyn.derivation.recursion import Recursion
from ntkfeyn.derivation.rules import (
    AVERAGING,
    BLOCK,
    BLOCK_TERM,
    CHOICES,
    ELEMENT_RULES,
    NEW_EDGE,
    OMEGA,
    PAIR_RULES,
    TAU,
    WEIGHT,
    Choice,
    PairRule,
)
from ntkfeyn.model.ensembles import GAUSSIAN
from ntkfeyn.model.tensors import MEAN_NTK
from ntkfeyn.render.drawing.primitives import Drawing
from ntkfeyn.render.drawing.rules import element_picture, pair_picture
from ntkfeyn.render.formulas import powers_text
from ntkfeyn.render.notation import LatexNotation
from ntkfeyn.render.symbols import Letters, Symbols
from ntkfeyn.render.weight_blocks import loops_tex, series, series_tex


class RuleRow(NamedTuple):
    element: str
    formula: str
    source: str
    picture: Drawing


def rule_rows(symbols: Symbols, weights: str = GAUSSIAN, shared: bool = False) -> list[RuleRow]:
    """Cubic vertices first, then what sits on neurons and tensors; weight blocks where the ensemble has them.

    The averaging operator where weights are ``shared`` over labels.
    """
    notation = LatexNotation(symbols.latex)
    known = (WEIGHT, NEW_EDGE, OMEGA)
    pairs = [*known, *(rule for rule in PAIR_RULES if rule not in known)]
    rows = [RuleRow(r.element, pair_formula(r, notation), r.source, pair_picture(r, symbols)) for r in pairs]
    formulas = element_formulas(symbols.latex)
    pictures = [element_picture(r.name, symbols) for r in ELEMENT_RULES]
    elements = zip(ELEMENT_RULES, pictures, strict=True)
    if weights != GAUSSIAN:
        formula = block_formula(notation)
        rows.append(RuleRow(BLOCK_TERM.element, formula, BLOCK_TERM.source, pair_picture(BLOCK, symbols)))
    if shared:
        formula = rf"{symbols.latex.averaging}_{{vw}}\,\bigl[\ldots\bigr]"
        rows.append(RuleRow(AVERAGING.element, formula, AVERAGING.source, pair_picture(WEIGHT, symbols)))
    return rows + [RuleRow(r.element, formulas[r.name], r.source, picture) for r, picture in elements]


def block_formula(notation: LatexNotation) -> str:
    """The factor of the e-th term of a weight block with the matching m' of its slots."""
    tau, n, s = notation.power(TAU, 1), notation.width, notation.letters.activation
    line = rf"{powers_text(BLOCK.couplings, notation)}\,{s}^{{(a)}}_{{v}}{s}^{{(b)}}_{{w}}"
    return rf"\kappa^{{(e)}}\,({tau}/{n})^{{e}}\textstyle\prod_{{(v,w)\in m'}}{line}"


def cumulant_rows(recursions: Sequence[Recursion]) -> list[str]:
    """The cumulants of all weight blocks that diagrams have, as series; of one pair too."""
    found = {block.loops for r in recursions for d in full_diagrams(r.diagrams) for block in d.weight_blocks}
    rows = [rf"{loops_tex(one)}={series_tex(series(one))}+\ldots" for one in sorted(found, key=lambda x: (sum(x), x))]
    return [rf"{loops_tex((1,))}={series_tex(series((1,)))}", *rows]


def element_formulas(letters: Letters) -> dict[str, str]:
    """The factors of ``ELEMENT_RULES``; T stands for any tensor, b and v, w for labels of z-legs and slots."""
    n, layer, b, d = letters.width, letters.layer, letters.bound, letters.derivative
    left, right = letters.expectation
    partitions = r"\sum_{\pi}(-1)^{|\pi|-1}(|\pi|-1)!\prod_{g\in\pi}"
    return {
        "tensor": rf"({n}_{layer}/{n}_{{{layer}-1}})\,T^{{({layer})}}",
        "zz": rf"\tfrac12\,T_{{{b}_1{b}_2\ldots}}\,{d}_{{{b}_1}}{d}_{{{b}_2}}",
        "mixed": rf"T_{{{b}\,v\ldots}}\,{d}_{{{b}}}",
        "tied": r"T_{v\,w\ldots}",
        "propagator": partitions + rf"{left}\textstyle\prod_{{i\in g}}f_i{right}",
    }


def prose(text: str, letters: Letters) -> str:
    """Words of ``derivation.rules`` for print: layers, fractions and the functions of z as mathematics."""
    text = re.sub(r"\bl(\+1)?(?=\b|-)", lambda found: f"${letters.layer}{found[1] or ''}$", text)
    small = {"1/n": f"1/{letters.width}"}
    text = re.sub(r"\b(1/\w!?|k(?= alike))(?!\w)", lambda found: f"${small.get(found[1], found[1])}$", text)
    return re.sub(r"\b(z-z|z-leg)\b", lambda found: found[0].replace("z", f"${letters.preactivation}$"), text)


def capital(words: str) -> str:
    """With a capital where they begin with a word; mathematics keeps its letters."""
    return words[:1].upper() + words[1:]


def pair_formula(rule: PairRule, notation: LatexNotation) -> str:
    """The factor of a pair of slots v, w with a and b blocks of old edges."""
    if rule.merges:
        choices = "+".join(_choice_formula(choice, notation) for choice in CHOICES)
        return rf"{notation.letters.omega}_{{vw}}={choices}"
    s = notation.letters.activation
    return rf"{powers_text(rule.couplings, notation)}\,{s}^{{(a)}}_{{v}}{s}^{{(b)}}_{{w}}"


def _choice_formula(choice: Choice, notation: LatexNotation) -> str:
    mean = rf"{notation.letter(MEAN_NTK.name)}_{{vw}}\," if choice.mean_inside else ""
    s = notation.function(choice.order)
    return rf"{powers_text(choice.rule.couplings, notation)}\,{mean}{s}_{{v}}{s}_{{w}}"
