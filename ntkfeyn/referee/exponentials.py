"""Points whose activation is a sum of two exponentials: means cost little, at any order of derivatives.

<exp(sum of l_a z_a)> = prod of exp(K_ab l_a l_b) over a < b times prod of exp(K_aa l_a^2 / 2). In an identity of
formulas exp(K_ab) and K_ab are independent of each other, as any numbers of different growth are: whole numbers at
random stand for the exponentials, so everything stays rational. Derivatives and Stein's identity are exact.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from fractions import Fraction

from ntkfeyn.errors import LimitError
from ntkfeyn.referee.evaluation import Product, Z
from ntkfeyn.referee.points import Point

RATES = ((1, 2), (1, 3), (2, 3), (2, 1), (3, 1), (3, 2))
MAX_STATES = 20_000


class ExponentialPoint(Point):
    """As ``Point``, with another activation: c_1 exp(l_1 z) + c_2 exp(l_2 z)."""

    def __init__(self, seed: int, size: int, fixed: Mapping[str, Fraction] | None = None, equal: bool = False) -> None:
        super().__init__(seed, size, 0, fixed, equal)
        source = random.Random(f"{seed}:exponentials")
        self.waves = [(source.choice((-1, 1)) * source.randint(2, 99), rate) for rate in source.choice(RATES)]
        bases = source.sample(range(2, 4 + size * (size + 1) // 2), size * (size + 1) // 2)
        self.bases = {(a, b): bases.pop() for a in range(size) for b in range(a, size)}

    def _mean(self, factors: Product) -> Fraction:
        """<z_a f> = sum over b of K_ab <d_b f>"""
        place = next((i for i, (_, order) in enumerate(factors) if order == Z), None)
        if place is None:
            return Fraction(self._integral(factors))
        a, rest = factors[place][0], factors[:place] + factors[place + 1 :]
        total = Fraction(0)
        for i, (b, order) in enumerate(rest):
            raised = () if order == Z else ((b, order + 1),)
            total += self.kernel[a][b] * self.mean(tuple(sorted((*rest[:i], *raised, *rest[i + 1 :]))))
        return total

    def _integral(self, factors: Product) -> int:
        """Every choice of an exponential at each factor: the rates at a sample add up."""
        states = {(0,) * self.size: 1}
        for a, order in factors:
            raised: dict[tuple[int, ...], int] = {}
            for rates, weight in states.items():
                for amount, rate in self.waves:
                    key = (*rates[:a], rates[a] + rate, *rates[a + 1 :])
                    raised[key] = raised.get(key, 0) + weight * amount * rate**order
            states = raised
            if len(states) > MAX_STATES:
                raise LimitError(f"a mean of {len(factors)} activations at {self.size} samples takes too long")
        return sum(weight * self._exponential(rates) for rates, weight in states.items())

    def _exponential(self, rates: tuple[int, ...]) -> int:
        found = 1
        present = [a for a, rate in enumerate(rates) if rate]
        for i, a in enumerate(present):
            for b in present[i:]:
                found *= self.bases[a, b] ** (rates[a] * rates[b])
        return found
