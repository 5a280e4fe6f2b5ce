"""The code IR between recursions and the printers of Python, JAX and C (assignments, expectations, contractions).

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
from typing import Any, NamedTuple

from ntkfeyn.derivation.recursion import Recursion, System
from ntkfeyn.derivation.reduction import leg_placements, leg_units, split_omega
from ntkfeyn.derivation.rules import COUPLINGS
from ntkfeyn.derivation.terms import Group, Powers, ProductTerm
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.tensors import TensorId
from ntkfeyn.render.notation import TextNotation, cumulant_text, term_text
from ntkfeyn.render.templates import provenance


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
    """coefficient * couplings * sum over the tables of ``means`` of the means * ``tensors``; outermost sum first."""

    diagrams: tuple[str, ...]
    coefficient: Fraction
    couplings: Powers
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
        name, order = self.recursion.id
        plain = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")
        return f"step_{plain}" + (f"_{order}" if order != self.recursion.cumulant.leading_order else "")

    @property
    def couplings(self) -> tuple[str, ...]:
        """The couplings that occur, in the order of ``COUPLINGS``."""
        return tuple(c.name for c in COUPLINGS if any(p.couplings.power(c.name) for p in self.products))

    @property
    def tensors(self) -> tuple[TensorId, ...]:
        """The tensors that occur."""
        return tuple(sorted({f.tensor for p in self.products for f in p.tensors}, key=lambda t: (t[1], t[0])))


@dataclass(frozen=True)
class Program:
    """Steps in order of dependence; ``shared``: placement tables are shared and partial sums kept."""

    targets: tuple[TensorId, ...]
    steps: tuple[Step, ...]
    shared: bool

    @cached_property
    def spreads(self) -> tuple[Spread, ...]:
        """Every placement table that the steps use, sorted by name."""
        found = {mean.spread.name: mean.spread for mean in self._means() if mean.bound}
        return tuple(found[name] for name in sorted(found))

    @cached_property
    def expectations(self) -> tuple[tuple[int, ...], ...]:
        """The orders of every expectation, sorted: each is computed once for all samples."""
        found = {tuple(sorted(row.orders)) for mean in self._means() for row in mean.spread.rows}
        return tuple(sorted(found, key=lambda orders: (len(orders), orders)))

    @property
    def top(self) -> int:
        """The highest derivative of the activation."""
        return max((max(orders) for orders in self.expectations), default=0)

    @property
    def operations(self) -> tuple[int, int]:
        """Multiplications for one component of every tensor: with partial sums kept, and without."""
        kept = flat = 0
        for step in self.steps:
            for term in step.products:
                sizes = [len(mean.spread.rows) for mean in term.means]
                flat += prod(sizes) * (len(term.means) + len(term.tensors))
                kept += sum(prod(sizes[: k + 1]) for k in range(len(sizes))) + prod(sizes) * len(term.tensors)
        return (kept if self.shared else flat), flat

    def _means(self) -> Iterator[Mean]:
        return (mean for step in self.steps for term in step.products for mean in term.means)


def program(system: System, *, shared: bool = True) -> Program:
    """The code of a system. Without ``shared`` every term has tables of its own and no partial sums."""
    steps = []
    for recursion in system.recursions:
        shape = recursion.cumulant
        parts = [part for term in recursion.terms for part in split_omega(term)]
        own = [f"_{recursion.name}_{recursion.order}_{i}" if not shared else "" for i in range(len(parts))]
        products = tuple(_product(part, suffix) for part, suffix in zip(parts, own, strict=True))
        steps.append(Step(recursion, tuple(f"a{label}" for label in shape.index_labels()), products))
    return Program(system.targets, tuple(steps), shared)


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
    return Product(term.diagrams, term.coefficient, term.couplings, tuple(means), tuple(tensors))


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


def wrapped(text: str, width: int, following: str = "") -> list[str]:
    """A formula broken at blanks into lines of at most ``width`` characters."""
    lines, line = [], ""
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = following + word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]


def program_texts(code: Program, width: int) -> dict[str, Any]:
    """The head of an emitted file: provenance and operation counts, lines of at most ``width`` characters."""
    kept, flat = code.operations
    lines = provenance([step.recursion for step in code.steps])
    return {
        "provenance": [line for text in lines for line in wrapped(text, width, "  ")],
        "operations": f"{kept} multiplications a component of every tensor ({flat} without partial sums)",
    }


def step_texts(step: Step, width: int) -> dict[str, Any]:
    """What the comment of a step says: its tensor, legs, channel and formula."""
    recursion, notation = step.recursion, TextNotation()
    terms = [term_text(term, notation, leading=i == 0) for i, term in enumerate(recursion.terms)]
    return {
        "key": f"{recursion.name}@{recursion.order}",
        "tensor": cumulant_text(recursion.cumulant, recursion.order, notation),
        "legs": recursion.cumulant.legs_text(),
        "channel": recursion.cumulant.channel_text(),
        "formula": [line for text in terms for line in wrapped(text, width, "    ")],
        "slots": step.slots,
    }
