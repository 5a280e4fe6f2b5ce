"""Symbols: every letter that a reader sees, in one frozen record that is passed down (never a module global).

Enters: nothing, or what a user prefers (``Symbols.read``). Leaves: ``Symbols``, the letters of text and of LaTeX, from
which formulas, pictures, prose, SymPy and comments in code take theirs. That Theta is written \\Theta stands here and
nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import Any

from ntkfeyn.render.mathtex import ends_in_command, single, token


@dataclass(frozen=True)
class Letters:
    """The letters of one medium. What a mapping does not name keeps its own name.

    ``expectation`` are the brackets of a Gaussian mean, ``bound`` the label that a derivative is summed over,
    ``samples`` the labels of slots 1, 2, .. (beyond them, or if empty: numbers), ``slot_0`` that of a slot 0,
    ``averaging`` the operator of weights that are shared over labels.
    """

    tensors: Mapping[str, str] = field(hash=False)
    couplings: Mapping[str, str] = field(hash=False)
    activation: str
    omega: str
    expectation: tuple[str, str]
    derivative: str
    width: str
    layer: str
    delta: str
    bound: str = "b"
    preactivation: str = "z"
    neuron: str = "i"
    samples: tuple[str, ...] = ()
    slot_0: str = "0"
    averaging: str = "Av"

    def tensor(self, name: str) -> str:
        """A named tensor's letter."""
        return self.tensors.get(name, name)

    def coupling(self, name: str) -> str:
        return self.couplings.get(name, name)

    def sample(self, label: int) -> str:
        if label == 0:
            return self.slot_0
        return self.samples[label - 1] if 0 < label <= len(self.samples) else str(label)


TEXT = Letters(
    tensors={"Theta": "Θ"},
    couplings={"lambda_W": "λ_W", "lambda_b": "λ_b", "width_ratio": "ρ", "tau": "τ"},
    activation="σ",
    omega="Ω",
    expectation=("⟨", "⟩"),
    derivative="∂",
    width="n",
    layer="ℓ",
    delta="δ",
)
LATEX = Letters(
    tensors={"Theta": r"\Theta"},
    couplings={"lambda_W": r"\lambda_W", "lambda_b": r"\lambda_b", "width_ratio": r"\rho", "tau": r"\tau"},
    activation=r"\sigma",
    omega=r"\Omega",
    expectation=(r"\langle", r"\rangle"),
    derivative=r"\partial",
    width="n",
    layer=r"\ell",
    delta=r"\delta",
    averaging=r"\mathrm{Av}",
)
# text where nothing but ASCII is wanted: SymPy's names, and words around formulas in emitted code
PLAIN = Letters(
    tensors={},
    couplings={"width_ratio": "rho"},
    activation="s",
    omega="Omega",
    expectation=("<", ">"),
    derivative="d",
    width="n",
    layer="l",
    delta="delta",
)


def leg_letter(kind: str, letters: Letters) -> str:
    """An observable in LaTeX: z, or the tree of parameter derivatives with a hat."""
    ntk = letters.tensor("Theta")
    trees = {
        "NTK": ntk,
        "dNTK": rf"\mathrm{{d}}{ntk}",
        "ddNTK1": rf"\mathrm{{dd_{{I}}}}{ntk}",
        "ddNTK2": rf"\mathrm{{dd_{{II}}}}{ntk}",
    }
    tree = trees.get(kind, r"\mathrm{T}")
    return letters.preactivation if kind == "z" else rf"\widehat{{{tree}}}"


def template_letters(letters: Letters) -> dict[str, Any]:
    """What the LaTeX templates call them; "samples" are the labels of slots 0, 1, .., none where they are numbers."""
    brackets = {"left": letters.expectation[0], "right": letters.expectation[1]}
    named = {
        "s": letters.activation,
        "Omega": letters.omega,
        "d": letters.derivative,
        "n": token(letters.width),
        "l": token(letters.layer),
        "b": letters.bound,
        "z": letters.preactivation,
        "i": letters.neuron,
        "Av": letters.averaging,
        **{name: letters.coupling(name) for name in ("C_W", "C_b", "lambda_W", "lambda_b")},
        "rho": letters.coupling("width_ratio"),
        **{name: letters.tensor(name) for name in ("K", "Theta")},
        **{kind: leg_letter(kind, letters) for kind in ("NTK", "dNTK", "ddNTK1", "ddNTK2")},
    }
    if letters != LATEX:  # a foreign letter may follow, which a command would swallow
        named = {name: f"{{{text}}}" if ends_in_command(text) else text for name, text in named.items()}
    samples = [text if single(text) else rf"\,{text}\," for text in (letters.slot_0, *letters.samples)]
    return {**brackets, **named, "samples": samples if letters.samples else []}


@dataclass(frozen=True)
class Notation:
    """The letters of text (terminal, code comments, SVG), of LaTeX (formulas, TikZ, figures) and of ASCII (SymPy).

    ``source``: the file or name that they were read from, if they were.

    >>> import ntkfeyn as nf
    >>> letters = nf.Notation.read("pdlt")
    >>> letters.text.tensor("K"), letters.ours
    ('G', False)
    """

    text: Letters = field(default=TEXT)
    latex: Letters = field(default=LATEX)
    plain: Letters = field(default=PLAIN)
    source: str = field(default="", compare=False)

    @staticmethod
    def read(source: str | PathLike[str]) -> Notation:
        """The notation of a TOML file, or one of those that are shipped, by its name: "paper", "pdlt".

        Raises NtkfeynError for a file that cannot be read, and for letters that cannot be used.
        """
        from ntkfeyn.render.notation_file import read_notation

        return read_notation(source)

    @property
    def ours(self) -> bool:
        """Whether every letter is the default."""
        return self == DEFAULT


Symbols = Notation  # what the program calls it
DEFAULT = Symbols()
