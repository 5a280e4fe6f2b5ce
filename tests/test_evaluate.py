"""Solved systems against exact numbers: theory section 6, closed-form kernels, rationals, a straightforward solver."""

from __future__ import annotations

import itertools
from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.kernels import infinite_width
from oracles.straightforward import solve as straightforward
from test_numbers import INPUTS, leading, order_two

import ntkfeyn as nf
from ntkfeyn.derivation.recursion import derive_system
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.expectations.kernels import Kernel
from ntkfeyn.judge.setting import Setting
from ntkfeyn.model.cumulants import standard
from ntkfeyn.solve import convergence, solver
from ntkfeyn.solve import plan as planning
from ntkfeyn.solve.components import Components, all_tuples, subsets_up_to
from ntkfeyn.solve.plan import make_plan, standard_samples
from ntkfeyn.solve.results import Tensors
from ntkfeyn.verification.derived import SystemSolver

ORDER_ONE = ["K", "Theta", "K@1", "Theta@1", "V", "D", "F", "A", "B"]
DERIVATIVES = ["P", "Q", "R", "S", "T", "U"]
VECTORS = np.random.default_rng(8).normal(size=(4, 4))
VECTORS *= 2 / np.linalg.norm(VECTORS, axis=1)[:, None]


def index_of(name: str) -> tuple[int, ...]:
    """Samples 1, 2, 3, 4 on the slots in the order of the name's labels: F_1324 and so on."""
    return {"F": (1, 3, 2, 4), "B": (1, 3, 2, 4), "T": (1, 3, 2, 4), "U": (1, 4, 2, 3)}.get(name, (1, 2, 3, 4))


def test_linear_network_to_depth_fifty() -> None:
    inputs = [[float(x) for x in row] for row in INPUTS]
    names = [*leading(2)]
    found = nf.evaluate(
        nf.Network(50, 64, "linear"), inputs, [*names, "K@1", "Theta@1"], components="1-2-3-4,1-3-2-4,1-4-2-3"
    )
    for L in (1, 2, 3, 17, 50):
        for name, exact in leading(L).items():
            value, error = found.value(name, index_of(name), layer=L)
            assert abs(value - float(exact)) <= error <= 1e-10 * np.max(np.abs(found.get(name, layer=L).values))
            assert value == pytest.approx(float(exact), rel=1e-12, abs=1e-12), (name, L)
        assert not found.get("K@1", layer=L).values.any()
        assert not found.get("Theta@1", layer=L).values.any()


