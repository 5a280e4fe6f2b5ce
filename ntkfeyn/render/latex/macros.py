"""The vocabulary of macros.tex: formulas of the appendix as macros, and the words around them.

Enters: tensors, legs, labels, orders. Leaves: LaTeX made of macros with the prefix; letters stand in macros.tex alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ntkfeyn.model.canonical import Certificate, components
from ntkfeyn.model.cumulants import Cumulant, standard
from ntkfeyn.model.legs import NAMED_TREES, Leg
from ntkfeyn.model.tensors import TensorId
from ntkfeyn.render.formulas import cumulant_text
from ntkfeyn.render.notation import MacroNotation
from ntkfeyn.render.symbols import Letters, leg_letter

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
OBSERVABLES = {
    "z": ("preactivation", "preactivations"),
    "NTK": ("NTK", "NTKs"),
    "dNTK": ("dNTK", "dNTKs"),
    "ddNTK1": ("ddNTK of the first kind", "ddNTKs of the first kind"),
    "ddNTK2": ("ddNTK of the second kind", "ddNTKs of the second kind"),
}
TREE = ("derivative tensor", "derivative tensors")
MOST_LETTERS = 26  # of diagrams; more are numbered


class AppendixNotation(MacroNotation):
    """Macros that the appendix alone has: layers, observables, Kronecker deltas, powers of a width."""

    def __init__(self, prefix: str, letters: Letters, *, layer: str = "T") -> None:
        super().__init__(prefix, letters)
        self._tensor = f"{self.macro}{layer}"

    def tensor(self, name: str, correction: int, labels: Sequence[int]) -> str:
        return f"{self._tensor}{{{name}}}{{{correction}}}{{{self.indices(labels)}}}"

    def bare(self, tensor: TensorId) -> str:
        """A tensor without samples."""
        return self.tensor(tensor.name, tensor.order - standard(tensor.name).leading_order, ())

    def delta(self, first: int, second: int) -> str:
        """Two slots on one neuron."""
        return f"{self.macro}Dl{{{first}}}{{{second}}}"

    def deltas(self, shape: Cumulant) -> str:
        return "".join(self.delta(shape.labels[a], shape.labels[b]) for a, b in shape.channel)

    def cumulant(self, legs: Sequence[Leg], layer: str = "Next") -> str:
        """The joint cumulant of observables."""
        listed = r",\allowbreak\,".join(
            f"{self.macro}Leg{{{self.macro}{layer}}}{{{tree_name(leg)}}}{{{','.join(map(str, leg.labels))}}}"
            for leg in legs
        )
        return f"{self.macro}E{{{listed}}}"

    def width_power(self, power: int, *, below: bool = False) -> str:
        """A power of n_l or n_(l-1)."""
        name = "WidthBelow" if below else "Width"
        written = f"{self.macro}{name}{{{abs(power) if abs(power) != 1 else ''}}}"
        return f"1/{written}" if power < 0 else written

    def pair(self, slots: Sequence[int]) -> str:
        """1--3"""
        return "--".join(f"${self.label(slot)}$" for slot in slots)

    def joint(self, labels: Sequence[int], functions: Sequence[str]) -> str:
        """A joint cumulant of functions of one neuron, differentiated."""
        acting = "".join(f"{self.macro}D{{{-label}}}" for label in labels)
        separated = r"\,;\allowbreak\,".join(functions)
        return f"{self.macro}J{{{acting}}}{{{separated}}}"


def tree_name(leg: Leg) -> str:
    """A named type, or the edges of a tree, as macros.tex calls it."""
    return leg.kind if leg.kind != "tree" else ";".join(f"{a}-{b}" for a, b in leg.edges)


def tree_letters(legs: Sequence[Leg], letters: Letters) -> dict[str, str]:
    """The letters of every named observable, and of the trees that occur: one letter a kind, told apart by a number."""
    kinds = {tree_name(leg): _kind(leg) for leg in legs if leg.kind == "tree"}
    different = sorted(set(kinds.values()))
    mark = {kind: f"_{{{k}}}" if len(different) > 1 else "" for k, kind in enumerate(different, start=1)}
    found = {kind: leg_letter(kind, letters) for kind in NAMED_TREES}
    return found | {name: r"\widehat{\mathrm{T}" + mark[kind] + "}" for name, kind in sorted(kinds.items())}


def _kind(leg: Leg) -> Certificate:
    """What trees that differ by the order of their slots have in common."""
    return components(leg.edges, tuple(range(len(leg.labels))))[0].certificate


def contractions(leg: Leg, notation: AppendixNotation) -> str:
    """The slots that the edges of a tree without a name join."""
    return ", ".join(notation.pair((leg.labels[a], leg.labels[b])) for a, b in leg.edges)


def slug(text: str) -> str:
    """A part of a file name or label."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")


def label(prefix: str, kind: str, tensor: TensorId) -> str:
    """nkf:eq:F-1"""
    return f"{prefix}:{kind}:{slug(f'{tensor.name}-{tensor.order}')}"


def number_word(number: int) -> str:
    return NUMBERS[number] if number < len(NUMBERS) else str(number)


def listed(words: Sequence[str]) -> str:
    """a, b and c"""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def cumulant_words(legs: Sequence[Leg], notation: AppendixNotation) -> str:
    """joint cumulant of two preactivations and one NTK; trees without a name with their contractions"""
    kinds = list(dict.fromkeys(leg.kind for leg in legs))
    words = []
    for kind in kinds:
        count = sum(leg.kind == kind for leg in legs)
        one, many = OBSERVABLES.get(kind, TREE)
        trees = [contractions(leg, notation) for leg in legs if leg.kind == kind == "tree"]
        joined = f" (contractions {'; '.join(trees)})" if trees else ""
        words.append(f"{number_word(count)} {one if count == 1 else many}{joined}")
    return f"{'mean' if len(legs) == 1 else 'joint cumulant'} of {listed(words)}"


def order_tex(order: int, width: str) -> str:
    """$1/n^2$, or words at order 0."""
    power = "" if order == 1 else f"^{{{order}}}"
    return f"order $1/{width}{power}$" if order else "infinite width"


def order_plain(order: int) -> str:
    return "infinite width" if not order else ("order 1/n" if order == 1 else f"order 1/n to the {order}")


def marks(count: int) -> list[str]:
    """What the diagrams of a figure are called: a, b, .. or numbers."""
    return [chr(ord("a") + k) for k in range(count)] if count <= MOST_LETTERS else [str(k + 1) for k in range(count)]


def symbols_of(shape: Cumulant, order: int, prefix: str, letters: Letters) -> dict[str, Any]:
    """The tensor with its samples: of any layer, of layer l+1."""
    return {
        "symbol": cumulant_text(shape, order, AppendixNotation(prefix, letters, layer="N")),
        "next": cumulant_text(shape, order, AppendixNotation(prefix, letters, layer="U")),
    }
