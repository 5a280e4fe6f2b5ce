"""Symbols: every letter that a reader sees, in one frozen record that is passed down (never a module global).

Enters: nothing, or what a user prefers. Leaves: ``Symbols``, the letters of text and of LaTeX, from which formulas,
pictures, prose, SymPy and comments in code take theirs. That Theta is written \\Theta stands here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Letters:
    """The letters of one medium. What a mapping does not name keeps its own name.

    ``expectation`` are the brackets of a Gaussian mean, ``bound`` the label that a derivative is summed over,
    ``samples`` the labels of slots 1, 2, .. (beyond them, or if empty: numbers).
    """

    tensors: Mapping[str, str]
    couplings: Mapping[str, str]
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

    def tensor(self, name: str) -> str:
        """A named tensor's letter."""
        return self.tensors.get(name, name)

    def coupling(self, name: str) -> str:
        return self.couplings.get(name, name)

    def sample(self, label: int) -> str:
        return self.samples[label - 1] if 0 < label <= len(self.samples) else str(label)


TEXT = Letters(
    tensors={"Theta": "Θ"},
    couplings={"lambda_W": "λ_W", "lambda_b": "λ_b", "width_ratio": "ρ"},
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
    couplings={"lambda_W": r"\lambda_W", "lambda_b": r"\lambda_b", "width_ratio": r"\rho"},
    activation=r"\sigma",
    omega=r"\Omega",
    expectation=(r"\langle", r"\rangle"),
    derivative=r"\partial",
    width="n",
    layer=r"\ell",
    delta=r"\delta",
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


def template_letters(letters: Letters) -> dict[str, str]:
    """What the LaTeX templates call them."""
    return {
        "s": letters.activation,
        "Omega": letters.omega,
        "left": letters.expectation[0],
        "right": letters.expectation[1],
        "d": letters.derivative,
        "n": letters.width,
        "l": letters.layer,
        "b": letters.bound,
        "z": letters.preactivation,
        "i": letters.neuron,
        **{name: letters.coupling(name) for name in ("C_W", "C_b", "lambda_W", "lambda_b")},
        "rho": letters.coupling("width_ratio"),
        **{name: letters.tensor(name) for name in ("K", "Theta")},
        **{kind: leg_letter(kind, letters) for kind in ("NTK", "dNTK", "ddNTK1", "ddNTK2")},
    }


@dataclass(frozen=True)
class Symbols:
    """The letters of text (terminal, code comments, SVG) and of LaTeX (formulas, TikZ, figures)."""

    text: Letters = field(default=TEXT)
    latex: Letters = field(default=LATEX)
