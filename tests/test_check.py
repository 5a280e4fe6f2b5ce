"""The referee: right recursions pass in every form, wrong ones are named, what is not understood is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import jsonschema
import pytest
from errata import errata
from oracles.mutations import campaign, disguised, false_alarms

import ntkfeyn as nf
from ntkfeyn.cli import main
from ntkfeyn.derivation.recursion import derive_recursion
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.tensors import NAMES
from ntkfeyn.referee.report import check_text
from ntkfeyn.referee.scaling import Scaling
from ntkfeyn.referee.source import file_source, text_source
from ntkfeyn.referee.verdict import Verdict, check_source
from ntkfeyn.render.formulas import recursion_align
from ntkfeyn.render.notation import LatexNotation
from ntkfeyn.render.symbols import LATEX, Symbols

DATA = Path(__file__).parent / "data"
OUTPUTS = Path(__file__).parent.parent / "outputs"
SCHEMA = json.loads((Path(nf.__file__).parent / "schemas" / "check-1.schema.json").read_text())
F_TERM = r"\rho C_W^2 F_{a3b4} \langle\partial_a(\sigma_1\sigma_3')\rangle\langle\partial_b(\sigma_2\sigma'_4)\rangle"
F_FIRST = r"C_W^2 \Theta_{34}\langle\sigma_1\sigma_2\sigma'_3\sigma'_4\rangle"
F_LINE = rf"F_{{1324}}^{{(\ell+1)}} = {F_FIRST} + {F_TERM}"

RIGHT = {
    "bare": F_LINE,
    "a bracket with a label that is summed in a part of it": F_LINE.split("= ")[0]
    + rf"= \rho(\rho^{{-1}}{F_FIRST} + C_W^2 F_{{a3b4}}"
    + F_TERM.split("F_{a3b4}")[1]
    + ")",
    "expanded by hand": rf"F_{{1324}} = {F_FIRST} + \rho C_W^2 (F_{{1324}}\langle\sigma'_1\sigma'_3\rangle"
    r"\langle\sigma'_2\sigma'_4\rangle + F_{1344}\langle\sigma'_1\sigma'_3\rangle\langle\sigma_2\sigma''_4\rangle"
    r" + F_{3324}\langle\sigma_1\sigma''_3\rangle\langle\sigma'_2\sigma'_4\rangle"
    r" + F_{3344}\langle\sigma_1\sigma_3^{(2)}\rangle\langle\sigma_2\sigma''_4\rangle)",
    "inverse kernel": r"F_{1324}^{(\ell+1)} = "
    + F_FIRST
    + r" + \frac{n_\ell}{n_{\ell-1}}(C_W^{(\ell+1)})^2\sum_{\alpha,\beta,\gamma,\delta=1}^4"
    r"\langle\sigma_1\sigma'_3 z_\alpha\rangle_{K^{(\ell)}}\langle\sigma_2\sigma'_4z_\beta\rangle "
    r"K_{(\ell)}^{\alpha\gamma}K_{(\ell)}^{\beta\delta}F^{(\ell)}_{\gamma3\delta4}",
    "Greek labels and a scale": r"\frac{1}{n_\ell} F^{(\ell+1)}_{\alpha\gamma\beta\delta} = \frac{1}{n_\ell} C_W^2"
    r"\Theta_{\gamma\delta}\langle\dot\sigma_\gamma\sigma_\alpha\dot\sigma_\delta\sigma_\beta\rangle"
    r"+\frac{C_W^2}{n_{\ell-1}}\sum_{\mu\in\{\alpha,\gamma\}}\sum_{\nu\in\{\beta,\delta\}}F_{\mu\gamma\nu\delta}"
    r"\left\langle\frac{d(\sigma_\alpha\sigma'_\gamma)}{dz_\mu}\right\rangle"
    r"\left\langle\frac{\partial}{\partial z_\nu}\sigma(z_\beta)\sigma'(z_\delta)\right\rangle",
    "fluctuations, macros, a comment": r"""\newcommand{\ev}[1]{\left\langle #1 \right\rangle}
        \def\dG{\widehat{\Delta G}} % the fluctuation
        \begin{align}
        D_{1234} &= C_W \ev{\dG_{12}\widehat{\Delta\Omega}_{34}} \nonumber\\
        &\quad + \tfrac14\rho C_W V_{abcd}\ev{\partial_a\partial_b\dG_{12}}\ev{\partial_{cd}\Omega_{34}}\\
        &\quad + \frac12\rho C_W^2 D_{ab34}\ev{\partial_{ab}\dG_{j,12}}\ev{\dot\sigma_{i;3}\dot\sigma_4}\,. \label{d}
        \end{align}""",
    "Omega expanded": r"\begin{equation}\begin{split} \Theta_{12}^{(\ell+1)} &= \lambda_b + \lambda_W\langle\sigma_1"
    r"\sigma_2\rangle \\ &+ C_W\Theta_{12}\langle\sigma'_1\sigma'_2\rangle \end{split}\end{equation}",
    "a single input": r"K^{\{1\}}_{11} = \rho C_W (\tfrac12 K^{\{1\}}_{11}\langle\partial_1\partial_1(\sigma_1^2)"
    r"\rangle + \tfrac18V_{1111}\left\langle\frac{d^4 (\sigma_1\sigma_1)}{dz_1^4}\right\rangle)",
    "another order of symmetric indices": F_LINE.replace(r"\Theta_{34}", r"\Theta_{43}").replace(
        "F_{a3b4}", "F_{b4a3}"
    ),
}


def one(text: str, symbols: Symbols | None = None) -> Verdict:
    [verdict] = check_source(text_source(text), symbols or Symbols())
    return verdict


@pytest.mark.parametrize("style", RIGHT)
def test_right_recursions_pass_however_they_are_written(style: str) -> None:
    assert one(RIGHT[style]).equal


@pytest.mark.parametrize("notation", [None, "pdlt"])
@pytest.mark.parametrize("name", NAMES)
def test_what_the_tool_writes_passes(name: str, notation: str | None) -> None:
    recursion = nf.derive(name, order=1, notation=notation)
    assert nf.check(rf"\begin{{align}}{recursion.latex()}\end{{align}}", notation=notation).equal


def test_a_notation_file_maps_foreign_letters(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(
        "[tensors]\nF = '\\mathcal{F}'\nTheta = 'H'\n[letters]\nC_W = '\\sigma_w^2'\nactivation = '\\phi'\n"
        "expectation = ['\\mathbb{E}[', ']']\n"
    )
    recursion = nf.derive("F", order=1, notation=file)
    assert nf.check(rf"\begin{{align}}{recursion.latex()}\end{{align}}", notation=file).equal
    text = recursion.latex().replace(r"{\sigma_w^2}^{2}", r"\sigma_w^4")
    assert nf.check(rf"\begin{{align}}{text}\end{{align}}", notation=file).equal


@pytest.mark.parametrize("name", ["F", "V", "U", "B", "K"])
def test_order_2_passes_with_tensors_that_have_no_letter(name: str) -> None:
    recursion = nf.derive(name, order=2)
    assert nf.check(rf"\begin{{align}}{recursion.latex()}\end{{align}}").equal


def test_an_appendix_passes_by_its_macros() -> None:
    verdicts = check_source(file_source(OUTPUTS / "order1.tex"))
    assert len(verdicts) == 15
    assert all(verdict.equal for verdict in verdicts)


@pytest.mark.parametrize("name", ["F", "D", "Q"])
def test_json_and_sympy_pass_and_a_changed_one_does_not(name: str) -> None:
    recursion = nf.derive(name, order=1)
    assert nf.check(recursion).equal
    expression = recursion.sympy()
    assert nf.check(expression, name).equal
    wrong = nf.check(expression - 2 * expression.args[0], name)
    [verdict] = wrong.verdicts
    assert [edit.kind for edit in verdict.edits] == ["coefficient"]


def test_mistakes_are_caught_and_named() -> None:
    tally = campaign(30, 7)
    assert tally.caught["all"] == 30
    assert tally.share() >= 0.95, tally.missed
    assert not false_alarms(10, 7)


@pytest.mark.parametrize("name", NAMES)
def test_what_changes_nothing_is_no_mistake(name: str) -> None:
    random, renamed = Random(5), replace(LATEX, bound=r"\mu")
    recursion = derive_recursion(standard(name), max(1, standard(name).leading_order))
    for letters in (LATEX, renamed):
        text = recursion_align(disguised(recursion, random), LatexNotation(letters))
        assert one(text).equal, text


def test_the_verdict_names_term_line_and_diagram() -> None:
    wrong = "\n".join(["", F_LINE.split(" + ")[0], "+ 3 " + F_TERM.replace(r"\sigma_2", r"\sigma_1")])
    check = nf.check(wrong)
    data = json.loads(check.to_json())
    jsonschema.validate(data, SCHEMA)
    [found] = data["recursions"]
    [edit] = found["wrong"]
    assert (edit["line"], edit["kind"], edit["diagrams"]) == (3, "labels", ["F:1:2"])
    assert "F_{b_{1}3b_{2}4}" in edit["correction"]
    assert "wrong labels" in str(check)


def test_a_doubled_coefficient_is_not_taken_for_a_term_and_its_halves() -> None:
    text = nf.derive("D", order=1).latex().replace(r"C_W\,\langle \sigma_{1}", r"2 C_W\,\langle \sigma_{1}", 1)
    [edit] = one(rf"\begin{{align}}{text}\end{{align}}").edits
    assert (edit.written, edit.kind, edit.found, edit.expected) == (0, "coefficient", "2", "1")


def test_a_missing_and_an_extra_term() -> None:
    [missing] = one(F_LINE.split(" + ")[0]).edits
    assert missing.written is None
    assert missing.unit is not None
    assert missing.unit.diagrams == ("F:1:2",)
    check = nf.check(F_LINE.split(" + ")[0])
    drawn = check_text(check.verdicts, check.source, 80)
    assert len(drawn.splitlines()) > len(str(check).splitlines()) + 3
    [extra] = one(F_LINE + r" + B_{1234}\langle\sigma_1\sigma_2\rangle").edits
    assert (extra.written, extra.unit) == (2, None)


def test_conditions_and_another_normalisation_are_recognised() -> None:
    lazy = r"\Theta_{12}^{(\ell+1)} = \langle\sigma_1\sigma_2\rangle + C_W\Theta_{12}\langle\sigma'_1\sigma'_2\rangle"
    assert one(lazy).under == ("lambda_b = 0", "lambda_W = 1")
    assert one(F_LINE.replace(r"\rho ", "")).under == ("equal widths",)
    scaled = one(rf"F_{{1324}} = n_\ell^{{-1}}\left({F_LINE.split('= ')[1]}\right)")
    assert scaled.scaling == Scaling("n_l^-1")
    assert not scaled.edits


PAPER = {  # the kinds of what differs in print, for lambda_W = 1
    "F": [], "V": [], "K": [], "B": [], "U": [], "Theta": [],
    "D": ["labels"], "A": ["labels", "labels"], "P": ["labels"], "Q": ["labels", "labels"],
    "R": ["derivatives", "derivatives", "derivatives"], "S": ["width"], "T": ["derivatives", "derivatives"],
}  # fmt: skip


def test_the_paper() -> None:
    verdicts = {verdict.recursion.name: verdict for verdict in check_source(file_source(DATA / "paper.tex"))}
    assert verdicts.keys() == PAPER.keys()
    for name, kinds in PAPER.items():
        assert [edit.kind for edit in verdicts[name].edits] == kinds, name
    assert (OUTPUTS / "errata.md").read_text() == errata()


def test_what_is_fixed_is_right(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad, good = tmp_path / "bad.tex", tmp_path / "good.tex"
    body = (
        f"text $x=1$\n\\begin{{align}}\n{F_LINE.replace('C_W^2 F', 'C_W F')} - B_{{1234}}\\langle\\sigma_1\\rangle,\n"
    )
    bad.write_text(body + "\\end{align}\nmore text\n")
    with pytest.raises(SystemExit) as ended:
        main(["check", str(bad), "--fix", str(good)])
    assert ended.value.code == 1
    assert good.read_text().startswith("text $x=1$")
    assert good.read_text().endswith(",\n\\end{align}\nmore text\n")
    with pytest.raises(SystemExit) as ended:
        main(["check", str(good), "--format", "json"])
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    jsonschema.validate(json.loads(printed[printed.index("{\n") :]), SCHEMA)


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        (
            F_LINE + r" + (1 \leftrightarrow 2)",
            "column 203: '\\\\leftrightarrow' stands for terms that are not written",
        ),
        (F_LINE.replace("F_{a3b4}", "F_{a3c4}"), "the label c|the label a"),
        (F_LINE.replace(r"\Theta_{34}", r"\Theta_{345}"), "has 3 labels"),
        (F_LINE.replace(r"\Theta_{34}", r"\Phi_{34}"), r"the sign '\\Phi' is not known"),
        (F_LINE + r" + \sigma_1", "an activation stands outside of a mean"),
        (F_LINE + r" + \langle\sigma_1", "this bracket is not closed"),
        (F_LINE + " + " + "(" * 500 + "1" + ")" * 500, "nested too deeply"),
        (r"\newcommand{\x}{\x\x}" + F_LINE + r"\x", r"the macro \\x does not end"),
        (F_LINE + "{", "this brace is not closed"),
        ("no formula", "no recursion was found"),
    ],
)
def test_what_is_not_understood_is_refused(formula: str, message: str) -> None:
    with pytest.raises(NtkfeynError, match=message):
        check_source(text_source(formula))


def test_python_is_read_and_never_run(tmp_path: Path) -> None:
    source = tmp_path / "f.py"
    source.write_text(f"F = __import__('os').system('touch {tmp_path}/ran')\n")
    with pytest.raises(SystemExit) as ended:
        main(["check", str(source)])
    assert ended.value.code == 2
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("repeated", [r"\begin{align}", "$$ ", r"\[ ", "\\\\"])
def test_formulas_without_an_end_take_no_time(repeated: str) -> None:
    with pytest.raises(NtkfeynError, match="no recursion was found"):
        check_source(text_source(repeated * 50_001 + "x"))
