"""What is attached to what in one diagram, with the derivative labels b1, b2, .. of its terms (theory section 4).

Enters: a Diagram, drawn or full. Leaves: its tensors with their labels and pairs, the factors of its weight, each with
a reason, and the value of each propagator. Weight and values are worked out here from the attachment alone, not by the
code that enumerates and translates: tests compare the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from math import factorial
from typing import NamedTuple

from ntkfeyn.derivation.diagrams import Diagram
from ntkfeyn.derivation.reduction import symmetrise
from ntkfeyn.derivation.terms import Group, Tensor
from ntkfeyn.derivation.translation import tied_blocks, translate
from ntkfeyn.derivation.weingarten import joint_cumulant, loops_of
from ntkfeyn.model.combinatorics import set_partitions
from ntkfeyn.model.cumulants import standard
from ntkfeyn.render.formulas import bound_labels, group_text, mean_text, tensor_text
from ntkfeyn.render.notation import TextNotation
from ntkfeyn.render.weight_blocks import SeriesTerm, hidden_text, joined_text, loops_formula, series_formula


class Pair(NamedTuple):
    """A pair of a tensor's channel: two labels, >= 0 an external slot, -k the z-leg b_k; and its propagator."""

    ends: tuple[int, int]
    propagator: int

    @property
    def derivatives(self) -> tuple[int, ...]:
        """The z-legs: none where two slots are paired, one beside a slot, two in a z-z pair."""
        return tuple(end for end in self.ends if end < 0)


class Attached(NamedTuple):
    """A tensor vertex as its term writes it."""

    tensor: Tensor
    pairs: tuple[Pair, ...]

    def text(self, notation: TextNotation) -> str:
        return tensor_text(self.tensor, notation)

    def symbol(self, notation: TextNotation) -> str:
        """The letter without labels, e.g. K^{1}."""
        return notation.symbol(self.tensor.name, self.tensor.order - standard(self.tensor.name).leading_order)

    @property
    def on_z_legs(self) -> bool:
        """No internal tree, z-legs only."""
        return all(len(pair.derivatives) == 2 for pair in self.pairs)


class WeightFactor(NamedTuple):
    value: Fraction
    reason: str


class Split(NamedTuple):
    """One product of a propagator's value: a signed count, and expectations as (cubic vertices, labels b)."""

    sign: int
    groups: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]


def attached_tensors(diagram: Diagram) -> tuple[Attached, ...]:
    """The tensors in the order and with the labels of the term in which each propagator is one expectation."""
    whole = symmetrise(translate(diagram, diagram.id)[:1], diagram.cumulant)[0]  # the undivided one comes first
    slots = [sorted(s for i in held for s in diagram.cubic_vertices[i].slots) for held in diagram.propagators]
    places = sorted(range(len(slots)), key=lambda j: slots[j])  # groups of a term are sorted by their samples
    found = []
    for tensor, named in zip(whole.tensors, bound_labels(whole.tensors)[1], strict=True):
        pairs = []
        for a, b in standard(tensor.name).channel:
            ends = (tensor.labels[a], tensor.labels[b])
            place = next((diagram.propagator_of(end) for end in ends if end >= 0), None)
            place = places[-ends[0] - 1] if place is None else place
            pairs.append(Pair((named.labels[a], named.labels[b]), place))
        found.append(Attached(named, tuple(pairs)))
    return tuple(found)


# --- the weight ---


def weight_factors(tensors: Sequence[Attached], notation: TextNotation) -> tuple[WeightFactor, ...]:
    """Every factor of a diagram's weight with its reason."""
    found, z = [], notation.formula(notation.letters.preactivation)
    for one in tensors:
        name = notation.formula(one.text(notation))
        loops = [pair for pair in one.pairs if len(pair.derivatives) == 2]
        for pair in loops:
            reason = f"the two legs of the {z}-{z} pair {_labels(pair.ends, notation)} of {name} can be exchanged"
            found.append(WeightFactor(Fraction(1, 2), reason))
        for j in sorted({pair.propagator for pair in loops}):
            alike = [pair for pair in loops if pair.propagator == j]
            if len(alike) > 1:
                names = ", ".join(_labels(pair.ends, notation) for pair in alike)
                reason = f"the {len(alike)} {z}-{z} pairs {names} of {name} on propagator {j + 1} can be exchanged"
                share = notation.formula(f"1/{len(alike)}!")
                found.append(WeightFactor(Fraction(1, factorial(len(alike))), f"{reason}, {share}"))
    return (*found, *_identical(tensors, notation))


