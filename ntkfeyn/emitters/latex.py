"""LaTeX: a document with each diagram, its term and the collected recursion.

Enters: recursions. Leaves: the text of a .tex file that plain pdflatex compiles (amsmath, tikz, geometry).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ntkfeyn.diagram import Diagram
from ntkfeyn.emitters.layout import layout
from ntkfeyn.emitters.notation import LatexNotation, cumulant_text, recursion_latex, term_text
from ntkfeyn.emitters.rendering import provenance, render
from ntkfeyn.emitters.tikz import tikz
from ntkfeyn.recursion import Recursion
from ntkfeyn.reduction import reduce_terms
from ntkfeyn.translation import BIASES, RULES, translate


def latex_document(recursions: Sequence[Recursion]) -> str:
    """A standalone document: conventions, rules, then one section a cumulant."""
    return render(
        "latex/document.tex.jinja",
        provenance=provenance(recursions),
        rules=[
            {"element": rule.element, "latex": rule.latex, "source": rule.source}
            for rule in [*RULES.values(), *BIASES.values()]
        ],
        sections=[_section(recursion) for recursion in recursions],
    )


def _section(recursion: Recursion) -> dict[str, Any]:
    shape = recursion.cumulant
    return {
        "tensor": cumulant_text(shape, recursion.order, LatexNotation()),
        "name": recursion.name.replace("_", r"\_"),
        "legs": shape.legs_text().replace("_", r"\_"),
        "channel": shape.channel_text(),
        "order": recursion.order,
        "leading": shape.leading_order,
        "diagrams": [_diagram(recursion, diagram) for diagram in recursion.diagrams],
        "recursion": recursion_latex(recursion),
    }


def _diagram(recursion: Recursion, diagram: Diagram) -> dict[str, Any]:
    notation = LatexNotation()
    return {
        "id": diagram.id,
        "weight": notation.fraction(diagram.weight),
        "cost": diagram.cost,
        "picture": tikz(layout(diagram)),
        "terms": [
            term_text(term, notation, leading=i == 0) for i, term in enumerate(diagram_terms(recursion, diagram))
        ],
    }


def diagram_terms(recursion: Recursion, diagram: Diagram) -> Any:
    """The reduced product terms of one diagram on its own."""
    translated = [term for member in diagram.members or (diagram,) for term in translate(member, diagram.id)]
    return reduce_terms(tuple(translated), recursion.cumulant, recursion.without)[0]
