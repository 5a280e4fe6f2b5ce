"""Weight blocks: in how many ways pairs that contract weights are joined by joint cumulants (theory section 9).

Enters: the pairs of a channel with their rules, the order and the ensemble of the weights. Leaves: the pairs of slots
that share a hidden neuron, with their rules, and the weight blocks that they stand in. For Gaussian weights there is
one way: every pair as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import product
from typing import NamedTuple

from ntkfeyn.derivation.diagrams import WeightBlock
from ntkfeyn.derivation.rules import BLOCK, ENSEMBLES, Ensemble, PairRule
from ntkfeyn.derivation.weingarten import leading_power, loops_of
from ntkfeyn.model.combinatorics import perfect_matchings, set_partitions

Pair = tuple[int, int]
RuledPairs = tuple[tuple[Pair, PairRule], ...]


class _Option(NamedTuple):
    """A block as one of its matchings of hidden indices and one term of its cumulant: loops, e and coefficient."""

    pairs: tuple[Pair, ...]
    matching: tuple[Pair, ...]
    loops: tuple[int, ...]
    cost: int
    coefficient: int


def joined(pairs: RuledPairs, order: int, ensemble: Ensemble) -> Iterator[tuple[RuledPairs, tuple[WeightBlock, ...]]]:
    """Every way to put the pairs without a new edge into weight blocks that cost at most ``order`` together."""
    if ensemble.joint_cumulant is None:
        yield pairs, ()
        return
    free = [pair for pair, rule in pairs if not rule.consumes_edge]
    for partition in set_partitions(free):
        blocks = [block for block in partition if len(block) > 1]
        within = {pair for block in blocks for pair in block}
        alone = [(pair, rule) for pair, rule in pairs if pair not in within]
        for chosen in product(*(_options(block, order, ensemble.name) for block in blocks)):
            if sum(option.cost for option in chosen) <= order:
                yield _placed(alone, chosen)


def _placed(
    alone: list[tuple[Pair, PairRule]], chosen: tuple[_Option, ...]
) -> tuple[RuledPairs, tuple[WeightBlock, ...]]:
    """All pairs that share a hidden neuron in the order of their slots, and blocks that say which are theirs."""
    every = sorted([*alone, *((pair, BLOCK) for option in chosen for pair in option.matching)], key=lambda one: one[0])
    number = {pair: i for i, (pair, _) in enumerate(every)}
    blocks = [
        WeightBlock(
            option.pairs,
            tuple(sorted(number[pair] for pair in option.matching)),
            option.loops,
            option.cost,
            option.coefficient,
        )
        for option in chosen
    ]
    return tuple(every), tuple(blocks)


@cache
def _options(block: tuple[Pair, ...], most: int, ensemble: str) -> tuple[_Option, ...]:
    """Every matching of the slots of a block with every term of its cumulant that costs at most ``most``."""
    cumulant = ENSEMBLES[ensemble].joint_cumulant
    assert cumulant is not None
    found = []
    for unordered in perfect_matchings(sorted(slot for pair in block for slot in pair)):
        matching = tuple(sorted(unordered))
        loops = loops_of(block, matching)
        for cost in range(leading_power(loops) - len(block), most + 1):
            coefficient = cumulant(loops, len(block) + cost)
            if coefficient:
                found.append(_Option(block, matching, loops, cost, coefficient))
    return tuple(found)


def labelled(block: WeightBlock, labels: tuple[int, ...]) -> WeightBlock:
    """A block by slot positions, with their labels instead."""
    return replace(block, pairs=tuple((labels[a], labels[b]) for a, b in block.pairs))
