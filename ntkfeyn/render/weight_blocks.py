"""Weight blocks in words and formulas: what they join, and the cumulants of orthogonal weights that they stand for.

Enters: a block of a diagram and a notation. Leaves: strings such as "1-2, 3-4 as 1-3, 2-4" and "-1/N^3 + 1/N^4 - ..".
Text alone has the separators of text; LaTeX takes the series from ``series``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ntkfeyn.derivation.diagrams import Diagram, WeightBlock
from ntkfeyn.derivation.weingarten import Loops, joint_cumulant, leading_power
from ntkfeyn.render.formulas import dashed
from ntkfeyn.render.notation import TextNotation

SHOWN = 3  # terms of a series


class SeriesTerm(NamedTuple):
    """coefficient * N^-power"""

    coefficient: int
    power: int


def series(loops: Loops, count: int = SHOWN) -> tuple[SeriesTerm, ...]:
    """The first terms of the cumulant of these loops that do not vanish; of one pair there is one."""
    first = leading_power(loops)
    powers = range(first, first + (1 if loops == (1,) else count))
    return tuple(SeriesTerm(joint_cumulant(loops, power), power) for power in powers)


def series_formula(terms: Sequence[SeriesTerm], notation: TextNotation) -> str:
    """-1/N^3 + 1/N^4, within words"""
    return notation.formula(series_text(terms), series_tex(terms))


def series_equation(loops: Loops, notation: TextNotation) -> str:
    """κ(1,2) = -1/N^3 + 1/N^4 + .., within words"""
    terms = series(loops)
    text = f"{loops_text(loops)} = {series_text(terms)} + .."
    return notation.formula(text, rf"{loops_tex(loops)} = {series_tex(terms)} + \ldots")


def loops_formula(loops: Loops, notation: TextNotation) -> str:
    """κ(1,2), within words"""
    return notation.formula(loops_text(loops), loops_tex(loops))


def series_text(terms: Sequence[SeriesTerm]) -> str:
    """-1/N^3 + 1/N^4"""
    parts: list[str] = []
    for coefficient, power in terms:
        sign = ("-" if coefficient < 0 else "") if not parts else ("- " if coefficient < 0 else "+ ")
        parts.append(f"{sign}{abs(coefficient)}/N" + (f"^{power}" if power > 1 else ""))
    return " ".join(parts)


def loops_text(loops: Loops) -> str:
    """κ(1,2)"""
    return f"κ({','.join(map(str, loops))})"


def series_tex(terms: Sequence[SeriesTerm]) -> str:
    """-N^{-3}+N^{-4}"""
    parts = []
    for k, (coefficient, power) in enumerate(terms):
        sign = "-" if coefficient < 0 else "+" if k else ""
        parts.append(f"{sign}{abs(coefficient) if abs(coefficient) != 1 else ''}N^{{-{power}}}")
    return "".join(parts)


def loops_tex(loops: Loops) -> str:
    r"""\kappa_{1,2}"""
    return rf"\kappa_{{{','.join(map(str, loops))}}}"


def joined_text(block: WeightBlock, notation: TextNotation) -> str:
    """1-2, 3-4: the pairs of the channel that a block joins."""
    return _listed(block.pairs, notation)


def hidden_text(block: WeightBlock, diagram: Diagram, notation: TextNotation) -> str:
    """1-3, 2-4: the pairs that share a hidden neuron."""
    return _listed([diagram.cubic_vertices[i].slots for i in block.cubic_vertices], notation)


def block_text(block: WeightBlock, diagram: Diagram, notation: TextNotation) -> str:
    """[1-2, 3-4 as 1-3, 2-4]/n_l: both, and what the block costs."""
    power = "" if block.cost == 1 else f"^{block.cost}"
    return f"[{joined_text(block, notation)} as {hidden_text(block, diagram, notation)}]/{notation.width}{power}"


def term_of(block: WeightBlock) -> SeriesTerm:
    """The term of the cumulant that a diagram takes."""
    return SeriesTerm(block.coefficient, len(block.pairs) + block.cost)


def _listed(pairs: Sequence[tuple[int, int]], notation: TextNotation) -> str:
    return ", ".join(dashed(pair, notation) for pair in pairs)
