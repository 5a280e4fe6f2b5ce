"""Gaussian expectations against closed forms, an adaptive cubature, and exact rationals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.kernels import KERNELS, sines
from scipy.integrate import cubature

from ntkfeyn.errors import NtkfeynError
from ntkfeyn.expectations.activations import activation
from ntkfeyn.expectations.kernels import Kernel, cholesky
from ntkfeyn.expectations.keys import Differentiated, Expectations, Key
from ntkfeyn.expectations.quadrature import AxisRules, ball, hermite, trapezoid
from ntkfeyn.expectations.smooth import SmoothExpectations


def expectation(name: str, kernel: np.ndarray, key: Key, tolerance: float = 1e-10, coarsening: float = 1.0) -> float:
    """One expectation, its functions at samples 0, 1, .."""
    table = np.zeros((1, 1), dtype=np.int64)
    order = sorted(range(len(key)), key=lambda i: key[i])
    asked = Expectations(len(kernel))
    asked.ask(table, np.array([0]), 0, tuple(key[i] for i in order), np.array([order]))
    asked.close()
    found = SmoothExpectations(activation(name), asked, tolerance, coarsening)  # type: ignore[arg-type]
    needed = np.ones(asked.size, dtype=bool)
    return float(found.values(Kernel.of(kernel), needed)[table[0, 0]])


def plain(*orders: int) -> Key:
    return tuple(Differentiated((m,), 0) for m in orders)


def kernel(size: int, rank: int, scale: float = 1.0, seed: int = 0) -> np.ndarray:
    x = np.random.default_rng(seed).normal(size=(size, rank))
    return scale * x @ x.T / rank


@pytest.mark.parametrize("size", [1, 2, 3, 4])
@pytest.mark.parametrize("rank", [1, 2, 3, 5])
def test_sines_in_one_to_four_dimensions(size: int, rank: int) -> None:
    """Also singular kernels: fewer axes than samples."""
    rng = np.random.default_rng(size + 10 * rank)
    for scale in (0.05, 1.0, 4.0):
        k = kernel(size, rank, scale, seed=rank)
        orders = rng.integers(0, 5, size=size)
        exact = sines(k, list(enumerate(orders)))
        assert abs(expectation("sin", k, plain(*map(int, orders))) - exact) < 1e-9


def test_products_at_one_sample_and_their_derivatives() -> None:
    """<d^2 (s s'^2) (z_1) d (s s) (z_2)>, by hand-expanded Leibniz."""
    k = kernel(2, 2, 1.5)
    key = (Differentiated((0, 1, 1), 2), Differentiated((0, 0), 1))
    terms = {(0, 1, 3): 2, (0, 2, 2): 2, (1, 1, 2): 5}  # (s s'^2)''
    exact = sum(c * 2 * sines(k, [*((0, m) for m in first), (1, 0), (1, 1)]) for first, c in terms.items())
    assert abs(expectation("sin", k, key) - exact) < 1e-9


@pytest.mark.parametrize("name", ["erf", "gelu", "sin"])
def test_two_point_kernels(name: str) -> None:
    for seed, scale in ((0, 0.01), (1, 1.0), (2, 6.0)):
        k = kernel(2, 2, scale, seed)
        ss, dd = KERNELS[name](k[0, 0], k[0, 1], k[1, 1])
        assert expectation(name, k, plain(0, 0)) == pytest.approx(ss, abs=3e-10 * max(1, scale))
        assert expectation(name, k, plain(1, 1)) == pytest.approx(dd, abs=3e-10)


def test_against_adaptive_cubature() -> None:
    k = kernel(2, 3, 1.3, seed=5)
    inverse, norm = np.linalg.inv(k), 2 * np.pi * np.sqrt(np.linalg.det(k))

    def integrand(z: np.ndarray) -> np.ndarray:
        density = np.exp(-0.5 * np.einsum("ni,ij,nj->n", z, inverse, z)) / norm
        t = np.tanh(z)
        return density * t[:, 0] * -2 * t[:, 1] * (1 - t[:, 1] ** 2)

    slow = cubature(integrand, [-14.0] * 2, [14.0] * 2, rtol=1e-10, atol=1e-12).estimate
    assert expectation("tanh", k, plain(0, 2)) == pytest.approx(float(slow), abs=1e-10)


@pytest.mark.parametrize("name", ["gelu", "tanh", "silu", "erf", "z*exp(-z**2/4)"])
def test_more_nodes_change_less_than_the_tolerance(name: str) -> None:
    k = kernel(4, 4, 1.6, seed=3)
    for key in (plain(0, 0, 0, 0), plain(1, 1, 0, 1)):
        values = [expectation(name, k, key, 1e-8, coarsening) for coarsening in (1.0, 1 / 1.3)]
        size = np.sqrt(
            np.prod(
                [expectation(name, k[[a]][:, [a]], (Differentiated((f.orders * 2), 0),)) for a, f in enumerate(key)]
            )
        )
        assert abs(values[0] - values[1]) < 1e-8 * size


@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 10**6))
@settings(max_examples=40)
def test_cholesky_of_singular_kernels(size: int, rank: int, seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=(3, size, rank))
    x[1, -1] = 0
    x[2, -1] = x[2, 0]
    k = x @ x.transpose(0, 2, 1)
    L = cholesky(k)
    assert np.max(np.abs(L @ L.transpose(0, 2, 1) - k)) < 1e-12 * max(1, np.max(k))
    assert all((np.abs(one) > 0).any(axis=0).sum() <= min(size, rank) for one in L)
    for one in L:  # each sample comes to rest once the axis is laid through it: triangular but for the order of rows
        ends = np.sort([np.flatnonzero(row)[-1] if row.any() else -1 for row in one])
        assert (ends <= np.arange(size)).all()


def test_rules_integrate_polynomials() -> None:
    for n in (1, 4, 9):
        rule = hermite(n)
        moments = [float(rule.weights @ rule.nodes**p) for p in range(0, 2 * n, 2)]
        exact = np.cumprod([1, *range(1, 2 * n - 2, 2)])
        assert np.allclose(moments, exact, rtol=1e-12)
    rule = trapezoid(0.4, 9.0)
    assert rule.weights @ rule.nodes**4 == pytest.approx(3, abs=1e-12)
    assert ball(7.0, 1) == 7.0
    assert ball(7.0, 4) > 7.5


def test_what_does_not_converge_is_refused() -> None:
    for name, scale in (("exp(z**2)", 1.0), ("tanh", 1e9), ("1/z", 1.0), ("log(z)", 1.0), ("sqrt(z)", 1.0)):
        with pytest.raises(NtkfeynError):
            expectation(name, kernel(2, 2, scale), plain(0, 0))
    with pytest.raises(NtkfeynError):
        AxisRules(lambda z: np.abs(z)[None, :], 1.0, "abs").step(1.0, 1e-9)
