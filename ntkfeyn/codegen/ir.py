"""The code IR: what is to be computed, before it is known in which statements (theory section 5).

Enters: a System. Leaves: a frozen ``Program``. A product term becomes a ``Product``: nested sums over placement tables
(``Spread``), one for each differentiated group, of tensors and expectations. Leibniz is a table, not an expansion, so
the size of the code grows with the product terms.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import product
from math import prod
from typing import NamedTuple

from ntkfeyn.derivation.expansion import leg_placements, leg_units
from ntkfeyn.derivation.recursion import Recursion, System
from ntkfeyn.derivation.reduction import split_omega
from ntkfeyn.derivation.rules import GAUSSIAN_COUPLINGS, TAU, in_order
from ntkfeyn.derivation.terms import Group, ProductTerm
from ntkfeyn.errors import LimitError
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.ensembles import GAUSSIAN
from ntkfeyn.model.tensors import TensorId

SOLVED_COUPLINGS = (*GAUSSIAN_COUPLINGS, TAU)  # what the drivers of emitted solvers know the values of


class Power(NamedTuple):
    """A coupling by name, and its exponent."""

    name: str
    exponent: int


def powers(term: ProductTerm) -> tuple[Power, ...]:
    """The couplings of a term: the one place of this room that knows how terms hold them."""
    return tuple(Power(*pair) for pair in in_order(term.couplings))


def identifier(tensor: TensorId) -> str:
    """A tensor's name in code: Theta_0."""
    return re.sub(r"[^A-Za-z0-9]+", "_", tensor.name).strip("_") + f"_{tensor.order}"


class SpreadRow(NamedTuple):
    """One placement: the slot that each z-leg lands on, the activation orders after it, how often it occurs."""

    labels: tuple[int, ...]
    orders: tuple[int, ...]
    multiplicity: int


class Spread(NamedTuple):
    """All placements of derivatives on a product of s^(m), m in ``base``; slots are positions in ``base``."""

    name: str
    base: tuple[int, ...]
    rows: tuple[SpreadRow, ...]


class Mean(NamedTuple):
    """One expectation: its slots (names a1, ..), its table, and the names b1, .. of the labels that it places."""

    slots: tuple[str, ...]
    spread: Spread
    bound: tuple[str, ...]


class TensorFactor(NamedTuple):
    """A layer-l tensor; ``labels`` are names a1, b2, .. in the tensor's index order."""

    tensor: TensorId
    labels: tuple[str, ...]


class Product(NamedTuple):
    """coefficient * powers * sum over the tables of ``means``, the outermost first, of the means * ``tensors``."""

    diagrams: tuple[str, ...]
    coefficient: Fraction
    powers: tuple[Power, ...]
    means: tuple[Mean, ...]
    tensors: tuple[TensorFactor, ...]


@dataclass(frozen=True)
class Step:
    """One recursion: ``slots`` names its indices in index order."""

    recursion: Recursion
    slots: tuple[str, ...]
    products: tuple[Product, ...]

    @property
    def function(self) -> str:
        """step_F, step_K_1: the order is written where it is not the leading one."""
        leading = self.recursion.order == self.recursion.cumulant.leading_order
        written = identifier(self.recursion.id)
        return f"step_{written.rpartition('_')[0] if leading else written}"

    @property
    def couplings(self) -> tuple[str, ...]:
        """The couplings that occur, in the order of the table. Raises LimitError for one that is not there."""
        used = {power.name for product in self.products for power in product.powers}
        if not used <= set(SOLVED_COUPLINGS):
            unknown = ", ".join(sorted(used - set(SOLVED_COUPLINGS)))
            raise LimitError(f"emitted solvers have no coupling {unknown}; try `ntkfeyn derive`, which writes it")
        return tuple(name for name in SOLVED_COUPLINGS if name in used)

    @property
    def tensors(self) -> tuple[TensorId, ...]:
        """The tensors that occur."""
        found = {factor.tensor for product in self.products for factor in product.tensors}
        return tuple(sorted(found, key=lambda tensor: (tensor.order, tensor.name)))

    @property
    def pairs(self) -> tuple[tuple[int, ...], ...]:
        """The indices in each pair of the channel, by their number, in order."""
        shape = standard(self.recursion.name)
        place = {position: k for k, position in enumerate(shape.index)}
        return tuple(sorted(tuple(sorted(place[position] for position in pair)) for pair in shape.channel))

    @property
    def symmetries(self) -> tuple[tuple[int, ...], ...]:
        """Permutations g of the indices with T[a_0, a_1, ..] = T[a_g(0), a_g(1), ..]."""
        shape = standard(self.recursion.name)
        place = {position: k for k, position in enumerate(shape.index)}
        return tuple(tuple(place[g[position]] for position in shape.index) for g in shape.symmetries)


