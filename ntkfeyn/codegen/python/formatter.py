"""Statements as Python: arrays over all samples at once; NumPy and JAX read the same text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ntkfeyn.codegen.formatter import INDENT, ROOM, Formatter, indented
from ntkfeyn.codegen.ir import Power, SpreadRow, identifier
from ntkfeyn.codegen.lowering import Component, Each, Expectation, LoweredStep


class PythonFormatter(Formatter):
    """Names a1, a2, .. are index arrays that broadcast; nothing is changed in place, as JAX asks."""

    comment_width = 94

    def integer(self, value: int) -> str:
        return str(value)

    def power(self, power: Power) -> str:
        return power.name if power.exponent == 1 else f"{power.name}**{power.exponent}"

    def expectation(self, one: Expectation) -> str:
        return f"expectation({listed(one.orders)}, {listed(one.samples)})"

    def component(self, one: Component) -> str:
        return f"{identifier(one.tensor)}[{', '.join(one.labels)}]"

    def assign(self, name: str, value: str) -> str:
        return f"{name} = {value}"

    def multiply(self, name: str, value: str) -> str:
        return f"{name} = {name} * {value}"

    def start(self, name: str) -> str:
        return f"{name} = 0"

    def add(self, name: str, value: str) -> str:
        return f"{name} = {name} + {value}"

    def give(self, value: str) -> str:
        return self.add("total", value)

    def each(self, one: Each) -> list[str]:
        before = f"for {listed(one.labels)}, {one.mean} in hits("
        arguments = [one.table, "expectation", *one.samples]
        whole = f"{before}{', '.join(arguments)}):"
        head = [whole] if len(whole) <= ROOM else [before, *(f"{INDENT}{argument}," for argument in arguments), "):"]
        return [*head, *indented(self.lines(one.body))]

    def step(self, one: LoweredStep) -> dict[str, Any]:
        """As for every language; where weights are shared, their sum is averaged before the constants are added."""
        values = super().step(one)
        if not one.step.recursion.shared:
            return values
        terms = list(zip(one.terms, values["terms"], strict=True))
        averaging = {
            "title": [f"{self.words.letters.averaging} on both labels of each pair of the channel"],
            "body": [self.assign("total", f"averaged(total, {listed(map(listed, one.step.pairs))}, maps)")],
        }
        inside = [written for term, written in terms if term.diagrams]
        return {**values, "terms": [*inside, averaging, *(written for term, written in terms if not term.diagrams)]}


def listed(values: Iterable[object]) -> str:
    """A tuple."""
    words = [str(value) for value in values]
    return f"({', '.join(words)}{',' if len(words) == 1 else ''})"


def row(one: SpreadRow) -> str:
    """A row of a placement table."""
    return f"({listed(one.labels)}, {listed(one.orders)}, {one.multiplicity})"
