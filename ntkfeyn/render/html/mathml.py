"""MathML of formulas: a reader of the TeX maths that letters may be made of and that formulas of ours are made of.

Enters: TeX maths (mathtex.py says what of it is allowed; formulas add fractions, sums and sizes). Leaves: elements of
MathML Core. So whatever letters somebody chooses, a page and an appendix show the same formulas, from one traversal.
"""

from __future__ import annotations

from functools import lru_cache
from html import escape

from ntkfeyn.render.html.signs import (
    ABOVE,
    ALPHABETS,
    BELOW,
    BRACKETS,
    CLASSES,
    FENCES,
    IDENTIFIERS,
    LIMITS,
    NOTHING,
    OPERATORS,
    SIZES,
    SPACES,
    STRETCHED,
    WORDS,
    greek,
    styled,
)
from ntkfeyn.render.mathtex import Tokens

TIGHT = frozenset("/|‖")
SIGNS = {sign: f'<mo form="prefix">{shown}</mo>' for sign, shown in (("+", "+"), ("-", "−"))}
OPENING = frozenset("([=,")  # behind which a sign is one of what follows, not of a sum
PRIMES = ("", "′", "″", "‴")


def mathml(tex: str, *, block: bool = False) -> str:
    """A formula; ``block``: on a line of its own, sums with their indices below. Raises ValueError."""
    display = ' display="block"' if block else ""
    return f"<math{display}>{''.join(elements(tex))}</math>"


@lru_cache(maxsize=16384)
def elements(tex: str) -> tuple[str, ...]:
    """What stands inside of <math>. Raises ValueError for a command that is not known, or a brace that is missing."""
    return tuple(_Reader(tex).row(""))


