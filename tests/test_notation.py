"""One notation: every letter that a reader sees comes from the record that is passed down."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import sympy
from matplotlib.text import Text

import ntkfeyn as nf
from ntkfeyn.cli import main
from ntkfeyn.codegen.backends import Emission, backend
from ntkfeyn.derivation.enumeration import enumerate_diagrams
from ntkfeyn.derivation.recursion import Recursion, derive_recursion
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.targets import Target
from ntkfeyn.render.drawing.equation import equation
from ntkfeyn.render.drawing.layout import layout
from ntkfeyn.render.explain.explanation import explain_diagram
from ntkfeyn.render.explain.steps import explanation_json, explanation_text
from ntkfeyn.render.formulas import recursion_latex, recursion_text
from ntkfeyn.render.json import diagrams_json, recursion_json, recursion_pieces
from ntkfeyn.render.latex.appendix import LatexOptions, latex_files
from ntkfeyn.render.notation import LatexNotation, TextNotation
from ntkfeyn.render.symbols import LATEX, TEXT, Letters, Symbols
from ntkfeyn.render.sympy import names_of, to_sympy

PACKAGE = Path(__file__).parent.parent / "ntkfeyn"
TENSORS = {"K": "G", "Theta": "H", "V": "VV", "D": "DD", "F": "FF"}
SAMPLES = tuple(f"q{number}" for number in "abcdefgh")
TEXT_COUPLINGS = {"C_W": "cw", "lambda_W": "lw", "width_ratio": "r", "C_b": "cb", "lambda_b": "lb"}
WORDS = Letters(
    TENSORS, TEXT_COUPLINGS, "f", "O", ("[", "]"), "dd", "m", "t", "kd", "e", "h", "j", SAMPLES, "qo",
)  # fmt: skip
FOREIGN = Symbols(
    text=WORDS,
    plain=WORDS,
    latex=Letters(
        TENSORS,
        {"C_W": "c_w", "lambda_W": "l_w", "width_ratio": "r", "C_b": "c_b", "lambda_b": "l_b"},
        "f", "O", ("[", "]"), "dd", "m", "t", "kd", "e", "h", "j", SAMPLES, "qo",
    ),
)  # fmt: skip
TEXT_SIGNS = "σΘΩλρ∂ℓ⟨⟩δ"
LATEX_SIGNS = (
    r"\sigma", r"\Theta", r"\Omega", r"\lambda", r"\rho", r"\partial", r"\ell", r"\langle", r"\delta", "C_W",
)  # fmt: skip


def ours(text: str) -> list[str]:
    """Letters of ours in LaTeX, and tensors with numbers for samples."""
    found = [sign for sign in LATEX_SIGNS if re.search(re.escape(sign) + r"(?![a-zA-Z])", text)]
    return found + re.findall(r"(?<![A-Za-z\\])[KVDF]_\{|[a-zA-Z]_\{[0-9]{2}", text)


def theta() -> Recursion:
    return derive_recursion(standard("Theta"), 1)


def test_text_and_latex_of_a_recursion() -> None:
    text = recursion_text(theta(), TextNotation(FOREIGN.text))
    assert not set(TEXT_SIGNS) & set(text)
    assert "r cw H^{1}_{qa qb} [f'_qa f'_qb]" in text
    assert "O_ab = lw f_a f_b + cw H_ab f'_a f'_b" in text
    latex = recursion_latex(theta(), LatexNotation(FOREIGN.latex))
    assert not ours(latex)
    assert r"r\,c_w\,H^{\{1\}}_{qa,qb}\,[ f'_{qa}\,f'_{qb}]" in latex


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
    assert {"O", "H¹", "G¹", "VV", "DD", "FF", "f'f'", "qa", "qb"} <= {label.plain for label in labels}


def test_an_explanation() -> None:
    for diagram in (*theta().diagrams, *derive_recursion(standard("A"), 1).diagrams):
        text = explanation_text(explain_diagram(diagram, FOREIGN), 100, picture=False)
        assert not [line for line in text.splitlines() if set(TEXT_SIGNS) & set(line)], diagram.id
        assert not re.search(r"z-z|z_|slot \d|pair \d|C_W|NTK\d+(?![^:]*channel)", text), diagram.id


def test_the_appendix() -> None:
    """All files; what is left are the letters that stand for any tensor, and words of the rules."""
    files = latex_files([theta(), derive_recursion(standard("F"), 1)], "x", LatexOptions(symbols=FOREIGN))
    for name, text in files.items():
        assert not ours(text), name
    assert re.search(r"\\or *(\\,)?qa", files["x/macros.tex"])
    assert r"\widehat{H}" in files["x/conventions.tex"]
    assert r"\csname nkf:Theta\endcsname{H}" in files["x/macros.tex"]


def test_json_has_formulas_in_ones_own_letters() -> None:
    """Recursion, terms before and after Leibniz, diagrams, explanation; none where the letters are ours."""
    latex = LatexNotation(FOREIGN.latex)
    found = enumerate_diagrams(standard("Theta"), 1)
    documents = [
        recursion_json(theta(), latex),
        json.loads("".join(recursion_pieces([theta(), theta()], products=True, notation=latex))),
        diagrams_json(standard("Theta"), 1, found, found.diagrams, latex),
        explanation_json(explain_diagram(theta().diagrams[0], FOREIGN)),
    ]
    for document in documents:
        formulas = re.findall(r'"latex": "([^"]*)"', json.dumps(document))
        assert formulas
        assert not [formula for formula in formulas if ours(formula.replace("\\\\", "\\"))]
        [kind] = re.findall(r"ntkfeyn.([a-z]+)/1", document["schema"])
        schema = json.loads((PACKAGE / "schemas" / f"{kind}-1.schema.json").read_text())
        if kind != "recursions":
            jsonschema.validate(document, schema)
    assert documents[0]["cumulant"]["latex"] == r"H^{\{1\}}_{qa,qb}"
    assert len(re.findall('"latex"', json.dumps(documents[0]))) == 1 + len(theta().expanded)
    assert "latex" not in nf.derive("Theta", order=1).to_json()
    assert "latex" not in nf.derive("Theta", order=1, notation="ntkfeyn").to_json()


def test_sympy() -> None:
    expression = to_sympy(theta(), FOREIGN)
    text, latex = str(expression), sympy.latex(expression)
    assert not set(TEXT_SIGNS) & set(text)
    assert not ours(latex)
    assert not re.search(r"C_W|Theta|\bn_|\bs'|<|\[1", text)
    assert "G^{1}[qa,qb]" in text
    assert "[f'_qa f'_qb]" in text
    assert "m_t" in text
    assert r"\frac{c_w m_{t} " in latex
    assert expression - to_sympy(theta(), FOREIGN) == 0
    names = {str(symbol) for symbol in expression.free_symbols}
    assert {"cw", "lw", "m_t", "m_{t-1}"} <= names
    again = names_of(FOREIGN)
    assert expression.coeff(again.tensor_symbol("Theta", 1, (1, 2))) != 0  # one's own expressions are made alike


@pytest.mark.parametrize("language", ["python", "jax", "c"])
def test_comments_of_emitted_code(language: str) -> None:
    """Formulas and what surrounds them; names in the code stay what they are, and its comment says which is which."""
    files = backend(language).files(Emission([Target(standard("F"), 1)], symbols=FOREIGN))
    texts = {name: text for name, text in files.items() if not name.endswith((".mk", "_main.c"))}
    for name, text in texts.items():
        assert not set(TEXT_SIGNS) & set(text), name
        assert "rho" not in text
        assert not re.search(r"\bn_l|layer l\+1[;.]|of layer l\b|kernel K", text), name
    whole = "".join(texts.values())
    assert "FF_{qa qc qb qd} at layer t+1; r = width_ratio, cw = C_W, lw = lambda_W, cb = C_b, lb = lambda_b." in whole
    assert "r cw^2 sum" not in whole
    assert "cw^2 H_{qc qd} [f_qa f_qb f'_qc f'_qd]" in whole
    assert "slots 1 = qa, 2 = qb, 3 = qc, 4 = qd" in whole


def test_listed_diagrams(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(
        "[text]\npreactivation = 'h'\nactivation = 'f'\nsamples = ['qa', 'qb', 'qc', 'qd']\n"
    )
    with pytest.raises(SystemExit):
        main(["diagrams", "F", "--notation", str(tmp_path / "a.toml")])
    assert "neurons (f_qa f'_qc) (f_qb f'_qd)   tensors F@1[h-qc on (1), h-qd on (2)]" in capsys.readouterr().out


def test_figures() -> None:
    """Titles, axes and legends of compare and critical; a letter that matplotlib does not know is the terminal's."""
    from ntkfeyn.figures.comparison import label
    from ntkfeyn.figures.critical import symbol
    from ntkfeyn.figures.style import drawing, figure_notation

    strange = replace(FOREIGN.latex, tensors={**TENSORS, "V": r"\pmb{W}"}, expectation=(r"\mathbb{E}\bigl[", r"\bigr]"))
    with drawing():
        notation = figure_notation(replace(FOREIGN, latex=strange))
    assert label("Theta@1", notation, "11") == r"$m\,(\mathbb{E}[ H_{11}] - H_{11})$"
    assert symbol("K@1", notation) == r"G^{\{1\}}"
    assert symbol("V@1", notation) == r"\mathrm{VV}"
    with drawing():
        assert figure_notation(Symbols()).letters.expectation == LATEX.expectation
        assert label("Theta@1", figure_notation(Symbols()), "12") == r"$n\,(\langle \Theta_{12}\rangle - \Theta_{12})$"


