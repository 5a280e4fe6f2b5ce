"""How a diagram becomes its term, for print: factors with rules and powers of 1/n, their product, what needs saying.

Enters: a diagram and a notation. Leaves: LaTeX: rows (factor, rule, power), the product before joint cumulants are
written out, and sentences on the weight, on tied vertices, on coinciding neurons and on where derivatives act (theory
sections 3 to 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import reduce
from typing import NamedTuple

from ntkfeyn.derivation.diagrams import Diagram
from ntkfeyn.derivation.rules import BLOCK_TERM, TAU, TENSOR, WIDTH_RATIO
from ntkfeyn.derivation.terms import Powers
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.tensors import MEAN_NTK
from ntkfeyn.render.explain.attachment import (
    Attached,
    Pair,
    attached_tensors,
    derivatives_on,
    function_text,
    functions_on,
)
from ntkfeyn.render.formulas import powers_text, vertex_text
from ntkfeyn.render.latex.macros import AppendixNotation, listed, number_word
from ntkfeyn.render.weight_blocks import loops_tex, series_tex, term_of


class FactorRow(NamedTuple):
    factor: str
    rule: str
    power: str


class Derivation(NamedTuple):
    factors: tuple[FactorRow, ...]
    product: str
    remarks: tuple[str, ...]


def derivation(diagram: Diagram, notation: AppendixNotation, *, shared: bool = False) -> Derivation:
    """Everything that is printed of one diagram; ``shared``: the weights are, over labels."""
    tensors = attached_tensors(diagram)
    order = sorted(range(len(diagram.propagators)), key=lambda j: _slots(diagram, j))
    product = _product(diagram, tensors, order, notation)
    number = {j: k for k, j in enumerate(order, start=1)}  # neurons are counted by their least slot
    return Derivation(
        tuple(_factors(diagram, tensors, notation, shared)),
        _averaged(product, diagram, notation) if shared else product,
        tuple(_remarks(diagram, tensors, number, notation)),
    )


def _slots(diagram: Diagram, propagator: int) -> list[int]:
    return sorted(slot for i in diagram.propagators[propagator] for slot in diagram.cubic_vertices[i].slots)


# --- the table ---


def _factors(
    diagram: Diagram, tensors: Sequence[Attached], notation: AppendixNotation, shared: bool
) -> list[FactorRow]:
    rows = []
    if diagram.symmetry != 1:
        rows.append(FactorRow(notation.fraction(diagram.symmetry), f"weight{notation.macro}Low", ""))
    for block in diagram.weight_blocks:
        rule = f"weight block {listed([notation.pair(pair) for pair in block.pairs])}"
        tau = notation.power(TAU, block.cost)
        number = _number(Fraction(block.coefficient), notation)
        rows.append(FactorRow(f"{number}{tau}", rule, notation.width_power(-block.cost)))
    for vertex in diagram.cubic_vertices:
        average = ", averaged" if shared else ""
        rule = f"pair {notation.pair(vertex.slots)}{average}, {vertex.rule.words}"
        rows.append(FactorRow(vertex_text(vertex, notation), rule, notation.width_power(-1)))
    for one in tensors:
        rule = "mean NTK" if one.tensor.id == MEAN_NTK else _tensor_rule(one)
        power = notation.width_power(-one.tensor.order, below=True) if one.tensor.order else ""
        rows.append(FactorRow(one.text(notation), rule, power))
    neurons = len(diagram.propagators)
    sums = "".join(f"k_{j}" for j in range(1, neurons + 1)) if neurons > 1 else "k"
    total = (notation.power(WIDTH_RATIO, diagram.cost) if diagram.cost else "1") + notation.width_power(-diagram.order)[
        1:
    ]
    counted = f"{number_word(neurons)} neuron{'s'[: neurons > 1]}; in all ${total if diagram.order else '1'}$"
    return [*rows, FactorRow(rf"\textstyle\sum_{{{sums}}}", counted, notation.width_power(neurons))]


def _number(value: Fraction, notation: AppendixNotation) -> str:
    """A factor in front of letters: nothing for 1, a sign for -1."""
    return {Fraction(1): "", Fraction(-1): "-"}.get(value, notation.fraction(value) + notation.space)


def _tensor_rule(one: Attached) -> str:
    correction = one.tensor.order - standard(one.tensor.name).leading_order
    pairs = len(one.pairs)
    kind = "mean" if pairs == 1 else f"tensor vertex, {number_word(pairs)} pairs"
    return f"{kind}, correction {correction}" if correction else kind


# --- the product ---


def _product(diagram: Diagram, tensors: Sequence[Attached], order: Sequence[int], notation: AppendixNotation) -> str:
    """Weight, width ratio, couplings, tensors and a mean or joint cumulant for each neuron."""
    couplings = reduce(Powers.times, [vertex.rule.couplings for vertex in diagram.cubic_vertices])
    couplings = reduce(Powers.times, [TENSOR.couplings] * diagram.cost, couplings)
    couplings = reduce(Powers.times, [BLOCK_TERM.couplings] * diagram.block_cost, couplings)
    parts = [notation.fraction(diagram.weight)] if diagram.weight not in (1, -1) else []
    parts += [powers_text(couplings, notation)] if couplings else []
    parts += [one.text(notation) for one in tensors]
    for j in order:
        functions = [function_text(diagram, block, notation) for block in functions_on(diagram, j)]
        labels = derivatives_on(tensors, j)
        if len(functions) > 1:
            parts.append(notation.joint(labels, functions))
        else:
            parts.append(notation.mean(notation.derivatives(labels, functions[0]) if labels else functions[0]))
    return ("-" if diagram.weight == -1 else "") + notation.space.join(parts)


def _averaged(product: str, diagram: Diagram, notation: AppendixNotation) -> str:
    """The averaging operator of each cubic vertex, before the whole product."""
    operators = notation.space.join(notation.averaging(vertex.slots) for vertex in diagram.cubic_vertices)
    return f"{operators}{notation.space}{notation.brackets[0]}{product}{notation.brackets[1]}"


# --- sentences ---


def _remarks(
    diagram: Diagram, tensors: Sequence[Attached], number: dict[int, int], notation: AppendixNotation
) -> list[str]:
    found = [_weight(tensors, number, notation)] if diagram.symmetry != 1 else []
    found += _blocks(diagram, notation)
    found += _ties(diagram, tensors, notation)
    found += _coincidences(diagram, number, notation)
    return found + _mixed(diagram, tensors, number, notation)


def _weight(tensors: Sequence[Attached], number: dict[int, int], notation: AppendixNotation) -> str:
    """Why the weight is what it is: what can be exchanged without a change is counted once."""
    loops = [(one, pair) for one in tensors for pair in one.pairs if len(pair.derivatives) == 2]
    half, z = f"${notation.fraction(Fraction(1, 2))}$", f"${notation.letters.preactivation}$"
    names = listed(list(dict.fromkeys(f"${notation.bare(one.tensor.id)}$" for one, _ in loops)))
    many = f"each of the {number_word(len(loops))} pairs" if len(loops) > 1 else "the pair"
    reasons = [f"{half} for {many} of {z} of {names}, whose ends can be exchanged"]
    for one in tensors:
        places = [pair.propagator for holder, pair in loops if holder is one]
        for j in sorted(set(places), key=lambda j: number[j]):
            if places.count(j) > 1:
                alike, name = number_word(places.count(j)), notation.bare(one.tensor.id)
                where = f"neuron {number[j]}" if len(number) > 1 else "one neuron"
                reasons.append(f"$1/{places.count(j)}!$ for the {alike} of ${name}$ on {where}")
    reasons += [f"$1/{count}!$ for {number_word(count)} vertices attached alike" for count in _identical(tensors)]
    *most, last = reasons
    return f"The weight is {', '.join(most)}, and {last}." if most else f"The weight is {last}."


def _blocks(diagram: Diagram, notation: AppendixNotation) -> list[str]:
    """How the weights of each block pair their hidden neurons, and which term of their cumulant is taken."""
    found = []
    for block in diagram.weight_blocks:
        hidden = listed([notation.pair(diagram.cubic_vertices[i].slots) for i in block.cubic_vertices])
        outer = listed([notation.pair(pair) for pair in block.pairs])
        term = series_tex([term_of(block)])
        found.append(
            f"The weight block of the pairs {outer} has the hidden pairs {hidden}, and"
            f" ${loops_tex(block.loops)}$ the term ${term}$."
        )
    return found


def _identical(tensors: Sequence[Attached]) -> list[int]:
    """How many vertices of z-legs alone are attached alike, where more than one is."""
    kinds: dict[tuple[object, ...], int] = {}
    for one in tensors:
        if one.on_z_legs:
            key = (one.tensor.id, tuple(sorted(pair.propagator for pair in one.pairs)))
            kinds[key] = kinds.get(key, 0) + 1
    return [count for count in kinds.values() if count > 1]


def _ties(diagram: Diagram, tensors: Sequence[Attached], notation: AppendixNotation) -> list[str]:
    """Why vertices are one expectation: two slots of a tensor share a neuron."""
    found = []
    for one in tensors:
        for pair in one.pairs:
            if pair.derivatives:
                continue
            pairs = [next(v.slots for v in diagram.cubic_vertices if end in v.slots) for end in sorted(pair.ends)]
            if pairs[0] != pairs[1]:
                slots = " and ".join(f"${notation.label(end)}$" for end in sorted(pair.ends))
                names = " and ".join(notation.pair(slots_) for slots_ in pairs)
                found.append(
                    f"The slots {slots} of ${notation.bare(one.tensor.id)}$ sit on one neuron, so the pairs {names}"
                    " share it: one expectation."
                )
    return found


def _coincidences(diagram: Diagram, number: dict[int, int], notation: AppendixNotation) -> list[str]:
    """Where a joint cumulant comes from."""
    found = []
    for j in sorted(number, key=lambda j: number[j]):
        blocks = functions_on(diagram, j)
        if len(blocks) > 1:
            names = ["+".join(notation.pair(diagram.cubic_vertices[i].slots) for i in block) for block in blocks]
            where = f"neuron {number[j]}" if len(number) > 1 else "one neuron"
            found.append(f"The pairs {listed(names)} meet on {where} by coincidence: a joint cumulant.")
    return found


def _mixed(
    diagram: Diagram, tensors: Sequence[Attached], number: dict[int, int], notation: AppendixNotation
) -> list[str]:
    """Which derivative acts where, for pairs of a z-leg and a slot."""
    acting = [(pair, one) for one in tensors for pair in one.pairs if len(pair.derivatives) == 1]
    clauses = [_acts(pair, number, notation) for pair, _ in acting]
    return [f"{listed(clauses)}." if len(clauses) > 1 else f"{clauses[0]}."] if clauses else []


def _acts(pair: Pair, number: dict[int, int], notation: AppendixNotation) -> str:
    label, slot = min(pair.ends), max(pair.ends)
    derivative = f"${notation.macro}D{{{-label}}}$"
    where = f" (neuron {number[pair.propagator]})" if len(number) > 1 else ""
    return f"{derivative} acts where slot ${notation.label(slot)}$ sits{where}"
