"""Enumeration: every diagram of a cumulant at an order in 1/n, once, with its weight (theory sections 3 and 4).

Enters: a Cumulant and an absolute order. Leaves: an ``Enumeration``: the diagrams in canonical order, drawn with
the Omega merge, each with its full members, and the counts of what was tried and rejected. Stages:
couplings of the cubic vertices and blocks of old edges -> internal trees -> propagators -> tensor vertices.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import combinations, product
from math import factorial, prod

from ntkfeyn.derivation.blocks import joined, labelled
from ntkfeyn.derivation.diagrams import CubicVertex, Diagram, InternalTree, TensorVertex, WeightBlock, relabelled
from ntkfeyn.derivation.rules import ENSEMBLES, OMEGA, PAIR_RULES, Ensemble, PairRule
from ntkfeyn.derivation.terms import Factor
from ntkfeyn.errors import LimitError
from ntkfeyn.model.combinatorics import bounded_matchings, compositions, set_partitions
from ntkfeyn.model.cumulants import Cumulant, check_order, identify, standard
from ntkfeyn.model.ensembles import GAUSSIAN, check_ensemble
from ntkfeyn.model.tensors import NAMES

MAX_CANDIDATES = 500_000
MAX_STEPS = 500_000  # partly built attachments: requests with many trees fail early instead of hanging


@dataclass(frozen=True)
class Enumeration:
    """Diagrams as drawn (Omega merged), and how many full attachments of the right order were tried and connected."""

    diagrams: tuple[Diagram, ...]
    candidates: int
    connected: int


def enumerate_diagrams(cumulant: Cumulant, order: int, weights: str = GAUSSIAN) -> Enumeration:
    """Every diagram of ``cumulant`` at ``order``, with stable ids such as F:1:2 (name : order : number).

    ``weights``: the ensemble of the weights of layer l+1, a name of ``rules.ENSEMBLES``. Raises RequestError below the
    leading order or for an unknown ensemble, LimitError for an order beyond the stated limits.
    """
    check_order(cumulant, order)
    check_ensemble(weights)
    found = _enumerate_standard(cumulant.name, order, weights)
    if cumulant == found.diagrams[0].cumulant:
        return found
    return replace(found, diagrams=tuple(relabelled(diagram, cumulant) for diagram in found.diagrams))


@cache
def _enumerate_standard(name: str, order: int, weights: str) -> Enumeration:
    cumulant = standard(name)
    search = _Search(name, order)
    kept: list[Diagram] = []
    for vertices, blocks, trees in _cubic_choices(cumulant, order, ENSEMBLES[weights]):
        ends = _Ends(cumulant, vertices, blocks)
        left = order - len(vertices) - sum(block.cost for block in blocks)
        factor = prod(block.coefficient for block in blocks)
        for propagators in set_partitions(range(len(vertices))):
            budget = left + len(propagators)
            if budget < 0:
                continue
            at = ends.on(propagators)
            for tensors in search.tensor_choices(trees, at, len(propagators), budget):
                search.found()
                if ends.connected(at, len(propagators), tensors):
                    drawn = Diagram(cumulant, order, vertices, tensors, propagators, factor * _weight(tensors))
                    kept.append(replace(drawn, weight_blocks=blocks, weights=weights))
    return Enumeration(_merge_omega(kept), search.candidates, len(kept))


# --- cubic vertices and internal trees (theory section 3) -----------------------------------------------------


def _cubic_choices(
    cumulant: Cumulant, order: int, ensemble: Ensemble
) -> Iterator[tuple[tuple[CubicVertex, ...], tuple[WeightBlock, ...], tuple[InternalTree, ...]]]:
    """Each pair descends by one of the pair rules; the blocks of the edges that are left make internal trees.

    The pairs that contract weights make weight blocks where the ensemble has them: see ``blocks``.
    """
    edges = {frozenset(edge) for edge in cumulant.edges}
    allowed = [
        [rule for rule in PAIR_RULES if frozenset(pair) in edges or not rule.consumes_edge] for pair in cumulant.channel
    ]
    for choice in product(*allowed):
        new = {frozenset(p) for p, rule in zip(cumulant.channel, choice, strict=True) if rule.consumes_edge}
        old = [edge for edge in cumulant.edges if frozenset(edge) not in new]
        at_slot = [[e for e in old if v in e] for v in range(len(cumulant.labels))]
        for blocks in product(*(list(set_partitions(held)) for held in at_slot)):
            orders = [len(held) for held in blocks]
            trees = _internal_trees(old, blocks, cumulant.labels)
            for pairs, weight_blocks in joined(tuple(zip(cumulant.channel, choice, strict=True)), order, ensemble):
                vertices = tuple(
                    CubicVertex(rule.name, _factors(rule, cumulant.labels, orders, pair)) for pair, rule in pairs
                )
                yield vertices, tuple(labelled(block, cumulant.labels) for block in weight_blocks), trees


def _factors(
    rule: PairRule, labels: tuple[int, ...], orders: list[int], pair: tuple[int, int]
) -> tuple[Factor, Factor]:
    a, b = pair
    return (Factor(labels[a], orders[a], rule.function), Factor(labels[b], orders[b], rule.function))


def _internal_trees(
    old: list[tuple[int, int]],
    blocks: tuple[tuple[tuple[tuple[int, int], ...], ...], ...],
    labels: tuple[int, ...],
) -> tuple[InternalTree, ...]:
    """Blocks joined along the old edges: connected trees, one node a block."""
    nodes = [(v, block) for v, held in enumerate(blocks) for block in held]
    where = {(v, edge): i for i, (v, block) in enumerate(nodes) for edge in block}
    joins = [(where[a, (a, b)], where[b, (a, b)]) for a, b in old]
    tree_of = list(range(len(nodes)))
    for a, b in joins:
        low, high = sorted((tree_of[a], tree_of[b]))
        tree_of = [low if t == high else t for t in tree_of]
    trees = []
    for root in sorted(set(tree_of)):
        members = [i for i, t in enumerate(tree_of) if t == root]
        local = tuple(sorted((members.index(a), members.index(b)) for a, b in joins if a in members))
        trees.append(InternalTree(local, tuple(labels[nodes[i][0]] for i in members)))
    return tuple(trees)


class _Ends:
    """Where slots sit: their cubic vertex, the propagator of it, and what external legs and weight blocks join."""

    def __init__(self, cumulant: Cumulant, vertices: tuple[CubicVertex, ...], blocks: tuple[WeightBlock, ...]) -> None:
        self.cubic = {slot: i for i, vertex in enumerate(vertices) for slot in vertex.slots}
        self.joined = [leg.labels for leg in cumulant.legs] + [block.slots for block in blocks]

    def on(self, propagators: tuple[tuple[int, ...], ...]) -> dict[int, int]:
        """The propagator of each slot."""
        holder = {cubic: j for j, held in enumerate(propagators) for cubic in held}
        return {slot: holder[cubic] for slot, cubic in self.cubic.items()}

    def connected(self, at: dict[int, int], propagators: int, tensors: tuple[TensorVertex, ...]) -> bool:
        """Connected through legs, cubic vertices, weight blocks, tensor vertices and propagators."""
        if propagators == 1:
            return True
        groups = [{at[slot] for slot in labels} for labels in self.joined]
        groups += [{at[slot] for slot in t.ends} | {j for j, k in enumerate(t.zz) if k} for t in tensors]
        reached = {0}
        grown = True
        while grown:
            before = len(reached)
            for group in groups:
                if reached & group:
                    reached |= group
            grown = len(reached) > before
        return len(reached) == propagators


# --- tensor vertices (theory section 4, point 2 and 3) --------------------------------------------------------


class _Search:
    """Counts what is tried, so that a request that is too large ends with a message."""

    def __init__(self, name: str, order: int) -> None:
        self.asked = f"{name} at order {order}"
        self.candidates = self.steps = 0

    def found(self) -> None:
        self.candidates += 1
        if self.candidates > MAX_CANDIDATES:
            raise LimitError(
                f"{self.asked} has more than {MAX_CANDIDATES} candidates; try a lower order or fewer slots"
            )

    def tensor_choices(
        self, trees: tuple[InternalTree, ...], at: dict[int, int], propagators: int, budget: int
    ) -> Iterator[tuple[TensorVertex, ...]]:
        """Every way to gather the trees into tensor vertices, with z-only vertices, of total cost ``budget``."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise LimitError(f"{self.asked} takes more than {MAX_STEPS} steps; try a lower order or fewer tree nodes")
        if not trees:
            yield from _z_vertices(_z_options(propagators, budget), budget)
            return
        first, others = trees[0], trees[1:]
        for size in range(len(others) + 1):
            for chosen in combinations(range(len(others)), size):
                gathered = (first, *(others[i] for i in chosen))
                rest = tuple(tree for i, tree in enumerate(others) if i not in chosen)
                for vertex in _vertices_of(gathered, at, propagators, budget):
                    for more in self.tensor_choices(rest, at, propagators, budget - vertex.order):
                        yield (vertex, *more)


