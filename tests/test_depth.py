"""Depth: closed forms against the numbers of theory section 6 and `evaluate`, series against a thousand layers."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import combinations
from math import comb, log
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from oracles.one_input import Stepper, elementary

import ntkfeyn as nf
from ntkfeyn.asymptotics.fields import Letters, Rational
from ntkfeyn.asymptotics.forms import Asymptotic, Exact
from ntkfeyn.asymptotics.sums import DepthSum
from ntkfeyn.cli import main
from ntkfeyn.criticality.points import critical_points
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.model.targets import DEFAULT_TENSORS, resolve
from ntkfeyn.model.tensors import NAMES, TensorId

SCHEMA = json.loads((Path(nf.__file__).parent / "schemas" / "depth-1.schema.json").read_text())
F = Fraction
Polynomial = Callable[[Fraction], Any]
LAYERS = range(1, 16)  # more than any degree here, so values at them decide a polynomial


def tensor(name: str) -> TensorId:
    [target] = resolve([name])
    return target.id


def exact(names: str | list[str], activation: str, **rest: Any) -> nf.Depth:
    return nf.depth(names, activation=activation, **rest)


def assert_polynomial(found: nf.Depth, name: str, expected: Polynomial) -> None:
    form = found.forms[str(tensor(name))]
    assert isinstance(form, Exact)
    coefficients = form.polynomial
    assert coefficients is not None
    assert all(type(c) is Fraction for c in coefficients)
    for L in map(F, LAYERS):
        assert sum(c * L**k for k, c in enumerate(coefficients)) == expected(L), (name, L)


# --- theory section 6: the numbers stand here, and nowhere in the code ------------------------------------------


def m(L: Fraction) -> Fraction:
    return L * (L - 1) * (L - 2)


LINEAR: dict[str, Polynomial] = {
    "K": lambda L: 1, "Theta": lambda L: L, "V": lambda L: 2 * (L - 1), "D": lambda L: L * (L - 1),
    "A": lambda L: (L - 1) * L * (2 * L - 1) / 3, "F": lambda L: L * (L - 1) / 2,
    "B": lambda L: (L - 1) * L * (2 * L - 1) / 6, "P": lambda L: 0, "R": lambda L: 0, "U": lambda L: 0,
    "Q": lambda L: (L - 1) * L * (L + 1) / 6, "S": lambda L: L**2 * (L**2 - 1) / 12,
    "T": lambda L: L**2 * (L**2 - 1) / 12,
    **{f"{name}@{r}": lambda L: 0 for name in ("K", "Theta") for r in (1, 2, 3)},
    "V@2": lambda L: 2 * (L - 1) * (L - 2), "D@2": m, "F@2": lambda L: m(L) / 2,
    "A@2": lambda L: m(L) * (2 * L - 1) / 3, "B@2": lambda L: m(L) * (L - 1) / 4, "P@2": lambda L: m(L) * (L + 1) / 12,
    "Q@2": lambda L: m(L) * (L + 1) / 6, "R@2": lambda L: m(L) * (L + 1) * (L + 2) / 60,
    "S@2": lambda L: m(L) * (L + 1) * (2 * L - 1) / 30, "U@2": lambda L: m(L) * (L + 1) * (2 * L - 1) / 60,
    "T@2": lambda L: m(L) * L * (L + 1) / 12, "V@3": lambda L: 8 * (L - 1) * (L - 2) * (L - 3) / 6,
}  # fmt: skip
SIX: dict[tuple[str, str], Polynomial] = {
    ("z1 z2 z3 z4 z5 z6", "12.34.56"): lambda L: 4 * (L - 1) * (3 * L - 4),
    ("z1 z2 z3 z4 NTK56", "12.34.56"): lambda L: 4 * L * (L - 1) * (4 * L - 5) / 3,
    ("z1 z2 z3 z4 NTK56", "12.35.46"): lambda L: L * (L - 1) * (5 * L - 7) / 3,
    ("z1 z2 NTK34 NTK56", "12.34.56"): lambda L: 4 * L * (L - 1) ** 2 * (2 * L - 1) / 3,
    ("z1 z2 NTK34 NTK56", "12.35.46"): lambda L: m(L) * (3 * L - 1) / 6,
    ("z1 z2 NTK34 NTK56", "13.24.56"): lambda L: L**2 * (L - 1) * (5 * L - 7) / 6,
    ("z1 z2 NTK34 NTK56", "13.45.26"): lambda L: L * (L - 1) ** 2 * (2 * L - 1) / 6,
    ("NTK12 NTK34 NTK56", "12.34.56"): lambda L: L * (L - 1) * (8 * L**3 - 17 * L**2 + 13 * L - 2) / 5,
    ("NTK12 NTK34 NTK56", "16.23.45"): lambda L: L * (L - 1) * (8 * L**3 - 17 * L**2 + 13 * L - 2) / 40,
    ("NTK12 NTK34 NTK56", "12.35.46"): lambda L: m(L) * (11 * L**2 - 7 * L + 2) / 30,
    ("tree:0-1,1-2,2-3,3-4(0,1,2,3,4) z5", "01.23.45"): lambda L: L * (L - 1) ** 2 * (L + 1)
    * (11 * L**2 + 5 * L + 6) / 360,
    ("tree:0-1,1-2,2-3,3-4(0,1,2,3,4) z5", "02.13.45"): lambda L: 0,
}  # fmt: skip
RELU: dict[str, Polynomial] = {
    "K": lambda L: 2, "Theta": lambda L: L, "V": lambda L: 20 * (L - 1), "F": lambda L: 2 * L * (L - 1),
    "D": lambda L: 6 * L * (L - 1), "A": lambda L: L * (L - 1) * (7 * L - 2) / 3,
    "B": lambda L: L * (L - 1) * (2 * L - 1) / 3, "P": lambda L: 0, "Q": lambda L: (L - 1) * L * (L + 1) / 3,
    **{f"{name}@{r}": lambda L: 0 for name in ("K", "Theta") for r in (1, 2)},
    "V@2": lambda L: 4 * 25 * (L - 1) * (L - 2) / 2, "V@3": lambda L: 4 * 125 * (L - 1) * (L - 2) * (L - 3) / 6,
}  # fmt: skip


def test_linear_networks() -> None:
    found = exact(list(LINEAR), "linear")
    for name, expected in LINEAR.items():
        assert_polynomial(found, name, expected)
    [form] = exact("Q", "linear").forms.values()
    assert form.units == (("q", 2),)


@pytest.mark.parametrize(("legs", "channel"), SIX, ids=str)
def test_linear_networks_with_six_slots(legs: str, channel: str) -> None:
    found = nf.depth(legs=legs, channel=channel, activation="linear")
    [(name, form)] = found.forms.items()
    assert form.units == (("q", 3),)
    assert isinstance(form, Exact)
    for L in map(F, LAYERS):
        assert sum(c * L**k for k, c in enumerate(form.polynomial or [])) == SIX[legs, channel](L), name


def test_relu() -> None:
    found = exact(list(RELU), "relu")
    for name, expected in RELU.items():
        assert_polynomial(found, name, expected)
    order2 = {"D@2": (78, 312, 780), "F@2": (36, 144, 360), "A@2": (69, 384, 1230), "B@2": (22, 128, 420)}
    found = exact(list(order2), "relu")
    for name, values in order2.items():
        assert [found.at(name, L) for L in (3, 4, 5)] == list(values)


@pytest.mark.parametrize("name", ["R", "S", "T", "U", "R@2"])
def test_what_a_kink_forbids(name: str) -> None:
    for activation in ("relu", "leaky_relu(a)", "leaky_relu(0.5)"):
        with pytest.raises(NtkfeynError, match="products of delta functions"):
            exact(name, activation)


# --- LeakyReLU, couplings, widths -------------------------------------------------------------------------------

KINKED = ["K", "Theta", "V", "D", "F", "A", "B", "P", "Q", "K@1", "Theta@1", "V@2", "A@2", "C0C1"]


def test_a_slope_that_is_a_letter() -> None:
    """At a = 0 it is ReLU, at a = 1 linear, in between LeakyReLU; V from the variance of a layer's factor."""
    found = exact(KINKED, "leaky_relu(a)")
    for name, a in (("relu", 0), ("linear", 1), ("leaky_relu(0.25)", F(1, 4)), ("leaky_relu(-0.5)", F(-1, 2))):
        known = exact(KINKED, name)
        for one in KINKED:
            for L in (1, 2, 5, 9):
                assert found.at(one, L, a=float(a)) == pytest.approx(known.at(one, L), rel=1e-13), (one, a, L)
    for a in (0.3, -0.7, 2.0):
        square, fourth = (1 + a**2) / 2, 3 * (1 + a**4) / 2
        K = 1 / square
        assert found.at("V", 7, a=a) == pytest.approx((fourth / square**2 - 1) * K**2 * 6)
    with pytest.raises(NtkfeynError, match="'a' has no value"):
        found.at("V", 3)


