"""One recursion of the page: its equation of diagrams and its formula, term by term.

Enters: a Recursion and letters. Leaves: plain values for the template.
"""

from __future__ import annotations

import json
from html import escape
from typing import Any
from urllib.parse import quote

from ntkfeyn.derivation.diagrams import Diagram
from ntkfeyn.derivation.recursion import Recursion
from ntkfeyn.model.cumulants import standard
from ntkfeyn.render.drawing.layout import blob, layout
from ntkfeyn.render.drawing.legend import legend_lines
from ntkfeyn.render.drawing.names import power_names, tensor_names
from ntkfeyn.render.formulas import (
    averaged_terms,
    cumulant_text,
    operator_text,
    slots_text,
    term_text,
    unnamed_definitions,
)
from ntkfeyn.render.html.mathml import mathml
from ntkfeyn.render.html.phrases import spaced
from ntkfeyn.render.html.pictures import picture
from ntkfeyn.render.notation import LatexNotation, TextNotation, counted
from ntkfeyn.render.symbols import Symbols


def section(recursion: Recursion, symbols: Symbols) -> dict[str, Any]:
    """The values of the template ``recursion.html.jinja``."""
    shape, order = recursion.cumulant, recursion.order
    latex, text = LatexNotation(symbols.latex), TextNotation(symbols.text)
    above = LatexNotation(symbols.latex, f"{latex.layer}+1")
    correction = order - shape.leading_order
    drawings = [layout(diagram, symbols, plainly=True) for diagram in recursion.diagrams]
    begun = any(not term.diagrams for term in recursion.terms)
    return {
        "symbol": mathml(cumulant_text(shape, order, latex)),
        "head": mathml(cumulant_text(shape, order, above)),
        "plain": escape(cumulant_text(shape, order, text)),
        "order": f"order {mathml('1' + power_names(order, symbols)[0])}" if order else "infinite width",
        "legs": escape(f"legs {shape.legs_text()}, channel {shape.channel_text()}{slots_text(shape, text)}"),
        "count": f"{counted(len(recursion.diagrams), 'diagram')}, {counted(len(recursion.terms), 'term')}",
        "blob": picture(
            blob(shape, *tensor_names(shape.name, correction, symbols), symbols, plainly=True), raised=True
        ),
        "constants": [mathml(term_text(term, latex)) for term in recursion.terms if not term.diagrams],
        "diagrams": [
            _figure(diagram, picture(drawing, raised=True), latex, leading=not (i or begun))
            for i, (diagram, drawing) in enumerate(zip(recursion.diagrams, drawings, strict=True))
        ],
        "legend": list(map(escape, legend_lines(drawings))),
        "terms": [
            {"ids": [(escape(d), quote(d)) for d in ids], "formula": mathml(spaced(tex), block=True)}
            for ids, tex in formula_rows(recursion, latex)
        ],
        "unnamed": list(map(escape, unnamed_definitions(recursion, text))),
    }


def formula_rows(recursion: Recursion, notation: LatexNotation) -> list[tuple[tuple[str, ...], str]]:
    """The terms with their diagrams, in the order of the recursion; operators open before what they act on."""
    constants, inside = averaged_terms(recursion)
    rows = [(term.diagrams, term_text(term, notation, leading=i == 0)) for i, term in enumerate(constants)]
    acted = [(term.diagrams, term_text(term, notation, leading=i == 0)) for i, term in enumerate(inside)]
    if recursion.shared and acted:
        (ids, first), (left, right) = acted[0], notation.brackets
        operators = operator_text(recursion, notation)
        acted[0] = (ids, f"{'+ ' if rows else ''}{operators}{notation.space}{left}{first}")
        acted[-1] = (acted[-1][0], acted[-1][1] + right)
    return [*rows, *acted] or [((), "0")]


def _figure(diagram: Diagram, drawn: str, notation: LatexNotation, *, leading: bool) -> dict[str, Any]:
    """A picture with what stands before it: its sign and weight."""
    size = abs(diagram.weight)
    sign = "-" if diagram.weight < 0 else "" if leading else "+"
    before = sign if size == 1 else spaced(f"{sign} {notation.fraction(size)}".lstrip())
    tensors = [f"{vertex.name}" for vertex in diagram.tensor_vertices]
    held = f", with {' and '.join(tensors)}" if tensors else ""
    return {
        "id": escape(diagram.id),
        "before": mathml(before) if before else "",
        "picture": drawn,
        "label": escape(f"Diagram {diagram.id}, weight {diagram.weight}{held}: explain", quote=True),
    }


def python_line(recursion: Recursion, function: str, symbols: Symbols, *, full: bool = False) -> str:
    """The call that derives it again: nf.derive("F", order=1); ``full``: choices of Omega apart."""
    shape = recursion.cumulant
    named = shape == standard(shape.name)
    what = f'"{shape.name}"' if named else f'legs="{shape.legs_text()}", channel="{shape.channel_text()}"'
    law = "" if recursion.weights == "gaussian" else f', weights="{recursion.weights}"'
    law += ", shared=True" if recursion.shared and function == "derive" else ""
    law += ", full=True" if full else ""
    law += f", notation={json.dumps(symbols.source, ensure_ascii=False)}" if symbols.source else ""
    return f"nf.{function}({what}, order={recursion.order}{law})"
