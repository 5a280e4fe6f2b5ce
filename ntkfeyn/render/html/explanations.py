"""What the page's script knows: explanations step by step, and what is copied.

Enters: recursions and letters. Leaves: data for JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ntkfeyn.derivation.diagrams import Diagram
from ntkfeyn.derivation.expansion import written_terms
from ntkfeyn.derivation.recursion import Recursion
from ntkfeyn.derivation.terms import ProductTerm
from ntkfeyn.render.drawing.layout import layout
from ntkfeyn.render.explain.explanation import Explanation
from ntkfeyn.render.explain.steps import TERMS_SHOWN, derivation_steps
from ntkfeyn.render.formulas import operator_text, recursion_align, term_text
from ntkfeyn.render.html.phrases import Phrases
from ntkfeyn.render.html.pictures import picture
from ntkfeyn.render.html.sections import python_line
from ntkfeyn.render.notation import LatexNotation
from ntkfeyn.render.symbols import Symbols

MOST_SYMPY = 300  # expanded terms of a recursion that is copied as an expression
IMPORT = "import ntkfeyn as nf\n"


def diagram_data(recursions: Sequence[Recursion], symbols: Symbols) -> dict[str, Any]:
    """Recursions and diagrams by id: {"latex", "sympy", "python"}; diagrams also "terms" and "steps".

    A step is [title, depth, sentence, depth, sentence, ..], titles and sentences being places in "sentences"; formulas
    are places in "pieces". A diagram with Omega has "members", which have a "picture" and are "part" of it.
    """
    phrases = Phrases()
    diagrams: dict[str, Any] = {}
    for recursion in recursions:
        place = 0
        for number, drawn in enumerate(recursion.diagrams):
            line = f"{python_line(recursion, 'diagrams', symbols)}[{number}]"
            members = [member.id for member in drawn.members]
            diagrams[drawn.id] = _explained(drawn, drawn, line, recursion, symbols, phrases)
            diagrams[drawn.id] |= {"members": members} if members else {}
            for member in drawn.members:
                line = f"{python_line(recursion, 'diagrams', symbols, full=True)}[{place}]"
                shown = picture(layout(member, symbols, plainly=True))
                about = _explained(member, drawn, line, recursion, symbols, phrases)
                diagrams[member.id] = {**about, "part": drawn.id, "picture": shown}
                place += 1
            place += not members
    omega = f"${symbols.latex.omega}$"
    return {
        "recursions": {str(recursion.id): _copied(recursion, symbols) for recursion in recursions},
        "diagrams": diagrams,
        "apart": phrases.sentence(f"The choices of {omega}, drawn apart"),
        **phrases.data(),
    }


def _copied(recursion: Recursion, symbols: Symbols) -> dict[str, str]:
    line = python_line(recursion, "derive", symbols)
    if recursion.written > MOST_SYMPY:
        expression = f"{IMPORT}expression = {line}.sympy()\n"
    else:
        from ntkfeyn.render.sympy import shown, to_sympy

        expression = shown(to_sympy(recursion, symbols), symbols)
    return {
        "latex": recursion_align(recursion, LatexNotation(symbols.latex)),
        "sympy": expression,
        "python": f"{IMPORT}recursion = {line}\n",
    }


def _explained(
    diagram: Diagram, drawn: Diagram, line: str, recursion: Recursion, symbols: Symbols, phrases: Phrases
) -> dict[str, Any]:
    """``line``: the call that makes it again."""
    explanation = Explanation(diagram, drawn, recursion, symbols, dict, inline=True)
    terms = explanation.reduced[0]
    written = _written(terms, recursion, LatexNotation(symbols.latex))
    steps = [
        [phrases.sentence(title), *(value for depth, text in rows for value in (depth, phrases.sentence(text)))]
        for title, rows in derivation_steps(explanation)
    ]
    return {
        "latex": " ".join(written),
        "sympy": _expression(terms, line, recursion, symbols),
        "python": f"{IMPORT}diagram = {line}\n",
        "terms": list(map(phrases.formula, written)),
        "steps": steps,
    }


def _written(terms: Sequence[ProductTerm], recursion: Recursion, notation: LatexNotation) -> list[str]:
    """The terms of one diagram; operators open before what they act on."""
    rows = [term_text(term, notation, leading=i == 0) for i, term in enumerate(terms)]
    if recursion.shared:
        left, right = notation.brackets
        rows[0] = f"{operator_text(recursion, notation)}{notation.space}{left}{rows[0]}"
        rows[-1] += right
    return rows


def _expression(terms: tuple[ProductTerm, ...], line: str, recursion: Recursion, symbols: Symbols) -> str:
    """The terms of one diagram in SymPy; a program where they are more than an explanation shows."""
    averaged = recursion.averaged if recursion.shared else ()
    if written_terms(terms) <= TERMS_SHOWN:
        from ntkfeyn.render.sympy import shown, terms_to_sympy

        return shown(terms_to_sympy(terms, symbols, averaged), symbols)
    found = f"{line}.sympy()"
    return f"{IMPORT}expression = {_averaged(found, averaged)}\n"


def _averaged(expression: str, pairs: Sequence[tuple[int, int]]) -> str:
    return f"nf.symbols.Averaging({expression}, {', '.join(map(str, pairs))})" if pairs else expression
