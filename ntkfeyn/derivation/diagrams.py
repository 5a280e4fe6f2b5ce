"""Diagrams: frozen records that say what is attached to what (theory section 4), and their networkx view.

A diagram holds one cubic vertex for each pair of the channel, tensor vertices (layer-l cumulants) and propagators
(hidden neurons). Slots are named by their sample labels, cubic vertices and propagators by their position in the
diagram. Nothing here is algebra: translation.py makes terms of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING, Any

from ntkfeyn.derivation.rules import RULE, PairRule
from ntkfeyn.derivation.terms import Factor
from ntkfeyn.model.canonical import Edges
from ntkfeyn.model.cumulants import Cumulant
from ntkfeyn.model.ensembles import GAUSSIAN

if TYPE_CHECKING:
    import networkx


@dataclass(frozen=True)
class CubicVertex:
    """A pair of the channel: ``coupling`` names its rule, ``factors`` are what it puts at its two slots."""

    coupling: str
    factors: tuple[Factor, Factor]

    @property
    def rule(self) -> PairRule:
        return RULE[self.coupling]

    @property
    def slots(self) -> tuple[int, int]:
        return (self.factors[0].slot, self.factors[1].slot)


@dataclass(frozen=True)
class InternalTree:
    """A layer-l tree: ``nodes`` are the external slots it hangs on, one a block of old edges."""

    edges: Edges
    nodes: tuple[int, ...]


@dataclass(frozen=True)
class TensorVertex:
    """A layer-l cumulant of internal trees and z-legs, in one channel; ``order`` (of 1/n) is its cost.

    Ends are tree nodes numbered through ``trees``. ``tied`` pairs two ends (slot-slot pairs, theory section 4),
    ``mixed`` are the ends paired with a z-leg, ``zz`` the number of z-z pairs on each propagator of the diagram.
    """

    name: str
    order: int
    trees: tuple[InternalTree, ...]
    tied: tuple[tuple[int, int], ...]
    mixed: tuple[int, ...]
    zz: tuple[int, ...]

    @property
    def ends(self) -> tuple[int, ...]:
        """The external slot of each end."""
        return tuple(slot for tree in self.trees for slot in tree.nodes)

    @property
    def is_mean_ntk(self) -> bool:
        return self.name == "Theta" and self.order == 0


@dataclass(frozen=True)
class WeightBlock:
    """A joint cumulant of more than two weights: its ``pairs`` of the channel by label, ``cubic_vertices`` by number.

    ``cost`` is e of the term N^(-p-e) of the cumulant, ``coefficient`` its number (theory section 9).
    """

    pairs: tuple[tuple[int, int], ...]
    cubic_vertices: tuple[int, ...]
    loops: tuple[int, ...]
    cost: int
    coefficient: int

    @property
    def slots(self) -> tuple[int, ...]:
        return tuple(sorted(slot for pair in self.pairs for slot in pair))


@dataclass(frozen=True)
class Diagram:
    """A diagram of ``cumulant`` at ``order`` (absolute power of 1/n), for weights of the ensemble ``weights``.

    ``propagators`` lists for each hidden neuron the cubic vertices on it. ``members`` are the diagrams that the
    Omega merge draws as one (theory section 4), empty for a diagram that stands for itself.
    """

    cumulant: Cumulant
    order: int
    cubic_vertices: tuple[CubicVertex, ...]
    tensor_vertices: tuple[TensorVertex, ...]
    propagators: tuple[tuple[int, ...], ...]
    weight: Fraction
    id: str = ""
    members: tuple[Diagram, ...] = ()
    weight_blocks: tuple[WeightBlock, ...] = ()
    weights: str = GAUSSIAN

    @property
    def block_cost(self) -> int:
        """Sum of the costs of the weight blocks: the power of tau."""
        return sum(block.cost for block in self.weight_blocks)

    @property
    def symmetry(self) -> Fraction:
        """The weight without the numbers of the weight blocks."""
        return self.weight / prod(block.coefficient for block in self.weight_blocks)

    @property
    def cost(self) -> int:
        """Sum of the orders of the tensor vertices: the power of n_l / n_(l-1)."""
        return sum(vertex.order for vertex in self.tensor_vertices)

    def propagator_of(self, slot: int) -> int:
        """The propagator that carries the neuron of an external slot."""
        cubic = next(i for i, vertex in enumerate(self.cubic_vertices) if slot in vertex.slots)
        return next(i for i, held in enumerate(self.propagators) if cubic in held)

    @property
    def graph(self) -> networkx.MultiGraph[Any]:
        """A networkx view: leg, slot, cubic, propagator and tensor nodes; exact attributes on nodes and edges."""
        return _graph(self)


def full_diagrams(diagrams: tuple[Diagram, ...]) -> tuple[Diagram, ...]:
    """The list with every choice drawn apart: members instead of merged diagrams."""
    return tuple(member for diagram in diagrams for member in (diagram.members or (diagram,)))


def relabelled(diagram: Diagram, cumulant: Cumulant) -> Diagram:
    """The same diagram with the slot labels of ``cumulant``; their standard labels are those of the diagram's."""
    standard_labels = diagram.cumulant.labels
    position = cumulant.identity.position
    label = {standard_labels[position[v]]: cumulant.labels[v] for v in range(len(position))}
    cubic = tuple(
        CubicVertex(v.coupling, (a._replace(slot=label[a.slot]), b._replace(slot=label[b.slot])))
        for v in diagram.cubic_vertices
        for a, b in [v.factors]
    )
    vertices = tuple(
        replace(v, trees=tuple(InternalTree(t.edges, tuple(label[s] for s in t.nodes)) for t in v.trees))
        for v in diagram.tensor_vertices
    )
    blocks = tuple(
        replace(block, pairs=tuple((label[a], label[b]) for a, b in block.pairs)) for block in diagram.weight_blocks
    )
    members = tuple(relabelled(member, cumulant) for member in diagram.members)
    return replace(
        diagram,
        cumulant=cumulant,
        cubic_vertices=cubic,
        tensor_vertices=vertices,
        members=members,
        weight_blocks=blocks,
    )


