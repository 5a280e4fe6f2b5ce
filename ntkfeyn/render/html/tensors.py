"""The tensors of the page: each with its picture and the joint cumulant of which it is a coefficient.

Enters: recursions. Leaves: plain values for the template, one a class of tensors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from ntkfeyn.derivation.recursion import Recursion
from ntkfeyn.model.cumulants import Cumulant, standard
from ntkfeyn.model.tensors import NAMES, TensorId
from ntkfeyn.render.drawing.layout import blob
from ntkfeyn.render.drawing.names import tensor_names
from ntkfeyn.render.formulas import cumulant_text, slots_text
from ntkfeyn.render.html.mathml import mathml
from ntkfeyn.render.html.pictures import picture
from ntkfeyn.render.latex.macros import tree_letters, tree_name
from ntkfeyn.render.notation import LatexNotation, TextNotation
from ntkfeyn.render.symbols import Symbols


def tensor_cards(
    recursions: Sequence[Recursion], links: Mapping[TensorId, dict[str, Any]], symbols: Symbols
) -> list[dict[str, Any]]:
    """Named tensors first, then by number of slots; ``links`` lead to the recursions of a class."""
    drawn = {vertex.name for r in recursions for diagram in r.diagrams for vertex in diagram.tensor_vertices}
    used = drawn | {tensor.name for tensor in links}
    ordered = sorted(used, key=lambda name: (NAMES.index(name) if name in NAMES else len(NAMES), len(name), name))
    legs = tree_letters([leg for name in ordered for leg in standard(name).legs], symbols.latex)
    notation, text = LatexNotation(symbols.latex), TextNotation(symbols.text)
    cards = []
    for name in ordered:
        shape = standard(name)
        power = shape.leading_order
        cards.append(
            {
                "name": escape(name),
                "symbol": mathml(cumulant_text(shape, power, notation)),
                "picture": picture(blob(shape, *tensor_names(name, 0, symbols), symbols, plainly=True)),
                "cumulant": [list(map(mathml, side)) for side in cumulant_tex(shape, legs, notation)],
                "words": escape(f"legs {shape.legs_text()}, channel {shape.channel_text()}{slots_text(shape, text)}"),
                "links": [links[tensor] for tensor in sorted(links, key=TensorId.by_order) if tensor.name == name],
            }
        )
    return cards


def cumulant_tex(shape: Cumulant, legs: Mapping[str, str], notation: LatexNotation) -> tuple[list[str], list[str]]:
    """E^c[z, z, NTK], and = 1/n V delta delta + ..: the tensor's channel at layer l+1; ``legs`` by ``tree_name``.

    Each in the pieces between which a line may break.
    """
    letters = notation.letters
    layer = f"{notation.layer}+1"

    def neuron(label: int) -> str:
        return f"{letters.neuron}_{{{notation.label(label)}}}"

    observables = [
        f"{legs.get(tree_name(leg), letters.preactivation)}"
        f"_{{{' '.join(map(neuron, leg.labels))};{notation.indices(leg.labels)}}}"
        for leg in shape.legs
    ]
    deltas = [f"{letters.delta}_{{{neuron(shape.labels[a])} {neuron(shape.labels[b])}}}" for a, b in shape.channel]
    tensor = cumulant_text(shape, shape.leading_order, LatexNotation(letters, layer))
    power = shape.leading_order
    width = f"{letters.width}_{{{notation.layer}}}" + (f"^{{{power}}}" if power > 1 else "")
    factor = rf"\tfrac{{1}}{{{width}}}\," if power else ""
    kind = r"\mathrm{E}" if len(shape.legs) == 1 else r"\mathrm{E}^{\mathrm{c}}"
    *before, last = observables
    joint = [rf"{one}\,," for one in before] + [rf"{last}\,]^{{({layer})}}"]
    joint[0] = rf"{kind}\,[\,{joint[0]}"
    return joint, [rf"={factor}{tensor}\," + r"\,".join(deltas) + r"+\cdots"]