COUPLED: list[tuple[str, dict[str, Any], dict[str, float]]] = [
    ("linear", {}, {"cw": 1.0}),
    ("relu", {"weights": "orthogonal"}, {"cw": 2.0}),
    ("leaky_relu(0.2)", {}, {"cw": 2 / 1.04}),
    ("relu", {"cw": "1.9", "cb": "1/8", "lambda_w": 2, "lambda_b": "0.5"},
     {"cw": 1.9, "cb": 0.125, "lambda_w": 2.0, "lambda_b": 0.5}),
    ("relu", {"cb": "0.25", "lambda_b": 3}, {"cw": 2.0, "cb": 0.25, "lambda_b": 3.0}),
    ("leaky_relu(0.5)", {"cw": 1.1, "weights": "orthogonal"}, {"cw": 1.1}),
]  # fmt: skip


@pytest.mark.parametrize(("activation", "asked", "couplings"), COUPLED, ids=str)
def test_evaluate_agrees_to_depth_50(activation: str, asked: dict[str, Any], couplings: dict[str, float]) -> None:
    names = ["K", "Theta", "V", "D", "F", "A", "B", "P", "Q", "K@1", "Theta@1"]
    found = exact(names, activation, **asked)
    network = nf.Network(50, 8, activation, **couplings, weights=asked.get("weights", "gaussian"))
    tensors = nf.evaluate(network, names=names, gram=[[0.75]])
    scale = max(1.0, found.at("K", 50, q=0.75), found.at("Theta", 50, q=0.75)) ** 2  # of what may cancel
    for name in names:
        index = (1, 1) if name[0] in "KT" else (1, 1, 1, 1)
        values = [tensors.value(name, index, layer=L)[0] for L in (*LAYERS, 50)]
        derived = [found.at(name, L, q=0.75) for L in (*LAYERS, 50)]
        assert values == pytest.approx(derived, rel=1e-12, abs=1e-12 * scale), name


