"""Weights shared over labels: the averaging operator in every form in which recursions are written, read and judged.

Values decide: right-hand sides as SymPy writes them, with random maps of labels, against the forward equations of the
layer, whose functions and derivatives are written out by hand over all labels.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from jsonschema import Draft202012Validator, ValidationError
from test_documents import assert_clean, needs_tex, settled

import ntkfeyn as nf
from ntkfeyn.cli import main
from ntkfeyn.derivation.recursion import derive_recursion, derive_system
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.tensors import NAMES, TensorId
from ntkfeyn.symbols import C_B, C_W, Activation, Averaging, Expectation, tensor_symbol

SCHEMAS = Path(nf.__file__).parent / "schemas"
ORDER_ONE = [("K", 0), ("Theta", 0), *((name, 1) for name in NAMES)]
RNG = np.random.default_rng(18)
LABELS = 3
MAPS = [(0.7, RNG.normal(size=(LABELS, LABELS))), (0.5, RNG.normal(size=(LABELS, LABELS)))]  # w_t, M^t
VALUES = {"C_W": 1.3, "lambda_W": 0.8, "C_b": 0.2, "lambda_b": 0.4, "n_l": 6.0, "n_{l-1}": 5.0}
RATIO = VALUES["n_l"] / VALUES["n_{l-1}"]
ROOT = RNG.normal(size=(LABELS, LABELS))
KERNEL = ROOT @ ROOT.T + np.eye(LABELS)
COEFFICIENTS = (0.3, 1.0, 0.5, -0.2)  # of a polynomial activation


# --- a layer written out by hand: one neuron, all labels, no operator -------------------------------------------


def grid() -> tuple[np.ndarray, np.ndarray]:
    """Points (points, labels) and weights of a rule that is exact for the products of polynomials that occur."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(9)
    points = np.stack(np.meshgrid(*[nodes] * LABELS, indexing="ij"), axis=-1).reshape(-1, LABELS)
    product = np.prod(np.stack(np.meshgrid(*[weights / weights.sum()] * LABELS, indexing="ij")), axis=0).ravel()
    return points @ np.linalg.cholesky(KERNEL).T, product


POINTS, WEIGHTS = grid()
S = [np.polynomial.polynomial.polyval(POINTS, np.polynomial.polynomial.polyder(COEFFICIENTS, m)) for m in range(5)]


def mean(values: np.ndarray) -> Any:
    return np.tensordot(WEIGHTS, values, axes=(0, 0))


@lru_cache
def tensor(name: str, correction: int, labels: tuple[int, ...]) -> float:
    """Random, the same for labels that the symmetries of the tensor exchange; K is that of the points."""
    if (name, correction) == ("K", 0):
        return float(KERNEL[labels])
    least = tensor_symbol(name, standard(name).leading_order + correction, [label + 1 for label in labels]).args[2:]
    seed = [ord(sign) for sign in name] + [correction, *map(int, least)]
    return float(np.random.default_rng(seed).normal())


def array(name: str, correction: int = 0) -> np.ndarray:
    shape = (LABELS,) * len(standard(name).labels)
    return np.array([tensor(name, correction, index) for index in np.ndindex(shape)]).reshape(shape)


def mapped(order: int) -> np.ndarray:
    """Σ_a' M^t_aa' s^(m)_a', shape (t, points, labels)."""
    return np.array([S[order] @ m.T for _, m in MAPS])


W = np.array([w for w, _ in MAPS])
M = np.array([m for _, m in MAPS])
FIRST = np.einsum("tap,xp->txap", M, S[1])  # the derivative by z_p of Σ_a' M^t_aa' s_a'
SECOND = np.einsum("tap,xp,pq->txapq", M, S[2], np.eye(LABELS))


def product_of_slots() -> np.ndarray:
    """g_ab = Σ_t w_t (M^t s)_a (M^t s)_b, shape (points, labels, labels)."""
    return np.einsum("t,txa,txb->xab", W, mapped(0), mapped(0))


def second_derivatives() -> np.ndarray:
    """<d_p d_q g_ab> for all p, q, shape (a, b, p, q)."""
    m = mapped(0)
    both = np.einsum("t,txap,txbq->xabpq", W, FIRST, FIRST)
    one = np.einsum("t,txapq,txb->xabpq", W, SECOND, m)
    return mean(both + both.swapaxes(3, 4) + one + one.swapaxes(1, 2))


