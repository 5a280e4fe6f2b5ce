"""Graphviz source of a diagram, for other tools: the networkx view written out."""

from __future__ import annotations

from typing import Any

from ntkfeyn.derivation.diagrams import Diagram

_SHAPES = {"leg": "plaintext", "slot": "point", "cubic": "circle", "propagator": "doublecircle", "tensor": "box"} | {
    "weight block": "diamond"
}


def _text(node: str, data: dict[str, Any]) -> str:
    """Name and order of a tensor, cost of a weight block, coupling of a vertex, type of a leg, sample of a slot."""
    if data["kind"] == "weight block":
        return f"1/n^{data['cost']}"
    if data["kind"] == "tensor":
        return f"{data['name']}@{data['order']}"
    return str(data.get("coupling") or data.get("type") or data.get("sample", node))


def dot(diagram: Diagram) -> str:
    """A graph in the DOT language; an edge from a slot to its cubic vertex shows the activation's derivative order."""
    graph = diagram.graph
    rows = [f'graph "{diagram.id}" {{']
    for node, data in graph.nodes(data=True):
        text = _text(node, data)
        rows.append(f'  "{node}" [shape={_SHAPES[data["kind"]]}, label="{text}"];')
    for a, b, data in graph.edges(data=True):
        style = {"tree": "dotted", "derivative": "dotted", "node": "dashed"}.get(data["kind"], "solid")
        order = f', label="{data["derivative"]}"' if data.get("derivative") else ""
        rows.append(f'  "{a}" -- "{b}" [style={style}{order}];')
    return "\n".join([*rows, "}"]) + "\n"
