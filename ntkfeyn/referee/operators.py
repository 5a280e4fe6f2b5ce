"""Operators of a formula: derivatives and sums, in the ways in which they are written.

A part of the parser. Derivatives act on the bracket behind them, or else on all that follows in their product.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ntkfeyn.referee import scripts as script
from ntkfeyn.referee.expressions import Derivative, Node
from ntkfeyn.referee.letters import FONTS, unfont
from ntkfeyn.referee.means import Means
from ntkfeyn.referee.tokens import Token, bare, digits

DIFFERENTIALS = ("d", r"\partial", r"\dd")
DOTS = (r"\ldots", r"\dots", r"\cdots", r"\dotsc")
MEMBERS = (r"\in", r"\ni")
MAX_SUMMED = 16


class Range(NamedTuple):
    """Labels that a sum binds and what they run over; without a domain over all samples."""

    names: tuple[str, ...]
    domain: tuple[str, ...] | None


class Operators(Means):
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

    def summation(self) -> list[Range]:
        """The labels that a sum binds, and what they run over."""
        at = self.i
        if self.take().text == r"\ntk@sum":
            bound, over = bare(self.argument()).split(","), bare(self.argument()).split(",")
            return [Range(tuple("b_" + name for name in bound), self._known(over, at))]
        found = self.scripts()
        ranges = [self._bound_by(row, found.above, at) for row in self._conditions(found.below)]
        names = [name for one in ranges for name in one.names]
        if not names or len(names) > MAX_SUMMED or len(set(names)) < len(names):
            self.refuse(
                "this sum names no labels, or one twice, or too many", "\\sum_{\\beta\\in\\{1,2\\}} was expected", at
            )
        return ranges

    def _conditions(self, below: Sequence[Token]) -> list[list[Token]]:
        """The rows of \\substack, and what stands between commas where each part has a domain of its own."""
        tokens = list(below)
        if tokens and tokens[0].text == r"\substack":
            tokens = tokens[2:-1] if len(tokens) > 2 and tokens[1].text == "{" else tokens[1:]
        rows: list[list[Token]] = [[]]
        depth, last = 0, 0  # ``last``: where the last comma stands in the row
        for token in tokens:
            depth += (token.text in ("{", r"\{", "(")) - (token.text in ("}", r"\}", ")"))
            if token.text == r"\\":
                rows.append([])
                last = 0
                continue
            if token.text in (*MEMBERS, "=") and any(one.text in (*MEMBERS, "=") for one in rows[-1]) and last:
                rows[-1:] = [rows[-1][: last - 1], rows[-1][last:]]
                last = 0
            rows[-1].append(token)
            last = len(rows[-1]) if token.text == "," and depth == 0 else last
        return [row for row in rows if row]

    def _bound_by(self, below: Sequence[Token], above: Sequence[Token], at: int) -> Range:
        split = next((i for i, token in enumerate(below) if token.text in (*MEMBERS, "=")), len(below))
        names = self._range(below[:split])
        if split == len(below):
            return Range(names, None)
        inside = [token for token in below[split + 1 :] if token.text not in (r"\{", r"\}", "(", ")")]
        if below[split].text == "=":
            return Range(names, self._numbers(unfont(inside), unfont(list(above)), at))
        first = self._first(inside)
        if len(inside) <= 4 and first.isupper():  # a set that has a name: all samples
            return Range(names, None)
        domain = self._range(inside)
        if len(domain) > MAX_SUMMED:
            self.refuse(f"a sum over {len(domain)} samples", f"at most {MAX_SUMMED} are read", at)
        return Range(names, self._known(domain, at))

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
        numbers = digits(low) and digits(high) and len(low + high) < 9
        if stem != other or not numbers or int(high) - int(low) > MAX_SUMMED:
            self.source.refuse(
                token.offset, f"the dots from {first} to {last} are not understood", "write the labels out"
            )
        return [f"{stem}_{k}" if stem else str(k) for k in range(int(low) + 1, int(high))]

    def _numbers(self, low: str, high: str, at: int) -> tuple[str, ...]:
        """\\sum_{a=1}^4"""
        numbers = digits(low) and digits(high) and len(low + high) < 9
        if not numbers or not 0 <= int(high) - int(low) < MAX_SUMMED:
            self.refuse(f"a sum from {low[:40]} to {high[:40] or 'nothing'}", "numbers of samples were expected", at)
        names = tuple(str(k) for k in range(int(low), int(high) + 1))
        return self._known(names, at)