def test_the_figure_of_critical(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every text in it."""
    from ntkfeyn.figures import style

    texts: list[str] = []

    def kept(figure: Any, directory: Path, stem: str) -> list[Path]:
        texts.extend(text.get_text() for text in figure.findobj(Text))
        return []

    monkeypatch.setattr(style, "save", kept)
    letters = r"""
    tensors = { K = "G", Theta = "H" }
    letters = { layer = "t", C_W = "c_w" }
    """
    (tmp_path / "a.toml").write_text(letters)
    options = ["--activation", "linear", "--depth", "16", "-o", str(tmp_path), "--notation", str(tmp_path / "a.toml")]
    with pytest.raises(SystemExit) as stopped:
        main(["critical", *options])
    assert not stopped.value.code, capsys.readouterr().err
    found = [text for text in texts if "$" in text and "mathdefault" not in text]
    assert {"layer $t$", "at criticality: $c_w = c_w^\\ast$", r"$|T^{(t)}|\,/\,G^a\,H^b$"} <= set(found)
    assert not [text for text in found if ours(text)]


def test_theta_is_written_once() -> None:
    """In Python: the default letters. Everything else asks the record."""
    found = [path for path in PACKAGE.rglob("*.py") if r"\Theta" in path.read_text() or '"Θ"' in path.read_text()]
    assert {str(path.relative_to(PACKAGE)) for path in found} == {"render/symbols.py", "cli/encoding.py"}
    assert LATEX.tensor("Theta") == r"\Theta"
    assert TEXT.tensor("Theta") == "Θ"