def by_hand(name: str) -> np.ndarray:
    """The tensor at layer l+1 in index order, for every label."""
    c, g = VALUES, product_of_slots()
    if name == "K":
        return c["C_b"] + c["C_W"] * mean(g)
    if name == "Theta":
        chain = np.einsum("t,txap,txbq,pq->xab", W, FIRST, FIRST, array("Theta"))
        return c["lambda_b"] + c["lambda_W"] * mean(g) + c["C_W"] * mean(chain)
    if name == "V":
        covariance = mean(np.einsum("xab,xcd->xabcd", g, g)) - np.einsum("ab,cd->abcd", mean(g), mean(g))
        moved = second_derivatives()
        below = np.einsum("pqrs,abpq,cdrs->abcd", array("V"), moved, moved)
        return c["C_W"] ** 2 * (covariance + RATIO / 4 * below)
    assert name == "F"
    halves = np.einsum("t,txa,txbp->xabp", W, mapped(0), FIRST)  # z of label a beside an NTK slot of label b on p
    source = mean(np.einsum("xacp,xbdq,pq->xacbd", halves, halves, array("Theta")))
    moved = np.einsum("t,txar,txcp->xacrp", W, FIRST, FIRST)  # d_r of it
    moved = mean(moved + np.einsum("t,txa,txcpr->xacrp", W, mapped(0), SECOND))
    below = np.einsum("rpsq,acrp,bdsq->acbd", array("F"), moved, moved)
    return c["C_W"] ** 2 * (source + RATIO * below)


# --- the same from an expression --------------------------------------------------------------------------------


def value(expression: Any, at: dict[int, int]) -> float:
    """An expression in the names of ntkfeyn.symbols, ``at`` the label of each slot."""
    kind, arguments = type(expression).__name__, expression.args
    if kind == "Averaging":
        inner, *pairs = arguments
        return averaged(inner, [(int(a), int(b)) for a, b in pairs], at)
    if kind == "Expectation":
        return one_mean(tuple(sorted((at[int(a.args[0])], int(a.args[1])) for a in arguments)))
    if kind == "LayerTensor":
        return tensor(str(arguments[0]), int(arguments[1]), tuple(at[int(label)] for label in arguments[2:]))
    if expression.is_Symbol or kind == "Width":
        return VALUES[str(expression)]
    if expression.is_Add:
        return sum(value(part, at) for part in arguments)
    if expression.is_Mul:
        return float(np.prod([value(part, at) for part in arguments]))
    return value(arguments[0], at) ** int(arguments[1]) if expression.is_Pow else float(expression)


def averaged(inner: Any, pairs: list[tuple[int, int]], at: dict[int, int]) -> float:
    if not pairs:
        return value(inner, at)
    (a, b), *rest = pairs
    factors = np.einsum("t,tp,tq->pq", W, M[:, at[a]], M[:, at[b]])
    places = np.ndindex(LABELS, LABELS)
    return sum(factors[place] * averaged(inner, rest, {**at, a: place[0], b: place[1]}) for place in places)


@lru_cache
def one_mean(factors: tuple[tuple[int, int], ...]) -> float:
    return float(mean(np.prod([S[m][:, label] for label, m in factors], axis=0)))


def index_of(name: str) -> tuple[int, ...]:
    return standard(name).index_labels()


@pytest.mark.parametrize("name", ["K", "Theta", "V", "F"])
def test_values_are_those_of_the_layer_written_out(name: str) -> None:
    expression, expected = nf.derive(name, shared=True).sympy(), by_hand(name)
    places = [(0, 2, 1, 1), (2, 1, 0, 2)] if expected.ndim == 4 else [*np.ndindex(LABELS, LABELS)]
    for place in places:
        at = dict(zip(index_of(name), place, strict=True))
        assert value(expression, at) == pytest.approx(expected[place], rel=1e-10), place
    dense = nf.derive(name).sympy()
    assert value(dense, at) != pytest.approx(expected[place], rel=1e-3)


