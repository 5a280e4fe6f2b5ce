"""The table of tensors: each with its letter, a small picture, and the joint cumulant in which it stands.

Enters: names of tensors, symbols. Leaves: rows for the template ``tensors.tex.jinja``. The cumulant is written out, so
that a tensor without a name of its own is defined as well as V is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ntkfeyn.model.cumulants import Cumulant, standard
from ntkfeyn.model.tensors import NAMES
from ntkfeyn.render.drawing.layout import blob
from ntkfeyn.render.drawing.tikz import tikz
from ntkfeyn.render.formulas import cumulant_text
from ntkfeyn.render.latex.decomposition import all_channels
from ntkfeyn.render.latex.macros import AppendixNotation, cumulant_words, number_word
from ntkfeyn.render.symbols import Symbols


def tensor_rows(names: Mapping[str, str], used: Sequence[str], prefix: str, symbols: Symbols) -> list[dict[str, Any]]:
    """One row a class of tensors, the named ones first, then by number of slots."""
    ordered = sorted(used, key=lambda name: (NAMES.index(name) if name in NAMES else len(NAMES), len(name), name))
    return [_row(standard(name), names[name], prefix, symbols) for name in ordered]


def _row(shape: Cumulant, letter: str, prefix: str, symbols: Symbols) -> dict[str, Any]:
    notation = AppendixNotation(prefix, symbols.latex, layer="N")
    power = shape.leading_order
    return {
        "symbol": cumulant_text(shape, power, notation),
        "picture": tikz(blob(shape, letter, shape.name, symbols)),
        "words": cumulant_words(shape.legs, notation),
        "cumulant": notation.cumulant(shape.legs, "Here"),
        "coefficient": (notation.width_power(-power, below=True) + r"\," if power else "") + notation.deltas(shape),
        "symmetries": _symmetries(shape),
    }


def _symmetries(shape: Cumulant) -> str:
    """How many channels of the cumulant have this tensor."""
    alike = sum(channel.name == shape.name for channel in all_channels(shape)) if len(shape.labels) <= 8 else 0
    return f"{number_word(alike)} channels have it, with permuted samples" if alike > 1 else ""
