"""The features that the last layer of a network with shared weights reads, and their neural tangent kernel, in sampled
networks (theory sections 1, 3 and 10).

Enters: the law of a network, random numbers. Leaves: features phi_k;f, f = (input, feature), and J_kk';ff' = sum_mu
lambda_mu dphi_k;f/dmu dphi_k';f'/dmu, or its trace over k. The NTK of hidden labels is never held: gradients are pulled
back from the features, which are few once positions are pooled. With g_kf;ja the gradient by z_j;a of layer p,

    J_kk';ff' = sum over p, j, a, a' of g_kf;ja Omega_aa' g_k'f';ja'    Omega = lambda_b + lambda_W A(sum_i s_i s_i)/n

Axes of gradients: (networks, k, input, feature, position, j); an input's features see its own positions alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.expectations.activations import activation
from ntkfeyn.model.network import Layer
from ntkfeyn.sampling.law import BATCH_BYTES, Law, drawn_weights, normals, root
from ntkfeyn.sampling.positions import Maps, Reading, along, maps_of, reading_of

Array = NDArray[np.float64]


class Drawn(NamedTuple):
    """Layers 1 .. L-1 of networks, lists by layer from 1 (entry 0 is unused, for weights 1 too).

    ``tables[p]`` = s, s', .. (networks, n_p, inputs, positions); ``weights`` (networks, maps, n_p, n_p-1).
    """

    law: Law
    ntk: Array  # of layer 1
    tables: list[tuple[Array, ...]]
    weights: list[Array]

    @property
    def top(self) -> int:
        """The last hidden layer."""
        return len(self.tables) - 1

    @property
    def reading(self) -> Reading:
        """What the output layer reads."""
        return reading_of(self.law.layers[-1].sharing)

    @property
    def features(self) -> Array:
        """phi, (networks, n, inputs * features)"""
        found = along(np, self.reading.rows, self.tables[-1][0], 3)
        return np.asarray(found.reshape(*found.shape[:2], -1))

    def maps(self, layer: int) -> Maps:
        """Of the weights that lead to a layer."""
        return maps_of(self.law.layers[layer - 1].sharing)

    def fresh(self, layer: int) -> Array:
        """Omega, (networks or 1, input, input, position, position): the gradients by a layer's own parameters."""
        inputs, above, own = self.law.inputs, self.law.positions[layer], self.law.layers[layer - 1]
        if layer == 1:
            found = self.ntk.reshape(1, inputs, above, inputs, above)
        else:
            s = self.tables[layer - 1][0]
            flat = s.reshape(*s.shape[:2], -1)
            pairs = (flat.transpose(0, 2, 1) @ flat).reshape(len(s), *s.shape[2:], *s.shape[2:])
            found = own.lambda_b + own.lambda_W / s.shape[1] * self.maps(layer).averaged(pairs, 2, 4)
        return found.transpose(0, 1, 3, 2, 4)


class First(NamedTuple):
    """Layer 1 of every network of a law, made once: a square root of K, and the NTK."""

    root: Array
    ntk: Array

    @staticmethod
    def of(law: Law) -> First:
        return First(root(law.kernel), law.ntk)


def drawn(law: Law, first: First, streams: list[np.random.Generator], order: int = 1) -> Drawn:
    """Networks with weights and biases, each from its own stream; derivatives of activations up to an order."""
    inputs, positions = law.inputs, law.positions
    z = normals(streams, law.hidden[0], inputs * positions[1]) @ first.root.T
    found = Drawn(law, first.ntk, [()], [np.zeros(0)] * 2)
    for p, (n, name, above) in enumerate(zip(law.hidden, law.activations, law.layers[1:], strict=True), 1):
        table = activation(name).table(z.reshape(*z.shape[:2], inputs, positions[p]), order)
        found.tables.append(tuple(table))
        if above.width is not None:
            found.weights.append(shared_weights(streams, above, above.width, n))
            z = passed_on(found.weights[-1], maps_of(above.sharing), table[0])
            z = z.reshape(*z.shape[:2], -1) + normals(streams, above.width, 1) * np.sqrt(above.C_b)
    return found


def shared_weights(streams: list[np.random.Generator], above: Layer, rows: int, n: int) -> Array:
    """W^t (networks, maps, rows, n) that lead to the first ``rows`` neurons of a layer."""
    if above.sharing is None:
        return drawn_weights(streams, above, rows, n)[:, None]
    shares = maps_of(above.sharing).shares
    return np.asarray(normals(streams, len(shares), rows, n) * np.sqrt(above.C_W * shares / n)[:, None, None])


def passed_on(weights: Array, maps: Maps, s: Array) -> Array:
    """The sum over t of W^t M^t s, (networks, n, inputs, positions, ..) to the positions above."""
    found: Any = 0.0
    for t, matrix in enumerate(maps.matrices):
        read = along(np, matrix, s, 3)
        found = found + (weights[:, t] @ read.reshape(*read.shape[:2], -1)).reshape(len(s), -1, *read.shape[2:])
    return np.asarray(found)


