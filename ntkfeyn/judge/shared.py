"""Exact moments of finite-width networks whose weights are shared over labels: convolutions, pooling, graphs.

Enters: a ``Setting`` with label maps, external legs as for dense networks. Leaves: cumulants as exact power series in
1/n, up to the order asked for.

Method: that of exact.py, and one more sum wherever a slot goes down a layer, for

    z_{i;a} = b_i + sum_t sum_k W^t_ik sum_a' M^t_aa' s(z_{k;a'}).

Two weights that are contracted, or the two ends of an edge that differentiates a weight, are those of one t, and each
of the two slots has its own sum over a'. These sums are written out when the neuron that the slots share is averaged;
until then it carries the pair with the labels of the layer above. Nothing here comes from the derivation.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache

from ntkfeyn.judge.coincidences import Pair, Powers
from ntkfeyn.judge.exact import Carried, ExactNetwork, Pattern
from ntkfeyn.judge.kernel_graphs import HiddenNeuron, KernelGraph, Opening, gather
from ntkfeyn.judge.setting import ONE, ZERO, Maps, Setting


class SharedNetwork(ExactNetwork):
    """Gaussian weights, shared over the labels of the layers that ``setting.sharing`` says."""

    def __init__(self, setting: Setting, order: int) -> None:
        super().__init__(setting, order)
        self.descents = cache(self._descents)

    def _patterns(self, layer: int, powers: Powers, graphs: tuple[KernelGraph, ...]) -> Iterator[Pattern]:
        if not self.setting.maps(layer - 1):
            yield from super()._patterns(layer, powers, graphs)
            return
        for weight, opened in self._choices(powers, graphs):
            yield (weight, *self._zero()[1:]), *gather([(waiting(opening), count) for opening, count in opened])

    def _written_out(self, layer: int, neuron: HiddenNeuron) -> dict[Carried, Fraction]:
        """The sums over t and labels of every pair that waits, multiplied out; products that meet are added."""
        total: dict[Carried, Fraction] = {(neuron.factors, ()): ONE}
        for (a, of_a), (b, of_b) in neuron.waiting:
            grown: dict[Carried, Fraction] = {}
            for (below_a, below_b), weight in self.descents(layer, a, b).items():
                ends = (*((end, below_a) for end in of_a), *((end, below_b) for end in of_b))
                for (factors, placed), known in total.items():
                    self._count_work()
                    carried = tuple(sorted((*factors, (below_a, len(of_a)), (below_b, len(of_b)))))
                    key = carried, (*placed, *ends)
                    grown[key] = grown.get(key, ZERO) + weight * known
            total = grown
        return total

    def _descents(self, layer: int, a: int, b: int) -> dict[Pair, Fraction]:
        return descents(self.setting.maps(layer), a, b)


def descents(maps: Maps, a: int, b: int) -> dict[Pair, Fraction]:
    """The labels that two slots of one hidden neuron may have in the layer below, and the factor of each.

    Weights of different t are independent and different parameters: so the two slots have one t, and w_t stands once.
    """
    found: dict[Pair, Fraction] = {}
    for variance, rows in maps:
        for below_a, of_a in rows[a]:
            for below_b, of_b in rows[b]:
                at = below_a, below_b
                found[at] = found.get(at, ZERO) + variance * of_a * of_b
    return {at: weight for at, weight in found.items() if weight}


def waiting(opening: Opening) -> Opening:
    """The opening with every neuron as a pair of slots that still have their labels of the layer above."""
    neurons = []
    for slots in opening.slots:
        [(a, _)], [(b, _)] = slots[0].factors, slots[1].factors
        pair = ((a, slots[0].ends), (b, slots[1].ends))
        neurons.append(HiddenNeuron((), (*slots[0].ends, *slots[1].ends), (min(pair, pair[::-1]),)))
    return opening._replace(neurons=tuple(neurons))
