"""JSON of recursions and diagrams (interface: schemas ntkfeyn.recursion/1, recursions/1, diagrams/1).

Enters: frozen records. Leaves: plain dicts in stable order, and their text; of recursions also piece by piece, for the
terms of high orders fill memory many times over. Given a notation, cumulants and terms hold formulas in LaTeX too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, partial
from typing import Any

from ntkfeyn.derivation.diagrams import Diagram, TensorVertex, pair_ends
from ntkfeyn.derivation.enumeration import Enumeration
from ntkfeyn.derivation.expansion import check_written
from ntkfeyn.derivation.homogeneity import SAMPLE, Diagonal
from ntkfeyn.derivation.recursion import Recursion
from ntkfeyn.derivation.rules import GAUSSIAN_COUPLINGS
from ntkfeyn.derivation.terms import ExpandedTerm, Powers, ProductTerm, Tensor
from ntkfeyn.model.cumulants import Cumulant, standard
from ntkfeyn.model.ensembles import GAUSSIAN
from ntkfeyn.model.legs import NAMED_TREES, Leg
from ntkfeyn.render.formulas import cumulant_text, expanded_text, term_text
from ntkfeyn.render.notation import LatexNotation
from ntkfeyn.render.susceptibilities import self_json
from ntkfeyn.runtime.version import TOOL


def to_text(data: Any) -> str:
    """JSON text: one line a term or diagram, so that differences read well."""
    return _render(data, 0) + "\n"


def _render(data: Any, depth: int) -> str:
    if depth >= 2 and not (isinstance(data, list) and depth == 3 and data and isinstance(data[0], dict)):
        return _flat(data)
    pad = "  " * (depth + 1)
    if isinstance(data, dict) and data:
        rows = [f"{pad}{json.dumps(key)}: {_render(value, depth + 1)}" for key, value in data.items()]
        return "{\n" + ",\n".join(rows) + "\n" + "  " * depth + "}"
    if isinstance(data, list) and data and isinstance(data[0], dict):
        rows = [pad + _render(value, depth + 1) for value in data]
        return "[\n" + ",\n".join(rows) + "\n" + "  " * depth + "]"
    return _flat(data)


def _flat(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False)


def leg_json(leg: Leg) -> list[Any]:
    """A leg as [type, [samples]]."""
    return [_kind(leg), list(leg.labels)]


def _kind(leg: Leg) -> Any:
    return leg.kind if leg.kind in NAMED_TREES else {"tree": [list(edge) for edge in leg.edges]}


def cumulant_json(cumulant: Cumulant) -> dict[str, Any]:
    """Name, legs and channel (1-based slot positions)."""
    return {
        "name": cumulant.name,
        "legs": [leg_json(leg) for leg in cumulant.legs],
        "channel": _channel(cumulant),
    }


def written_cumulant(cumulant: Cumulant, order: int, notation: LatexNotation | None) -> dict[str, Any]:
    """The same, with the tensor as a formula."""
    formula = {"latex": cumulant_text(cumulant, order, notation)} if notation else {}
    return cumulant_json(cumulant) | formula


def _channel(cumulant: Cumulant) -> list[list[int]]:
    return [[a + 1, b + 1] for a, b in cumulant.channel]


def tensor_json(tensor: Tensor) -> dict[str, Any]:
    return _labelled(tensor, tensor.labels)


def _labelled(tensor: Tensor, labels: Sequence[int | str]) -> dict[str, Any]:
    """A tensor; ``labels`` by slot of its representative."""
    name, kinds, channel = _shape(tensor.name)
    legs = [[kind, list(labels[start:stop])] for kind, start, stop in kinds]
    return {"name": name, "order": tensor.order, "legs": legs, "channel": channel}


@cache
def _shape(name: str) -> tuple[str, list[tuple[Any, int, int]], list[list[int]]]:
    """Name, legs (type, first slot, the one after the last) and channel of a class: once, not for each tensor."""
    shape = standard(name)
    stops = [sum(len(leg.labels) for leg in shape.legs[: i + 1]) for i in range(len(shape.legs))]
    kinds = [(_kind(leg), stop - len(leg.labels), stop) for leg, stop in zip(shape.legs, stops, strict=True)]
    return shape.name, kinds, _channel(shape)


def term_json(term: ExpandedTerm, notation: LatexNotation | None = None) -> dict[str, Any]:
    formula = {"latex": expanded_text(term, notation)} if notation else {}
    return {
        "coefficient": str(term.coefficient),
        **_couplings_json(term.couplings),
        "expectations": [[list(factor) for factor in expectation] for expectation in term.expectations],
        "tensors": [tensor_json(tensor) for tensor in term.tensors],
        "diagrams": list(term.diagrams),
        **formula,
    }


def _couplings_json(powers: Powers) -> dict[str, int]:
    """Those of the schema always, others where they occur."""
    return {name: powers.power(name) for name in GAUSSIAN_COUPLINGS} | dict(powers)


def product_json(term: ProductTerm, notation: LatexNotation | None = None) -> dict[str, Any]:
    """A term before Leibniz: each bound label b1, b2, .. runs over the domain of the group that it acts on."""
    acting: list[list[str]] = [[] for _ in term.groups]
    tensors, bound = [], 0
    for tensor in term.tensors:
        labels: list[int | str] = list(tensor.labels)
        for slot, label in enumerate(tensor.labels):
            if label < 0:
                bound += 1
                labels[slot] = f"b{bound}"
                acting[-label - 1].append(f"b{bound}")
        tensors.append(_labelled(tensor, labels))
    return {
        "coefficient": str(term.coefficient),
        **_couplings_json(term.couplings),
        "tensors": tensors,
        "groups": [
            {
                "factors": [[factor.slot, factor.order] for factor in group.factors],
                "omegas": [list(pair) for pair in group.omegas],
                "derivatives": named,
                "domain": list(group.domain),
            }
            for group, named in zip(term.groups, acting, strict=True)
        ],
        "diagrams": list(term.diagrams),
        **({"latex": term_text(term, notation)} if notation else {}),
    }


def recursion_json(recursion: Recursion, notation: LatexNotation | None = None) -> dict[str, Any]:
    """Schema ntkfeyn.recursion/1: fully expanded terms, all tensors at layer l."""
    terms = [term_json(term, notation) for term in recursion.expanded]
    return {**_head(recursion, notation), "terms": terms, **_tail(recursion)}


def _head(recursion: Recursion, notation: LatexNotation | None) -> dict[str, Any]:
    return {
        "schema": "ntkfeyn.recursion/1",
        "tool": TOOL,
        "cumulant": written_cumulant(recursion.cumulant, recursion.order, notation),
        "order": recursion.order,
        **weights_json(recursion.weights),
        **({"shared": True} if recursion.shared else {}),
        "hash": recursion.hash,
        "diagrams": [diagram_json(diagram) for diagram in recursion.diagrams],
    }


def weights_json(weights: str) -> dict[str, str]:
    """The ensemble of the weights of layer l+1; absent for Gaussian ones."""
    return {} if weights == GAUSSIAN else {"weights": weights}


def _tail(recursion: Recursion) -> dict[str, Any]:
    return {"homogeneous": homogeneous_json(recursion)} if isinstance(recursion, Diagonal) else {}


def recursion_pieces(
    recursions: Sequence[Recursion],
    products: bool = False,
    notation: LatexNotation | None = None,
    susceptibilities: bool = False,
) -> Iterator[str]:
    """The text of ``recursions_json`` piece by piece; ``products``: the product terms instead of the expanded ones.

    ``susceptibilities``: what each tensor feeds on itself with, too.

    Raises LimitError, before the first piece, where the expanded terms are too many.
    """
    if not products:
        for recursion in recursions:
            check_written(recursion.terms)
    return _pieces(recursions, products, notation, susceptibilities)


def _pieces(
    recursions: Sequence[Recursion], products: bool, notation: LatexNotation | None, susceptibilities: bool
) -> Iterator[str]:
    alone = len(recursions) == 1
    yield "{\n" if alone else '{\n  "schema": "ntkfeyn.recursions/1",\n  "recursions": [\n'
    for i, recursion in enumerate(recursions):
        written: Iterable[Any] = recursion.terms if products else recursion.expanded_once()
        rows = map(partial(product_json if products else term_json, notation=notation), written)
        parts = {**_head(recursion, notation), "products" if products else "terms": rows, **_tail(recursion)}
        if susceptibilities:
            parts["susceptibilities"] = self_json(recursion)
        if alone:
            yield from _members(parts, 1)
        else:
            yield "    {" if i == 0 else ",\n    {"
            yield from _members(parts, None)
            yield "}"
    yield "\n}\n" if alone else "\n  ]\n}\n"


def _members(parts: dict[str, Any], depth: int | None) -> Iterator[str]:
    """The members of an object, on lines of their own or, without a depth, on one line."""
    pad, apart = ("", ", ") if depth is None else ("  " * depth, ",\n")
    for i, (name, value) in enumerate(parts.items()):
        yield f'{apart if i else ""}{pad}"{name}": '
        if isinstance(value, Iterator):
            yield from _listed(value, depth)
        else:
            yield _flat(value) if depth is None else _render(value, depth)


def _listed(rows: Iterator[Any], depth: int | None) -> Iterator[str]:
    """The entries of a list, one line each or, without a depth, on one line."""
    pad, apart, end = ("", ", ", "]") if depth is None else ("  " * (depth + 1), ",\n", "\n" + "  " * depth + "]")
    empty = True
    for row in rows:
        yield f"{('[' if depth is None else '[' + chr(10)) if empty else apart}{pad}{_flat(row)}"
        empty = False
    yield "[]" if empty else end


def recursions_json(recursions: Sequence[Recursion], notation: LatexNotation | None = None) -> dict[str, Any]:
    """One recursion answers with recursion/1, several with recursions/1."""
    if len(recursions) == 1:
        return recursion_json(recursions[0], notation)
    return {"schema": "ntkfeyn.recursions/1", "recursions": [recursion_json(r, notation) for r in recursions]}


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


def diagram_json(diagram: Diagram) -> dict[str, Any]:
    """One diagram; slots by their sample, cubic vertices and propagators by their 1-based number."""
    return {
        "id": diagram.id,
        "weight": str(diagram.weight),
        "width_ratio": diagram.cost,
        **_blocks_json(diagram),
        "cubic_vertices": [
            {"coupling": vertex.coupling, "factors": [[factor.slot, factor.order] for factor in vertex.factors]}
            for vertex in diagram.cubic_vertices
        ],
        "tensor_vertices": [_tensor_vertex_json(diagram, vertex) for vertex in diagram.tensor_vertices],
        "propagators": [[i + 1 for i in held] for held in diagram.propagators],
        "members": [diagram_json(member) for member in diagram.members],
    }


def _blocks_json(diagram: Diagram) -> dict[str, Any]:
    """The weight blocks, where the ensemble has them: the factor of a block stands in the diagram's weight too."""
    if diagram.weights == GAUSSIAN:
        return {}
    blocks = [
        {
            "pairs": [list(pair) for pair in block.pairs],
            "cubic_vertices": [i + 1 for i in block.cubic_vertices],
            "loops": list(block.loops),
            "cost": block.cost,
            "factor": str(block.coefficient),
        }
        for block in diagram.weight_blocks
    ]
    return {"tau": diagram.block_cost, "weight_blocks": blocks}


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


def diagrams_json(
    cumulant: Cumulant,
    order: int,
    found: Enumeration,
    diagrams: Sequence[Diagram],
    notation: LatexNotation | None = None,
) -> dict[str, Any]:
    """Schema ntkfeyn.diagrams/1; ``found`` are all, ``diagrams`` those to list."""
    return {
        "schema": "ntkfeyn.diagrams/1",
        "tool": TOOL,
        "cumulant": written_cumulant(cumulant, order, notation),
        "order": order,
        **weights_json(found.diagrams[0].weights),
        "counts": {"candidates": found.candidates, "connected": found.connected, "kept": len(diagrams)},
        "diagrams": [diagram_json(diagram) for diagram in diagrams],
    }
