"""SymPy expressions at their layers: putting in a layer moves all of it, and with numbers it is the recursion."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy

import ntkfeyn as nf
from ntkfeyn.cli import main
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.symbols import (
    C_B,
    C_W,
    LAMBDA_B,
    LAMBDA_W,
    LAYER,
    TAU,
    WIDTH,
    WIDTH_BELOW,
    Activation,
    Averaging,
    Expectation,
    LayerTensor,
    Tau,
    Width,
    derivative,
    expectation_symbol,
    omega,
    tensor_symbol,
)

# --- solved by hand ---------------------------------------------------------------------------------------------

INPUTS = [[1.0, 0.4], [-0.3, 0.8]]
WIDTHS, CW, LW = (8, 14), (1.1, 1.7, 0.9), (1.0, 0.6, 1.3)
z = sympy.Symbol("z")
FUNCTIONS = (sympy.tanh(z), z + z**2 / 3)  # after layers 1, 2
SAMPLES = (0, 1, 2, 2, 1)  # of slots 0 (there is none) to 4
NODES = np.polynomial.hermite_e.hermegauss(40)


def solved(names: str, weights: str) -> nf.Tensors:
    network = nf.Network(3, WIDTHS, ["tanh", "z + z**2/3"], cw=CW, lambda_w=LW, weights=weights)
    return nf.evaluate(network, INPUTS, names.split(), tolerance=1e-8)


def mean(expectation: Any, tensors: Any) -> float:
    """Over the two inputs' preactivations at its layer."""
    layer = int(expectation.layer)
    kernel = [[tensors.value("K", (a, b), layer=layer)[0] for b in (1, 2)] for a in (1, 2)]
    points = np.einsum("ij,jxy->ixy", np.linalg.cholesky(kernel), np.array(np.meshgrid(NODES[0], NODES[0])))
    product = np.ones_like(points[0])
    for sample, order, _ in (activation.args for activation in expectation.args):
        derivative = sympy.diff(FUNCTIONS[layer - 1], z, int(order))
        product = product * sympy.lambdify(z, derivative)(points[SAMPLES[int(sample)] - 1])
    return float(NODES[1] @ product @ NODES[1] / (2 * np.pi))


def number(expression: sympy.Expr, tensors: Any) -> float:
    """With everything put in that stands at a layer."""
    values: dict[sympy.Basic, float] = {width: WIDTHS[int(width.layer) - 1] for width in expression.atoms(Width)}
    for one in expression.atoms(LayerTensor):
        name, samples = f"{one.name}@{tensor_order(one)}", [SAMPLES[int(slot)] for slot in one.args[2:]]
        values[one] = tensors.value(name, tuple(samples), layer=int(one.layer))[0]
    values |= {one: mean(one, tensors) for one in expression.atoms(Expectation)}
    return float(expression.xreplace(values))


def tensor_order(tensor: Any) -> int:
    return int(tensor.args[1]) + (tensor.name not in ("K", "Theta"))


@pytest.mark.parametrize("name", ["K@0", "Theta@0", "V@1", "F@1", "K@1", "Theta@1"])
def test_numbers_of_a_layer_give_those_of_the_next(name: str, gaussian: Any) -> None:
    """Couplings are those of the layer on the left, activations and widths those on the right."""
    equation = nf.derive(*name.split("@")[:1], order=int(name[-1])).equation()
    for layer in (1, 2):
        step = equation.subs(LAYER, layer).subs({C_W: CW[layer], LAMBDA_W: LW[layer], LAMBDA_B: 0})
        step = step.subs({C_B: 0, Width(0): 1})  # what n_0 divides vanishes at layer 1
        assert step.lhs.layer == layer + 1
        expected = number(step.lhs, gaussian)
        assert number(step.rhs, gaussian) == pytest.approx(expected, rel=1e-6), (name, layer)


@pytest.fixture(scope="module")
def gaussian() -> nf.Tensors:
    return solved("K Theta V D F K@1 Theta@1", "gaussian")