@pytest.mark.parametrize("name", ["V", "F"])
def test_an_operator_on_one_pair_alone_fails(name: str) -> None:
    recursion = nf.derive(name, shared=True)
    dense, (first, second) = nf.derive(name).sympy(), recursion.record.averaged
    place = (0, 2, 1, 1)
    at = dict(zip(index_of(name), place, strict=True))
    assert value(Averaging(dense, first, second), at) == pytest.approx(by_hand(name)[place], rel=1e-10)
    for pair in (first, second):
        assert value(Averaging(dense, pair), at) != pytest.approx(by_hand(name)[place], rel=1e-3)


# --- the record -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "order"), [*ORDER_ONE, ("V", 2)])
def test_diagrams_and_terms_are_those_of_dense_layers(name: str, order: int) -> None:
    dense, shared = (derive_recursion(standard(name), order, shared=one) for one in (False, True))
    assert (shared.diagrams, shared.terms, shared.dependencies) == (dense.diagrams, dense.terms, dense.dependencies)
    assert shared.hash != dense.hash
    assert dense.averaged == ()
    assert sorted(map(sorted, shared.averaged)) == sorted(
        sorted(shared.cumulant.labels[v] for v in pair) for pair in shared.cumulant.channel
    )
    assert all(one.shared for one in derive_system([TensorId(name, order)], shared=True).recursions)


def test_slots_that_were_named_otherwise_are_averaged_by_their_names() -> None:
    recursion = nf.derive(legs="z4 z7 NTK(1,9)", channel="4-9.7-1", shared=True)
    assert sorted(map(sorted, recursion.record.averaged)) == [[1, 7], [4, 9]]
    assert str(recursion).splitlines()[3].endswith(" [")


# --- text and LaTeX ---------------------------------------------------------------------------------------------


def test_text_has_the_operators_before_a_bracket_and_constants_outside() -> None:
    lines = str(nf.derive("F", shared=True)).splitlines()
    assert lines[1].endswith("ρ = n_ℓ/n_(ℓ-1), weights shared over labels")
    assert (lines[3], lines[6]) == ("F_1324 = Av_13 Av_24 [", "]")
    assert lines[4:6] == str(nf.derive("F")).splitlines()[4:6]
    assert lines[8].startswith("Av_ab f(a,b) = Σ_t w_t Σ_{a',b'} M^t_{a a'} M^t_{b b'} f(a',b')")
    assert "K_12 = C_b + Av_12 [\n  K:0:1   C_W ⟨σ_1 σ_2⟩\n]\n" in str(nf.derive("K", shared=True))
    assert "Θ_12 = λ_b + Av_12 [\n" in str(nf.derive("Theta", shared=True))
    assert repr(nf.derive("F", shared=True)).endswith("2 product terms, shared over labels>")


@pytest.mark.parametrize(("name", "order"), [*ORDER_ONE, ("F", 2)])
def test_latex_is_that_of_dense_layers_in_brackets(name: str, order: int) -> None:
    dense, shared = (nf.derive(name, order, shared=one).latex() for one in (False, True))
    opened = re.search(r"((?:\\mathrm\{Av\}_\{\d\d\}\\,)+)\\bigl\[", shared)
    assert opened is not None
    assert opened[1].count("Av") == len(standard(name).channel)
    bare = shared.replace(opened[0], "").replace(r"\bigr]", "")
    constant = {"K": "C_b", "Theta": r"\lambda_b"}.get(name, "") if order == 0 else ""
    assert bare == (dense.replace(rf"{constant} \\{chr(10)}  &\quad +", f"{constant} +") if constant else dense)
    assert shared.count(r"\bigr]") == 1


def test_a_notation_has_a_letter_for_it(tmp_path: Path) -> None:
    path = tmp_path / "letters.toml"
    path.write_text("[letters]\naveraging = '\\mathcal{A}'\n[text]\naveraging = \"Avg\"\n")
    recursion = nf.derive("F", shared=True, notation=path)
    assert r"&= \mathcal{A}_{13}\,\mathcal{A}_{24}\,\bigl[" in recursion.latex()
    assert "F_1324 = Avg_13 Avg_24 [" in str(recursion)
    assert "Avg_13 Avg_24[" in str(recursion.sympy())
    assert r"\mathcal{A}_{13}\,\mathcal{A}_{24}\left[" in sympy.latex(recursion.sympy())
    for name in ("F", "A"):  # whose tensor has the same letter in another font
        assert nf.check(nf.derive(name, shared=True, notation=path).latex(), shared=True, notation=path).equal
    for letter, other in (("V", "V"), ("\\Omega", "omega")):
        path.write_text(f"[letters]\naveraging = '{letter}'\n")
        with pytest.raises(nf.NtkfeynError, match=f"(averaging and {other}|{other} and averaging) are both written"):
            nf.Notation.read(path)


