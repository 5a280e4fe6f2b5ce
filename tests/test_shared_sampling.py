"""Sampled networks whose weights are shared over positions, against networks written out with loops and closed forms."""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pytest

import ntkfeyn as nf
from ntkfeyn.errors import NtkfeynError
from ntkfeyn.expectations.activations import activation
from ntkfeyn.model.layers import Conv, Dense, Graph, LayerSpec
from ntkfeyn.model.network import Network
from ntkfeyn.model.tensors import TensorId
from ntkfeyn.sampling.directional import Sampled, derivative_tensors
from ntkfeyn.sampling.estimation import Sampling, estimate, sample_tensors
from ntkfeyn.sampling.features import Drawn
from ntkfeyn.sampling.kernels import KERNELS
from ntkfeyn.sampling.law import Law
from ntkfeyn.sampling.shared import given_network, shared_block
from ntkfeyn.sampling.shared_directional import SharedJets, shared_derivative_block
from ntkfeyn.solve.request import Request

Array = np.ndarray
Reads = list[list[list[tuple[int, float]]]]  # [t][position above] -> what is read: (position below, factor)
WIDTHS, CHANNELS, INPUTS = (3, 2, 4), 2, 2
ACTIVATIONS = ("tanh", "sin", "z + z**2/5")
COUPLINGS = {
    "cw": (1.5, 1.3, 1.2, 0.9), "cb": (0.1, 0.2, 0.1, 0.3),
    "lambda_w": (1.1, 0.9, 1.2, 0.8), "lambda_b": (0.2, 0.3, 0.15, 0.25),
}  # fmt: skip


# --- networks written out ---


def line(size: int, above: int, offsets: tuple[int, ...], stride: int = 1, around: bool = True) -> Reads:
    """A convolution on a line that reads p * stride + offset; outside it reads the other end, or zeros."""
    found: Reads = []
    for offset in offsets:
        at = [p * stride + offset for p in range(above)]
        found.append([[(b % size, 1.0)] if around or 0 <= b < size else [] for b in at])
    return found


def plane(sizes: tuple[int, int], above: tuple[int, int], offsets: tuple[Any, Any], stride: int, around: bool) -> Reads:
    found: Reads = []
    for down, right in product(*offsets):
        rows = []
        for p, q in product(*map(range, above)):
            b, c = p * stride + down, q * stride + right
            inside = 0 <= b < sizes[0] and 0 <= c < sizes[1]
            rows.append([((b % sizes[0]) * sizes[1] + c % sizes[1], 1.0)] if around or inside else [])
        found.append(rows)
    return found


def mean(size: int) -> Reads:
    return [[[(p, 1 / size) for p in range(size)]]]


def flat(size: int) -> Reads:
    return [[[(p, 1.0)]] for p in range(size)]


PATH = np.array([[1 / 2, 6**-0.5, 0], [6**-0.5, 1 / 3, 6**-0.5], [0, 6**-0.5, 1 / 2]])  # of three nodes in a row
PATH_READS: Reads = [[[(b, float(PATH[a, b])) for b in range(3) if PATH[a, b]] for a in range(3)]]
EDGES = [(0, 1), (1, 2)]
DENSE: Reads = [[[(0, 1.0)]]]


class Case(NamedTuple):
    """The layers as a user writes them, the positions of an input, and what each layer reads, by hand."""

    specs: list[LayerSpec]
    positions: tuple[int, ...]
    reads: list[Reads]

    @property
    def law(self) -> Law:
        depth = len(self.specs)
        couplings = {name: values[:depth] for name, values in COUPLINGS.items()}
        network = Network(
            width=WIDTHS[: depth - 1],
            activation=ACTIVATIONS[: depth - 1],
            layers=self.specs,
            shape=(CHANNELS, *self.positions),
            **couplings,
        )
        x = inputs_of(self)
        vectors = x.transpose(0, 2, 1).reshape(-1, CHANNELS)
        return Law(network.layers, vectors @ vectors.T / CHANNELS)


def inputs_of(case: Case) -> Array:
    """(inputs, channels, positions)"""
    return np.random.default_rng(5).normal(size=(INPUTS, CHANNELS, int(np.prod(case.positions))))


