"""What is carried from layer to layer beside the tensors: the kernel with the distances of near samples.

Enters: the kernel of the inputs, or tensors of a layer with the distances of the activations below. Leaves: tensors
whose K agrees with the distances, and the kernel that the next layer is integrated over. In a compared run all of it
has noise.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.expectations.kernels import Kernel
from ntkfeyn.expectations.keys import EPSILON
from ntkfeyn.expectations.nearby import Distances
from ntkfeyn.model.network import Layer, Network
from ntkfeyn.model.tensors import MEAN_KERNEL, TensorId
from ntkfeyn.solve.components import Components
from ntkfeyn.solve.convergence import LayerValues
from ntkfeyn.solve.inputs import first_kernels
from ntkfeyn.solve.noise import NOISE, Noise
from ntkfeyn.solve.step import Values

Array = NDArray[np.float64]


Of = dict[TensorId, Components]  # the components of a layer


def first_layer(of: Of, network: Network, inputs: Kernel, noise: Noise | None = None) -> LayerValues:
    """Layer 1: the kernels K and Theta; everything else vanishes."""
    scale = np.sqrt(np.diag(inputs.matrix))
    layer = network.layers[0]
    start, sizes = (first_kernels(layer, one) for one in (inputs.matrix, scale[:, None] * scale))
    values, errors = {}, {}
    for i, (tensor, components) in enumerate(of.items()):
        a, b = components.rows[:, 0], components.rows[:, 1]
        values[tensor] = start[tensor][a, b] if tensor in start else np.zeros(len(a))
        size = sizes[tensor][a, b] if tensor in start else np.zeros(len(a))
        errors[tensor] = EPSILON * size if noise is None else np.zeros(len(a))
        if noise is not None:
            values[tensor] = noise.on(values[tensor], size, i)
    known = inputs.following(layer.C_W, layer.C_b)
    if noise is not None:
        known = known.moved(NOISE)
    kernel = _agreed(of, values, (known.minus, known.plus, known.excess), known.near)
    return LayerValues(values, errors, replace(kernel, known_parallel=known.known_parallel))


def next_kernel(
    of: Of, values: Values, layer: Layer, below: Kernel, found: Distances | None, noise: Noise | None
) -> Kernel:
    """The kernel of a layer whose tensors are ``values``, from that below; K in ``values`` is made to agree with it."""
    if found is None:
        return Kernel.of(kernel_matrix(of, values))
    if noise is not None:
        found = _noisy(found, noise, len(of) + 1)
    a, b = below.pairs.T
    samples = of[MEAN_KERNEL].samples
    minus, plus, excess = np.zeros((3, samples, samples))
    minus[a, b] = minus[b, a] = layer.C_W * found.minus
    plus[a, b] = plus[b, a] = 4 * layer.C_b + layer.C_W * found.plus
    excess[a, b], excess[b, a] = layer.C_W * found.excess, -layer.C_W * found.excess
    return _agreed(of, values, (minus, plus, excess), below.near)


def _noisy(found: Distances, noise: Noise, which: int) -> Distances:
    minus = np.abs(noise.on(found.minus, found.minus_mass, which))
    plus = np.abs(noise.on(found.plus, found.plus_mass, which + 1))
    return found._replace(minus=minus, plus=plus, excess=noise.on(found.excess, found.excess_mass, which + 2))


def _agreed(of: Of, values: Values, known: tuple[Array, Array, Array], near: NDArray[np.bool_]) -> Kernel:
    """The kernel of ``values`` with known distances (minus, plus, excess) where ``near``, from which K is taken."""
    minus, plus, excess = known
    matrix = kernel_matrix(of, values)
    taken = near & np.isfinite(matrix)
    both = np.diag(matrix)[:, None] + np.diag(matrix)
    closer = np.where(minus <= plus, both - minus, plus - both) / 2
    matrix = np.where(taken, closer, matrix)
    a, b = of[MEAN_KERNEL].rows.T
    values[MEAN_KERNEL] = matrix[a, b]
    plain = Kernel.of(matrix)
    return Kernel(
        matrix,
        np.where(taken, minus, plain.minus),
        np.where(taken, plus, plain.plus),
        np.where(taken, excess, plain.excess),
    )


def kernel_matrix(of: Of, values: Values) -> Array:
    """K as a matrix; nan where it is not needed."""
    kernel = np.full((of[MEAN_KERNEL].samples,) * 2, np.nan)
    a, b = of[MEAN_KERNEL].rows.T
    moves = of[MEAN_KERNEL].moves
    for c, d in [(a, b)] if moves is None else [(move[a], move[b]) for move in moves]:
        kernel[c, d] = kernel[d, c] = values[MEAN_KERNEL]
    return kernel
