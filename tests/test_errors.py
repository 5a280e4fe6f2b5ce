"""A printed error covers the truth: what an attack found wrong, and random networks against extended precision."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from oracles import extended

import ntkfeyn as nf
from ntkfeyn.expectations.activations import activation
from ntkfeyn.expectations.quadrature import SHIFT, AxisRules, trapezoid

sys.path.insert(0, str(Path(__file__).parent / "benchmarks"))
from coverage import TOLERANCES, compared, random_case

X = np.array([[1, 0.5, 0.2], [0.3, 1, 0.1]])


def errors_cover(found: nf.Tensors, truth: list[dict[str, Any]], doubt: list[dict[str, Any]] | None = None) -> None:
    for layer, (row, exact) in enumerate(zip(found.settings[0].layers, truth, strict=True)):
        for name, tensor in row.items():
            place = tuple(tensor.indices.T - 1)
            off = np.abs(tensor.values - exact[name][place])
            assert (off <= tensor.errors + (doubt[layer][name][place] if doubt else 0)).all(), name


def extended_truth(
    name: str, inputs: Any, depth: int, names: list[str], cw: float, cb: float = 0.0, moved: float = 0.0
) -> Any:
    ids = [nf.derive(one).record.id for one in names]
    couplings = {"C_W": cw, "lambda_W": 1.0, "C_b": cb, "lambda_b": 0.0}
    return extended.solve(ids, extended.TABLES[name], inputs, depth, 1.0, couplings, moved)


@pytest.mark.parametrize("tolerance", [1e-8, 1e-10, 1e-12])
def test_tight_tolerances_state_what_is_left(tolerance: float) -> None:
    """The runs that are compared share no rule, so a difference of 0 is no accident of theirs."""
    names = ["K", "Theta", "V", "F"]
    found = nf.evaluate(nf.Network(4, 8, "silu", cw=1.5), X, names, tolerance=tolerance)
    errors_cover(found, extended_truth("silu", X, 4, names, 1.5))
    for name in names:
        tensor = found.get(name)
        assert np.max(tensor.errors) <= max(tolerance, 2e-11) * np.max(np.abs(tensor.values))  # below: rounding


@pytest.mark.parametrize("seed", range(4))
def test_random_networks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    checked = 0
    for tolerance in TOLERANCES:
        result = compared(random_case(rng, tolerance))
        if result is not None:
            assert result[0] <= 1, result
            checked += result[1]
    assert checked


def kernels(name: str, gap: float, cw: float, cb: float, depth: int) -> list[Any]:
    """K_11, K_12, K_22 of inputs (1, 0) and (1, gap) at each layer, in 60 digits."""
    mpmath.mp.dps = 60
    cw_, cb_, d = mpmath.mpf(cw), mpmath.mpf(repr(cb)), mpmath.mpf(repr(gap))

    def mean(p: Any, q: Any, r: Any) -> Any:
        if name == "erf":
            return 2 / mpmath.pi * mpmath.asin(2 * r / mpmath.sqrt((1 + 2 * p) * (1 + 2 * q)))
        return (mpmath.exp(r - (p + q) / 2) - mpmath.exp(-r - (p + q) / 2)) / 2

    rows = [[cb_ + cw_ * one / 2 for one in (1, 1, 1 + d * d)]]
    for _ in range(depth - 1):
        a, b, c = rows[-1]
        rows.append([cb_ + cw_ * mean(*one) for one in ((a, a, a), (a, c, b), (c, c, c))])
    return rows


@pytest.mark.parametrize(
    ("name", "gap", "cw", "cb", "depth"),
    [("erf", 1e-6, 10.0, 0.1, 40), ("sin", 1e-5, 4.0, 0.1, 34), ("erf", 1e-12, 10.0, 0.1, 60)],
)
def test_nearby_inputs_in_chaos(name: str, gap: float, cw: float, cb: float, depth: int) -> None:
    """Their distance keeps its digits, down to inputs whose Gram matrix is singular in double precision."""
    found = nf.evaluate(nf.Network(depth, 8, name, cw=cw, cb=cb), [[1, 0], [1, gap]], ["K"], tolerance=1e-10)
    for layer, exact in enumerate(kernels(name, gap, cw, cb, depth), 1):
        for index, value in zip(((1, 1), (1, 2), (2, 2)), exact, strict=True):
            got, error = found.value("K", index, layer=layer)
            assert abs(got - value) <= error < 1e-9 * abs(value)


def arc_cosine(K: Any, root: Any) -> Any:
    """2 <relu relu> of samples with covariance K, ``root`` of the product of their variances."""
    angle = mpmath.acos(K / root)
    return root * (mpmath.sin(angle) + (mpmath.pi - angle) * mpmath.cos(angle)) / mpmath.pi


@pytest.mark.parametrize("gap", [1e-3, 1e-5, 1e-9])
def test_nearly_opposite_inputs_of_relu(gap: float) -> None:
    """K_12 goes as the cube of what is left to opposite."""
    mpmath.mp.dps = 50
    value, error = nf.evaluate(nf.Network(2, 8, "relu", cw=2), [[1, 0], [-1, gap]], ["K"]).value("K", (1, 2))
    d = mpmath.mpf(repr(gap))
    exact = arc_cosine(mpmath.mpf(-1), mpmath.sqrt(1 + d * d))
    assert abs(value - exact) <= error < 1e-3 * gap**2


@pytest.mark.parametrize(("cw", "depth", "gap"), [(10, 16, 1e-6), (4, 28, 1e-5), (10, 20, 1e-7)])
def test_chaos_above_a_kink(cw: float, depth: int, gap: float) -> None:
    """Smooth layers amplify what a kink has rounded, or merged."""
    mpmath.mp.dps = 50
    d = mpmath.mpf(repr(gap))
    found = nf.evaluate(
        nf.Network(depth, 8, ":".join(["relu"] + ["sin"] * (depth - 2)), cw=cw), [[1, 0], [1, gap]], ["K"]
    )
    a, b, c = (mpmath.mpf(cw) / 2 * one for one in (1, 1, 1 + d * d))
    a, b, c = (mpmath.mpf(cw) / 2 * one for one in (a, arc_cosine(b, mpmath.sqrt(a * c)), c))
    for layer in range(2, depth + 1):
        value, error = found.value("K", (1, 2), layer=layer)
        assert abs(value - b) <= error, layer
        rows = ((a, a, a), (a, b, c), (c, c, c))
        a, b, c = (cw * (mpmath.exp(r - (p + q) / 2) - mpmath.exp(-r - (p + q) / 2)) / 2 for p, r, q in rows)


def test_exactly_parallel_inputs_of_relu_are_exact() -> None:
    found = nf.evaluate(nf.Network(6, 8, "relu", cw=2), [[1, 0.5], [2, 1]], ["K", "Theta"])
    for name, exact in (("K", 2.5), ("Theta", 7.5)):
        value, error = found.value(name, (1, 2))
        assert abs(value - exact) <= error < 1e-12


@pytest.mark.parametrize(("text", "size", "cw"), [("z**2", 1e-7, 0.7), ("z**3", 1e-3, 1.0)])
def test_a_variance_that_underflows_is_refused(text: str, size: float, cw: float) -> None:
    with pytest.raises(nf.NtkfeynError, match="underflow"):
        nf.evaluate(nf.Network(7, 8, text, cw=cw), [[size]], ["K"])


@pytest.mark.parametrize("gap", [1e-5, 1e-7, 3e-8, 1e-9])
def test_nearly_parallel_inputs_of_relu(gap: float) -> None:
    """They are taken as one variable, and off by their angle: the arc-cosine kernels in 50 digits."""
    mpmath.mp.dps = 50
    x = [[1, 0], [1, gap]]
    found = nf.evaluate(nf.Network(10, 8, "relu", cw=2), x, ["K", "Theta"])
    size = [mpmath.mpf(1), 1 + mpmath.mpf(repr(gap)) ** 2]
    K = theta = None
    for layer in range(1, 11):
        if K is None:
            K, theta = mpmath.mpf(1), mpmath.mpf(1) / 2
        else:
            root = mpmath.sqrt(size[0] * size[1])
            angle = mpmath.acos(K / root)
            theta = root * (mpmath.sin(angle) + (mpmath.pi - angle) * mpmath.cos(angle)) / mpmath.pi / 2 + theta * (
                1 - angle / mpmath.pi
            )
            K = root * (mpmath.sin(angle) + (mpmath.pi - angle) * mpmath.cos(angle)) / mpmath.pi
        for name, exact in (("K", K), ("Theta", theta)):
            value, error = found.value(name, (1, 2), layer=layer)
            assert abs(value - exact) <= error < 1e-5
    assert gap != 1e-7 or float(theta) == pytest.approx(4.99999928, abs=1e-8)


@pytest.mark.parametrize(("shift", "size"), [(10**8, 1), (10**6, Fraction(0.0001)), (10**3, 1)])
def test_cancellation_of_a_large_constant(shift: int, size: Fraction) -> None:
    """s = c + z: V = <(c+z)^4> - <(c+z)^2>^2 = 4 c^2 K + 2 K^2."""
    K = Fraction(size) ** 2
    found = nf.evaluate(nf.Network(2, 8, f"{shift}+z"), [[float(size)]], ["V"])
    value, error = found.value("V", (1, 1, 1, 1))
    assert abs(Fraction(value) - (4 * shift**2 * K + 2 * K**2)) <= error


def test_cancellation_at_small_inputs() -> None:
    """<cos^4> - <cos^2>^2 in 50 digits; and softplus, of which a constant is left."""
    mpmath.mp.dps = 50
    K = mpmath.mpf(0.0003) ** 2
    exact = (3 + 4 * mpmath.exp(-2 * K) + mpmath.exp(-8 * K)) / 8 - ((1 + mpmath.exp(-2 * K)) / 2) ** 2
    value, error = nf.evaluate(nf.Network(2, 8, "cos"), [[0.0003]], ["V"]).value("V", (1, 1, 1, 1))
    assert abs(value - exact) <= error < 1e-12
    names = ["V", "D", "A"]
    found = nf.evaluate(nf.Network(3, 8, "softplus"), X * 1e-3, names)
    truth, other = (extended_truth("softplus", X * 1e-3, 3, names, 1.0, moved=one) for one in (0.0, 0.37))
    errors_cover(found, truth, extended.doubt(truth, other))


@pytest.mark.parametrize("power", [-320, 320])
@pytest.mark.parametrize("name", ["relu", "leaky_relu(0.3)", "3*z/2"])
def test_homogeneous_networks_scale(name: str, power: int) -> None:
    """By a power of two exactly, wherever a number is left to hold the tensor."""
    plain = nf.evaluate(nf.Network(4, 8, name, cw=2), X, ["K", "Theta"])
    scaled = nf.evaluate(nf.Network(4, 8, name, cw=2), np.ldexp(X, power), ["K", "Theta"])
    for layer in range(1, 5):
        for one in ("K", "Theta"):
            a, b = plain.get(one, layer), scaled.get(one, layer)
            assert (np.ldexp(a.values, 2 * power) == b.values).all()
            assert (np.ldexp(a.errors, 2 * power) == b.errors).all()


@pytest.mark.parametrize(
    ("name", "scale", "cw", "tensor"),
    [
        ("relu", 1e-100, 2.0, "V"), ("relu", 1e100, 2.0, "V"), ("erf", 1e-150, 1.0, "K"), ("erf", 1.0, 1e-100, "K"),
        ("relu", 1.0, 5e-324, "K"), ("gelu", 1e-90, 1.0, "V"),
    ],
)  # fmt: skip
def test_what_no_number_can_hold_is_refused(name: str, scale: float, cw: float, tensor: str) -> None:
    with pytest.raises(nf.NtkfeynError, match=r"(under|over)flow"):
        nf.evaluate(nf.Network(3, 8, name, cw=cw), X * scale, [tensor])


def test_compared_rules_share_no_node() -> None:
    gelu: Any = activation("gelu")
    rules = AxisRules(lambda z: gelu.table(z, 0)[0][None, :] ** 2, 1.0, "gelu")
    for sigma in (1e-8, 1e-3, 0.1, 1.0, 3.0):
        for tolerance in (1e-5, 1e-9, 1e-12):
            cut = rules.cut(sigma, tolerance)
            for finer in (1.0, 1.1):
                fine, *others = (rules.axis(sigma, tolerance, cut, c, finer) for c in (1.0, 1.08, 1.25))
                for other in others:
                    assert len(fine.nodes) >= len(other.nodes) >= 2
                    assert set(fine.nodes) & set(other.nodes) <= {0.0}  # in the middle of two Hermite rules
    shifted = trapezoid(0.3, 8.0, SHIFT)
    assert shifted.weights.sum() == pytest.approx(1, abs=1e-14)
    assert (np.diff(np.abs(shifted.nodes)) >= 0).all()
