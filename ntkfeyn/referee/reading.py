"""The stream that a reader of signs stands on: what the mixins of the parser need of it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import NoReturn

from ntkfeyn.referee.expressions import Node
from ntkfeyn.referee.letters import FONTS, Vocabulary, unfont
from ntkfeyn.referee.scripts import Scripts
from ntkfeyn.referee.source import Source
from ntkfeyn.referee.tokens import Token, digits

AVERAGING = r"\ntk@averaging"  # in appendices that were emitted
MAX_SCRIPTS = 12  # indices, superscripts and primes at one sign


class Reading:
    """A position in tokens, and what was learnt of the left-hand side."""

    tokens: tuple[Token, ...]
    words: Vocabulary
    source: Source
    samples: tuple[str, ...]
    layer: int
    i: int
    depth: int

    @property
    @abstractmethod
    def text(self) -> str: ...

    @abstractmethod
    def ahead(self, distance: int) -> str: ...

    @abstractmethod
    def take(self) -> Token: ...

    @abstractmethod
    def refuse(self, found: str, expected: str, at: int | None = None) -> NoReturn: ...

    @abstractmethod
    def argument(self) -> tuple[Token, ...]: ...

    @abstractmethod
    def inside(self, tokens: Sequence[Token]) -> Reading: ...

    @abstractmethod
    def whole(self, close: str = "") -> Node: ...

    @abstractmethod
    def product(self, close: str = "") -> Node: ...

    @abstractmethod
    def factor(self, close: str = "") -> Node: ...

    @abstractmethod
    def group(self) -> Node: ...

    def comes(self, texts: Sequence[str]) -> bool:
        """Whether these tokens come next."""
        return self.i + len(texts) <= len(self.tokens) and all(self.ahead(k) == text for k, text in enumerate(texts))

    def bracket_pair(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The brackets of a mean that opens here."""
        own = (self.words.left, self.words.right)
        return own if self.comes(own[0]) else ((r"\langle",), (r"\rangle",))

    def opens_mean(self) -> bool:
        return self.comes(self.words.left) or self.text == r"\langle"

    def scripts(self) -> Scripts:
        """What stands above and below, in any order."""
        below: tuple[Token, ...] = ()
        above: tuple[Token, ...] = ()
        primes = number = 0
        while self.text in ("_", "^", "'"):
            kind = self.take().text
            number += 1
            if number > MAX_SCRIPTS:
                self.refuse("many scripts at one sign", f"at most {MAX_SCRIPTS} are read")
            if kind == "'":
                primes += 1
            elif kind == "_":
                below += self.argument()
            else:
                above += self.argument()
        return Scripts(below, above, primes)

    def exponent(self, tokens: Sequence[Token]) -> int | None:
        """A power, if it is a whole number of at most two digits."""
        text = unfont(list(tokens))
        sign = text.startswith("-")
        size = text[1:] if sign else text
        return (-int(size) if sign else int(size)) if digits(size) and len(size) <= 2 else None

    def base(self) -> str:
        """The next sign without font; its scripts are still to come."""
        token = self.take()
        if token.text in FONTS:
            return unfont(self.argument())  # type: ignore[arg-type]
        return token.text

    def averages(self) -> bool:
        """Whether the averaging operator comes next. Its font is looked at where a tensor has the same letter."""
        at = self.i
        if at >= len(self.tokens):
            return False
        token = self.take()
        inner = unfont(list(self.argument())) if token.text in FONTS and self.text else token.text
        written = token.text + inner if token.text in FONTS else inner
        self.i = at
        letter, base = self.words.averaging
        return written in (letter, AVERAGING) or (inner == base and base not in self.words.tensors)

    def peek_base(self) -> str:
        """The sign that comes next, which stays where it is."""
        at = self.i
        try:
            return self.base() if self.i < len(self.tokens) else ""
        finally:
            self.i = at