# --- SymPy ------------------------------------------------------------------------------------------------------


def test_the_operator_is_linear_and_symmetric() -> None:
    x, y = (Expectation(Activation(1, m) * Activation(2)) for m in (0, 1))
    assert Averaging(2 * x + C_W * y, (1, 2)) == 2 * Averaging(x, (2, 1)) + C_W * Averaging(y, (1, 2))
    assert Averaging(x, (1, 2), (4, 3)) == Averaging(x, (3, 4), (2, 1)) == Averaging(Averaging(x, (4, 3)), (1, 2))
    assert Averaging(x, (1, 2)) != Averaging(x, (1, 3))
    assert Averaging(sympy.Integer(0), (1, 2)) == 0
    assert Averaging(C_B, (1, 2)) == C_B * Averaging(1, (1, 2)) != C_B  # zero padding forgets what is outside
    assert Averaging(Averaging(x, (1, 2)), (1, 2)) != Averaging(x, (1, 2))
    for pairs in [((1, 1),), ((1, 2), (2, 3)), ((1, 2, 3),)]:
        with pytest.raises(TypeError, match="pairs of labels"):
            Averaging(x, *pairs)


@pytest.mark.parametrize(("name", "order"), [("Theta", 0), ("F", 1), ("Q", 1), ("Theta", 1)])
def test_what_is_right_subtracts_to_zero(name: str, order: int) -> None:
    shared, dense = nf.derive(name, order, shared=True), nf.derive(name, order).sympy()
    constants = sum(part for part in sympy.Add.make_args(dense) if not part.has(Activation))
    pairs = [pair[::-1] for pair in shared.record.averaged[::-1]]
    assert sympy.expand(constants + Averaging(dense - constants, *pairs) - shared.sympy()) == 0


# --- JSON -------------------------------------------------------------------------------------------------------


def test_json_says_it_and_is_otherwise_that_of_dense_layers() -> None:
    schema = json.loads((SCHEMAS / "recursion-1.schema.json").read_text())
    dense, shared = (json.loads(nf.derive("F", shared=one).to_json()) for one in (False, True))
    Draft202012Validator(schema).validate(shared)
    assert shared["shared"] is True
    assert "shared" not in dense
    assert shared["hash"] != dense["hash"]
    assert {**shared, "hash": ""} == {**dense, "hash": "", "shared": True}
    with pytest.raises(ValidationError, match="True was expected"):
        Draft202012Validator(schema).validate({**shared, "shared": False})


# --- the appendix -----------------------------------------------------------------------------------------------


def fragments(paths: Sequence[Path]) -> dict[str, str]:
    """Texts by file name, figures left out."""
    return {path.name: path.read_text() for path in paths if path.parent.name != "figures"}


