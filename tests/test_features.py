"""Written activations: kinks, poles, spikes and plateaus in disguise beside honest smooth functions.

None is wrong beyond its error; none of the smooth ones is refused. Truth: a dense grid of its own, the derivative by a
complex step, nothing of the package.
"""

from __future__ import annotations

from collections.abc import Callable
from math import pi

import numpy as np
import pytest
import scipy.special

import ntkfeyn as nf
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.expectations.activations import Smooth, activation
from ntkfeyn.expectations.expression import Product, Variable, expression
from ntkfeyn.expectations.features import Interval, Scan
from ntkfeyn.expectations.quadrature import trapezoid
from ntkfeyn.model.activations import ExpressionText, read_activation

INPUTS = np.array([[1.0, 0.5, 0.2], [0.3, 1.0, 0.1]])
WIDE = 3.0  # inputs are as many times larger in a second network
GIVEN: dict[str, Callable] = {
    "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "sin": np.sin, "cos": np.cos, "tanh": np.tanh, "sinh": np.sinh,
    "cosh": np.cosh, "atan": np.arctan, "erf": scipy.special.erf, "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softplus": lambda x: np.log(1 + np.exp(x)),
}  # fmt: skip

KINKS = [
    "sqrt(z**2-2*z+1)", "sqrt(z**4-2*z**2+1)", "sqrt(1-sin(z)**2)", "exp(log(z**2-2*z+1)/2)", "(z**2-2*z+1)**(3/2)",
    "sqrt((z-1)*(z-1))", "((z-0.5)**2)**0.5", "(z**2-z+0.25)**(5/2)", "sqrt(z**2+0.6*z+0.09)", "sqrt(2-2*cos(z-1))",
    "sqrt((exp(z)-1)**2)", "sqrt(tanh(z-0.3)**2)", "(sin(z-0.2)**2)**(1/2)", "exp(0.5*log((z-0.7)**2))",
    "(z**2-2*z+1)**(1/4)", "log(z**2-2*z+1)", "sqrt(cosh(2*(z-1))-1)", "(z*(z-1)+0.25)**(1/2)",
    "exp(1.5*log(z**2-z+0.25))", "sqrt((z**3-1)**2)", "sqrt(1-tanh(z)**2-(1-tanh(z)**2))*z + z",
]  # fmt: skip
POLES = [
    "1/(z-1)", "1/(z**2-2*z+1)", "exp(-1/(z-0.5)**2)", "(z**2-1)/(z-1)", "sin(z-1)/(z-1)", "1/sin(z-2)",
    "tanh(z)/(z**3-1)", "(z-3)**-2", "atan(1/(z-0.5))", "log(z+1)", "1/(exp(z)-2)", "1/(z-5)",
]  # fmt: skip
FINE = [
    "sin(1000*z)", "exp(-(1000*(z-0.3))**2)", "z+exp(-(3000*(z-0.1))**2)", "tanh(2000*(z-0.4))", "cos(500*z)*z",
    "1/(1+(1000*(z-0.3))**2)", "sigmoid(5000*(z+0.2))", "erf(1e6*(z-1))", "sqrt((z-1)**2+1e-10)",
    "sqrt((z-1)**2+1e-6)", "exp(-z**2)+1e-12*sin(1e6*z)", "z+atan(1e5*(z-1))", "softplus(1e4*(z-0.5))/1e4",
    "z*sigmoid(300*(z-1.2))", "sin(exp(3*z))", "exp(60)*exp(-60-(900*(z-0.3))**2)", "exp(-exp(200*(z-0.9)))",
    "exp(-(30*(z-0.3))**2)", "tanh(40*(z-1))+tanh(40*(z+1))", "sin(60*z)+z",
]  # fmt: skip
SMOOTH = [
    "z*tanh(z)", "exp(-z**2)", "sqrt(1+z**2)", "log(cosh(z))", "log(1+exp(z))", "1/(1+exp(-z))", "z/(1+exp(-z))",
    "z*sigmoid(1.7*z)", "atan(z)", "z*atan(z)", "sin(z)+z", "z+sin(z)**2", "cos(3*z)", "sin(5*z)*exp(-z**2/4)",
    "tanh(3*z-1)", "erf(2*z)", "z*erf(z)+exp(-z**2)", "sigmoid(4*z)-sigmoid(z)", "softplus(z)-log(2)",
    "z*tanh(softplus(z))", "z*tanh(log(1+exp(z)))", "1/(1+z**2)", "z/(1+z**2)", "z/sqrt(1+z**2)", "(1+z**2)**(1/3)",
    "(1+z**2)**(-3/2)", "exp(z)", "exp(0.3*z)-1", "sinh(z)/cosh(z)", "1/cosh(z)", "log(2+sin(z))",
    "sqrt(z**2-2*z+1.5)", "log(z**2+z+1)", "1/(2-cos(z))", "sqrt(exp(-z**2)+1)", "exp(sin(2*z))",
    "exp(-(4*(z-0.3))**2)", "tanh(8*(z-1))", "1/(1+9*z**2)", "(exp(z)-exp(-z))/(exp(z)+exp(-z))", "z**2*exp(-z)",
    "z+sqrt((z-0.4)**2+0.05)",
]  # fmt: skip


