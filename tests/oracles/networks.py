"""Solve a derived system on networks whose Gaussian expectations are exact.

Polynomial activations: Isserlis on the expanded terms, any samples, rationals. ReLU on one sample: every group of a
product term is one function z^a step(z), all its derivatives applied as one distribution (theory section 7).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from functools import cache
from math import comb, factorial

from ntkfeyn.derivation.recursion import derive_recursion
from ntkfeyn.model.cumulants import canonical_labels, standard


def isserlis(kernel: Callable[[int, int], Fraction], samples: tuple[int, ...]) -> Fraction:
    """E[z_a z_b ..] of a centred Gaussian."""
    if not samples:
        return Fraction(1)
    if len(samples) % 2:
        return Fraction(0)
    first, rest = samples[0], samples[1:]
    return sum(
        (kernel(first, rest[i]) * isserlis(kernel, rest[:i] + rest[i + 1 :]) for i in range(len(rest))), Fraction(0)
    )


class Solver:
    """Tensors of a network layer by layer; ``widths[l-1]`` = n_l for l >= 1 gives the ratios n_l/n_(l-1)."""

    def __init__(
        self,
        inputs: Sequence[Sequence[Fraction]],
        C_W: Fraction = Fraction(1),
        C_b: Fraction = Fraction(0),
        lambda_W: Fraction = Fraction(1),
        lambda_b: Fraction = Fraction(0),
        widths: Sequence[int] | None = None,
    ) -> None:
        n0 = len(inputs[0])
        gram = [[sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0)) / n0 for b in inputs] for a in inputs]
        self.first = {
            ("K", 0): lambda a, b: C_b + C_W * gram[a][b],
            ("Theta", 0): lambda a, b: lambda_b + lambda_W * gram[a][b],
        }
        self.couplings = {"C_W": C_W, "lambda_W": lambda_W, "C_b": C_b, "lambda_b": lambda_b}
        self.widths = widths
        self.tensor = cache(self._tensor)

    def ratio(self, layer: int) -> Fraction:
        """n_l / n_(l-1) for the step from layer l."""
        return Fraction(self.widths[layer - 1], self.widths[layer - 2]) if self.widths else Fraction(1)

    def value(self, name: str, order: int, layer: int, samples: Sequence[int]) -> Fraction:
        """A tensor at a layer; samples in the tensor's index order."""
        shape = standard(name)
        labels = [0] * len(samples)
        for position, sample in zip(shape.index, samples, strict=True):
            labels[position] = sample
        return self.tensor(name, order, layer, canonical_labels(name, tuple(labels)))

    def _tensor(self, name: str, order: int, layer: int, labels: tuple[int, ...]) -> Fraction:
        if layer == 1:
            return self.first[name, order](*labels) if (name, order) in self.first else Fraction(0)
        return self.step(name, order, layer - 1, labels)

    def step(self, name: str, order: int, layer: int, labels: tuple[int, ...]) -> Fraction:
        """A tensor of the layer above."""
        raise NotImplementedError

    def power(self, couplings: Iterable[tuple[str, int]], layer: int) -> Fraction:
        result = Fraction(1)
        for name, exponent in couplings:
            result *= (self.ratio(layer) if name == "width_ratio" else self.couplings[name]) ** exponent
        return result


class PolynomialNetwork(Solver):
    """s(z) = sum_k coefficients[k] z^k."""

    def __init__(self, coefficients: Sequence[Fraction | int], *args: object, **settings: object) -> None:
        super().__init__(*args, **settings)  # type: ignore[arg-type]
        self.coefficients = [Fraction(c) for c in coefficients]
        self.expectation = cache(self._expectation)

    def step(self, name: str, order: int, layer: int, labels: tuple[int, ...]) -> Fraction:
        """One recursion step from layer ``layer``, on expanded terms."""
        shape = standard(name)
        sample = dict(zip(shape.labels, labels, strict=True))
        total = Fraction(0)
        for term in derive_recursion(shape, order).expanded:
            value = term.coefficient * self.power(term.couplings, layer)
            for expectation in term.expectations:
                if value:
                    factors = tuple(sorted((sample[s], m) for s, m in expectation))
                    value *= self.expectation(layer, factors)
            for tensor in term.tensors:
                if value:
                    where = canonical_labels(tensor.name, tuple(sample[s] for s in tensor.labels))
                    value *= self.tensor(tensor.name, tensor.order, layer, where)
            total += value
        return total

    def _expectation(self, layer: int, factors: tuple[tuple[int, int], ...]) -> Fraction:
        def kernel(a: int, b: int) -> Fraction:
            return self.tensor("K", 0, layer, canonical_labels("K", (a, b)))

        monomials: dict[tuple[int, ...], Fraction] = {(): Fraction(1)}
        for sample, order in factors:
            grown: dict[tuple[int, ...], Fraction] = {}
            for k, c in enumerate(self.coefficients):
                if k < order or not c:
                    continue
                factor = c * factorial(k) / factorial(k - order)
                for power, value in monomials.items():
                    key = tuple(sorted(power + (sample,) * (k - order)))
                    grown[key] = grown.get(key, Fraction(0)) + value * factor
            monomials = grown
        return sum((value * isserlis(kernel, power) for power, value in monomials.items()), Fraction(0))


class ReluOnOneSample(Solver):
    """Product terms of z and NTK cumulants: no activation has a derivative order above one before Leibniz."""

    def step(self, name: str, order: int, layer: int, labels: tuple[int, ...]) -> Fraction:
        total = Fraction(0)
        kernel = self.tensor("K", 0, layer, (0, 0))
        for term in derive_recursion(standard(name), order, without=("omega",)).terms:
            value = term.coefficient * self.power(term.couplings, layer)
            for g, group in enumerate(term.groups):
                assert all(m <= 1 for _, m, _ in group.factors)
                degree = sum(m == 0 for _, m, _ in group.factors)
                value *= relu_moment(degree, term.derivatives(g), kernel)
            for tensor in term.tensors:
                value *= self.tensor(tensor.name, tensor.order, layer, (0,) * len(tensor.labels))
            total += value
        return total


def relu_moment(degree: int, derivatives: int, kernel: Fraction) -> Fraction:
    """<d^k (z^a step(z))>_K = K^((a-k)/2) E[He_k(u) u^a step(u)]; a + k even, so it is rational."""
    if (degree + derivatives) % 2:
        raise AssertionError("an odd moment of a half Gaussian cannot occur here")
    total = Fraction(0)
    for j in range(derivatives // 2 + 1):
        hermite = Fraction((-1) ** j * factorial(derivatives), 2**j * factorial(j) * factorial(derivatives - 2 * j))
        power = degree + derivatives - 2 * j
        total += hermite * Fraction(factorial(power), 2 ** (power // 2) * factorial(power // 2)) / 2
    exponent = (degree - derivatives) // 2
    return total * kernel**exponent


def elementary_symmetric(order: int, values: Sequence[Fraction]) -> Fraction:
    """e_k of theory section 6."""
    polynomial = [Fraction(1)] + [Fraction(0)] * order
    for value in values:
        for k in range(order, 0, -1):
            polynomial[k] += value * polynomial[k - 1]
    return polynomial[order]


def binomial(n: int, k: int) -> int:
    return comb(n, k) if n >= k else 0
