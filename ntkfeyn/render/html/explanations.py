"""What the page's script knows: explanations step by step, and what is copied.

Enters: recursions and letters. Leaves: data for JSON. Sentences stand once and are referred to by number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ntkfeyn.derivation.diagrams import Diagram
from ntkfeyn.derivation.recursion import Recursion
from ntkfeyn.render.explain.explanation import Explanation
from ntkfeyn.render.explain.steps import derivation_steps
from ntkfeyn.render.formulas import recursion_align, term_text
from ntkfeyn.render.html.sections import python_line
from ntkfeyn.render.notation import LatexNotation
from ntkfeyn.render.symbols import Symbols

MOST_SYMPY = 300  # expanded terms of an expression that is copied as it is
IMPORT = "import ntkfeyn as nf\n"


class _Sentences:
    """Texts in the order in which they occur first."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}

    def number(self, text: str) -> int:
        return self.places.setdefault(text, len(self.places))


def diagram_data(recursions: Sequence[Recursion], symbols: Symbols) -> dict[str, Any]:
    """Recursions and diagrams by id: {"latex", "sympy", "python"}; diagrams also "of", their recursion, and "steps".

    A step is [title, depth, sentence, depth, sentence, ..], titles and sentences being places in "sentences".
    """
    sentences = _Sentences()
    return {
        "recursions": {str(recursion.id): _copied(recursion, symbols) for recursion in recursions},
        "diagrams": {
            diagram.id: _explained(diagram, number, recursion, symbols, sentences)
            for recursion in recursions
            for number, diagram in enumerate(recursion.diagrams)
        },
        "sentences": list(sentences.places),
    }


def _copied(recursion: Recursion, symbols: Symbols) -> dict[str, str]:
    line = python_line(recursion, "derive")
    if recursion.written > MOST_SYMPY:
        expression = f"{IMPORT}expression = {line}.sympy()\n"
    else:
        from sympy import sstr

        from ntkfeyn.render.sympy import to_sympy

        expression = sstr(to_sympy(recursion, symbols))
    return {
        "latex": recursion_align(recursion, LatexNotation(symbols.latex)),
        "sympy": expression,
        "python": f"{IMPORT}recursion = {line}\n",
    }


def _explained(
    diagram: Diagram, number: int, recursion: Recursion, symbols: Symbols, sentences: _Sentences
) -> dict[str, Any]:
    explanation = Explanation(diagram, diagram, recursion, symbols, dict)
    notation = LatexNotation(symbols.latex)
    terms = [term_text(term, notation, leading=i == 0) for i, term in enumerate(explanation.reduced[0])]
    steps = [
        [sentences.number(title), *(value for depth, text in rows for value in (depth, sentences.number(text)))]
        for title, rows in derivation_steps(explanation)
    ]
    return {
        "of": str(recursion.id),
        "latex": " ".join(terms),
        "python": f"{IMPORT}diagram = {python_line(recursion, 'diagrams')}[{number}]\n",
        "steps": steps,
    }