def _vertices_of(
    trees: tuple[InternalTree, ...], at: dict[int, int], propagators: int, budget: int
) -> Iterator[TensorVertex]:
    """Cumulants with these trees: a slot-slot pair needs one propagator, every other end takes a z-leg."""
    where = [at[slot] for tree in trees for slot in tree.nodes]
    for tied in bounded_matchings(tuple(range(len(where))), where, budget + 1):
        paired = {v for pair in tied for v in pair}
        mixed = tuple(v for v in range(len(where)) if v not in paired)
        least = len(tied) + len(mixed) - 1
        for extra in range(budget - least + 1):
            name = _vertex_name(tuple((t.edges, len(t.nodes)) for t in trees), tied, mixed, extra)
            for order in range(least + extra, budget + 1):
                for zz in compositions(extra, propagators):
                    yield TensorVertex(name, order, trees, tied, mixed, zz)


@cache
def _z_options(propagators: int, budget: int) -> tuple[TensorVertex, ...]:
    """Vertices with z-legs only; a single pair starts at K^{1}."""
    found = []
    for order in range(1, budget + 1):
        for pairs in range(1, order + 2):
            name = _vertex_name((), (), (), pairs)
            found += [TensorVertex(name, order, (), (), (), zz) for zz in compositions(pairs, propagators)]
    return tuple(found)


