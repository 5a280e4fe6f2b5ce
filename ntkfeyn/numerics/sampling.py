"""Sampled networks: cumulants at finite width with standard errors (theory sections 1 to 3). An independent judge: no
diagram, recursion or expectation of the derivation is imported here.

Enters: the law of a network (widths, couplings, activation, kernels of layer 1). Leaves: unbiased estimates of n^R
times each cumulant. Networks come in blocks of fixed size, each with its own seed; a block gives one estimate, and the
spread between blocks the standard error. The weights of the layer in question are averaged over analytically: given
layer l, with G_ab = C_b + C_W/n sum_k s_a s_b and H_ab its NTK mean, the channels of layer l+1 are

    K = E[G]   Theta = E[H]   V = n Cov(G, G)   D = n Cov(G, H)   A = n Cov(H, H)
    F = n (C_W/n)^2 E[sum_kk' s_1k s_2k' M_kk';34]   B = n (C_W/n)^2 E[sum_kk' M_kk';12 M_kk';34]

with M_kk';ab = s'_ka s'_k'b NTK_kk';ab, which are exact coincidence patterns (i != j) of the neurons.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.numerics.activations import Kinked, activation

Array = NDArray[np.float64]
BLOCK = 32  # networks of one estimate
TENSORS = ("K", "Theta", "V", "D", "F", "A", "B")


class Law(NamedTuple):
    """``couplings[l - 1]`` = (C_W, lambda_W, C_b, lambda_b) of layer l; ``gram`` is x.x'/n_0."""

    hidden: tuple[int, ...]
    couplings: tuple[tuple[float, float, float, float], ...]
    activation: str
    gram: Array


class Tally(NamedTuple):
    """Streaming moments of block estimates: number of blocks, mean, sum of squared deviations; they can be merged."""

    blocks: int
    mean: Array
    squares: Array

    def merged(self, other: Tally) -> Tally:
        """Both together (Chan, Golub and LeVeque 1983)."""
        if not self.blocks or not other.blocks:
            return other if not self.blocks else self
        total = self.blocks + other.blocks
        step = other.mean - self.mean
        mean = self.mean + step * (other.blocks / total)
        squares = self.squares + other.squares + step * step * (self.blocks * other.blocks / total)
        return Tally(total, mean, squares)

    @property
    def errors(self) -> Array:
        """One standard error of the mean; nan for fewer than two blocks."""
        if self.blocks < 2:
            return np.full_like(self.mean, np.nan)
        return np.sqrt(self.squares / (self.blocks - 1) / self.blocks)


def sample_block(law: Law, seed: int, block: int) -> Tally:
    """The estimates of one block of networks, all tensors at layers 2 .. L, flattened in the order of ``layout``."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(block,)))
    found = [np.concatenate([estimate.ravel() for estimate in layer.values()]) for layer in _layers(law, rng)]
    return Tally(1, np.concatenate(found), np.zeros(sum(map(len, found))))


def sample_blocks(law: Law, seed: int, first: int, last: int) -> Tally:
    """Blocks first .. last - 1, merged in order."""
    total = Tally(0, np.zeros(0), np.zeros(0))
    for block in range(first, last):
        total = total.merged(sample_block(law, seed, block))
    return total


def layout(samples: int, depth: int) -> list[tuple[int, str, tuple[int, ...]]]:
    """(layer, tensor, shape) of every estimate, in order; indices in the tensor's index order."""
    shapes = {name: (samples,) * (2 if name in ("K", "Theta") else 4) for name in TENSORS}
    return [(layer, name, shapes[name]) for layer in range(2, depth + 1) for name in TENSORS]


