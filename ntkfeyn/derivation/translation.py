"""Translation: the Feynman rules turn a Diagram into product terms (theory sections 4 and 5).

Enters: a full diagram (no Omega vertex). Leaves: product terms, with unreduced derivative domains and tensor labels;
reduction.py rewrites them. ``RULES`` is the table: one row a rule, with the factor it gives and its source.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product
from math import factorial, prod

from ntkfeyn.derivation.diagrams import NEW_EDGE, OMEGA, WEIGHT, Diagram, TensorVertex
from ntkfeyn.derivation.enumeration import vertex_shape
from ntkfeyn.derivation.terms import Couplings, Group, ProductTerm, Tensor
from ntkfeyn.model.combinatorics import compositions, multinomial, set_partitions
from ntkfeyn.model.cumulants import Cumulant, identify


@dataclass(frozen=True)
class Rule:
    """A Feynman rule: what it reads in the diagram, the couplings it gives, how a paper writes the factor."""

    element: str
    couplings: Couplings
    latex: str
    source: str


RULES = {
    WEIGHT: Rule(
        "cubic vertex, two weights contracted",
        Couplings(C_W=1),
        r"C_W\,\sigma^{(a)}_{v}\sigma^{(b)}_{w}",
        "average over the weights of layer l+1",
    ),
    NEW_EDGE: Rule(
        "cubic vertex, one new parameter edge",
        Couplings(lambda_W=1),
        r"\lambda_W\,\sigma^{(a)}_{v}\sigma^{(b)}_{w}",
        "both slots differentiated by the same weight of layer l+1",
    ),
    OMEGA: Rule(
        "cubic vertex, both choices merged",
        Couplings(),
        r"\Omega_{vw}=\lambda_W\,\sigma_{v}\sigma_{w}+C_W\,\Theta_{vw}\,\sigma'_{v}\sigma'_{w}",
        "both choices for an NTK whose two slots share a neuron",
    ),
    "tensor": Rule(
        "tensor vertex, per power of 1/n",
        Couplings(width_ratio=1),
        r"(n_\ell/n_{\ell-1})\,T^{(\ell)}",
        "layer-l cumulants count powers of the width below them",
    ),
    "zz": Rule(
        "z-z pair on a propagator",
        Couplings(),
        r"\tfrac12\,T_{b_1b_2\ldots}\,\partial_{b_1}\partial_{b_2}",
        "cumulant expansion: 1/2 a pair, 1/k! for k alike",
    ),
    "mixed": Rule(
        "pair of a z-leg and a slot",
        Couplings(),
        r"T_{b\,v\ldots}\,\partial_{b}",
        "the z-leg shares the neuron of the slot",
    ),
    "tied": Rule(
        "pair of two slots",
        Couplings(),
        r"T_{v\,w\ldots}",
        "both slots share a neuron: their cubic vertices are tied",
    ),
    "propagator": Rule(
        "propagator (white blob)",
        Couplings(),
        r"\sum_{\pi}(-1)^{|\pi|-1}(|\pi|-1)!\prod_{g\in\pi}\langle\textstyle\prod_{i\in g}f_i\rangle_{K}",
        "sum over coinciding hidden neurons: joint cumulant",
    ),
}
BIASES = {
    "K": Rule("bias contracted", Couplings(C_b=1), r"C_b", "only in the mean K at order 0"),
    "Theta": Rule(
        "bias edge", Couplings(lambda_b=1), r"\lambda_b", "derivative by a bias; only in the mean Theta at order 0"
    ),
}


def translate(diagram: Diagram, cited_as: str) -> tuple[ProductTerm, ...]:
    """The product terms of a full diagram, each citing the id ``cited_as``."""
    couplings = [RULES[vertex.coupling].couplings for vertex in diagram.cubic_vertices]
    couplings += [RULES["tensor"].couplings] * diagram.cost
    total = Couplings(*(sum(powers) for powers in zip(*couplings, strict=True)))
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


def translate_drawn(diagram: Diagram) -> tuple[ProductTerm, ...]:
    """The product terms of a diagram as drawn: of all its members, citing the id of the drawing."""
    return tuple(term for member in diagram.members or (diagram,) for term in translate(member, diagram.id))


def bias_terms(cumulant: Cumulant, order: int) -> tuple[ProductTerm, ...]:
    """The constants C_b and lambda_b of the two means at order 0; no diagram draws them."""
    if order or cumulant.name not in BIASES:
        return ()
    return (ProductTerm(Fraction(1), BIASES[cumulant.name].couplings, (), (), ()),)


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
    return tuple(
        Group(tuple(sorted(factor for i in group for factor in diagram.cubic_vertices[i].factors)), (), domain)
        for group in cubic_groups
    )


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
