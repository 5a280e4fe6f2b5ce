"""Joint cumulants from fluctuations of the activation: equal to those without, and exact where those cancel."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest

import ntkfeyn as nf
from ntkfeyn.derivation.recursion import derive_system
from ntkfeyn.derivation.reduction import split_omega
from ntkfeyn.expectations.activations import activation, functions
from ntkfeyn.expectations.fluctuations import fluctuations
from ntkfeyn.expectations.kernels import Kernel
from ntkfeyn.judge.setting import Setting
from ntkfeyn.model.polynomials import polynomials
from ntkfeyn.model.tensors import TensorId
from ntkfeyn.solve import centring
from ntkfeyn.solve.centring import FLUCTUATION, centred
from ntkfeyn.solve.components import subsets_up_to
from ntkfeyn.solve.convergence import Trial
from ntkfeyn.solve.plan import make_plan
from ntkfeyn.solve.solver import Problem
from ntkfeyn.solve.stack import uniform
from ntkfeyn.verification.derived import SystemSolver

X = np.array([[1, 0.5, 0.2], [0.3, 1, 0.1]])
NAMES = ("K@1", "Theta@1", "V@1", "D@1", "F@1", "A@1", "B@1", "P@1", "T@1", "K@2", "V@2", "D@2")


@pytest.mark.parametrize("name", ["1/3+z-z**2/5+z**3/7", "sigmoid", "cos", "gelu"])
def test_it_changes_no_tensor(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All components of two samples, also where samples coincide and where derivatives act beside fluctuations."""
    targets = [TensorId(one[:-2], int(one[-1])) for one in NAMES]
    network = nf.Network(3, 8, name, cw=1.3, cb=0.2)
    monkeypatch.setattr(centring, "MAX_TERMS", 10**6)
    plan = make_plan(derive_system(targets), {target: subsets_up_to(2, 2) for target in targets}, 2)
    problem = Problem(uniform(plan, 3), network, functions(network), Kernel.of(X @ X.T / 3), map, lambda _: None)
    plain, other = (problem.run(Trial(1e-11, centred=one), 3)[-1].values for one in (False, True))
    for target in targets:
        size = np.max(np.abs(plain[target]))
        assert size > 0
        assert np.max(np.abs(plain[target] - other[target])) < 1e-7 * size, target


def test_constants_cancel_before_there_are_numbers() -> None:
    """V at order 1: of each pair of the propagator at least one factor moves, in every term."""
    [recursion] = [one for one in derive_system([TensorId("V", 1)]).recursions if one.name == "V"]
    [terms] = centred([tuple(part for term in recursion.terms for part in split_omega(term))])
    moving = [t for t in terms if any(f.function == FLUCTUATION for g in t.groups for f in g.factors)]
    pairs = [(1, 2), (3, 4)] if min(recursion.cumulant.labels) == 1 else [(0, 1), (2, 3)]
    assert len(moving) == 18  # three ways a pair, as one expectation and as two
    for term in moving:
        slots = {f.slot for g in term.groups for f in g.factors}
        assert all(slots & set(pair) for pair in pairs)


@pytest.mark.parametrize("name", ["cos", "softplus", "sigmoid", "tanh", "gelu", "erf", "exp(-z**2)", "1/(1+9*z**2)"])
def test_fluctuations_keep_their_digits(name: str) -> None:
    """Against 40 digits, from 1e-9 to 3; what is zero by symmetry at 0 as well."""
    mpmath.mp.dps = 40
    known: dict[str, Any] = {
        "cos": mpmath.cos, "softplus": lambda z: mpmath.log(1 + mpmath.exp(z)), "tanh": mpmath.tanh,
        "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)), "gelu": lambda z: z * mpmath.ncdf(z), "erf": mpmath.erf,
        "exp(-z**2)": lambda z: mpmath.exp(-z * z), "1/(1+9*z**2)": lambda z: 1 / (1 + 9 * z * z),
    }  # fmt: skip
    z = np.concatenate([sign * 10 ** np.linspace(-9, 0.5, 25) for sign in (1, -1)])
    smooth: Any = activation(name)
    found = fluctuations(smooth, z, smooth.table(z, 2))
    for m in range(3):
        at_zero = mpmath.diff(known[name], 0, m)
        for one, got in zip(z, found[m], strict=True):
            with mpmath.workdps(80):
                exact = mpmath.diff(known[name], mpmath.mpf(float(one)), m) - at_zero
            loose = 1e-12 * abs(exact) + (1e-15 * abs(float(at_zero)) if abs(one) > 0.05 else 0.0)
            assert abs(got - exact) <= loose, (m, one)


@pytest.mark.parametrize(("text", "size"), [("10**8+z", 1), ("10**6+z", Fraction(1, 8192)), ("1000-z+z**2/8", 1)])
def test_polynomials_with_a_large_constant(text: str, size: Fraction) -> None:
    """Exact rationals judge the tensors of layer 2, where their means are 10^16 times larger."""
    gram = ((Fraction(size) ** 2,),)
    setting = Setting(
        polynomials((text,)), (((gram[0]),),), (((gram[0]),),), Fraction(1), Fraction(0), Fraction(1), Fraction(0), (8,)
    )  # fmt: skip
    exact = SystemSolver(setting)
    found = nf.evaluate(nf.Network(2, 8, text), [[float(size)]], ["V", "D", "A"])
    for name in ("V", "D", "A"):
        value, error = found.value(name, (1, 1, 1, 1))
        truth = exact.value(name, 1, 2, (0, 0, 0, 0))
        assert abs(Fraction(value) - truth) <= error <= 1e-9 * abs(truth), name


def test_smooth_activations_at_small_inputs() -> None:
    """<cos^4> - <cos^2>^2 in 50 digits: the value, not an error that covers everything."""
    mpmath.mp.dps = 50
    for size in (3e-4, 1e-6):
        K = mpmath.mpf(size) ** 2
        exact = (3 + 4 * mpmath.exp(-2 * K) + mpmath.exp(-8 * K)) / 8 - ((1 + mpmath.exp(-2 * K)) / 2) ** 2
        value, error = nf.evaluate(nf.Network(2, 8, "cos"), [[size]], ["V"]).value("V", (1, 1, 1, 1))
        assert abs(value - exact) <= error <= 1e-9 * exact