def tangent_kernel(xp: Any, net: Drawn, whole: bool) -> Array:
    """J, (networks, f, f', k, k') if ``whole``, else its trace over k, (networks, f, f'); ``xp`` NumPy or jax.numpy."""
    top, reading = net.top, net.reading
    slope = net.tables[top][1]
    m, n, inputs, _ = slope.shape
    blocks = (m, *(inputs, reading.features) * 2)
    found = np.zeros((*blocks, n, n) if whole else blocks)
    outer = slope[:, :, :, None] * reading.rows.toarray()  # by z_ka of the last hidden layer: of the same neuron alone
    own = _own_neuron(outer, net.fresh(top))
    if whole:
        k = np.arange(n)
        found[..., k, k] = own
    else:
        found += own.sum(axis=-1)
    if top > 1:
        omegas = [net.fresh(p) for p in range(1, top)]
        step = n if whole else max(1, BATCH_BYTES // max(gradient_bytes(net.law) // n * m, 1))
        for first in range(0, n, step):
            some = slice(first, first + step)
            gradient = _pulled_from_top(xp, net, outer[:, some], some)
            for p in range(top - 1, 0, -1):
                _add_overlaps(xp, found, gradient, omegas[p - 1], whole)
                if p > 1:
                    gradient = _pulled(xp, net, p, gradient)
    for x in range(inputs):
        for y in range(x):
            turned = found[:, x, :, y].swapaxes(1, 2)
            found[:, y, :, x] = turned.swapaxes(3, 4) if whole else turned
    many = inputs * reading.features
    return found.reshape(m, many, many, *found.shape[5:])


def gradient_bytes(law: Law) -> int:
    """Of one network's gradients, at the layer where they are largest."""
    features = law.inputs * reading_of(law.layers[-1].sharing).features
    below = [n * positions for n, positions in zip(law.hidden[:-1], law.positions[1:], strict=False)]
    return 8 * law.hidden[-1] * features * max([*below, law.positions[-2]])


def _own_neuron(outer: Array, omega: Array) -> Array:
    """What the last hidden layer's own parameters give, for one neuron: (networks, x, f, y, f', k)"""
    m, n, inputs, features, positions = outer.shape
    flat = outer.transpose(0, 2, 4, 1, 3).reshape(m, 1, inputs, positions, n * features)
    moved = (omega @ flat).reshape(m, inputs, inputs, positions, n, features)
    return np.asarray(np.einsum("mkxfp,mxypkg->mxfygk", outer, moved))


def _pulled_from_top(xp: Any, net: Drawn, outer: Array, some: slice) -> Any:
    """Gradients by layer L-2 of the features of some neurons k, from those by the last hidden layer."""
    top = net.top
    m, n, inputs, features, _ = outer.shape
    parts = [along(np, matrix.T, outer, 4) for matrix in net.maps(top).matrices]
    spread = xp.asarray(np.stack(parts, axis=-1))  # (networks, k, x, f, position, t)
    weights = xp.asarray(net.weights[top][:, :, some].transpose(0, 2, 1, 3))
    flat = spread.reshape(m, n, -1, len(parts)) @ weights
    return _sloped(xp, net, top - 1, flat.reshape(m, n, inputs, features, -1, weights.shape[-1]))


def _pulled(xp: Any, net: Drawn, layer: int, gradient: Any) -> Any:
    """Gradients by layer p - 1 from those by layer p: s' sum_t M^t^T W^t^T g"""
    m, *kept, n = gradient.shape
    found: Any = 0.0
    for t, matrix in enumerate(net.maps(layer).matrices):
        flat = gradient.reshape(m, -1, n) @ xp.asarray(net.weights[layer][:, t])
        found = found + along(xp, matrix.T, flat.reshape(m, *kept, -1), 4)
    return _sloped(xp, net, layer - 1, found)


def _sloped(xp: Any, net: Drawn, layer: int, gradient: Any) -> Any:
    """Gradients by s of a layer, which are overwritten, to those by z."""
    slope = np.ascontiguousarray(net.tables[layer][1].transpose(0, 2, 3, 1))
    gradient *= xp.asarray(slope)[:, None, :, None]
    return gradient


def _add_overlaps(xp: Any, found: Array, gradient: Any, omega: Array, whole: bool) -> None:
    """Adds the share of one layer, for inputs x >= y, with one product of matrices for each x."""
    m, n, inputs, features, *_ = gradient.shape
    for x in range(inputs):
        left = gradient[:, :, x]
        kernel = xp.asarray(omega[:, None, x, : x + 1, None])
        right = kernel @ gradient[:, :, : x + 1]  # (networks, k, y, f, position, j)
        if whole:
            both = left.reshape(m, n * features, -1) @ xp.swapaxes(right.reshape(m, n * (x + 1) * features, -1), 1, 2)
            block = both.reshape(m, n, features, n, x + 1, features).transpose(0, 2, 4, 5, 1, 3)
        else:
            one = left.swapaxes(1, 2).reshape(m, features, -1)
            two = right.transpose(0, 2, 3, 1, 4, 5).reshape(m, (x + 1) * features, -1)
            block = (one @ xp.swapaxes(two, 1, 2)).reshape(m, features, x + 1, features)
        found[:, x, :, : x + 1] += np.asarray(block)