def _z_vertices(options: tuple[TensorVertex, ...], budget: int, first: int = 0) -> Iterator[tuple[TensorVertex, ...]]:
    """Multisets of z-only vertices of total cost ``budget``: identical ones are not told apart."""
    if budget == 0:
        yield ()
        return
    for i in range(first, len(options)):
        if options[i].order > budget:
            break  # options are sorted by cost
        for rest in _z_vertices(options, budget - options[i].order, i):
            yield (options[i], *rest)


@cache
def _vertex_name(
    trees: tuple[tuple[tuple[tuple[int, int], ...], int], ...],
    tied: tuple[tuple[int, int], ...],
    mixed: tuple[int, ...],
    zz: int,
) -> str:
    edges, partner = vertex_shape(trees, tied, mixed, zz)
    return identify(edges, partner).name


def vertex_shape(
    trees: tuple[tuple[tuple[tuple[int, int], ...], int], ...],
    tied: tuple[tuple[int, int], ...],
    mixed: tuple[int, ...],
    zz: int,
) -> tuple[tuple[tuple[int, int], ...], tuple[int, ...]]:
    """Slots of a tensor vertex: tree nodes, then the z-legs of mixed pairs, then the z-z pairs; edges and channel."""
    edges: list[tuple[int, int]] = []
    nodes = 0
    for inner, size in trees:
        edges += [(a + nodes, b + nodes) for a, b in inner]
        nodes += size
    partner = list(range(nodes + len(mixed) + 2 * zz))
    pairs = [*tied, *((v, nodes + i) for i, v in enumerate(mixed))]
    pairs += [(v, v + 1) for v in range(nodes + len(mixed), len(partner), 2)]
    for a, b in pairs:
        partner[a], partner[b] = b, a
    return tuple(edges), tuple(partner)


