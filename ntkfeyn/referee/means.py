"""Means over the Gaussian of one layer: brackets, E[..], and connected ones: <f; g>, <f, g>_c, Cov, Var.

A part of the parser.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ntkfeyn.referee.expressions import Fluctuation, Mean, Node, Power, Times
from ntkfeyn.referee.letters import unfont
from ntkfeyn.referee.reading import Reading
from ntkfeyn.referee.scripts import layer_of, layer_text
from ntkfeyn.referee.tokens import Token

PAIRS = {"(": ")", "[": "]", "{": "}", r"\{": r"\}", r"\lbrack": r"\rbrack", r"\langle": r"\rangle"}
CONNECTED = ("c", "C", "con", "conn", "connected")  # below a bracket
EXPECTATIONS = ("E", r"\E")
COVARIANCES = ("Cov", r"\Cov", "cov")
VARIANCES = ("Var", r"\Var", "var")
NAMED_MEANS = (*EXPECTATIONS, *COVARIANCES, *VARIANCES)
MOST_PARTS = 3  # of a connected mean: that of four is not the mean of four fluctuations


class Means(Reading):
    """Brackets and what stands between them."""

    def mean(self) -> Node:
        """What stands between the brackets, to the power that stands above; other scripts name the kernel."""
        at = self.i
        left, right = self.bracket_pair()
        self.i += len(left)
        start, depth = self.i, 1
        while depth:
            if self.i >= len(self.tokens):
                self.refuse("this bracket is not closed", f"{''.join(right)} was expected", at)
            if self.comes(right):
                depth -= 1
                self.i += len(right) if depth else 0
            elif self.comes(left):
                depth += 1
                self.i += len(left)
            else:
                self.i += 1
        inner = self.tokens[start : self.i]
        self.i += len(right)
        kernel, power = self.kernel()
        node = self._of_parts(inner, at, kernel in CONNECTED)
        return node if power is None else Power(node, power)

    def named_mean(self) -> Node:
        """E[..], Cov(.., ..), Var(..)"""
        at, name = self.i, self.base()
        if self.kernel()[1] is not None:
            self.refuse(f"a power of {name} before its bracket", f"the power behind it, as in {name}[..]^2", at)
        left = self.text
        if left not in PAIRS:
            self.refuse(f"{name} without a bracket", f"{name}[..] was expected", at)
        inner = self.enclosed(at)
        if name in VARIANCES:
            part = Fluctuation(self.inside(inner).whole())
            return Mean(Times((part, part)))
        return self._of_parts(inner, at, name in COVARIANCES)

    def enclosed(self, at: int) -> tuple[Token, ...]:
        """The tokens in a bracket that opens here; ``at`` is where to say that it is not closed."""
        left = self.take().text
        start, depth = self.i, 1
        while depth:
            if self.i >= len(self.tokens):
                self.refuse("this bracket is not closed", f"{PAIRS[left]} was expected", at)
            depth += {left: 1, PAIRS[left]: -1}.get(self.take().text, 0)
        return self.tokens[start : self.i - 1]

    def _of_parts(self, tokens: Sequence[Token], at: int, connected: bool) -> Node:
        """A mean; of parts between semicolons, or between commas where a connected one is meant, that."""
        if not tokens:
            self.refuse("nothing stands in this mean", "a product of activations was expected", at)
        parts = _split(tokens, ";")
        connected = connected or len(parts) > 1
        parts = parts if len(parts) > 1 else _split(tokens, ",")
        if len(parts) == 1 and not connected:
            return Mean(self.inside(parts[0]).whole())
        if not (connected and 2 <= len(parts) <= MOST_PARTS):
            found = "a comma in a mean" if not connected else f"a connected mean of {len(parts)} parts"
            self.refuse(found, "a product, or 2 or 3 parts as in \\langle f; g\\rangle or \\langle f, g\\rangle_c", at)
        return Mean(Times(tuple(Fluctuation(self.inside(part).whole()) for part in parts)))

    def kernel(self) -> tuple[str, int | None]:
        """What stands at a bracket, and the power above it. Refuses a kernel of another layer."""
        found, power = "", None
        while self.text in ("_", "^"):
            above, at = self.take().text == "^", self.i
            tokens = self.argument()
            text = unfont(list(tokens))
            if above and self.exponent(tokens) is not None:
                if power is not None:
                    self.refuse("two powers of one mean", "one was expected", at)
                power = self.exponent(tokens)
                continue
            letter = self.words.symbols.latex.layer
            for inside in re.findall(r"\(([^()]*)\)", text):
                if layer_of(inside, letter) not in (self.layer, None):
                    wanted = layer_text(letter, self.layer)
                    self.refuse(
                        f"a mean at layer {inside}", f"on the right of this recursion all is of layer {wanted}", at
                    )
            found += text
        return found, power


def _split(tokens: Sequence[Token], mark: str) -> list[Sequence[Token]]:
    """Between marks outside of all brackets."""
    depth, start = 0, 0
    parts: list[Sequence[Token]] = []
    for i, token in enumerate(tokens):
        depth += (token.text in PAIRS) - (token.text in PAIRS.values())
        if token.text == mark and depth == 0:
            parts.append(tokens[start:i])
            start = i + 1
    return [*parts, tokens[start:]]
