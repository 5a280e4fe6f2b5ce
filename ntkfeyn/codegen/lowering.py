"""Lowering: a Program as statements of no language, once for all of them.

Enters: a ``Program``. Leaves: for each product term a list of statements that ends in its value: a scale, nested sums
over placement tables, partial sums on the way out. A factor stands in the outermost sum that names its labels. What
differs from language to language is how a statement is written: ``Formatter``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, TypeAlias, Union

from ntkfeyn.codegen.ir import Mean, Power, Product, Program, Step
from ntkfeyn.model.tensors import TensorId


class Coefficient(NamedTuple):
    """A fraction times powers of couplings."""

    value: Fraction
    powers: tuple[Power, ...]


class Named(NamedTuple):
    """What an earlier statement gave this name to."""

    name: str


class Expectation(NamedTuple):
    """A Gaussian mean: the derivative order of each factor, sorted, and its sample (names a1, ..)."""

    orders: tuple[int, ...]
    samples: tuple[str, ...]


class Component(NamedTuple):
    """A component of a layer-l tensor; labels in index order."""

    tensor: TensorId
    labels: tuple[str, ...]


Factor: TypeAlias = Coefficient | Named | Expectation | Component


class Assign(NamedTuple):
    """name = product of factors"""

    name: str
    factors: tuple[Factor, ...]


class Start(NamedTuple):
    """name = 0, of a sum that ``Add`` adds to."""

    name: str


class Add(NamedTuple):
    """name += product of factors"""

    name: str
    factors: tuple[Factor, ...]


class Each(NamedTuple):
    """For each row of a placement table: its labels and the count times its mean get names, then the body runs."""

    depth: int
    table: str
    samples: tuple[str, ...]
    labels: tuple[str, ...]
    mean: str
    body: tuple[Statement, ...]


class Return(NamedTuple):
    """The value of the term is a product of factors."""

    factors: tuple[Factor, ...]


Statement: TypeAlias = Union[Assign, Start, Add, "Each", Return]


class Term(NamedTuple):
    """A product term; ``samples`` and ``tensors`` are those of its step that its statements name."""

    diagrams: tuple[str, ...]
    statements: tuple[Statement, ...]
    samples: tuple[str, ...]
    tensors: tuple[TensorId, ...]


@dataclass(frozen=True)
class LoweredStep:
    """The terms whose values add up to one tensor at layer l+1."""

    step: Step
    terms: tuple[Term, ...]


@dataclass(frozen=True)
class Lowered:
    """A program as statements; ``multiplications`` for one component of every tensor, and without partial sums."""

    program: Program
    steps: tuple[LoweredStep, ...]
    multiplications: int
    without_sums: int


def lower(program: Program) -> Lowered:
    """The statements of a program; sums are nested, and partial sums kept, where it is ``shared``."""
    steps = tuple(
        LoweredStep(step, tuple(_term(step, product, shared=program.shared) for product in step.products))
        for step in program.steps
    )
    rows = {mean.spread.name: len(mean.spread.rows) for mean in program.means()}
    products = [product for step in program.steps for product in step.products]
    own = sum(_multiplications(term.statements, rows) for step in steps for term in step.terms)
    flat = sum(_multiplications(_in_one_product(product), rows) for product in products)
    return Lowered(program, steps, own, flat)


def _term(step: Step, product: Product, *, shared: bool) -> Term:
    statements = _with_partial_sums(product) if shared else _in_one_product(product)
    named = set(_samples(statements))
    tensors = {factor.tensor for factor in product.tensors}
    return Term(
        product.diagrams,
        statements,
        tuple(sample for sample in step.slots if sample in named),
        tuple(tensor for tensor in step.tensors if tensor in tensors),
    )


def _scale(product: Product) -> tuple[Factor, ...]:
    """The coefficient and the means that nothing differentiates."""
    direct = (_expectation(mean) for mean in product.means if not mean.bound)
    return (Coefficient(product.coefficient, product.powers), *direct)


def _expectation(mean: Mean) -> Expectation:
    order = sorted(range(len(mean.slots)), key=lambda k: mean.spread.base[k])
    return Expectation(tuple(mean.spread.base[k] for k in order), tuple(mean.slots[k] for k in order))


def _with_partial_sums(product: Product) -> tuple[Statement, ...]:
    """scale * sum of mean1 * tensors * (sum of mean2 * tensors * (..)); every tensor as far out as its labels allow."""
    loops = [mean for mean in product.means if mean.bound]
    depth_of = {label: depth for depth, mean in enumerate(loops, start=1) for label in mean.bound}
    inside: list[list[Factor]] = [[] for _ in range(len(loops) + 1)]
    for factor in product.tensors:
        inside[max(depth_of.get(label, 0) for label in factor.labels)].append(Component(*factor))
    scale = (*_scale(product), *inside[0])
    if not loops:
        return (Return(scale),)
    within: tuple[Statement, ...] = ()
    for depth in range(len(loops), 0, -1):
        rest = (Named(f"sum{depth + 1}"),) if within else ()
        within = _sum(depth, loops[depth - 1], within, (Named(f"mean{depth}"), *inside[depth], *rest))
    return (Assign("scale", scale), *within, Return((Named("scale"), Named("sum1"))))


def _sum(depth: int, mean: Mean, before: tuple[Statement, ...], factors: tuple[Factor, ...]) -> tuple[Statement, ...]:
    """A sum over the table of a mean: what is done ``before`` in each row, and the product that the row adds."""
    total = f"sum{depth}"
    body = (*before, Add(total, factors))
    return Start(total), Each(depth, mean.spread.name, mean.slots, mean.bound, f"mean{depth}", body)


def _in_one_product(product: Product) -> tuple[Statement, ...]:
    """One product of all factors inside all sums."""
    loops = [mean for mean in product.means if mean.bound]
    means = tuple(Named(f"mean{depth}") for depth in range(1, len(loops) + 1))
    factors = (*_scale(product), *means, *(Component(*factor) for factor in product.tensors))
    if not loops:
        return (Return(factors),)
    body: tuple[Statement, ...] = (Add("sum1", factors),)
    for depth in range(len(loops), 0, -1):
        mean = loops[depth - 1]
        body = (Each(depth, mean.spread.name, mean.slots, mean.bound, f"mean{depth}", body),)
    return (Start("sum1"), *body, Return((Named("sum1"),)))


def _samples(statements: Sequence[Statement]) -> Iterator[str]:
    """Every label that is named, also those that a table gives."""
    for one in statements:
        if isinstance(one, Each):
            yield from one.samples
            yield from _samples(one.body)
        elif not isinstance(one, Start):
            for factor in one.factors:
                if isinstance(factor, Expectation):
                    yield from factor.samples
                elif isinstance(factor, Component):
                    yield from factor.labels


def _multiplications(statements: Sequence[Statement], rows: dict[str, int]) -> int:
    """A table's counts and means are multiplied in each row; a power is as many multiplications as it has factors."""
    total = 0
    for one in statements:
        if isinstance(one, Each):
            total += rows[one.table] * (1 + _multiplications(one.body, rows))
        elif not isinstance(one, Start):
            total += sum(_size(factor) for factor in one.factors) - 1
    return total


def _size(factor: Factor) -> int:
    if not isinstance(factor, Coefficient):
        return 1
    whole = (factor.value.numerator != 1) + (factor.value.denominator != 1)
    return max(1, whole + sum(power.exponent for power in factor.powers))