def test_linear_network_at_order_two() -> None:
    names = list(order_two(3))
    found = nf.evaluate(nf.Network(50, 64, "linear"), [[1.0]], [f"{name}@2" for name in names])
    for L in (1, 2, 3, 10, 50):
        for name, exact in order_two(L).items():
            assert found.get(f"{name}@2", layer=L).values[0] == pytest.approx(float(exact), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu(0.3)"])
def test_scale_invariant_activations_on_one_input(activation: str) -> None:
    """Theory section 6: ReLU at orders 1 and 2 to depth 50; for both the diagonals have no correction."""
    cw = 2.0 if activation == "relu" else 2 / 1.09
    names = [*ORDER_ONE, "P", "Q", "K@2", "Theta@2", "V@2", "D@2", "F@2", "A@2", "B@2"]
    found = nf.evaluate(nf.Network(50, 64, activation, cw=cw), [[1.0]], names)
    for L in (2, 3, 4, 5, 50):
        for name in ("K@1", "K@2", "Theta@1", "Theta@2"):
            assert abs(found.get(name, layer=L).values[0]) < 1e-11
        if activation == "relu":
            exact = {
                "K": 2, "Theta": L, "V": 20 * (L - 1), "F": 2 * L * (L - 1), "D": 6 * L * (L - 1), "P": 0,
                "A": L * (L - 1) * (7 * L - 2) / 3, "B": L * (L - 1) * (2 * L - 1) / 3, "Q": (L - 1) * L * (L + 1) / 3,
                "V@2": 50 * (L - 1) * (L - 2),
            }  # fmt: skip
            if L in (3, 4, 5):
                rows = {"D": (78, 312, 780), "F": (36, 144, 360), "A": (69, 384, 1230), "B": (22, 128, 420)}
                exact |= {f"{name}@2": row[L - 3] for name, row in rows.items()}
            for name, value in exact.items():
                assert found.get(name, layer=L).values[0] == pytest.approx(value, rel=1e-12, abs=1e-12), (name, L)


@pytest.mark.parametrize("activation", ["relu", "erf", "gelu", "sin"])
def test_infinite_width_kernels(activation: str) -> None:
    couplings = (1.7, 0.3, 0.9, 0.2)
    network = nf.Network(5, 64, activation, cw=1.7, cb=0.3, lambda_w=0.9, lambda_b=0.2)
    found = nf.evaluate(network, VECTORS, ["K", "Theta"])
    K, T = infinite_width(activation, VECTORS @ VECTORS.T / 4, 5, couplings)
    for name, exact in (("K", K), ("Theta", T)):
        assert np.max(np.abs(found.array(name) - exact)) < 3e-8 * np.max(exact)
        assert (np.abs(found.array(name) - exact).ravel() <= found.get(name).errors + 1e-12).all()


@pytest.mark.parametrize("names", [(*ORDER_ONE, *DERIVATIVES), ("K@2", "Theta@2", "V@2", "C0C1@2", "R3@2")])
def test_polynomial_network_is_exact(names: tuple[str, ...]) -> None:
    """All samples, biases, unequal widths: the numbers of the exact rational solver."""
    gram = ((Fraction(3, 2), Fraction(1, 3)), (Fraction(1, 3), Fraction(5, 4)))
    couplings = (Fraction(3, 4), Fraction(2, 3), Fraction(1, 5), Fraction(1, 7))
    C_W, lambda_W, C_b, lambda_b = couplings
    setting = Setting(
        activations=((Fraction(1, 5), Fraction(1), Fraction(1, 2)),),
        C_W=C_W,
        lambda_W=lambda_W,
        C_b=C_b,
        lambda_b=lambda_b,
        kernel=tuple(tuple((C_b + C_W * x,) for x in row) for row in gram),
        ntk=tuple(tuple((lambda_b + lambda_W * x,) for x in row) for row in gram),
        widths=(Fraction(2), Fraction(3), Fraction(5)),
    )
    exact = SystemSolver(setting)
    numbers = dict(zip(("cw", "lambda_w", "cb", "lambda_b"), map(float, couplings), strict=True))
    network = nf.Network(4, (2, 3, 5), "1/5 + z + z**2/2", **numbers)
    found = nf.evaluate(network, names=list(names), gram=[[float(x) for x in row] for row in gram])
    for name in names:
        full = found.get(name)
        base, _, order = name.partition("@")
        power = int(order) if order else nf.derive(base).record.order
        for index, value in zip(full.indices.tolist(), full.values, strict=True):
            samples = standard_samples(base, [a - 1 for a in index])
            expected = float(exact.value(base, power, 4, samples))
            assert value == pytest.approx(expected, rel=1e-12, abs=1e-13), (name, index)


@pytest.mark.parametrize(("samples", "depth", "nodes"), [(4, 2, 36), (3, 4, 44)])
def test_a_straightforward_solver_agrees(samples: int, depth: int, nodes: int) -> None:
    """GELU, every component of seven tensors, by another method and with recursions typed in."""
    inputs = VECTORS[:samples]
    found = nf.evaluate(nf.Network(depth, 64, "gelu", cw=1.6, cb=0.1), inputs, ["K", "Theta", "V", "D", "F", "A", "B"])
    slow = straightforward(inputs @ inputs.T / 4, depth, 1.6, 0.1, nodes, cut=7.0)
    for name, exact in slow.items():
        assert np.max(np.abs(found.array(name) - exact)) < 1e-8 * np.max(np.abs(exact)), name


def run(activation: str, inputs: np.ndarray, names: list[str], tolerance: float, **couplings: float) -> Tensors:
    return nf.evaluate(nf.Network(4, (32, 64, 16), activation, **couplings), inputs, names, tolerance=tolerance)


def compare(loose: Tensors, tight: Tensors, names: list[str], tolerance: float) -> None:
    """Converged to the tolerance, and the error estimates hold."""
    for layer in (2, 3, 4):
        for name in names:
            a, b = loose.get(name, layer), tight.get(name, layer)
            size, off = np.max(np.abs(b.values)), np.abs(a.values - b.values)
            assert np.max(off) <= tolerance * size, (name, layer)
            assert np.mean(off <= a.errors + b.errors) >= 0.99, (name, layer)
            assert np.max(a.errors) <= 10 * tolerance * size, (name, layer)


@pytest.mark.parametrize(("activation", "cw"), [("gelu", 1.98305826), ("tanh", 1.5), ("silu", 2.0)])
def test_order_one_converges_on_four_inputs(activation: str, cw: float) -> None:
    names = [*ORDER_ONE, *DERIVATIVES]
    couplings = {"cw": cw, "cb": 0.17292239, "lambda_b": 0.3}
    loose, tight = (run(activation, VECTORS, names, t, **couplings) for t in (1e-8, 3e-11))
    compare(loose, tight, names, 1e-8)


@pytest.mark.parametrize("activation", ["gelu", "tanh"])
@pytest.mark.parametrize("samples", [1, 2])
def test_order_two_converges(activation: str, samples: int) -> None:
    names = ["K@2", "Theta@2", "V@2"]
    loose, tight = (run(activation, VECTORS[:samples], names, t, cw=1.5, cb=0.1) for t in (1e-8, 1e-11))
    compare(loose, tight, names, 1e-8)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("activation", ["relu", "leaky_relu(0.3)"])
def test_coincident_and_parallel_samples(activation: str, order: int) -> None:
    """Inputs x, 2x, -x, y: diagonals have no correction, 2x scales like x, equal inputs are equal."""
    x, y = np.array([1.0, 0.3, -0.2]), np.array([0.4, -1.0, 0.6])
    inputs = np.array([x, 2 * x, -x, y, y])
    names = [f"K@{order}", f"Theta@{order}"]
    plain = nf.evaluate(nf.Network(4, 64, activation, cw=1.6), inputs, names)
    for name in names:
        values = plain.array(name)
        assert np.max(np.abs(np.diag(values))) < 1e-10
        assert np.abs(values[0, 3]) > 1e-3
        assert values[1, 3] == pytest.approx(2 * values[0, 3], rel=1e-9)
        assert values[0, 1] == pytest.approx(0, abs=1e-10)
        assert (values[3] == values[4]).all()
    biased = nf.evaluate(nf.Network(4, 64, activation, cw=1.6, cb=0.3, lambda_b=0.1), inputs, names)
    for name in names:
        assert np.isfinite(biased.array(name)).all()
        assert (biased.array(name)[3] == biased.array(name)[4]).all()


def test_kinks_are_limits_of_smooth_activations() -> None:
    """z Phi(40 z) with biases, distinct inputs: K@1, Theta@1, V, A of ReLU come out of quadrature."""
    names = ["K@1", "Theta@1", "V", "A", "F"]
    inputs, couplings = VECTORS[:2], {"cw": 1.7, "cb": 0.2, "lambda_b": 0.1}
    kinked = nf.evaluate(nf.Network(3, 64, "relu", **couplings), inputs, names)
    text = "z*(1+erf(40*z/sqrt(2)))/2"
    sharp = nf.evaluate(nf.Network(3, 64, text, **couplings), inputs, names, tolerance=1e-5)
    for name in names:
        a, b = kinked.array(name), sharp.array(name)
        assert np.max(np.abs(a - b)) < 2e-2 * np.max(np.abs(a)), name


@pytest.mark.parametrize("activation", ["gelu", "relu", "z + z**2/3"])
def test_singular_kernels(activation: str) -> None:
    """Six inputs in a plane; equal inputs give equal tensors; a zero input works."""
    inputs = np.random.default_rng(2).normal(size=(6, 2))
    inputs[4] = inputs[1]
    inputs[5] = 0
    found = nf.evaluate(nf.Network(3, 64, activation, cw=1.2), inputs, ["K", "Theta", "V", "F", "K@1"])
    for name in ("K", "Theta", "V", "F", "K@1"):
        values = found.array(name)
        assert np.isfinite(values).all()
        assert (values[4] == values[1]).all()
        assert np.abs(values).max() > 0
    if activation != "z + z**2/3":
        assert found.value("V", (6, 6, 1, 1))[0] == 0
    few = nf.evaluate(nf.Network(3, 64, activation, cw=1.2), inputs[[1, 0]], ["V", "F"])
    for name in ("V", "F"):
        for index in ((1, 1, 2, 2), (1, 2, 1, 2), (1, 2, 2, 2)):
            other = tuple({1: 5, 2: 1}[a] for a in index)
            assert few.value(name, index)[0] == pytest.approx(found.value(name, other)[0], rel=1e-6, abs=1e-9)


@given(st.permutations(range(4)), st.sampled_from(["gelu", "leaky_relu(0.1)", "sin", "z**3/6 + z"]))
@settings(max_examples=12)
def test_permuted_inputs_permute_tensors(order: list[int], activation: str) -> None:
    network = nf.Network(3, 64, activation, cw=1.3, cb=0.1)
    names = ["Theta@1", "D", "F"]
    plain, moved = (nf.evaluate(network, x, names, tolerance=1e-6) for x in (VECTORS, VECTORS[order]))
    for name in names:
        a, b = plain.array(name), moved.array(name)
        assert np.max(np.abs(a[np.ix_(*[order] * a.ndim)] - b)) < 1e-5 * np.max(np.abs(a))


def test_unequal_widths_enter_as_ratios() -> None:
    inputs = VECTORS[:2]
    names = ["V", "Theta@1"]
    equal = nf.evaluate([nf.Network(4, n, "gelu") for n in (8, 64)], inputs, names)
    assert (equal.array("V", width=8) == equal.array("V", width=64)).all()
    scaled = nf.evaluate([nf.Network(4, w, "gelu") for w in ((8, 16, 8), (32, 64, 32))], inputs, names)
    assert (scaled.array("V", width="8:16:8") == scaled.array("V", width="32:64:32")).all()
    assert np.max(np.abs(scaled.array("V", width="8:16:8") - equal.array("V", width=8))) > 1e-3


def test_components_are_those_of_the_full_answer() -> None:
    network = nf.Network(3, 64, "gelu", cw=1.5)
    full = nf.evaluate(network, VECTORS, ["K", "V", "F"])
    pairs = nf.evaluate(network, VECTORS, ["K", "V", "F"], components="pairs")
    assert len(pairs.get("V").indices) == 4 + 6 * 14
    some = nf.evaluate(network, VECTORS, ["K", "V", "F"], components="1-2-1-4,3-3-2-2")
    assert [list(row) for row in some.get("V").indices] == [[1, 2, 1, 4], [3, 3, 2, 2]]
    assert len(some.get("K").indices) == 9 + 4 - 1
    for part in (pairs, some):
        for name in ("K", "V", "F"):
            tensor = part.get(name)
            for index, value in zip(tensor.indices, tensor.values, strict=True):
                exact, error = full.value(name, index)
                assert value == pytest.approx(exact, abs=2 * error + 1e-9 * np.abs(full.get(name).values).max())


def test_workers_do_not_change_the_numbers() -> None:
    for activation in ("gelu", "relu"):
        network = nf.Network(3, 64, activation, cw=1.5)
        one, two = (nf.evaluate(network, VECTORS, ["V", "Theta@1"], jobs=jobs) for jobs in (1, 2))
        assert one.to_json() == two.to_json()


def test_reruns_stop_at_the_tolerance(monkeypatch: pytest.MonkeyPatch) -> None:
    """A first run that is too coarse is repeated; its estimate was honest."""
    plan = make_plan(derive_system([("V", 1)]), {("V", 1): subsets_up_to(2, 2)}, 2)
    gram = VECTORS[:2] @ VECTORS[:2].T / 4
    network = nf.Network(3, 64, "gelu")
    monkeypatch.setattr(convergence, "MARGIN", 1e3)
    monkeypatch.setattr(convergence, "MAX_REPEATS", 0)
    rough = solver.solve(plan, network, Kernel.of(gram), 1e-8)[-1]
    monkeypatch.setattr(convergence, "MAX_REPEATS", 4)
    fine = solver.solve(plan, network, Kernel.of(gram), 1e-8)[-1]
    size = np.max(np.abs(fine.values["V", 1]))
    assert np.max(rough.errors["V", 1]) > 1e-8 * size
    assert np.max(fine.errors["V", 1]) <= 1e-8 * size
    assert (np.abs(rough.values["V", 1] - fine.values["V", 1]) <= rough.errors["V", 1]).all()


@pytest.mark.parametrize(("target", "samples"), [(("Theta", 2), 2), (("D", 2), 3), (("K", 3), 1)])
def test_equal_samples_may_be_one_slot(target: tuple[str, int], samples: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Terms written for each pattern of equal samples are those written once; with one sample nothing is summed."""
    gram = VECTORS[:samples] @ VECTORS[:samples].T / 4
    system = derive_system([target])
    layers, sizes = [], []
    for worth in (10**9, 0):
        monkeypatch.setattr(planning, "WORTH", worth)
        plan = make_plan(system, {target: subsets_up_to(samples, samples)}, samples)
        sizes.append(max(len(term.counts) for term in plan.terms[target]))
        layers.append(solver.solve(plan, nf.Network(4, 8, "gelu", cb=0.1), Kernel.of(gram)))
    for one, other in zip(*layers, strict=True):
        for tensor, values in one.values.items():
            assert np.max(np.abs(values - other.values[tensor])) <= 1e-13 * np.max(np.abs(values)), tensor
    assert samples > 1 or (sizes[1] == 1 and sizes[0] > 100)


@pytest.mark.parametrize("name", ["V", "D", "F", "T", "C1C1", "C0R1C1", "R1R1R2"])
def test_orbits_are_found_from_every_member(name: str) -> None:
    found = Components.over(name, subsets_up_to(3, 2), 3)
    for symmetry in standard(name).symmetries:
        assert (found.find(found.rows[:, list(symmetry)]) == np.arange(len(found))).all()


def test_assembled_adds_orders() -> None:
    network = nf.Network(3, (16, 32), "gelu", cw=1.5)
    found = nf.evaluate(network, VECTORS[:2], ["K", "K@1", "K@2", "V"])
    added = found.assembled()
    for layer, below in ((2, 16), (3, 32)):
        expected = sum(found.array(f"K@{r}", layer) / below**r for r in range(3))
        assert np.allclose(added.array("K@0..2", layer), expected, rtol=1e-15)
        assert (added.array("V@1", layer) == found.array("V", layer)).all()
    with pytest.raises(nf.NtkfeynError, match="K@0"):
        nf.evaluate(network, VECTORS[:2], ["K@1"]).assembled()


def test_relu_variance_is_a_binomial() -> None:
    """E[z_i^2 z_j^2] / K^2 = prod (1 + 5/n): V at order s+1 is 5^(s+1) C(L-1, s+1) K^2."""
    found = nf.evaluate(nf.Network(6, 64, "relu", cw=2.0), [[1.0]], ["V@1", "V@2", "V@3"])
    for L in range(1, 7):
        for s in range(3):
            exact = 4 * 5 ** (s + 1) * comb(L - 1, s + 1)
            assert found.get(f"V@{s + 1}", layer=L).values[0] == pytest.approx(exact, rel=1e-11, abs=1e-11)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu(3)", "leaky_relu(-1)"])
@pytest.mark.parametrize("angle", [1e-2, 1e-3, 1e-4, 1e-5, 1e-6])
def test_nearly_parallel_inputs_are_never_called_exact(activation: str, angle: float) -> None:
    """Corrections vanish with the angle; terms of size angle^-3 cancel in them, and the error says what is lost."""
    found = nf.evaluate(nf.Network(4, 64, activation, cw=0.5), [[1.0, 0.0], [1.0, angle]], ["K@1", "Theta@1", "V"])
    for name in ("K@1", "Theta@1"):
        value, error = found.value(name, (1, 2))
        assert abs(value) <= error + 10 * angle
        assert error > 0 or angle >= 1e-2
        assert found.value(name, (1, 1)) == pytest.approx((0, 0), abs=max(error, 1e-12))
    V = found.array("V")
    assert V[0, 0, 1, 1] == pytest.approx(V[0, 0, 0, 0], rel=20 * angle)


def test_inputs_that_converge_with_depth() -> None:
    """With biases all inputs become parallel; the correction between them must die out, not blow up."""
    found = nf.evaluate(nf.Network(50, 64, "relu", cw=1.2, cb=0.3), [[1, 0.5], [0.3, 1]], ["Theta@1", "K@1"])
    for layer in (10, 20, 30, 40, 50):
        value, error = found.value("Theta@1", (1, 2), layer=layer)
        assert abs(value) <= error + 0.2
        assert error > 0
    assert abs(found.value("Theta@1", (1, 2))[0]) < 1e-3
    assert any("Theta@1" in line and "nearly parallel" in line for line in found.warnings())


def test_samples_of_very_different_size() -> None:
    found = nf.evaluate(nf.Network(2, 10, "linear"), names=["V"], gram=np.diag([1.0, 1e-30]))
    assert found.value("V", (1, 2, 1, 2))[0] == pytest.approx(1e-30, rel=1e-12)
    assert abs(found.value("V", (1, 1, 2, 2))[0]) < 1e-45


@pytest.mark.parametrize("activation", ["sqrt(1+z**2)", "log(1+z**2)", "exp(z)", "cosh(z/2)", "1+tanh(z)"])
def test_expressions_that_converge(activation: str) -> None:
    inputs = VECTORS[:2] / 2
    loose, tight = (
        nf.evaluate(nf.Network(3, 8, activation, cw=0.3), inputs, ["K", "V"], tolerance=t) for t in (1e-7, 1e-9)
    )
    for name in ("K", "V"):
        a, b = loose.array(name), tight.array(name)
        assert np.max(np.abs(a - b)) < 1e-7 * np.max(np.abs(b))


def test_components_are_counted_exactly() -> None:
    """Sets that overlap: every tuple once, in index order; 40 inputs of V are 40^4."""
    families = [frozenset({(0, 1, 2, 3, 4)}), subsets_up_to(5, 2), frozenset({(0, 1), (1, 2, 3), (4,)})]
    for name in ("K", "V", "F", "P"):
        shape = standard(name)
        for family in families:
            listed = sorted({t for s in family for t in itertools.product(s, repeat=len(shape.labels))})
            found = all_tuples(name, family, 5)
            assert [tuple(row) for row in found[:, list(shape.index)].tolist()] == listed
    assert len(all_tuples("V", subsets_up_to(40, 4), 40)) == 40**4
    with pytest.raises(NtkfeynError, match=f"{45**4} components"):
        all_tuples("V", subsets_up_to(45, 4), 45)


def test_grids_that_are_too_large_are_laid_for_the_tolerance_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs aim at 1e-6 at least; where that has too many nodes a larger tolerance is taken at its word."""
    x = np.random.default_rng(5).normal(size=(4, 3))
    network = nf.Network(2, 8, "gelu", cw=1.5, cb=0.1)
    fine = nf.evaluate(network, x, "V", components="1-2-3-4")
    monkeypatch.setattr("ntkfeyn.expectations.grids.MAX_HELD", 80_000)
    with pytest.raises(nf.NtkfeynError, match="nodes or more"):
        nf.evaluate(network, x, "V", components="1-2-3-4")
    rough = nf.evaluate(network, x, "V", components="1-2-3-4", tolerance=1e-3)
    [value], [error] = rough.get("V").values, rough.get("V").errors
    assert 0 < abs(value - fine.get("V").values[0]) <= error
