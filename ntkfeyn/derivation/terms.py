"""Terms: the algebra of a diagram, before Leibniz (product terms) and after (expanded terms). Theory section 5.

A label >= 0 is a sample. Inside a product term a negative label -(g+1) is a z-leg whose derivative acts on group g;
every such label is summed over ``domain`` of that group, each occurrence on its own. So the tensors alone say which
derivatives act where, and two terms are equal exactly when their records are.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from ntkfeyn.model.tensors import TensorId


class Powers(tuple[tuple[str, int], ...]):
    """An open map coupling -> power: pairs (name, power), sorted by name, none zero. Names: ``rules.COUPLINGS``."""

    __slots__ = ()

    @staticmethod
    def of(**powers: int) -> Powers:
        return Powers(sorted((name, power) for name, power in powers.items() if power))

    def power(self, name: str) -> int:
        """0 for a coupling that does not occur."""
        return next((power for known, power in self if known == name), 0)

    def times(self, other: Powers) -> Powers:
        names = {name for name, _ in (*self, *other)}
        return Powers.of(**{name: self.power(name) + other.power(name) for name in names})


class Factor(NamedTuple):
    """What stands at a slot (or sample): ``function`` (``rules.ACTIVATION``), ``order`` times differentiated."""

    slot: int
    order: int
    function: str = "activation"


class Tensor(NamedTuple):
    """A layer-l tensor: class name, absolute order, labels by slot of ``standard(name)``."""

    name: str
    order: int
    labels: tuple[int, ...]

    @property
    def id(self) -> TensorId:
        return TensorId(self.name, self.order)


class Group(NamedTuple):
    """One expectation: factors, Omega vertices inside, and the domain of its derivatives."""

    factors: tuple[Factor, ...]
    omegas: tuple[tuple[int, int], ...]
    domain: tuple[int, ...]

    @property
    def samples(self) -> tuple[int, ...]:
        """The samples present."""
        return tuple(sorted([*(factor.slot for factor in self.factors), *(s for pair in self.omegas for s in pair)]))


class ProductTerm(NamedTuple):
    """coefficient * couplings * tensors * product of differentiated expectations; ``diagrams`` are the ids it is of."""

    coefficient: Fraction
    couplings: Powers
    tensors: tuple[Tensor, ...]
    groups: tuple[Group, ...]
    diagrams: tuple[str, ...]

    def derivatives(self, group: int) -> int:
        """How many derivatives act on a group."""
        return sum(tensor.labels.count(-group - 1) for tensor in self.tensors)


class ExpandedTerm(NamedTuple):
    """One product after Leibniz; an expectation lists (sample, derivative order of the activation)."""

    coefficient: Fraction
    couplings: Powers
    expectations: tuple[tuple[tuple[int, int], ...], ...]
    tensors: tuple[Tensor, ...]
    diagrams: tuple[str, ...]
