"""What a diagram is made of, in words: legs, cubic vertices, internal trees, tensors, propagators (theory 3 and 4).

Enters: a Diagram and its attached tensors. Leaves: rows (depth, text), the second step of an explanation.
"""

from __future__ import annotations

from collections.abc import Sequence

from ntkfeyn.derivation.diagrams import CubicVertex, Diagram
from ntkfeyn.derivation.rules import CHOICES, TAU, Choice
from ntkfeyn.model.cumulants import Cumulant, standard
from ntkfeyn.model.legs import Leg, normal_leg
from ntkfeyn.model.tensors import MEAN_NTK
from ntkfeyn.render.explain.attachment import (
    Attached,
    Pair,
    derivatives_on,
    function_text,
    functions_on,
)
from ntkfeyn.render.formulas import choice_text, cumulant_text, dashed, powers_text, slots_text
from ntkfeyn.render.notation import TextNotation, counted
from ntkfeyn.render.weight_blocks import hidden_text, joined_text, series_equation, series_formula, term_of

Row = tuple[int, str]
LINES = ("wavy", "solid and dashed", "double dashed")  # by the number of differentiated activations


def constituents(diagram: Diagram, tensors: Sequence[Attached], notation: TextNotation) -> list[Row]:
    """Everything in the picture, from outside to inside."""
    rows = [(0, target_text(diagram.cumulant, diagram.order, notation))]
    layer, above = layers(notation)
    rows += _weight_blocks(diagram, notation)
    meaning = f"slots that the channel pairs share a neuron of layer {above}; each pair is one vertex."
    if diagram.weight_blocks:
        meaning = f"slots that share a hidden neuron of layer {layer}; each pair is one vertex."
    rows.append((0, f"Cubic vertices: {meaning}"))
    for i in range(len(diagram.cubic_vertices)):
        rows += _cubic(diagram, i, notation)
    trees = [normal_leg(tree.edges, tree.nodes) for v in diagram.tensor_vertices for tree in v.trees]
    if trees:
        named = ", ".join(sorted(_observable(tree, notation) for tree in trees))
        rows.append((0, f"Internal trees, the blocks joined along the old edges, now of layer {layer}: {named}."))
    else:
        beside = f" beside those in {notation.formula(notation.letters.omega)}" if _omegas(diagram) else ""
        rows.append((0, f"Internal trees: none{beside}."))
    rows.append((0, f"Tensor vertices, cumulants of layer {layer}:" if tensors else "Tensor vertices: none."))
    for one in tensors:
        rows.append((1, _tensor(one, notation)))
        rows += [(2, _pair(diagram, pair, notation)) for pair in one.pairs]
    rows.append((0, "Propagators, each one hidden neuron, summed over:"))
    rows += [(1, _propagator(diagram, tensors, j, notation)) for j in range(len(diagram.propagators))]
    return rows


def _weight_blocks(diagram: Diagram, notation: TextNotation) -> list[Row]:
    """Which weights stand in one joint cumulant, what it is, and the term of it that is taken."""
    if not diagram.weight_blocks:
        return []
    size = notation.formula(f"N = {notation.width}/{notation.power(TAU, 1)}")
    size += f", the size of the orthogonal matrix that W of layer {layers(notation)[1]} is part of"
    rows: list[Row] = [(0, f"Weight blocks, joint cumulants of more than two weights; {size}:")]
    for block in diagram.weight_blocks:
        outer, hidden = joined_text(block, notation), hidden_text(block, diagram, notation)
        lengths = ", ".join(map(str, block.loops))
        many = "a loop" if len(block.loops) == 1 else "loops"
        rows.append((1, f"pairs {outer} of the channel in one block of {2 * len(block.pairs)} weights"))
        rows.append(
            (2, f"the hidden neurons are paired anew: {hidden}; both pairings make {many} of half-length {lengths}")
        )
        taken = series_formula([term_of(block)], notation)
        rows.append((2, f"{series_equation(block.loops, notation)}; this diagram takes {taken}"))
    return rows


def target_text(shape: Cumulant, order: int, notation: TextNotation) -> str:
    """The tensor, its legs and channel, and where it stands in the joint cumulant."""
    head = notation.formula(cumulant_text(shape, order, notation))
    power = [notation.raised(notation.width, f"-{order}")] if order else []
    deltas = [notation.delta(shape.labels[a], shape.labels[b]) for a, b in shape.channel]
    factor = notation.formula(notation.space.join([*power, *deltas]))
    observables = ", ".join(_observable(leg, notation) for leg in shape.legs)
    many = "joint cumulant" if len(shape.legs) > 1 else "mean"
    above = layers(notation)[1]
    meaning = f"{head} is the coefficient of {factor} in the {many} of {observables} at layer {above}"
    return f"External legs {shape.legs_text()}, channel {shape.channel_text()}{slots_text(shape, notation)}: {meaning}."


def layers(notation: TextNotation) -> tuple[str, str]:
    """The layer of what is on the right, and that of what is on the left, within words."""
    return notation.formula(notation.layer), notation.formula(f"{notation.layer}+1")


def pair_name(vertex: CubicVertex, notation: TextNotation) -> str:
    """1-3: the slots of a cubic vertex."""
    return dashed(vertex.slots, notation)


def _observable(leg: Leg, notation: TextNotation) -> str:
    """z_1, z_b1 or NTK34; NTK_γδ where samples have labels of their own."""
    letters, indices = notation.letters, notation.indices(leg.labels)
    if leg.kind == "z":
        return notation.formula(notation.indexed(letters.preactivation, notation.label(leg.labels[0])))
    if leg.kind == "tree" and not letters.samples:
        return str(leg)
    named = f"{leg.kind}_{indices}" if letters.samples else str(leg)
    return notation.formula(named, rf"\mathrm{{{leg.kind}}}_{{{indices}}}")


