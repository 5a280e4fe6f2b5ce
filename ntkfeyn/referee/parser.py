"""Parser: the tokens of a right-hand side to an expression, written from the grammar of formulas as people write them.

Enters: tokens without macros and spacing. Leaves: ``Term`` records: an expression and where it stands. What is not
understood is refused with its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple, NoReturn

from ntkfeyn.referee.expressions import (
    Averaging,
    Mean,
    Node,
    Number,
    Over,
    Plus,
    Power,
    Sum,
    Times,
    averaged,
    children,
    random,
    used,
)
from ntkfeyn.referee.letters import Vocabulary, unfont
from ntkfeyn.referee.signs import Signs
from ntkfeyn.referee.source import Source
from ntkfeyn.referee.tokens import Token, digits

MAX_TERMS = 10_000  # of a right-hand side
MAX_DIGITS = 60  # of a number
MAX_NESTED = 120  # sums, products and factors inside each other: about 40 brackets
OPENING = {"(": ")", "[": "]", "{": "}", r"\{": r"\}", r"\lbrack": r"\rbrack"}
FRACTIONS = (r"\frac", r"\tfrac", r"\dfrac", r"\cfrac", r"\nicefrac", r"\sfrac")
TIMES = (r"\cdot", r"\times", "*", r"\ast")
POINTS = (",", ".", ";")
SUMS = (r"\sum", r"\ntk@sum")
KNOWN = "couplings, sums, tensors, means in brackets, + and - are read"


class Term(NamedTuple):
    """A summand of a right-hand side; ``tokens`` are its own, its sign apart, ``sign`` is -1 or 1."""

    node: Node
    sign: int
    tokens: tuple[Token, ...]
    signed_at: Token | None  # the sign in front, if there is one

    @property
    def value(self) -> Node:
        return self.node if self.sign > 0 else Times((Number(Fraction(-1)), self.node))


class Parser(Signs):
    """Reads one right-hand side. ``samples`` are the labels of its left-hand side, ``layer`` that of what stands here.

    (0: the letter of layers, -1: that less one)
    """

    def __init__(
        self, tokens: Sequence[Token], words: Vocabulary, source: Source, samples: Sequence[str], layer: int = 0
    ) -> None:
        self.tokens, self.layer = tuple(tokens), layer
        self.words, self.source, self.samples = words, source, tuple(dict.fromkeys(samples))
        self.i = self.depth = 0

    # --- the stream ---

    @property
    def text(self) -> str:
        """The token that comes next; nothing at the end."""
        return self.tokens[self.i].text if self.i < len(self.tokens) else ""

    def ahead(self, distance: int) -> str:
        at = self.i + distance
        return self.tokens[at].text if at < len(self.tokens) else ""

    def take(self) -> Token:
        if self.i >= len(self.tokens):
            self.refuse("the formula ends here", "more was expected")
        self.i += 1
        return self.tokens[self.i - 1]

    def refuse(self, found: str, expected: str, at: int | None = None) -> NoReturn:
        i = self.i if at is None else at
        last = self.tokens[-1].end if self.tokens else 0
        self.source.refuse(self.tokens[i].offset if i < len(self.tokens) else last, found, expected)

    def expect(self, text: str) -> None:
        if self.text != text:
            self.refuse(f"'{self.text}' stands here" if self.text else "the formula ends here", f"{text} was expected")
        self.i += 1

    def argument(self) -> tuple[Token, ...]:
        """The tokens in braces, or one token."""
        if self.text != "{":
            return (self.take(),)
        start, depth = self.i + 1, 0
        while True:
            depth += {"{": 1, "}": -1}.get(self.take().text, 0)
            if depth == 0:
                return self.tokens[start : self.i - 1]

    def inside(self, tokens: Sequence[Token]) -> Parser:
        """A reader of an argument."""
        if self.depth >= MAX_NESTED:
            self.refuse("this is nested too deeply", f"at most {MAX_NESTED} levels are read")
        inner = Parser(tokens, self.words, self.source, self.samples, self.layer)
        inner.depth = self.depth + 1
        return inner

    # --- the grammar ---

    def terms(self) -> list[Term]:
        """The summands of the whole right-hand side, labels that are summed without a sum bound to one."""
        found: list[Term] = []
        while self.text:
            if len(found) >= MAX_TERMS:
                self.refuse(f"more than {MAX_TERMS} terms", "fewer are read")
            sign_at, sign = None, 1
            while self.text in ("+", "-"):
                sign_at = self.take()
                sign = -sign if sign_at.text == "-" else sign
            if not self.text and found:
                self.refuse("the formula ends with a sign", "a term was expected")
            inside = self._averaged() if sign > 0 else []
            if inside:
                found += inside
                continue
            start = self.i
            node = self.product()
            stop = self.i
            if self.text in POINTS and self._only_points():
                self.i = len(self.tokens)
            elif self.text not in ("", "+", "-"):
                self._misplaced()
            found.append(Term(self._bound(node, start), sign, self.tokens[start:stop], sign_at))
        if not found:
            self.refuse("nothing stands on this side", "a sum of terms was expected")
        return found

    def _averaged(self) -> list[Term]:
        """The summands of a bracket with averaging operators in front, if that is all of a term: each is one itself."""
        at = self.i
        pairs = self.operators()
        if pairs and self.text in OPENING:
            tokens = self.enclosed(self.i)
            if self.text in POINTS and self._only_points():
                self.i = len(self.tokens)
            if self.text in ("", "+", "-"):
                return [term._replace(node=averaged(pairs, term.node)) for term in self.inside(tokens).terms()]
        self.i = at
        return []

    def _only_points(self) -> bool:
        at = self.i
        while at < len(self.tokens) and self.tokens[at].text in POINTS:
            at += 1
        return at == len(self.tokens)

    def _misplaced(self) -> NoReturn:
        self.refuse(f"'{self.text}' is not understood here", KNOWN)

    def whole(self, close: str = "") -> Node:
        """A sum up to a closing bracket, or to the end."""
        self.deeper()
        parts: list[Node] = []
        while True:
            sign = 1
            signed = False
            while self.text in ("+", "-"):
                sign, signed = (-sign if self.take().text == "-" else sign), True
            if (not self.text or self.text == close) and (parts or signed or not close):
                break
            node = self.product(close)
            parts.append(node if sign > 0 else Times((Number(Fraction(-1)), node)))
            if self.text == close or not self.text:
                break
            if self.text not in ("+", "-"):
                self._misplaced()
        if signed and not parts:
            self.refuse("a sign stands alone", "a term was expected")
        self.depth -= 1
        return parts[0] if len(parts) == 1 else Plus(tuple(parts))

    def product(self, close: str = "") -> Node:
        """Factors up to a sign, a closing bracket or the end."""
        self.deeper()
        node = self._product(close)
        self.depth -= 1
        return node

    def deeper(self) -> None:
        """One level more. Refuses too many."""
        self.depth += 1
        if self.depth > MAX_NESTED:
            self.refuse("this is nested too deeply", f"at most {MAX_NESTED} levels are read")

    def _product(self, close: str) -> Node:
        parts: list[Node] = []
        divided = 0
        while self.text and self.text not in ("+", "-") and self.text != close:
            if parts and self.text in POINTS and self._only_points():
                break
            if self.text in TIMES or self.text == "\\\\":
                self.take()
                continue
            if self.text == "/":
                at, divided = self.i, divided + 1
                if divided > MAX_NESTED:
                    self.refuse("this is divided too often", f"at most {MAX_NESTED} signs / are read", at)
                self.take()
                below = self.factor(close)
                parts = [Over(_product(parts), below)]
                continue
            if self.text in SUMS:
                ranges = self.summation()
                inner = self.product(close)
                for bound, domain in reversed(ranges):
                    inner = Sum(bound, domain, inner)
                parts.append(inner)
                break
            parts.append(self.factor(close))
        if not parts:
            if self.text in ("", "+", "-") or self.text == close:
                self.refuse(f"'{self.text}' stands here" if self.text else "the formula ends", "a term was expected")
            self._misplaced()
        return _product(parts)

    def factor(self, close: str = "") -> Node:
        """One factor with its power."""
        self.deeper()
        node = self._factor(close)
        self.depth -= 1
        return node

    def _factor(self, close: str) -> Node:
        text = self.text
        if text in FRACTIONS:
            return self.raised(self.fraction(close))
        if self.opens_mean():
            return self.raised(self.mean())
        if text in OPENING:
            return self.inverse_kernel() or self.raised(self.group())
        if digits(text) or (text == "." and digits(self.ahead(1))):
            return self.raised(self.number())
        if text == "\\ntk@mean":
            self.take()
            return self.raised(Mean(self.inside(self.argument()).whole()))
        return self.sign(close)

    def fraction(self, close: str) -> Node:
        """A fraction of numbers or expressions, or a derivative."""
        self.take()
        start = self.i
        above, below = self.argument(), self.argument()
        if self.derives(above, below):
            return self.leibniz(above, below, start, close)
        return Over(self.inside(above).whole(), self.inside(below).whole())

    def group(self) -> Node:
        at, left = self.i, self.take().text
        right = OPENING[left]
        if left == "{" and self.text == "}":
            self.take()
            return Number(Fraction(1))
        node = self.whole(right)
        if self.text != right:
            self.refuse("this bracket is not closed", f"{right} was expected", at)
        self.take()
        return node

    def number(self) -> Node:
        at, written = self.i, ""
        while digits(self.text) or (self.text == "." and digits(self.ahead(1)) and "." not in written):
            written += self.take().text
            if len(written) > MAX_DIGITS:
                self.refuse("a long number", f"at most {MAX_DIGITS} digits are read", at)
        return Number(Fraction("0" + written))

    def raised(self, node: Node) -> Node:
        """With the power that stands above, if one does."""
        found = self.scripts()
        if found.below:
            self.refuse("an index at a bracket", "an index belongs to a sign")
        if not found.above and not found.primes:
            return node
        exponent = self.exponent(found.above)
        if found.primes or exponent is None:
            self.refuse(f"'{unfont(list(found.above))}' above a bracket", "a power such as 2 was expected")
        return Power(node, exponent)

    def _bound(self, node: Node, start: int) -> Node:
        """Labels that are not on the left are summed, where they stand twice; once is a mistake."""
        free = [label for label in dict.fromkeys(used(node)) if label not in self.samples]
        for label in free:
            if occurrences(node, label) != 2:
                names = ", ".join(self.samples)
                self.refuse(
                    f"the label {label} is neither on the left ({names}) nor summed",
                    "a label without a sum stands twice in a term",
                    start,
                )
        if random(node):
            self.refuse("an activation stands outside of a mean", "it belongs between brackets", start)
        for label in free:
            node = summed(node, label)
        return node


def summed(node: Node, label: str) -> Node:
    """The sum over a label where it stands: summands without it are not multiplied."""
    if isinstance(node, Plus):
        return Plus(tuple(summed(part, label) if label in used(part) else part for part in node.parts))
    if isinstance(node, Times):
        places = [i for i, part in enumerate(node.parts) if label in used(part)]
        if len(places) == 1:
            i = places[0]
            return Times((*node.parts[:i], summed(node.parts[i], label), *node.parts[i + 1 :]))
    if isinstance(node, Over) and label not in used(node.below):
        return Over(summed(node.above, label), node.below)
    if isinstance(node, Sum):
        return Sum(node.labels, node.domain, summed(node.inner, label))
    if isinstance(node, Averaging):
        return Averaging(node.labels, summed(node.inner, label))
    return Sum((label,), None, node)


def occurrences(node: Node, label: str) -> int:
    """How often a label stands in a product; of summands the one that has most."""
    if isinstance(node, Sum) and label in node.labels:
        return 0
    if isinstance(node, Plus):
        return max((occurrences(part, label) for part in node.parts), default=0)
    below = children(node)
    own = [] if isinstance(node, Sum) else list(getattr(node, "labels", (getattr(node, "label", ""),)))
    return own.count(label) + sum(occurrences(child, label) for child in below)


def _product(parts: list[Node]) -> Node:
    return parts[0] if len(parts) == 1 else Times(tuple(parts))
