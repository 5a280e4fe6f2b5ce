"""JSON of recursions and diagrams (interface: schemas ntkfeyn.recursion/1, recursions/1, diagrams/1).

Enters: frozen records. Leaves: plain dicts in stable order, and their text.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ntkfeyn.derivation.diagrams import Diagram, TensorVertex, pair_ends
from ntkfeyn.derivation.enumeration import Enumeration
from ntkfeyn.derivation.homogeneity import SAMPLE, Diagonal
from ntkfeyn.derivation.recursion import Recursion
from ntkfeyn.derivation.terms import ExpandedTerm, Powers, Tensor
from ntkfeyn.model.cumulants import Cumulant, standard
from ntkfeyn.model.legs import NAMED_TREES, Leg
from ntkfeyn.runtime.version import TOOL

ALWAYS = ("C_W", "lambda_W", "C_b", "lambda_b", "width_ratio")  # couplings that every term of recursion/1 lists


def to_text(data: Any) -> str:
    """JSON text: one line a term or diagram, so that differences read well."""
    return _render(data, 0) + "\n"


def _render(data: Any, depth: int) -> str:
    flat = json.dumps(data, ensure_ascii=False)
    if depth >= 2 and not (isinstance(data, list) and depth == 3 and data and isinstance(data[0], dict)):
        return flat
    pad = "  " * (depth + 1)
    if isinstance(data, dict) and data:
        rows = [f"{pad}{json.dumps(key)}: {_render(value, depth + 1)}" for key, value in data.items()]
        return "{\n" + ",\n".join(rows) + "\n" + "  " * depth + "}"
    if isinstance(data, list) and data and isinstance(data[0], dict):
        rows = [pad + _render(value, depth + 1) for value in data]
        return "[\n" + ",\n".join(rows) + "\n" + "  " * depth + "]"
    return flat


def leg_json(leg: Leg) -> list[Any]:
    """A leg as [type, [samples]]."""
    kind = leg.kind if leg.kind in NAMED_TREES else {"tree": [list(edge) for edge in leg.edges]}
    return [kind, list(leg.labels)]


def cumulant_json(cumulant: Cumulant) -> dict[str, Any]:
    """Name, legs and channel (1-based slot positions)."""
    return {
        "name": cumulant.name,
        "legs": [leg_json(leg) for leg in cumulant.legs],
        "channel": [[a + 1, b + 1] for a, b in cumulant.channel],
    }


def tensor_json(tensor: Tensor) -> dict[str, Any]:
    shape = cumulant_json(standard(tensor.name).relabelled(tensor.labels))
    return {"name": shape["name"], "order": tensor.order, "legs": shape["legs"], "channel": shape["channel"]}


def term_json(term: ExpandedTerm) -> dict[str, Any]:
    return {
        "coefficient": str(term.coefficient),
        **_couplings_json(term.couplings),
        "expectations": [[list(factor) for factor in expectation] for expectation in term.expectations],
        "tensors": [tensor_json(tensor) for tensor in term.tensors],
        "diagrams": list(term.diagrams),
    }


def _couplings_json(powers: Powers) -> dict[str, int]:
    """Those of the schema always, others where they occur."""
    return {name: powers.power(name) for name in ALWAYS} | dict(powers)


def recursion_json(recursion: Recursion) -> dict[str, Any]:
    """Schema ntkfeyn.recursion/1: fully expanded terms, all tensors at layer l."""
    data = {
        "schema": "ntkfeyn.recursion/1",
        "tool": TOOL,
        "cumulant": cumulant_json(recursion.cumulant),
        "order": recursion.order,
        "hash": recursion.hash,
        "diagrams": [diagram_json(diagram) for diagram in recursion.diagrams],
        "terms": [term_json(term) for term in recursion.expanded],
    }
    return data | {"homogeneous": homogeneous_json(recursion)} if isinstance(recursion, Diagonal) else data


def homogeneous_json(recursion: Diagonal) -> dict[str, Any]:
    """What holds for z s'(z) = s(z) at one input: the tensors that vanish together, and why terms were dropped."""
    return {
        "vanishing": [str(tensor) for tensor in recursion.vanishing],
        "dropped": [
            {
                "expectation": [[SAMPLE, m] for m in mean.orders],
                "derivatives": mean.derivatives,
                "terms": terms,
                "diagrams": list(diagrams),
            }
            for mean, terms, diagrams in recursion.reasons
        ],
    }


def recursions_json(recursions: Sequence[Recursion]) -> dict[str, Any]:
    """One recursion answers with recursion/1, several with recursions/1."""
    if len(recursions) == 1:
        return recursion_json(recursions[0])
    return {"schema": "ntkfeyn.recursions/1", "recursions": [recursion_json(r) for r in recursions]}


def diagram_json(diagram: Diagram) -> dict[str, Any]:
    """One diagram; slots by their sample, cubic vertices and propagators by their 1-based number."""
    return {
        "id": diagram.id,
        "weight": str(diagram.weight),
        "width_ratio": diagram.cost,
        "cubic_vertices": [
            {"coupling": vertex.coupling, "factors": [[factor.slot, factor.order] for factor in vertex.factors]}
            for vertex in diagram.cubic_vertices
        ],
        "tensor_vertices": [_tensor_vertex_json(diagram, vertex) for vertex in diagram.tensor_vertices],
        "propagators": [[i + 1 for i in held] for held in diagram.propagators],
        "members": [diagram_json(member) for member in diagram.members],
    }


def _tensor_vertex_json(diagram: Diagram, vertex: TensorVertex) -> dict[str, Any]:
    return {
        "name": vertex.name,
        "order": vertex.order,
        "trees": [{"edges": [list(edge) for edge in tree.edges], "slots": list(tree.nodes)} for tree in vertex.trees],
        "pairs": [
            {"ends": ["z" if end is None else end for end in ends], "propagator": propagator + 1}
            for ends, propagator in pair_ends(diagram, vertex)
        ],
    }


def diagrams_json(cumulant: Cumulant, order: int, found: Enumeration, diagrams: Sequence[Diagram]) -> dict[str, Any]:
    """Schema ntkfeyn.diagrams/1."""
    return {
        "schema": "ntkfeyn.diagrams/1",
        "tool": TOOL,
        "cumulant": cumulant_json(cumulant),
        "order": order,
        "counts": {"candidates": found.candidates, "connected": found.connected, "kept": len(diagrams)},
        "diagrams": [diagram_json(diagram) for diagram in diagrams],
    }