def test_tau_is_that_of_its_layer() -> None:
    tensors, equation = solved("K V", "orthogonal"), nf.derive("V", weights="orthogonal").equation()
    for layer in (1, 2):
        step = equation.subs(LAYER, layer).rewrite(Width).subs({Width(3): 1, Width(0): 1, C_W: CW[layer]})
        assert number(step.rhs, tensors) == pytest.approx(number(step.lhs, tensors), rel=1e-6), layer


# --- layers move together ---------------------------------------------------------------------------------------

REQUESTS: list[dict[str, Any]] = [{}, {"shared": True}, {"notation": "pdlt"}]


@pytest.mark.parametrize("asked", REQUESTS, ids=str)
@pytest.mark.parametrize("name", ["D", "F"])
def test_parts_make_the_whole_and_layers_move_together(name: str, asked: dict[str, Any]) -> None:
    found = nf.derive(name, **asked).sympy()
    for expression in (found, found.subs(LAYER, 3), found.subs(LAYER, LAYER - 1)):
        assert all(not part.args or part.func(*part.args) == part for part in sympy.preorder_traversal(expression))
        assert expression.expand() == expression == copy.deepcopy(expression)
        layers = {part.layer for part in sympy.preorder_traversal(expression) if hasattr(part, "layer")}
        assert len(layers) == 2  # n_(l-1) is of the one below
        if "notation" not in asked:
            assert pickle.loads(pickle.dumps(expression)) == expression  # noqa: S301
            assert eval(sympy.srepr(expression), vars(sympy) | vars(nf.symbols)) == expression  # noqa: S307
    assert LAYER not in found.subs(LAYER, 3).free_symbols
    assert found.subs(LAYER, 3) == found.xreplace({LAYER: sympy.Integer(3)})
    assert found.subs(LAYER, LAYER - 1).subs(LAYER, 4) == found.subs(LAYER, 3) != found
    assert str(found.subs(LAYER, LAYER + 1).subs(LAYER, LAYER - 1)) == str(found)


def test_orthogonal_weights_and_widths() -> None:
    found = nf.derive("V", weights="orthogonal").sympy()
    assert {TAU, WIDTH, WIDTH_BELOW} == found.atoms(Tau, Width)
    assert {Tau(3), Width(3), Width(2)} == found.subs(LAYER, 3).atoms(Tau, Width)
    assert sympy.diff(WIDTH**2 / WIDTH_BELOW, WIDTH) == 2 * WIDTH / WIDTH_BELOW
    assert sympy.expand(WIDTH * found.diff(WIDTH) + WIDTH_BELOW * found.diff(WIDTH_BELOW)) == 0 != found.diff(WIDTH)
    assert WIDTH.diff(WIDTH_BELOW) == 0 == tensor_symbol("K", 0, (1, 2)).diff(WIDTH)
    assert tensor_symbol("K", 0, (1, 2)).diff(LAYER) == sympy.Derivative(tensor_symbol("K", 0, (1, 2)), LAYER)
    assert found.diff(TAU).diff(TAU) == 0 != found.diff(TAU)
    assert sympy.lambdify([WIDTH, WIDTH_BELOW], WIDTH / WIDTH_BELOW)(3, 2) == 1.5


def test_pieces_of_ones_own_take_a_layer() -> None:
    for made in (lambda layer: Expectation(omega(1, 2, layer)), lambda layer: expectation_symbol([(1, 0)], layer)):
        assert made(3) == made(LAYER).subs(LAYER, 3) != made(LAYER)
    s = Activation(1, layer=3)
    assert derivative(s * Activation(2, layer=3), 1, 1) == Activation(1, 2, 3) * Activation(2, 0, 3)


def test_operators_commute() -> None:
    one, other = (Averaging(Expectation(Activation(a) * Activation(a + 1)), (a, a + 1)) for a in (1, 3))
    assert one * other == other * one


