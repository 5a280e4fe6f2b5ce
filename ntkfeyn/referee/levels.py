"""Levels: the layer at which code says that something stands: l, l-1, 3.

Enters: a SymPy expression for a layer, or its parts. Leaves: ``Level``, as text and in SymPy.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ntkfeyn.errors import RequestError, bad_request


class Level(NamedTuple):
    """A letter, or none for a layer that is a number, and what is added."""

    letter: str
    shift: int

    def above(self, steps: int = 1) -> Level:
        return self._replace(shift=self.shift + steps)

    @property
    def sympy(self) -> Any:
        """As level_of reads it."""
        from sympy import Integer, Symbol

        from ntkfeyn.render.sympy import LAYER

        letter = LAYER if self.letter == HERE.letter else Symbol(self.letter)
        return letter + self.shift if self.letter else Integer(self.shift)

    def __str__(self) -> str:
        return f"{self.letter}{self.shift:+d}" if self.letter and self.shift else self.letter or str(self.shift)


HERE = Level("l", 0)  # LAYER


def level_of(layer: Any) -> Level:
    """Of a SymPy expression. Raises RequestError for a layer that is no letter with a whole number."""
    shift, letter = layer.as_coeff_Add()
    if not shift.is_Integer or not (letter == 0 or letter.is_Symbol):
        raise bad_request(f"layer {layer} is not understood", "a letter with a whole number added is read: l, l - 1, 3")
    return Level("" if letter == 0 else str(letter), int(shift))


def other_level(what: str, found: Level, base: Level, place: str = "") -> RequestError:
    """Something on the right that stands at another layer than the rest."""
    return bad_request(
        f"{place}{what} stands at layer {found}, other things at layer {base}",
        "tensors and means on the right of a recursion have one layer, widths that one or the one below",
    )


def below(width: Level, base: Level, place: str = "") -> bool:
    """Whether a width is that below the layer of the rest. Raises RequestError where it is neither."""
    if width not in (base, base.above(-1)):
        raise other_level("a width", width, base, place)
    return width != base