class _Reader(Tokens):
    """One pass from the left to the right.

    ``script``: the depth of indices; ``numbers``: digits belong together; ``alone``: one token is taken, not a group.
    """

    def __init__(self, tex: str) -> None:
        super().__init__(tex)
        self.script, self.numbers, self.alone = 0, True, False
        self.alphabet: str | None = None  # of single letters, which MathML slants by itself

    def row(self, end: str) -> list[str]:
        """Elements up to ``end``, which is taken."""
        found: list[str] = []
        before = ""
        while (token := self.take()) != end:
            if token == "":
                raise ValueError(f"'{end}' is missing")
            if token != " ":
                base = SIGNS[token] if token in SIGNS and before in OPENING else self.nucleus(token)
                found.append(self.scripts(base, token[1:] in LIMITS) if base else base)
                before = token
        return [element for element in found if element]

    def group(self) -> str:
        """What a command or a script is applied to: a group in braces, or a token, as one element."""
        while self.peek() == " ":
            self.take()
        token = self.take()
        if not token or token == "}":
            raise ValueError("something is missing behind a command")
        outer, self.alone = self.alone, True
        found = self.nucleus(token)
        self.alone = outer
        return found

    def scripts(self, base: str, limits: bool) -> str:
        primes, up, down = 0, "", ""
        while True:
            while self.peek() == " ":
                self.take()
            kind = self.peek()
            if kind == "'":
                primes += 1
                self.take()
            elif kind in ("^", "_"):
                self.take()
                script = self.raised(kind)
                up, down = (script, down) if kind == "^" else (up, script)
            else:
                break
        mark = f"<mo>{PRIMES[primes] if primes < len(PRIMES) else PRIMES[1] * primes}</mo>" if primes else ""
        up = f"<mrow>{mark}{up}</mrow>" if mark and up else mark + up
        both, below, above = ("munderover", "munder", "mover") if limits else ("msubsup", "msub", "msup")
        if up and down:
            return f"<{both}>{base}{down}{up}</{both}>"
        name = below if down else above
        return f"<{name}>{base}{down or up}</{name}>" if up or down else base

    def raised(self, kind: str) -> str:
        """An index or exponent; digits of an index are labels beside each other unless commas part them."""
        outer = self.numbers, self.script
        self.numbers, self.script = kind == "^" or "," in self.tokens[self.place : self._end()], self.script + 1
        found = self.group()
        self.numbers, self.script = outer
        return found

    def _end(self) -> int:
        """Where the group ends that begins here."""
        depth, place = 0, self.place
        while place < len(self.tokens):
            depth += {"{": 1, "}": -1}.get(self.tokens[place], 0)
            place += 1
            if depth <= 0:
                break
        return place

    def nucleus(self, token: str) -> str:
        """The element of a token and of what it takes; empty for what shows nothing."""
        if token == "{":
            outer, self.alone = self.alone, False
            found = _one(self.row("}"))
            self.alone = outer
            return found
        if not token.startswith("\\"):
            return self.character(token)
        name = token[1:]
        if name in ALPHABETS or name in CLASSES:
            return self.styled(name)
        if name in ABOVE or name in BELOW:
            return self.accented(name)
        if name in WORDS:
            return self.words(WORDS[name])
        if name in ("frac", "tfrac"):
            size = ' displaystyle="false"' if name == "tfrac" else ""
            return f"<mfrac{size}>{self.group()}{self.group()}</mfrac>"
        if name in ("left", "right"):
            return self.fenced() if name == "left" else _unknown(token)
        size = SIZES.get(name[:-1] if name[-1:] in "lrm" else name, "")
        if size:
            return _bracket(self.delimiter(), f'stretchy="true" minsize="{size}" maxsize="{size}"')
        return self.sign(name)

    def sign(self, name: str) -> str:
        """A command that takes nothing."""
        if name in SPACES:
            return f'<mspace width="{SPACES[name]}"/>'
        if name in NOTHING:
            return ""
        if name in BRACKETS:
            return _bracket(BRACKETS[name])
        if name in OPERATORS:
            return f"<mo>{OPERATORS[name]}</mo>"
        found = greek(name) or IDENTIFIERS.get(name, "")
        upright = ' mathvariant="normal"' if found.isupper() or name in IDENTIFIERS else ""
        letter = styled(found, self.alphabet) if found and self.alphabet else found
        return f"<mi{upright}>{letter}</mi>" if found else _unknown("\\" + name)

    def character(self, token: str) -> str:
        if token.isascii() and token.isdigit():
            while self.numbers and not self.alone and self.peek().isdigit():
                token += self.take()
            return f"<mn>{''.join(styled(one, self.alphabet or '') for one in token)}</mn>"
        if token.isascii() and token.isalpha():
            if self.alphabet is None:
                return f"<mi>{token}</mi>"
            while not self.alone and self.peek().isascii() and self.peek().isalpha():
                token += self.take()
            single = ' mathvariant="normal"' if len(token) == 1 else ""
            return f"<mi{single}>{''.join(styled(one, self.alphabet) for one in token)}</mi>"
        if token in FENCES:
            return _bracket(token)
        if token == ",":
            return '<mo rspace="0">,</mo>' if self.script else "<mo>,</mo>"
        if token in "<>+-*=.:;!?":
            return f"<mo>{escape({'-': '−', '*': '∗'}.get(token, token))}</mo>"
        return _unknown(token)

    def styled(self, name: str) -> str:
        outer = self.alphabet
        self.alphabet = ALPHABETS.get(name, outer)
        found = self.group()
        self.alphabet = outer
        return found

    def accented(self, name: str) -> str:
        inside, stretchy = self.group(), "true" if name in STRETCHED else "false"
        element, sign = ("mover", ABOVE[name]) if name in ABOVE else ("munder", BELOW[name])
        kind = "accent" if element == "mover" else "accentunder"
        wide = ' class="wide"' if name == "widehat" and inside.startswith("<mrow>") else ""
        return f'<{element} {kind}="true"{wide}>{inside}<mo stretchy="{stretchy}">{sign}</mo></{element}>'

    def words(self, style: str) -> str:
        self.take()
        text = ""
        while (sign := self.take()) != "}":
            if not sign:
                raise ValueError("'}' is missing")
            text += sign
        mark = f' class="{style}"' if style else ""
        return f"<mtext{mark}>{escape(text).replace(' ', ' ')}</mtext>"

    def fenced(self) -> str:
        left = _bracket(self.delimiter(), 'stretchy="true"')
        inside = "".join(self.row(r"\right"))
        right = _bracket(self.delimiter(), 'stretchy="true"')
        return f"<mrow>{left}{inside}{right}</mrow>"

    def delimiter(self) -> str:
        while self.peek() == " ":
            self.take()
        token = self.take()
        if token in (".", "<", ">") or token in FENCES:
            return {".": "", "<": "⟨", ">": "⟩"}.get(token, token)
        return BRACKETS[token[1:]] if token[1:] in BRACKETS else _unknown(token)


def _one(elements: list[str]) -> str:
    return elements[0] if len(elements) == 1 else f"<mrow>{''.join(elements)}</mrow>"


def _bracket(sign: str, stretch: str = 'stretchy="false"') -> str:
    """An operator that is as large as ``stretch`` says; what may stand between letters without space around it."""
    space = ' lspace="0" rspace="0"' if sign in TIGHT else ""
    return f"<mo {stretch}{space}>{escape(sign)}</mo>"


def _unknown(token: str) -> str:
    raise ValueError(f"'{token}' has no MathML")