@pytest.mark.parametrize(
    ("made", "text", "latex"),
    [
        (lambda: tensor_symbol("F", 1, (1, 3, 2, 4), LAYER + 1), "F[1,3,2,4; l+1]", r"F^{(\ell+1)}_{1324}"),
        (lambda: LayerTensor("Q", 1, 0, 1, 2, 3, layer=3), "Q^{1}[0,1,2,3; 3]", r"Q^{\{1\}(3)}_{0123}"),
        (
            lambda: Expectation(Activation(1, 2, 12) ** 2) ** 2,
            "<s''_1 s''_1; 12>**2",
            r"{\langle \sigma''_{1}\,\sigma''_{1}\rangle_{K^{(12)}}}^{2}",
        ),
        (lambda: Activation(1, 4, layer=3), "s^(4)[1; 3]", r"\sigma^{(4)}(z^{(3)}_{1})"),
        (lambda: Width(LAYER - 2) * Width(12) * Tau(12), "n_{12}*n_{l-2}*tau_{12}", r"n_{12} n_{\ell-2} \tau_{12}"),
    ],
)
def test_other_layers_are_shown(made: Callable[[], sympy.Expr], text: str, latex: str) -> None:
    assert (str(made()), sympy.latex(made())) == (text, latex)


def test_an_equation_has_the_letters_and_labels_asked_for() -> None:
    equation = nf.derive(legs="z5 z6 NTK78", channel="57.68", notation="pdlt").equation().subs(LAYER, 3)
    assert sympy.latex(equation.lhs) == r"F^{(4)}_{\alpha_5\alpha_7\alpha_6\alpha_8}"
    assert r"\rangle_{G^{(3)}} H^{(3)}_{\alpha_7\alpha_8}" in sympy.latex(equation.rhs)
    letters = nf.derive("F", notation="paper").equation()
    assert r"\rangle_{K^{(\ell-1)}}" in sympy.latex(letters.subs(LAYER, LAYER - 1))


def test_what_has_no_layer_is_refused() -> None:
    with pytest.raises(TypeError, match=r"\(s_1, s\[2; 3\]\) stand in an expectation; activations of one layer may"):
        Expectation(Activation(1) * Activation(2, layer=3))
    for layer in (0, 0.5):
        with pytest.raises(NtkfeynError, match="layers are whole numbers from 1 on"):
            LayerTensor("K", 0, 1, 2, layer=layer)


# --- the referee ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", [LAYER - 1, sympy.Integer(3), sympy.Symbol("m")], ids=str)
@pytest.mark.parametrize("asked", [{"weights": "orthogonal"}, {"shared": True}], ids=str)
def test_check_reads_any_layer(layer: sympy.Expr, asked: dict[str, Any]) -> None:
    equation = nf.derive("V", **asked).equation().subs(LAYER, layer)
    assert nf.check(equation, **asked).equal
    assert nf.check(equation.rhs, "V", **asked).equal
    assert not nf.check(sympy.Eq(equation.lhs, 2 * equation.rhs), **asked).equal


