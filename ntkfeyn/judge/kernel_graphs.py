"""Kernel variables: the scalars that the preactivations of one layer are made of, given the layer below.

Given the layer below, the rows of a layer's weight matrix are independent Gaussians. A product of trees at neurons
that coincide in pairs therefore averages to a product of scalars, one a connected graph of tree edges and pairs. Such a
graph is a ``KernelGraph``: its nodes are slots (sample, slot it is paired with, tree neighbours), slots by index. G_ab
is the graph of two bare slots; the trace of an NTK is the graph of an edge paired with itself.

This file and exact.py know nothing of diagrams and import nothing of the derivation: they are its judge.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import permutations, product
from typing import NamedTuple

Node = tuple[int, int, tuple[int, ...]]
KernelGraph = tuple[Node, ...]
Factor = tuple[int, int]  # (sample, derivative order of the activation)
WaitingSlot = tuple[int, tuple[int, ...]]  # (label, ends: as many as the activation is differentiated)
Trees = Sequence[tuple[int, tuple[int, ...]]]  # for each tree end its sample and its tree neighbours


class HiddenNeuron(NamedTuple):
    """A hidden neuron that a pair of slots opens to: a product of activations, and ends of trees of the layer below.

    ``waiting``: pairs of slots whose labels are still those of the layer above (shared.py), with what they will carry.
    """

    factors: tuple[Factor, ...]
    ends: tuple[int, ...]
    waiting: tuple[tuple[WaitingSlot, WaitingSlot], ...] = ()


Slots = tuple[HiddenNeuron, HiddenNeuron]


class Opening(NamedTuple):
    """One way to write a kernel graph by the layer below: powers of C_W and lambda_W, neurons, trees between them.

    ``trees`` lists for each end its sample and its tree neighbours; ``slots``, for each neuron, what each of its two
    slots brings to it, and ``new`` whether it is the neuron of a new edge or of two contracted weights.
    """

    C_W: int
    lambda_W: int
    neurons: tuple[HiddenNeuron, ...]
    trees: tuple[tuple[int, tuple[int, ...]], ...]
    slots: tuple[Slots, ...]
    new: tuple[bool, ...]


def bare(first: int, second: int) -> KernelGraph:
    """G_ab."""
    a, b = sorted((first, second))
    return ((a, 1, ()), (b, 0, ()))


def split(nodes: Sequence[Node]) -> list[KernelGraph]:
    """The connected graphs of slots, each in canonical form."""
    seen: set[int] = set()
    found = []
    for start in range(len(nodes)):
        if start in seen:
            continue
        members, stack = {start}, [start]
        while stack:
            _, partner, neighbours = nodes[stack.pop()]
            for v in (partner, *neighbours):
                if v not in members:
                    members.add(v)
                    stack.append(v)
        seen |= members
        found.append(canonical(_extract(nodes, sorted(members))))
    return found


def _extract(nodes: Sequence[Node], order: Sequence[int]) -> KernelGraph:
    place = {v: i for i, v in enumerate(order)}
    return tuple((nodes[v][0], place[nodes[v][1]], tuple(sorted(place[u] for u in nodes[v][2]))) for v in order)


@lru_cache(maxsize=1 << 18)
def canonical(graph: KernelGraph) -> KernelGraph:
    """The least numbering among all walks through the graph: equal graphs meet, so that work is shared."""
    return min(_extract(graph, order) for root in range(len(graph)) for order in _walks(graph, [root], 0))


def _walks(graph: KernelGraph, order: list[int], position: int) -> Iterator[list[int]]:
    if position == len(order):
        yield order
        return
    _, partner, neighbours = graph[order[position]]
    fresh = [u for u in neighbours if u not in order and u != partner]
    follow = [partner] if partner not in order else []
    for arrangement in permutations(fresh):
        yield from _walks(graph, [*order, *follow, *arrangement], position + 1)


@lru_cache(maxsize=1 << 16)
def openings(graph: KernelGraph) -> tuple[Opening, ...]:
    """All terms of a kernel graph in the layer below, without the bias constants.

    z_i = sum_k W_ik s(z_k) and its derivatives: at most one tree edge at a slot differentiates W (its other end must
    then be the slot it is paired with), the others differentiate s(z_k) by the chain rule, in blocks.
    """
    pairs = [(v, partner) for v, (_, partner, _) in enumerate(graph) if v < partner]
    choices = [(False, True) if b in graph[a][2] else (False,) for a, b in pairs]
    found = []
    for direct in product(*choices):
        removed = {frozenset(pair) for pair, new in zip(pairs, direct, strict=True) if new}
        old = [[u for u in node[2] if frozenset((v, u)) not in removed] for v, node in enumerate(graph)]
        for blocks in product(*(list(_partitions(held)) for held in old)):
            found.append(_open(graph, pairs, direct, blocks))
    return tuple(found)


def _open(
    graph: KernelGraph,
    pairs: list[tuple[int, int]],
    direct: Sequence[bool],
    blocks: Sequence[list[list[int]]],
) -> Opening:
    """``blocks[v]`` gathers the neighbours whose derivatives hit the same factor of the chain rule at slot v."""
    end_at = {(v, u): (v, k) for v, held in enumerate(blocks) for k, block in enumerate(held) for u in block}
    number = {end: i for i, end in enumerate(sorted(set(end_at.values())))}
    joined: list[set[int]] = [set() for _ in number]
    for v, u in end_at:
        joined[number[end_at[v, u]]].add(number[end_at[u, v]])
    trees = tuple((graph[v][0], tuple(sorted(joined[i]))) for (v, _), i in number.items())
    halves = [
        HiddenNeuron(((node[0], len(held)),), tuple(number[v, k] for k in range(len(held))))
        for v, (node, held) in enumerate(zip(graph, blocks, strict=True))
    ]
    slots = tuple((halves[a], halves[b]) for a, b in pairs)
    neurons = tuple(together(*both) for both in slots)
    return Opening(len(pairs) - sum(direct), sum(direct), neurons, trees, slots, tuple(direct))


def together(*neurons: HiddenNeuron) -> HiddenNeuron:
    """One neuron that carries what each of these carries."""
    return HiddenNeuron(
        tuple(sorted(factor for neuron in neurons for factor in neuron.factors)),
        tuple(end for neuron in neurons for end in neuron.ends),
        tuple(sorted(pair for neuron in neurons for pair in neuron.waiting)),
    )


def _partitions(items: list[int]) -> Iterator[list[list[int]]]:
    """All ways to gather items in blocks."""
    if not items:
        yield []
        return
    head, *rest = items
    for partition in _partitions(rest):
        yield [[head], *partition]
        for i in range(len(partition)):
            yield [*partition[:i], [head, *partition[i]], *partition[i + 1 :]]


def gather(
    opened: Sequence[tuple[Opening, int]],
) -> tuple[list[tuple[HiddenNeuron, int]], list[HiddenNeuron], list[tuple[int, tuple[int, ...]]]]:
    """Exchangeable neurons with their number, neurons that carry tree ends, and the trees, ends renumbered."""
    free: dict[HiddenNeuron, int] = {}
    tied: list[HiddenNeuron] = []
    trees: list[tuple[int, tuple[int, ...]]] = []
    for opening, count in opened:
        start = len(trees)
        trees += [(sample, tuple(u + start for u in joined)) for sample, joined in opening.trees]
        for neuron in opening.neurons:
            if neuron.ends:
                tied.append(shifted(neuron, start))
            else:
                free[neuron] = free.get(neuron, 0) + count
    return sorted(free.items()), tied, trees


def shifted(neuron: HiddenNeuron, start: int) -> HiddenNeuron:
    """The neuron with its ends counted from ``start``."""

    def moved(ends: Sequence[int]) -> tuple[int, ...]:
        return tuple(end + start for end in ends)

    waiting = tuple(((a, moved(of_a)), (b, moved(of_b))) for (a, of_a), (b, of_b) in neuron.waiting)
    return HiddenNeuron(neuron.factors, moved(neuron.ends), waiting)


def joined_by_ntks(tied: Sequence[HiddenNeuron], trees: Trees) -> list[HiddenNeuron]:
    """At layer 1 an NTK is diagonal: the neurons at its two ends are one."""
    joined = list(tied)
    for end, (_, (other,)) in enumerate(trees):
        first = next(neuron for neuron in joined if end in neuron.ends)
        if other not in first.ends:
            second = next(neuron for neuron in joined if other in neuron.ends)
            joined = [neuron for neuron in joined if neuron is not first and neuron is not second]
            joined.append(together(first, second))
    return joined
