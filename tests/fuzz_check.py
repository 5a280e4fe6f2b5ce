"""Hostile texts for ``ntkfeyn check``: LaTeX, JSON and SymPy that grow from good ones, some of them large."""

from __future__ import annotations

import random
from pathlib import Path

import ntkfeyn as nf

DATA = Path(__file__).parent / "data"
HAND = r"""\newcommand{\ev}[1]{\left\langle #1 \right\rangle} \def\dG{\widehat{\Delta G}}
\begin{align}
F_{1324}^{(\ell+1)} &= C_W^2 \Theta_{34}\ev{\sigma_1\sigma_2\sigma'_3\sigma'_4} % a comment
\nonumber\\ &+ \frac{n_\ell}{n_{\ell-1}} C_W^2 \sum_{a\in\{1,3\}, b\in\{2,4\}} F_{a3b4}
\ev{\frac{d(\sigma_1\sigma_3')}{dz_a}} \ev{\partial_b(\sigma_2\sigma'_4)}
\end{align}
\[ D_{1234} = C_W \ev{\dG_{12}\widehat{\Delta\Omega}_{34}} + \tfrac14\rho C_W V_{abcd}\ev{\partial_a\partial_b\dG_{12}}
\ev{\partial_{cd}\Omega_{34}} + \frac12\rho C_W^2 D_{ab34}\ev{\partial_{ab}\dG_{12}}\ev{\dot\sigma_3\dot\sigma_4} \]
$$ V_{(12)(34)} = C_W^2 \langle\sigma_1\sigma_2;\sigma_3\sigma_4\rangle
+ \frac{\rho}{4} C_W^2 V_{\alpha\beta\gamma\delta}
K^{\alpha a}K^{\beta b}\langle(z_a z_b - K_{ab})\sigma_1\sigma_2\rangle
\mathbb{E}[\partial_\gamma\partial_\delta(\sigma_3\sigma_4)] $$
"""
CODE = """import sympy
f = C_W**2*tensor_symbol('Theta', 0, [3, 4])*expectation_symbol([[1, 0], [2, 0], [3, 1], [4, 1]])
F = f + Rational(1, 2)*WIDTH/WIDTH_BELOW*C_W**2*tensor_symbol('F', 1, [1, 3, 2, 4])*Expectation(Activation(1, 1))
"""
PIECES = (
    "{", "}", "$$", r"\[", r"\]", r"\begin{align}", r"\end{align}", r"\begin{verbatim}", r"\verb|", "%", "\n", "\\",
    r"\\", "&", "^", "_", "'", "#1", "#9", r"\newcommand{\x}{\x\x}", r"\newcommand{\y}[2][a]{#2\y{#1}}", r"\x", r"\y",
    r"\def\z#1#2{#1}", r"\z", r"\input{check.tex}", r"\input{/etc/passwd}", r"\input ../x", r"\input{|ls}",
    r"\write18{touch out}", r"\immediate\openout1=out", r"\frac", r"\frac{1}", r"\left(", r"\right.", r"\langle",
    r"\rangle", r"\sum_{a}", r"\sum_{a=1}^{9999999999}", "\\sum_{\\substack{a\\\\b}}",
    r"\partial_a", r"\frac{d^9}{dz_1^9}",
    r"\sigma^{(99)}_1", r"\sigma_1", r"\sigma(z_1)", r"z_1", r"\Omega_{12}", r"\Delta", r"\hat", r"\dot", "^{99}",
    "^{-1}", "K^{ab}", "K_{ab}", r"\Theta_{12}", "V_{1234}", "F_{abab}", r"^{\{9\}}", r"^{(\ell)}", "n_\\ell", "0",
    "1/0",
    "9" * 80, ".", ",", ";", "=", "+", "-", "*", "/", "(", ")", "[", "]", r"\{", r"\}", r"\mathrm", r"\text{x}", "\x00",
    "é", "\u202e", "٣", r"\leftrightarrow", r"\operatorname{Cov}", r"\mathbb{E}", r"\label{", r"\iffalse", r"\ntk@mean",
    r"\begin{aRecursion}", r"\end{document}", "C_W", r"\lambda_W", r"\rho", r"\mathrm{Av}_{13}", r"\mathrm{Av}_{24}[",
    r"\mathrm{Av}", r"\ntk@averaging{12}", r"\ntk@averaging",
)  # fmt: skip
OTHER_PIECES = (
    "{", "}", "[", "]", "(", ")", '"', "'", ",", ":", "=", "\n", "\\", "1e999", "9" * 5000, "10**10**10", "**", "-",
    "/",
    "null", "NaN", "true", "[" * 90, "(" * 90, "__import__('os').system('touch out')", "open('out', 'w')", "lambda: 0",
    "F.__class__", "import os", "exec('1')", "Activation(1, 99)", "Expectation", "tensor_symbol('F', 1, [1, 1, 1, 1])",
    "x for x in y", "\x00", "é", "F", "9**9**9**9", "f'{F}'", "F = F", '"schema"', "-1", "0", "[[1, 0]]",
    "Averaging(", "Averaging(F, (1, 3), (2, 4))", '"shared": true,',
)  # fmt: skip
MOST = 20_000  # signs of an ordinary text
LARGE = 1_500_000


def seeds() -> dict[str, tuple[str, ...]]:
    """Good texts by their ending."""
    derived = [nf.derive(name, order=order) for name, order in (("F", 1), ("D", 1), ("K", 1), ("V", 2))]
    derived += [nf.derive(name, shared=True) for name in ("K", "F")]
    formulas = tuple(rf"\begin{{align}}{one.latex()}\end{{align}}" for one in derived)
    return {
        ".tex": (HAND, HAND, *formulas, (DATA / "paper.tex").read_text()[:MOST]),
        ".json": tuple(one.to_json() for one in derived[:3]),
        ".py": (CODE,),
    }


def hostile(text: str, ending: str, rng: random.Random) -> str:
    """A few random edits; now and then something is repeated until the text is large."""
    pieces = PIECES if ending == ".tex" else OTHER_PIECES
    for _ in range(rng.randint(1, 5)):
        i = rng.randint(0, len(text))
        j = min(len(text), i + rng.randint(1, 60))
        kind = rng.randrange(6)
        if kind == 0:
            text = text[:i] + text[j:]
        elif kind == 1:
            text = text[:j] + text[i:j] * rng.randint(1, 3) + text[j:]
        elif kind == 2:
            text = text[:i] + rng.choice(pieces) + text[j:]
        else:
            text = text[:i] + rng.choice(pieces) + text[i:]
        text = text[:MOST]
    if rng.random() < 0.02:
        i, piece = rng.randint(0, len(text)), "".join(rng.choices(pieces, k=rng.randint(1, 3)))
        count = rng.choice((100, 3_000, LARGE // len(piece)))
        text = text[:i] + piece * min(count, LARGE // len(piece)) + text[i:]
    return text
