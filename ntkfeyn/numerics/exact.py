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
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product
from math import comb, factorial

from ntkfeyn.numerics.kernel_graphs import Factor, HiddenNeuron, KernelGraph, Opening, bare, openings, split

Series = tuple[Fraction, ...]
Pair = tuple[int, int]
Bare = tuple[tuple[Pair, int], ...]  # powers of G_ab
Polynomial = dict[Bare, Fraction]
ONE, ZERO = Fraction(1), Fraction(0)


@dataclass(frozen=True)
class Setting:
    """A network: s(z) = sum_k activation[k] z^k; ``kernel[a][b]`` and ``ntk[a][b]`` are layer 1's, series in 1/n.

    Layer l has width n * widths[l-1] (equal widths if empty).
    """

    activation: tuple[Fraction, ...]
    kernel: tuple[tuple[Series, ...], ...]
    ntk: tuple[tuple[Series, ...], ...]
    C_W: Fraction = ONE
    C_b: Fraction = ZERO
    lambda_W: Fraction = ONE
    lambda_b: Fraction = ZERO
    widths: tuple[int, ...] = ()

    def width(self, layer: int) -> int:
        return self.widths[layer - 1] if self.widths else 1


class ExactNetwork:
    """Moments of kernel graphs, remembered; ``order`` is the highest power of 1/n that is kept."""

    def __init__(self, setting: Setting, order: int) -> None:
        self.setting = setting
        self.order = order
        self._moments: dict[tuple[int, Bare, tuple[KernelGraph, ...]], Series] = {}
        self.gaussian = cache(self._gaussian)
        self.first_layer = cache(self._first_layer)
        self.falling = cache(self._falling)

    def cumulant(self, layer: int, slots: Sequence[tuple[int, int, tuple[int, ...]]]) -> Series:
        """The joint cumulant of the trees that ``slots`` form, all pairs at different neurons of ``layer``.

        A slot is (sample, slot it is paired with, tree neighbours). Coefficients of 1/n^0, 1/n^1, ..
        """
        total = self._zero()
        for partition in _set_partitions(split(slots)):
            sign = (-1) ** (len(partition) - 1) * factorial(len(partition) - 1)
            value = self._one()
            for block in partition:
                value = self._times(value, self.moment(layer, block))
            total = self._plus(total, value, Fraction(sign))
        return total

    def moment(self, layer: int, graphs: Sequence[KernelGraph]) -> Series:
        """E[product of kernel graphs] at a layer."""
        powers: dict[Pair, int] = {}
        others = []
        for graph in graphs:
            if len(graph) == 2 and not graph[0][2]:
                pair = (graph[0][0], graph[1][0])
                powers[pair] = powers.get(pair, 0) + 1
            else:
                others.append(graph)
        return self._moment(layer, tuple(sorted(powers.items())), tuple(sorted(others)))

    # --- series in 1/n, truncated ---

    def _zero(self) -> Series:
        return (ZERO,) * (self.order + 1)

    def _one(self) -> Series:
        return (ONE, *(ZERO,) * self.order)

    def _padded(self, series: Series) -> Series:
        return (*series, *(ZERO,) * self.order)[: self.order + 1]

    def _times(self, a: Series, b: Series) -> Series:
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

    def _moment(self, layer: int, powers: Bare, graphs: tuple[KernelGraph, ...]) -> Series:
        if layer == 1:
            return self._moment_of_first_layer(powers, graphs)
        key = (layer, powers, graphs)
        if key not in self._moments:
            total = self._zero()
            for (lower, trees), weight in self._step(layer, powers, graphs).items():
                total = self._plus(total, self._times(weight, self._moment(layer - 1, lower, trees)))
            self._moments[key] = total
        return self._moments[key]

    def _moment_of_first_layer(self, powers: Bare, graphs: tuple[KernelGraph, ...]) -> Series:
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
        self, layer: int, powers: Bare, graphs: tuple[KernelGraph, ...]
    ) -> dict[tuple[Bare, tuple[KernelGraph, ...]], Series]:
        """The product at ``layer`` as moments of the layer below: {(powers of G, other graphs): weight}."""
        total: dict[tuple[Bare, tuple[KernelGraph, ...]], Series] = {}
        for weight, opened in self._choices(powers, graphs):
            free, tied, trees = _gather(opened)
            if layer == 2 and any(len(_tree_of(trees, end)) > 2 for end in range(len(trees))):
                continue  # trees of three or more nodes vanish at layer 1
            indices = sum(count for _, count in free) + len(tied)
            for blocks, ways in _coincidences(free, tied, self.order):
                scale = self.falling(layer - 1, sum(count for _, count in blocks), indices)
                scale = tuple(weight * ways * x for x in scale)
                for key, value in self._neurons(layer - 1, blocks, trees).items():
                    known = total.get(key)
                    product_ = self._times(scale, value)
                    total[key] = product_ if known is None else self._plus(known, product_)
        return total

    def _choices(
        self, powers: Bare, graphs: tuple[KernelGraph, ...]
    ) -> Iterator[tuple[Fraction, list[tuple[Opening, int]]]]:
        """Every way to open each graph: a bias constant, or neurons of the layer below; G_ab by powers."""
        setting = self.setting
        options: list[list[tuple[Fraction, Opening | None, int]]] = []
        for (a, b), count in powers:
            [opening] = openings(bare(a, b))
            least = 0 if setting.C_b else count
            options.append(
                [
                    (comb(count, j) * setting.C_b ** (count - j) * setting.C_W**j, opening, j)
                    for j in range(least, count + 1)
                ]
            )
        for graph in graphs:
            ways: list[tuple[Fraction, Opening | None, int]] = [
                (setting.C_W**o.C_W * setting.lambda_W**o.lambda_W, o, 1) for o in openings(graph)
            ]
            if _is_ntk_trace(graph) and setting.lambda_b:
                ways.append((setting.lambda_b, None, 0))
            options.append(ways)
        for choice in product(*options):
            weight = ONE
            for factor, _, _ in choice:
                weight *= factor
            if weight:
                yield weight, [(opening, count) for _, opening, count in choice if opening is not None and count]

    # --- one pattern of coincidences ---

    def _neurons(
        self, layer: int, blocks: Sequence[tuple[HiddenNeuron, int]], trees: Sequence[tuple[int, tuple[int, ...]]]
    ) -> dict[tuple[Bare, tuple[KernelGraph, ...]], Series]:
        """The average of a product over different neurons of ``layer``, each Gaussian given the layer below it."""
        if layer == 1:
            return {((), ()): self._neurons_of_first_layer(blocks, trees)}
        free: Polynomial = {(): ONE}
        wired: list[list[tuple[tuple[Pair, ...], tuple[Factor, ...], Polynomial]]] = []
        for neuron, count in blocks:
            if neuron.ends:
                wired.append(list(self._wick(neuron)))
            else:
                for _ in range(count):
                    free = _multiply(free, self.gaussian(neuron.factors))
        total: dict[tuple[Bare, tuple[KernelGraph, ...]], Series] = {}
        for choice in product(*wired):
            polynomial = free
            for _, _, part in choice:
                polynomial = _multiply(polynomial, part)
            if not polynomial:
                continue
            found = _wire(trees, choice)
            extra: dict[Pair, int] = {}
            graphs = []
            for graph in found:
                if len(graph) == 2 and not graph[0][2]:
                    extra[graph[0][0], graph[1][0]] = extra.get((graph[0][0], graph[1][0]), 0) + 1
                else:
                    graphs.append(graph)
            key_graphs = tuple(sorted(graphs))
            for powers, coefficient in polynomial.items():
                key = (_combine(powers, tuple(extra.items())), key_graphs)
                known = total.get(key, self._zero())
                total[key] = (known[0] + coefficient, *known[1:])
        return total

    def _wick(self, neuron: HiddenNeuron) -> Iterator[tuple[tuple[Pair, ...], tuple[Factor, ...], Polynomial]]:
        """Pair the ends at a neuron with each other, or with a z: (pairs, (end, sample) joints, average of the rest)."""
        for pairs, single in _matchings(neuron.ends):
            for hits in product(range(len(neuron.factors)), repeat=len(single)):
                orders = [order for _, order in neuron.factors]
                for hit in hits:
                    orders[hit] += 1
                samples = [sample for sample, _ in neuron.factors]
                polynomial = self.gaussian(tuple(sorted(zip(samples, orders, strict=True))))
                if polynomial:
                    yield pairs, tuple((end, samples[hit]) for end, hit in zip(single, hits, strict=True)), polynomial

    def _neurons_of_first_layer(
        self, blocks: Sequence[tuple[HiddenNeuron, int]], trees: Sequence[tuple[int, tuple[int, ...]]]
    ) -> Series:
        """Layer 1: numbers. An NTK is diagonal, so both its ends sit at one neuron and belong to each other."""
        value = self._one()
        for neuron, count in blocks:
            average = self.first_layer(neuron.factors)
            for _ in range(count):
                value = self._times(value, average)
            for end in neuron.ends:
                sample, (other,) = trees[end]
                if other not in neuron.ends:
                    return self._zero()
                if end < other:
                    value = self._times(value, self._padded(self.setting.ntk[sample][trees[other][0]]))
        return value

    def _gaussian(self, factors: tuple[Factor, ...]) -> Polynomial:
        """<product of activation derivatives> at one neuron, as a polynomial in the kernel variables G_ab."""
        total: Polynomial = {}
        for exponents, coefficient in self._monomials(factors).items():
            for powers, ways in _isserlis(exponents):
                total[powers] = total.get(powers, ZERO) + coefficient * ways
        return {powers: value for powers, value in total.items() if value}

    def _monomials(self, factors: tuple[Factor, ...]) -> dict[Bare, Fraction]:
        """The product of activation derivatives as {((sample, 0), power of z): coefficient}."""
        total: dict[Bare, Fraction] = {(): ONE}
        for sample, order in factors:
            series = {
                ((((sample, 0), k - order),) if k > order else ()): c * factorial(k) / factorial(k - order)
                for k, c in enumerate(self.setting.activation)
                if k >= order and c
            }
            total = _multiply(total, series)
        return total

    def _first_layer(self, factors: tuple[Factor, ...]) -> Series:
        total = self._zero()
        for powers, coefficient in self.gaussian(factors).items():
            total = self._plus(total, self._moment_of_first_layer(powers, ()), coefficient)
        return total