def test_an_open_coupling() -> None:
    """--cw any: chi is a letter, and its powers are those of the depth."""
    found = exact(["Theta", "A"], "relu", cw="any")
    for chi in (0.8, 1.25):
        known = exact(["Theta", "A"], "relu", cw=2 * F(str(chi)))
        for name in ("Theta", "A"):
            assert found.at(name, 9, chi=chi) == pytest.approx(known.at(name, 9), rel=1e-13)
    assert "χ^(2 ℓ)" in str(found)


WIDTHS = [24, 6, 18, 9, 30, 30]


def test_unequal_widths() -> None:
    """V at order s is c^s e_s(n_(L-1)/n_l); the others against `evaluate`; sums are left, so any widths will do."""
    for activation, c, K in (("linear", 2, 1), ("relu", 5, 2)):
        found = exact(["V", "V@2", "V@3"], activation, widths="any")
        ratios = [F(WIDTHS[4], n) for n in WIDTHS[:5]]
        for s in (1, 2, 3):
            form = found.forms[f"V@{s}"]
            assert isinstance(form, Exact)
            assert set(form.sum.terms) == {((1, 0),) * s}
            value = form.at(6, {"q": 1.0}, WIDTHS)
            assert value == pytest.approx(float(c**s * K**2 * elementary(ratios, s)), rel=1e-12)
    with pytest.raises(NtkfeynError, match=r"n_1 \.\. n_L are needed"):
        form.at(6, {"q": 1.0})


@pytest.mark.parametrize("weights", ["gaussian", "orthogonal"])
def test_evaluate_agrees_at_unequal_widths(weights: str) -> None:
    names = ["V", "D", "F", "A", "B", "Q", "A@2", "Theta@1"]
    found = exact(names, "relu", widths="any", weights=weights)
    network = nf.Network(5, tuple(WIDTHS[:4]), "relu", cw=2.0, weights=weights)
    tensors = nf.evaluate(network, names=names, gram=[[1.0]])
    for name in names:
        form = found.forms[str(tensor(name))]
        value = tensors.value(name, (1, 1) if "Theta" in name else (1, 1, 1, 1), layer=5)[0]
        # `evaluate` takes the outputs to be no more than the width below
        assert form.at(5, {"q": 1.0}, [*WIDTHS[:4], WIDTHS[3]]) == pytest.approx(value, rel=1e-12, abs=1e-12), name


