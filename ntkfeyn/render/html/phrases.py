"""Words with formulas in them, and how the page's script has them: each sentence and each piece of a formula once.

Enters: words in which formulas are LaTeX between dollar signs (``InlineNotation``). Leaves: places in two lists. A
formula is the places of the elements of MathML that it is made of, as terms are made of the same few letters.
"""

from __future__ import annotations

from html import escape
from typing import Any

from ntkfeyn.render.html.mathml import elements, mathml

Formula = list[int]


def inline(words: str) -> str:
    """Words with formulas as HTML."""
    return "".join(mathml(spaced(part)) if k % 2 else escape(part) for k, part in enumerate(words.split("$")))


def spaced(tex: str) -> str:
    """A term whose sign stands apart, as between terms: at the beginning of a line it would be a sign of one."""
    return tex[0] + r"\;" + tex[2:] if tex[:2] in ("+ ", "- ") else tex


class Phrases:
    """Sentences and pieces in the order in which they occur first."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._sentences: list[list[str | Formula]] = []
        self._pieces: dict[str, int] = {}

    def sentence(self, words: str) -> int:
        """The place of a sentence."""
        if words not in self._places:
            self._places[words] = len(self._sentences)
            parts = enumerate(words.split("$"))
            self._sentences.append([self.formula(part) if k % 2 else part.replace(" - ", " − ") for k, part in parts])
        return self._places[words]

    def formula(self, tex: str) -> Formula:
        """The places of its elements."""
        return [self._pieces.setdefault(one, len(self._pieces)) for one in elements(spaced(tex))]

    def data(self) -> dict[str, Any]:
        """ "sentences": words, formula, words, ..; "pieces": MathML."""
        return {"sentences": self._sentences, "pieces": list(self._pieces)}
