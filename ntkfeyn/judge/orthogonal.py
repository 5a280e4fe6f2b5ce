"""Exact moments of finite-width networks with orthogonal weights and polynomial activations (THEORY section 9).

Enters: a ``Setting``, external legs as for Gaussian weights. Leaves: cumulants as exact power series in 1/n, up to the
order asked for (they do not end: Weingarten functions are no polynomials in 1/n).

Method: the rows of a corner of a Haar-random matrix can be rotated, and its columns too. So what a product of trees
averages to is still a sum over matchings m of its slots, each times one number, and the kernel graphs of the Gaussian
judge stand for these numbers. One layer below, the weights that m pairs are paired anew: a sum over all m', each times
a Weingarten function, and the pairs of m' are the hidden neurons. For Gaussian weights m' = m; all else is the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from math import comb

from ntkfeyn.judge.coincidences import Powers, companions
from ntkfeyn.judge.exact import ExactNetwork, Pattern
from ntkfeyn.judge.kernel_graphs import HiddenNeuron, KernelGraph, Opening, Slots, shifted, together
from ntkfeyn.judge.setting import Series, Setting
from ntkfeyn.judge.weingarten import single_loops, weingarten

Neurons = tuple[tuple[HiddenNeuron, int], ...]  # with the number of times that each occurs


class OrthogonalNetwork(ExactNetwork):
    """The weights of layers 2, 3, .. are corners of orthogonal matrices; layer 1 and all biases are Gaussian."""

    def __init__(self, setting: Setting, order: int) -> None:
        super().__init__(setting, order)
        self.weingarten = cache(self._weingarten)

    def _patterns(self, layer: int, powers: Powers, graphs: tuple[KernelGraph, ...]) -> Iterator[Pattern]:
        for factor, opened in self._choices(powers, graphs):
            free, tied, fresh, trees = _gather(opened)
            pairs = sum(count for _, count in free) + len(tied)
            weights: dict[Neurons, Series] = {}
            for (loops, neurons), ways in rewirings(free, tied, self.order).items():
                known = weights.get(neurons, self._zero())
                weights[neurons] = self._plus(known, self.weingarten(layer - 1, pairs, loops), factor * ways)
            for neurons, weight in weights.items():
                if any(weight):
                    counts = dict(fresh)
                    for neuron, count in neurons:
                        counts[neuron] = counts.get(neuron, 0) + count
                    bare = sorted((neuron, count) for neuron, count in counts.items() if not neuron.ends)
                    yield weight, bare, [neuron for neuron in counts if neuron.ends], trees

    def _weingarten(self, layer: int, pairs: int, loops: tuple[int, ...]) -> Series:
        """N^p Wg of so many pairs, ``loops`` of two pairs or more among them, above a layer: a series in 1/n."""
        whole = (*loops, *(1,) * (pairs - sum(loops)))
        size = self.setting.corner_of(layer)
        return tuple(Fraction(weingarten(whole, power), size**power) for power in range(self.order + 1))


def _gather(
    opened: Sequence[tuple[Opening, int]],
) -> tuple[list[tuple[Slots, int]], list[Slots], dict[HiddenNeuron, int], list[tuple[int, tuple[int, ...]]]]:
    """Pairs of weights without and with tree ends, neurons of new edges, and the trees, ends renumbered."""
    free: dict[Slots, int] = {}
    tied: list[Slots] = []
    fresh: dict[HiddenNeuron, int] = {}
    trees: list[tuple[int, tuple[int, ...]]] = []
    for opening, count in opened:
        start = len(trees)
        trees += [(sample, tuple(u + start for u in joined)) for sample, joined in opening.trees]
        for neuron, slots, new in zip(opening.neurons, opening.slots, opening.new, strict=True):
            if new:
                moved = shifted(neuron, start)
                fresh[moved] = fresh.get(moved, 0) + count
            elif neuron.ends:
                tied.append((shifted(slots[0], start), shifted(slots[1], start)))
            else:
                free[slots] = free.get(slots, 0) + count
    return sorted(free.items()), tied, fresh, trees


def rewirings(
    free: Sequence[tuple[Slots, int]], tied: Sequence[Slots], most: int
) -> dict[tuple[tuple[int, ...], Neurons], int]:
    """Every matching of slots that shares at least p - ``most`` loops with their p pairs: how often each occurs.

    By loops of two pairs or more, and by the neurons that the new pairs make. ``free`` pairs of one kind are counted.
    """
    kinds = [pair for pair, _ in free]

    def fill(
        counts: tuple[int, ...], waiting: tuple[Slots, ...], left: int
    ) -> Iterator[tuple[tuple[int, ...], tuple[HiddenNeuron, ...], int]]:
        kind = next((i for i, count in enumerate(counts) if count), None)
        if waiting:
            first, others, pool = waiting[0], waiting[1:], counts
        elif kind is not None:
            first, others = kinds[kind], ()
            pool = (*counts[:kind], counts[kind] - 1, *counts[kind + 1 :])
        else:
            yield (), (), 1
            return
        for taken, partners, rest in companions(pool, others, left):
            ways, block = 1, [first, *partners]
            for i, number in enumerate(taken):
                ways *= comb(pool[i], number)
                block += [kinds[i]] * number
            remaining = tuple(a - b for a, b in zip(pool, taken, strict=True))
            own = (len(block),) if len(block) > 1 else ()
            for neurons, times in _loops(tuple(block)):
                for loops, more, count in fill(remaining, rest, left - len(block) + 1):
                    yield (*own, *loops), (*neurons, *more), ways * times * count

    total: dict[tuple[tuple[int, ...], Neurons], int] = {}
    for loops, neurons, ways in fill(tuple(count for _, count in free), tuple(tied), most):
        key = tuple(sorted(loops)), tuple(sorted((one, neurons.count(one)) for one in set(neurons)))
        total[key] = total.get(key, 0) + ways
    return total


@cache
def _loops(pairs: tuple[Slots, ...]) -> tuple[tuple[tuple[HiddenNeuron, ...], int], ...]:
    """The neurons of every matching that makes one loop with these pairs, and how often they occur."""
    found: dict[tuple[HiddenNeuron, ...], int] = {}
    for matching in single_loops(pairs):
        neurons = tuple(sorted(together(a, b) for a, b in matching))
        found[neurons] = found.get(neurons, 0) + 1
    return tuple(found.items())