def brute(letters: list[tuple[int, int]], powers: list[tuple[int, int]], L: int, chi: Fraction) -> Fraction:
    """A nested sum over n_l = l + 2, tau_l = 1/l, as it is defined."""
    total = F(0)
    for places in combinations(range(1, L), len(letters)):
        value = F(1)
        for here, (e, f) in zip(places, letters, strict=True):
            value *= F(here + 2) ** -e * F(1, here) ** f
        for here, (a, b) in zip((*places, L), powers, strict=True):
            value *= F(here) ** a * chi ** (b * here)
        total += value
    return total


def value_of(found: DepthSum, L: int, chi: Fraction) -> Fraction:
    return sum(
        (c * brute(list(word), list(m), L, chi) for word, row in found.terms.items() for m, c in row.items()), F(0)
    )


def test_nested_sums() -> None:
    """Products and sums over layers of nested sums, against their definition."""
    chi = F(2, 3)
    field = Rational(chi)
    first = DepthSum({((1, 0), (0, 1)): {((1, 0), (0, 1), (2, -1)): F(3)}, (): {((1, 2),): F(-1, 2)}})
    second = DepthSum({((2, 1),): {((0, -1), (1, 0)): F(5), ((2, 0), (0, 0)): F(1)}})
    for L in range(1, 8):
        assert value_of(first * second, L, chi) == value_of(first, L, chi) * value_of(second, L, chi)
        assert value_of(first + second, L, chi) == value_of(first, L, chi) + value_of(second, L, chi)
        for found in (first, second):
            plain = sum((value_of(found, k, chi) for k in range(1, L)), F(0))
            assert value_of(found.summed((0, 0), field), L, chi) == plain
            weighted = sum((F(k + 2) ** -1 * value_of(found, k, chi) for k in range(1, L)), F(0))
            assert value_of(found.summed((1, 0), field), L, chi) == weighted


def test_the_field_of_letters_is_exact() -> None:
    field = Letters(("a",))
    a = field.letter("a")
    assert field.number(F(1, 3)) * 3 == field.number(1)
    assert (a**2 - 1) / (a - 1) == a + 1


# --- series at large depth --------------------------------------------------------------------------------------

TARGETS = [target.id for target in resolve(DEFAULT_TENSORS)]
SERIES = [("tanh", "gaussian", 0.0), ("tanh", "orthogonal", 0.0), ("erf", "gaussian", 0.0), ("sin", "orthogonal", 0.7)]


@cache
def run(name: str, weights: str, lambda_b: float, layers: int) -> dict[TensorId, Any]:
    point = critical_points(name).main
    assert point is not None
    couplings = {"C_W": point.cw, "C_b": point.cb, "lambda_W": 1.0, "lambda_b": lambda_b}
    return Stepper(name, TARGETS, couplings, weights).run(point.start, layers)


def test_the_stepper_is_evaluate() -> None:
    values = run("tanh", "orthogonal", 0.0, 1000)
    network = nf.Network(12, 8, "tanh", cw=1.0, weights="orthogonal")
    tensors = nf.evaluate(network, names=list(DEFAULT_TENSORS), gram=[[1.0]])
    for target in TARGETS:
        index = (1, 1) if target.name in ("K", "Theta") else (1, 1, 1, 1)
        assert values[target][11] == pytest.approx(tensors.value(str(target), index, layer=12)[0], rel=1e-6), target


def scaled_rest(form: Asymptotic, values: Any, L: int, count: int | None = None) -> float:
    """What the series leaves over, over the size that it says of that."""
    assert form.following is not None
    power, logs = form.following
    return float((values[L - 1] - form.at(L, {}, count)) / (float(L) ** float(power) * log(L) ** logs))


