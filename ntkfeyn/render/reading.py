"""Reading a diagram: which rule gives which factor, and how the power of 1/n is counted (theory sections 3 and 4).

Enters: a Diagram and a notation. Leaves: short lines of text with formulas, for an appendix or an explanation.
"""

from __future__ import annotations

from collections.abc import Sequence

from ntkfeyn.derivation.diagrams import Diagram, TensorVertex, pair_ends
from ntkfeyn.derivation.translation import tied_blocks
from ntkfeyn.model.cumulants import standard
from ntkfeyn.render.formulas import vertex_text
from ntkfeyn.render.notation import TextNotation, counted


def factors_of(diagram: Diagram, notation: TextNotation, math: str = "{}") -> list[str]:
    """One line a cubic vertex, tensor vertex and neuron with several functions; ``math`` wraps a formula."""
    lines = []
    for vertex in diagram.cubic_vertices:
        pair = _dashed(vertex.slots, notation, math)
        lines.append(f"pair {pair}: {vertex.rule.words}, {math.format(vertex_text(vertex, notation))}")
    lines += [_tensor_line(diagram, vertex, notation, math) for vertex in diagram.tensor_vertices]
    for j, held in enumerate(diagram.propagators, start=1):
        blocks = tied_blocks(diagram, held)
        pairs = [_dashed(vertex.slots, notation, math) for vertex in diagram.cubic_vertices]
        names = ["+".join(pairs[i] for i in block) for block in blocks]
        if len(blocks) > 1:
            lines.append(f"neuron {j} carries {', '.join(names)}: their joint cumulant")
        elif len(held) > 1:
            lines.append(f"neuron {j} carries {names[0]}, tied together: one expectation")
    return lines


def _tensor_line(diagram: Diagram, vertex: TensorVertex, notation: TextNotation, math: str) -> str:
    """What a layer-l cumulant is attached to."""
    pairs = pair_ends(diagram, vertex)
    places = []
    for ends, j in dict.fromkeys(pairs):
        names = _dashed(ends, notation, math)
        alike = f"{pairs.count((ends, j))} times " if pairs.count((ends, j)) > 1 else ""
        places.append(f"{alike}{names} on neuron {j + 1}")
    name = math.format(notation.tensor(vertex.name, vertex.order - standard(vertex.name).leading_order, ()))
    return f"{name} of order {vertex.order}: {', '.join(places)}"


def _dashed(slots: Sequence[int | None], notation: TextNotation, math: str) -> str:
    """1-3: slots that are a pair, or the z-leg beside one; formulas only where samples have labels of their own."""
    z = notation.letters.preactivation
    leg, own = z if z == "z" else math.format(z), bool(notation.letters.samples)
    names = [leg if slot is None else math.format(notation.label(slot)) if own else str(slot) for slot in slots]
    return "-".join(names)


def power_counting(diagram: Diagram) -> str:
    """Pairs minus neurons plus the orders of the layer-l cumulants (theory section 4)."""
    pairs, neurons, cost = len(diagram.cubic_vertices), len(diagram.propagators), diagram.cost
    return f"{counted(pairs, 'pair')} - {counted(neurons, 'neuron')} + {cost} = order {diagram.order}"
