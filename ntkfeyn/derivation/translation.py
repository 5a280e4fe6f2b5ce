"""Translation: the Feynman rules turn a Diagram into product terms (theory sections 4 and 5).

Enters: a diagram, as drawn or a member of one. Leaves: product terms, with unreduced derivative domains and tensor
labels; reduction.py rewrites them. What a vertex gives stands in rules.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache, reduce
from itertools import product
from math import factorial, prod

from ntkfeyn.derivation.diagrams import Diagram, TensorVertex
from ntkfeyn.derivation.enumeration import vertex_shape
from ntkfeyn.derivation.rules import BIASES, BLOCK_TERM, TENSOR
from ntkfeyn.derivation.terms import Group, Powers, ProductTerm, Tensor
from ntkfeyn.model.combinatorics import compositions, multinomial, set_partitions
from ntkfeyn.model.cumulants import Cumulant, identify


def translate(diagram: Diagram, cited_as: str) -> tuple[ProductTerm, ...]:
    """The product terms of a diagram, each citing the id ``cited_as``; an Omega vertex gives an Omega."""
    total = reduce(Powers.times, [vertex.rule.couplings for vertex in diagram.cubic_vertices])
    total = reduce(Powers.times, [TENSOR.couplings] * diagram.cost, total)
    total = reduce(Powers.times, [BLOCK_TERM.couplings] * diagram.block_cost, total)
    terms = []
    for split in product(*(_propagator_groups(diagram, held) for held in diagram.propagators)):
        sign = prod(value for value, _ in split)
        cubic_groups = [group for _, groups in split for group in groups]
        on_propagator: list[tuple[int, ...]] = []
        for _, groups_here in split:
            start = sum(map(len, on_propagator))
            on_propagator.append(tuple(range(start, start + len(groups_here))))
        groups = _groups(diagram, cubic_groups)
        for ways, tensors in _attachments(diagram, cubic_groups, on_propagator):
            coefficient = diagram.weight * sign * ways
            terms.append(sorted_term(ProductTerm(coefficient, total, tensors, groups, (cited_as,))))
    return tuple(terms)


def translate_members(diagram: Diagram) -> tuple[ProductTerm, ...]:
    """The same with the choices of every Omega apart: the terms of all members, citing the id of the drawing."""
    return tuple(term for member in diagram.members or (diagram,) for term in translate(member, diagram.id))


def bias_terms(cumulant: Cumulant, order: int) -> tuple[ProductTerm, ...]:
    """The constants C_b and lambda_b of the two means at order 0; no diagram draws them."""
    if order or cumulant.name not in BIASES:
        return ()
    return (ProductTerm(Fraction(1), BIASES[cumulant.name], (), (), ()),)


def _propagator_groups(diagram: Diagram, held: tuple[int, ...]) -> Iterator[tuple[int, tuple[tuple[int, ...], ...]]]:
    """Set partitions of the cubic vertices on a propagator, tied ones together, with their signed factor."""
    for partition in set_partitions(tied_blocks(diagram, held)):
        sign = (-1) ** (len(partition) - 1) * factorial(len(partition) - 1)
        yield sign, tuple(tuple(sorted(c for block in group for c in block)) for group in partition)


def tied_blocks(diagram: Diagram, held: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Cubic vertices on a propagator, those tied by slot-slot pairs gathered."""
    cubic = {slot: i for i, vertex in enumerate(diagram.cubic_vertices) for slot in vertex.slots}
    block = {i: {i} for i in held}
    for vertex in diagram.tensor_vertices:
        for a, b in vertex.tied:
            first, second = cubic[vertex.ends[a]], cubic[vertex.ends[b]]
            if first in block:
                joined = block[first] | block[second]
                block.update(dict.fromkeys(joined, joined))
    return sorted({tuple(sorted(members)) for members in block.values()})


def _groups(diagram: Diagram, cubic_groups: list[tuple[int, ...]]) -> tuple[Group, ...]:
    domain = tuple(sorted(diagram.cumulant.labels))
    found = []
    for group in cubic_groups:
        vertices = [diagram.cubic_vertices[i] for i in group]
        factors = sorted(factor for v in vertices if not v.rule.merges for factor in v.factors)
        omegas = sorted((min(v.slots), max(v.slots)) for v in vertices if v.rule.merges)
        found.append(Group(tuple(factors), tuple(omegas), domain))
    return tuple(found)


def _attachments(
    diagram: Diagram, cubic_groups: list[tuple[int, ...]], on_propagator: list[tuple[int, ...]]
) -> Iterator[tuple[int, tuple[Tensor, ...]]]:
    """Ways to give the z-z pairs of each tensor vertex to the groups of their propagators, counted."""
    group_of = {
        slot: g for g, members in enumerate(cubic_groups) for i in members for slot in diagram.cubic_vertices[i].slots
    }
    options = [list(_vertex_attachments(vertex, group_of, on_propagator)) for vertex in diagram.tensor_vertices]
    for choice in product(*options):
        yield prod(ways for ways, _ in choice), tuple(tensor for _, tensor in choice)


def _vertex_attachments(
    vertex: TensorVertex, group_of: dict[int, int], on_propagator: list[tuple[int, ...]]
) -> Iterator[tuple[int, Tensor]]:
    position = _positions(
        tuple((t.edges, len(t.nodes)) for t in vertex.trees), vertex.tied, vertex.mixed, sum(vertex.zz)
    )
    fixed = [*vertex.ends, *(-group_of[vertex.ends[v]] - 1 for v in vertex.mixed)]
    spread = [compositions(count, len(on_propagator[j])) for j, count in enumerate(vertex.zz)]
    for choice in product(*spread):
        pairs = [
            -group - 1
            for j, counts in enumerate(choice)
            for group, count in zip(on_propagator[j], counts, strict=True)
            for _ in range(2 * count)
        ]
        labels = [0] * len(position)
        for label, place in zip([*fixed, *pairs], position, strict=True):
            labels[place] = label
        yield prod(map(multinomial, choice)), Tensor(vertex.name, vertex.order, tuple(labels))


@cache
def _positions(
    trees: tuple[tuple[tuple[tuple[int, int], ...], int], ...],
    tied: tuple[tuple[int, int], ...],
    mixed: tuple[int, ...],
    zz: int,
) -> tuple[int, ...]:
    """The slot of the standard tensor for each slot of a vertex."""
    return identify(*vertex_shape(trees, tied, mixed, zz)).position


def sorted_term(term: ProductTerm) -> ProductTerm:
    """Groups in the order of their samples, tensors sorted; the labels that point to groups follow."""
    order = sorted(range(len(term.groups)), key=lambda g: term.groups[g].samples)
    place = {-old - 1: -new - 1 for new, old in enumerate(order)}
    tensors = (Tensor(t.name, t.order, tuple(place.get(v, v) for v in t.labels)) for t in term.tensors)
    return term._replace(groups=tuple(term.groups[g] for g in order), tensors=tuple(sorted(tensors)))
