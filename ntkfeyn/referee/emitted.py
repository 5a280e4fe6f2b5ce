"""The macros of appendices that ``ntkfeyn emit --lang latex`` writes, by their meaning: their letters do not matter.

Enters: a source. Leaves: macros that give private commands, \\ntk@.., which the parser reads; tokens of recursions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ntkfeyn.derivation.rules import COUPLINGS
from ntkfeyn.referee.macros import Macro, braced
from ntkfeyn.referee.source import Source
from ntkfeyn.referee.tokens import Token, tokenise
from ntkfeyn.render.notation import coupling_macro

MAX_PREFIXES = 50
_RECURSION = re.compile(r"\\begin\{([A-Za-z]+)Recursion\}")
_MEANINGS = {
    "S": (2, r"\ntk@activation{#1}{#2}"),
    "X": (1, r"\ntk@label{#1}"),
    "B": (1, r"\ntk@bound{#1}"),
    "T": (3, r"\ntk@tensor{#1}{#2}{#3}"),
    "U": (3, r"\ntk@next{#1}{#2}{#3}"),
    "Av": (1, r"\ntk@averaging{#1}"),
    "Om": (1, r"\ntk@omega{#1}"),
    "D": (1, r"\partial_{\ntk@bound{#1}}"),
    "P": (1, "(#1)"),
    "M": (1, r"\ntk@mean{#1}"),
    "Cf": (2, r"\frac{#1}{#2}"),
    "O": (0, ""),
    "I": (0, ""),
    "Sum": (2, r"\ntk@sum{#1}{#2}"),
    "Term": (2, "#2"),
    "Sg": (1, "#1"),
    "Row": (3, "#2 #3"),
}


def prefixes(source: Source) -> list[str]:
    """What the macros of this document begin with, if it has a recursion that was emitted. Refuses too many."""
    found: dict[str, int] = {}
    for match in _RECURSION.finditer(source.text):
        found.setdefault(match[1], match.start())
        if len(found) > MAX_PREFIXES:
            source.refuse(
                match.start(), "one emitted appendix too many", f"at most {MAX_PREFIXES} in a document are read"
            )
    return sorted(found)


def emitted_macros(source: Source) -> dict[str, Macro]:
    """Their meanings, which no definition changes."""
    meanings = dict(_MEANINGS)
    for coupling in COUPLINGS:
        meanings[coupling_macro(coupling.name)] = (1, rf"\ntk@coupling{{{coupling.name}}}{{#1}}")
    return {
        f"\\{prefix}{name}": Macro(count, tuple(tokenise(body)))
        for prefix in prefixes(source)
        for name, (count, body) in meanings.items()
    }


def emitted_recursions(source: Source) -> Iterator[tuple[list[Token], list[Token]]]:
    """Both sides of every recursion that was emitted."""
    for match in _RECURSION.finditer(source.text):
        stop = source.text.find(rf"\end{{{match[1]}Recursion}}", match.end())
        if stop < 0:
            source.refuse(match.start(), f"the environment {match[1]}Recursion does not end", "\\end was expected")
        tokens = tokenise(source.text, match.end(), stop)
        _, i = braced(tokens, 0, source)
        left, i = braced(tokens, i, source)
        yield left, tokens[i:]
