"""Exact moments and cumulants of finite-width networks with polynomial activations, by brute force.

Enters: a polynomial activation, couplings, first-layer kernels, relative widths, external legs as trees with a pairing
of their slots. Leaves: the cumulant at any layer as an exact power series in x = 1/n (all coefficients rational, all
correct up to the order asked for; a high enough order is the whole polynomial).

Method: Wick's theorem over the weights of a layer, a sum over all coincidences of the hidden neurons with falling
factorials, Wick's theorem at each neuron, and so on down to layer 1, where preactivations are Gaussian and the NTK is
constant. Nothing here comes from the derivation; hidden neurons that are exchangeable are counted, not listed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from itertools import product
from math import comb, factorial, prod

from ntkfeyn.judge.coincidences import (
    Pair,
    Polynomial,
    Powers,
    coincidences,
    combine,
    derivative_hits,
    isserlis,
    matchings,
    multiply,
    set_partitions,
)
from ntkfeyn.judge.kernel_graphs import (
    Factor,
    HiddenNeuron,
    KernelGraph,
    Opening,
    Trees,
    bare,
    gather,
    joined_by_ntks,
    openings,
    split,
)
from ntkfeyn.judge.setting import ONE, ZERO, Series, Setting

Joints = tuple[tuple[int, int], ...]  # (end, sample)
Carried = tuple[tuple[Factor, ...], Joints]  # activations at a neuron, and the samples of ends that trees leave open
Wick = tuple[tuple[Pair, ...], Joints, Joints, Polynomial]  # pairs of ends, ends with a z, samples of ends, average
Pattern = tuple[Series, list[tuple[HiddenNeuron, int]], list[HiddenNeuron], Trees]  # weight, neurons, trees
MAX_WORK = 3_000_000


class WorkLimit(Exception):
    """The sum over hidden neurons is larger than MAX_WORK patterns."""


class ExactNetwork:
    """Moments of kernel graphs, remembered; ``order`` is the highest power of 1/n that is kept."""

    def __init__(self, setting: Setting, order: int) -> None:
        self.setting = setting
        self.order = order
        self.work = 0
        self.below = cache(self._moment)
        self.opened = cache(self._opened)
        self.gaussian = cache(self._gaussian)
        self.average = cache(self._average)
        self.first_layer = cache(self._first_layer)
        self.plain_average = cache(self._plain_average)
        self.falling = cache(self._falling)

    def cumulant(self, layer: int, slots: Sequence[tuple[int, int, tuple[int, ...]]]) -> Series:
        """The joint cumulant of the trees that ``slots`` form, all pairs at different neurons of ``layer``.

        A slot is (sample, slot it is paired with, tree neighbours). Coefficients of 1/n^0, 1/n^1, ..
        """
        total = self._zero()
        for partition in set_partitions(split(slots)):
            sign = (-1) ** (len(partition) - 1) * factorial(len(partition) - 1)
            value = self._one()
            for block in partition:
                value = self._times(value, self.moment(layer, block))
            total = self._plus(total, value, Fraction(sign))
        return total

    def moment(self, layer: int, graphs: Sequence[KernelGraph]) -> Series:
        """E[product of kernel graphs] at a layer."""
        return self.below(layer, *_bare_apart(graphs))

    # --- series in 1/n, truncated ---

    def _zero(self) -> Series:
        return (ZERO,) * (self.order + 1)

    def _one(self) -> Series:
        return (ONE, *(ZERO,) * self.order)

    def _padded(self, series: Series) -> Series:
        return (*series, *(ZERO,) * self.order)[: self.order + 1]

    def _times(self, a: Series, b: Series) -> Series:
        self._count_work()
        result = [ZERO] * (self.order + 1)
        for i, x in enumerate(a):
            if x:
                for j in range(self.order + 1 - i):
                    if b[j]:
                        result[i + j] += x * b[j]
        return tuple(result)

    def _plus(self, a: Series, b: Series, factor: Fraction = ONE) -> Series:
        return tuple(x + factor * y for x, y in zip(a, b, strict=True))

    def _falling(self, layer: int, neurons: int, indices: int) -> Series:
        """n(n-1)..(n-k+1) / n^P for k different neurons among P indices, at the width of this layer."""
        step = Fraction(1, self.setting.width(layer))
        result = [ZERO] * (self.order + 1)
        if indices - neurons <= self.order:
            result[indices - neurons] = step ** (indices - neurons)
        for i in range(1, neurons):
            result = [r - i * step * (result[j - 1] if j else ZERO) for j, r in enumerate(result)]
        return tuple(result)

    # --- the recursion over layers ---

    def _moment(self, layer: int, powers: Powers, graphs: tuple[KernelGraph, ...]) -> Series:
        if layer == 1:
            return self._moment_of_first_layer(powers, graphs)
        total = self._zero()
        for weight, left, opened in self._without_biases(powers, graphs):
            total = self._plus(total, self.opened(layer, left, opened), weight)
        return total

    def _opened(self, layer: int, powers: Powers, graphs: tuple[KernelGraph, ...]) -> Series:
        """The moment without biases: every graph opens to neurons of the layer below."""
        total = self._zero()
        for (lower, trees), weight in self._step(layer, powers, graphs).items():
            total = self._plus(total, self._times(weight, self.below(layer - 1, lower, trees)))
        return total

    def _moment_of_first_layer(self, powers: Powers, graphs: tuple[KernelGraph, ...]) -> Series:
        value = self._one()
        for graph in graphs:
            if not _is_ntk_trace(graph):
                return self._zero()
            value = self._times(value, self._padded(self.setting.ntk[graph[0][0]][graph[1][0]]))
        for (a, b), count in powers:
            for _ in range(count):
                value = self._times(value, self._padded(self.setting.kernel[a][b]))
        return value

    def _step(
        self, layer: int, powers: Powers, graphs: tuple[KernelGraph, ...]
    ) -> dict[tuple[Powers, tuple[KernelGraph, ...]], Series]:
        """The product at ``layer`` as moments of the layer below: {(powers of G, other graphs): weight}."""
        total: dict[tuple[Powers, tuple[KernelGraph, ...]], Series] = {}
        for weight, free, tied, trees in self._patterns(layer, powers, graphs):
            indices = sum(count for _, count in free) + len(tied)
            merges = self.order - next(power for power, x in enumerate(weight) if x)
            if layer == 2:
                if any(len(joined) > 1 for _, joined in trees):
                    continue  # trees of three or more nodes vanish at layer 1
                tied = joined_by_ntks(tied, trees)
                merges -= indices - sum(count for _, count in free) - len(tied)
            if merges < 0:
                continue
            for blocks, ways in coincidences(free, tied, merges):
                falling = self.falling(layer - 1, sum(count for _, count in blocks), indices)
                scale = self._times(falling, tuple(ways * x for x in weight))
                for key, value in self._neurons(layer - 1, blocks, trees).items():
                    known = total.get(key)
                    product_ = self._times(scale, value)
                    total[key] = product_ if known is None else self._plus(known, product_)
        return total

    def _patterns(self, layer: int, powers: Powers, graphs: tuple[KernelGraph, ...]) -> Iterator[Pattern]:
        """Every sum over hidden neurons that the product opens to, given the weights' law: Gaussian here."""
        for weight, opened in self._choices(powers, graphs):
            yield ((weight, *self._zero()[1:]), *gather(opened))

    def _product(self, a: Polynomial, b: Polynomial) -> Polynomial:
        self._count_work(len(a) * len(b) // 8)
        return multiply(a, b)

    def _count_work(self, amount: int = 1) -> None:
        self.work += amount
        if self.work > MAX_WORK:
            raise WorkLimit(f"the exact sum over hidden neurons takes more than {MAX_WORK} steps")

    def _without_biases(
        self, powers: Powers, graphs: tuple[KernelGraph, ...]
    ) -> Iterator[tuple[Fraction, Powers, tuple[KernelGraph, ...]]]:
        """Every way to take bias constants: their product, and what is left; G_ab by powers, NTKs one by one."""
        C_b, lambda_b = self.setting.C_b, self.setting.lambda_b
        bare = [[(comb(p, j) * C_b ** (p - j), j) for j in range(0 if C_b else p, p + 1)] for _, p in powers]
        trees = [[(ONE, 1), (lambda_b, 0)] if lambda_b and _is_ntk_trace(one) else [(ONE, 1)] for one in graphs]
        for choice in product(*bare, *trees):
            left = tuple((pair, j) for (pair, _), (_, j) in zip(powers, choice, strict=False) if j)
            kept = tuple(one for one, (_, j) in zip(graphs, choice[len(powers) :], strict=True) if j)
            yield prod((factor for factor, _ in choice), start=ONE), left, kept

    def _choices(
        self, powers: Powers, graphs: tuple[KernelGraph, ...]
    ) -> Iterator[tuple[Fraction, list[tuple[Opening, int]]]]:
        """Every way to open each graph to neurons of the layer below; G_ab by powers."""
        setting, C_W = self.setting, self.setting.C_W  # what two contracted weights give
        fixed = [(openings(bare(a, b))[0], count) for (a, b), count in powers]
        for choice in product(*map(openings, graphs)):
            opened = [*fixed, *((opening, 1) for opening in choice)]
            factors = (C_W ** (o.C_W * count) * setting.lambda_W**o.lambda_W for o, count in opened)
            if weight := prod(factors, start=ONE):
                yield weight, opened

    # --- one pattern of coincidences ---

    def _neurons(
        self, layer: int, blocks: Sequence[tuple[HiddenNeuron, int]], trees: Trees
    ) -> dict[tuple[Powers, tuple[KernelGraph, ...]], Series]:
        """The average of a product over different neurons of ``layer``, each Gaussian given the layer below it."""
        if layer == 1:
            return {((), ()): self._neurons_of_first_layer(blocks, trees)}
        free: Polynomial = {(): ONE}
        wired: list[list[Wick]] = []
        for neuron, count in blocks:
            if neuron.ends:
                wired.append(list(self._wick(layer, neuron)))
            else:
                for _ in range(count):
                    free = self._product(free, self.average(layer, neuron))
        total: dict[tuple[Powers, tuple[KernelGraph, ...]], Series] = {}
        for choice in product(*wired):
            self._count_work()
            polynomial = free
            for *_, part in choice:
                polynomial = self._product(polynomial, part)
            if not polynomial:
                continue
            extra, others = _bare_apart(_wire(trees, choice))
            for powers, coefficient in polynomial.items():
                key = (combine(powers, extra), others)
                known = total.get(key, self._zero())
                total[key] = (known[0] + coefficient, *known[1:])
        return total

    def _wick(self, layer: int, neuron: HiddenNeuron) -> Iterator[Wick]:
        """Pair the ends at a neuron with each other or with a z, and average the rest."""
        degree = len(self.setting.activation(layer)) - 1
        for (factors, placed), coefficient in self._written_out(layer, neuron).items():
            samples = [sample for sample, _ in factors]
            for pairs, single in matchings(neuron.ends):
                for hits, orders in derivative_hits(tuple(order for _, order in factors), len(single), degree):
                    polynomial = self.gaussian(layer, tuple(sorted(zip(samples, orders, strict=True))))
                    if polynomial:
                        joints = tuple((end, samples[hit]) for end, hit in zip(single, hits, strict=True))
                        yield pairs, joints, placed, {powers: coefficient * c for powers, c in polynomial.items()}

    def _written_out(self, layer: int, neuron: HiddenNeuron) -> dict[Carried, Fraction]:
        """What a neuron of a layer carries, as a sum of products of activations of this layer."""
        return {(neuron.factors, ()): ONE}

    def _neurons_of_first_layer(self, blocks: Sequence[tuple[HiddenNeuron, int]], trees: Trees) -> Series:
        """Layer 1: numbers. Both ends of an NTK sit at one neuron (``joined_by_ntks``) and belong to each other."""
        value = self._one()
        for neuron, count in blocks:
            averages = self.first_layer(neuron, tuple((end, *trees[end]) for end in neuron.ends), count)
            value = self._times(value, averages)
        return value

    def _average(self, layer: int, neuron: HiddenNeuron) -> Polynomial:
        """<what a neuron without ends carries>."""
        total: Polynomial = {}
        for (factors, _), coefficient in self._written_out(layer, neuron).items():
            for powers, value in self.gaussian(layer, factors).items():
                total[powers] = total.get(powers, ZERO) + coefficient * value
        return {powers: value for powers, value in total.items() if value}

    def _gaussian(self, layer: int, factors: tuple[Factor, ...]) -> Polynomial:
        """<product of activation derivatives> at a neuron of a layer, as a polynomial in the kernel variables G_ab."""
        total: Polynomial = {}
        for exponents, coefficient in self._monomials(layer, factors).items():
            for powers, ways in isserlis(exponents):
                total[powers] = total.get(powers, ZERO) + coefficient * ways
        return {powers: value for powers, value in total.items() if value}

    def _monomials(self, layer: int, factors: tuple[Factor, ...]) -> dict[Powers, Fraction]:
        """The product of activation derivatives as {((sample, 0), power of z): coefficient}."""
        total: dict[Powers, Fraction] = {(): ONE}
        for sample, order in factors:
            series: Polynomial = {
                ((((sample, 0), k - order),) if k > order else ()): c * factorial(k) / factorial(k - order)
                for k, c in enumerate(self.setting.activation(layer))
                if k >= order and c
            }
            total = multiply(total, series)
        return total

    def _first_layer(self, neuron: HiddenNeuron, trees: tuple[tuple[int, int, tuple[int, ...]], ...], n: int) -> Series:
        """The average of a neuron of layer 1 and of the NTKs between its ends, given with their samples; to the n."""
        if n > 1:
            return self._times(self.first_layer(neuron, trees, n - 1), self.first_layer(neuron, trees, 1))
        total = self._zero()
        for (factors, placed), coefficient in self._written_out(1, neuron).items():
            sample = {end: own for end, own, _ in trees} | dict(placed)
            ntks = [self.setting.ntk[sample[end]][sample[other]] for end, _, (other,) in trees if end < other]
            average = self.plain_average(factors)
            for ntk in ntks:
                average = self._times(average, self._padded(ntk))
            total = self._plus(total, average, coefficient)
        return total

    def _plain_average(self, factors: tuple[Factor, ...]) -> Series:
        """<product of activation derivatives> at a neuron of layer 1."""
        total = self._zero()
        for powers, coefficient in self.gaussian(1, factors).items():
            total = self._plus(total, self._moment_of_first_layer(powers, ()), coefficient)
        return total


def _bare_apart(graphs: Sequence[KernelGraph]) -> tuple[Powers, tuple[KernelGraph, ...]]:
    """The powers of each G_ab among kernel graphs, and the other graphs."""
    powers: dict[Pair, int] = {}
    others = []
    for graph in graphs:
        if len(graph) == 2 and not graph[0][2]:
            pair = (graph[0][0], graph[1][0])
            powers[pair] = powers.get(pair, 0) + 1
        else:
            others.append(graph)
    return tuple(sorted(powers.items())), tuple(sorted(others))


def _is_ntk_trace(graph: KernelGraph) -> bool:
    return len(graph) == 2 and graph[0][2] == (1,)


def _wire(trees: Trees, choice: Sequence[Wick]) -> list[KernelGraph]:
    """The kernel graphs that the trees form once every end is paired; a joint adds a bare z slot."""
    partner: dict[int, int] = {}
    nodes: list[tuple[int, tuple[int, ...]]] = list(trees)
    for pairs, joints, placed, _ in choice:
        for end, sample in placed:
            nodes[end] = (sample, nodes[end][1])
        for a, b in pairs:
            partner[a], partner[b] = b, a
        for end, sample in joints:
            partner[end], partner[len(nodes)] = len(nodes), end
            nodes.append((sample, ()))
    return split([(sample, partner[v], joined) for v, (sample, joined) in enumerate(nodes)])