def test_check_reads_equations_as_latex_and_with_other_labels() -> None:
    equation = nf.derive(legs="z5 z6 NTK78", channel="57.68").equation().subs(LAYER, LAYER - 1)
    assert nf.check(sympy.latex(equation)).equal
    assert nf.check(equation, "F").equal
    text = str(nf.check(sympy.Eq(equation.lhs, equation.rhs - equation.rhs.args[-1])))
    assert "add      C_W**2*n_{l-1}*<s'_5 s'_7; l-1>*<s'_6 s'_8; l-1>*F[5,7,6,8; l-1]/n_{l-2}" in text


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (lambda e: e.rhs + e.rhs.args[0].subs(LAYER, 3), "stands at layer l, other things at layer 3; tensors and"),
        (lambda e: e.rhs.subs(WIDTH, Width(LAYER + 1)), "a width stands at layer l+1, other things at layer l"),
        (lambda e: sympy.Eq(e.lhs, e.rhs.subs(LAYER, LAYER + 1)), "layer l+1 stands on the left, layer l+1 on the ri"),
        (lambda e: sympy.Eq(C_W, e.rhs), "'C_W' stands on the left; a tensor is read there"),
        (lambda e: e.subs(sympy.Symbol("F"), sympy.Symbol("V")), "V@1 stands on the left; F@1 was asked for"),
    ],
)  # fmt: skip
def test_layers_that_make_no_recursion_are_refused(changed: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(NtkfeynError) as caught:
        nf.check(changed(nf.derive("F").equation()), "F")
    assert message in str(caught.value)


CODE = """from ntkfeyn.symbols import *
from sympy import Eq
m = {layer}
s = Activation
F = C_W**2 * tensor_symbol("Theta", 0, (3, 4), m) * Expectation(s(1, 0, m) * s(2, layer=m) * s(3, 1, m) * s(4, 1, m))
F += {factor}C_W**2 * Width(m) / Width(m - 1) * LayerTensor("F", 0, 1, 3, 2, 4, layer=m) * (
    expectation_symbol([(1, 1), (3, 1)], m) * expectation_symbol([(2, 1), (4, 1)], layer=m)
)
F += C_W**2 * {ratio} * (
    tensor_symbol("F", 1, (3, 3, 2, 4), m) * expectation_symbol([(1, 0), (3, 2)], m)
    * expectation_symbol([(2, 1), (4, 1)], m)
    + tensor_symbol("F", 1, (1, 3, 4, 4), m) * expectation_symbol([(1, 1), (3, 1)], m)
    * expectation_symbol([(2, 0), (4, 2)], m)
    + tensor_symbol("F", 1, (3, 3, 4, 4), m) * expectation_symbol([(1, 0), (3, 2)], m)
    * expectation_symbol([(2, 0), (4, 2)], m)
)
"""
EQUATION = 'Eq(LayerTensor("F", 0, 1, 3, 2, 4, layer={left}), F)\n'


def checked(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[Any, str]:
    file = tmp_path / "F.py"
    file.write_text(text)
    with pytest.raises(SystemExit) as ended:
        main(["check", str(file), *options])
    out = capsys.readouterr()
    return ended.value.code, out.out + out.err


@pytest.mark.parametrize("layer", ["LAYER", "LAYER - 1", "3"])
def test_code_may_stand_at_any_layer(layer: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = CODE.format(layer=layer, factor="", ratio="Width(m) / Width(m - 1)")
    assert checked(tmp_path, text, capsys)[0] == 0
    assert checked(tmp_path, text + EQUATION.format(left="m + 1"), capsys)[0] == 0
    code, said = checked(tmp_path, CODE.format(layer=layer, factor="2*", ratio="Width(m) / Width(m - 1)"), capsys)
    assert code == 1
    [right] = [line.split(None, 1)[1] for line in said.splitlines() if line.split()[:1] == ["right"]]
    again = text.replace("F = ", f"F = {right} + ", 1).replace("F += C_W**2 * Width(m)", "F += 0 * Width(m)", 1)
    assert checked(tmp_path, again, capsys)[0] == 0  # what is said to be right can be read


@pytest.mark.parametrize(
    ("layer", "ratio", "more", "message"),
    [
        ("3", "WIDTH / WIDTH_BELOW", "", "line 9, column 15: a width stands at layer l, other things at layer 3"),
        ("LAYER", "WIDTH / WIDTH_BELOW", EQUATION.format(left="m"), "layer l stands on the left, layer l on the right"),
        ("LAYER", "WIDTH / WIDTH_BELOW", "Eq(C_W, F)\n", "a tensor is read on the left"),
        ("LAYER", "Tau(m + 1)", "", "column 15: Tau stands at layer l+1, other things at layer l"),
        ("depth", "1", "", "a layer was expected: LAYER, LAYER - 1 or 3"),
        ("2", "omega(1, 2, m, layer=m)", "", "with layer=.. where something has a layer"),
    ],
)
def test_code_at_no_layer_is_not_understood(
    layer: str, ratio: str, more: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = checked(tmp_path, CODE.format(layer=layer, factor="", ratio=ratio) + more, capsys, "F")
    assert code == 2
    assert message in said


@pytest.mark.parametrize(
    "made",
    [Width, Activation, lambda text: Activation(1, 0, layer=text)],
    ids=["width", "sample", "layer"],
)
def test_text_is_never_run(made: Callable[[str], object]) -> None:
    """SymPy's own functions evaluate it."""
    with pytest.raises((sympy.SympifyError, NtkfeynError)):
        made("[].append(1)")