CASES = {
    "mean": Case(
        [Conv(kernel=3), Conv(kernel=2, padding="zero"), Dense(pool="mean")],
        (4,),
        [line(4, 4, (-1, 0, 1)), line(4, 4, (0, 1), around=False), mean(4)],
    ),
    "flatten": Case(
        [Conv(kernel=3, padding="valid"), Conv(kernel=3, padding="zero"), Dense(pool="flatten")],
        (5,),
        [line(5, 3, (0, 1, 2)), line(3, 3, (-1, 0, 1), around=False), flat(3)],
    ),
    "stride, positions left": Case(
        [Conv(kernel=3, stride=2, padding="zero"), Conv(kernel=2, dilation=2), Conv(kernel=3, padding="zero")],
        (6,),
        [line(6, 3, (0, 1, 2), 2, False), line(3, 3, (-1, 1)), line(3, 3, (-1, 0, 1), around=False)],
    ),
    "2d": Case(
        [Conv(kernel=(1, 3)), Conv(kernel=2, stride=2, padding="zero"), Dense(pool="mean")],
        (2, 3),
        [
            plane((2, 3), (2, 3), ((0,), (-1, 0, 1)), 1, True),
            plane((2, 3), (1, 2), ((0, 1), (0, 1)), 2, False),
            mean(2),
        ],
    ),
    "graph, positions left": Case([Graph(edges=EDGES)] * 3, (3,), [PATH_READS] * 3),
    "pooled below": Case(
        [Graph(edges=EDGES), Dense(pool="mean"), Dense(), Dense()], (3,), [PATH_READS, mean(3), DENSE, DENSE]
    ),
    "flattened below": Case(
        [Conv(kernel=3), Dense(pool="flatten"), Dense()], (4,), [line(4, 4, (-1, 0, 1)), flat(4), DENSE]
    ),
    "deep": Case(
        [Conv(kernel=3), Conv(kernel=2), Conv(kernel=2, stride=2), Dense(pool="mean")],
        (4,),
        [line(4, 4, (-1, 0, 1)), line(4, 4, (0, 1)), line(4, 2, (0, 1), 2), mean(2)],
    ),
}


def parameters(case: Case, outputs: int) -> list[tuple[Array, Array]]:
    """W (maps, n, n below) and b of each layer; without a bias of the output, which has mean zero."""
    rng = np.random.default_rng(3)
    sizes = [CHANNELS, *WIDTHS[: len(case.specs) - 1], outputs]
    made = []
    for p, reads in enumerate(case.reads):
        made.append((rng.normal(size=(len(reads), sizes[p + 1], sizes[p])), rng.normal(size=sizes[p + 1])))
    return [*made[:-1], (made[-1][0], np.zeros(outputs))]


def rates(case: Case, theta: list[tuple[Array, Array]]) -> list[tuple[Array, Array]]:
    """lambda of every parameter; all maps of a layer have the same share."""
    return [
        (np.full(W.shape, COUPLINGS["lambda_w"][p] / len(W) / W.shape[2]), np.full(b.shape, COUPLINGS["lambda_b"][p]))
        for p, (W, b) in enumerate(theta)
    ]


def written_out(case: Case, theta: Any, functions: Any, xp: Any = np) -> list[Any]:
    """Preactivations of every layer, (.., inputs, positions, n); leading axes of theta are kept."""
    s = inputs_of(case).transpose(0, 2, 1)
    layers = []
    for p, (W, b) in enumerate(theta):
        M = np.zeros((len(case.reads[p]), len(case.reads[p][0]), s.shape[-2]))
        for t, rows in enumerate(case.reads[p]):
            for a, row in enumerate(rows):
                for below, factor in row:
                    M[t, a, below] += factor
        layers.append(xp.einsum("...tik,tab,...xbk->...xai", W, M, s) + b[..., None, None, :])
        if p < len(functions):
            s = functions[p](layers[-1])
    return layers


def split(case: Case, vector: Any, like: list[tuple[Array, Array]]) -> list[tuple[Any, Any]]:
    """Flat parameters (.., all) as those of layers."""
    found, first = [], 0
    for W, b in like:
        parts = []
        for part in (W, b):
            parts.append(vector[..., first : first + part.size].reshape(*vector.shape[:-1], *part.shape))
            first += part.size
        found.append((parts[0], parts[1]))
    return found


def flattened(theta: list[tuple[Array, Array]]) -> Array:
    return np.concatenate([part.ravel() for layer in theta for part in layer])


def tables(case: Case, theta: list[tuple[Array, Array]], order: int) -> list[tuple[Array, ...]]:
    """s, s', .. of hidden layers, (1, n, inputs, positions)"""
    found: list[tuple[Array, ...]] = [()]
    layers = written_out(case, theta, [lambda z, name=name: activation(name).table(z, 0)[0] for name in ACTIVATIONS])
    for name, z in zip(ACTIVATIONS, layers[:-1], strict=False):
        found.append(tuple(activation(name).table(z.transpose(2, 0, 1)[None], order)))
    return found


NUMPY = (np.tanh, np.sin, lambda z: z + z**2 / 5)


