"""Finite networks written out: every preactivation a polynomial in the weights, every tree by explicit differentiation.

Imports nothing of ntkfeyn. Moments are those of independent centred Gaussians, so a cumulant is an exact rational.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise, product
from math import factorial

from sympy import QQ
from sympy.polys.rings import ring


class ExplicitNetwork:
    """Widths n_0, n_1, .., n_L; the last layer is the output.

    s(z) = sum_k activation[k] z^k, or activation[l - 1][k] after layer l.
    """

    def __init__(
        self,
        widths: Sequence[int],
        inputs: Sequence[Sequence[Fraction]],
        activation: Sequence[Fraction] | Sequence[Sequence[Fraction]],
        C_W: Fraction,
        C_b: Fraction,
        lambda_W: Fraction,
        lambda_b: Fraction,
    ) -> None:
        names, self.variance, self.learning = [], [], []
        for layer, (below, here) in enumerate(pairwise(widths), start=1):
            for i in range(here):
                names += [f"w{layer}_{i}_{j}" for j in range(below)]
                self.variance += [C_W / below] * below
                self.learning += [lambda_W / below] * below
                if C_b or lambda_b:
                    names.append(f"b{layer}_{i}")
                    self.variance.append(C_b)
                    self.learning.append(lambda_b)
        self.ring, *generators = ring(names, QQ)
        self.parameters = list(generators)
        parameter = dict(zip(names, generators, strict=True))
        self.outputs = []
        for x in inputs:
            values = [self.ring(QQ(v.numerator, v.denominator)) for v in x]
            for layer, (below, here) in enumerate(pairwise(widths), start=1):
                if layer > 1:
                    own = activation if isinstance(activation[0], Fraction) else activation[layer - 2]
                    values = [self._activate(value, own) for value in values]
                zero = self.ring(0)
                values = [
                    sum((parameter[f"w{layer}_{i}_{j}"] * values[j] for j in range(below)), zero)
                    + parameter.get(f"b{layer}_{i}", zero)
                    for i in range(here)
                ]
            self.outputs.append(values)

    def _activate(self, value, activation):  # type: ignore[no-untyped-def]
        total, power = self.ring(0), self.ring(1)
        for c in activation:
            total += power * QQ(c.numerator, c.denominator)
            power *= value
        return total

    def tree(self, edges: Sequence[tuple[int, int]], slots: Sequence[tuple[int, int]]):  # type: ignore[no-untyped-def]
        """The tree with its nodes at (neuron, sample): every edge sums over all parameters."""
        total = self.ring(0)
        for chosen in product(range(len(self.parameters)), repeat=len(edges)):
            term = self.ring(1)
            for node, (neuron, sample) in enumerate(slots):
                value = self.outputs[sample][neuron]
                for edge, mu in zip(edges, chosen, strict=True):
                    if node in edge:
                        value = value.diff(self.parameters[mu])
                term *= value
                if not term:
                    break
            for mu in chosen:
                term *= QQ(self.learning[mu].numerator, self.learning[mu].denominator)
            total += term
        return total

    def mean(self, polynomial) -> Fraction:  # type: ignore[no-untyped-def]
        total = Fraction(0)
        for exponents, coefficient in polynomial.terms():
            value = Fraction(int(coefficient.numerator), int(coefficient.denominator))
            for power, variance in zip(exponents, self.variance, strict=True):
                if power % 2:
                    value = Fraction(0)
                    break
                value *= variance ** (power // 2) * factorial(power) / (2 ** (power // 2) * factorial(power // 2))
            total += value
        return total

    def cumulant(self, observables: Sequence) -> Fraction:  # type: ignore[type-arg]
        total = Fraction(0)
        for partition in _set_partitions(list(observables)):
            value = Fraction((-1) ** (len(partition) - 1) * factorial(len(partition) - 1))
            for block in partition:
                together = self.ring(1)
                for observable in block:
                    together *= observable
                value *= self.mean(together)
            total += value
        return total


def _set_partitions(items: list) -> Iterator[list[list]]:  # type: ignore[type-arg]
    if not items:
        yield []
        return
    for partition in _set_partitions(items[1:]):
        yield [[items[0]], *partition]
        for i in range(len(partition)):
            yield [*partition[:i], [items[0], *partition[i]], *partition[i + 1 :]]
