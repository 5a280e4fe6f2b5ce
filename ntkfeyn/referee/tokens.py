"""Tokens of TeX: commands, signs, braces, each with the offset where it stands; blanks are dropped.

Enters: a text. Leaves: tokens.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_TOKEN = re.compile(r"\\([A-Za-z@]+\*?|[^A-Za-z@]|$)|#([0-9]?)|(\S)", re.DOTALL)


class Token(NamedTuple):
    """``text`` of a command begins with a backslash; ``end`` is the offset behind it.

    ``own`` is False for a token that a macro made: then offset and end are those of the macro.
    """

    text: str
    offset: int
    end: int
    own: bool = True


def tokenise(text: str, start: int = 0, stop: int | None = None) -> list[Token]:
    """The tokens of a part of a text; a parameter of a macro is one token, #1."""
    found = []
    for match in _TOKEN.finditer(text, start, len(text) if stop is None else stop):
        found.append(Token(match[0].rstrip("*") if match[1] else match[0], match.start(), match.end()))
    return found


def digits(text: str) -> bool:
    """Whether a text is digits of a number, and nothing that only looks like them."""
    return text.isascii() and text.isdigit()


def closing(tokens: Sequence[Token], start: int, left: str = "{", right: str = "}") -> int:
    """The index of the brace that closes the one at ``start``; -1 if there is none."""
    depth = 0
    for i in range(start, len(tokens)):
        if tokens[i].text == left:
            depth += 1
        elif tokens[i].text == right:
            depth -= 1
            if depth == 0:
                return i
    return -1


def bare(tokens: Sequence[Token] | Sequence[str]) -> str:
    """The text of tokens without braces: what two ways of writing one letter have in common."""
    texts = [token.text if isinstance(token, Token) else token for token in tokens]
    return "".join(text for text in texts if text not in "{}")
