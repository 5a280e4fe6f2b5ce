"""Exact moments of finite-width networks whose weights are shared over labels: convolutions, pooling, graphs.

Enters: a ``Setting`` with label maps, external legs as for dense networks. Leaves: cumulants as exact power series in
1/n, up to the order asked for.

Method: that of exact.py, and one more sum wherever a slot goes down a layer, for

    z_{i;a} = b_i + sum_t sum_k W^t_ik sum_a' M^t_aa' s(z_{k;a'}).

Two weights that are contracted, or the two ends of an edge that differentiates a weight, are those of one t, and each
of the two slots has its own sum over a'. The sums are written out, at once where the ends of trees need the labels, and
else when the neuron is averaged: until then neurons that bring the same pair of labels of the layer above are
exchangeable. Nothing here comes from the derivation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product

from ntkfeyn.judge.coincidences import Pair, Powers
from ntkfeyn.judge.exact import ExactNetwork, Pattern
from ntkfeyn.judge.kernel_graphs import Factor, HiddenNeuron, KernelGraph, Opening, gather, together
from ntkfeyn.judge.setting import ONE, ZERO, Maps

Placed = tuple[tuple[int, int], ...]  # (end of a tree, its label in the layer below)


class SharedNetwork(ExactNetwork):
    """Gaussian weights, shared over the labels of the layers that ``setting.sharing`` says."""

    def _patterns(self, layer: int, powers: Powers, graphs: tuple[KernelGraph, ...]) -> Iterator[Pattern]:
        maps = self.setting.maps(layer - 1)
        if not maps:
            yield from super()._patterns(layer, powers, graphs)
            return
        for weight, opened in self._choices(powers, graphs):
            lowered = [list(lowerings(maps, opening)) for opening, _ in opened]
            for choice in product(*lowered):
                factor = weight
                for own, _ in choice:
                    factor *= own
                placed = [(opening, count) for (_, opening), (_, count) in zip(choice, opened, strict=True)]
                self._count_work()
                yield ((factor, *self._zero()[1:]), *gather(placed))

    def _written_out(self, layer: int, neuron: HiddenNeuron) -> dict[tuple[Factor, ...], Fraction]:
        """The sums over t and labels that still wait, multiplied out; products that meet are added."""
        total = {neuron.factors: ONE}
        for a, b in neuron.waiting:
            grown: dict[tuple[Factor, ...], Fraction] = {}
            for (below_a, below_b), weight in descents(self.setting.maps(layer), a, b).items():
                for factors, known in total.items():
                    self._count_work()
                    key = tuple(sorted((*factors, (below_a, 0), (below_b, 0))))
                    grown[key] = grown.get(key, ZERO) + weight * known
            total = grown
        return total


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


def lowerings(maps: Maps, opening: Opening) -> Iterator[tuple[Fraction, Opening]]:
    """An opening with the labels of the layer below wherever a tree ends, each choice with its factor.

    Neurons without ends keep the labels of the layer above, as pairs that wait.
    """
    options: list[Sequence[tuple[Fraction, HiddenNeuron, Placed]]] = []
    for first, second in opening.slots:
        [(a, above_a)], [(b, above_b)] = first.factors, second.factors
        if not first.ends and not second.ends:
            options.append([(ONE, HiddenNeuron((), (), ((min(a, b), max(a, b)),)), ())])
            continue
        ways = []
        for (below_a, below_b), weight in descents(maps, a, b).items():
            lower = first._replace(factors=((below_a, above_a),)), second._replace(factors=((below_b, above_b),))
            ends = tuple((end, label) for one in lower for end in one.ends for label, _ in one.factors)
            ways.append((weight, together(*lower), ends))
        options.append(ways)
    for choice in product(*options):
        factor, label = ONE, {}
        for weight, _, placed in choice:
            factor *= weight
            label.update(placed)
        trees = tuple((label[end], joined) for end, (_, joined) in enumerate(opening.trees))
        yield factor, opening._replace(neurons=tuple(neuron for _, neuron, _ in choice), trees=trees)