@dataclass(frozen=True)
class Program:
    """Steps in order of dependence; ``shared``: placement tables are shared and partial sums kept.

    ``weights``: the ensemble of the weights of every layer but the first; ``averaged``: they are shared over labels.
    """

    targets: tuple[TensorId, ...]
    steps: tuple[Step, ...]
    shared: bool
    weights: str = GAUSSIAN
    averaged: bool = False

    @cached_property
    def spreads(self) -> tuple[Spread, ...]:
        """Every placement table that the steps use, sorted by name."""
        found = {mean.spread.name: mean.spread for mean in self.means() if mean.bound}
        return tuple(found[name] for name in sorted(found))

    @cached_property
    def expectations(self) -> tuple[tuple[int, ...], ...]:
        """The orders of every expectation, sorted: each is computed once for all samples."""
        found = {tuple(sorted(row.orders)) for mean in self.means() for row in mean.spread.rows}
        return tuple(sorted(found, key=lambda orders: (len(orders), orders)))

    @property
    def top(self) -> int:
        """The highest derivative of the activation."""
        return max((max(orders) for orders in self.expectations), default=0)

    def means(self) -> Iterator[Mean]:
        """Every expectation of every product."""
        return (mean for step in self.steps for one in step.products for mean in one.means)


def program(system: System, *, shared: bool = True) -> Program:
    """The code of a system. Without ``shared`` every term has tables of its own and no partial sums."""
    steps = []
    for recursion in system.recursions:
        shape = recursion.cumulant
        parts = [part for term in recursion.terms for part in split_omega(term)]
        own = [f"_{recursion.name}_{recursion.order}_{i}" if not shared else "" for i in range(len(parts))]
        products = tuple(_product(part, suffix) for part, suffix in zip(parts, own, strict=True))
        steps.append(Step(recursion, tuple(f"a{label}" for label in shape.index_labels()), products))
    averaged = any(recursion.shared for recursion in system.recursions)
    return Program(system.targets, tuple(steps), shared, system.weights, averaged)


def _product(term: ProductTerm, suffix: str) -> Product:
    names: dict[tuple[int, int], str] = {}  # (tensor, slot) -> name of the label that lands there
    means, bound = [], 0
    for g, group in enumerate(term.groups):
        units, placed = [], []
        for t, tensor in enumerate(term.tensors):
            for slots, other, pairs in leg_units(tensor):
                if other == g:
                    units.append(pairs)
                    for slot in slots:
                        bound += 1
                        names[t, slot] = f"b{bound}"
                        placed.append(names[t, slot])
        spread = _spread(group, tuple(units), suffix and f"{suffix}_{g}")
        means.append(Mean(tuple(f"a{slot}" for slot, *_ in group.factors), spread, tuple(placed)))
    tensors = []
    for t, tensor in enumerate(term.tensors):
        written = [f"a{label}" if label >= 0 else names[t, slot] for slot, label in enumerate(tensor.labels)]
        tensors.append(TensorFactor(tensor.id, tuple(written[v] for v in standard(tensor.name).index)))
    means.sort(key=lambda mean: len(mean.spread.rows))  # the longest table is the innermost sum
    return Product(term.diagrams, term.coefficient, powers(term), tuple(means), tuple(tensors))


def _spread(group: Group, units: tuple[int, ...], suffix: str) -> Spread:
    """Placements of ``units`` (number of z-z pairs placed together, 0: one leg) on the slots of a group."""
    base = tuple(factor.order for factor in group.factors)
    positions = tuple(range(len(base)))
    rows = []
    for chosen in product(*(leg_placements(positions, pairs) for pairs in units)):
        labels = tuple(v for part, _ in chosen for v in part)
        orders = tuple(m + labels.count(v) for v, m in enumerate(base))
        rows.append(SpreadRow(labels, orders, prod(count for _, count in chosen)))
    legs = "".join(str(2 * pairs or 1) for pairs in units)
    written = "_".join(map(str, base))
    name = f"D{written}_by_{legs}" if units else f"M{written}"  # D: placements of derivatives, M: a mean as it stands
    return Spread(name + re.sub(r"[^A-Za-z0-9_]+", "_", suffix), base, tuple(rows))
