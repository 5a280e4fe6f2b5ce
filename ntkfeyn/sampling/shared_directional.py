"""Derivative tensors P to U of sampled networks whose weights are shared over positions (theory section 10).

Enters: the law of a network. Leaves: estimates as in directional.py, of the output layer alone. A direction d = (output
neuron, label) moves W^t of a layer by V_d = (lambda_W w_t/n) sum over positions of delta_d;a x (M^t s)_a, where the
positions a are those of d's input. Sums over t of products of two such are averages A, or A transposed, over pairs of
positions of sums over neurons.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.sampling.directional import Jets, Sampled, check_smooth, derivative_tensors, gram
from ntkfeyn.sampling.features import First, drawn, passed_on, shared_weights
from ntkfeyn.sampling.law import BLOCK, Law, Rows, batches, stream
from ntkfeyn.sampling.positions import Maps, along, maps_of

Array = NDArray[np.float64]


def shared_derivative_block(law: Law, names: tuple[str, ...], seed: int, block: int, outputs: int = 2) -> list[Rows]:
    """The estimates of one block of networks at layer L alone, from ``outputs`` >= 2 neurons. Raises NtkfeynError."""
    check_smooth(law, names)
    sums: Rows = {}
    first = First.of(law)
    for batch in batches(shared_derivative_bytes(law, names, outputs)):
        streams = [stream(law, seed, block * BLOCK + network, 1) for network in batch]
        found = derivative_tensors(SharedJets(sampled(law, first, streams, outputs), outputs), names, outputs)
        for name, values in found.items():
            sums[name] = sums.get(name, 0.0) + law.hidden[-1] * values.sum(axis=0) / BLOCK
    return [sums]


def shared_derivative_bytes(law: Law, names: tuple[str, ...], outputs: int) -> int:
    """Of the largest arrays that one network needs."""
    directions = outputs * law.labels
    positions = max(law.positions[1:])
    labels = law.inputs * positions
    powers = directions ** (3 if "R" in names else 2)
    largest = [max(law.hidden) * labels * powers, max(law.hidden) ** 2, labels * labels * powers]
    if {"S", "T", "U"} & set(names):
        largest.append((positions * directions**2) ** 2)
    return 8 * max(largest)


def sampled(law: Law, first: First, streams: list[np.random.Generator], outputs: int) -> Sampled:
    """Networks with a few output neurons; labels (input, position) are one axis."""
    net = drawn(law, first, streams, 3)
    probe = shared_weights(streams, law.layers[-1], outputs, law.hidden[-1])
    z = passed_on(probe, net.maps(len(law.layers)), net.tables[-1][0])
    tables = [tuple(part.reshape(*part.shape[:2], -1) for part in table) for table in net.tables]
    return Sampled(law, [*net.weights, probe], tables, z.reshape(*z.shape[:2], -1))


class SharedJets(Jets):
    """``delta[p]`` (networks, n_p, positions, d), positions of d's input; axes a are labels.

    ``seen[p]`` (positions, d): the labels of a direction's input at layer p.
    """

    def _directions(self, outputs: int) -> tuple[list[NDArray[np.int64]], Array]:
        law = self.at.law
        neuron, label = np.divmod(np.arange(outputs * law.labels), law.labels)
        x, position = np.divmod(label, law.positions[-1])
        seen = [x * many + np.arange(many)[:, None] for many in law.positions]
        ends = np.eye(outputs)[:, None, neuron] * np.eye(law.positions[-1])[:, position]
        return seen, ends

    def _maps(self, p: int) -> Maps:
        return maps_of(self.at.law.layers[p - 1].sharing)

    def _up(self, p: int, x: Array) -> Array:
        """The sum over t of W^t M^t x: (networks, n_p-1, a, rest) to layer p"""
        grid = x.reshape(*x.shape[:2], self.at.law.inputs, -1, *x.shape[3:])
        return passed_on(self.at.weights[p], self._maps(p), grid).reshape(len(x), -1, self._labels(p), *x.shape[3:])

    def _labels(self, p: int) -> int:
        return self.at.law.inputs * self.at.law.positions[p]

    def _down(self, p: int, x: Array) -> Array:
        """The sum over t of M^t^T W^t^T x: (networks, n_p, positions, rest) to layer p - 1"""
        flat = x.reshape(*x.shape[:2], -1)
        found: Any = 0.0
        for t, matrix in enumerate(self._maps(p).matrices):
            part = self.at.weights[p][:, t].transpose(0, 2, 1) @ flat
            found = found + along(np, matrix.T, part.reshape(len(x), -1, *x.shape[2:]), 2)
        return np.asarray(found)

    def _moved(self, p: int, x: Array) -> Array:
        """V_d^p x for the weights alone: (networks, n_p-1, a, rest) to (networks, n_p, d, a, rest)"""
        inputs, below, rest = self.at.law.inputs, self.at.law.positions[p - 1], x.shape[3:]
        s = self.at.tables[p - 1][0]
        pairs = self.at.rate(p) * (s.transpose(0, 2, 1) @ x.reshape(*x.shape[:2], -1))
        apart = pairs.reshape(-1, inputs, below, inputs, below, *rest)
        return self._spread(p, self._maps(p).averaged(apart, 2, 4).reshape(len(x), self._labels(p), -1), rest)

    def _spread(self, p: int, pairs: Array, rest: tuple[int, ...]) -> Array:
        """The sum over positions of delta_d times (networks, label of d, a, rest): (networks, n_p, d, a, rest)"""
        delta = self.delta[p]
        found = delta.transpose(0, 3, 1, 2) @ pairs[:, self.seen[p].T]
        return found.transpose(0, 2, 1, 3).reshape(len(delta), -1, delta.shape[-1], self._labels(p), *rest)

    def _biased(self, p: int) -> Array:
        return np.asarray(self.at.bias_rate(p) * self.delta[p].sum(axis=2))

    def _first_layer(self) -> Array:
        return self._spread(1, self.at.law.ntk[None], ()).swapaxes(2, 3)

    def _back(self, p: int) -> Array:
        """V_e^T delta_d of the weights of layer p: (networks, n_p-1, positions, d, e)"""
        s = self.at.tables[p - 1][0][:, :, self.seen[p - 1]]  # (networks, k, position of e, e)
        turned = self._maps(p).turned(self.at.rate(p) * gram(self.delta[p], self.delta[p]), 1, 3)
        m, positions, d, _, e = turned.shape
        flat = turned.transpose(0, 4, 1, 2, 3).reshape(m, e, positions * d, positions)
        found = flat @ s.transpose(0, 3, 2, 1)
        return found.reshape(m, e, positions, d, -1).transpose(0, 4, 2, 3, 1)

    def _overlap(self, p: int, turned: Array) -> Array:
        """Layer p's share: gradients, sums over positions of turned_de x s_d + delta_d x D_e s_d, and turned_de."""
        if p == 1:
            kernel = self.at.law.ntk[self.seen[1][:, :, None, None], self.seen[1]]
            return _summed(gram(turned, turned), kernel[None, :, :, None, :, :, None])
        seen, maps = self.seen[p - 1], self._maps(p)
        delta, s = self.delta[p][..., None], self.at.tables[p - 1][0][:, :, seen, None]
        parts = ((turned, s), (delta, self.first_s(p - 1)[:, :, seen]))
        bias = turned.sum(axis=2)
        total = self.at.bias_rate(p) * gram(bias, bias)
        for left, before in parts:
            for right, after in parts:
                pairs = maps.averaged(gram(before, after), 1, 4)
                total = total + self.at.rate(p) * _summed(gram(left, right), pairs)
        return total


def _summed(x: Array, y: Array) -> Array:
    """The sum over both positions of a product, axes (networks, position, d, e) twice without the second networks."""
    return np.asarray((x * y).sum(axis=(1, 4)))
