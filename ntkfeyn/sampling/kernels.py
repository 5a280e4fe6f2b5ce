"""Sampled networks: cumulants at finite width (theory sections 1 to 3). An independent judge: no diagram, recursion or
expectation of the derivation is imported here.

Enters: the law of a network (its layers, the Gram matrix of the inputs). Leaves: unbiased estimates of n^R
times each cumulant. Networks come in blocks of fixed size; each network has its own stream of random numbers, so
nothing depends on how many are held at a time. A block gives one estimate, the spread between blocks the standard
error. The weights of the layer in question are averaged over analytically: given layer l, with G_ab = C_b + C_W/n
sum_k s_a s_b and H_ab its NTK mean, the channels of layer l+1 are

    K = E[G]   Theta = E[H]   V = n Cov(G, G)   D = n Cov(G, H)   A = n Cov(H, H)
    F = n (C_W/n)^2 E[sum_kk' s_1k s_2k' M_kk';34]   B = n (C_W/n)^2 E[sum_kk' M_kk';12 M_kk';34]

with M_kk';ab = s'_ka s'_k'b NTK_kk';ab, which are exact coincidence patterns (i != j) of the neurons. With
orthogonal weights the same averages have more terms (corners.py), for which D and A need what F and B do. The NTK is
stored for the pairs of samples a >= b, axes (networks, k, pair, k'): a layer is two matrix products a network. Where
neither F nor B is asked for, H needs a trace: of layer 1, whose NTK is diagonal in the neurons, and of the last hidden
layer only the diagonal is held, axes (networks, k, pair).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.expectations.activations import activation
from ntkfeyn.model.network import Layer
from ntkfeyn.sampling.corners import AVERAGED, CHAINS, RINGS, Below, averages, matrix_size, orthogonal
from ntkfeyn.sampling.law import BLOCK, Law, Rows, batches, drawn_weights, namespace, normals, root, stream

Array = NDArray[np.float64]
KERNELS = ("K", "Theta", "V", "D", "F", "A", "B")
FULL_NTK = {"Theta", "D", "F", "A", "B"}  # what needs more than the preactivations
OFF_DIAGONAL = {"F", "B"}  # what needs the NTK between different neurons


class Activated(NamedTuple):
    """A sampled layer: s and s', shape (networks, neurons, samples); ``ntk`` and M or their diagonals, if needed."""

    s: Array
    slope: Array
    ntk: Any
    inner: Any


class Pairs(NamedTuple):
    """The pairs of samples a >= b, and where each ordered pair is found."""

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    place: NDArray[np.int64]  # (samples, samples) -> pair
    flipped: NDArray[np.bool_]  # a < b: stored with both neurons exchanged


