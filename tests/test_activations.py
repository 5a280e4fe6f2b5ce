"""Activations: derivatives against SymPy at forty digits, the whitelist, Leibniz."""

from __future__ import annotations

import time
from math import factorial

import numpy as np
import pytest
import sympy as sp

from ntkfeyn.errors import NtkfeynError
from ntkfeyn.expectations.activations import Kinked, Polynomial, Smooth, activation, leibniz

Z = sp.Symbol("z")
FORMS = {
    "gelu": Z * (1 + sp.erf(Z / sp.sqrt(2))) / 2,
    "silu": Z / (1 + sp.exp(-Z)),
    "tanh": sp.tanh(Z),
    "sigmoid": 1 / (1 + sp.exp(-Z)),
    "erf": sp.erf(Z),
    "softplus": sp.log(1 + sp.exp(Z)),
    "sin": sp.sin(Z),
    "cos": sp.cos(Z),
    "0.5*z + z**3/10": Z / 2 + Z**3 / 10,
    "z*tanh(z)": Z * sp.tanh(Z),
    "exp(-z**2)/(1+z**2)": sp.exp(-(Z**2)) / (1 + Z**2),
    "sqrt(1+z**2) + atan(pi*z)": sp.sqrt(1 + Z**2) + sp.atan(sp.pi * Z),
}
POINTS = np.array([-6.0, -3.25, -0.5, 0.0, 0.0009765625, 0.75, 2.5, 5.0])


@pytest.mark.parametrize("name", FORMS)
def test_derivatives_to_order_nine(name: str) -> None:
    top = 9 if len(name) < 16 else 5
    found = activation(name)
    assert isinstance(found, Smooth)
    table = found.table(POINTS, top)
    assert len(table) == top + 1
    for m, row in enumerate(table):
        derivative = sp.diff(FORMS[name], Z, m)
        exact = np.array([float(sp.N(derivative.subs(Z, sp.Rational(float(p))), 40)) for p in POINTS])
        assert np.max(np.abs(row - exact)) <= 2e-13 * max(np.max(np.abs(exact)), 1e-10), (name, m)


def test_far_tails_stay_finite() -> None:
    z = np.array([-800.0, -40.0, 40.0, 800.0])
    for name in ("gelu", "silu", "tanh", "sigmoid", "erf", "softplus"):
        for m, row in enumerate(activation(name).table(z, 6)):  # type: ignore[union-attr]
            assert np.isfinite(row).all(), (name, m)
            if m >= 2:
                assert np.all(np.abs(row) < 1e-14), (name, m)


def test_kinds() -> None:
    assert activation("relu") == Kinked("relu", 1.0, 0.0)
    assert activation("leaky_relu(0.25)") == Kinked("leaky_relu(0.25)", 1.0, 0.25)
    assert activation("leaky_relu") == Kinked("leaky_relu(0.01)", 1.0, 0.01)
    linear, cubic = activation("linear"), activation("z - z**3/6")
    assert isinstance(linear, Polynomial)
    assert linear.coefficients == (0.0, 1.0)
    assert isinstance(cubic, Polynomial)
    assert cubic.degree == 3
    assert not isinstance(activation("z*sigmoid(z)"), Polynomial)


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "relux", "5", "pi", "__import__('os').system('true')", "z.__class__", "abs(z)", "z**z", "9**9**9*z",
        "exp(exp", "lambda z: z", "(1,z)", "[z]", "z if 1 else 2", "sqrt(-1)*z", "z**99", "((9**12)**12)**12*z", "z/0",
        "z-z", "nan*z", "1e400*z", "exp(z, z)", "exp(x=z)", "z and z", "'z'", "z" * 600,
        "leaky_relu(", "leaky_relu(z)", "relu(z)", "log(-2)*z", "True*z", "z;z", "z\x00", "ｚ", "sqrt(z**2)",
        "(z**2)**(1/2)", "(-1)**(1/3)*z", "z*(-8)**(1/3)", "exp(exp(exp(exp(exp(10)))))*z", "1if z else z", "foo\nz",
    ],
)  # fmt: skip
def test_refused_with_one_message(text: str) -> None:
    with pytest.raises(NtkfeynError) as caught:
        activation(text)
    assert str(caught.value)


def test_leibniz_counts() -> None:
    assert dict(leibniz((0, 0), 2)) == {(0, 2): 2, (1, 1): 2}
    assert dict(leibniz((1,), 3)) == {(4,): 1}
    for orders, k in (((0, 0, 1), 3), ((0, 1, 1, 2), 4)):
        assert sum(count for _, count in leibniz(orders, k)) == len(orders) ** k
        z = Z
        functions = [sp.Function("s")(z)] * len(orders)
        monomial = sp.Mul(*(sp.diff(f, z, m) if m else f for f, m in zip(functions, orders, strict=True)))
        terms = sp.Add(
            *(
                c * sp.Mul(*(sp.diff(functions[0], z, m) if m else functions[0] for m in row))
                for row, c in leibniz(orders, k)
            )
        )
        assert sp.expand(sp.diff(monomial, z, k) - terms) == 0
    assert factorial(3) == sum(c for row, c in leibniz((0, 0, 0), 3) if row == (1, 1, 1))


@pytest.mark.parametrize(
    "text",
    [
        "sin(exp(exp(15)))*z", "sin(exp(-exp(15)))*z", "sin(exp(exp(15 + z - z)))*z", "sin(exp(exp(15 + 0*z)))*z",
        "cos(sinh(sinh(9)))*z", "tanh(1e90**2*z)", "z*sin(exp(exp(exp(3))))", "exp(1e99)*sin(z)",
        "erf(1e-99**2)*sin(z)",
    ],
)  # fmt: skip
def test_numbers_with_a_million_digits_are_refused_at_once(text: str) -> None:
    """SymPy would evaluate them for minutes."""
    start = time.monotonic()
    with pytest.raises(NtkfeynError):
        activation(text)
    assert time.monotonic() - start < 30


@pytest.mark.parametrize("text", ["sin(exp(5))*tanh(z)", "z*tanh(z)/sqrt(2*pi)", "exp(-200)*sin(z)", "sin(z + 1e90)"])
def test_numbers_of_floating_point_are_allowed(text: str) -> None:
    z = np.array([0.3])
    names = {name: getattr(np, name) for name in ("sin", "exp", "tanh", "sqrt", "pi")} | {"z": z}
    value = activation(text).table(z, 0)[0]
    if "1e90" not in text:
        assert np.allclose(value, eval(text, names), rtol=1e-12)  # noqa: S307
    assert np.isfinite(value).all()


@pytest.mark.parametrize(
    ("text", "values"),
    [("z + tanh(2)", [0.9640275800758169, 1.0, 0.0]), ("2 - z*sin(1)", [2.0, -0.8414709848078965, 0.0])],
)
def test_numbers_beside_z_are_folded(text: str, values: list[float]) -> None:
    """A constant coefficient of a series is one number for all nodes."""
    table = activation(text).table(np.zeros(3), 2)
    assert [row.tolist() for row in table] == [pytest.approx([value] * 3) for value in values]
