"""Sampled derivative tensors: jets against automatic differentiation, estimates against exact moments."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import ntkfeyn as nf
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.expectations.activations import activation
from ntkfeyn.judge.exact import ExactNetwork
from ntkfeyn.judge.setting import Setting
from ntkfeyn.model.cumulants import standard
from ntkfeyn.sampling.directional import DERIVATIVES, Jets, Sampled
from ntkfeyn.sampling.kernels import KERNELS
from ntkfeyn.sampling.law import Law
from ntkfeyn.verification.certify import slots_of

INPUTS = np.array([[1.0, 0.5, 0.2], [0.3, -1.0, 0.4]])
COUPLINGS = {"cw": 1.5, "cb": 0.1, "lambda_w": 1.1, "lambda_b": 0.2}
LAYERED = {  # one a layer
    "cw": (1.5, 1.3, 1.2, 1.1), "cb": (0.1, 0.2, 0.1, 0.3),
    "lambda_w": (1.1, 0.9, 1.2, 0.8), "lambda_b": (0.2, 0.3, 0.15, 0.25),
}  # fmt: skip
ACTIVATIONS = ("tanh", "sin", "z + z**2/5")
OUTPUTS, SAMPLES = 2, 2
DIRECTIONS = OUTPUTS * SAMPLES


def written_out(depth: int, jax: Any) -> tuple[Sampled, dict[str, np.ndarray]]:
    """One network with all its parameters, and its derivative tensors by differentiating three times.

    Every layer has an activation and couplings of its own.
    """
    sizes = [*[3, 3, 2, 4][:depth], OUTPUTS]
    rng = np.random.default_rng(depth)
    pieces = [(rng.normal(size=(m, n)) / np.sqrt(n), rng.normal(size=m)) for n, m in pairwise(sizes)]
    pieces[-1] = (pieces[-1][0], np.zeros(OUTPUTS))

    functions = (lambda z: z, jax.numpy.tanh, jax.numpy.sin, lambda z: z + z**2 / 5)  # of inputs, layers 1 .. 3

    def network(theta: Any) -> Any:
        z = INPUTS.T
        for function, (W, b) in zip(functions, theta, strict=False):
            z = W @ function(z) + b[:, None]
        return z

    flat, unravel = jax.flatten_util.ravel_pytree([tuple(map(jax.numpy.asarray, piece)) for piece in pieces])
    made = nf.Network(depth, sizes[1:-1], ACTIVATIONS[: depth - 1], **{k: v[:depth] for k, v in LAYERED.items()})
    weights = [
        (np.full(W.shape, layer.lambda_W / W.shape[1]), np.full(b.shape, layer.lambda_b))
        for layer, (W, b) in zip(made.layers, pieces, strict=True)
    ]
    rate = np.array(jax.flatten_util.ravel_pytree(weights)[0])
    derivatives = [lambda v: network(unravel(v)).reshape(-1)]
    for _ in range(3):
        derivatives.append(jax.jacfwd(derivatives[-1]))
    jacobian, hessian, third = (np.array(jax.jit(derivative)(flat)) for derivative in derivatives[1:])
    V = jacobian * rate
    bent = np.einsum("zmn,an->zam", hessian, V)
    tensors = {
        "dNTK": np.einsum("zam,bm->zab", bent, V),
        "ddNTK1": np.einsum("zmnk,am,bn,ck->zabc", third, V, V, V),
        "ddNTK2": np.einsum("xcm,m,ydm->xcyd", bent, rate, bent),
    }
    law = Law(made.layers, INPUTS @ INPUTS.T / 3)
    z, tables, kept = pieces[0][0] @ INPUTS.T + pieces[0][1][:, None], [()], [np.zeros(0)] * 2
    for name, (W, b) in zip(made.activations, pieces[1:], strict=True):
        tables.append(tuple(table[None] for table in activation(name).table(z, 3)))
        kept.append(W[None])
        z = W @ tables[-1][0][0] + b[:, None]
    return Sampled(law, kept, tables, z[None]), tensors


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_jets_are_the_derivatives_by_all_parameters(depth: int) -> None:
    """Unequal widths, layer-dependent activations, couplings and biases, every output neuron and sample."""
    jax = pytest.importorskip("jax")
    pytest.importorskip("jax.flatten_util")
    jax.config.update("jax_enable_x64", True)
    sampled, tensors = written_out(depth, jax)
    jets = Jets(sampled, OUTPUTS)
    found = {"dNTK": jets.second(depth), "ddNTK1": jets.third(depth), "ddNTK2": jets.paths()}
    for name, exact in tensors.items():
        off = np.abs(found[name].reshape(exact.shape) - exact).max()
        assert off < 1e-12 * np.abs(exact).max(), name


@pytest.mark.parametrize("activation", ["tanh", "gelu"])
def test_unbiased_at_width_two(activation: str) -> None:
    """At layer 2 every cumulant is its leading order exactly, whatever the width."""
    network = nf.Network(2, 2, activation, **COUPLINGS)
    sampled = nf.sample(network, INPUTS, list(DERIVATIVES), networks=50_000, seed=3)
    exact = nf.evaluate(network, INPUTS, list(DERIVATIVES))
    for name in DERIVATIVES:
        tensor = sampled.get(name)
        assert np.max(np.abs((tensor.values - exact.get(name).values) / tensor.errors)) < 4.5, name
        assert np.max(tensor.errors) < 0.05 * np.max(np.abs(tensor.values)), name


# small enough couplings that eighth powers of Gaussians keep their tails within the errors
QUADRATIC = (Fraction(0), Fraction(1), Fraction(1, 5))
EXACT = {"C_W": Fraction(1, 2), "C_b": Fraction(1, 8), "lambda_W": Fraction(5, 4), "lambda_b": Fraction(2, 7)}


@pytest.mark.parametrize("width", [2])
def test_exact_moments_of_a_polynomial_network(width: int) -> None:
    """Layer 3, two inputs: the whole polynomial in 1/n, exactly, for all thirteen tensors."""
    gram = [[Fraction(1), Fraction(1, 3)], [Fraction(1, 3), Fraction(3, 4)]]
    kernel = tuple(tuple((EXACT["C_b"] + EXACT["C_W"] * q,) for q in row) for row in gram)
    ntk = tuple(tuple((EXACT["lambda_b"] + EXACT["lambda_W"] * q,) for q in row) for row in gram)
    judge = ExactNetwork(Setting((QUADRATIC,), kernel, ntk, **EXACT), 24)
    couplings = {"cw": 0.5, "cb": 0.125, "lambda_w": 1.25, "lambda_b": 2 / 7}
    network = nf.Network(3, width, "z + z**2/5", **couplings)
    names = [*KERNELS, *DERIVATIVES]
    sampled = nf.sample(network, gram=np.array(gram, dtype=float), names=names, networks=40_000, seed=9)
    for name in names:
        shape = standard(name)
        samples = (0, 1, 0, 1)[: len(shape.labels)]
        series = judge.cumulant(3, slots_of(shape, samples))
        assert not any(series[-3:])
        exact = float(sum(c / Fraction(width) ** (k - shape.leading_order) for k, c in enumerate(series)))
        value, error = sampled.value(name, [samples[slot] + 1 for slot in shape.index])
        assert abs(value - exact) < 4.5 * error, name
        assert error < 0.2 * abs(exact), name


def test_sampled_derivative_tensors_agree_with_the_recursions() -> None:
    """tanh, layer 3, width 16, orders 1 and 2 together, two inputs with biases."""
    network = nf.Network(3, 16, "tanh", **COUPLINGS)
    sampled = nf.sample(network, INPUTS, list(DERIVATIVES), networks=12_800, seed=2)
    theory = nf.evaluate(network, INPUTS, [f"{name}@{r}" for name in DERIVATIVES for r in (1, 2)], tolerance=1e-6)
    for name in DERIVATIVES:
        exact = theory.get(f"{name}@1").values + theory.get(f"{name}@2").values / 16
        tensor = sampled.get(name)
        pulls = (tensor.values - exact) / tensor.errors
        assert np.max(np.abs(pulls)) < 4.5, name
        assert np.max(tensor.errors) < 0.03 * np.max(np.abs(exact)), name


def test_more_outputs_same_mean_smaller_error() -> None:
    network = nf.Network(3, 8, "tanh", **COUPLINGS)
    two, four = (
        nf.sample(network, INPUTS[:1], ["P", "S"], networks=6400, seed=5, outputs=outputs) for outputs in (2, 4)
    )
    for name in ("P", "S"):
        (a, ea), (b, eb) = (one.value(name, (1, 1, 1, 1)) for one in (two, four))
        assert abs(a - b) < 4.5 * np.hypot(ea, eb)
        assert eb < 0.9 * ea


def test_which_tensors_are_asked_for_does_not_matter() -> None:
    network = nf.Network(3, 6, "tanh")
    alone = nf.sample(network, INPUTS, ["Q"], networks=256, seed=1)
    among = nf.sample(network, INPUTS, ["V", "P", "Q", "T"], networks=256, seed=1)
    assert json.dumps(alone.get("Q").values.tolist()) == json.dumps(among.get("Q").values.tolist())


def test_kinks_are_refused() -> None:
    with pytest.raises(NtkfeynError, match="cannot be sampled"):
        nf.sample(nf.Network(3, 6, "relu"), INPUTS, ["P"], networks=256)
