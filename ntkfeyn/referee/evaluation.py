"""Evaluation: an expression in any ring: numbers at a point (points), or sums of canonical terms (canonical).

Enters: an expression, samples by label, a ring. Leaves: an element. Inside of means everything is a polynomial in
derivatives of the activation and in z: {product: element}, a product being sorted (sample, order), order -1 for z.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import product
from typing import Generic, Protocol, TypeVar

from ntkfeyn.errors import LimitError, RequestError
from ntkfeyn.referee import expressions as e
from ntkfeyn.referee.summing import one_by_one

Product = tuple[tuple[int, int], ...]
Z = -1
V = TypeVar("V")
MAX_STEPS = 600_000  # of one recursion at one point: ten times what recursions of order 2 take
MAX_FACTORS = 40  # activations in one mean
MAX_KNOWN = 200_000  # values that are kept


class Ring(Protocol[V]):
    """What an expression is made of, and how it is put together."""

    def number(self, value: Fraction) -> V: ...
    def coupling(self, name: str) -> V: ...
    def width(self, below: bool) -> V: ...
    def tensor(self, name: str, order: int, samples: tuple[int, ...]) -> V: ...
    def inverse(self, a: int, b: int) -> V: ...
    def mean(self, factors: Product) -> V: ...
    def add(self, a: V, b: V) -> V: ...
    def multiply(self, a: V, b: V) -> V: ...
    def reciprocal(self, a: V) -> V: ...
    def zero(self, a: V) -> bool: ...


class Evaluator(Generic[V]):
    """``samples``: the number of each label of the left-hand side. Raises LimitError for endless work."""

    def __init__(self, ring: Ring[V], samples: Mapping[str, int], most: int = MAX_STEPS) -> None:
        self.ring, self.samples, self.most = ring, samples, most
        self.all = tuple(sorted(set(samples.values())))
        self.known: dict[tuple[int, tuple[int, ...]], dict[Product, V]] = {}
        self.labels: dict[int, tuple[str, ...]] = {}
        self.kept: list[e.Node] = []  # so that no id is given twice
        self.steps = 0

    def value(self, node: e.Node) -> V:
        """The element of an expression in which nothing is random outside of means."""
        unknown = next((label for label in e.used(node) if label not in self.samples), None)
        if unknown is not None:
            names = ", ".join(self.samples)
            raise RequestError(f"the label {unknown} is neither on the left ({names}) nor summed", "labels of the left")
        self.kept.append(one_by_one(node))
        found = self._at(self.kept[-1], self.samples)
        return found.get((), self.ring.number(Fraction(0)))

    def _at(self, node: e.Node, env: Mapping[str, int]) -> dict[Product, V]:
        self._step(1)
        if not isinstance(node, e.Times | e.Plus | e.Mean | e.Derivative | e.Fluctuation | e.Sum | e.Power | e.Over):
            return self._fresh(node, env)
        names = self.labels.get(id(node))
        if names is None:
            names = self.labels[id(node)] = tuple(dict.fromkeys(e.used(node)))
        key = id(node), tuple([env[name] for name in names])
        found = self.known.get(key)
        if found is None:
            found = self._fresh(node, env)
            if len(self.known) < MAX_KNOWN:
                self.known[key] = found
        return found

    def _step(self, count: int) -> None:
        self.steps += count
        if self.steps > self.most:
            raise LimitError(
                f"a formula takes more than {self.most} steps; try sums over fewer labels, or lower powers"
            )

    def _fresh(self, node: e.Node, env: Mapping[str, int]) -> dict[Product, V]:
        ring = self.ring
        match node:
            case e.Number(value):
                return self._constant(ring.number(value))
            case e.Coupling(name):
                return self._constant(ring.coupling(name))
            case e.Width(below):
                return self._constant(ring.width(below))
            case e.Tensor(name, order, labels):
                return self._constant(ring.tensor(name, order, tuple(env[label] for label in labels)))
            case e.Inverse((a, b)):
                return self._constant(ring.inverse(env[a], env[b]))
            case e.Activation(label, order):
                return {((env[label], order),): ring.number(Fraction(1))}
            case e.Preactivation(label):
                return {((env[label], Z),): ring.number(Fraction(1))}
            case e.Omega((a, b)):
                return self._omega(env[a], env[b])
            case e.Plus(parts):
                total: dict[Product, V] = {}
                for part in parts:
                    self._add(total, self._at(part, env))
                return total
            case e.Times(parts):
                return self._times([(part, env) for part in parts])
            case e.Over(above, below):
                divisor = self._at(below, env)
                return self._multiplied(
                    self._at(above, env), self._constant(ring.reciprocal(divisor.get((), ring.number(Fraction(0)))))
                )
            case e.Power(base, exponent):
                return self._power(self._at(base, env), exponent)
            case e.Mean(inner):
                return self._constant(self._mean(self._at(inner, env)))
            case e.Fluctuation(inner):
                found = dict(self._at(inner, env))
                lowered = ring.multiply(ring.number(Fraction(-1)), self._mean(found))
                self._add(found, self._constant(lowered))
                return found
            case e.Derivative(labels, inner):
                found = self._at(inner, env)
                for label in labels:
                    found = self._derived(found, env[label])
                return found
            case e.Averaging():
                raise RequestError("an averaging operator stands here", "it is read with --shared, before a bracket")
            case e.Sum(labels, domain, inner):
                return self._sum(labels, domain, inner, env)

    def _sum(
        self, labels: tuple[str, ...], domain: tuple[str, ...] | None, inner: e.Node, env: Mapping[str, int]
    ) -> dict[Product, V]:
        over = self.all if domain is None else tuple(self.samples[label] for label in domain)
        total: dict[Product, V] = {}
        for chosen in product(over, repeat=len(labels)):
            self._add(total, self._at(inner, {**env, **dict(zip(labels, chosen, strict=True))}))
        return total

    def _constant(self, value: V) -> dict[Product, V]:
        return {} if self.ring.zero(value) else {(): value}

    def _add(self, total: dict[Product, V], other: dict[Product, V]) -> None:
        for key, value in other.items():
            total[key] = self.ring.add(total[key], value) if key in total else value

    def _times(self, parts: list[tuple[e.Node, Mapping[str, int]]]) -> dict[Product, V]:
        found = self._constant(self.ring.number(Fraction(1)))
        for part, env in parts:
            found = self._multiplied(found, self._at(part, env))
            if not found:
                break
        return found

    def _multiplied(self, first: dict[Product, V], second: dict[Product, V]) -> dict[Product, V]:
        total: dict[Product, V] = {}
        self._step(len(first) * len(second))
        for a, x in first.items():
            for b, y in second.items():
                key = tuple(sorted(a + b)) if a and b else a or b
                if len(key) > MAX_FACTORS:
                    raise LimitError(f"a mean has a product of more than {MAX_FACTORS} activations")
                value = self.ring.multiply(x, y)
                total[key] = self.ring.add(total[key], value) if key in total else value
        return total

    def _power(self, base: dict[Product, V], exponent: int) -> dict[Product, V]:
        if exponent < 0:
            base = self._constant(self.ring.reciprocal(base.get((), self.ring.number(Fraction(0)))))
        found = self._constant(self.ring.number(Fraction(1)))
        for _ in range(abs(exponent)):
            found = self._multiplied(found, base)
        return found

    def _omega(self, a: int, b: int) -> dict[Product, V]:
        """lambda_W s s + C_W Theta s' s'"""
        ring = self.ring
        weight = ring.multiply(ring.coupling("C_W"), ring.tensor("Theta", 0, (a, b)))
        return {tuple(sorted(((a, 0), (b, 0)))): ring.coupling("lambda_W"), tuple(sorted(((a, 1), (b, 1)))): weight}

    def _derived(self, found: dict[Product, V], sample: int) -> dict[Product, V]:
        """By z at a sample: of each activation and each z there in turn."""
        total: dict[Product, V] = {}
        self._step(len(found))
        for factors, value in found.items():
            for i, (at, order) in enumerate(factors):
                if at == sample:
                    raised = () if order == Z else ((at, order + 1),)
                    key = tuple(sorted((*factors[:i], *raised, *factors[i + 1 :])))
                    total[key] = self.ring.add(total[key], value) if key in total else value
        return total

    def _mean(self, found: dict[Product, V]) -> V:
        total = self.ring.number(Fraction(0))
        for factors, value in found.items():
            total = self.ring.add(total, self.ring.multiply(value, self.ring.mean(factors)))
        return total