def averaged_by_hand(case: Case) -> dict[str, Array]:
    """G, H, F, B of the output given the layers below: gradients of every hidden neuron by a complex step.

    The output reads weight (t, k) at label a with u_a[t, k]; E[W W] of one output neuron is C_W/(n maps) for each.
    """
    theta = parameters(case, 1)[:-1]
    flat_theta, rate = flattened(theta), flattened(rates(case, theta))
    steps = flat_theta + 1e-30j * np.eye(len(flat_theta))
    below = case._replace(reads=case.reads[:-1])
    layers = written_out(below, split(case, steps, theta), NUMPY)
    s = NUMPY[len(theta) - 1](layers[-1])  # (mu, x, p, k)
    value, gradient = s[0].real, s.imag / 1e-30
    kernel = np.einsum("mxpk,m,myql->xpkyql", gradient, rate, gradient)
    last, p = case.reads[-1], len(theta)
    many, n = len(last[0]), value.shape[2]
    u = np.zeros((INPUTS * many, len(last), n))
    J = np.zeros((INPUTS * many, len(last), n, INPUTS * many, len(last), n))
    every = [(x, a, t, b, f) for x in range(INPUTS) for t, rows in enumerate(last) for a in range(many)
             for b, f in rows[a]]  # fmt: skip
    for x, a, t, b, f in every:
        u[x * many + a, t] += f * value[x, b]
        for y, c, v, d, g in every:
            J[x * many + a, t, :, y * many + c, v] += f * g * kernel[x, b, :, y, d]
    cw, cb, lw, lb = (COUPLINGS[name][p] for name in ("cw", "cb", "lambda_w", "lambda_b"))
    share = 1 / n / len(last)
    uu = np.einsum("atk,btk->ab", u, u)
    return {
        "K": cb + cw * share * uu,
        "Theta": lb + lw * share * uu + cw * share * np.einsum("atkbtk->ab", J),
        "F": n * (cw * share) ** 2 * np.einsum("atk,bvl,ctkdvl->acbd", u, u, J),
        "B": n * (cw * share) ** 2 * np.einsum("atkbvl,ctkdvl->acbd", J, J),
    }


@pytest.mark.parametrize("name", CASES)
def test_kernels_given_a_network(name: str) -> None:
    """The same weights, the same averages; the trace alone, and the whole NTK between neurons, in NumPy and in jax."""
    case = CASES[name]
    theta = parameters(case, 1)
    net = Drawn(case.law, tables(case, theta, 1), [np.zeros(0)] * 2 + [W[None] for W, _ in theta[1:-1]])
    expected = averaged_by_hand(case)
    for names in (("Theta",), ("K", "F", "B")):
        found = given_network(np, net, names)
        assert {"K", "Theta", *names} == set(found)
        for one, value in found.items():
            assert np.allclose(value[0], expected[one], rtol=1e-10, atol=1e-12), one


@pytest.mark.parametrize("name", ["mean", "flattened below", "stride, positions left"])
def test_derivative_tensors_given_a_network(name: str) -> None:
    """The network with all its parameters, differentiated three times."""
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    case, outputs = CASES[name], 2
    theta = parameters(case, outputs)
    functions = (jax.numpy.tanh, jax.numpy.sin, lambda z: z + z**2 / 5)

    def output(vector: Any) -> Any:
        z = written_out(case, split(case, vector, theta), functions[: len(theta) - 1], jax.numpy)[-1]
        return z.reshape(-1, outputs).T.reshape(-1)  # neuron, label

    derivatives = [output]
    for _ in range(3):
        derivatives.append(jax.jacfwd(derivatives[-1]))
    values, jacobian, hessian, third = (np.array(jax.jit(one)(flattened(theta))) for one in derivatives)
    rate = flattened(rates(case, theta))
    V = jacobian * rate
    bent = np.einsum("zmn,an->zam", hessian, V)
    labels = len(values) // outputs
    axes = (outputs, labels)
    d = np.einsum("zam,bm->zab", bent, V).reshape(axes * 3)
    dd = np.einsum("zmnk,am,bn,ck->zabc", third, V, V, V, optimize=True).reshape(axes * 4)
    path = np.einsum("xcm,m,ydm->xcyd", bent, rate, bent, optimize=True).reshape(axes * 4)
    z = values.reshape(axes)
    expected: dict[str, Any] = {name: 0.0 for name in "PQRSTU"}
    for i, j in ((0, 1), (1, 0)):  # dNTK_012 z_3, ddNTK1_0123, and ddNTK2 by (1, 3, 2, 4)
        expected["P"] += np.einsum("abc,d->abcd", d[i, :, j, :, j], z[i]) / 2
        expected["Q"] += np.einsum("abc,d->abcd", d[i, :, i, :, j], z[j]) / 2
        expected["R"] += dd[i, :, i, :, j, :, j] / 2
        expected["S"] += np.einsum("acbd->abcd", path[i, :, j, :, i, :, j]) / 2
        expected["T"] += path[i, :, i, :, j, :, j] / 2
        expected["U"] += np.einsum("acbd->adbc", path[i, :, j, :, j, :, i]) / 2
    kept = [tuple(part.reshape(*part.shape[:2], -1) for part in table) for table in tables(case, theta, 3)]
    weights = [np.zeros(0)] * 2 + [W[None] for W, _ in theta[1:]]
    jets = SharedJets(Sampled(case.law, weights, kept, z[None]), outputs)
    found = derivative_tensors(jets, tuple("PQRSTU"), outputs)
    for name, value in found.items():
        scale = np.abs(expected[name]).max()
        assert scale > 0 and np.allclose(value[0], expected[name], atol=1e-10 * scale), name
