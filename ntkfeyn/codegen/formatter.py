"""Formatter: lowered statements as lines of code. A language says how each statement and each factor is written.

Enters: what ``lower`` gives. Leaves: lines, and the values that templates take for the head of a file and for a step.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from ntkfeyn.codegen.ir import Power, identifier
from ntkfeyn.codegen.lowering import (
    Add,
    Assign,
    Coefficient,
    Component,
    Each,
    Expectation,
    Factor,
    Lowered,
    LoweredStep,
    Named,
    Return,
    Start,
    Statement,
)
from ntkfeyn.derivation.recursion import Recursion
from ntkfeyn.derivation.rules import GAUSSIAN_COUPLINGS, WIDTH_RATIO
from ntkfeyn.model.tensors import MEAN_KERNEL
from ntkfeyn.render.formulas import averaged_terms, cumulant_text, operator_text, slots_text, term_text
from ntkfeyn.render.notation import TextNotation
from ntkfeyn.render.symbols import TEXT, Symbols
from ntkfeyn.render.templates import provenance
from ntkfeyn.render.wrapping import wrap

INDENT = "    "
ROOM = 72  # of a statement, so that it fits when it is indented


class Formatter(ABC):
    """``comment_width``: of a line of text inside a comment; ``symbols``: the letters of the formulas there."""

    comment_width: int

    def __init__(self, symbols: Symbols) -> None:
        self.notation, self.words = TextNotation(symbols.text), TextNotation(symbols.plain)

    @abstractmethod
    def integer(self, value: int) -> str: ...
    @abstractmethod
    def power(self, power: Power) -> str: ...
    @abstractmethod
    def expectation(self, one: Expectation) -> str: ...
    @abstractmethod
    def component(self, one: Component) -> str: ...
    @abstractmethod
    def assign(self, name: str, value: str) -> str: ...
    @abstractmethod
    def multiply(self, name: str, value: str) -> str: ...
    @abstractmethod
    def start(self, name: str) -> str: ...
    @abstractmethod
    def add(self, name: str, value: str) -> str: ...
    @abstractmethod
    def give(self, value: str) -> str: ...
    @abstractmethod
    def each(self, one: Each) -> list[str]: ...

    def lines(self, statements: Sequence[Statement]) -> list[str]:
        """The statements of one block."""
        return [line for one in statements for line in self._statement(one)]

    def _statement(self, one: Statement) -> list[str]:
        match one:
            case Start():
                return [self.start(one.name)]
            case Each():
                return self.each(one)
            case Assign():
                return self._product(one.name, one.factors)
            case Add():
                *before, value = self._value(one.factors)
                return [*before, self.add(one.name, value)]
            case Return():
                *before, value = self._value(one.factors)
                return [*before, self.give(value)]

    def _value(self, factors: Sequence[Factor]) -> list[str]:
        """An expression, last, after the statements that it needs: a long product is built up in ``term``."""
        whole = " * ".join(map(self._factor, factors))
        return [whole] if len(whole) <= ROOM else [*self._product("term", factors), "term"]

    def _product(self, name: str, factors: Sequence[Factor]) -> list[str]:
        """name = factor * factor * .., in several statements where that is long."""
        first, *rest = map(self._factor, factors)
        parts = [first]
        for factor in rest:
            if len(name) + len(parts[-1]) + len(factor) > ROOM:
                parts.append(factor)
            else:
                parts[-1] += f" * {factor}"
        return [self.assign(name, parts[0]), *(self.multiply(name, part) for part in parts[1:])]

    def _factor(self, factor: Factor) -> str:
        match factor:
            case Named():
                return factor.name
            case Coefficient():
                return self._coefficient(factor)
            case Expectation():
                return self.expectation(factor)
            case Component():
                return self.component(factor)

    def _coefficient(self, one: Coefficient) -> str:
        numerator, denominator = one.value.numerator, one.value.denominator
        factors = [self.power(power) for power in one.powers]
        if numerator != 1 or not factors:
            factors.insert(0, self.integer(numerator))
        return " * ".join(factors) + (f" / {self.integer(denominator)}" if denominator != 1 else "")

    def head(self, code: Lowered) -> dict[str, Any]:
        """The head of an emitted file: provenance, with what was asked for, and operation counts."""
        made, *recursions = provenance([one.step.recursion for one in code.steps])
        asked = ", ".join(map(str, code.program.targets))
        sharing = "" if code.program.shared else "; no tables and no partial sums are shared"
        texts = [made, f"Request: {asked}{sharing}", *recursions]
        return {
            "provenance": [line for text in texts for line in wrap(text, self.comment_width)],
            "operations": f"{code.multiplications} multiplications a component of every tensor"
            f" ({code.without_sums} without partial sums)",
            "layer": self.words.layer,
            "width": self.words.width,
            "width_below": self.words.width_below,
            "width_above": f"{self.words.letters.width}_({self.words.layer}+1)",
            "weights": code.program.weights,
            "averaged": code.program.averaged,
            "averaging": self.words.letters.averaging,
            "names": self.names(),
            "kernel": self.words.letter(MEAN_KERNEL.name),
        }

    def names(self) -> str:
        """What the couplings of formulas are called in the code, where that is something else."""
        letters = {WIDTH_RATIO: self.words.power(WIDTH_RATIO, 1)}
        for name in GAUSSIAN_COUPLINGS:
            if self.notation.power(name, 1) != TEXT.coupling(name):
                letters[name] = self.notation.power(name, 1)
        return ", ".join(f"{letter} = {name}" for name, letter in letters.items())

    def formula(self, recursion: Recursion) -> list[str]:
        """The right-hand side, a product term a text; what operators act on stands between brackets."""
        outside, inside = averaged_terms(recursion)
        terms = [term_text(term, self.notation, leading=i == 0) for i, term in enumerate(inside)]
        if not recursion.shared:
            return terms
        left, right = self.notation.brackets
        constants = [term_text(term, self.notation) for term in outside]
        opened = f"{operator_text(recursion, self.notation)}{self.notation.space}{left}"
        return [*constants, f"+ {opened}" if constants else opened, *terms, right]

    def step(self, one: LoweredStep) -> dict[str, Any]:
        """A step: what its comment says (tensor, legs, channel, formula), and its terms, each with its diagrams."""
        recursion, notation = one.step.recursion, self.notation
        return {
            "key": str(recursion.id),
            "id": identifier(recursion.id),
            "function": one.step.function,
            "tensor": cumulant_text(recursion.cumulant, recursion.order, notation),
            "legs": recursion.cumulant.legs_text(),
            "channel": recursion.cumulant.channel_text() + slots_text(recursion.cumulant, notation),
            "formula": [line for text in self.formula(recursion) for line in wrap(text, self.comment_width)],
            "slots": one.step.slots,
            "couplings": one.step.couplings,
            "tensors": [(identifier(tensor), str(tensor)) for tensor in one.step.tensors],
            "terms": [
                {
                    "title": wrap(", ".join(term.diagrams) or "constant of the biases", self.comment_width),
                    "body": self.lines(term.statements),
                    "slots": [(name, place) for place, name in enumerate(one.step.slots) if name in term.samples],
                    "tensors": [identifier(tensor) for tensor in term.tensors],
                }
                for term in one.terms
            ],
        }


def indented(lines: Sequence[str]) -> list[str]:
    """One level deeper."""
    return [INDENT + line for line in lines]
