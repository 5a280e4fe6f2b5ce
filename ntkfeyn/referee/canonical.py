"""Canonical terms: expanded sums in one form, for comparing term by term.

A ring (evaluation) whose elements are {monomial: coefficient}; derivatives and sums are carried out, z inside of means
is removed by Stein's identity. The kernel itself is a matrix of numbers, as at a point: kernels and inverse kernels
that belong together then cancel, and one that is left over shows in the coefficient.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from ntkfeyn.derivation.rules import WIDTH_RATIO
from ntkfeyn.derivation.terms import ExpandedTerm
from ntkfeyn.errors import LimitError, RequestError
from ntkfeyn.model.cumulants import canonical_labels, standard
from ntkfeyn.model.tensors import MEAN_KERNEL
from ntkfeyn.referee.evaluation import Product, Z
from ntkfeyn.referee.points import Point

WIDTHS = ("n_l", "n_(l-1)")
MAX_WORK = 2_000_000  # terms that are added or multiplied, of one recursion


class Monomial(NamedTuple):
    """Powers of couplings and widths, tensors (name, order, labels by slot), means: each sorted."""

    powers: tuple[tuple[str, int], ...] = ()
    tensors: tuple[tuple[str, int, tuple[int, ...]], ...] = ()
    means: tuple[Product, ...] = ()


Terms = dict[Monomial, Fraction]
ONE = Monomial()


def times(first: Monomial, second: Monomial) -> Monomial:
    if first == ONE or second == ONE:
        return second if first == ONE else first
    powers = dict(first.powers)
    for name, power in second.powers:
        powers[name] = powers.get(name, 0) + power
    kept = tuple(sorted((name, power) for name, power in powers.items() if power))
    return Monomial(kept, tuple(sorted(first.tensors + second.tensors)), tuple(sorted(first.means + second.means)))


class Canonical:
    """The ring; ``point`` has the kernel, ``ones`` are couplings that are 1."""

    def __init__(self, point: Point, ones: Sequence[str] = ()) -> None:
        self.point, self.ones = point, ones
        self.known: dict[Product, Terms] = {}
        self.work = 0

    def number(self, value: Fraction) -> Terms:
        return {ONE: value} if value else {}

    def coupling(self, name: str) -> Terms:
        return {ONE if name in self.ones else Monomial(((name, 1),)): Fraction(1)}

    def width(self, below: bool) -> Terms:
        return {Monomial(((WIDTHS[below], 1),)): Fraction(1)}

    def tensor(self, name: str, order: int, samples: tuple[int, ...]) -> Terms:
        if (name, order) == MEAN_KERNEL:
            return self.number(self.point.tensor(name, order, samples))
        slots = [0] * len(samples)
        for place, sample in zip(standard(name).index, samples, strict=True):
            slots[place] = sample
        return {Monomial((), ((name, order, canonical_labels(name, tuple(slots))),)): Fraction(1)}

    def inverse(self, a: int, b: int) -> Terms:
        return self.number(self.point.inverse(a, b))

    def mean(self, factors: Product) -> Terms:
        if factors not in self.known:
            self.known[factors] = self._mean(factors)
        return self.known[factors]

    def _mean(self, factors: Product) -> Terms:
        """<z_a f> = sum over b of K_ab <d_b f>"""
        place = next((i for i, (_, order) in enumerate(factors) if order == Z), None)
        if place is None:
            return {Monomial((), (), (factors,)): Fraction(1)} if factors else {ONE: Fraction(1)}
        a, rest = factors[place][0], factors[:place] + factors[place + 1 :]
        total: Terms = {}
        for i, (b, order) in enumerate(rest):
            raised = () if order == Z else ((b, order + 1),)
            derived = self.mean(tuple(sorted((*rest[:i], *raised, *rest[i + 1 :]))))
            total = self.add(total, self.multiply(self.number(Fraction(self.point.kernel[a][b])), derived))
        return total

    def add(self, a: Terms, b: Terms) -> Terms:
        self.work += (len(a) + len(b)) // 20  # copied, which is cheap
        self._limited()
        return combined(a, b, 1)

    def _limited(self) -> None:
        if self.work > MAX_WORK:
            raise LimitError(f"a formula that is written out takes more than {MAX_WORK} steps")

    def multiply(self, a: Terms, b: Terms) -> Terms:
        self.work += len(a) * len(b)
        self._limited()
        total: Terms = {}
        for one, x in a.items():
            for other, y in b.items():
                key = times(one, other)
                total[key] = total.get(key, Fraction(0)) + self.point.multiply(x, y)
        return {key: value for key, value in total.items() if value}

    def reciprocal(self, a: Terms) -> Terms:
        if len(a) != 1 or next(iter(a)).tensors or next(iter(a)).means:
            raise RequestError(
                "a formula divides by a sum, a tensor or a mean", "a coupling, a width or a number was expected below"
            )
        [(key, value)] = a.items()
        return {Monomial(tuple((name, -power) for name, power in key.powers)): 1 / value}

    def zero(self, a: Terms) -> bool:
        return not a


def combined(a: Terms, b: Terms, factor: int | Fraction) -> Terms:
    """a + factor * b"""
    total = dict(a)
    for key, value in b.items():
        left = total.get(key, Fraction(0)) + factor * value
        if left:
            total[key] = left
        else:
            total.pop(key, None)
    return total


def derived(terms: tuple[ExpandedTerm, ...], samples: dict[int, int], point: Point, ones: Sequence[str] = ()) -> Terms:
    """Our own terms; ``samples`` by slot label, ``ones`` are couplings that are 1."""
    total: Terms = {}
    for term in terms:
        powers = {name: power for name, power in term.couplings if name not in (WIDTH_RATIO, *ones)}
        ratio = term.couplings.power(WIDTH_RATIO)
        powers |= {WIDTHS[0]: ratio, WIDTHS[1]: -ratio} if ratio else {}
        tensors = []
        value = term.coefficient
        for name, order, labels in term.tensors:
            slots = tuple(samples[label] for label in labels)
            if (name, order) == MEAN_KERNEL:
                value *= point.by_slot(name, order, slots)
            else:
                tensors.append((name, order, canonical_labels(name, slots)))
        means = [tuple(sorted((samples[slot], order) for slot, order in one)) for one in term.expectations]
        key = Monomial(tuple(sorted(powers.items())), tuple(sorted(tensors)), tuple(sorted(means)))
        total[key] = total.get(key, Fraction(0)) + value
    return {key: value for key, value in total.items() if value}
