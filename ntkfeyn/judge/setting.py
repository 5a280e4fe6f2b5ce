"""What the judge is told of a network: exact fractions, series in 1/n.

Enters: nothing. Leaves: the record ``Setting`` of a network with polynomial activations (THEORY section 6).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

Series = tuple[Fraction, ...]
Row = tuple[tuple[int, Fraction], ...]  # (label below, M_aa') for every M_aa' of a label a that is not zero
Maps = tuple[tuple[Fraction, tuple[Row, ...]], ...]  # (w_t, M^t) for every t
ONE, ZERO = Fraction(1), Fraction(0)


@dataclass(frozen=True)
class Setting:
    """A network: after layer l, s(z) = sum_k c_k z^k with the coefficients ``activations[l-1]``, or with the only ones.

    ``kernel[a][b]`` and ``ntk[a][b]`` are layer 1's, series in 1/n. Layer l has width n * widths[l-1] (equal widths if
    empty). No activation is needed after the last layer, and a width of it only for ``weights`` "orthogonal", which are
    the weights of the layers from 2 up: corners of Haar-random matrices of size max(n_l, n_(l+1)). Where it is not
    given, the last layer is no wider than the one below it.

    ``sharing``: for the step from layer l to the next, ``sharing[l-1]`` lists (w_t, rows of M^t) for weights that are
    shared over labels, z_{i;a} = b_i + sum_t sum_k W^t_ik sum_a' M^t_aa' s(z_{k;a'}) with Var W^t = C_W w_t / n and
    gradients weighted with lambda_W w_t / n. Empty or missing: a dense layer, where labels stay what they are. Kernels
    are over the labels of layer 1. Raises ValueError for maps that do not chain, or orthogonal weights with them.
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
    sharing: tuple[Maps, ...] = ()

    def __post_init__(self) -> None:
        if self.sharing and self.weights != "gaussian":
            raise ValueError("weights that are shared over labels are Gaussian here")
        for layer, maps in enumerate(self.sharing, start=1):
            if len({len(rows) for _, rows in maps}) > 1:
                raise ValueError(f"the maps from layer {layer} lead to different numbers of labels")
            below = {label for _, rows in maps for row in rows for label, _ in row}
            if not below <= set(range(self.labels(layer))):
                raise ValueError(f"the maps from layer {layer} read labels that it has not")

    def width(self, layer: int) -> int:
        return self.widths[layer - 1] if self.widths else 1

    def maps(self, layer: int) -> Maps:
        """How the labels of the layer above read those of a layer; empty where each reads itself."""
        return self.sharing[layer - 1] if layer <= len(self.sharing) else ()

    def labels(self, layer: int) -> int:
        """The number of labels of a layer."""
        known = (len(maps[0][1]) for maps in reversed(self.sharing[: layer - 1]) if maps)
        return next(known, len(self.kernel))

    def activation(self, layer: int) -> tuple[Fraction, ...]:
        """The coefficients of the activation after a layer."""
        return self.activations[layer - 1] if len(self.activations) > 1 else self.activations[0]

    def corner_of(self, layer: int) -> int:
        """Size of the orthogonal matrix, in units of n, whose corner leads from a layer to the next one."""
        return max(self.width(layer), self.widths[layer] if layer < len(self.widths) else 1)
