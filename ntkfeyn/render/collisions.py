"""Two things with one letter: what a notation may not have, in any medium.

Enters: ``Symbols``. Leaves: nothing, or a message. A thing is compared in every form that formulas give it: a tensor
with its corrections, the activation with its derivatives, a coupling with its powers. What stands on the line is
compared with what stands on the line, an index with indices.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ntkfeyn.derivation.rules import COUPLINGS
from ntkfeyn.errors import bad_request
from ntkfeyn.model.cumulants import MAX_ORDER, MAX_SLOTS
from ntkfeyn.model.tensors import NAMES
from ntkfeyn.render.mathtex import normal
from ntkfeyn.render.notation import LatexNotation, TextNotation
from ntkfeyn.render.symbols import Symbols
from ntkfeyn.render.systematic import is_systematic, systematic_symbol

Things = Iterator[tuple[str, str]]  # what it is, and one of its forms
KEYS = {"width_ratio": "rho"}


class Collision(NamedTuple):
    """Two things and the letter that both have."""

    first: str
    second: str
    letter: str


def check_distinct(symbols: Symbols, where: str) -> None:
    """Raises RequestError where two things look the same in LaTeX or in text."""
    for medium, notation in (("LaTeX", LatexNotation(symbols.latex)), ("text", TextNotation(symbols.text))):
        found = collision(notation)
        if found is not None:
            raise bad_request(
                f"{where}: {found.first} and {found.second} are both written {found.letter} in {medium}",
                "no two things may have one letter",
                f"another letter for {found.first} or {found.second}",
            )


def collision(notation: TextNotation) -> Collision | None:
    """The first two things that look the same; a tensor without a letter of its own has its systematic symbol."""
    form = normal if isinstance(notation, LatexNotation) else str
    for things in (_on_the_line, _indices):
        seen: dict[str, str] = {}
        for thing, written in things(notation):
            other = seen.setdefault(form(written), thing)
            if other != thing:
                return Collision(other, thing, written)
    for thing, written in _on_the_line(notation):
        sans = re.fullmatch(r"\{*\\(?:math|text)sf *\{(.*?)\}+", written)
        word = written if not isinstance(notation, LatexNotation) else sans[1] if sans else ""
        own = systematic_symbol(thing) if thing in notation.letters.tensors else ""
        if word != own and is_systematic(word):
            return Collision(thing, "a tensor without a letter", written)
    return None


def _on_the_line(notation: TextNotation) -> Things:
    """Tensors, couplings, functions and signs."""
    letters = notation.letters
    for name in _tensors(notation):
        for correction in range(MAX_ORDER + 1):
            yield name, notation.symbol(name, correction)
    for name in sorted({*(coupling.name for coupling in COUPLINGS), *letters.couplings}):
        for exponent in range(1, MAX_ORDER + 1):
            yield KEYS.get(name, name), notation.power(name, exponent)
    for order in range(MAX_SLOTS + 1):
        yield "activation", notation.function(order)
    for name in ("omega", "derivative", "width", "delta", "preactivation", "averaging"):
        yield name, getattr(letters, name)


def _indices(notation: TextNotation) -> Things:
    """Labels of slots and of sums, and what layers and neurons are called."""
    for slot in range(max(MAX_SLOTS, len(notation.letters.samples)) + 1):
        yield f"the label of slot {slot}", notation.label(slot)
    for bound in range(1, 2 * MAX_SLOTS + 1):
        yield "bound", notation.label(-bound)
    yield "bound", notation.letters.bound
    yield "layer", notation.letters.layer
    yield "neuron", notation.letters.neuron


def _tensors(notation: TextNotation) -> list[str]:
    return sorted({*NAMES, *notation.letters.tensors})
