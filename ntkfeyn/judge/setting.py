"""What the judge is told of a network: exact fractions, series in 1/n.

Enters: nothing. Leaves: the record ``Setting`` of a network with polynomial activations (THEORY section 6).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

Series = tuple[Fraction, ...]
ONE, ZERO = Fraction(1), Fraction(0)


@dataclass(frozen=True)
class Setting:
    """A network: after layer l, s(z) = sum_k c_k z^k with the coefficients ``activations[l-1]``, or with the only ones.

    ``kernel[a][b]`` and ``ntk[a][b]`` are layer 1's, series in 1/n. Layer l has width n * widths[l-1] (equal widths if
    empty). No activation is needed after the last layer, and a width of it only for ``weights`` "orthogonal", which are
    the weights of the layers from 2 up: corners of Haar-random matrices of size max(n_l, n_(l+1)). Where it is not
    given, the last layer is no wider than the one below it.
    """

    activations: tuple[tuple[Fraction, ...], ...]
    kernel: tuple[tuple[Series, ...], ...]
    ntk: tuple[tuple[Series, ...], ...]
    C_W: Fraction = ONE
    C_b: Fraction = ZERO
    lambda_W: Fraction = ONE
    lambda_b: Fraction = ZERO
    widths: tuple[int, ...] = ()
    weights: str = "gaussian"

    def width(self, layer: int) -> int:
        return self.widths[layer - 1] if self.widths else 1

    def activation(self, layer: int) -> tuple[Fraction, ...]:
        """The coefficients of the activation after a layer."""
        return self.activations[layer - 1] if len(self.activations) > 1 else self.activations[0]

    def corner_of(self, layer: int) -> int:
        """Size of the orthogonal matrix, in units of n, whose corner leads from a layer to the next one."""
        return max(self.width(layer), self.widths[layer] if layer < len(self.widths) else 1)
