"""Claims: which tensor an equation says something about, read off its left-hand side.

Enters: an equation. Leaves: ``Claim``, or nothing for an equation that is no recursion.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from ntkfeyn.errors import RequestError
from ntkfeyn.model.cumulants import Cumulant, standard
from ntkfeyn.model.targets import Target
from ntkfeyn.referee import scripts as script
from ntkfeyn.referee.documents import Equation
from ntkfeyn.referee.expressions import Coupling, Node, Number, Over, Power, Times, Width
from ntkfeyn.referee.letters import Vocabulary
from ntkfeyn.referee.parser import Parser
from ntkfeyn.referee.source import Source
from ntkfeyn.referee.tokens import digits


class Claim(NamedTuple):
    """``shape`` (the representative) at ``order``, with labels in index order; ``scale`` stands in front of it."""

    shape: Cumulant
    order: int
    labels: tuple[str, ...]
    scale: Node
    scale_text: str
    equation: Equation

    @property
    def samples(self) -> dict[str, int]:
        """Each label's sample: that of the first slot that has it, numbered from 0."""
        return {label: i for i, label in enumerate(dict.fromkeys(self.labels))}

    @property
    def by_slot(self) -> dict[int, int]:
        """The sample of each slot label of the representative."""
        samples, listed = self.samples, self.shape.labels
        return {listed[v]: samples[label] for v, label in zip(self.shape.index, self.labels, strict=True)}


def claim(equation: Equation, words: Vocabulary, source: Source, target: Target | None = None) -> Claim | None:
    """What an equation claims; None if it is no recursion of a tensor (of ``target``, where that is given)."""
    brackets = {words.left[0], r"\langle", r"\ntk@mean", words.omega, r"\Omega", r"\ntk@omega"}
    if not any(token.text in brackets for token in equation.right):
        return None
    reader = Parser(equation.left, words, source, ())
    scale: list[Node] = []
    try:
        while reader.text:
            if reader.text == r"\ntk@next":
                reader.take()
                found = reader.emitted_tensor(0)
                return _claim(found.name, found.order, found.labels, scale, "", equation, reader, target)
            base = reader.peek_base()
            name = words.tensors.get(base)
            if name is None and target is not None and _foreign(reader, words):
                name = target.shape.name
            if name is not None:
                return _tensor(name, scale, equation, reader, target)
            scale.append(reader.factor())
            if not scalar(scale[-1]):
                return None
    except RequestError:
        return None
    return None


def _foreign(reader: Parser, words: Vocabulary) -> bool:
    """Whether a sign comes that has no meaning yet, with an index: with a target it is that tensor."""
    at, base = reader.i, reader.base()
    found = reader.scripts()
    reader.i = at
    known = base in (words.activation, words.preactivation, words.omega, words.width) or digits(base)
    coupling = any(base == sign for sign, _ in words.couplings)
    return bool(found.below) and not known and not coupling and (base.isalnum() or base[1:].isalpha())


def _tensor(name: str, scale: list[Node], equation: Equation, reader: Parser, target: Target | None) -> Claim | None:
    before = " ".join(token.text for token in reader.tokens[: reader.i])
    reader.base()
    found = reader.scripts()
    above = script.split_above(found, reader.words.symbols.latex.layer, reader.source)
    shape = standard(name)
    labels = script.labels(found.below, reader.source, len(shape.index))
    if above.layer not in (1, None) or above.rest or len(labels) != len(shape.index):
        return None
    return _claim(name, shape.leading_order + above.correction, labels, scale, before, equation, reader, target)


def _claim(
    name: str,
    order: int,
    labels: tuple[str, ...],
    scale: list[Node],
    before: str,
    equation: Equation,
    reader: Parser,
    target: Target | None,
) -> Claim | None:
    if reader.text == "/":  # F / n
        before += r"\frac{1}{" + " ".join(token.text for token in reader.tokens[reader.i + 1 :]) + "}"
        reader.take()
        scale.append(Over(Number(Fraction(1)), reader.factor()))
    if reader.text or not all(map(scalar, scale)):
        return None
    if target is not None:
        if target.shape.name != name:
            return None
        order = target.order
    return Claim(standard(name), order, labels, Times((Number(Fraction(1)), *scale)), before, equation)


def scalar(node: Node) -> bool:
    """Whether only numbers, couplings and widths stand there."""
    if isinstance(node, Times):
        return all(map(scalar, node.parts))
    if isinstance(node, Over):
        return scalar(node.above) and scalar(node.below)
    return scalar(node.base) if isinstance(node, Power) else isinstance(node, Number | Coupling | Width)
