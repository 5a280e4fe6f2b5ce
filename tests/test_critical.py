"""Critical points and depth scaling: known numbers, independent quadrature, exponents fixed by theory, the command."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from math import exp, log, pi, sqrt
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import erf

import ntkfeyn
from ntkfeyn.cli import main
from ntkfeyn.criticality.depth import Law, Run, Scaling, depth_scaling, laws
from ntkfeyn.criticality.growth import exponential, power_law
from ntkfeyn.criticality.points import critical_points
from ntkfeyn.derivation.recursion import derive_system
from ntkfeyn.expectations.kernels import Kernel
from ntkfeyn.model.network import Network
from ntkfeyn.model.tensors import TensorId
from ntkfeyn.solve.components import subsets_up_to
from ntkfeyn.solve.convergence import LayerValues, Trial
from ntkfeyn.solve.plan import make_plan
from ntkfeyn.solve.solver import Problem, Stopped, solve, solve_reachable

SCHEMA = json.loads((Path(ntkfeyn.__file__).parent / "schemas" / "critical-1.schema.json").read_text())
Function = Callable[[float], float]


def density(z: float) -> float:
    return exp(-z * z / 2) / sqrt(2 * pi)


def normal(z: float) -> float:
    return float(1 + erf(z / sqrt(2))) / 2


def logistic(z: float) -> float:
    return (1 + np.tanh(z / 2)) / 2


def silu_slope(z: float) -> float:
    p = logistic(z)
    return p + z * p * (1 - p)


def silu_curvature(z: float) -> float:
    p = logistic(z)
    return p * (1 - p) * (2 + z * (1 - 2 * p))


def sech2(z: float) -> float:
    return 1 - np.tanh(z) ** 2


# s, s', s'' written out by hand
BY_HAND: dict[str, tuple[Function, Function, Function]] = {
    "gelu": (lambda z: z * normal(z), lambda z: normal(z) + z * density(z), lambda z: (2 - z * z) * density(z)),
    "silu": (lambda z: z * logistic(z), silu_slope, silu_curvature),
    "z*tanh(z)": (
        lambda z: z * np.tanh(z),
        lambda z: np.tanh(z) + z * sech2(z),
        lambda z: 2 * sech2(z) * (1 - z * np.tanh(z)),
    ),
    "z**3 - z + z**2/5": (lambda z: z**3 - z + z**2 / 5, lambda z: 3 * z**2 - 1 + 0.4 * z, lambda z: 6 * z + 0.4),
}


def mean(f: Function, K: float) -> float:
    """<f>_K by adaptive quadrature."""
    return quad(lambda x: f(sqrt(K) * x) * density(x), -12, 12, epsabs=1e-13, epsrel=1e-13, limit=400)[0]


@pytest.mark.parametrize(
    ("name", "cw", "cb", "kernel"),
    [
        ("gelu", 1.98305826, 0.17292239, (3 + sqrt(17)) / 2), ("silu", 1.98800468, 0.55514317, 14.3201736),
        ("tanh", 1, 0, 0), ("erf", pi / 4, 0, 0), ("sin", 1, 0, 0), ("z - z**5", 1, 0, 0), ("tanh(z/2)", 4, 0, 0),
        ("linear", 1, 0, None), ("3*z", 1 / 9, 0, None), ("relu", 2, 0, None), ("leaky_relu(0.2)", 2 / 1.04, 0, None),
        # s = z - z^3: <s s''> = 18 K^2 - 6 K; the point at K = 1/3 repels from below, K* = 0 attracts
        ("z**3 - z", 1, 0, 0),
    ],
)  # fmt: skip
def test_known_points(name: str, cw: float, cb: float, kernel: float | None) -> None:
    point = critical_points(name).main
    assert point is not None
    assert (point.cw, point.cb) == (pytest.approx(cw, abs=6e-9), pytest.approx(cb, abs=6e-9))
    assert point.kernel == (kernel if kernel is None else pytest.approx(kernel, abs=1e-10 if name == "gelu" else 6e-8))
    assert (point.chi_parallel, point.chi_perpendicular) == (pytest.approx(1), pytest.approx(1))


def test_rational_point() -> None:
    """z^3 - z has <s s''> = 18 K^2 - 6 K, <s' s'> = 27 K^2 - 6 K + 1, <s^2> = 15 K^3 - 6 K^2 + K: K = 1/3."""
    other = critical_points("z**3 - z").points[1]
    assert (other.cw, other.cb, other.kernel) == pytest.approx((1 / 2, 2 / 9, 1 / 3), rel=1e-13)


@pytest.mark.parametrize("name", BY_HAND)
def test_points_solve_their_equations(name: str) -> None:
    s, slope, curvature = BY_HAND[name]
    positive = [point for point in critical_points(name).points if point.kernel]
    assert positive
    for point in positive:
        K, cw = point.kernel, point.cw
        assert K is not None
        assert point.cb + cw * mean(lambda z: s(z) ** 2, K) == pytest.approx(K, rel=1e-11)
        assert cw * mean(lambda z: slope(z) ** 2, K) == pytest.approx(1, rel=1e-11)
        assert cw * mean(lambda z: slope(z) ** 2 + s(z) * curvature(z), K) == pytest.approx(1, rel=1e-11)
        assert point.gram == pytest.approx(mean(lambda z: s(z) ** 2, K), rel=1e-11)


@pytest.mark.parametrize(
    ("name", "side"), [("gelu", "from above"), ("silu", "from below"), ("z*tanh(z)", "from below")]
)
def test_half_stable_points_attract_from_one_side(name: str, side: str) -> None:
    """K moves down on both sides of GeLU's point and up on both sides of SiLU's: the map touches the diagonal."""
    point = critical_points(name).main
    assert point is not None
    assert point.kernel is not None
    assert (point.kind, point.attracts) == ("half-stable", side)
    s = BY_HAND[name][0]
    for K in (point.kernel * 0.99, point.kernel * 1.01):
        step = point.cb + point.cw * mean(lambda z: s(z) ** 2, K) - K
        assert (step < 0) == (side == "from above")


@pytest.mark.parametrize("name", ["gelu", "silu", "0.5*z + z**3/10", "sinh(z)", "z + z**5"])
def test_repelling_zero(name: str) -> None:
    """C_W <s^2>_K > K for small K: s'''/s' + (3/4) (s''/s')^2 > 0, or the next order."""
    found = critical_points(name)
    zero = next(point for point in found.points if point.kernel == 0)
    assert zero.attracts == "no"
    assert zero is not found.main


@pytest.mark.parametrize(("name", "start"), [("tanh", 1.0), ("z**3 - z", 1 / 3), ("z - z**5", 0.125)])
def test_kernel_falls_to_zero_from_the_start(name: str, start: float) -> None:
    """z^3 - z: the map K -> 15 K^3 - 6 K^2 + K grows from K = 2/5 on, so a start at 1 would be lost."""
    point = critical_points(name).main
    assert point is not None
    K = point.cw * point.gram
    assert pytest.approx(start) == K
    s: Function = {"tanh": np.tanh, "z**3 - z": lambda z: z**3 - z, "z - z**5": lambda z: z - z**5}[name]
    for _ in range(30):
        before, K = K, point.cw * mean(lambda z: s(z) ** 2, K)
        assert 0 < K < before


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("softplus", "s(0) is not 0"), ("sigmoid", "s(0) is not 0"), ("cos", "s(0) is not 0"), ("z**2", "s'(0) is 0"),
        ("exp(z)", "between 1e-06 and 4"), ("0.5*z + z**3/10", "K* = 0 repels"), ("cosh(z)", "s(0) is not 0"),
        ("log(cosh(z))", "s'(0) is 0"), ("z + 1", "no K between"),
    ],
)  # fmt: skip
def test_no_critical_point(name: str, why: str) -> None:
    found = critical_points(name)
    assert found.main is None
    assert why in found.reason


# -- growth laws of made-up sequences


LAYERS = np.arange(1, 257, dtype=np.float64)


@pytest.mark.parametrize(
    ("values", "form", "exponent"),
    [
        (LAYERS * 0, "zero", None), (LAYERS * 0 + 3.5, "polynomial", 0), (LAYERS - 1, "polynomial", 1),
        (LAYERS**4 - 90 * LAYERS**3 + 17, "polynomial", 4), (1e-3 * LAYERS**5 + LAYERS**2, "polynomial", 5),
        (LAYERS**-1.0 * (1 - np.log(LAYERS) / LAYERS / 2), "power", -1), (np.sqrt(LAYERS + 3), "power", 0.5),
        (LAYERS**1.5 + 3 * LAYERS, "slow", 1.5), (np.log(LAYERS + 3) / LAYERS, "slow", -1),
        ((np.log(LAYERS) + 1) ** 2, "slow", 0), (LAYERS**2.5 - 200**2.5, "none", None),
    ],
)  # fmt: skip
def test_power_laws(values: np.ndarray[Any, Any], form: str, exponent: float | None) -> None:
    growth = power_law(values)
    assert growth.form == form
    if exponent is None:
        assert growth.value is None
        assert ("sign changes at layer 201" in growth.note) == (form == "none")
    else:
        assert growth.value is not None
        assert growth.uncertainty is not None
        assert abs(growth.value - exponent) <= growth.uncertainty + 1e-9
        assert growth.uncertainty < (0.5 if form == "slow" else 0.02)


@pytest.mark.parametrize(
    ("values", "rate"),
    [
        (np.exp(0.1 * LAYERS), 0.1), (-3 * LAYERS**2 * np.exp(-0.2 * LAYERS), -0.2), (LAYERS * 0 + 2, 0.0),
        ((LAYERS - 1) ** 3 * np.exp(0.05 * LAYERS), 0.05), (7 + np.exp(-0.1 * LAYERS), 0.0),
        (10 + np.exp(0.04 * LAYERS), 0.04), (np.exp(-5 * LAYERS), -5.0),
        (LAYERS**-1.0 * np.exp(0.02 * LAYERS), 0.02), (np.exp(np.exp(LAYERS / 40)), None),
        (np.exp(0.1 * LAYERS) - np.exp(20), None),
    ],
)  # fmt: skip
def test_exponential_rates(values: np.ndarray[Any, Any], rate: float | None) -> None:
    growth = exponential(values)
    if rate is None:
        assert growth.form == "none"
        assert growth.note
    else:
        assert growth.value is not None
        assert growth.uncertainty is not None
        assert abs(growth.value - rate) <= growth.uncertainty
        assert growth.uncertainty < 0.01


# -- depth scaling


@cache
def scaled(name: str, depth: int, off: float) -> dict[str, tuple[Run, dict[str, Law]]]:
    point = critical_points(name).main
    assert point is not None
    runs = depth_scaling(name, point, Scaling(depth, off))
    return {which: (run, laws(run, which == "critical")) for which, run in runs.items()}


# relu and linear: the polynomials of theory section 6 (V ~ l - 1, D and F ~ l (l - 1), A, B, Q of degree 3; linear: S
# and T ~ l^2 (l^2 - 1)). gelu: at K* every recursion is T' = T + (sources), and each sum over layers adds one power.
# chi_perp' and chi_par' are not 0 at K*, so: Theta, V ~ l. D' - D holds V Theta: 3. F' - F holds Theta: 2. A' - A holds
# D Theta: 5. B' - B holds Theta^2: 3. K@1' - K@1 holds V: 2. Theta@1' - Theta@1 holds D and K@1 Theta: 4. P' - P holds
# Theta^2: 3. Q' - Q holds F Theta: 4. R' - R and S' - S hold B Theta: 5. T' - T holds Q Theta: 6. U' - U: Theta^3: 4.
DEGREES = {
    "linear": {"K@0": 0, "Theta@0": 1, "V@1": 1, "D@1": 2, "F@1": 2, "A@1": 3, "B@1": 3, "Q@1": 3, "S@1": 4, "T@1": 4},
    "relu": {"K@0": 0, "Theta@0": 1, "V@1": 1, "D@1": 2, "F@1": 2, "A@1": 3, "B@1": 3, "Q@1": 3},
    "gelu": {"K@0": 0, "Theta@0": 1, "V@1": 1, "D@1": 3, "F@1": 2, "A@1": 5, "B@1": 3, "P@1": 3, "Q@1": 4, "R@1": 5,
             "S@1": 5, "T@1": 6, "U@1": 4, "K@1": 2, "Theta@1": 4},
}  # fmt: skip


OFF = {"linear": 0.1, "relu": 0.1, "gelu": 0.2}


@pytest.mark.parametrize("name", DEGREES)
def test_polynomial_exponents(name: str) -> None:
    _, found = scaled(name, 64, OFF[name])["critical"]
    for tensor, law in found.items():
        degree = DEGREES[name].get(tensor)
        assert (law.tensor.form, law.tensor.value) == (("zero", None) if degree is None else ("polynomial", degree))
        assert law.polynomial is True


def test_leading_coefficients_of_relu() -> None:
    """Theory section 6 at q = 1/2 (K = 1): V = 20 q^2 (l - 1), D = 6 q^2 l (l - 1), A = q^2 l (l - 1)(7 l - 2)/3."""
    _, found = scaled("relu", 64, 0.1)["critical"]
    leading = {tensor: found[tensor].tensor.leading for tensor in ("V@1", "D@1", "A@1", "Q@1")}
    assert leading == pytest.approx({"V@1": 5, "D@1": 3 / 2, "A@1": 7 / 12, "Q@1": 1 / 12}, rel=1e-7)


def test_tanh_at_criticality() -> None:
    """With K = k/l, Theta -> t and the sources of section 5: d/dl K = -2 K^2, so k = 1/2.

    chi_perp = 1 - 2 K, chi_par = 1 - 4 K. d/dl Theta = K - 2 K Theta: t = 1/2. d/dl V = 2 K^2 - 8 K V: V = 1/(6 l), so
    V/K^2 = 2 l/3 (PDLT). d/dl F = K Theta - 8 K F: F = 1/16. d/dl B = Theta^2 - 4 K B: B = l/12. d/dl K@1 = -4 K K@1 -
    (a source V): a constant; d/dl Theta@1 = -2 K Theta@1 - 2 Theta K@1: l. D: its source V <Omega''> has Omega'' ~
    2 - 4 t = 0 at leading order; what is left of t is log(l)/l, so D ~ log(l)/l.
    """
    run, found = scaled("tanh", 256, 0.1)["critical"]
    expected = {"K@0": -1, "Theta@0": 0, "V@1": -1, "F@1": 0, "B@1": 1, "K@1": 0, "Theta@1": 1, "D@1": -1}
    for tensor, exponent in expected.items():
        growth = found[tensor].tensor
        assert growth.form == ("slow" if tensor == "D@1" else "power")
        assert growth.value is not None
        assert growth.uncertainty is not None
        assert abs(growth.value - exponent) < growth.uncertainty
        assert growth.uncertainty < (0.5 if tensor == "D@1" else 0.01)
    assert all(law.polynomial for law in found.values())
    ratio = found["V@1"].ratio
    assert ratio is not None
    assert ratio.value == pytest.approx(1, abs=1e-3)
    limits = {"Theta@0": 1 / 2, "F@1": 1 / 16, "B@1": 256 / 12}
    for tensor, value in limits.items():
        assert run.values[tensor][-1] == pytest.approx(value, rel=0.05)
    assert run.values["V@1"][-1] / run.values["K@0"][-1] ** 2 == pytest.approx(2 / 3 * 256, rel=0.05)


def rates(name: str, depth: int, off: float, which: str) -> Callable[[str, float], None]:
    _, found = scaled(name, depth, off)[which]

    def check(tensor: str, rate: float) -> None:
        growth = found[tensor].tensor
        assert growth.value is not None
        assert growth.uncertainty is not None
        assert abs(growth.value - rate) <= growth.uncertainty, tensor
        assert growth.uncertainty < 0.05

    return check


@pytest.mark.parametrize(("which", "factor"), [("below", 0.9), ("above", 1.1)])
def test_relu_off_criticality(which: str, factor: float) -> None:
    """K ~ (C_W/2)^l; V is K^2 times a power of l, and so are D, F, A, B, Q."""
    check = rates("relu", 64, 0.1, which)
    check("K@0", log(factor))
    for tensor in ("V@1", "D@1", "F@1", "A@1", "B@1", "Q@1"):
        check(tensor, 2 * log(factor))


def test_tanh_below_criticality() -> None:
    """K -> 0, where tanh is linear: K and Theta ~ C_W^l, four-point tensors ~ C_W^(2 l), up to powers of l."""
    check = rates("tanh", 256, 0.1, "below")
    for tensor in ("K@0", "Theta@0", "K@1", "Theta@1"):
        check(tensor, log(0.9))
    for tensor in ("V@1", "D@1", "F@1", "A@1", "B@1", "Q@1", "S@1", "T@1"):
        check(tensor, 2 * log(0.9))


@pytest.mark.long
def test_tanh_above_criticality() -> None:
    """K and V settle; Theta grows by chi_perp > 1 at the new fixed point, B by its square."""
    cw = 1.5
    K = brentq(lambda K: cw * mean(lambda z: np.tanh(z) ** 2, K) - K, 1e-3, 10)
    rate = log(cw * mean(lambda z: sech2(z) ** 2, K))
    run, _ = scaled("tanh", 256, 0.5)["above"]
    assert run.values["K@0"][-1] == pytest.approx(K, rel=1e-8)
    check = rates("tanh", 256, 0.5, "above")
    for tensor, power in (("K@0", 0), ("V@1", 0), ("Theta@0", 1), ("F@1", 1), ("B@1", 2), ("A@1", 2)):
        check(tensor, power * rate)


def test_gelu_off_criticality() -> None:
    """Below, C_b > 0 keeps K at a fixed point and everything settles; above, GeLU looks like ReLU: K ~ (C_W/2)^l."""
    point = critical_points("gelu").main
    assert point is not None
    rates("gelu", 64, 0.2, "below")("A@1", 0)
    rates("gelu", 64, 0.2, "above")("K@0", log(1.2 * point.cw / 2))
    run, _ = scaled("gelu", 64, 0.2)["above"]
    assert 16 < run.layers < 64
    assert "do not converge" in run.stopped


def test_a_run_that_stops_is_a_shorter_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """GeLU above criticality: the layers reached are those of a network that ends there, and no run is done twice."""
    point = critical_points("gelu").main
    assert point is not None
    targets = [TensorId("K", 0), TensorId("Theta", 1)]
    plan = make_plan(derive_system(targets), {target: subsets_up_to(1, 1) for target in targets}, 1)
    gram, cw = np.array([[point.gram]]), 1.2 * point.cw
    done: list[Trial] = []
    run = Problem.run

    def counted(self: Problem, trial: Trial, depth: int) -> list[LayerValues]:
        done.append(trial)
        return run(self, trial, depth)

    monkeypatch.setattr(Problem, "run", counted)
    reached = solve_reachable(plan, Network(64, 1, "gelu", cw, point.cb), Kernel.of(gram))
    assert 16 < len(reached.layers) < 64
    assert len(set(done)) == len(done) > 1
    shorter = solve(plan, Network(len(reached.layers), 1, "gelu", cw, point.cb), Kernel.of(gram))
    for a, b in zip(reached.layers, shorter, strict=True):
        for target in targets:
            assert (a.values[target], a.errors[target]) == (b.values[target], b.errors[target])
    with pytest.raises(Stopped) as stopped:
        solve(plan, Network(len(reached.layers) + 1, 1, "gelu", cw, point.cb), Kernel.of(gram))
    assert stopped.value.reason == reached.stopped
    assert str(stopped.value) == f"{reached.stopped}; try a smaller --cw or --depth, or a larger tolerance"
    assert len(stopped.value.layers) == len(reached.layers)
    whole = solve_reachable(plan, Network(8, 1, "gelu", cw, point.cb), Kernel.of(gram))
    assert (len(whole.layers), whole.stopped) == (8, "")


# -- the command


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as caught:
        main(["critical", *arguments])
    out, err = capsys.readouterr()
    return int(caught.value.code or 0), out, err


@pytest.mark.parametrize("name", ["relu", "tanh"])
def test_json_after_the_schema(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    options = ("--depth", "20", "--off", "0.3", "--lambda-w", "2", "--lambda-b", "0.5")
    code, out, err = call(
        capsys, "--activation", name, *options, "--format", "json", "--json", "copy.json", "-o", "out"
    )
    assert code == 0
    assert err.split() == ["out/critical.json", "out/critical.pdf", "out/critical.png"]
    document = json.loads(out)
    jsonschema.validate(document, SCHEMA)
    assert out == Path("copy.json").read_text() == Path("out/critical.json").read_text()
    assert document["scaling"]["below"]["C_W"] == pytest.approx(0.7 * document["points"][0]["C_W"])
    tensors = document["scaling"]["critical"]["tensors"]
    assert ("R@1" in tensors) == (name == "tanh")
    assert tensors["Theta@0"]["values"][0] == pytest.approx(2 / document["points"][0]["C_W"] + 0.5)
    assert Path("out/critical.pdf").read_bytes().startswith(b"%PDF")
    assert Path("out/critical.png").read_bytes().startswith(b"\x89PNG")


def test_table(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, "--activation", "gelu", "--depth", "32")
    assert (code, err) == (0, "")
    assert "1.983058257" in out
    rows = {line.split()[0]: line for line in out.splitlines() if "(polynomial)" in line}
    assert rows["A@1"].split()[1:8] == ["5", "(polynomial)", "0.00211", "l^5", "A/Theta^2", "3", "(polynomial)"]
    assert "At criticality every tensor grows only polynomially with depth." in out


def test_points_alone(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, "--activation", "silu", "--no-scaling", "--format", "json")
    assert (code, err) == (0, "")
    document = json.loads(out)
    jsonschema.validate(document, SCHEMA)
    assert document["scaling"] is None
    assert [point["attracts"] for point in document["points"]] == ["from below", "no"]


def test_the_answer_is_no(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = call(capsys, "--activation", "softplus", "-o", "out")
    assert (code, err) == (1, "out/critical.json\n")
    assert out.startswith("softplus: no critical point: s(0) is not 0")
    document = json.loads(Path("out/critical.json").read_text())
    jsonschema.validate(document, SCHEMA)
    assert (document["points"], document["main"]) == ([], None)


def test_a_run_that_overflows(capsys: pytest.CaptureFixture[str]) -> None:
    """Above its point this quartic grows doubly exponentially: the run ends early and says so."""
    code, out, _ = call(capsys, "--activation", "z+z**2/10-z**4/100", "--depth", "32", "--format", "json")
    assert code == 0
    above = json.loads(out)["scaling"]["above"]
    assert above["layers"] < 32
    assert above["stopped"]
    assert "faster than an exponential" in above["tensors"]["K@0"]["growth"]["note"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--activation", "foo"), ("--activation", "1/z"), ("--activation", "sqrt(z)"), ("--activation", ""), (),
        ("--depth", "4"), ("--depth", "1001"), ("--depth", "x"), ("--off", "0"), ("--off", "1"), ("--off", "nan"),
        ("--off", "-0.1"), ("--lambda-w", "-1"), ("--lambda-b", "inf"), ("--lambda-w", "nan"), ("--no-scaling",),
        ("extra",),
    ],
)  # fmt: skip
def test_bad_requests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    given = ("--activation", "gelu") if arguments and arguments[0] != "--activation" else ()
    code, out, err = call(capsys, *given, "-o", "out", "--json", "out.json", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_derived_growth_stands_beside_the_fitted_one(capsys: pytest.CaptureFixture[str]) -> None:
    """Exact polynomials agree in every digit; where the start decides, no amplitude is claimed."""
    with pytest.raises(SystemExit):
        main(["critical", "--activation", "relu", "--depth", "20", "--format", "json"])
    document = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    tensors = document["scaling"]["critical"]["tensors"]
    assert set(tensors) == {"K@0", "Theta@0", "V@1", "D@1", "F@1", "A@1", "B@1", "P@1", "Q@1", "K@1", "Theta@1"}
    for name, entry in tensors.items():
        growth, derived = entry["growth"], entry["growth"]["derived"]
        assert derived["form"] == "exact"
        if growth["form"] == "zero":
            assert derived["amplitude"] == 0, name
        else:
            assert derived["exponent"] == growth["exponent"], name
            assert derived["amplitude"] == pytest.approx(growth["leading"], rel=1e-9), name
    assert tensors["A@1"]["ratio"]["derived"] == {
        "exponent": 1.0, "logarithms": 0, "amplitude": pytest.approx(7 / 3),
    }  # fmt: skip
    assert "derived" not in document["scaling"]["below"]["tensors"]["V@1"]["growth"]


def test_derived_growth_in_the_table() -> None:
    from ntkfeyn.asymptotics.predictions import Leading, Predicted, compared, predictions
    from ntkfeyn.criticality.growth import Form, Growth

    found = critical_points("tanh").main
    assert found is not None
    known = predictions("tanh", found, Scaling(depth=16))
    assert str(known["V@1"].tensor) == "0.1667 l^-1"
    assert str(known["T@1"].tensor) == "0.01172 (log l)^2"
    assert str(known["D@1"].ratio) == "-0.25 log l"
    assert str(Leading(-2.0, 0, None)) == "c l^-2"
    fits = {
        "V@1": Law(Growth(Form.POWER, -1.1, 0.06), None, True),
        "B@1": Law(Growth(Form.POWER, 1.2, 0.06), None, True),
    }
    [line] = compared(fits, known)
    assert line.endswith("Fitted exponents off the derived ones: B@1.")
    assert isinstance(known["V@1"], Predicted)
    assert not predictions("z - z**5", critical_points("z - z**5").points[0], Scaling(depth=16))