def _is_ntk_trace(graph: KernelGraph) -> bool:
    return len(graph) == 2 and graph[0][2] == (1,)


def _combine(a: Bare, b: Bare) -> Bare:
    powers = dict(a)
    for pair, count in b:
        powers[pair] = powers.get(pair, 0) + count
    return tuple(sorted(powers.items()))


def _multiply(a: Polynomial, b: Polynomial) -> Polynomial:
    result: Polynomial = {}
    for p, x in a.items():
        for q, y in b.items():
            key = _combine(p, q)
            result[key] = result.get(key, ZERO) + x * y
    return result


def _gather(
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
                tied.append(HiddenNeuron(neuron.factors, tuple(end + start for end in neuron.ends)))
            else:
                free[neuron] = free.get(neuron, 0) + count
    return sorted(free.items()), tied, trees


def _tree_of(trees: Sequence[tuple[int, tuple[int, ...]]], end: int) -> set[int]:
    members, stack = {end}, [end]
    while stack:
        for u in trees[stack.pop()][1]:
            if u not in members:
                members.add(u)
                stack.append(u)
    return members


def _coincidences(
    free: Sequence[tuple[HiddenNeuron, int]], tied: Sequence[HiddenNeuron], merges: int
) -> Iterator[tuple[tuple[tuple[HiddenNeuron, int], ...], int]]:
    """Every pattern of coinciding hidden neurons with at most ``merges`` coincidences, and how often it occurs.

    ``free`` neurons of one kind are exchangeable: patterns that differ by their exchange are counted together.
    """
    kinds = [kind for kind, _ in free]

    def fill(counts: tuple[int, ...], waiting: tuple[HiddenNeuron, ...], left: int) -> Iterator[tuple[list[HiddenNeuron], int]]:
        if waiting:
            first, others, pool = waiting[0], waiting[1:], counts
        else:
            kind = next((i for i, count in enumerate(counts) if count), None)
            if kind is None:
                yield [], 1
                return
            first, others = kinds[kind], ()
            pool = (*counts[:kind], counts[kind] - 1, *counts[kind + 1 :])
        for taken, partners, rest in _subsets(pool, others, left):
            ways = 1
            joined = [first, *partners]
            for i, number in enumerate(taken):
                ways *= comb(pool[i], number)
                joined += [kinds[i]] * number
            block = HiddenNeuron(
                tuple(sorted(f for neuron in joined for f in neuron.factors)),
                tuple(end for neuron in joined for end in neuron.ends),
            )
            remaining = tuple(a - b for a, b in zip(pool, taken, strict=True))
            for blocks, more in fill(remaining, rest, left - len(joined) + 1):
                yield [block, *blocks], ways * more

    total: dict[tuple[tuple[HiddenNeuron, int], ...], int] = {}
    for blocks, ways in fill(tuple(count for _, count in free), tuple(tied), merges):
        pattern = tuple(sorted((block, blocks.count(block)) for block in set(blocks)))
        total[pattern] = total.get(pattern, 0) + ways
    yield from total.items()


def _subsets(
    pool: tuple[int, ...], others: tuple[HiddenNeuron, ...], most: int
) -> Iterator[tuple[tuple[int, ...], tuple[HiddenNeuron, ...], tuple[HiddenNeuron, ...]]]:
    """At most ``most`` companions: numbers of each free kind, chosen tied neurons, tied neurons left."""
    for chosen in product((False, True), repeat=len(others)):
        partners = tuple(neuron for neuron, inside in zip(others, chosen, strict=True) if inside)
        if len(partners) <= most:
            rest = tuple(neuron for neuron, inside in zip(others, chosen, strict=True) if not inside)
            for taken in _bounded(pool, most - len(partners)):
                yield taken, partners, rest


def _bounded(pool: tuple[int, ...], most: int) -> Iterator[tuple[int, ...]]:
    if not pool:
        yield ()
        return
    for number in range(min(pool[0], most) + 1):
        for rest in _bounded(pool[1:], most - number):
            yield (number, *rest)


def _matchings(ends: tuple[int, ...]) -> Iterator[tuple[tuple[Pair, ...], tuple[int, ...]]]:
    """All ways to pair some of the ends: (pairs, ends left single)."""
    if not ends:
        yield (), ()
        return
    first, rest = ends[0], ends[1:]
    for pairs, single in _matchings(rest):
        yield pairs, (first, *single)
    for i, other in enumerate(rest):
        for pairs, single in _matchings((*rest[:i], *rest[i + 1 :])):
            yield ((first, other), *pairs), single


def _wire(
    trees: Sequence[tuple[int, tuple[int, ...]]],
    choice: Sequence[tuple[tuple[Pair, ...], tuple[Factor, ...], Polynomial]],
) -> list[KernelGraph]:
    """The kernel graphs that the trees form once every end is paired; a joint adds a bare z slot."""
    partner: dict[int, int] = {}
    nodes: list[tuple[int, tuple[int, ...]]] = list(trees)
    for pairs, joints, _ in choice:
        for a, b in pairs:
            partner[a], partner[b] = b, a
        for end, sample in joints:
            partner[end], partner[len(nodes)] = len(nodes), end
            nodes.append((sample, ()))
    return split([(sample, partner[v], joined) for v, (sample, joined) in enumerate(nodes)])


@cache
def _isserlis(exponents: Bare) -> tuple[tuple[Bare, int], ...]:
    """E[prod z_a^p_a] of a centred Gaussian: powers of G_ab with the number of pairings that give them."""
    if sum(power for _, power in exponents) % 2:
        return ()
    if not exponents:
        return (((), 1),)
    ((first, _), power), rest = exponents[0], exponents[1:]
    found: dict[Bare, int] = {}
    for own in range(power // 2, -1, -1):
        outside = power - 2 * own
        loops = factorial(2 * own) // (2**own * factorial(own)) * comb(power, 2 * own)
        for taken in _bounded(tuple(p for _, p in rest), outside):
            if sum(taken) != outside:
                continue
            ways = loops * factorial(outside)
            for ((_, p), t) in zip(rest, taken, strict=True):
                ways *= comb(p, t)
            left = tuple(((s, p - t)) for (s, p), t in zip(rest, taken, strict=True) if p > t)
            powers = {(first, first): own} | {(first, s[0]): t for (s, _), t in zip(rest, taken, strict=True)}
            mine = tuple(sorted((pair, count) for pair, count in powers.items() if count))
            for other, more in _isserlis(left):
                key = _combine(mine, other)
                found[key] = found.get(key, 0) + ways * more
    return tuple(found.items())


def _set_partitions(items: list[KernelGraph]) -> Iterator[list[list[KernelGraph]]]:
    if not items:
        yield []
        return
    for partition in _set_partitions(items[1:]):
        yield [[items[0]], *partition]
        for i in range(len(partition)):
            yield [*partition[:i], [items[0], *partition[i]], *partition[i + 1 :]]
