"""Statements as C99: one component at a time, a function a product term."""

from __future__ import annotations

from collections.abc import Iterable

from ntkfeyn.codegen.formatter import Formatter, indented
from ntkfeyn.codegen.ir import Power, SpreadRow, identifier
from ntkfeyn.codegen.lowering import Component, Each, Expectation
from ntkfeyn.codegen.schedule import Content


class CFormatter(Formatter):
    """``c`` is the layer that a term sees, ``n`` the number of samples."""

    comment_width = 92

    def integer(self, value: int) -> str:
        return f"{value}.0"

    def power(self, power: Power) -> str:
        return " * ".join([f"c->{power.name}"] * power.exponent)

    def expectation(self, one: Expectation) -> str:
        return f"mean(c, {key(one.orders)}, (const int[]){braces(one.samples)})"

    def component(self, one: Component) -> str:
        return f"{identifier(one.tensor)}[at{len(one.labels)}(c->n, {', '.join(one.labels)})]"

    def assign(self, name: str, value: str) -> str:
        return f"double {name} = {value};"

    def multiply(self, name: str, value: str) -> str:
        return f"{name} *= {value};"

    def start(self, name: str) -> str:
        return f"double {name} = 0.0;"

    def add(self, name: str, value: str) -> str:
        return f"{name} += {value};"

    def give(self, value: str) -> str:
        return f"return {value};"

    def each(self, one: Each) -> list[str]:
        place, row, samples = f"p{one.depth}", f"r{one.depth}", f"s{one.depth}"
        body = [
            f"const placement *{row} = &{one.table}[{place}];",
            *(f"const int {name} = {samples}[{row}->label[{i}]];" for i, name in enumerate(one.labels)),
            f"const double {one.mean} = {row}->count * placed_mean(c, {row}, {samples});",
            *self.lines(one.body),
        ]
        return [
            f"const int {samples}[] = {braces(one.samples)};",
            f"for (size_t {place} = 0; {place} < ROWS({one.table}); ++{place}) {{",
            *indented(body),
            "}",
        ]


def braces(values: Iterable[object]) -> str:
    """An initialiser."""
    return "{" + ", ".join(map(str, values)) + "}"


def key(orders: tuple[int, ...]) -> str:
    """The name of an expectation."""
    return "E_" + "_".join(map(str, orders))


def row(one: SpreadRow) -> str:
    """A row of a placement table: slots in the order of the expectation's sorted orders."""
    order = sorted(range(len(one.orders)), key=lambda k: one.orders[k])
    orders = tuple(one.orders[k] for k in order)
    return f"{{{one.multiplicity}.0, {key(orders)}, {braces(order)}, {braces(one.labels)}}}"


def content(one: Content) -> str:
    """A row of the schedule."""
    return f"{{{key(one.orders)}, {one.inner}, {braces(one.at)}}}"
