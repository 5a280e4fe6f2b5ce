"""What the referee reads: one example a way of writing, which passes, and a twin with one mistake, which does not."""

from __future__ import annotations

import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import fuzz
import pytest

import ntkfeyn as nf
from ntkfeyn.cli import main
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.referee import canonical
from ntkfeyn.referee.evaluation import Evaluator
from ntkfeyn.referee.exponentials import ExponentialPoint
from ntkfeyn.referee.expressions import Inverse, Sum, Tensor, Times
from ntkfeyn.referee.letters import vocabulary
from ntkfeyn.referee.points import Point
from ntkfeyn.referee.source import blanked, file_source, text_source
from ntkfeyn.referee.summing import one_by_one
from ntkfeyn.referee.survey import read_claims
from ntkfeyn.referee.verdict import check_source
from ntkfeyn.render.notation_file import notation_of
from ntkfeyn.render.symbols import DEFAULT, Symbols

SECONDS = 20.0  # of processor time, on any machine, for what has taken a minute and takes one or two

T = r"\lambda_b + \lambda_W\langle\sigma_1\sigma_2\rangle + C_W\Theta_{12}\langle\sigma'_1\sigma'_2\rangle"
FIRST = r"C_W^2 \Theta_{34}\langle\sigma_1\sigma_2\sigma'_3\sigma'_4\rangle"
SECOND = r"\rho C_W^2 F_{a3b4} \langle\partial_a(\sigma_1\sigma_3')\rangle\langle\partial_b(\sigma_2\sigma'_4)\rangle"
F = rf"F_{{1324}} = {FIRST} + {SECOND}"
V = (
    r"V_{1234} = C_W^2(\langle\sigma_1\sigma_2\sigma_3\sigma_4\rangle"
    r" - \langle\sigma_1\sigma_2\rangle\langle\sigma_3\sigma_4\rangle)"
    r" + \tfrac14\rho C_W^2 V_{abcd}\langle\partial_a\partial_b(\sigma_1\sigma_2)\rangle"
    r"\langle\partial_c\partial_d(\sigma_3\sigma_4)\rangle"
)
D = (
    r"D_{1234} = C_W\langle\widehat{\Delta G}_{12}\widehat{\Delta\Omega}_{34}\rangle"
    r" + \tfrac14\rho C_W V_{abcd}\langle\partial_a\partial_b(\sigma_1\sigma_2)\rangle"
    r"\langle\partial_{cd}\Omega_{34}\rangle"
    r" + \tfrac12\rho C_W^2 D_{ab34}\langle\partial_{ab}(\sigma_1\sigma_2)\rangle\langle\sigma'_3\sigma'_4\rangle"
)
COVARIANCE = V.split("= ")[1].split(" + ")[0].removeprefix("C_W^2")
INVERSE = (
    r"V_{1234} = C_W^2(\langle\sigma_1\sigma_2\sigma_3\sigma_4\rangle"
    r" - \langle\sigma_1\sigma_2\rangle\langle\sigma_3\sigma_4\rangle) + \frac{n_\ell}{4n_{\ell-1}} C_W^2"
    r" \sum_{\beta_1,\ldots,\beta_4}\sum_{\gamma_1,\gamma_2,\gamma_3,\gamma_4}"
    r" K^{\beta_1\gamma_1}K^{\beta_2\gamma_2}K^{\beta_3\gamma_3}K^{\beta_4\gamma_4}V_{\gamma_1\gamma_2\gamma_3\gamma_4}"
    r"\langle\sigma_1\sigma_2(z_{\beta_1}z_{\beta_2}-K_{\beta_1\beta_2})\rangle_K"
    r"\langle\sigma_3\sigma_4(z_{\beta_3}z_{\beta_4}-K_{\beta_3\beta_4})\rangle_K"
)
RAISED = INVERSE.replace(r"\sum_{\gamma_1,\gamma_2,\gamma_3,\gamma_4}", "").replace(
    r"K^{\beta_1\gamma_1}K^{\beta_2\gamma_2}K^{\beta_3\gamma_3}K^{\beta_4\gamma_4}V_{\gamma_1\gamma_2\gamma_3\gamma_4}",
    r"V_{(\ell)}^{(\beta_1\beta_2)(\beta_3\beta_4)}",
)
WHOLE = r"""\documentclass{article} \newcommand{\ev}[1]{\langle #1\rangle}
\begin{document} Text with $F_{1324}=7$, 5\% and more. % \begin{align} F_{1324} = \langle 1 \rangle \end{align}
\verb|\[ F_{1324} = \langle\sigma_1\rangle \]| \begin{verbatim} \[ F_{1324} = \langle\sigma_1\rangle \] \end{verbatim}
\iffalse \[ F_{1324} = \langle\sigma_1\rangle \] \fi
\begin{equation*} \Theta_{12} = \lambda_b + \lambda_W\ev{\sigma_1\sigma_2} + C_W\Theta_{12}\ev{\sigma'_1\sigma'_2} .
\end{equation*} \end{document}"""


