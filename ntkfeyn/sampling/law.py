"""The law of a network, and random numbers drawn from it (theory sections 1, 9 and 10).

Enters: the layers of a network, the Gram matrix of the inputs. Leaves: kernels of layer 1, whose preactivations are
exactly Gaussian; weights and normal numbers of each network from a stream of its own, in batches of bounded memory.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.model.network import Layer, activations_of, widths_of
from ntkfeyn.model.sharing import positions_of
from ntkfeyn.sampling.corners import corners, matrix_size, orthogonal
from ntkfeyn.sampling.positions import maps_of

Array = NDArray[np.float64]
Rows = dict[str, Array]  # per network: (networks, samples, ..)
BLOCK = 32  # networks of one estimate
BATCH_BYTES = 1 << 22  # of neural tangent kernels held at a time, where one network needs less: fits in a cache


class Law(NamedTuple):
    """The layers of a network; ``gram`` is x.x'/n_0, over labels (input, position) where weights are shared."""

    layers: tuple[Layer, ...]
    gram: Array

    @property
    def shared(self) -> bool:
        """Whether weights are shared over positions; the first layer shares them then."""
        return self.layers[0].sharing is not None

    @property
    def positions(self) -> tuple[int, ...]:
        """Of an input at layers 0 .. L; 1 each where no weights are shared."""
        return positions_of(layer.sharing for layer in self.layers)

    @property
    def inputs(self) -> int:
        return len(self.gram) // self.positions[0]

    @property
    def labels(self) -> int:
        """Of the output: samples, or (input, position)."""
        return self.inputs * self.positions[-1]

    @property
    def noun(self) -> str:
        """What a label of the output is called."""
        return "inputs" if self.positions[-1] == 1 else "labels (input, position)"

    @property
    def reported(self) -> tuple[int, ...]:
        """Layers with estimates: 2 .. L, the last alone where weights are shared."""
        return (len(self.layers),) if self.shared else tuple(range(2, len(self.layers) + 1))

    @property
    def hidden(self) -> tuple[int, ...]:
        """Widths of the hidden layers."""
        return widths_of(self.layers)

    @property
    def activations(self) -> tuple[str, ...]:
        """The activation after each hidden layer."""
        return activations_of(self.layers)

    @property
    def matrix_sizes(self) -> tuple[int, ...]:
        """Of the orthogonal matrices that layers take their weights from."""
        steps = zip(self.hidden, self.layers[1:], strict=True)
        return tuple(matrix_size(below, layer.width) for below, layer in steps if orthogonal(layer))

    @property
    def kernel(self) -> Array:
        """K of layer 1: its preactivations are exactly Gaussian."""
        return np.asarray(self.layers[0].C_b + self.layers[0].C_W * self.read)

    @property
    def ntk(self) -> Array:
        """The NTK of layer 1, which does not fluctuate."""
        return np.asarray(self.layers[0].lambda_b + self.layers[0].lambda_W * self.read)

    @property
    def read(self) -> Array:
        """x.x'/n_0 as layer 1 reads it: averaged over pairs of positions where its weights are shared."""
        if not self.shared:
            return self.gram
        below, above = self.positions[:2]
        pairs = self.gram.reshape(self.inputs, below, self.inputs, below)
        return maps_of(self.layers[0].sharing).averaged(pairs, 1, 3).reshape(self.inputs * above, -1)


def stream(law: Law, seed: int, network: int, kind: int) -> np.random.Generator:
    """Random numbers of one network; ``kind`` keeps independent uses apart, the widths keep settings apart."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(*law.hidden, kind, network)))


def batches(size: int) -> list[range]:
    """The networks of a block in batches, so that about BATCH_BYTES are held; ``size`` is bytes a network."""
    step = max(1, min(BLOCK, BATCH_BYTES // size))
    return [range(first, min(first + step, BLOCK)) for first in range(0, BLOCK, step)]


def normals(streams: list[np.random.Generator], *shape: int) -> Array:
    """Standard normal numbers (networks, *shape), each network from its own stream."""
    numbers = np.empty((len(streams), *shape))
    for one, rng in zip(numbers, streams, strict=True):
        rng.standard_normal(out=one)
    return numbers


def drawn_weights(streams: list[np.random.Generator], above: Layer, rows: int, n: int) -> Array:
    """Weights (networks, rows, n) that lead to the first ``rows`` neurons of a layer, from one of n neurons."""
    if orthogonal(above):
        size = matrix_size(n, above.width)
        return np.asarray(corners(streams, rows, n, size) * np.sqrt(above.C_W * size / n))
    return np.asarray(normals(streams, rows, n) * np.sqrt(above.C_W / n))


def root(kernel: Array) -> Array:
    """A square root of a positive semidefinite kernel."""
    values, vectors = np.linalg.eigh(kernel)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0)))


def namespace(backend: str) -> Any:
    """NumPy, or jax.numpy with double precision."""
    if backend == "numpy":
        return np
    import jax

    jax.config.update("jax_enable_x64", True)
    return jax.numpy
