"""The derived recursions solved exactly on a polynomial network.

Enters: a ``Setting`` (activations, first-layer kernels, couplings, widths, label maps) and tensors by name and order.
Leaves: their values at any layer as exact fractions, from the expanded terms; Gaussian expectations by Isserlis; where
weights are shared over labels, averaged with the operator A, once for each pair (averages.py).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache, partial
from math import factorial, lcm

from ntkfeyn.derivation.diagrams import Diagram
from ntkfeyn.derivation.expansion import expand
from ntkfeyn.derivation.recursion import derive_recursion
from ntkfeyn.derivation.rules import TAU, WIDTH_RATIO
from ntkfeyn.derivation.terms import ExpandedTerm, Powers, Tensor
from ntkfeyn.derivation.translation import translate
from ntkfeyn.judge.setting import Setting
from ntkfeyn.model.cumulants import canonical_labels, standard
from ntkfeyn.model.tensors import MEAN_KERNEL, TensorId
from ntkfeyn.verification.averages import averaged

Labels = tuple[int, ...]
Mean = tuple[tuple[int, int], ...]  # (sample, derivatives of s) of each factor


class SystemSolver:
    """Tensors layer by layer; every value is computed once. Samples are 0-based indices into the setting's kernels."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.tensor = cache(self._tensor)
        self.dense = cache(self._dense)
        self.feedback = cache(self._feedback)
        self.expectation = cache(self._expectation)
        self.isserlis = cache(self._isserlis)
        self.recursion = cache(self._recursion)

    def value(self, name: str, order: int, layer: int, samples: Sequence[int]) -> Fraction:
        """A tensor (absolute order) at a layer; samples by slot of ``standard(name)``."""
        return self.tensor(name, order, layer, canonical_labels(name, tuple(samples)))

    def coefficient(self, name: str, order: int, layer: int, samples: Sequence[int]) -> Fraction:
        """The coefficient of n^-order in the cumulant itself: the tensor counts powers of the width below it."""
        below = Fraction(self.setting.width(layer - 1) if layer > 1 else 1)
        return self.value(name, order, layer, samples) / below**order

    def ratio(self, layer: int) -> Fraction:
        """n_l / n_(l-1) of the step up from this layer; the input counts as width n."""
        below = self.setting.width(layer - 1) if layer > 1 else 1
        return Fraction(self.setting.width(layer), below)

    def corner(self, layer: int) -> Fraction:
        """tau of the step up from this layer: n_l by the size of the orthogonal matrix."""
        return Fraction(self.setting.width(layer), self.setting.corner_of(layer))

    def _tensor(self, name: str, order: int, layer: int, labels: Labels) -> Fraction:
        if layer > 1:
            return self.above(TensorId(name, order), layer - 1, labels)
        first = {"K": self.setting.kernel, "Theta": self.setting.ntk}.get(name)
        if first is None or order >= len(first[labels[0]][labels[1]]):
            return Fraction(0)
        return first[labels[0]][labels[1]][order]

    def above(self, tensor: TensorId, layer: int, labels: Labels, unaveraged: Collection[int] = ()) -> Fraction:
        """A tensor in the layer above ``layer``: biases, and the dense right-hand side under one A for each pair.

        ``unaveraged``: pairs, by number, whose A is left out (for negative controls).
        """
        channel = standard(tensor.name).channel
        biases = [term for term in self.recursion(tensor, labels) if not term.expectations]
        read = averaged(channel, labels, self.setting.maps(layer), partial(self._read, tensor, layer), unaveraged)
        return self.step(biases, layer) + read

    def _read(self, tensor: TensorId, layer: int, labels: Labels) -> Fraction:
        return self.dense(tensor, layer, canonical_labels(tensor.name, labels))

    def _dense(self, tensor: TensorId, layer: int, labels: Labels) -> Fraction:
        """The right-hand side of the dense recursion without biases, at labels of ``layer``."""
        return self.step([term for term in self.recursion(tensor, labels) if term.expectations], layer)

    def _feedback(self, tensor: TensorId, labels: Labels) -> tuple[ExpandedTerm, ...]:
        """The terms of a recursion that hold the tensor itself; K at order 0 is in every expectation."""
        terms = self.recursion(tensor, labels)
        if tensor == MEAN_KERNEL:
            return tuple(term for term in terms if term.expectations)
        return tuple(term for term in terms if tensor in {t.id for t in term.tensors})

    def _recursion(self, tensor: TensorId, labels: Labels) -> tuple[ExpandedTerm, ...]:
        recursion = derive_recursion(standard(tensor.name), tensor.order, weights=self.setting.weights)
        return self.at_samples(tensor, recursion.expanded, labels)

    def at_samples(self, tensor: TensorId, terms: Sequence[ExpandedTerm], labels: Labels) -> tuple[ExpandedTerm, ...]:
        """Terms of a tensor's recursion with its slots given samples: equal ones added, zero expectations dropped."""
        sample = dict(zip(standard(tensor.name).labels, labels, strict=True))
        degree = max(map(len, self.setting.activations)) - 1

        @cache  # few different factors make very many terms
        def at(factors: Mean) -> Mean | None:
            found = tuple(sorted((sample[s], m) for s, m in factors))
            return None if any(m > degree for _, m in found) else found

        @cache
        def placed(one: Tensor) -> Tensor:
            return Tensor(one.name, one.order, canonical_labels(one.name, tuple(sample[s] for s in one.labels)))

        scale = lcm(*(term.coefficient.denominator for term in terms))
        sums: dict[tuple[Powers, tuple[Mean, ...], tuple[Tensor, ...]], int] = {}
        for term in terms:
            means = [at(factors) for factors in term.expectations]
            if None in means:
                continue
            key = term.couplings, tuple(sorted(filter(None, means))), tuple(sorted(map(placed, term.tensors)))
            numerator = term.coefficient.numerator * (scale // term.coefficient.denominator)
            sums[key] = sums.get(key, 0) + numerator
        return tuple(ExpandedTerm(Fraction(value, scale), *key, ()) for key, value in sums.items() if value)

    def step(self, terms: Sequence[ExpandedTerm], layer: int) -> Fraction:
        """The sum of terms whose labels are samples, all factors at ``layer``."""
        return sum((self._term(term, layer) for term in terms), Fraction(0))

    def _term(self, term: ExpandedTerm, layer: int) -> Fraction:
        value = term.coefficient * self._couplings(term.couplings, layer)
        for name, order, labels in term.tensors:
            if not value:
                break
            value *= self.tensor(name, order, layer, labels)
        for factors in term.expectations:
            if not value:
                break
            value *= self.expectation(layer, factors)
        return value

    def _couplings(self, powers: Powers, layer: int) -> Fraction:
        value, steps = Fraction(1), {WIDTH_RATIO: self.ratio, TAU: self.corner}
        for name, power in powers:
            value *= (steps[name](layer) if name in steps else getattr(self.setting, name)) ** power
        return value

    def _expectation(self, layer: int, factors: tuple[tuple[int, int], ...]) -> Fraction:
        """<prod of s^(m)(z_a)> with the leading kernel of the layer."""
        monomials: dict[Labels, Fraction] = {(): Fraction(1)}
        for sample, order in factors:
            grown: dict[Labels, Fraction] = {}
            for power, c in enumerate(self.setting.activation(layer)):
                if power < order or not c:
                    continue
                slope = c * factorial(power) / factorial(power - order)
                for held, value in monomials.items():
                    key = tuple(sorted(held + (sample,) * (power - order)))
                    grown[key] = grown.get(key, Fraction(0)) + value * slope
            monomials = grown
        return sum((value * self.isserlis(layer, held) for held, value in monomials.items()), Fraction(0))

    def _isserlis(self, layer: int, samples: Labels) -> Fraction:
        """E[z_a z_b ..]: the first one is paired with each other one in turn, equal ones at once."""
        if not samples:
            return Fraction(1)
        if len(samples) % 2:
            return Fraction(0)
        first, rest = samples[0], samples[1:]
        total = Fraction(0)
        for other in sorted(set(rest)):
            i = rest.index(other)
            kernel = self.tensor("K", 0, layer, canonical_labels("K", (first, other)))
            total += rest.count(other) * kernel * self.isserlis(layer, rest[:i] + rest[i + 1 :])
        return total


class MutatedSolver(SystemSolver):
    """The same system with one tensor spoilt: terms added to its recursion, or A left out at some of its pairs.

    Nothing that a tensor needs depends on it, but for itself: all other tensors, and the terms without the target, are
    taken from ``base``. ``added``: terms at the labels that they are asked for.
    """

    def __init__(
        self,
        base: SystemSolver,
        target: TensorId,
        added: Callable[[Labels], Sequence[ExpandedTerm]] = lambda _: (),
        unaveraged: Collection[int] = (),
    ) -> None:
        super().__init__(base.setting)
        self.base, self.target, self.added, self.unaveraged = base, target, added, unaveraged
        self.recursion = base.recursion
        if target != MEAN_KERNEL:
            self.expectation = base.expectation

    def _tensor(self, name: str, order: int, layer: int, labels: Labels) -> Fraction:
        if (name, order) != self.target or layer == 1:
            return self.base.tensor(name, order, layer, labels)
        return self.above(self.target, layer - 1, labels, self.unaveraged)

    def _dense(self, tensor: TensorId, layer: int, labels: Labels) -> Fraction:
        own = self.base.feedback(tensor, labels)
        unchanged = self.base.dense(tensor, layer, labels) - self.base.step(own, layer)
        return unchanged + self.step((*own, *self.added(labels)), layer)


def diagram_terms(diagram: Diagram) -> tuple[ExpandedTerm, ...]:
    """The expanded terms of one full diagram on its own."""
    return expand(translate(replace(diagram, members=()), diagram.id))[0]
