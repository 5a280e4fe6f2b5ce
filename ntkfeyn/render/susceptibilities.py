"""What a tensor feeds on itself with, as text, LaTeX, SymPy and JSON (derivation.susceptibilities).

Enters: recursions and a notation. Leaves: for each, at one input, the tensor at layer l+1 as a product of
susceptibilities, one a pair of its channel, times the tensor at layer l, plus sources.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ntkfeyn.derivation.recursion import Recursion
from ntkfeyn.derivation.rules import WIDTH_RATIO
from ntkfeyn.derivation.susceptibilities import SelfPart, Susceptibility, self_part
from ntkfeyn.model.tensors import MEAN_KERNEL
from ntkfeyn.render.formulas import IDS_SHOWN, cumulant_text
from ntkfeyn.render.notation import LatexNotation, TextNotation
from ntkfeyn.render.symbols import Symbols

if TYPE_CHECKING:
    import sympy

TEXT = {Susceptibility.PARALLEL: "χ_par", Susceptibility.PERPENDICULAR: "χ_perp"}
LATEX = {Susceptibility.PARALLEL: r"\chi_{\parallel}", Susceptibility.PERPENDICULAR: r"\chi_{\perp}"}


def self_text(recursions: Sequence[Recursion], symbols: Symbols) -> str:
    """Two lines each, and what the susceptibilities are."""
    notation = TextNotation(symbols.text)
    blocks = [_block(recursion, notation) for recursion in recursions]
    s, C, (left, right) = notation.function, notation.power("C_W", 1), notation.letters.expectation
    meant = (
        f"{TEXT[Susceptibility.PARALLEL]} = {C} {left}{s(1)} {s(1)} + {s(0)} {s(2)}{right}, "
        f"{TEXT[Susceptibility.PERPENDICULAR]} = {C} {left}{s(1)} {s(1)}{right}: at criticality both are 1"
    )
    return "\n".join(["At one input, a factor a pair of the channel; the left side is of layer "
                      f"{notation.layer}+1", "", *blocks, "", meant]) + "\n"  # fmt: skip


def _block(recursion: Recursion, notation: TextNotation) -> str:
    part = self_part(recursion)
    tensor = ("d" if part.tensor == MEAN_KERNEL else "") + cumulant_text(recursion.cumulant, recursion.order, notation)
    factors = [TEXT[pair.factor] for pair in part.pairs]
    product = notation.space.join([*_ratio(part, notation), *factors, tensor])
    pairs = ", ".join(f"{notation.indices(pair.slots)} {TEXT[pair.factor]}" for pair in part.pairs)
    told = [f"pairs {pairs}", f"from {', '.join(part.diagrams)}"]
    few = len(part.sources) <= IDS_SHOWN
    told += [f"sources {', '.join(part.sources) if few else f'{len(part.sources)} diagrams'}"] if part.sources else []
    more = " + sources" if part.tensor != MEAN_KERNEL else ""
    return f"  {tensor} = {product}{more}\n      {'; '.join(told)}"


def self_latex(recursions: Sequence[Recursion], symbols: Symbols) -> str:
    """An align* environment, with the pair above each factor."""
    notation = LatexNotation(symbols.latex)
    rows = []
    for recursion in recursions:
        part = self_part(recursion)
        tensor = cumulant_text(recursion.cumulant, recursion.order, notation)
        tensor = rf"\mathrm{{d}}{tensor}" if part.tensor == MEAN_KERNEL else tensor
        factors = [rf"{LATEX[pair.factor]}^{{({notation.indices(pair.slots)})}}" for pair in part.pairs]
        more = r" + \cdots" if part.tensor != MEAN_KERNEL else ""
        rows.append(rf"  {tensor} &= {notation.space.join([*_ratio(part, notation), *factors, tensor])}{more}")
    return "\n".join([r"\begin{align*}", " \\\\\n".join(rows), r"\end{align*}"]) + "\n"


def _ratio(part: SelfPart, notation: TextNotation) -> list[str]:
    return [notation.power(WIDTH_RATIO, part.ratio)] if part.ratio else []


def self_sympy(recursion: Recursion, symbols: Symbols) -> sympy.Expr:
    """The coefficient, a product of the symbols rho, chi_par and chi_perp."""
    from sympy import Symbol

    part = self_part(recursion)
    product = Symbol(symbols.plain.coupling(WIDTH_RATIO)) ** part.ratio
    for factor in Susceptibility:
        product *= Symbol(str(factor)) ** part.count(factor)
    return product


def self_json(recursion: Recursion) -> dict[str, Any]:
    """For recursion/1."""
    part = self_part(recursion)
    return {
        "width_ratio": part.ratio,
        "pairs": [{"slots": list(pair.slots), "factor": str(pair.factor)} for pair in part.pairs],
        "diagrams": list(part.diagrams),
        "sources": list(part.sources),
    }
