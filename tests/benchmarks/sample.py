"""Sampling against a straightforward per-network Jacobian, its share of the matrix-product floor, and the variance of
its estimators. Ratios are measured side by side in this one run: `python tests/benchmarks/sample.py`.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
import numpy as np
from scipy.special import ndtr

sys.path.insert(0, str(Path(__file__).parent.parent))
import ntkfeyn as nf
from ntkfeyn.model.layers import Conv, Dense
from ntkfeyn.sampling import features
from ntkfeyn.sampling.directional import DERIVATIVES
from ntkfeyn.sampling.kernels import KERNELS, kernel_block, sample_pairs
from ntkfeyn.sampling.law import BLOCK, Law, stream
from ntkfeyn.sampling.shared import shared_block

C_W, INPUTS, DEPTH, WIDTH = 1.5, 4, 4, 128
X = np.random.default_rng(0).normal(size=(INPUTS, 6))
GRAM = X @ X.T / 6
POSITIONS, KERNEL, IMAGES = 8, 3, 2
SIGNALS = np.random.default_rng(1).normal(size=(IMAGES, POSITIONS, 3))
LAW = Law(nf.Network(DEPTH, WIDTH, "gelu", cw=C_W).layers, GRAM)


def timed(call: Callable[[], Any], repeats: int = 3) -> float:
    call()
    best = np.inf
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return float(best)


def gelu(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return z * ndtr(z), ndtr(z) + z * density


def drawn(rng: np.random.Generator, outputs: int) -> list[np.ndarray]:
    sizes = [X.shape[1], *LAW.hidden, outputs]
    return [rng.normal(size=(m, n)) * np.sqrt(C_W / n) for n, m in pairwise(sizes)]


def jacobian_ntk(rng: np.random.Generator, outputs: int) -> np.ndarray:
    """One network: the Jacobian by all parameters, back-propagated in NumPy, and its Gram matrix."""
    weights = drawn(rng, outputs)
    s, slopes = [X.T], []
    z = weights[0] @ X.T
    for W in weights[1:]:
        activated, slope = gelu(z)
        s.append(activated)
        slopes.append(slope)
        z = W @ activated
    back = np.broadcast_to(np.eye(outputs)[:, None, :], (outputs, INPUTS, outputs))
    blocks = []
    for p in range(len(weights) - 1, -1, -1):
        n = weights[p].shape[1]
        blocks.append((back[..., :, None] * s[p].T[None, :, None, :] / np.sqrt(n)).reshape(outputs * INPUTS, -1))
        if p:
            back = (back @ weights[p]) * slopes[p - 1].T
    jacobian = np.concatenate(blocks, axis=1)
    return np.asarray(jacobian @ jacobian.T)


def jax_ntk(outputs: int) -> Callable[[], Any] | None:
    """The same by jax.jacrev, compiled."""
    try:
        import jax
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)

    def network(weights: list[Any]) -> Any:
        z = weights[0] @ X.T
        for W in weights[1:]:
            z = W @ jax.nn.gelu(z, approximate=False)
        return z.T.reshape(-1)

    def gram(weights: list[Any]) -> Any:
        jacobians = jax.jacrev(network)(weights)
        flat = jax.numpy.concatenate(
            [J.reshape(J.shape[0], -1) / np.sqrt(W.shape[1]) for J, W in zip(jacobians, weights, strict=True)], axis=1
        )
        return flat @ flat.T

    compiled = jax.jit(gram)
    weights = drawn(np.random.default_rng(1), outputs)
    return lambda: compiled(weights).block_until_ready()


def floor() -> float:
    """The bare products of one block: W M W^T for every pair of samples and hidden layer but the first."""
    rng = np.random.default_rng(0)
    many = len(sample_pairs(INPUTS).a)
    W, M = rng.normal(size=(WIDTH, WIDTH)), rng.normal(size=(WIDTH, many * WIDTH))

    def products() -> None:
        for _ in range(BLOCK * (DEPTH - 2)):
            half = W @ M
            half.reshape(-1, WIDTH) @ W.T

    return timed(products)


def speed() -> None:
    print(f"full NTK Gram matrix, {INPUTS} inputs, depth {DEPTH}, width {WIDTH}, GELU, one thread")
    gram = timed(lambda: kernel_block(LAW, ("Theta",), 1, 0)) / BLOCK
    whole = timed(lambda: kernel_block(LAW, KERNELS, 1, 0)) / BLOCK
    print(f"  ours: {1 / gram:.0f} networks/s for the Gram matrix, {1 / whole:.0f} with V, D, F, A, B of every layer")
    print(f"  share of the matrix-product floor: {floor() / BLOCK / gram:.2f}, {floor() / BLOCK / whole:.2f}")
    rng = np.random.default_rng(0)
    for outputs in (WIDTH, 1):
        plain = timed(lambda outputs=outputs: jacobian_ntk(rng, outputs), 2)  # type: ignore[misc]
        line = (
            f"  {outputs} output neurons: {1 / plain:.2f} networks/s by a NumPy Jacobian, ours {plain / gram:.1f} times"
        )
        compiled = jax_ntk(outputs)
        if compiled is not None:
            taken = timed(compiled, 2)
            line += f"; {1 / taken:.2f} by jax.jacrev, ours {taken / gram:.1f} times"
        print(line)


def variance() -> None:
    """Standard deviation of one network's worth of data, relative to the largest component; and a naive estimator's."""
    inputs, network = [[1.0, 0.5, 0.2], [0.3, -1.0, 0.4]], nf.Network(3, 32, "tanh", cw=1.5, cb=0.1)
    networks = 12_800
    names = [*KERNELS, *DERIVATIVES]
    sampled = nf.sample(network, inputs, names, networks=networks, seed=1)
    print("standard deviation a network, relative to the tensor's largest component (tanh, width 32, layer 3)")
    for name in names:
        tensor = sampled.get(name)
        worst = int(np.argmax(np.abs(tensor.values)))
        spread = tensor.errors[worst] * np.sqrt(networks) / abs(tensor.values[worst])
        print(f"  {name:<6} {spread:8.2f}   networks for one per cent: {(spread / 0.01) ** 2:.0f}")
    rng = np.random.default_rng(2)
    z = rng.normal(size=(networks, 32)) * np.sqrt(0.1 + 1.5 * 0.43)
    for _ in range(2):
        n = z.shape[1]
        weights = rng.normal(size=(networks, 32, n)) * np.sqrt(1.5 / n)
        z = (weights @ np.tanh(z)[..., None])[..., 0] + rng.normal(size=(networks, 32)) * np.sqrt(0.1)
    ours = sampled.value("V", (1, 1, 1, 1))[1] * np.sqrt(networks)
    naive = 32 * np.std(z[:, 0] ** 2 * z[:, 1] ** 2 - np.mean(z[:, 0] ** 2) ** 2)
    print(f"  V by two output neurons alone: {(naive / ours) ** 2:.0f} times as many networks for the same error")


def convolution_law(width: int) -> Law:
    """Depth 3: two circular convolutions and a mean over positions."""
    layers = [Conv(kernel=KERNEL), Conv(kernel=KERNEL), Dense(pool="mean")]
    flat = SIGNALS.reshape(-1, 3)
    return Law(
        nf.Network(width=width, activation="gelu", cw=C_W, layers=layers, shape=(3, POSITIONS)).layers,
        flat @ flat.T / 3,
    )


def looped_ntk(rng: np.random.Generator, width: int) -> np.ndarray:
    """One network: the Jacobian of its pooled neurons by all parameters, with loops over positions and offsets."""
    sizes = [3, width, width]
    weights = [rng.normal(size=(KERNEL, m, n)) * np.sqrt(C_W / n / KERNEL) for n, m in pairwise(sizes)]
    rows = []
    for x in SIGNALS:
        s, slopes = [x], []
        for W in weights:
            z = np.zeros((POSITIONS, width))
            for p in range(POSITIONS):
                for t in range(KERNEL):
                    z[p] += W[t] @ s[-1][(p + t - 1) % POSITIONS]
            activated, slope = gelu(z)
            s.append(activated)
            slopes.append(slope)
        back = np.eye(width)[:, None] * slopes[1] / POSITIONS  # (output, position, neuron)
        blocks = []
        for layer in (1, 0):
            below = np.zeros((width, POSITIONS, sizes[layer]))
            gradient = np.zeros((width, KERNEL, width, sizes[layer]))
            for p in range(POSITIONS):
                for t in range(KERNEL):
                    q = (p + t - 1) % POSITIONS
                    gradient[:, t] += back[:, p, :, None] * s[layer][q]
                    below[:, q] += back[:, p] @ weights[layer][t]
            blocks.append(gradient.reshape(width, -1) / np.sqrt(sizes[layer] * KERNEL))
            back = below * slopes[0] if layer else below
        rows.append(np.concatenate(blocks, axis=1))
    jacobian = np.concatenate(rows)
    return np.asarray(jacobian @ jacobian.T)


def convolutions() -> None:
    print(f"{IMAGES} inputs of {POSITIONS} positions, kernel {KERNEL}, depth 3, mean pool, GELU, one thread")
    rng = np.random.default_rng(0)
    for width in (16, 32, 64, 128):
        law = convolution_law(width)
        whole = timed(lambda law=law: shared_block(law, KERNELS, 1, 0)) / BLOCK  # type: ignore[misc]
        net = features.drawn(law, features.First.of(law), [stream(law, 1, network, 0) for network in range(4)])
        gram = timed(lambda net=net: features.tangent_kernel(np, net, True)) / 4  # type: ignore[misc]
        plain = timed(lambda width=width: looped_ntk(rng, width), 2)  # type: ignore[misc]
        print(
            f"  width {width}: {1 / whole:.0f} networks/s with V, D, F, A, B; the NTK of the pooled neurons"
            f" {1 / gram:.0f} networks/s, {plain / gram:.0f} times a loop over positions ({1 / plain:.1f} networks/s)"
        )


if __name__ == "__main__":
    speed()
    convolutions()
    variance()
