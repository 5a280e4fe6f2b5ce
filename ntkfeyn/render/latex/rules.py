"""The table of rules of an appendix: for each element of a diagram its picture, its factor, and why.

Enters: the rules of ``derivation.rules`` and a notation. Leaves: rows, in the order in which a diagram is read.
"""

from __future__ import annotations

from typing import NamedTuple

from ntkfeyn.derivation.rules import CHOICES, ELEMENT_RULES, NEW_EDGE, OMEGA, PAIR_RULES, WEIGHT, Choice, PairRule
from ntkfeyn.render.drawing.primitives import Drawing
from ntkfeyn.render.drawing.rules import element_picture, pair_picture
from ntkfeyn.render.notation import LatexNotation, powers_text

FORMULAS = {
    "tensor": r"(n_\ell/n_{\ell-1})\,T^{(\ell)}",
    "zz": r"\tfrac12\,T_{b_1b_2\ldots}\,\partial_{b_1}\partial_{b_2}",
    "mixed": r"T_{b\,v\ldots}\,\partial_{b}",
    "tied": r"T_{v\,w\ldots}",
    "propagator": r"\sum_{\pi}(-1)^{|\pi|-1}(|\pi|-1)!\prod_{g\in\pi}\langle\textstyle\prod_{i\in g}f_i\rangle_{K}",
}


class RuleRow(NamedTuple):
    element: str
    formula: str
    source: str
    picture: Drawing


def rule_rows(notation: LatexNotation) -> list[RuleRow]:
    """Cubic vertices first, then what sits on neurons and tensors."""
    known = (WEIGHT, NEW_EDGE, OMEGA)
    pairs = [*known, *(rule for rule in PAIR_RULES if rule not in known)]
    rows = [RuleRow(r.element, pair_formula(r, notation), r.source, pair_picture(r)) for r in pairs]
    return rows + [RuleRow(r.element, FORMULAS[r.name], r.source, element_picture(r.name)) for r in ELEMENT_RULES]


def pair_formula(rule: PairRule, notation: LatexNotation) -> str:
    """The factor of a pair of slots v, w with a and b blocks of old edges."""
    if rule.merges:
        choices = "+".join(_choice_formula(choice, notation) for choice in CHOICES)
        return rf"\Omega_{{vw}}={choices}"
    return rf"{powers_text(rule.couplings, notation)}\,\sigma^{{(a)}}_{{v}}\sigma^{{(b)}}_{{w}}"


def _choice_formula(choice: Choice, notation: LatexNotation) -> str:
    mean = r"\Theta_{vw}\," if choice.mean_inside else ""
    mark = "'" * choice.order
    return rf"{powers_text(choice.rule.couplings, notation)}\,{mean}\sigma{mark}_{{v}}\sigma{mark}_{{w}}"
