"""ReLU and LeakyReLU: orthants, means of distributions, samples on one line, what does not exist."""

from __future__ import annotations

from math import pi, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from ntkfeyn.derivation.recursion import derive_system
from ntkfeyn.errors import LimitError, RequestError
from ntkfeyn.expectations.activations import Kinked, activation
from ntkfeyn.expectations.keys import Differentiated, Key
from ntkfeyn.expectations.kinked import expectation
from ntkfeyn.expectations.orthants import correlations, orthant, plane_mean
from ntkfeyn.solve.existence import check_existence

LEAKY = activation("leaky_relu(0.2)")
RELU = activation("relu")


def mean(key: Key, kernel: np.ndarray, kind: Kinked = LEAKY) -> float:  # type: ignore[assignment]
    size = len(key)
    return float(expectation(kind, key, np.arange(size)[None], kernel[None, :size, :size])[0])


def plain(*orders: int) -> Key:
    return tuple(Differentiated((m,), 0) for m in orders)


def kernel(size: int, rank: int, seed: int) -> np.ndarray:
    x = np.random.default_rng(seed).normal(size=(size, rank))
    return x @ x.T / rank


@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_orthant_probabilities(size: int) -> None:
    rho = correlations(kernel(size, size + 1, size)[None])
    slow = multivariate_normal.cdf(np.zeros(size), cov=rho[0], maxpts=1_000_000, abseps=1e-7, rng=1)
    assert orthant(rho)[0] == pytest.approx(slow, abs=2e-6)


def test_orthant_of_equal_correlations_one_half() -> None:
    """n variables with correlation 1/2 are all positive with probability 1/(n+1), exactly."""
    for size in (2, 3, 4, 5):
        rho = np.full((1, size, size), 0.5) + 0.5 * np.eye(size)
        assert orthant(rho)[0] == pytest.approx(1 / (size + 1), abs=1e-13)


@given(st.integers(0, 10**6))
@settings(max_examples=30)
def test_singular_orthants_are_arcs(seed: int) -> None:
    """Four variables in a plane: Plackett's path ends at a singular matrix, arcs know the answer."""
    covariance = kernel(4, 2, seed)[None]
    one, zero = np.ones(1), np.zeros(1)
    arcs = plane_mean(covariance, [(0, one, zero)] * 4)
    assert orthant(correlations(covariance))[0] == pytest.approx(arcs[0], abs=1e-7)


def test_orthants_beyond_five_are_refused() -> None:
    with pytest.raises(LimitError, match="6 different inputs"):
        orthant(np.eye(6)[None])


@pytest.mark.parametrize("orders", [(0, 0, 0, 0), (0, 0, 1, 1), (1, 1, 1, 1), (0, 1, 0), (0, 0)])
@pytest.mark.parametrize("rank", [2, 3, 5])
def test_direct_means_against_sampling(orders: tuple[int, ...], rank: int) -> None:
    rng = np.random.default_rng(11)
    x = np.random.default_rng(rank).normal(size=(4, rank)) / sqrt(rank)
    z = rng.normal(size=(1_000_000, rank)) @ x[: len(orders)].T
    values = np.prod([np.where(z[:, a] > 0, 1, 0.2) * (z[:, a] if m == 0 else 1) for a, m in enumerate(orders)], axis=0)
    error = values.std() / 1000
    assert abs(mean(plain(*orders), x @ x.T) - values.mean()) < 4.5 * error


def test_powers_at_one_sample_against_sampling() -> None:
    """<s^3(z_1) s^2(z_2) s s'(z_3)> in three dimensions: Stein's identity lowers each power with its own factor."""
    x = np.random.default_rng(4).normal(size=(3, 3)) / sqrt(3)
    z = np.random.default_rng(12).normal(size=(2_000_000, 3)) @ x.T
    side = np.where(z > 0, 1, 0.2)
    values = (side[:, 0] * z[:, 0]) ** 3 * (side[:, 1] * z[:, 1]) ** 2 * side[:, 2] ** 2 * z[:, 2]
    key = (Differentiated((0, 0, 0), 0), Differentiated((0, 0), 0), Differentiated((0, 1), 0))
    assert abs(mean(key, x @ x.T) - values.mean()) < 4.5 * values.std() / sqrt(2_000_000)