def inside_text(choice: Choice, vertex: CubicVertex, notation: TextNotation) -> str:
    """Why an Omega vertex can be this."""
    return choice.rule.inside.format(edge=pair_name(vertex, notation), above=layers(notation)[1])


def _omegas(diagram: Diagram) -> bool:
    return any(vertex.rule.merges for vertex in diagram.cubic_vertices)


def _cubic(diagram: Diagram, number: int, notation: TextNotation) -> list[Row]:
    vertex = diagram.cubic_vertices[number]
    function, place = function_text(diagram, (number,), notation), f"propagator {_holder(diagram, number)}"
    name, sentence = f"pair {pair_name(vertex, notation)}", vertex.rule.sentence.format(above=layers(notation)[1])
    if vertex.rule.merges:
        choices = [
            f"{notation.formula(choice_text(choice, vertex.slots, notation))}: {inside_text(choice, vertex, notation)}"
            for choice in CHOICES
        ]
        ends = [";"] * (len(choices) - 1) + ["."]
        factor = notation.formula(f"{function}/{notation.width}")
        head = f"{name}: {sentence}, {factor} on {place}, its line wavy:"
        return [(1, head), *((2, text + end) for text, end in zip(choices, ends, strict=True))]
    factor = notation.formula(f"{powers_text(vertex.rule.couplings, notation)}/{notation.width}")
    line = LINES[sum(one.order > 0 for one in vertex.factors)]
    text = f"{name}: {sentence}, {factor}; it carries {notation.formula(function)} on {place}, its line {line}."
    slots = [_slot(diagram, one.slot, one.order, notation) for one in vertex.factors]
    return [(1, text), *((2, slot) for slot in slots if slot)]


def _slot(diagram: Diagram, slot: int, order: int, notation: TextNotation) -> str:
    """Why the activation at a slot is differentiated: its blocks of old edges. Empty if it is not."""
    if not order:
        return ""
    blocks = []
    for vertex in diagram.tensor_vertices:
        for tree in vertex.trees:
            joined = [(a, b) for a, b in tree.edges if slot in (tree.nodes[a], tree.nodes[b])]
            edges = sorted(tuple(sorted((tree.nodes[a], tree.nodes[b]))) for a, b in joined)
            blocks += [" and ".join(dashed(edge, notation) for edge in edges)] if edges else []
    times = {1: "once", 2: "twice"}.get(order, f"{order} times")
    several = " and " in blocks[0]
    many = "the old edges" if len(blocks) > 1 or several else "the old edge"
    how = f" in {order} blocks" if order > 1 else (" in one block" if several else "")
    listed = ", ".join(sorted(blocks))
    parts = (notation.label(slot), notation.function(0), notation.activation(slot, order))
    name, before, after = map(notation.formula, parts)
    return f"slot {name}: {many} {listed}{how}: {before} is differentiated {times}, {after}"


def _holder(diagram: Diagram, cubic: int) -> int:
    return next(j for j, held in enumerate(diagram.propagators, start=1) if cubic in held)


def _tensor(one: Attached, notation: TextNotation) -> str:
    shape = standard(one.tensor.name)
    legs = shape.relabelled(one.tensor.labels).legs
    named = ", ".join(_observable(leg, notation) for leg in legs)
    excess = one.tensor.order - shape.leading_order
    which = "its leading order" if not excess else f"{excess} beyond its leading order {shape.leading_order}"
    written = notation.formula(one.text(notation))
    if one.tensor.id == MEAN_NTK:
        return f"{written}: the mean NTK"
    many = "joint cumulant" if len(legs) > 1 else "mean"
    return f"{written}: the {many} of {named} at order {one.tensor.order}, {which}"


def _pair(diagram: Diagram, pair: Pair, notation: TextNotation) -> str:
    place, ends = f"propagator {pair.propagator + 1}", sorted(pair.ends, key=lambda v: (v >= 0, abs(v)))
    names = [notation.formula(notation.label(v)) for v in ends]
    acting = notation.formula("".join(notation.derivative(v) for v in ends if v < 0))
    if len(pair.derivatives) == 2:
        z = notation.formula(notation.letters.preactivation)
        return f"{z}-{z} pair {' '.join(names)} on {place}: acts there as {acting}"
    if pair.derivatives:
        return f"pair {names[0]} with slot {names[1]}, on {place} where the slot sits: acts there as {acting}"
    holders = [next(v for v in diagram.cubic_vertices if end in v.slots) for end in pair.ends]
    ties = ""
    if holders[0] != holders[1]:
        ties = f"; it ties the cubic vertices {' and '.join(pair_name(one, notation) for one in holders)}"
    return f"pair of slots {names[0]} and {names[1]}, both on {place}{ties}"


def _propagator(diagram: Diagram, tensors: Sequence[Attached], number: int, notation: TextNotation) -> str:
    functions = functions_on(diagram, number)
    listed = ", ".join(notation.formula(function_text(diagram, block, notation)) for block in functions)
    labels = derivatives_on(tensors, number)
    derivatives = notation.formula("".join(map(notation.derivative, labels)))
    acts = f"; {derivatives} act{'s' if len(labels) == 1 else ''} there" if labels else ""
    tied = " (tied cubic vertices are one)" if len(functions) < len(diagram.propagators[number]) else ""
    return f"propagator {number + 1} holds {counted(len(functions), 'function')}{tied}: {listed}{acts}"