def _layers(law: Law, rng: np.random.Generator) -> list[dict[str, Array]]:
    """Estimates of one block at layers 2 .. L, each averaged over the weights of its layer."""
    C_W, lambda_W, C_b, lambda_b = law.couplings[0]
    root = _root(C_b + C_W * law.gram)
    n = law.hidden[0]
    z = rng.standard_normal((BLOCK, n, len(root))) @ root.T  # (networks, neurons, samples)
    ntk = (lambda_b + lambda_W * law.gram)[:, :, None, None] * np.eye(n)
    ntk = np.broadcast_to(ntk, (BLOCK, *ntk.shape))  # (networks, samples, samples, neurons, neurons)
    found = []
    for layer, couplings in enumerate(law.couplings[1:], 2):
        s, slope = _slopes(law.activation, z)
        inner = slope.transpose(0, 2, 1)[:, :, None, :, None] * ntk * slope.transpose(0, 2, 1)[:, None, :, None, :]
        found.append(_estimates(s, slope, ntk, inner, couplings))
        if layer < len(law.couplings):
            z, ntk = _next_layer(law.hidden[layer - 1], s, inner, couplings, rng)
    return found


def _slopes(name: str, z: Array) -> tuple[Array, Array]:
    """s and s'"""
    function = activation(name)
    if isinstance(function, Kinked):
        side = np.where(z > 0, function.right, function.left)
        return side * z, side
    s, slope = function.table(z, 1)
    return s, slope


def _root(kernel: Array) -> Array:
    """A square root of a positive semidefinite kernel."""
    values, vectors = np.linalg.eigh(kernel)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0)))


def _next_layer(
    width: int, s: Array, inner: Array, couplings: tuple[float, float, float, float], rng: np.random.Generator
) -> tuple[Array, Array]:
    """Forward equations: z and the NTK of one more layer, drawn weights and biases."""
    C_W, lambda_W, C_b, lambda_b = couplings
    n = s.shape[1]
    W = rng.standard_normal((len(s), width, n)) * np.sqrt(C_W / n)
    b = rng.standard_normal((len(s), width, 1)) * np.sqrt(C_b)
    ntk = np.empty((*inner.shape[:3], width, width))
    back = W.transpose(0, 2, 1)
    fresh = lambda_b + lambda_W / n * np.einsum("mka,mkb->mab", s, s)
    for a in range(s.shape[2]):
        for c in range(a + 1):  # NTK_kk';ab = NTK_k'k;ba
            ntk[:, a, c] = W @ inner[:, a, c] @ back
            ntk[:, a, c] += fresh[:, a, c, None, None] * np.eye(width)
            ntk[:, c, a] = ntk[:, a, c].transpose(0, 2, 1)
    return W @ s + b, ntk


def _estimates(
    s: Array, slope: Array, ntk: Array, inner: Array, couplings: tuple[float, float, float, float]
) -> dict[str, Array]:
    """One layer up from s, s' (networks, neurons, samples) and the NTK; ``inner`` is M."""
    C_W, lambda_W, C_b, lambda_b = couplings
    n = s.shape[1]
    G = np.einsum("mka,mkb->mab", s, s) / n
    H = lambda_b + lambda_W * G + C_W / n * np.einsum("mabkk->mab", inner)
    G = C_b + C_W * G
    outer = s[:, :, :, None] * slope[:, :, None, :]  # u_13 = s_1 s'_3
    F = np.einsum("mkac,mcdkq,mqbd->macbd", outer, ntk, outer, optimize=True)
    flat = inner.reshape(*inner.shape[:3], -1)
    gram = np.einsum("mabx,mcdx->mabcd", flat, flat, optimize=True)
    scale = C_W**2 / n
    return {
        "K": G.mean(axis=0),
        "Theta": H.mean(axis=0),
        "V": n * _covariance(G, G),
        "D": n * _covariance(G, H),
        "F": scale * F.mean(axis=0),
        "A": n * _covariance(H, H),
        "B": scale * gram.mean(axis=0).transpose(0, 2, 1, 3),
    }


def _covariance(x: Array, y: Array) -> Array:
    """Unbiased over the networks of a block: (networks, a, b), (networks, c, d) -> (a, b, c, d)."""
    dx, dy = x - x.mean(axis=0), y - y.mean(axis=0)
    return np.asarray(np.einsum("mab,mcd->abcd", dx, dy, optimize=True) / (len(x) - 1))
