"""One notation: every letter that a reader sees comes from the record that is passed down."""

from __future__ import annotations

import re
from pathlib import Path

from ntkfeyn.derivation.recursion import Recursion, derive_recursion
from ntkfeyn.model.cumulants import standard
from ntkfeyn.render.drawing.equation import equation
from ntkfeyn.render.drawing.layout import layout
from ntkfeyn.render.explain.explanation import explain_diagram
from ntkfeyn.render.explain.steps import explanation_text
from ntkfeyn.render.formulas import recursion_latex, recursion_text
from ntkfeyn.render.latex.appendix import LatexOptions, latex_files
from ntkfeyn.render.notation import LatexNotation, TextNotation
from ntkfeyn.render.symbols import LATEX, TEXT, Letters, Symbols

PACKAGE = Path(__file__).parent.parent / "ntkfeyn"
TENSORS = {"K": "G", "Theta": "H", "V": "VV", "D": "DD", "F": "FF"}
FOREIGN = Symbols(
    text=Letters(
        TENSORS, {"C_W": "cw", "lambda_W": "lw", "width_ratio": "r"}, "f", "O", ("[", "]"), "D", "m", "t", "kd",
    ),
    latex=Letters(
        TENSORS,
        {"C_W": "c_w", "lambda_W": "l_w", "width_ratio": "r", "C_b": "c_b", "lambda_b": "l_b"},
        "f", "O", ("[", "]"), "D", "m", "t", "kd", "e", "h", "j",
    ),
)  # fmt: skip
TEXT_SIGNS = "σΘΩλρ∂ℓ⟨⟩δ"
LATEX_SIGNS = (r"\sigma", r"\Theta", r"\Omega", r"\lambda", r"\rho", r"\partial", r"\ell", r"\langle", r"\delta", "C_W")


def theta() -> Recursion:
    return derive_recursion(standard("Theta"), 1)


def test_text_and_latex_of_a_recursion() -> None:
    text = recursion_text(theta(), TextNotation(FOREIGN.text))
    assert not set(TEXT_SIGNS) & set(text)
    assert "r cw H^{1}_12 [f'_1 f'_2]" in text
    assert "O_ab = lw f_a f_b + cw H_ab f'_a f'_b" in text
    latex = recursion_latex(theta(), LatexNotation(FOREIGN.latex))
    assert not [sign for sign in LATEX_SIGNS if sign in latex]
    assert r"r\,c_w\,H^{\{1\}}_{12}\,[ f'_{1}\,f'_{2}]" in latex


def test_labels_of_samples() -> None:
    letters = Letters({}, {}, "s", "O", ("<", ">"), "d", "n", "l", "k", samples=("alpha", "beta"))
    assert TextNotation(letters).tensor("K", 0, (1, 2)) == "K_{alpha beta}"
    assert TextNotation(letters).activation(2, 1) == "s'_beta"
    assert TextNotation(letters).tensor("K", 0, (1, 3)) == "K_{alpha 3}"


def test_pictures() -> None:
    drawings = [layout(diagram, FOREIGN) for diagram in theta().diagrams] + [equation(theta(), FOREIGN)]
    labels = [label for drawing in drawings for label in drawing.labels]
    assert not [label for label in labels if set(TEXT_SIGNS) & set(label.plain)]
    assert not [label for label in labels if any(sign in label.tex for sign in LATEX_SIGNS)]
    assert {"O", "H¹", "G¹", "VV", "DD", "FF", "f'f'"} <= {label.plain for label in labels}


def test_an_explanation() -> None:
    for diagram in (*theta().diagrams, *derive_recursion(standard("A"), 1).diagrams):
        text = explanation_text(explain_diagram(diagram, FOREIGN), 100, picture=False)
        lines = [line for line in text.splitlines() if "weight of layer" not in line]  # a rule's own words
        assert not [line for line in lines if set(TEXT_SIGNS) & set(line)], diagram.id


def test_the_appendix() -> None:
    """All files; what is left are the letters that stand for any tensor, and words of the rules."""
    files = latex_files([theta(), derive_recursion(standard("F"), 1)], "x", LatexOptions(symbols=FOREIGN))
    for name, text in files.items():
        found = [sign for sign in LATEX_SIGNS if re.search(re.escape(sign) + r"(?![a-zA-Z])", text)]
        assert not found, (name, found)
    assert r"\widehat{H}" in files["x/conventions.tex"]
    assert r"\csname nkf:Theta\endcsname{H}" in files["x/macros.tex"]


def test_theta_is_written_once() -> None:
    """In Python: the default letters. Everything else asks the record."""
    found = [path for path in PACKAGE.rglob("*.py") if r"\Theta" in path.read_text() or '"Θ"' in path.read_text()]
    assert {str(path.relative_to(PACKAGE)) for path in found} == {"render/symbols.py", "cli/encoding.py"}
    assert LATEX.tensor("Theta") == r"\Theta"
    assert TEXT.tensor("Theta") == "Θ"
