"""Graphviz source of a diagram, for other tools: the networkx view written out."""

from __future__ import annotations

from ntkfeyn.diagram import Diagram

_SHAPES = {"leg": "plaintext", "slot": "point", "cubic": "circle", "propagator": "doublecircle", "tensor": "box"}


def dot(diagram: Diagram) -> str:
    """A graph in the DOT language."""
    graph = diagram.graph
    rows = [f'graph "{diagram.id}" {{']
    for node, data in graph.nodes(data=True):
        text = data.get("name") or data.get("type") or data.get("sample", node)
        rows.append(f'  "{node}" [shape={_SHAPES[data["kind"]]}, label="{text}"];')
    for a, b, data in graph.edges(data=True):
        style = {"tree": "dotted", "derivative": "dotted", "node": "dashed"}.get(data["kind"], "solid")
        rows.append(f'  "{a}" -- "{b}" [style={style}];')
    return "\n".join([*rows, "}"]) + "\n"