@pytest.mark.parametrize(("name", "weights", "lambda_b"), SERIES, ids=str)
def test_series_at_a_thousand_layers(name: str, weights: str, lambda_b: float) -> None:
    """What is left over is of the size of the next term, at 500 layers and at 1000; without the last term it is not."""
    values = run(name, weights, lambda_b, 1000)
    found = nf.depth(list(DEFAULT_TENSORS), activation=name, weights=weights, lambda_b=lambda_b)
    checked = 0
    for form in found.forms.values():
        assert isinstance(form, Asymptotic)
        ends = [scaled_rest(form, values[form.tensor], L) for L in (500, 1000)]
        size = max(abs(float(form.terms[-1].coefficient)) if form.terms else 0.0, abs(ends[0]))
        assert abs(ends[1] - ends[0]) < 0.2 * size, form.tensor
        if form.terms:
            without = [scaled_rest(form, values[form.tensor], L, len(form.terms) - 1) for L in (500, 1000)]
            assert abs(without[1] - without[0]) > 0.4 * abs(float(form.terms[-1].coefficient)), form.tensor
            checked += 1
    assert checked >= (14 if name in ("tanh", "erf") else 7)


def test_orthogonal_networks_saturate() -> None:
    """Constants for any s, in letters: V/K^2 = -2, K^{1}/K = 2, F/(K Theta) = -2/3, Theta^{1}/Theta = 4/3."""
    found = nf.depth(["K", "Theta", "V", "F", "K@1", "Theta@1"], activation="odd", weights="orthogonal")
    leading: dict[str, Any] = {}
    for name, form in found.forms.items():
        assert isinstance(form, Asymptotic)
        leading[name] = form.terms[0]
        edges = {"Theta": 1, "F": 1}.get(form.tensor.name, 0)
        pairs = 1 if form.tensor.name in ("K", "Theta") else 2
        assert form.units == (*((("g", edges),) if edges else ()), ("alpha", -pairs))
    assert {name: (term.power, term.logs, str(term.coefficient)) for name, term in leading.items()} == {
        "K@0": (-1, 0, "1"), "Theta@0": (0, 0, "1"), "V@1": (-2, 0, "-2"), "F@1": (-1, 0, "-2/3"),
        "K@1": (-1, 0, "2"), "Theta@1": (0, 0, "4/3"),
    }  # fmt: skip


def test_letters_and_numbers_agree() -> None:
    """The series in Taylor coefficients, at those of tanh: a = 2, r5 = 16/a^2, r7 = -272/a^3."""
    letters = {"g": 1.0, "alpha": 2.0, "r5": 4.0, "r7": -34.0, "r9": 496.0}
    general = nf.depth(list(DEFAULT_TENSORS), activation="odd")
    special = nf.depth(list(DEFAULT_TENSORS), activation="tanh")
    for name, form in general.forms.items():
        other = special.forms[name]
        assert isinstance(form, Asymptotic)
        assert isinstance(other, Asymptotic)
        assert [term[:2] for term in form.terms] == [term[:2] for term in other.terms]
        assert form.at(300, letters) == pytest.approx(other.at(300, {}), rel=1e-13)


def test_the_classes_of_pdlt() -> None:
    """K* = 0: V/K^2 = (2/3) l, Theta constant, chi_perp^l as 1/l (F over K Theta, B over Theta^2 as the depth)."""
    found = nf.depth(["K", "Theta", "V", "F", "B"], activation="sin")
    terms = {name: form.terms[0] for name, form in found.forms.items() if isinstance(form, Asymptotic)}
    assert terms["V@1"].coefficient / terms["K@0"].coefficient ** 2 == F(2, 3)
    assert [terms[name].power for name in ("K@0", "Theta@0", "V@1", "F@1", "B@1")] == [-1, 0, -1, 0, 1]


def test_powers_that_are_no_integers() -> None:
    """s''(0) is not 0: chi_perp falls with another power than K."""
    name = "z + z**2 - z**3"
    values = run(name, "gaussian", 0.0, 1000)
    found = nf.depth(["K", "Theta", "V", "F"], activation=name)
    for form in found.forms.values():
        assert isinstance(form, Asymptotic)
        ends = [scaled_rest(form, values[form.tensor], L) for L in (500, 1000)]
        assert abs(ends[1] - ends[0]) < 0.05 * max(abs(ends[0]), float(abs(form.terms[-1].coefficient)))
    theta = found.forms["Theta@0"]
    assert isinstance(theta, Asymptotic)
    assert theta.following == (F(-2, 3), 0)  # p = 4/(9/2) - 1 .. of C_W <s's'> = 1 - (2/3) a K


