"""Terms: the algebra of a diagram, before Leibniz (product terms) and after (expanded terms). Theory section 5.

A label >= 0 is a sample. Inside a product term a negative label -(g+1) is a z-leg whose derivative acts on group g;
every such label is summed over ``domain`` of that group, each occurrence on its own. So the tensors alone say which
derivatives act where, and two terms are equal exactly when their records are.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from ntkfeyn.model.tensors import TensorId


class Couplings(NamedTuple):
    """Powers of C_W, lambda_W, C_b, lambda_b and of the width ratio n_l / n_(l-1)."""

    C_W: int = 0
    lambda_W: int = 0
    C_b: int = 0
    lambda_b: int = 0
    width_ratio: int = 0

    def times(self, other: Couplings) -> Couplings:
        return Couplings(*(a + b for a, b in zip(self, other, strict=True)))


class Tensor(NamedTuple):
    """A layer-l tensor: class name, absolute order, labels by slot of ``standard(name)``."""

    name: str
    order: int
    labels: tuple[int, ...]

    @property
    def id(self) -> TensorId:
        return TensorId(self.name, self.order)


class Group(NamedTuple):
    """One expectation: factors (sample, derivative order), Omega vertices inside, and the domain of its derivatives."""

    factors: tuple[tuple[int, int], ...]
    omegas: tuple[tuple[int, int], ...]
    domain: tuple[int, ...]

    @property
    def samples(self) -> tuple[int, ...]:
        """The samples present."""
        return tuple(sorted([*(s for s, _ in self.factors), *(s for pair in self.omegas for s in pair)]))


class ProductTerm(NamedTuple):
    """coefficient * couplings * tensors * product of differentiated expectations; ``diagrams`` are the ids it is of."""

    coefficient: Fraction
    couplings: Couplings
    tensors: tuple[Tensor, ...]
    groups: tuple[Group, ...]
    diagrams: tuple[str, ...]

    def derivatives(self, group: int) -> int:
        """How many derivatives act on a group."""
        return sum(tensor.labels.count(-group - 1) for tensor in self.tensors)


class ExpandedTerm(NamedTuple):
    """One product after Leibniz; an expectation lists (sample, derivative order of the activation)."""

    coefficient: Fraction
    couplings: Couplings
    expectations: tuple[tuple[tuple[int, int], ...], ...]
    tensors: tuple[Tensor, ...]
    diagrams: tuple[str, ...]
