"""Operators of a formula: derivatives and sums, in the ways in which they are written.

A part of the parser. Derivatives act on the bracket behind them, or else on all that follows in their product.
"""

from __future__ import annotations

from collections.abc import Sequence

from ntkfeyn.referee import scripts as script
from ntkfeyn.referee.expressions import Derivative, Node
from ntkfeyn.referee.letters import FONTS, unfont
from ntkfeyn.referee.reading import Reading
from ntkfeyn.referee.tokens import Token, bare, digits

DIFFERENTIALS = ("d", r"\partial", r"\dd")
DOTS = (r"\ldots", r"\dots", r"\cdots", r"\dotsc")
MEMBERS = (r"\in", r"\ni")
MAX_SUMMED = 16


class Operators(Reading):
    """Sums, d/dz and \\partial."""

    def derives(self, above: Sequence[Token], below: Sequence[Token]) -> bool:
        """Whether a fraction is a derivative by z."""
        texts = [self._first(part) for part in (above, below)]
        known = (*DIFFERENTIALS, self.words.derivative)
        return all(text in known for text in texts) and self.words.preactivation in unfont(list(below))

    def _first(self, tokens: Sequence[Token]) -> str:
        return next((t.text for t in tokens if t.text not in FONTS and t.text not in "{}"), "")

    def leibniz(self, above: Sequence[Token], below: Sequence[Token], start: int, close: str) -> Node:
        """d^k f / dz dz .., or the operator in front of what it acts on."""
        head = self.inside(above)
        head.base()
        stated = head.scripts()
        names = self._variables(below)
        count = 1 if not stated.above else self.exponent(stated.above)
        if count != len(names) or stated.below:
            written = unfont(list(stated.above)) or "1"
            self.refuse(f"a derivative of order {written} by {len(names)} variables", "as many as its order", start)
        if head.text:
            return Derivative(names, head.whole())
        return Derivative(names, self._operand(close))

    def _variables(self, below: Sequence[Token]) -> tuple[str, ...]:
        """The labels of dz_1 dz_2^2 .."""
        reader = self.inside(below)
        names: list[str] = []
        while reader.text:
            if reader.base() not in (*DIFFERENTIALS, self.words.derivative):
                reader.refuse("this is no differential", "dz with the label of a sample was expected", reader.i - 1)
            if reader.peek_base() != self.words.preactivation:
                reader.refuse(f"d{reader.text} is not understood", f"d{self.words.preactivation} was expected")
            reader.base()
            found = reader.scripts()
            above = script.split_above(found, self.words.symbols.latex.layer, self.source)
            power = self.exponent(above.rest) if above.rest else 1
            names += list(self.one_label(found.below)) * (power or 1)
        return tuple(names)

    def one_label(self, tokens: Sequence[Token]) -> tuple[str, ...]:
        """The label of a sample, a neuron in front of it left out."""
        found = script.labels(list(tokens), self.source)
        if not 1 <= len(found) <= 2:
            self.refuse(f"{len(found)} labels stand at a sign that has one", "the label of a sample was expected")
        return found[-1:]

    def partial(self, close: str) -> Node:
        """\\partial_{b_1}\\partial_{b_2}(..)"""
        names: list[str] = []
        while self.peek_base() == self.words.derivative or self.text == r"\partial":
            at = self.i
            self.base()
            found = self.scripts()
            below = [token for token in found.below if token.text != self.words.preactivation]
            below = below[1:] if below and below[0].text == "_" else below
            listed = script.labels(below, self.source)
            power = self.exponent(found.above) if found.above else len(listed)
            if not listed or (power != len(listed) and len(listed) != 1):
                self.refuse("this derivative names no sample", "\\partial_{b}, \\partial_{\\beta_1}, ..", at)
            names += listed if power == len(listed) else list(listed) * (power or 1)
        return Derivative(tuple(names), self._operand(close))

    def _operand(self, close: str) -> Node:
        if self.text in ("(", "[", r"\{", "{"):
            return self.group()
        return self.product(close)

    # --- sums ---

    def summation(self) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
        """The labels that a sum binds, and what they run over (None: all samples)."""
        at = self.i
        if self.take().text == r"\ntk@sum":
            bound, over = bare(self.argument()).split(","), bare(self.argument()).split(",")
            return tuple("b_" + name for name in bound), self._known(over, at)
        found = self.scripts()
        below = list(found.below)
        split = next((i for i, token in enumerate(below) if token.text in (*MEMBERS, "=")), len(below))
        names = self._range(below[:split])
        if not names or len(names) > MAX_SUMMED:
            self.refuse("this sum names no labels", "\\sum_{\\beta\\in\\{1,2\\}} was expected", at)
        if split == len(below):
            return names, None
        inside = [token for token in below[split + 1 :] if token.text not in (r"\{", r"\}", "(", ")")]
        if below[split].text == "=":
            return names, self._numbers(unfont(inside), unfont(list(found.above)), at)
        first = self._first(inside)
        if len(inside) <= 4 and first.isupper():  # a set that has a name: all samples
            return names, None
        return names, self._known(self._range(inside), at)

    def _known(self, domain: Sequence[str], at: int) -> tuple[str, ...]:
        """What a sum runs over: labels of the left-hand side."""
        for label in domain:
            if label not in self.samples:
                names = ", ".join(self.samples)
                self.refuse(f"the sum runs over {label[:40]}", f"labels of the left-hand side are {names}", at)
        return tuple(domain)

    def _range(self, tokens: Sequence[Token]) -> tuple[str, ...]:
        """Labels between commas; \\beta_1, .., \\beta_4 written out."""
        parts: list[list[Token]] = [[]]
        depth = 0
        for token in tokens:
            depth += {"{": 1, "}": -1}.get(token.text, 0)
            if token.text == "," and depth == 0:
                parts.append([])
            else:
                parts[-1].append(token)
        names: list[str] = []
        dotted = False
        for part in filter(None, parts):
            if part[0].text in DOTS or all(token.text == "." for token in part):
                dotted = True
                continue
            found = script.labels([*part], self.source)
            if dotted:
                names += self._between(names[-1] if names else "", found[0] if found else "", part[0])
            numbers = all(digits(name) for name in found)
            names += ["".join(found)] if numbers and len(parts) > 1 else list(found)
            dotted = False
        return tuple(names)

    def _between(self, first: str, last: str, token: Token) -> list[str]:
        """What dots stand for."""
        stem, _, low = first.rpartition("_")
        other, _, high = last.rpartition("_")
        if stem != other or not (digits(low) and digits(high)) or int(high) - int(low) > MAX_SUMMED:
            self.source.refuse(
                token.offset, f"the dots from {first} to {last} are not understood", "write the labels out"
            )
        return [f"{stem}_{k}" if stem else str(k) for k in range(int(low) + 1, int(high))]

    def _numbers(self, low: str, high: str, at: int) -> tuple[str, ...]:
        """\\sum_{a=1}^4"""
        if not (digits(low) and digits(high)) or not 0 <= int(high) - int(low) < MAX_SUMMED:
            self.refuse(f"a sum from {low} to {high or 'nothing'}", "numbers of samples were expected", at)
        names = tuple(str(k) for k in range(int(low), int(high) + 1))
        return self._known(names, at)