def test_gelu_starts_at_its_fixed_point() -> None:
    names = ["V", "D", "A", "P", "T", "K@1", "Theta@1"]
    point = critical_points("gelu").main
    assert point is not None
    network = nf.Network(12, 8, "gelu", cw=point.cw, cb=point.cb)
    tensors = nf.evaluate(network, names=names, gram=[[point.gram]])
    found = nf.depth(names, activation="gelu")
    for name in names:
        index = (1, 1) if name in ("K@1", "Theta@1") else (1, 1, 1, 1)
        values = [tensors.value(name, index, layer=L)[0] for L in range(1, 13)]
        assert [found.at(name, L) for L in range(1, 13)] == pytest.approx(values, rel=1e-9, abs=1e-11)


def test_a_kernel_that_falls_to_a_fixed_point() -> None:
    """z^3 - z has a half-stable K* = 1/3 with a curvature of order 1."""
    from ntkfeyn.asymptotics.fixed_point import FixedPoint
    from ntkfeyn.asymptotics.large_depth import approached_forms
    from ntkfeyn.derivation.recursion import derive_system
    from ntkfeyn.expectations.activations import Smooth, activation

    point, function = critical_points("z**3 - z").points[1], activation("z**3 - z")
    assert isinstance(function, Smooth)
    couplings = {"C_W": point.cw, "C_b": point.cb, "lambda_W": 1.0, "lambda_b": 0.0}
    forms = approached_forms(derive_system(TARGETS), FixedPoint(function, point, F(1), F(0)))
    side = 0.1 if point.attracts == "from above" else -0.1
    values = Stepper("z**3 - z", TARGETS, couplings, "gaussian").run((point.kernel or 0) + side, 2000)
    for name, form in forms.items():
        assert isinstance(form, Asymptotic)
        ends = [scaled_rest(form, values[form.tensor], L) for L in (1000, 2000)]
        assert abs(ends[1] - ends[0]) < 0.1 * abs(float(form.terms[-1].coefficient)), name
        without = [scaled_rest(form, values[form.tensor], L, len(form.terms) - 1) for L in (1000, 2000)]
        assert abs(without[1] - without[0]) > 0.4 * abs(float(form.terms[-1].coefficient)), name


# --- the command ------------------------------------------------------------------------------------------------


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(["depth", *arguments])
    out, err = capsys.readouterr()
    return int(stopped.value.code or 0), out, err


ASKED = [
    ["--activation", "relu"], ["--activation", "leaky_relu(a)", "--cw", "any"], ["--activation", "gelu"],
    ["--activation", "relu", "--widths", "any", "--weights", "orthogonal"], ["--activation", "gelu", "--start", "near"],
    ["--activation", "odd", "--lambda-b", "1"], ["--activation", "tanh"],
    ["V@2", "--activation", "linear", "--cw", "2"],
]  # fmt: skip