def block_factors(diagram: Diagram, notation: TextNotation) -> tuple[WeightFactor, ...]:
    """The number of each weight block: the term of the cumulant of its weights that the diagram takes."""
    found = []
    for block in diagram.weight_blocks:
        hidden = [diagram.cubic_vertices[i].slots for i in block.cubic_vertices]
        loops, power = loops_of(block.pairs, hidden), len(block.pairs) + block.cost
        value = Fraction(joint_cumulant(loops, power))
        reason = (
            f"the weight block {joined_text(block, notation)}, whose hidden pairs are"
            f" {hidden_text(block, diagram, notation)}: {loops_formula(loops, notation)} has the term"
            f" {series_formula([SeriesTerm(int(value), power)], notation)}"
        )
        found.append(WeightFactor(value, reason))
    return tuple(found)


def _identical(tensors: Sequence[Attached], notation: TextNotation) -> list[WeightFactor]:
    """1/k! for k tensors of z-legs with the same name, order and number of pairs on each propagator."""
    kinds: dict[tuple[object, ...], list[Attached]] = {}
    for one in tensors:
        if one.on_z_legs:
            places = tuple(sorted(pair.propagator for pair in one.pairs))
            kinds.setdefault((one.tensor.name, one.tensor.order, places), []).append(one)
    found = []
    for alike in kinds.values():
        count, name = len(alike), notation.formula(alike[0].symbol(notation))
        if count > 1:
            share = notation.formula(f"1/{count}!")
            reason = f"the {count} identical vertices {name}, attached alike, can be exchanged, {share}"
            found.append(WeightFactor(Fraction(1, factorial(count)), reason))
    return found


def _labels(labels: Sequence[int], notation: TextNotation) -> str:
    return " ".join(notation.formula(notation.label(label)) for label in labels)


# --- the value of a propagator ---


def functions_on(diagram: Diagram, propagator: int) -> list[tuple[int, ...]]:
    """The functions whose joint cumulant a propagator is: its cubic vertices, those tied together as one."""
    return tied_blocks(diagram, diagram.propagators[propagator])


def derivatives_on(tensors: Sequence[Attached], propagator: int) -> tuple[int, ...]:
    """The labels whose derivatives act on a propagator, in reading order."""
    labels = [v for one in tensors for pair in one.pairs if pair.propagator == propagator for v in pair.derivatives]
    return tuple(sorted(labels, reverse=True))


def propagator_value(diagram: Diagram, tensors: Sequence[Attached], propagator: int) -> tuple[Split, ...]:
    """Sum over set partitions of the functions of (-1)^(groups-1) (groups-1)! times a product of expectations.

    The derivative of a mixed pair acts on the group of its slot; each z-z pair goes to every group in turn.
    """
    here = [pair for one in tensors for pair in one.pairs if pair.propagator == propagator]
    mixed = [pair for pair in here if len(pair.derivatives) == 1]
    loops = [pair for pair in here if len(pair.derivatives) == 2]
    found = []
    for partition in set_partitions(functions_on(diagram, propagator)):
        members = [tuple(sorted(i for block in group for i in block)) for group in partition]
        sign = (-1) ** (len(members) - 1) * factorial(len(members) - 1)
        for choice in product(range(len(members)), repeat=len(loops)):
            labels: list[list[int]] = [[] for _ in members]
            for pair in mixed:
                slot = max(pair.ends)
                holder = next(g for g, held in enumerate(members) if slot in _slots(diagram, held))
                labels[holder] += pair.derivatives
            for pair, g in zip(loops, choice, strict=True):
                labels[g] += pair.derivatives
            groups = tuple((held, tuple(sorted(b, reverse=True))) for held, b in zip(members, labels, strict=True))
            found.append(Split(sign, groups))
    return tuple(found)


def value_text(diagram: Diagram, value: Sequence[Split], most: int, notation: TextNotation) -> str:
    """The first ``most`` products of a propagator's value, each a formula."""
    products = []
    for k, split in enumerate(value[:most]):
        sign = "" if not k else ("- " if split.sign < 0 else "+ ")
        count = [str(abs(split.sign))] if abs(split.sign) > 1 else []
        means = [_mean(diagram, *group, notation) for group in split.groups]
        products.append(notation.formula(sign + notation.space.join([*count, *means])))
    return " ".join(products) + (f" + .. ({len(value)} products)" if len(value) > most else "")


def function_text(diagram: Diagram, cubic: Sequence[int], notation: TextNotation) -> str:
    """The product of activations that cubic vertices carry, e.g. σ_1 σ'_3."""
    return group_text(_group(diagram, cubic), notation)


def _slots(diagram: Diagram, cubic: Sequence[int]) -> set[int]:
    return {slot for i in cubic for slot in diagram.cubic_vertices[i].slots}


def _mean(diagram: Diagram, cubic: Sequence[int], labels: Sequence[int], notation: TextNotation) -> str:
    return mean_text(_group(diagram, cubic), labels, notation)


def _group(diagram: Diagram, cubic: Sequence[int]) -> Group:
    vertices = [diagram.cubic_vertices[i] for i in cubic]
    factors = tuple(sorted(f for v in vertices if not v.rule.merges for f in v.factors))
    omegas = tuple(sorted(v.slots for v in vertices if v.rule.merges))
    return Group(factors, omegas, ())
