"""Networks whose weights are shared over labels, written out: every weight a generator, every label its own polynomial.

Imports nothing of ntkfeyn. A map is (w_t, M^t) with M^t a full matrix, rows for the labels of the layer above.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from sympy import QQ
from sympy.polys.rings import ring

from oracles.explicit import ExplicitNetwork

Matrix = Sequence[Sequence[Fraction]]


class ExplicitSharedNetwork(ExplicitNetwork):
    """``outputs[a][i]``: neuron i of the last layer at its label a; ``inputs``: a vector for each label of layer 1.

    ``maps[l - 2]``: what leads to layer l, None where labels stay.
    """

    def __init__(
        self,
        widths: Sequence[int],
        inputs: Sequence[Sequence[Fraction]],
        activation: Sequence[Fraction],
        maps: Sequence[Sequence[tuple[Fraction, Matrix]] | None],
        C_W: Fraction,
        C_b: Fraction,
        lambda_W: Fraction,
        lambda_b: Fraction,
    ) -> None:
        names, self.variance, self.learning = [], [], []
        steps = [[Fraction(1)], *([w for w, _ in one] if one else [Fraction(1)] for one in maps)]
        for layer, shares in enumerate(steps, start=1):
            below, here = widths[layer - 1 : layer + 1]
            for i in range(here):
                for t, share in enumerate(shares):
                    names += [f"w{layer}_{t}_{i}_{j}" for j in range(below)]
                    self.variance += [C_W * share / below] * below
                    self.learning += [lambda_W * share / below] * below
                if C_b or lambda_b:
                    names.append(f"b{layer}_{i}")
                    self.variance.append(C_b)
                    self.learning.append(lambda_b)
        self.ring, *generators = ring(names, QQ)
        self.parameters = list(generators)
        self.named = dict(zip(names, generators, strict=True))
        values = [[self.ring(_q(x)) for x in one] for one in inputs]
        values = self._layer(1, widths[1], [values])
        for layer, one in enumerate(maps, start=2):
            active = [[self._activate(value, activation) for value in label] for label in values]
            read = [active] if one is None else [[self._mixed(row, active) for row in matrix] for _, matrix in one]
            values = self._layer(layer, widths[layer], read)
        self.outputs = values

    def _layer(self, layer: int, here: int, read: list) -> list:  # type: ignore[type-arg]
        """z[a][i] from what each t reads: read[t][a][j]."""
        return [
            [
                sum(
                    (
                        self.named[f"w{layer}_{t}_{i}_{j}"] * x
                        for t, labels in enumerate(read)
                        for j, x in enumerate(labels[a])
                    ),
                    self.named.get(f"b{layer}_{i}", self.ring(0)),
                )
                for i in range(here)
            ]
            for a in range(len(read[0]))
        ]

    def _mixed(self, row: Sequence[Fraction], active: list) -> list:  # type: ignore[type-arg]
        return [
            sum((label[j] * _q(x) for x, label in zip(row, active, strict=True)), self.ring(0))
            for j in range(len(active[0]))
        ]


def _q(x: Fraction):  # type: ignore[no-untyped-def]
    return QQ(x.numerator, x.denominator)