@pytest.mark.parametrize("asked", ASKED, ids=" ".join)
def test_json_after_the_schema(asked: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = told(capsys, *asked, "--format", "json", "--json", str(tmp_path / "d.json"))
    assert code == 0
    document = json.loads(out)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert (tmp_path / "d.json").read_text() == out
    for entry in document["tensors"].values():
        assert entry["latex"].count("{") == entry["latex"].count("}")
    if asked[1] in ("relu", "tanh"):
        text, latex = told(capsys, *asked)[1], told(capsys, *asked, "--format", "latex")[1]
        for entry in document["tensors"].values():
            assert entry["text"] in text
            assert entry["latex"] in latex
    assert len(document["tensors"]) >= (1 if "V@2" in asked else 11)


def test_the_interface() -> None:
    found = json.loads(nf.depth("F", activation="relu").to_json())
    assert found["tensors"]["F@1"]["polynomial"] == ["0", "-2", "2"]
    assert found["tensors"]["F@1"]["unit"] == "q^2"
    found = json.loads(nf.depth("B", activation="tanh").to_json())["tensors"]["B@1"]
    assert (found["form"], found["exponent"], found["amplitude"], found["logarithms"]) == ("asymptotic", "1", "1/12", 0)


def test_letters_of_ones_own(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "n.toml").write_text(
        'tensors = { K = "G" }\n[letters]\nlayer = "t"\nC_W = "c_w"\n[text]\nlayer = "t"\nK = "G"\nC_W = "c_w"\n'
    )
    mine = ["--notation", str(tmp_path / "n.toml")]
    code, out, _ = told(capsys, "K", "V", "--activation", "relu", *mine)
    assert code == 0
    assert "c_w = 2" in out
    assert "  G  2 q\n  V  20 q^2 (t - 1)\n" in out
    assert (
        "V &= 20 q^{2} \\left(t - 1\\right)" in told(capsys, "V", "--activation", "relu", "--format", "latex", *mine)[1]
    )
    out = told(capsys, "K", "--activation", "tanh", *mine)[1]
    assert "G falls to 0" in out
    assert "log(t)" in out
    assert "ℓ" not in out


def test_two_things_with_one_letter_are_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "n.toml").write_text('[letters]\nlayer = "q"\n[text]\nlayer = "q"\n')
    for form in ("text", "latex", "json"):
        asked = ["V", "--activation", "relu", "--format", form, "--notation", str(tmp_path / "n.toml")]
        code, out, err = told(capsys, *asked)
        assert (code, out) == (2, "")
        assert "the notation writes layer as q" in err
    code, out, _ = told(capsys, "V", "--activation", "odd", "--notation", str(tmp_path / "n.toml"))
    assert code == 0
    assert "q^-1" in out


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (["R", "--activation", "relu"], "products of delta functions"),
        (["V", "--activation", "softplus"], "an activation with a critical point is allowed"),
        (["V", "--activation", "z - z**5"], "K does not fall as 1/l"),
        (["V", "--activation", "gelu", "--cw", "2"], "allowed for linear, relu and leaky_relu(a)"),
        (["V", "--activation", "tanh", "--widths", "any"], "allowed for linear, relu and leaky_relu(a)"),
        (["V", "--activation", "relu", "--cw", "two"], "--cw 'two'; a number such as"),
        (["V", "--activation", "relu", "--cw", "1/0"], "a number such as 1.5"),
        (["V", "--activation", "relu", "--cw", "-1"], "a number above 0"),
        (["V", "--activation", "relu", "--lambda-b", "-1"], "a number from 0 up"),
        (["V", "--activation", "tanh", "--lambda-w", "0"], "else no NTK is left"),
        (["V", "--activation", "relu", "--widths", "some"], "allowed are equal, any"),
        (["V", "--activation", "gelu", "--start", "far"], "allowed are fixed, near"),
        (["V", "--activation", "rellu"], "relu"),
        (["V", "--activation", "relu:gelu"], "exactly one"),
        (["V", "--activation", "0*z"], "0*z"),
        (["X", "--activation", "relu"], "unknown cumulant"),
    ],
)
def test_bad_requests(asked: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = told(capsys, *asked)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_the_appendix_has_it(tmp_path: Path) -> None:
    paths = nf.emit(["V", "R"], lang="latex", directory=tmp_path, depth=True, name="a", style="compact")
    text = (tmp_path / "a" / "depth.tex").read_text()
    assert tmp_path / "a" / "depth.tex" in paths
    assert "\\input{a/depth}" in (tmp_path / "a.tex").read_text()
    assert r"V &= 20 q^{2} \left(\ell - 1\right)" in text
    assert r"V &= \alpha^{-2} \left(\frac{2}{3}\,\ell^{-1}" in text
    assert text.count(r"\begin{align*}") == text.count(r"\end{align*}") == text.count("V &=") == 4
    assert text.count("R &=") == 2  # kinks have none
    plain = nf.emit(["V", "R"], lang="latex", directory=tmp_path / "b", name="a", style="compact")
    assert not [path for path in plain if path.name == "depth.tex"]
    with pytest.raises(NtkfeynError, match="it is for LaTeX alone"):
        nf.emit("V", lang="c", directory=tmp_path, depth=True)
    with pytest.raises(NtkfeynError, match="shared over labels"):
        nf.emit("V", lang="latex", directory=tmp_path, depth=True, shared=True)


def test_views() -> None:
    found = nf.depth(["V", "F"], activation="relu")
    assert "20 q^2 (ℓ - 1)" in str(found)
    assert found._repr_latex_() == found.latex()
    assert found.at("V@1", 3, q=2.0) == 160
    with pytest.raises(NtkfeynError, match="allowed are V@1, F@1"):
        found.at("D", 3)
    assert set(nf.depth(activation="relu").forms) == {str(t) for t in TARGETS if t.name not in "RSTU"}
    assert len(NAMES) + 2 == len(nf.depth(activation="linear").forms) == comb(6, 2)
