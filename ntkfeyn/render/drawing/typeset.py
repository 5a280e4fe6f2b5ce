"""How large TeX sets a label: its own metrics, so that discs fit and tags keep clear whatever the document.

Enters: TeX maths, also an author's, as \\mathcal{K}^{[\\infty]}. Leaves: width, height and depth in units of the size
of the font. It reads letters, alphabets, accents, scripts and groups; what it does not know it takes to be wide.
Pictures are set in \\scriptsize, and everything in them is a multiple of that size: what fits once fits always.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from ntkfeyn.render.drawing.computer_modern import ALPHABETS, BOLD, COMMANDS, ITALIC, ROMAN, SIGNS

UNKNOWN = 1200  # a command of the author's own, or a letter beyond ASCII
SCRIPT_WIDTH, SCRIPT_HEIGHT = 0.92, 0.72  # 5 pt letters beside 7 pt ones: small fonts are wide for their size
SCRIPT_SPACE = 0.072  # half a point after every script
RAISED, DROPPED, ASIDE = 0.45, 0.32, 0.16  # baselines of a superscript, of a subscript under one and of one alone
FROM_TOP = 0.28  # from the top of a tall base down to the baseline of its superscript
TALL, HIGH, LOW, DEEP = 0.75, 0.7, 0.45, 0.25  # brackets; letters with and without ascender; what hangs below
ACCENTS = frozenset(
    [
        "hat",
        "widehat",
        "tilde",
        "widetilde",
        "bar",
        "overline",
        "vec",
        "dot",
        "ddot",
        "check",
        "breve",
        "acute",
        "grave",
    ]
)
ACCENT = 0.27
HEAVY = 1.18  # a bold Greek letter beside its own
TOKEN = re.compile(r"\\([A-Za-z]+)\s*|\\(.)|(.)", re.DOTALL)
BRACKETS = frozenset(("(", ")", "[", "]", "/", "|", "{", "}", "langle", "rangle", "vert"))
HANGING = frozenset("gjpqy") | {
    *("beta", "gamma", "zeta", "eta", "mu", "xi", "rho", "phi", "chi", "psi", "varrho", "varphi", "varsigma"),
    ",",
    ";",
}


class Size(NamedTuple):
    """Of a box: to the right, above and below its baseline."""

    width: float
    height: float
    depth: float


EMPTY = Size(0.0, 0.0, 0.0)
PRIME = Size(SIGNS["'"] / 1000 + 0.02, 0.56, 0.0)


@lru_cache(maxsize=4096)
def typeset(tex: str) -> Size:
    """The size of a formula in text style, from a little too large to right."""
    tokens = [(m[1] or m[2] or m[3], m[3] is None) for m in TOKEN.finditer(tex)]
    return _Reader(tokens).row(ITALIC)


class _Reader:
    """Tokens from the left to the right: a name, and whether it is a command."""

    def __init__(self, tokens: list[tuple[str, bool]]) -> None:
        self.tokens, self.at = tokens, 0

    def row(self, alphabet: Mapping[str, int]) -> Size:
        """Up to the end, or to the brace that closes the group."""
        whole = EMPTY
        while self.at < len(self.tokens):
            if self.tokens[self.at] == ("}", False):
                self.at += 1
                break
            whole = _beside(whole, self._with_scripts(alphabet))
        return whole

    def _with_scripts(self, alphabet: Mapping[str, int]) -> Size:
        base = self._atom(alphabet)
        up = down = EMPTY
        while self.at < len(self.tokens) and self.tokens[self.at] in (("^", False), ("_", False), ("'", False)):
            sign = self.tokens[self.at][0]
            self.at += 1
            if sign == "_":
                down = _beside(down, self._atom(alphabet))
            else:
                up = _beside(up, PRIME if sign == "'" else self._atom(alphabet))
        if up == down == EMPTY:
            return base
        drop = DROPPED if up != EMPTY else ASIDE
        width = base.width + SCRIPT_WIDTH * max(up.width, down.width) + SCRIPT_SPACE
        rise = max(RAISED if down == EMPTY else RAISED + 0.1, base.height - FROM_TOP)  # both: pushed apart
        height = max(base.height, rise + SCRIPT_HEIGHT * up.height if up != EMPTY else 0.0)
        return Size(width, height, max(base.depth, drop + SCRIPT_HEIGHT * down.depth if down != EMPTY else 0.0))

    def _atom(self, alphabet: Mapping[str, int]) -> Size:
        if self.at >= len(self.tokens):
            return EMPTY
        name, command = self.tokens[self.at]
        self.at += 1
        if name == "{" and not command:
            return self.row(alphabet)
        if command and name in ALPHABETS:
            return self._atom(ALPHABETS[name])
        if command and name in ACCENTS:
            inside = self._atom(alphabet)
            return inside._replace(height=inside.height + ACCENT)
        if name in "$ ~" and not command:
            return EMPTY if name == "$" or alphabet is ITALIC else Size(0.38, 0.0, 0.0)
        return _glyph(name, command, alphabet)


def _glyph(name: str, command: bool, alphabet: Mapping[str, int]) -> Size:
    known = COMMANDS if command else {**SIGNS, **ITALIC, **ROMAN, **alphabet} if name not in alphabet else alphabet
    width = known.get(name, UNKNOWN) / 1000 * (HEAVY if command and alphabet is BOLD else 1.0)
    if not width:
        return EMPTY
    height = TALL if name in BRACKETS else LOW if len(name) == 1 and name in "acegmnopqrsuvwxyz,.;-+=" else HIGH
    return Size(width, height, DEEP if name in BRACKETS or name in HANGING else 0.0)


def _beside(a: Size, b: Size) -> Size:
    return Size(a.width + b.width, max(a.height, b.height), max(a.depth, b.depth))
