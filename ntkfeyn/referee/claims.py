"""Claims: which tensor an equation says something about, read off its left-hand side.

Enters: an equation. Leaves: ``Claim``, or ``Skipped`` for an equation that is no recursion.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from ntkfeyn.errors import RequestError
from ntkfeyn.model.cumulants import Cumulant, standard
from ntkfeyn.model.ensembles import GAUSSIAN
from ntkfeyn.model.targets import Target
from ntkfeyn.referee import scripts as script
from ntkfeyn.referee.documents import Equation
from ntkfeyn.referee.expressions import Coupling, Node, Number, Over, Power, Times, Width
from ntkfeyn.referee.letters import Vocabulary
from ntkfeyn.referee.levels import HERE, Level
from ntkfeyn.referee.parser import Parser
from ntkfeyn.referee.source import Source
from ntkfeyn.referee.tokens import Token, bare, digits

MEANS = (r"\mathbbE", r"\mathbb{E}", r"\E", "Cov", "Var", r"\operatornameE", r"\mathrmE")


class Claim(NamedTuple):
    """``shape`` (the representative) at ``order``, with labels in index order; ``scale`` stands in front of it."""

    shape: Cumulant
    order: int
    labels: tuple[str, ...]
    scale: Node
    scale_text: str
    equation: Equation
    layer: int = 0  # of what stands on the right: that of the letter of layers, or -1 below it
    weights: str = GAUSSIAN  # the ensemble that it is to hold for
    shared: bool = False  # whether the weights are shared over labels
    level: Level = HERE  # of what stands on the right in code

    @property
    def samples(self) -> dict[str, int]:
        """Each label's sample: that of the first slot that has it, numbered from 0."""
        return {label: i for i, label in enumerate(dict.fromkeys(self.labels))}

    @property
    def by_slot(self) -> dict[int, int]:
        """The sample of each slot label of the representative."""
        samples, listed = self.samples, self.shape.labels
        return {listed[v]: samples[label] for v, label in zip(self.shape.index, self.labels, strict=True)}


class Skipped(NamedTuple):
    """An equation that is not judged; ``tensor`` is what stands on its left, if it is one of ours."""

    offset: int
    tensor: str
    reason: str


NO_TENSOR = "no tensor stands alone on the left"


def claim(equation: Equation, words: Vocabulary, source: Source, target: Target | None = None) -> Claim | Skipped:
    """What an equation claims, or why it is no recursion of a tensor (of ``target``, where that is given)."""
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
                break
    except RequestError:
        pass
    return Skipped(equation.offset, "", NO_TENSOR)


def has_mean(tokens: Sequence[Token], words: Vocabulary) -> bool:
    """Whether a side has a mean, or Omega, which holds for one."""
    brackets = {words.left[0], r"\langle", r"\ntk@mean", words.omega, r"\Omega", r"\ntk@omega"}
    if any(token.text in brackets for token in tokens):
        return True
    text = bare(tokens)
    return any(word in text for word in MEANS)


def _foreign(reader: Parser, words: Vocabulary) -> bool:
    """Whether a sign comes that has no meaning yet, with an index: with a target it is that tensor."""
    at, base = reader.i, reader.base()
    found = reader.scripts()
    reader.i = at
    known = base in (words.activation, words.preactivation, words.omega, words.width) or digits(base)
    coupling = any(base == sign for sign, _ in words.couplings)
    return bool(found.below) and not known and not coupling and (base.isalnum() or base[1:].isalpha())


def _tensor(name: str, scale: list[Node], equation: Equation, reader: Parser, target: Target | None) -> Claim | Skipped:
    before = " ".join(token.text for token in reader.tokens[: reader.i])
    reader.base()
    found = reader.scripts()
    letter, source = reader.words.symbols.latex.layer, reader.source
    above = script.split_above(found, letter, source)
    shape = standard(name)
    labels = script.labels(found.below, source, len(shape.index))
    reason = ""
    if len(labels) != len(shape.index):
        reason = f"it has {len(labels)} labels, not {len(shape.index)}"
    elif above.rest or above.derivative:
        reason = f"'{bare(above.rest) or 'a prime'}' stands above it"
    elif above.layer == 0 and f"({letter}-1)" not in bare(equation.right):
        reason = f"it is of layer {letter}, and nothing of layer {letter}-1 stands on the right"
    elif above.layer not in (1, 0, None):
        reason = f"a recursion gives layer {letter}+1, or layer {letter} from {letter}-1"
    if reason:
        return Skipped(equation.offset, name, reason)
    order = shape.leading_order + above.correction
    return _claim(name, order, labels, scale, before, equation, reader, target, 0 if above.layer != 0 else -1)


def _claim(
    name: str,
    order: int,
    labels: tuple[str, ...],
    scale: list[Node],
    before: str,
    equation: Equation,
    reader: Parser,
    target: Target | None,
    layer: int = 0,
) -> Claim | Skipped:
    if reader.text == "/":  # F / n
        before += r"\frac{1}{" + " ".join(token.text for token in reader.tokens[reader.i + 1 :]) + "}"
        reader.take()
        scale.append(Over(Number(Fraction(1)), reader.factor()))
    if reader.text or not all(map(scalar, scale)):
        return Skipped(equation.offset, name, "it does not stand alone on the left")
    if not has_mean(equation.right, reader.words):
        return Skipped(equation.offset, name, "no mean stands on the right: a definition, or a value")
    if target is not None:
        if target.shape.name != name:
            return Skipped(equation.offset, name, f"{target.shape.name} was asked for")
        order = target.order
    return Claim(standard(name), order, labels, Times((Number(Fraction(1)), *scale)), before, equation, layer)


def scalar(node: Node) -> bool:
    """Whether only numbers, couplings and widths stand there."""
    if isinstance(node, Times):
        return all(map(scalar, node.parts))
    if isinstance(node, Over):
        return scalar(node.above) and scalar(node.below)
    return scalar(node.base) if isinstance(node, Power) else isinstance(node, Number | Coupling | Width)