def _weight(tensors: tuple[TensorVertex, ...]) -> Fraction:
    """1/2 for each z-z pair, 1/k! for k of one vertex on one propagator, 1/k! for k identical vertices."""
    symmetry = 1
    for vertex in tensors:
        for count in vertex.zz:
            symmetry *= 2**count * factorial(count)
    for vertex in set(tensors):
        if not vertex.trees:
            symmetry *= factorial(tensors.count(vertex))
    return Fraction(1, symmetry)


# --- the Omega merge and canonical order ----------------------------------------------------------------------


def _merge_omega(diagrams: list[Diagram]) -> tuple[Diagram, ...]:
    """Draw the new-edge choice and the weight choice with mean Theta inside as one (theory section 4)."""
    groups: dict[tuple[object, ...], list[Diagram]] = {}
    merged: dict[tuple[object, ...], Diagram] = {}
    for diagram in diagrams:
        shape = _omega_shape(diagram)
        key = _sort_key(shape)
        merged[key] = shape
        groups.setdefault(key, []).append(diagram)
    result = []
    for number, key in enumerate(sorted(merged), start=1):
        shape = merged[key]
        name = f"{ENSEMBLES[shape.weights].prefix}{shape.cumulant.name}:{shape.order}:{number}"
        members = sorted(groups[key], key=lambda d: [v.coupling for v in d.cubic_vertices])
        apart = [replace(d, id=f"{name}{_suffix(i)}") for i, d in enumerate(members)] if len(members) > 1 else []
        result.append(replace(shape, id=name, members=tuple(apart)))
    return tuple(result)


def _suffix(number: int) -> str:
    """a, b, .., z, aa, ab, .."""
    letter = chr(ord("a") + number % 26)
    return letter if number < 26 else _suffix(number // 26 - 1) + letter


def _omega_shape(diagram: Diagram) -> Diagram:
    """The diagram with every mergeable choice drawn as an Omega vertex."""
    own = {frozenset(leg.labels) for leg in diagram.cumulant.legs if leg.kind == "NTK"}
    means = {frozenset(v.ends): v for v in diagram.tensor_vertices if v.is_mean_ntk and v.tied}
    vertices, inside = [], []
    for cubic in diagram.cubic_vertices:
        slots = frozenset(cubic.slots)
        if slots in own and cubic.coupling in OMEGA.merges and (cubic.rule.consumes_edge or slots in means):
            if not cubic.rule.consumes_edge:
                inside.append(means[slots])
            a, b = cubic.slots
            cubic = CubicVertex(OMEGA.name, (Factor(a, 0, OMEGA.function), Factor(b, 0, OMEGA.function)))
        vertices.append(cubic)
    tensors = tuple(v for v in diagram.tensor_vertices if v not in inside)
    return replace(diagram, cubic_vertices=tuple(vertices), tensor_vertices=tensors)


def _sort_key(diagram: Diagram) -> tuple[object, ...]:
    """Canonical order: no weight blocks first, then fewest layer-l cumulants, named ones before others."""

    def rank(v: TensorVertex) -> tuple[object, ...]:
        place = NAMES.index(v.name) if v.name in NAMES else len(NAMES)
        return (place, v.name, v.order, v.zz, v.tied, v.mixed, tuple((t.edges, t.nodes) for t in v.trees))

    couplings = tuple((v.coupling, v.factors) for v in diagram.cubic_vertices)
    tensors = tuple(sorted(rank(v) for v in diagram.tensor_vertices))
    blocks = (diagram.block_cost, tuple((b.pairs, b.cubic_vertices, b.cost) for b in diagram.weight_blocks))
    return (blocks, diagram.cost, len(diagram.propagators), tensors, diagram.propagators, couplings)