def _graph(diagram: Diagram) -> networkx.MultiGraph[Any]:
    import networkx

    graph = networkx.MultiGraph(id=diagram.id, weight=str(diagram.weight))
    for k, leg in enumerate(diagram.cumulant.legs):
        graph.add_node(f"leg{k}", kind="leg", type=str(leg.kind))
        for position, label in enumerate(leg.labels):
            graph.add_node(f"slot{label}", kind="slot", sample=label)
            graph.add_edge(f"leg{k}", f"slot{label}", kind="node", position=position)
        for a, b in leg.edges:
            graph.add_edge(f"slot{leg.labels[a]}", f"slot{leg.labels[b]}", kind="derivative")
    for i, cubic in enumerate(diagram.cubic_vertices):
        graph.add_node(f"cubic{i}", kind="cubic", coupling=cubic.coupling)
        for factor in cubic.factors:
            graph.add_edge(f"slot{factor.slot}", f"cubic{i}", kind="external", derivative=factor.order)
    for k, block in enumerate(diagram.weight_blocks):
        graph.add_node(f"block{k}", kind="weight block", cost=block.cost, pairs=block.pairs)
        for i in block.cubic_vertices:
            graph.add_edge(f"block{k}", f"cubic{i}", kind="block")
    for j, held in enumerate(diagram.propagators):
        graph.add_node(f"propagator{j}", kind="propagator")
        for i in held:
            graph.add_edge(f"cubic{i}", f"propagator{j}", kind="internal")
    for k, vertex in enumerate(diagram.tensor_vertices):
        graph.add_node(f"tensor{k}", kind="tensor", name=vertex.name, order=vertex.order)
        for pair, (ends, propagator) in enumerate(pair_ends(diagram, vertex)):
            for end in ends:
                kind = "z" if end is None else "tree"
                graph.add_edge(f"tensor{k}", f"propagator{propagator}", kind=kind, pair=pair)
    return graph


def pair_ends(diagram: Diagram, vertex: TensorVertex) -> tuple[tuple[tuple[int | None, int | None], int], ...]:
    """For each pair of a tensor vertex its two ends, an external slot or None for a z-leg, and its propagator."""
    ends = vertex.ends
    pairs: list[tuple[int | None, int | None]] = [(ends[a], ends[b]) for a, b in vertex.tied]
    pairs += [(None, ends[v]) for v in vertex.mixed]
    places = [diagram.propagator_of(slot) for _, slot in pairs if slot is not None]
    for j, count in enumerate(vertex.zz):
        pairs += [(None, None)] * count
        places += [j] * count
    return tuple(zip(pairs, places, strict=True))
