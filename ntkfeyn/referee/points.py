"""Points: both sides of a recursion as exact rational numbers, at random values of everything that stands in them.

A point is a ring (evaluation): a random kernel, random tensors with their symmetries, a random polynomial as
activation (in exponentials another one), random couplings and widths. Two sides that are equal as formulas are equal
at every point; two that are not differ at almost every one. Gaussian means of polynomials are exact for any symmetric
kernel.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from fractions import Fraction
from functools import cached_property
from math import factorial

from ntkfeyn.derivation.rules import COUPLINGS, TAU, WIDTH_RATIO
from ntkfeyn.derivation.terms import ExpandedTerm
from ntkfeyn.errors import LimitError, RequestError
from ntkfeyn.model.cumulants import canonical_labels, standard
from ntkfeyn.model.tensors import MEAN_KERNEL, TensorId
from ntkfeyn.referee.evaluation import Product, Z

MAX_BITS = 200_000  # of a number
MAX_MEANS = 10_000
MAX_MOMENTS = 40_000
HIGHEST = 4  # degree above the highest derivative: no term sleeps


class Point:
    """``size`` samples; ``fixed`` couplings keep their values, ``equal`` widths are equal."""

    def __init__(
        self, seed: int, size: int, derivatives: int, fixed: Mapping[str, Fraction] | None = None, equal: bool = False
    ) -> None:
        self.seed, self.size = seed, size
        source = random.Random(seed)
        self.couplings = {c.name: Fraction(source.randint(2, 40)) for c in COUPLINGS} | dict(fixed or {})
        self.widths = {False: Fraction(source.randint(50, 90)), True: Fraction(source.randint(10, 49))}
        if equal:
            self.widths[True] = self.widths[False]
            self.couplings[TAU] = Fraction(1)
        self.degree = derivatives + HIGHEST
        self.activation = [source.choice((-1, 1)) * source.randint(1, 9) for _ in range(self.degree + 1)]
        self.kernel = self._random_kernel(source)
        self.tensors: dict[tuple[TensorId, tuple[int, ...]], Fraction] = {}
        self.moments: dict[tuple[int, ...], int] = {}
        self.partial: dict[tuple[tuple[tuple[int, ...], ...], tuple[int, ...]], int] = {}
        self.polynomials: dict[tuple[int, ...], list[int]] = {}
        self.means: dict[Product, Fraction] = {}

    def _random_kernel(self, source: random.Random) -> list[list[int]]:
        """Small integers, the matrix invertible and no two elements alike."""
        values = source.sample(range(1, 4 + self.size * (self.size + 1)), self.size * (self.size + 1) // 2)
        found = [[0] * self.size for _ in range(self.size)]
        for a in range(self.size):
            for b in range(a, self.size):
                found[a][b] = found[b][a] = values.pop() + (7 * self.size if a == b else 0)
        return found

    # --- the ring ---

    def number(self, value: Fraction) -> Fraction:
        return value

    def coupling(self, name: str) -> Fraction:
        return self.couplings[name]

    def width(self, below: bool) -> Fraction:
        return self.widths[below]

    def tensor(self, name: str, order: int, samples: tuple[int, ...]) -> Fraction:
        """``samples`` in index order."""
        index = standard(name).index
        slots = [0] * len(index)
        for place, sample in zip(index, samples, strict=True):
            slots[place] = sample
        return self.by_slot(name, order, tuple(slots))

    def by_slot(self, name: str, order: int, slots: tuple[int, ...]) -> Fraction:
        """The tensor at samples listed by slot of its representative."""
        if (name, order) == MEAN_KERNEL:
            return Fraction(self.kernel[slots[0]][slots[1]])
        key = TensorId(name, order), canonical_labels(name, slots)
        if key not in self.tensors:
            text = f"{self.seed}:{name}:{order}:{key[1]}"
            self.tensors[key] = Fraction(random.Random(text).randint(1, 10**6))
        return self.tensors[key]

    @cached_property
    def inverse_kernel(self) -> list[list[Fraction]]:
        return inverted([[Fraction(value) for value in row] for row in self.kernel])

    def inverse(self, a: int, b: int) -> Fraction:
        return self.inverse_kernel[a][b]

    def mean(self, factors: Product) -> Fraction:
        if factors not in self.means:
            if len(self.means) > MAX_MEANS:
                raise LimitError(f"a formula has more than {MAX_MEANS} different means")
            self.means[factors] = self._mean(factors)
        return self.means[factors]

    def _mean(self, factors: Product) -> Fraction:
        functions = tuple(tuple(order for at, order in factors if at == a) for a in range(self.size))
        return Fraction(self._contracted(functions, ()))

    def add(self, a: Fraction, b: Fraction) -> Fraction:
        return a + b

    def multiply(self, a: Fraction, b: Fraction) -> Fraction:
        found = a * b
        if found.numerator.bit_length() + found.denominator.bit_length() > MAX_BITS:
            raise LimitError("the numbers of a formula grow too long", "powers of powers have lower exponents")
        return found

    def reciprocal(self, a: Fraction) -> Fraction:
        if not a:
            raise RequestError("a formula divides by zero", "a coupling, a width or a number was expected below")
        return 1 / a

    def zero(self, a: Fraction) -> bool:
        return not a

    # --- Gaussian means of polynomials ---

    def _contracted(self, functions: tuple[tuple[int, ...], ...], powers: tuple[int, ...]) -> int:
        """<z^powers prod of functions>: the last function becomes powers of its z, shared by all that agree so far."""
        if not functions:
            return self.moment(powers)
        key = functions, powers
        if key not in self.partial:
            coefficients = self._polynomial(functions[-1])
            rest = functions[:-1]
            self.partial[key] = sum(c * self._contracted(rest, (k, *powers)) for k, c in enumerate(coefficients) if c)
        return self.partial[key]

    def _polynomial(self, orders: tuple[int, ...]) -> list[int]:
        """The coefficients of a product of derivatives of the activation, and of z, at one sample."""
        if orders not in self.polynomials:
            found = [1]
            for order in orders:
                one = [0, 1] if order == Z else self._derivative(order)
                raised = [0] * (len(found) + len(one) - 1)
                for i, x in enumerate(found):
                    for j, y in enumerate(one):
                        raised[i + j] += x * y
                found = raised
            self.polynomials[orders] = found
        return self.polynomials[orders]

    def _derivative(self, order: int) -> list[int]:
        rising = range(order, self.degree + 1)
        return [self.activation[k] * factorial(k) // factorial(k - order) for k in rising] or [0]

    def moment(self, powers: tuple[int, ...]) -> int:
        """E of prod z_a^p_a: the first z is paired with every other in turn."""
        if powers not in self.moments:
            if len(self.moments) > MAX_MOMENTS:
                raise LimitError("a mean has too many activations", "fewer, or lower derivatives, are read")
            self.moments[powers] = self._moment(powers)
        return self.moments[powers]

    def _moment(self, powers: tuple[int, ...]) -> int:
        first = next((a for a, power in enumerate(powers) if power), None)
        if first is None:
            return 1
        if sum(powers) % 2:
            return 0
        rest = list(powers)
        rest[first] -= 1
        total = 0
        for b, power in enumerate(rest):
            if power:
                below = [*rest]
                below[b] -= 1
                total += power * self.kernel[first][b] * self.moment(tuple(below))
        return total

    # --- our own side ---

    def term(self, term: ExpandedTerm, samples: dict[int, int]) -> Fraction:
        """A derived term; ``samples`` by slot label."""
        value = term.coefficient
        for name, power in term.couplings:
            ratio = self.widths[False] / self.widths[True]
            value *= (ratio if name == WIDTH_RATIO else self.couplings[name]) ** power
        for name, order, labels in term.tensors:
            value *= self.by_slot(name, order, tuple(samples[label] for label in labels))
        for factors in term.expectations:
            value *= self.mean(tuple(sorted((samples[slot], order) for slot, order in factors)))
        return value


def inverted(matrix: list[list[Fraction]]) -> list[list[Fraction]]:
    """By elimination. Raises ZeroDivisionError for a singular matrix."""
    size = len(matrix)
    rows = [[*row, *(Fraction(int(i == j)) for j in range(size))] for i, row in enumerate(matrix)]
    for i in range(size):
        pivot = next((k for k in range(i, size) if rows[k][i]), i)
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for k in range(size):
            if k != i and rows[k][i]:
                rows[k] = [x - rows[k][i] * y for x, y in zip(rows[k], rows[i], strict=True)]
    return [row[size:] for row in rows]
