"""The page: what its template shows, gathered from records that exist; nothing is worked out here.

Enters: recursions, a title and letters. Leaves: one HTML document that needs nothing else: no script, font or picture
from elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any
from urllib.parse import quote

from ntkfeyn.derivation.recursion import Recursion
from ntkfeyn.errors import bad_request
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.ensembles import GAUSSIAN
from ntkfeyn.model.tensors import MEAN_KERNEL, MEAN_NTK, TensorId
from ntkfeyn.render.drawing.names import tensor_names
from ntkfeyn.render.html.explanations import diagram_data
from ntkfeyn.render.html.graph import HEIGHT, Graph, dependency_graph
from ntkfeyn.render.html.mathml import mathml
from ntkfeyn.render.html.phrases import inline
from ntkfeyn.render.html.pictures import picture
from ntkfeyn.render.html.sections import section
from ntkfeyn.render.html.tensors import tensor_cards
from ntkfeyn.render.latex.rules import capital, cumulant_rows, prose, rule_rows
from ntkfeyn.render.notation import LatexNotation
from ntkfeyn.render.symbols import Symbols
from ntkfeyn.render.templates import provenance, renderer

LONGEST_TITLE = 200
MANY = 300  # diagrams, from which on a page is laid out piece by piece


def check_title(title: str) -> None:
    """Raises RequestError for what is no line of text."""
    if not title.strip() or not title.isprintable() or len(title) > LONGEST_TITLE:
        allowed = f"one line of text is allowed, at most {LONGEST_TITLE} characters"
        raise bad_request(f"title {title[:60]!r}", allowed, "--title 'Some text'")


def html_page(recursions: Sequence[Recursion], title: str, symbols: Symbols) -> str:
    """The document. Raises RequestError for a title of several lines."""
    check_title(title)
    shown = {recursion.id for recursion in recursions}
    needed = {tensor for recursion in recursions for tensor in recursion.dependencies}
    names = {tensor: tensor_names(tensor.name, _correction(tensor), symbols)[1] for tensor in sorted(shown | needed)}
    graph = dependency_graph(recursions, names)
    links = {tensor: link(tensor, names[tensor], tensor in shown) for tensor in names}
    beside = {node.tensor: node for node in graph.nodes}
    sections = []
    for recursion in recursions:
        node = beside[recursion.id]
        around = {"needs": [links[t] for t in node.needs], "needed_by": [links[t] for t in node.needed_by]}
        sections.append({**section(recursion, symbols), **around, "link": links[recursion.id]})
    return renderer()(
        "html/page.html.jinja",
        provenance=provenance(recursions),
        title=escape(title),
        sections=sections,
        tensors=tensor_cards(recursions, links, symbols),
        many=sum(len(recursion.diagrams) for recursion in recursions) > MANY,
        graph=_graph(graph, links),
        rules=_rules(recursions, symbols),
        say=_sayings(symbols),
        shared=bool(recursions) and recursions[0].shared,
        weights=recursions[0].weights if recursions else GAUSSIAN,
        data=_json(diagram_data(recursions, symbols)),
    )


def link(tensor: TensorId, name: str, known: bool) -> dict[str, Any]:
    """Where a tensor's recursion stands on the page, if it does."""
    return {"id": escape(str(tensor)), "href": f"#{quote(str(tensor))}", "name": escape(name), "known": known}


def _correction(tensor: TensorId) -> int:
    return tensor.order - standard(tensor.name).leading_order


def _graph(graph: Graph, links: Mapping[TensorId, dict[str, Any]]) -> dict[str, Any]:
    """Boxes and ways as the template draws them."""
    nodes = [
        {
            **links[node.tensor],
            "x": f"{node.x - node.width / 2:.0f}",
            "y": f"{node.y - HEIGHT / 2:.0f}",
            "middle": f"{node.x:.0f}",
            "baseline": f"{node.y + 5:.0f}",
            "width": f"{node.width:.0f}",
            "needs": [links[t] for t in node.needs],
            "needed_by": [links[t] for t in node.needed_by],
        }
        for node in graph.nodes
    ]
    edges = [{"from": links[a]["id"], "to": links[b]["id"], "way": way} for a, b, way in graph.edges]
    return {"nodes": nodes, "edges": edges, "width": f"{graph.width:.0f}", "height": f"{graph.height:.0f}"}


def _rules(recursions: Sequence[Recursion], symbols: Symbols) -> dict[str, list[Any]]:
    """The elements of a diagram with their factors, and the series of weight blocks."""
    weights = recursions[0].weights if recursions else GAUSSIAN
    shared = bool(recursions) and recursions[0].shared
    rows = [
        {
            "element": inline(capital(prose(row.element, symbols.latex))),
            "formula": mathml(row.formula),
            "picture": picture(row.picture),
        }
        for row in rule_rows(symbols, weights, shared)
    ]
    return {"rows": rows, "series": list(map(mathml, cumulant_rows(recursions))) if weights != GAUSSIAN else []}


def _sayings(symbols: Symbols) -> dict[str, str]:
    """Formulas inside of the words of the template."""
    letters, notation = symbols.latex, LatexNotation(symbols.latex)
    n, layer, (left, right) = letters.width, letters.layer, letters.expectation
    first = LatexNotation(letters, "1")

    def begin(tensor: TensorId, bias: str, weight: str) -> str:
        product = rf"\tfrac{{{letters.coupling(weight)}}}{{{n}_0}}\,x_1\cdot x_2"
        return f"{first.tensor(tensor.name, 0, (1, 2))}={letters.coupling(bias)}+{product}"

    found = {
        "layer": layer,
        "next": f"{layer}+1",
        "width": f"{n}_{{{layer}}}",
        "rho": rf"{letters.coupling('width_ratio')}={n}_{{{layer}}}/{n}_{{{layer}-1}}",
        "tau": rf"{letters.coupling('tau')}={n}_{{{layer}}}/\,\mathrm{{max}}({n}_{{{layer}}},{n}_{{{layer}+1}})",
        "kernel": notation.symbol("K", 0),
        "mean": rf"{left} \ldots{right}",
        "activation": f"{letters.activation}_{{a}}",
        "derivative": f"{letters.derivative}_{{{letters.bound}}}",
        "bound": letters.bound,
        "a": "a",
        "merged": letters.omega,
        "K": begin(MEAN_KERNEL, "C_b", "C_W"),
        "Theta": begin(MEAN_NTK, "lambda_b", "lambda_W"),
        "averaging": rf"{letters.averaging}_{{vw}}",
    }
    return {name: mathml(tex) for name, tex in found.items()}


def _json(data: Any) -> str:
    """JSON that can stand in a <script>: nothing in it ends one."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True).replace("<", "\\u003c")
