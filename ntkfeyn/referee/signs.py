"""Signs of a formula: tensors, activations, couplings, widths, Omega, fluctuations, with their scripts.

A part of the parser.
"""

from __future__ import annotations

from collections.abc import Sequence

from ntkfeyn.derivation.rules import COUPLINGS
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.model.cumulants import standard
from ntkfeyn.referee import scripts as script
from ntkfeyn.referee.expressions import (
    Activation,
    Coupling,
    Fluctuation,
    Inverse,
    Node,
    Omega,
    Over,
    Power,
    Preactivation,
    Sum,
    Tensor,
    Times,
    Width,
    averaged,
)
from ntkfeyn.referee.letters import unfont
from ntkfeyn.referee.means import NAMED_MEANS
from ntkfeyn.referee.operators import Operators
from ntkfeyn.referee.reading import AVERAGING
from ntkfeyn.referee.scripts import Scripts
from ntkfeyn.referee.tokens import Token, bare, digits

KNOWN = "couplings, widths, sums, tensors, and means of activations are read; other letters need --notation"
COUPLING_NAMES = frozenset(coupling.name for coupling in COUPLINGS)
PRODUCT = "G"  # of two activations, inside a mean
DELTAS = (r"\Delta", r"\varDelta")


class Signs(Operators):
    """Letters with indices."""

    def sign(self, close: str) -> Node:
        """The sign that comes next. Refuses what is none."""
        at, text = self.i, self.peek_base()
        if self.averages():
            pairs = self.operators()
            return averaged(pairs, self._operand(close))
        if text.startswith(r"\ntk@"):
            return self._emitted()
        if text in (r"\partial", self.words.derivative):
            return self.partial(close)
        if text in NAMED_MEANS and text not in self.words.tensors:
            return self._powered(self.named_mean(), self._above(self.scripts()).rest, at)
        if text in DELTAS:
            self.base()
            return Fluctuation(self.factor_of_fluctuation())
        if text in (r"\dot", r"\ddot"):
            return self._dotted()
        if not text or not (text.isalnum() or text[0] == "\\"):
            self.refuse(f"'{self.text}' is not understood here", KNOWN, at)
        self.base()
        if text == self.words.activation and not self._names_coupling(text):
            return self._activation(at, 0)
        if text == self.words.preactivation:
            found = self.scripts()
            above = self._above(found)
            return self._powered(Preactivation(*self.one_label(found.below)), above.rest, at)
        if text == self.words.omega:
            return self._omega(at)
        return self._letter(text, at)

    def _names_coupling(self, text: str) -> bool:
        """Whether the index that follows makes a sign a coupling: \\sigma_w beside \\sigma."""
        at = self.i
        index = unfont(list(self.scripts().below))
        self.i = at
        return (text, index) in self.words.couplings

    def _letter(self, text: str, at: int) -> Node:
        """A coupling, a width, a tensor."""
        found = self.scripts()
        index = unfont(list(found.below))
        name = self.words.couplings.get((text, index))
        if name is not None:
            return self._coupling(name, self._above(found).rest, at)
        if text == self.words.width:
            return self._width(found, index, at)
        if text in self.words.tensors:
            return self._tensor(text, found, at)
        if text == PRODUCT:
            return self._pair(found, at)
        if text == r"\delta":
            self.refuse("a Kronecker delta stands here", "recursions of one channel have none", at)
        if text in (r"\leftrightarrow", "perm", "perms", "permutations", r"\ldots", r"\dots", r"\cdots", r"\pm"):
            self.refuse(f"'{text}' stands for terms that are not written", "write the terms out", at)
        self.refuse(f"the sign '{text}' is not known", KNOWN, at)

    def _coupling(self, name: str, rest: Sequence[Token], at: int) -> Node:
        """With its power; one whose letter is a square, \\sigma_w^2, counts in squares."""
        own = self.words.powers[name]
        node = self._powered(coupling(name), rest, at)
        if own == 1:
            return node
        power = node.exponent if isinstance(node, Power) else 1
        if power % own:
            self.refuse(f"the power {power} of a letter that is written to the power {own}", f"a multiple of {own}", at)
        return Power(coupling(name), power // own)

    def factor_of_fluctuation(self) -> Node:
        """What \\Delta stands in front of: a product of two activations, Omega, or a bracket."""
        if self.peek_base() == PRODUCT:
            at = self.i
            self.base()
            return self._pair(self.scripts(), at)
        if self.text == "{" and self.tokens[self.i + 1 : self.i + 2]:
            inner = self.inside(self.argument())
            return inner.factor_of_fluctuation()  # type: ignore[attr-defined, no-any-return]
        return self.factor()

    def _pair(self, found: Scripts, at: int) -> Node:
        a, b = self._two(found, at, PRODUCT)
        return Times((Activation(a, 0), Activation(b, 0)))

    def operators(self) -> list[tuple[str, str]]:
        """The pairs of labels of the averaging operators that come next."""
        pairs = []
        while self.averages():
            at, text = self.i, self.base()
            found = Scripts(self.argument()) if text == AVERAGING else self.scripts()
            above = self._above(found)
            if above.rest or above.derivative or above.correction:
                self.refuse("something stands above an averaging operator", "two labels below it alone", at)
            pairs.append(self._two(found, at, "the averaging operator"))
        return pairs

    def _two(self, found: Scripts, at: int, sign: str) -> tuple[str, str]:
        names = script.labels(found.below, self.source, 2)
        if len(names) != 2:
            self.refuse(f"{sign} has {len(names)} labels", "two were expected", at)
        return names[0], names[1]

    def _above(self, found: Scripts) -> script.Above:
        return script.split_above(found, self.words.symbols.latex.layer, self.source)

    def _powered(self, node: Node, rest: Sequence[Token], at: int) -> Node:
        if not rest:
            return node
        power = self.exponent(rest)
        if power is None:
            self.refuse(f"'{unfont(list(rest))}' above a sign", "a power such as 2 was expected", at)
        return Power(node, power)

    def _omega(self, at: int) -> Node:
        found = self.scripts()
        return self._powered(Omega(self._two(found, at, self.words.omega)), self._above(found).rest, at)

    def _width(self, found: Scripts, index: str, at: int) -> Node:
        letter = self.words.symbols.latex.layer
        level = script.layer_of(index, letter)
        if level is None or level - self.layer not in (0, -1):
            known = (letter, f"{letter}-1") if self.layer == 0 else (f"{letter}-1", f"{letter}-2")
            self.refuse(f"the width {self.words.width}_{{{index}}}", f"those of {' and '.join(known)} are read", at)
        return self._powered(Width(level < self.layer), found.above, at)

    def _activation(self, at: int, order: int) -> Node:
        """With primes or (m), an index or an argument."""
        found = self.scripts()
        above = self._above(found)
        if not found.below and self.text == "(":
            self.take()
            if self.base() != self.words.preactivation:
                self.refuse("the argument of an activation", f"{self.words.preactivation} with its label", at)
            argument = self.scripts()
            if self.text != ")":
                self.refuse("the argument of an activation", f"{self.words.preactivation} with its label alone", at)
            self.take()
            found = found._replace(below=argument.below)
        [label] = self.one_label(found.below)
        return self._powered(Activation(label, order + above.derivative), above.rest, at)

    def _dotted(self) -> Node:
        """\\dot\\sigma is the first derivative."""
        at = self.i
        order = 1 if self.take().text == r"\dot" else 2
        inner = unfont(list(self.argument()))
        if inner != self.words.activation:
            self.refuse(f"a dot over '{inner}'", f"over {self.words.activation} it is a derivative", at)
        return self._activation(at, order)

    def _tensor(self, text: str, found: Scripts, at: int) -> Node:
        """A tensor of layer l, or an element of the inverse kernel: labels above."""
        name, above = self.words.tensors[text], self._above(found)
        shape = standard(name)
        if above.layer not in (self.layer, None):
            letter = self.words.symbols.latex.layer
            known, found_at = (script.layer_text(letter, level) for level in (self.layer, above.layer))
            self.refuse(f"{text} of layer {found_at}", f"on the right of this recursion all is of layer {known}", at)
        power = self.exponent(above.rest)
        if name == "K" and power == -1:
            return Inverse(self._two(found, at, f"the inverse of {text}"))
        if above.rest and (power is None or (name == "K" and len(above.rest) == 2)):
            raised = script.labels(above.rest, self.source)
            if name == "K" and len(raised) == 2:
                return Inverse((raised[0], raised[1]))
            if len(raised) == len(shape.index) and self._layer_alone(found.below):
                return _lowered(Tensor(name, shape.leading_order + above.correction, raised), at)
        names = script.labels(found.below, self.source, len(shape.index))
        if len(names) != len(shape.index):
            self.refuse(f"{text} has {len(names)} labels", f"{len(shape.index)} were expected", at)
        if found.primes or above.derivative:
            self.refuse(f"a derivative of {text}", "derivatives act inside of means", at)
        order = shape.leading_order + above.correction
        return self._powered(Tensor(name, order, names), above.rest, at)

    def _layer_alone(self, below: Sequence[Token]) -> bool:
        """Whether nothing stands below but the layer, V_{(l)}^{..}."""
        index = unfont([token for token in below if token.text not in ("(", ")")])
        return not index or script.layer_of(index, self.words.symbols.latex.layer) == self.layer

    def inverse_kernel(self) -> Node | None:
        """(K^{-1})_{12}, (K^{-1})^{12} or (K)^{-1}_{12}; None, and nothing read, where another bracket opens."""
        at = self.i
        inner = self.inside(self.enclosed(at))
        text = inner.base() if inner.text else ""
        inside = inner.scripts()
        outside = self.scripts()
        powers = [self.exponent(self._above(inside).rest)] if self.words.tensors.get(text) == "K" else []
        if powers and not inner.text and self._layer_alone(inside.below):
            above = self._above(outside)
            if powers == [-1] and len(above.rest) > 1 and not outside.below:
                return Inverse(self._two(Scripts(above.rest), at, f"the inverse of {text}"))
            if outside.below and [*powers, self.exponent(above.rest)].count(-1) == 1:
                return Inverse(self._two(outside, at, f"the inverse of {text}"))
        self.i = at
        return None

    # --- private commands of appendices that were emitted ---

    def _emitted(self) -> Node:
        at, command = self.i, self.take().text
        if command == r"\ntk@activation":
            order, label = self._whole_number(), bare(self.argument())
            return Activation(label, order)
        if command == r"\ntk@omega":
            return Omega(self._two(Scripts(self.argument()), at, "Omega"))
        if command == r"\ntk@coupling":
            name = bare(self.argument())
            if name not in COUPLING_NAMES:
                self.refuse(f"there is no coupling {name[:40]}", KNOWN, at)
            return Power(coupling(name), self._whole_number())
        if command == r"\ntk@tensor":
            return self.emitted_tensor(at)
        self.refuse(f"'{command}' is not understood here", KNOWN, at)

    def _whole_number(self) -> int:
        at = self.i
        text = bare(self.argument())
        if not (digits(text) and len(text) <= 2):
            self.refuse(f"'{text[:40]}' stands here", "a whole number was expected", at)
        return int(text)

    def emitted_tensor(self, at: int) -> Tensor:
        name, correction, labels = bare(self.argument()), self._whole_number(), self.argument()
        try:
            shape = standard(name)
        except NtkfeynError:
            self.refuse(f"there is no tensor {name}", "an appendix that was emitted names its tensors", at)
        names = script.labels(labels, self.source)
        if len(names) != len(shape.index):
            self.refuse(f"{name} has {len(names)} labels", f"{len(shape.index)} were expected", at)
        return Tensor(shape.name, shape.leading_order + correction, names)


def _lowered(raised: Tensor, at: int) -> Node:
    """A tensor whose labels are raised with the inverse kernel, V^{12,34}, by the one whose labels are not."""
    own = tuple(f"\\ntk@raised{at}.{i}" for i in range(len(raised.labels)))
    metrics = (Inverse(pair) for pair in zip(raised.labels, own, strict=True))
    return Sum(own, None, Times((raised._replace(labels=own), *metrics)))


def coupling(name: str) -> Node:
    """The ratio of widths is one of two widths."""
    return Over(Width(False), Width(True)) if name == "width_ratio" else Coupling(name)
