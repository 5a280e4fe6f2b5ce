"""Sampled networks whose weights are shared over positions: cumulants of the output layer (theory section 10).

Enters: the law of a network. Leaves: estimates as in kernels.py, averaged over the weights of the output layer. Two
weights of it are alike if neuron, feature's neuron and map t are: every pair of slots is averaged with A, the sum over
t of w_t M^t M^t, on features:

    G = C_b + C_W A_12 sum_k phi_1 phi_2 / n      F_1324 = n (C_W/n)^2 E[A_13 A_24 sum_kk' phi_1k J_kk';34 phi_2k']
    H = lambda_b + A_12 (lambda_W sum_k phi_1 phi_2 + C_W sum_k J_kk;12) / n
    B_1324 = n (C_W/n)^2 E[A_13 A_24 sum_kk' J_kk';12 J_kk';34]
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.sampling.corners import CHAINS, RINGS, orthogonal
from ntkfeyn.sampling.features import Drawn, First, drawn, gradient_bytes, tangent_kernel
from ntkfeyn.sampling.kernels import FULL_NTK, OFF_DIAGONAL, estimates, given_layer
from ntkfeyn.sampling.law import BATCH_BYTES, BLOCK, Law, Rows, batches, namespace, stream
from ntkfeyn.sampling.positions import Reading, maps_of, reading_of

Array = NDArray[np.float64]


def shared_block(law: Law, names: tuple[str, ...], seed: int, block: int, backend: str = "numpy") -> list[Rows]:
    """The estimates of one block of networks at layer L alone; ``backend`` numpy or jax does the matrix products."""
    xp, first = namespace(backend), First.of(law)
    parts = []
    for batch in batches(shared_bytes(law, names)):
        streams = [stream(law, seed, block * BLOCK + network, 0) for network in batch]
        parts.append(given_network(xp, drawn(law, first, streams), names))
    rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return [estimates(names, rows, law.hidden[-1])]


def shared_bytes(law: Law, names: tuple[str, ...]) -> int:
    """Of the largest arrays that one network needs."""
    n, reading = law.hidden[-1], reading_of(law.layers[-1].sharing)
    labels = law.inputs * max(law.positions[1:])
    weights = [
        len(maps_of(above.sharing).matrices) * below * (above.width or 0)
        for below, above in zip(law.hidden, law.layers[1:], strict=True)
    ]
    largest = [labels * max(law.hidden), labels**2, law.labels**4, *weights]
    if whole_kernel(law, names):
        neurons = law.inputs * reading.features * n
        largest += [gradient_bytes(law) // 8, neurons**2, len(reading.places) * (law.labels * n) ** 2]
    elif FULL_NTK & set(names):
        gradients = gradient_bytes(law)
        largest.append(max(gradients // n, min(gradients, BATCH_BYTES)) // 8)
    return 8 * max(largest)


def whole_kernel(law: Law, names: tuple[str, ...]) -> bool:
    """Whether the NTK between different neurons is needed."""
    return bool((CHAINS | RINGS if orthogonal(law.layers[-1]) else OFF_DIAGONAL) & set(names))


def given_network(xp: Any, net: Drawn, names: tuple[str, ...]) -> Rows:
    """What each network gives at layer L, averaged over the weights of that layer; labels are (input, position)."""
    n, phi, reading = net.law.hidden[-1], net.features, net.reading.over(net.law.inputs)
    G = _averaged(reading, phi.transpose(0, 2, 1) @ phi) / n
    kernel, traces = np.zeros(0), None
    if FULL_NTK & set(names):
        whole = whole_kernel(net.law, names)
        kernel = tangent_kernel(xp, net, whole)
        traces = _averaged(reading, np.einsum("mfgkk->mfg", kernel) if whole else kernel)

    def chain() -> Array:
        return _chain(reading, phi, kernel)

    def ring() -> Array:
        return _ring(reading, kernel)

    return given_layer(names, net.law.layers[-1], n, G, traces, chain, ring)


def _averaged(reading: Reading, pairs: Array) -> Array:
    """A on features: (networks, f, f') to labels."""
    found = np.zeros((len(pairs), *[reading.places.shape[1]] * 2))
    for places, gains in zip(reading.places, reading.gains, strict=True):
        found += pairs[:, places[:, None], places] * gains[:, None] * gains
    return found


def _chain(reading: Reading, phi: Array, kernel: Array) -> Array:
    """A_13 A_24 of sum_kk' phi_1k J_kk';34 phi_2k', axes (networks, 1, 3, 2, 4)"""
    read = [
        (places, gains[:, None], phi[:, :, places].transpose(0, 2, 1)[:, None, None] * gains[:, None])
        for places, gains in zip(reading.places, reading.gains, strict=True)
    ]
    half: Any = 0.0
    for places, gains, left in read:
        half = half + left @ (kernel[:, places] * gains[..., None, None])  # (networks, 3, f', 1, k')
    found: Any = 0.0
    for places, gains, right in read:
        found = found + (half[:, :, places] * gains[..., None]) @ right.swapaxes(3, 4)  # (networks, 3, 4, 1, 2)
    return np.asarray(found.transpose(0, 3, 1, 4, 2))


def _ring(reading: Reading, kernel: Array) -> Array:
    """A_13 A_24 of sum_kk' J_kk';12 J_kk';34, axes (networks, 1, 3, 2, 4)"""
    labels, other = reading.places.shape[1], reading.places.T
    found = np.zeros((len(kernel), labels**2, labels**2))
    for places, gains in zip(reading.places, reading.gains, strict=True):
        read = kernel[:, places[:, None, None], other] * (gains[:, None, None] * reading.gains.T)[..., None, None]
        flat = read.reshape(len(kernel), labels**2, -1)  # (networks, 12, t'kk')
        found += flat @ flat.transpose(0, 2, 1)
    return found.reshape(-1, *[labels] * 4).transpose(0, 1, 3, 2, 4)