def in_(environment: str, formula: str) -> str:
    return rf"\begin{{{environment}}}{formula}\end{{{environment}}}"


def theta(old: str, new: str) -> str:
    assert old in T
    return r"\Theta_{12} = " + T.replace(old, new)


# phrase of the issue: (what passes, a part of it, the mistake that is put there)
PHRASES: dict[str, tuple[str, str, str]] = {
    "a whole paper: comments and text skipped": (WHOLE, r"+ C_W\Theta", r"+ 2C_W\Theta"),
    "one equation, bare": (F, "C_W^2 F", "C_W F"),
    "newcommand without arguments": (r"\newcommand\T{\Theta_{12}} \[" + theta(r"\Theta_{12}", r"\T") + r"\]",
        "{12}}", "{11}}"),
    "newcommand with arguments": (
        r"\newcommand{\m}[2]{\langle\sigma_#1\sigma_#2\rangle} \[" + theta(r"\langle\sigma_1\sigma_2\rangle", r"\m12")
        + r"\]", r"\m12", r"\m22"),
    "newcommand with an optional argument": (
        r"\newcommand{\s}[2][]{\sigma^{#1}_{#2}} \[" + theta(r"\sigma'_1", r"\s[\prime]{1}") + r"\]", r"[\prime]", ""),
    "def": (r"\def\s#1{\sigma_{#1}} \[" + theta(r"\sigma_1\sigma_2", r"\s1\s2") + r"\]", r"\s1", r"\s2"),
    "macros in macros": (
        r"\newcommand{\x}{\y}\newcommand{\y}{\Theta_{12}} \[" + theta(r"\Theta_{12}", r"\x") + r"\]", "{12}}", "{22}}"),
    "DeclareMathOperator": (
        r"\DeclareMathOperator{\cov}{Cov} \[" + V.replace(COVARIANCE, r"\cov(\sigma_1\sigma_2,\sigma_3\sigma_4)")
        + r"\]", r",\sigma_3", r",\sigma_2"),
    "DeclarePairedDelimiter": (
        r"\DeclarePairedDelimiter{\ev}{\langle}{\rangle} \["
        + theta(r"\langle\sigma_1\sigma_2\rangle", r"\ev*{\sigma_1\sigma_2}") + r"\]", r"\sigma_2}", r"\sigma_1}"),
    "equation": (in_("equation", F + r"\label{f}"), "C_W^2 F", "C_W F"),
    "equation*": (in_("equation*", F), "C_W^2 F", "C_W F"),
    "align": (in_("align", F.replace("=", "&=").replace(" + ", r"\nonumber\\ &+")), "C_W^2 F", "C_W F"),
    "align, two recursions": (in_("align", F.replace("=", "&=") + r"\\ \Theta_{12} &= " + T), r"\lambda_b +", ""),
    "gather": (in_("gather", F.replace(" + ", r"\\ + ")), "C_W^2 F", "C_W F"),
    "multline": (in_("multline", F.replace(" + ", r"\\ + ")), "C_W^2 F", "C_W F"),
    "split": (in_("equation", in_("split", F.replace("=", "&=").replace(" + ", r"\\[2pt] &\quad+"))), "C_W^2 F",
        "C_W F"),
    "aligned": (r"\[" + in_("aligned", F.replace("=", "={}&").replace(" + ", r"\\&+")) + r"\]", "C_W^2 F", "C_W F"),
    "dollars": ("$$" + F + "$$", "C_W^2 F", "C_W F"),
    r"\left \right \big": (
        theta(r"\langle\sigma_1\sigma_2\rangle", r"\left\langle\sigma_1\sigma_2\right\rangle").replace(
            r"C_W\Theta_{12}\langle\sigma'_1\sigma'_2\rangle",
            r"\left.\bigl(C_W\Theta_{12}\Big\langle\sigma'_1\sigma'_2\Big\rangle\bigr)\right."), r"\bigl(", r"\bigl(2"),
    r"\frac": (V.replace(r"\tfrac14", r"\frac{1}{4}"), r"\frac{1}{4}", r"\frac{1}{2}"),
    r"\tfrac": (V, r"\tfrac14", r"\tfrac12"),
    r"\dfrac": (V.replace(r"\tfrac14", r"\dfrac14"), r"\dfrac14", r"\dfrac34"),
    "numbers with / and points": (V.replace(r"\tfrac14", "(1/2)0.5"), "0.5", "0.25"),
    r"\text \mathrm \bm": (
        r"\bm{\Theta}_{12}^{(\ell+1)} = " + T.replace("C_W", r"C_{\text{W}}").replace(r"\lambda_W",
        r"\lambda_{\mathrm W}"),
        r"+ \lambda_{\mathrm W}", r"- \lambda_{\mathrm W}"),
    "a full stop and a comma at the end": (F + r" \,.", "C_W^2 F", "C_W F"),
    r"F^{(\ell+1)}_{1324}": (F.replace("F_{1324} =", r"F^{(\ell+1)}_{1324} ="), "_{1324}", "_{1342}"),
    r"\Theta^{\{1\}(\ell+1)}_{\alpha\beta}": (
        r"K^{\{1\}(\ell+1)}_{\alpha\beta} = \frac{n_\ell}{n_{\ell-1}} C_W(\tfrac12 K^{\{1\}(\ell)}_{ab}"
        r"\langle\partial_a\partial_b(\sigma_\alpha\sigma_\beta)\rangle + \tfrac18 V_{abcd}"
        r"\langle\partial_{abcd}(\sigma_\alpha\sigma_\beta)\rangle)", r"\tfrac18", r"\tfrac14"),
    r"V_{(12)(34)}^{(\ell+1)}": (V.replace("V_{1234}", r"V_{(12)(34)}^{(\ell+1)}"), "(12)(34)", "(13)(24)"),
    "labels with commas, and numbers": (F.replace("F_{1324}", "F_{1,3,2,4}"), "1,3,2,4", "1,3,2,2"),
    "neuron indices": (theta(r"\sigma_1", r"\sigma_{i;1}").replace(r"\sigma'_2", r"\sigma'_{i,2}"), "{i;1}", "{i;2}"),
    "layers at everything": (
        r"\Theta^{(\ell+1)}_{12} = \lambda_b^{(\ell+1)} + \lambda_W^{(\ell+1)}\langle\sigma_1^{(\ell)}\sigma_2^{(\ell)}"
        r"\rangle_{K^{(\ell)}} + C_W^{(\ell+1)}\Theta^{(\ell)}_{12}\langle\sigma'_1\sigma'_2\rangle_{K^{(\ell)}}",
        "C_W^{(", r"\rho C_W^{("),
    "from layer l-1 to l": (
        F.replace("F_{1324} =", r"F_{1324}^{(\ell)} =").replace(r"\Theta_{34}", r"\Theta_{34}^{(\ell-1)}")
        .replace(r"\rho", r"\frac{n_{\ell-1}}{n_{\ell-2}}"), r"{n_{\ell-2}}", r"{n_{\ell-1}}"),
    "a bracket without its kernel": (theta(r"\rangle", r"\rangle"), r"_1\sigma_2", r"_1\sigma_1"),
    "a bracket with its kernel": (theta(r"\rangle", r"\rangle_{K^{(\ell)}}"), r"_1\sigma_2", r"_1\sigma_1"),
    r"\sigma''": (
        theta(r"\lambda_b", r"\lambda_b + \langle\sigma''_1\rangle-\langle\sigma_1''\rangle"), r"-\langle\sigma_1''",
        r"-\langle\sigma_1'"),
    r"\sigma^{(3)}": (
        theta(r"\lambda_b", r"\lambda_b + \langle\sigma^{(3)}_1\rangle-\langle\sigma_1'''\rangle"), "(3)", "(4)"),
    r"\dot\sigma": (theta(r"\sigma'_1\sigma'_2", r"\dot\sigma_1\dot{\sigma}_2"), r"\dot\sigma_1", r"\sigma_1"),
    r"\sigma(z)": (theta(r"\sigma'_1\sigma'_2", r"\sigma'(z_1)\sigma'(z_{i;2})"), "(z_1)", "(z_2)"),
    "fluctuations": (D, r"\Omega}_{34}", r"\Omega}_{33}"),
    r"\Delta in front of a bracket": (D.replace(r"\widehat{\Delta G}_{12}", r"\Delta(\sigma_1\sigma_2)"),
        r"(\sigma_1\sigma_2)\widehat", r"(\sigma_1\sigma_1)\widehat"),
    "a covariance written out": (V, r"\rangle - ", r"\rangle + "),
    r"\langle f; g\rangle": (V.replace(COVARIANCE, r"\langle\sigma_1\sigma_2;\sigma_3\sigma_4\rangle"), ";", ""),
    r"\langle f, g\rangle_c": (V.replace(COVARIANCE, r"\langle\sigma_1\sigma_2,\sigma_3\sigma_4\rangle_c"), r"_2,",
        r"_1,"),
    "Cov": (V.replace(COVARIANCE, r"\operatorname{Cov}[\sigma_1\sigma_2,\sigma_3\sigma_4]"), r"_2,", r"_1,"),
    r"\mathbb{E}": (theta(r"\langle\sigma_1\sigma_2\rangle",
        r"\mathbb{E}_{z\sim\mathcal N(0,K)}\left[\sigma_1\sigma_2\right]"),
        r"\sigma_2\right", r"\sigma_1\right"),
    r"\mathbb E without braces": (theta(r"\langle\sigma_1\sigma_2\rangle", r"\mathbb E[\sigma(z_1)\sigma(z_2)]"),
        "z_2", "z_1"),
    r"\Omega written": (r"\Theta_{12} = \lambda_b + \langle\Omega_{12}\rangle", "{12}\\rangle", "{11}\\rangle"),
    r"\Omega expanded": (
        D.replace(r"\partial_{cd}\Omega_{34}",
        r"\partial_{cd}(\lambda_W\sigma_3\sigma_4 + C_W\Theta_{34}\sigma'_3\sigma'_4)"),
        r"C_W\Theta_{34}", r"C_W\Theta_{33}"),
    r"\partial_\beta": (
        F.replace(r"\partial_a", r"\partial_\beta").replace("F_{a3", r"F_{\beta3"), r"_\beta(\sigma_1",
        r"_\beta(\sigma_2"),
    r"\partial_{z_\beta}": (F.replace(r"\partial_a", r"\partial_{z_a}"), "F_{a3b4}", "F_{a3b3}"),
    r"\frac{\partial}{\partial z_\beta}": (
        F.replace(r"\partial_a", r"\frac{\partial}{\partial z_a}"), r"\partial z_a}(\sigma_1",
        r"\partial z_a}(\sigma_2"),
    r"\frac{d^2 ..}{dz dz}": (
        V.replace(r"\partial_a\partial_b(\sigma_1\sigma_2)", r"\frac{d^2 (\sigma_1\sigma_2)}{dz_{a} dz_{b}}"),
        r"(\sigma_1\sigma_2)}", r"(\sigma_1\sigma_1)}"),
    r"\left\langle \frac{d}{d z} \right\rangle": (
        F.replace(r"\langle\partial_a(\sigma_1\sigma_3')\rangle",
            r"\left\langle\frac{\mathrm{d}\,\sigma_1\sigma'_3}{\mathrm{d} z_a^{(\ell)}}\right\rangle"),
            r"\sigma_1\sigma'_3}", r"\sigma'_1\sigma'_3}"),
    r"\partial^2_{ab}": (V.replace(r"\partial_a\partial_b", r"\partial^2_{ab}"), r"\tfrac14", r"\tfrac12"),
    "a sum over a set": (
        F.replace(r"\rho C_W^2", r"\rho C_W^2\sum_{a\in\{1,3\}}\sum_{b\in\{2,4\}}"), r"{2,4\}", r"{2,3\}"),
    "a sum over two sets": (
        F.replace(r"\rho C_W^2", r"\rho C_W^2\sum_{a\in\{1,3\},\,b\in\{2,4\}}"), r"{2,4\}", r"{2,3\}"),
    r"\substack": (
        F.replace(r"\rho C_W^2", r"\rho C_W^2\sum_{\substack{a\in\{1,3\}\\ b\in\{2,4\}}}"), r"{2,4\}", r"{2,3\}"),
    "a sum over all": (F.replace(r"\rho C_W^2", r"\rho C_W^2\sum_{a,b=1}^{4}"), "^{4}", "^{3}"),
    "an implied sum": (F, "F_{a3b4}", "F_{b3a4}"),
    "inverse kernels": (INVERSE, r"z_{\beta_1}z_{\beta_2}-K", r"z_{\beta_1}z_{\beta_2}+K"),
    "labels raised with it": (RAISED, r"V_{(\ell)}^{(\beta_1\beta_2)(\beta_3\beta_4)}",
        r"V^{(\ell)}_{(\beta_1\beta_2)(\beta_3\beta_4)}"),
    r"K^{-1}_{ab}": (INVERSE.replace(r"K^{\beta_1\gamma_1}", r"K^{-1}_{\beta_1\gamma_1}"), "K^{-1}", "K"),
    r"(K^{-1})_{ab}": (INVERSE.replace(r"K^{\beta_1\gamma_1}", r"(K^{-1})_{\beta_1\gamma_1}"), "(K^{-1})", "K"),
    r"[K^{-1}]^{ab}": (INVERSE.replace(r"K^{\beta_1\gamma_1}", r"[K^{-1}_{(\ell)}]^{\beta_1\gamma_1}"),
        r"^{\beta_1\gamma_1}", r"^{\beta_1\gamma_2}"),
    r"(K^{(l)})^{-1}_{ab}": (
        INVERSE.replace(r"K^{\beta_1\gamma_1}", r"\bigl(K^{(\ell)}\bigr)^{-1}_{\beta_1\gamma_1}"),
        r"\bigl(K^{(\ell)}\bigr)^{-1}", "K"),
    "commas between pairs": (F.replace("F_{a3b4}", "F_{a3,b4}").replace("F_{1324}", "F_{13,24}"), "13,24", "12,34"),
    r"n_\ell over n_{\ell-1}": (F.replace(r"\rho", r"\frac{n_\ell}{n_{\ell-1}}"), r"{n_\ell}{n", r"{n_{\ell-1}}{n"),
    "a ratio with / and powers": (F.replace(r"\rho", r"n_{\ell} n_{\ell-1}^{-1}"), "^{-1}", "^{-2}"),
    "a scale on the left": (r"\frac{1}{n_{\ell}} F_{1324} = \frac{1}{n_\ell}(" + F.split("= ")[1] + ")",
        r"\frac{1}{n_\ell}(", "("),
    "C_W with a layer and a power": (F.replace("C_W^2 F", r"\left(C_W^{(\ell+1)}\right)^2 F"), r"\right)^2",
        r"\right)^1"),
    r"\lambda_W in braces": (theta(r"\lambda_W", r"{\lambda}_{W}"), r"{\lambda}_{W}", r"{\lambda}_{b}"),
}  # fmt: skip