def test_the_appendix_defines_the_operator_and_where_it_stands(tmp_path: Path) -> None:
    paths = nf.emit(["K", "F"], lang="latex", shared=True, directory=tmp_path, expanded=True)
    texts = fragments(paths)
    assert paths[0].name == "shared_K_0_F_1.tex"
    assert r"\title{Finite-width recursions for shared weights from Feynman diagrams}" in texts["shared_K_0_F_1.tex"]
    assert r"(\mathrm{Av}\,f)(a,b)=\sum_tw_t\sum_{a',b'}M^t_{aa'}M^t_{bb'}\,f(a',b')" in texts["conventions.tex"]
    assert r"\mathrm{Var}\,W^t=C_Ww_t/n_\ell" in texts["conventions.tex"]
    assert r"\lambda_Ww_t/n_\ell$ for weights $W^t$" in texts["conventions.tex"]
    assert r"$K^{(1)}_{ab}=C_b+\tfrac{C_W}{n_0}\,\mathrm{Av}_{ab}[x_a\cdot x_b]$" in texts["conventions.tex"]
    assert r"\mathrm{Av}_{vw}\,\bigl[\ldots\bigr]" in texts["rules.tex"]
    assert r"\providecommand{\nkfAv}[1]{\mathrm{Av}_{#1}}" in texts["macros.tex"]
    first, recursion = texts["K-0.tex"].split("At layer 1")[1], texts["K-0.tex"].split(r"\begin{nkfRecursion}")[1]
    operator = r"\nkfAv{\nkfX{1}\nkfX{2}}"
    assert rf"=C_b+\tfrac{{C_W}}{{n_0}}\,{operator}\bigl[x_{{\nkfX{{1}}}}\cdot x_{{\nkfX{{2}}}}\bigr]$" in first
    rows = [line for line in recursion.splitlines() if line.startswith(r"\nkfRow")]
    assert rows[0] == r"\nkfRow{}{}{\nkfTerm{}{\nkfCb{1}}}"
    assert rows[1].startswith(rf"\nkfRow{{\nkfDiagram{{a}}}}{{+}}{{\nkfTerm{{K:0:1}}{{{operator}\nkfO \bigl[")
    both = r"\nkfAv{\nkfX{1}\nkfX{3}}\nkfO \nkfAv{\nkfX{2}\nkfX{4}}\nkfO \bigl["
    assert texts["F-1.tex"].count(both) == texts["F-1.tex"].count(r"\bigr]") == 2 + 2 + 1  # products, Leibniz, the sum
    assert "weights shared over labels" in texts["F-1.tex"]
    plain = fragments(nf.emit(["K", "F"], lang="latex", directory=tmp_path / "dense"))
    assert not any("Av" in text or "shared" in text for text in plain.values())


def test_a_closure_is_of_shared_weights_throughout(tmp_path: Path) -> None:
    paths = nf.emit("Theta@1", lang="latex", shared=True, closure=True, style="compact", directory=tmp_path)
    cumulants = [text for name, text in fragments(paths).items() if re.fullmatch(r"[A-Za-z]+-\d\.tex", name)]
    assert len(cumulants) == 7
    assert all(r"\nkfAv{" in text and "weights shared over labels" in text for text in cumulants)


@needs_tex
@pytest.mark.parametrize(("style", "columns"), [("full", 1), ("compact", 2)])
def test_it_compiles(style: str, columns: int, tmp_path: Path) -> None:
    nf.emit(
        ["K", "F", "Theta@1"], lang="latex", shared=True, directory=tmp_path, name="x", style=style, columns=columns
    )
    assert_clean(settled(tmp_path / "x.tex"))


# --- check ------------------------------------------------------------------------------------------------------

F = (
    r"\begin{align} F^{(\ell+1)}_{1324} &= \mathrm{Av}_{13}\operatorname{Av}_{24}\Bigl[ C_W^2 \Theta_{34}"
    r"\langle\sigma_1\sigma_2\sigma'_3\sigma'_4\rangle \\ &\quad + \rho C_W^2 \sum_{b\in\{1,3\}}\sum_{c\in\{2,4\}}"
    r" F_{b3c4}\langle\partial_b(\sigma_1\sigma'_3)\rangle\langle\partial_c(\sigma_2\sigma'_4)\rangle \Bigr]."
    r" \end{align}"
)
V = (
    r"\[ V_{1234} = C_W^2 \mathrm{Av}_{12}\mathrm{Av}_{34}\langle\sigma_1\sigma_2\sigma_3\sigma_4\rangle"
    r" - C_W^2 \mathrm{Av}_{12}[\langle\sigma_1\sigma_2\rangle] \mathrm{Av}_{34}[\langle\sigma_3\sigma_4\rangle]"
    r" + \frac{\rho}{4} C_W^2 \mathrm{Av}_{12}\mathrm{Av}_{34}[V_{abcd}"
    r" \langle\partial_a\partial_b(\sigma_1\sigma_2)\rangle \langle\partial_c\partial_d(\sigma_3\sigma_4)\rangle] \]"
)
K = r"\[ K_{12} = C_b + C_W \mathrm{Av}_{12}\langle\sigma_1\sigma_2\rangle \]"