def network_bytes(law: Law, names: tuple[str, ...]) -> int:
    """Of the largest arrays that one network needs."""
    samples, width = len(law.gram), max(law.hidden)
    return 8 * width * (width * (samples * (samples + 1) // 2 if FULL_NTK & set(names) else 1) + samples)


def kernel_block(law: Law, names: tuple[str, ...], seed: int, block: int, backend: str = "numpy") -> list[Rows]:
    """The estimates of one block of networks at layers 2 .. L; ``backend`` numpy or jax does the matrix products."""
    xp = namespace(backend)
    parts = []
    for batch in batches(network_bytes(law, names)):
        streams = [stream(law, seed, block * BLOCK + network, 0) for network in batch]
        parts.append(_layers(xp, law, names, streams))
    layers = [
        {name: np.concatenate([part[i][name] for part in parts]) for name in parts[0][i]} for i in range(len(parts[0]))
    ]
    widths = zip(layers, law.hidden, strict=True)
    return [estimates(names, rows, width) for rows, width in widths]


def sample_pairs(samples: int) -> Pairs:
    """Every unordered pair of samples."""
    a, b = np.tril_indices(samples)
    place = np.zeros((samples, samples), dtype=np.int64)
    place[a, b] = place[b, a] = np.arange(len(a))
    return Pairs(a, b, place, np.triu(np.ones((samples, samples), dtype=bool), 1))


def _layers(xp: Any, law: Law, names: tuple[str, ...], streams: list[np.random.Generator]) -> list[Rows]:
    """What each network gives at layers 2 .. L, averaged over the weights of that layer."""
    pairs = sample_pairs(len(law.gram))
    n = law.hidden[0]
    z = normals(streams, n, len(law.gram)) @ root(law.kernel).T
    ntk = None
    between = bool((CHAINS | RINGS if law.matrix_sizes else OFF_DIAGONAL) & set(names))
    if FULL_NTK & set(names):
        first = np.broadcast_to(law.ntk[pairs.a, pairs.b], (n, len(pairs.a)))
        if between:
            first = np.eye(n)[:, None, :] * first[:, :, None]
        ntk = xp.broadcast_to(xp.asarray(first), (len(streams), *first.shape))
    found = []
    for i, (name, above) in enumerate(zip(law.activations, law.layers[1:], strict=True)):
        layer = _activated(xp, name, z, ntk, pairs)
        found.append(_given_layer(xp, names, layer, above, pairs))
        if above.width is not None:
            whole = between or i + 2 < len(law.hidden)
            z, ntk = _next_layer(xp, above.width, layer, above, pairs, streams, whole)
    return found


def _activated(xp: Any, name: str, z: Any, ntk: Any, pairs: Pairs) -> Activated:
    """s, s' and M_kk';ab = s'_ka s'_k'b NTK_kk';ab"""
    s, slope = activation(name).table(np.asarray(z), 1)
    if ntk is None:
        return Activated(s, slope, None, None)
    if ntk.ndim == 3:
        return Activated(s, slope, ntk, xp.asarray(slope[:, :, pairs.a] * slope[:, :, pairs.b]) * ntk)
    inner = xp.asarray(slope[:, :, pairs.a, None]) * ntk
    inner *= xp.asarray(slope.transpose(0, 2, 1)[:, None, pairs.b])
    return Activated(s, slope, ntk, inner)


def _next_layer(
    xp: Any,
    width: int,
    layer: Activated,
    above: Layer,
    pairs: Pairs,
    streams: list[np.random.Generator],
    whole: bool,
) -> tuple[Any, Any]:
    """Forward equations: z and the NTK of one more layer, or its diagonal, with drawn weights and biases."""
    networks, n, _ = layer.s.shape
    W = drawn_weights(streams, above, width, n)
    z = W @ layer.s + normals(streams, width, 1) * np.sqrt(above.C_b)
    if layer.ntk is None:
        return z, None
    weights = xp.asarray(W)
    fresh = above.lambda_b + above.lambda_W / n * np.einsum("mka,mkb->mab", layer.s, layer.s)[:, pairs.a, pairs.b]
    if not whole:
        return z, _diagonal(xp, weights, layer.inner) + xp.asarray(fresh)[:, None]
    half = _half(xp, weights, layer.inner).reshape(networks, -1, n)
    ntk = (half @ xp.swapaxes(weights, 1, 2)).reshape(networks, width, -1, width)
    k = np.arange(width)
    if xp is np:
        ntk[:, k, :, k] += fresh
        return z, ntk
    return z, ntk.at[:, k, :, k].add(fresh)


def _half(xp: Any, weights: Any, inner: Any) -> Any:
    """sum_j W_ij M_jk;p, axes (networks, i, pair, k)"""
    networks, n, *_ = inner.shape
    if inner.ndim == 3:
        return weights[:, :, None, :] * xp.swapaxes(inner, 1, 2)[:, None]
    return (weights @ inner.reshape(networks, n, -1)).reshape(networks, weights.shape[1], -1, n)


def _diagonal(xp: Any, weights: Any, inner: Any) -> Any:
    """sum_jk W_ij W_ik M_jk;p, axes (networks, i, pair)"""
    if inner.ndim == 3:
        return weights**2 @ inner
    return (_half(xp, weights, inner) @ weights[:, :, :, None])[..., 0]


def _given_layer(xp: Any, names: tuple[str, ...], layer: Activated, above: Layer, pairs: Pairs) -> Rows:
    """What each network gives, averaged over the weights of the next layer."""
    G = np.einsum("mka,mkb->mab", layer.s, layer.s, optimize=True) / layer.s.shape[1]
    traces = None
    if layer.ntk is not None:
        trace = xp.einsum("mkp->mp" if layer.inner.ndim == 3 else "mkpk->mp", layer.inner)
        traces = np.asarray(trace)[:, pairs.place]
    chain, ring = lambda: _chain(xp, layer, pairs), lambda: _ring(xp, layer.inner, pairs)
    return given_layer(names, above, layer.s.shape[1], G, traces, chain, ring)


def given_layer(
    names: tuple[str, ...],
    above: Layer,
    n: int,
    G: Array,
    traces: Array | None,
    chain: Callable[[], Array],
    ring: Callable[[], Array],
) -> Rows:
    """G and H ("K", "Theta") of each network, averaged over the weights of the next layer; F and B, n E[..].

    From sum_k s_a s_b / n, sum_k M_kk;ab and, where they are needed, sum_kk' s_1 M_34 s_2 and sum_kk' M_12 M_34, axes
    (networks, 1, 3, 2, 4). With orthogonal weights V, D and A too: n times what the average of a product is more than
    the product of averages.
    """
    C_W, asked = above.C_W, set(names)
    rows = {"K": above.C_b + C_W * G}
    below = Below(G)
    if traces is not None:
        rows["Theta"] = above.lambda_b + above.lambda_W * G + C_W / n * traces
        below = below._replace(traces=traces / n)
    if asked & (CHAINS if orthogonal(above) else {"F"}):
        chains = chain()
        rows["F"] = C_W**2 / n * chains
        below = below._replace(chains=chains / n**2)
    if asked & (RINGS if orthogonal(above) else {"B"}):
        rings = ring()
        rows["B"] = C_W**2 / n * rings
        below = below._replace(rings=rings / n**2)
    if orthogonal(above) and asked & AVERAGED:
        found = averages(names, below, matrix_size(n, above.width))
        rows |= {name: n * C_W**2 * value for name, value in found.items()}
    return rows


def _chain(xp: Any, layer: Activated, pairs: Pairs) -> Array:
    """sum_kk' s_1k s'_3k NTK_kk';34 s'_4k' s_2k', axes (networks, 1, 3, 2, 4)"""
    outer = layer.s[:, :, :, None] * layer.slope[:, :, None, :]
    left = xp.asarray(outer[:, :, :, pairs.a].transpose(0, 3, 2, 1))  # (networks, pair, 1, k)
    right = xp.asarray(outer[:, :, :, pairs.b].transpose(0, 3, 1, 2))  # (networks, pair, k', 2)
    found = np.asarray(left @ xp.swapaxes(layer.ntk, 1, 2) @ right)[:, pairs.place]  # (networks, 3, 4, 1, 2)
    found = np.where(pairs.flipped[:, :, None, None], found.swapaxes(3, 4), found)
    return found.transpose(0, 3, 1, 4, 2)


def _ring(xp: Any, inner: Any, pairs: Pairs) -> Array:
    """sum_kk' M_kk';12 M_kk';34, axes (networks, 1, 3, 2, 4)"""
    same = np.asarray((inner @ xp.swapaxes(inner, 2, 3)).sum(axis=1))  # (networks, pair, pair)
    crossed = same.copy()
    mixed = np.flatnonzero(pairs.a != pairs.b)  # M of one sample is symmetric in its neurons
    if len(mixed):
        some = inner[:, :, mixed]
        turned = xp.swapaxes(some, 1, 3).copy()  # (networks, k', pair, k) -> M_k'k
        crossed[:, mixed[:, None], mixed] = np.asarray((some @ xp.swapaxes(turned, 2, 3)).sum(axis=1))
    first, second = pairs.place[:, :, None, None], pairs.place
    alike = pairs.flipped[:, :, None, None] == pairs.flipped
    return np.where(alike, same[:, first, second], crossed[:, first, second]).transpose(0, 1, 3, 2, 4)


def estimates(names: tuple[str, ...], rows: Rows, width: int) -> Rows:
    """Unbiased over the networks of a block; ``width`` is that of the layer below."""
    G, H = rows["K"], rows.get("Theta", rows["K"])
    pairs = {"V": (G, G), "D": (G, H), "A": (H, H)}
    found = {}
    for name in names:
        value = rows[name].mean(axis=0) if name in rows else 0.0
        found[name] = np.asarray(width * _covariance(*pairs[name]) + value if name in pairs else value)
    return found


def _covariance(x: Array, y: Array) -> Array:
    """Unbiased over the networks of a block: (networks, a, b), (networks, c, d) -> (a, b, c, d)."""
    dx, dy = x - x.mean(axis=0), y - y.mean(axis=0)
    return np.asarray(np.einsum("mab,mcd->abcd", dx, dy, optimize=True) / (len(x) - 1))