def test_derivatives_are_price_derivatives() -> None:
    """d/dK_ab is a derivative at a and one at b, d/dK_aa half of two at a: five-point differences."""
    base = kernel(3, 4, 7)

    def slope(key: Key, a: int, b: int, h: float = 2e-3) -> float:
        values = []
        for step in (-2, -1, 1, 2):
            moved = base.copy()
            moved[a, b] += step * h
            moved[b, a] = moved[a, b]
            values.append(mean(key, moved))
        return (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * h)

    D = Differentiated
    for first, second, third in ((D((0,), 0), D((0,), 0), D((0,), 0)), (D((0, 1), 0), D((0, 0), 1), D((1,), 0))):
        key = (first, second, third)
        hit = (first._replace(k=first.k + 1), second._replace(k=second.k + 1), third)
        assert mean(hit, base) == pytest.approx(slope(key, 0, 1), rel=1e-6, abs=1e-8)
        twice = (first._replace(k=first.k + 2), second, third)
        assert mean(twice, base) == pytest.approx(2 * slope(key, 0, 0), rel=1e-6, abs=1e-8)
    both = (D((0,), 2), D((0,), 2))
    assert mean((D((0,), 3), D((0,), 3)), base) == pytest.approx(slope(both, 0, 1, 5e-4), rel=1e-6)


def test_one_sample_is_a_hermite_moment() -> None:
    """<d^2 (s'^2)> is 0 though its two Leibniz parts diverge; <d^4 s^2>, <d^2 (s s)> as in theory section 7."""
    k = np.array([[2.5]])
    assert mean((Differentiated((1, 1), 2),), k, RELU) == 0
    assert mean((Differentiated((0, 0), 2),), k, RELU) == pytest.approx(1.0)
    assert mean((Differentiated((0, 0), 4),), k, RELU) == 0
    assert mean((Differentiated((0,), 0),), k, RELU) == pytest.approx(sqrt(2.5 / (2 * pi)))
    assert mean((Differentiated((0,), 2),), k, RELU) == pytest.approx(1 / sqrt(2 * pi * 2.5))
    assert mean((Differentiated((1, 2), 0),), k, RELU) == pytest.approx(0.5 / sqrt(2 * pi * 2.5))
    assert mean((Differentiated((0, 2), 0),), k, RELU) == 0


@pytest.mark.parametrize("ratio", [1.0, 2.5, -0.5])
def test_parallel_samples_are_one_variable(ratio: float) -> None:
    x = np.array([[1.3], [1.3 * ratio]])
    k = x @ x.T
    right, left = (1.0, 0.2) if ratio > 0 else (0.2, 1.0)
    half = [(1.0 * right, 0.2 * left), (right, left)]
    direct = ratio * 1.69 * (half[0][0] + half[0][1]) / 2
    assert mean(plain(0, 0), k) == pytest.approx(direct)
    assert mean((Differentiated((0,), 1), Differentiated((0,), 1)), k) == 0  # acts once, at the first
    second = (Differentiated((0,), 2), Differentiated((0,), 0))
    assert mean(second, k) == pytest.approx(2 * direct / 1.69)


def test_nearly_parallel_samples_are_continuous() -> None:
    for gap in (1e-3, 1e-5):
        x = np.array([[1.0, 0.0], [1.0, gap]])
        exact, near = mean(plain(0, 0), x[[0, 0]] @ x[[0, 0]].T), mean(plain(0, 0), x @ x.T)
        assert near == pytest.approx(exact, abs=3 * gap**2)
        assert mean(plain(1, 1), x @ x.T) == pytest.approx(0.52, abs=gap)


@pytest.mark.parametrize("name", ["R", "S", "T", "U"])
def test_what_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(RequestError, match=f"{name}@1 does not exist"):
        check_existence(derive_system([(name, 1)]), [RELU])


def test_what_exists_is_not_refused() -> None:
    names = [("P", 1), ("Q", 1), ("A", 2), ("Theta", 3), ("V", 3), ("R2R1", 2), ("P", 2)]
    check_existence(derive_system(names), [RELU])