def exact(text: str, scale: float, points: int = 1801, stride: int = 3) -> dict[str, float]:
    """K_12, Theta_12, V_1222 at layer 2 on a grid that is neither symmetric nor aligned with anything.

    One axis has ``stride`` times fewer nodes.
    """
    gram = INPUTS @ INPUTS.T / 3 * scale**2
    x = np.linspace(-13.013, 12.987, points)
    w = np.exp(-0.5 * x * x)
    w /= w.sum()
    factor = np.linalg.cholesky(gram)

    def s(z: np.ndarray) -> np.ndarray:
        return np.broadcast_to(eval(text, {"__builtins__": {}}, {**GIVEN, "pi": pi, "z": z}), z.shape)  # noqa: S307

    sums = dict.fromkeys(("12", "22", "1222", "slopes"), 0.0)
    for one, weight in zip(x[::stride], w[::stride] / w[::stride].sum(), strict=True):
        z = factor[1, 0] * one + factor[1, 1] * x
        first = np.array([factor[0, 0] * one])
        a, da = (f(v) for v in (first,) for f in (lambda v: s(v), lambda v: s(v + 1e-30j).imag / 1e-30))
        b, db = s(z), s(z + 1e-30j).imag / 1e-30
        for key, value in (("12", a * b), ("22", b * b), ("1222", a * b**3), ("slopes", da * db)):
            sums[key] += float(weight * (w @ value))
    return {
        "K": sums["12"],
        "Theta": sums["12"] + gram[0, 1] * sums["slopes"],
        "V": sums["1222"] - sums["12"] * sums["22"],
    }


def solved(text: str, scale: float) -> dict[str, tuple[float, float]]:
    network = nf.Network(2, 8, text)
    found = nf.evaluate(network, INPUTS * scale, ["K", "Theta", "V"])
    indices = {"K": [1, 2], "Theta": [1, 2], "V": [1, 2, 2, 2]}
    return {name: found.value(name, index) for name, index in indices.items()}


def check(text: str, scale: float, points: int = 1801, stride: int = 3) -> None:
    """What is printed is true within its error, and within what the grid itself knows."""
    with np.errstate(all="ignore"):
        truth = exact(text, scale, points, stride)
    for name, (value, error) in solved(text, scale).items():
        assert abs(value - truth[name]) <= error + 1e-11 * max(map(abs, truth.values())), (name, value, error, truth)


def test_there_are_forty_of_each() -> None:
    assert len({*KINKS, *POLES, *FINE}) >= 40
    assert len(set(SMOOTH)) >= 40


@pytest.mark.parametrize("text", [*KINKS, *POLES])
def test_kinks_and_poles_are_refused(text: str) -> None:
    for scale in (1.0, WIDE):
        with pytest.raises(NtkfeynError, match="is not smooth"):
            solved(text, scale)


@pytest.mark.parametrize("text", FINE)
def test_fine_features_are_resolved_or_refused(text: str) -> None:
    for scale in (1.0, WIDE):
        try:
            solved(text, scale)
        except NtkfeynError:
            continue
        check(text, scale, points=3001, stride=1)


@pytest.mark.parametrize("text", SMOOTH)
def test_smooth_ones_are_answered(text: str) -> None:
    check(text, 1.0)


def test_the_message_says_where_and_why() -> None:
    for text, place, why in (
        ("sqrt(z**2-2*z+1)", "at z = 1:", "under a root"),
        ("log(z+0.5)", "at z = -0.5:", "logarithm"),
        ("1/(z-0.25)", "at z = 0.25:", "denominator"),
        ("sin(1000*z)", "near z = 0,", "too finely"),
    ):
        with pytest.raises(NtkfeynError) as caught:
            solved(text, 1.0)
        assert place in str(caught.value)
        assert why in str(caught.value)


def test_a_pole_far_out_matters_to_a_wide_kernel_alone() -> None:
    solved("1/(z-40)", 1.0)
    with pytest.raises(NtkfeynError, match=r"not smooth at z = 40"):
        solved("1/(z-40)", WIDE)


@pytest.mark.parametrize("text", [*SMOOTH, *FINE])
def test_enclosures_hold_what_they_enclose(text: str) -> None:
    found, written = activation(text), read_activation(text)
    assert isinstance(found, Smooth)
    assert isinstance(written, ExpressionText)
    edges = np.linspace(-6.1, 5.9, 400)
    scan = Scan(Interval(edges[:-1], edges[1:]))
    with np.errstate(all="ignore"):
        low, high = scan.enclose(expression(written))
    for share in (0.0, 0.31, 0.77, 1.0):
        value = found.table(edges[:-1] + share * np.diff(edges), 0)[0]
        slack = 1e-13 * np.maximum(np.abs(value), 1)
        assert np.all((value >= low - slack) & (value <= high + slack))


def test_squares_are_not_negative() -> None:
    scan = Scan(Interval(np.array([-1.0]), np.array([2.0])))
    low, high = scan.enclose(Product(Variable(), Variable()))
    assert (low[0], high[0]) == (0.0, pytest.approx(4.0))


def test_a_shifted_rule_shares_no_node_and_no_symmetry() -> None:
    rule, other = trapezoid(0.3, 9.0, 0.382), trapezoid(0.3, 9.0)
    assert rule.weights @ rule.nodes**4 == pytest.approx(3, abs=1e-12)
    assert not set(rule.nodes) & ({*other.nodes} | {*-rule.nodes})
    assert np.all(np.diff(np.abs(rule.nodes)) >= 0)