@pytest.mark.parametrize(("name", "order"), ORDER_ONE)
def test_our_own_recursions_are_right_in_every_form(name: str, order: int) -> None:
    recursion = nf.derive(name, order, shared=True)
    assert nf.check(recursion.latex(), shared=True).equal
    assert nf.check(recursion.sympy(), name, order, shared=True).equal
    assert nf.check(recursion).equal
    dense = nf.check(nf.derive(name, order).latex(), shared=True)
    assert not dense.equal
    assert {fault.kind for fault in dense.verdicts[0].faults} == {"missing"}
    assert not dense.verdicts[0].edits


@pytest.mark.parametrize(
    "text", [F, V, K, F.replace("C_W^2 ", "").replace(r"\mathrm{Av}_{13}", r"C_W^2 \mathrm{Av}_{31}")]
)
def test_other_ways_of_writing_it_are_right(text: str) -> None:
    found = nf.check(text, shared=True)
    assert found.equal, str(found)
    schema = json.loads((SCHEMAS / "check-1.schema.json").read_text())
    document = json.loads(found.to_json())
    Draft202012Validator(schema).validate(document)
    assert document["recursions"][0]["averaging"] == []


WRONG = {
    "missing on one pair": (F, r"\operatorname{Av}_{24}", "", [("2-4", "missing")]),
    "twice on one pair": (F, r"\operatorname{Av}_{24}", r"\mathrm{Av}_{13}", [("1-3", "twice"), ("2-4", "missing")]),
    "on other pairs": (
        F, r"\mathrm{Av}_{13}\operatorname{Av}_{24}", r"\mathrm{Av}_{14}\mathrm{Av}_{23}",
        [("1-3", "missing"), ("2-4", "missing"), ("2-3", "extra"), ("1-4", "extra")],
    ),
    "in front of one term of two": (
        V, r"- C_W^2 \mathrm{Av}_{12}[\langle\sigma_1\sigma_2\rangle]", r"- C_W^2 \langle\sigma_1\sigma_2\rangle",
        [("1-2", "missing")],
    ),
    "labels outside of their operator": (
        V, r"\mathrm{Av}_{12}[\langle\sigma_1\sigma_2\rangle] \mathrm{Av}_{34}[\langle\sigma_3\sigma_4\rangle]",
        r"\mathrm{Av}_{12}\mathrm{Av}_{34}[\langle\sigma_1\sigma_2\rangle] \langle\sigma_3\sigma_4\rangle",
        [("3-4", "outside")],
    ),
    "a constant inside": (
        K, r"C_b + C_W \mathrm{Av}_{12}\langle\sigma_1\sigma_2\rangle",
        r"\mathrm{Av}_{12}[C_b + C_W \langle\sigma_1\sigma_2\rangle]", [("1-2", "constant")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_operator_is_named(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, old, new, faults = WRONG[case]
    assert text.count(old) == 1
    (tmp_path / "a.tex").write_text(text.replace(old, new))
    code, out, _ = run(["check", str(tmp_path / "a.tex"), "--shared", "--format", "json"], capsys)
    [found] = json.loads(out)["recursions"]
    assert (code, found["equal"], found["missing"], found["wrong"]) == (1, False, [], [])
    assert {("-".join(one["pair"]), one["fault"]) for one in found["averaging"]} == set(faults)
    Draft202012Validator(json.loads((SCHEMAS / "check-1.schema.json").read_text())).validate(json.loads(out))
    told = run(["check", str(tmp_path / "a.tex"), "--shared"], capsys)[1]
    assert all(f"the pair {pair} " in told for pair, _ in faults)
    fixed = run(["check", str(tmp_path / "a.tex"), "--shared", "--fix", str(tmp_path / "b.tex")], capsys)[2]
    assert "averaging operators are not corrected" in fixed
    assert not (tmp_path / "b.tex").exists()


def test_a_wrong_term_in_a_bracket_is_named_and_corrected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.tex").write_text(F.replace(r"\rho C_W^2", r"\rho C_W^3"))
    code, out, _ = run(["check", str(tmp_path / "a.tex"), "--shared", "--fix", str(tmp_path / "b.tex")], capsys)
    assert (code, "wrong couplings: C_W^3 is written, C_W^2 is right   F:1:2" in out) == (1, True)
    assert run(["check", str(tmp_path / "b.tex"), "--shared"], capsys)[0] == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (r"\[K_{11} = C_b + C_W \mathrm{Av}_{11}\langle\sigma_1\sigma_1\rangle\]", "different labels are read"),
        (r"\[K_{12} = C_b + C_W \langle\mathrm{Av}_{12}\sigma_1\sigma_2\rangle\]", "inside of a mean"),
        (r"\[K_{12} = C_b + C_W \mathrm{Av}_{12}^2\langle\sigma_1\sigma_2\rangle\]", "above an averaging operator"),
        (r"\[K_{12} = C_b + C_W \mathrm{Av}_{123}\langle\sigma_1\sigma_2\rangle\]", "has 3 labels"),
        (r"\[K_{12} = C_b + C_W \mathrm{Av}_{12}[\langle\sigma_1\sigma_2\rangle\]", "not closed"),
        (r"\[K_{12} = C_b + C_W (\mathrm{Av}_{12}\langle\sigma_1\sigma_2\rangle)^1\]", "of a power"),
    ],
)
def test_what_cannot_be_averaged_is_refused(text: str, message: str) -> None:
    with pytest.raises(nf.NtkfeynError, match=message):
        nf.check(text, shared=True)


def test_an_operator_in_a_recursion_of_dense_layers_is_refused() -> None:
    for formula, name in ((K, None), (nf.derive("K", shared=True).sympy(), "K")):
        with pytest.raises(nf.NtkfeynError, match=r"averaging operator stands here.* --shared"):
            nf.check(formula, name)


def test_appendices_json_and_python_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = nf.emit(["K", "V"], lang="latex", shared=True, directory=tmp_path)
    assert run(["check", str(paths[0]), "--shared"], capsys)[0] == 0
    assert "an averaging operator stands here" in run(["check", str(paths[0])], capsys)[2]
    for extra in ([], ["--products"]):
        run(["derive", "F", "K", "--shared", "--format", "json", "--json", str(tmp_path / "a.json"), *extra], capsys)
        assert run(["check", str(tmp_path / "a.json")], capsys)[0] == 0
    for told in ('"shared": 1', '"shared": true, "weights": "orthogonal"'):
        (tmp_path / "b.json").write_text((tmp_path / "a.json").read_text().replace('"shared": true', told))
        assert run(["check", str(tmp_path / "b.json")], capsys)[0] == 2
    code = "s = Activation\nK = C_B + Averaging(C_W * Expectation(s(1) * s(2)), (1, 2))\n"
    (tmp_path / "a.py").write_text(code)
    assert run(["check", str(tmp_path / "a.py"), "--shared"], capsys)[0] == 0
    (tmp_path / "a.py").write_text(code.replace("(1, 2))", "(1, 2, 3))"))
    assert "a pair of labels was expected" in run(["check", str(tmp_path / "a.py"), "--shared"], capsys)[2]


# --- what is refused --------------------------------------------------------------------------------------------


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    return (int(stopped.value.code or 0), *capsys.readouterr())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["derive", "F", "--weights", "orthogonal"], "a block of orthogonal weights joins several pairs"),
        (["derive", "K@1", "--homogeneous"], "with a homogeneous activation at one input"),
        (["emit", "F", "--lang", "latex", "--weights", "orthogonal"], "gaussian weights are allowed"),
        (["emit", "F", "--lang", "latex", "--certificate", "x.json"], "certificates are of networks whose layers"),
        (["emit", "F", "--lang", "c"], "--lang c was asked for with weights shared over labels; latex"),
    ],
)
def test_it_goes_with_some_requests_alone(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, error = run([*arguments, "--shared"], capsys)
    assert (code, out, message in error) == (2, "", True), error
    assert not list(tmp_path.iterdir())


def test_so_it_does_in_python(tmp_path: Path) -> None:
    with pytest.raises(nf.NtkfeynError, match="gaussian weights are allowed"):
        nf.derive("F", shared=True, weights="orthogonal")
    with pytest.raises(nf.NtkfeynError, match="gaussian weights are allowed"):
        nf.check(K, shared=True, weights="orthogonal")
    with pytest.raises(nf.NtkfeynError, match="homogeneous"):
        nf.derive("K", 1, shared=True, homogeneous=True)
    with pytest.raises(nf.NtkfeynError, match="--lang c was asked for"):
        nf.emit("F", lang="c", shared=True, directory=tmp_path)
    assert not list(tmp_path.iterdir())