@pytest.mark.parametrize("phrase", PHRASES)
def test_what_people_write_is_read_and_a_mistake_in_it_is_seen(phrase: str) -> None:
    text, old, new = PHRASES[phrase]
    assert old in text
    verdicts = check_source(text_source(text))
    assert all(verdict.equal for verdict in verdicts)
    wrong = text.replace(old, new, 1)
    assert not all(verdict.equal for verdict in check_source(text_source(wrong))), wrong


REFUSED = {
    r"(1 \leftrightarrow 2)": (F + r" + (1 \leftrightarrow 2)", r"'\\leftrightarrow' stands for terms"),
    "perm.": (F + r" + \text{perm.}", "perm.*stands for terms|not understood"),
    "perms": (F + r" + \mathrm{perms}", "'perms' stands for terms"),
    "permutations in brackets": (F + r" + (\text{2 permutations})", "stands for terms|not known|not understood"),
    "dots": (F + r" + \ldots", "stands for terms"),
    "a Kronecker delta": (F + r" + \delta_{12}\langle\sigma_1\rangle", "a Kronecker delta"),
    "another layer": (F.replace(r"\Theta_{34}", r"\Theta_{34}^{(\ell+1)}"), r"Theta of layer \\ell\+1"),
    "a layer too low": (F.replace(r"\Theta_{34}", r"\Theta_{34}^{(\ell-1)}"), r"Theta of layer \\ell-1"),
    "a comma in a mean": (F.replace(r"\sigma_1\sigma_2", r"\sigma_1,\sigma_2", 1), "a comma in a mean"),
    "four connected parts": (F + r" + \langle\sigma_1;\sigma_2;\sigma_3;\sigma_4\rangle", "connected mean of 4 parts"),
    "one connected part": (F + r" + \langle\sigma_1\rangle_c", "connected mean of 1 parts"),
    "E without a bracket": (F + r" + \mathbb{E}\sigma_1", "without a bracket"),
    "a square root": (F + r" + \sqrt{C_W}", r"'\\sqrt' is not known"),
    "too many labels": (F.replace(r"\Theta_{34}", r"\Theta_{345}"), "has 3 labels"),
    "a sum twice over one label": (F + r" + \sum_{a,a}\Theta_{aa}", "this sum names no labels, or one twice"),
    "a sum over many": (F + r" + \sum_{a=1}^{" + "9" * 5000 + r"}\Theta_{aa}", "a sum from 1 to 9"),
    "a long number": (F + "+" + "9" * 100_000, "a long number"),
    "many divisions": (F + "+1" + "/2" * 100_000, "divided too often"),
    "another layer in a bracket": (F.replace(r"\rangle", r"\rangle_{K^{(\ell+1)}}"), "a mean at layer"),
    "a power before a bracket": (F + r"+ \mathbb{E}^2[\sigma_1]", "a power of"),
    "many scripts": (F + r"+ C_W" + "^{-1}" * 100_000, "many scripts at one sign"),
    "many terms": (F + "+1" * 30_000, "more than 10000 terms"),
    "an argument without end": (r"\newcommand{\x}[1]{#1}" + F + r"\x{" * 20_000, "this { is not closed"),
    "macros that double": (
        "".join(rf"\newcommand{{\x{a}}}{{\x{b}\x{b}}}" for a, b in pairwise("abcdefghijklmnopqrst"))
        + F + r"\xa", "does not end"),
    "definitions without end": (r"\newcommand{\x}{" * 20_000, "this definition does not end"),
    "a product without end": (F + r" + \langle" + r"\sigma_1^{99}" * 90 + r"\rangle", "more than 40 activations"),
    "powers of powers": (F + "+" + "(" * 5 + "2" + "^{99})" * 5, "numbers of a formula grow too long"),
    "a high order": (F.replace("F_{1324} =", r"F^{\{9\}}_{1324} ="), "a recursion of order 10"),
    "an accent alone": (F + r"\hat", "nothing stands below this accent"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_read_is_refused_by_name_with_line_and_column(case: str) -> None:
    text, message = REFUSED[case]
    start = time.process_time()
    with pytest.raises(NtkfeynError, match=message) as refused:
        check_source(text_source(text))
    assert "line 1, column " in str(refused.value)
    assert time.process_time() - start < SECONDS


@pytest.mark.parametrize(
    "repeated",
    ["\\", "%", r"\%", r"\begin{verbatim}", r"\begin{comment}", r"\verb|", r"\verb", r"\iffalse ", r"\newcommand",
     r"\def\x#1", r"\input{", r"\input{x}", r"\newcommand{\x}{y}", "{", r"\[ x=1 \]", "$", r"\begin{aRecursion}"],
)  # fmt: skip
def test_much_of_anything_takes_no_time(repeated: str) -> None:
    start = time.process_time()
    with pytest.raises(NtkfeynError):
        check_source(text_source("x=" + repeated * (60_000 // len(repeated))))
    assert time.process_time() - start < SECONDS


@pytest.mark.parametrize("sides", ["=", r"= \langle\sigma_1\rangle"])
def test_many_sides_take_no_time(sides: str) -> None:
    start = time.process_time()
    with suppress(NtkfeynError):
        check_source(text_source(rf"{F} {sides * 20_000}"))
    assert time.process_time() - start < SECONDS


def test_hidden_text_is_hidden_and_nothing_else() -> None:
    text = "a\\% b % c\n\\\\% d\n\\verb|%|x\\begin{verbatim}\nk\n\\end{verbatim}y\n\\iffalse z\\fi w\\verb|n\n|"
    shown = blanked(text)
    assert len(shown) == len(text)
    assert shown.count("\n") == text.count("\n")
    assert shown.split() == ["a\\%", "b", "\\\\", "x", "y", "w\\verb|n", "|"]
    source = text_source(text)
    assert [str(source.place(text.index(sign))) for sign in "xy"] == ["line 3, column 9", "line 5, column 15"]


def test_files_that_take_each_other_in_and_files_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "a.tex").write_text("one\n \\input{b}\n")
    (tmp_path / "b.tex").write_text("\\input{c}\n\\input a\n")
    with pytest.raises(NtkfeynError, match=r"b\.tex: line 2, column 1: the file '.*a\.tex' takes itself in"):
        file_source(tmp_path / "a.tex")
    (tmp_path / "b.tex").write_text("\\input{c}\n\\[" + F + "\\]\n")
    source = file_source(tmp_path / "a.tex")
    survey = read_claims(source, vocabulary(DEFAULT), None)
    assert str(source.place(survey.claims[0].equation.offset)).endswith("b.tex: line 2, column 3")
    assert any("'c' is not there" in line for line in survey.told(source))


def test_what_is_skipped_is_said_with_its_line_and_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "paper.tex"
    file.write_text(
        r"\[ x = 1 \]" + "\n" + r"\[ F_{12} = \langle\sigma_1\rangle \] $$ K_{12} = 7 $$" + "\n"
        r"\[ K^{(\ell)}_{12} = \langle z_1 z_2\rangle \]" + "\n" + rf"\[ {F} \]"
    )
    with pytest.raises(SystemExit) as ended:
        main(["check", str(file)])
    assert ended.value.code == 0
    told = capsys.readouterr().err
    assert "5 equations read, 1 recursion found" in told
    assert "line 2, column 4: F skipped: it has 2 labels, not 4" in told
    assert "K skipped: no mean stands on the right" in told
    assert "line 3, column 4: K skipped: it is of layer \\ell, and nothing of layer \\ell-1" in told
    assert "1 equation of something else skipped (line 1)" in told


def test_more_than_sixty_recursions() -> None:
    assert len(check_source(text_source(rf"\[ \Theta_{{12}} = {T} \]" * 100))) == 100


def test_a_notation_maps_foreign_letters_with_accents() -> None:
    letters = {"tensors": {"Theta": r"\widehat{H}"}, "letters": {"activation": r"\phi", "C_W": r"\sigma_w^2"}}
    symbols: Symbols = notation_of(letters, "own")
    text = r"\hat{H}_{12} = " + T.replace(r"\Theta", r"\widehat{H}").replace(r"\sigma", r"\phi")
    text = text.replace("C_W", r"\sigma_w^2")
    assert check_source(text_source(text), symbols)[0].equal
    assert not check_source(text_source(text.replace(r"\sigma_w^2", r"\sigma_w^4")), symbols)[0].equal
    with pytest.raises(NtkfeynError, match="differ by a font or an accent"):
        vocabulary(notation_of({"tensors": {"Theta": r"\bar{K}"}}, "own"))


@pytest.mark.parametrize("kind", ["polynomial", "exponentials"])
def test_means_at_a_point_obey_stein_and_leibniz(kind: str) -> None:
    """<z_1 s_1 s_2'> = K_11 <s_1' s_2'> + K_12 <s_1 s_2''>; a covariance is symmetric; nothing vanishes."""
    point = Point(3, 3, 4) if kind == "polynomial" else ExponentialPoint(3, 3)
    kernel, mean = point.kernel, point.mean
    one = ((0, -1), (0, 0), (1, 1))
    assert mean(one) == kernel[0][0] * mean(((0, 1), (1, 1))) + kernel[0][1] * mean(((0, 0), (1, 2)))
    assert mean(((0, -1), (2, -1))) == kernel[0][2]
    assert mean(((0, -1), (0, -1), (1, 0), (2, -1))) == (
        2 * kernel[0][2] * kernel[0][1] * mean(((1, 1),))
        + kernel[0][0] * kernel[1][2] * mean(((1, 1),))
        + kernel[0][1] ** 2 * kernel[1][2] * mean(((1, 3),))
    )
    values = [mean(((0, k), (1, j))) for k in range(4) for j in range(4)]
    assert len({*values}) == len(values)
    assert 0 not in values


def test_sums_one_by_one_have_the_same_value() -> None:
    labels = {"1": 0, "2": 1, "3": 2}
    node = Sum(("a", "b", "c"), None, Times((
        Inverse(("a", "b")), Tensor("K", 0, ("b", "c")), Sum(("d",), ("1", "2"), Times((
            Tensor("Theta", 0, ("a", "d")), Tensor("V", 1, ("c", "c", "d", "1")))))
    )))  # fmt: skip
    point = Point(1, 3, 0)
    by_hand = sum(
        point.inverse(a, b) * point.tensor("K", 0, (b, c)) * point.tensor("Theta", 0, (a, d))
        * point.tensor("V", 1, (c, c, d, 0))
        for a in range(3) for b in range(3) for c in range(3) for d in range(2)
    )  # fmt: skip
    assert Evaluator(point, labels).value(node) == by_hand
    assert one_by_one(node) != node


def test_sums_over_eight_labels_are_quick() -> None:
    start = time.process_time()
    assert check_source(text_source(INVERSE))[0].equal
    assert time.process_time() - start < SECONDS


def test_a_few_seconds_of_hostile_formulas_find_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = fuzz.fuzz(60.0, seed=20261125, kinds=["check"], rounds=25)
    assert not found.findings
    assert found.calls["check"] == 25


def test_a_formula_too_long_to_be_named_is_judged(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canonical, "MAX_WORK", 1000)
    file = tmp_path / "long.tex"
    file.write_text(F + "+" + "(C_W+C_b+1)" * 20)
    with pytest.raises(SystemExit) as ended:
        main(["check", str(file)])
    assert ended.value.code == 1
    assert "what is wrong is not named" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.py", "F = C_W**2*tensor_symbol('Theta', 0, [3, -4])*expectation_symbol([[1, 0], [2, 0]])"),
        ("a.json", nf.derive("F", order=1).to_json().replace('"order": 1', '"order": 1e999', 1)),
    ],
)
def test_what_fuzzing_found(name: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(SystemExit) as ended:
        main(["check", str(tmp_path / name)])
    assert ended.value.code == 2
    assert "Traceback" not in capsys.readouterr().err
