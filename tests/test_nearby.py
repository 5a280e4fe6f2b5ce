"""Near samples: distances as variables of their own, in factors of kernels and from layer to layer."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
from oracles import extended

import ntkfeyn as nf
from ntkfeyn.expectations.activations import activation
from ntkfeyn.expectations.kernels import Kernel, factors
from ntkfeyn.solve.request import Request


def of_points(z: np.ndarray) -> Kernel:
    return Kernel.of_inputs(z @ z.T / z.shape[1], z)


@pytest.mark.parametrize("gap", [1e-3, 1e-8, 1e-13])
@pytest.mark.parametrize("seed", range(4))
def test_factors_of_clusters(gap: float, seed: int) -> None:
    """Two clusters, one with an opposite sample, and a sample apart: L L^T = K, and distances to 12 digits."""
    rng = np.random.default_rng(seed)
    first, second, other = rng.normal(size=(3, 7))
    z = np.stack([first, first + gap * rng.normal(size=7), other, second, -first + gap * rng.normal(size=7),
                  second + gap * rng.normal(size=7), first + gap * rng.normal(size=7)])  # fmt: skip
    kernel = of_points(z)
    found = factors(kernel, np.arange(7)[None])
    L, apart = found.L[0], found.apart[0]
    np.testing.assert_allclose(L @ L.T, kernel.matrix, rtol=1e-13, atol=1e-13)
    for one, of, sign in ((1, 0, 1), (4, 0, -1), (5, 3, 1), (6, 0, 1)):
        exact = np.mean((z[one] - sign * z[of]) ** 2)
        assert apart[one] @ apart[one] == pytest.approx(exact, rel=1e-12)
        np.testing.assert_allclose(apart[one], L[one] - sign * L[of], atol=1e-15)
    between = np.mean((z[1] - z[6]) ** 2)
    assert np.sum((apart[1] - apart[6]) ** 2) == pytest.approx(between, rel=1e-9)


def test_without_near_samples_nothing_is_changed() -> None:
    z = np.random.default_rng(0).normal(size=(5, 9))
    kernel = of_points(z)
    assert not kernel.near.any()
    np.testing.assert_array_equal(factors(kernel, np.arange(5)[None]).L, factors(kernel, np.arange(5)[None]).apart)


@pytest.mark.parametrize("name", ["tanh", "gelu", "erf", "z-z**3/6+z**2/5", "tanh(8*(z-1))"])
@pytest.mark.parametrize("gap", [1e-3, 1e-6, 1e-11])
def test_distance_after_one_layer(name: str, gap: float) -> None:
    """<(s_a - s_b)^2> = K_aa + K_bb - 2 K_ab against <s'^2> D, its first order in the distance."""
    x = np.array([[1.0, 0.2], [1.0, 0.2 + gap]])
    request = Request((nf.Network(2, 8, name),), x @ x.T / 2, inputs=x)
    smooth: Any = activation(name)
    z = np.linspace(-9, 9, 40_001)
    weights = np.exp(-z * z / 2)
    weights /= weights.sum()
    root = np.sqrt(request.gram[0, 0])
    # the first order holds in gap / 1: the mean slope squared along the direction in which the samples are apart
    slope = weights @ smooth.table(root * z, 1)[1] ** 2
    from ntkfeyn.expectations.engine import engine_of
    from ntkfeyn.expectations.keys import Expectations

    engine = engine_of(smooth, Expectations(2), 1e-11)
    found = engine.distances(request.kernel)
    assert found is not None
    # s'(z_a)^2 (z_b - z_a)^2 where z_b - z_a is correlated with z_a: E[s'^2 (c z + rest)^2]
    along = (request.kernel.excess[1, 0] - request.kernel.minus[0, 1]) / 2 / request.gram[0, 0]
    rest = request.kernel.minus[0, 1] - along**2 * request.gram[0, 0]
    exact = weights @ (smooth.table(root * z, 1)[1] ** 2 * (root * z) ** 2) * along**2 + slope * rest
    assert found.minus[0] == pytest.approx(exact, rel=20 * gap + 1e-9)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_near_and_opposite_samples_of_a_deep_network(sign: float) -> None:
    """K, Theta and V against extended precision."""
    x = np.array([[1.0, 0.5], [1.0, 0.5]])
    x[1] = sign * x[0] + [0.0, 1e-5]
    names = ["K", "Theta", "V"]
    found = nf.evaluate(nf.Network(4, 8, "erf", cw=3.0), x, names)
    couplings = {"C_W": 3.0, "lambda_W": 1.0, "C_b": 0.0, "lambda_b": 0.0}
    truth = extended.solve([nf.derive(one).record.id for one in names], extended.TABLES["erf"], x, 4, 1.3, couplings)
    for row, exact in zip(found.settings[0].layers, truth, strict=True):
        for name, tensor in row.items():
            off = np.abs(tensor.values - exact[name][tuple(tensor.indices.T - 1)])
            assert (off <= tensor.errors).all(), name
    for row, exact in zip(found.settings[0].layers, truth, strict=True):
        K = {tuple(index): value for index, value in zip(row["K@0"].indices.tolist(), row["K@0"].values, strict=True)}
        distance = exact["K@0"][0, 0] + exact["K@0"][1, 1] - 2 * sign * exact["K@0"][0, 1]
        assert K[1, 1] + K[2, 2] - 2 * sign * K[1, 2] == pytest.approx(float(distance), abs=2e-15 * K[1, 1] * 4)


def test_a_gram_matrix_knows_no_more_than_it_holds() -> None:
    """Without the inputs what a rounded Gram matrix says of a distance is in the error."""
    x = np.array([[1.0, 0.0], [1.0, 1e-7]])
    network = nf.Network(30, 8, "erf", cw=10.0, cb=0.1)
    mpmath.mp.dps = 30
    with_inputs = nf.evaluate(network, x, ["K"], tolerance=1e-10).value("K", (1, 2))
    without = nf.evaluate(network, gram=x @ x.T / 2, names=["K"], tolerance=1e-10).value("K", (1, 2))
    assert with_inputs[1] < 1e-9
    assert abs(with_inputs[0] - without[0]) <= without[1]
