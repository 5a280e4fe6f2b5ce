"""Scaling: tensors of very small or very large inputs, where numbers would end before the tensors do.

Enters: networks, the Gram matrix; tensors by layer. Leaves: a Gram matrix of ordinary size and the power of two that it
was divided by, and tensors multiplied back; or one message. Without biases and with s(c z) = c s(z) a tensor with 2k
indices is homogeneous of degree k in the Gram matrix, so that powers of two scale it exactly. Any other network is
taken as it is, and refused where products of its kernel would underflow.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import frexp, log10

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.errors import NtkfeynError
from ntkfeyn.expectations.activations import Activation
from ntkfeyn.model.cumulants import standard
from ntkfeyn.model.network import Layer
from ntkfeyn.model.tensors import TensorId

Array = NDArray[np.float64]
ORDINARY = 64  # powers of two that need no scaling
LEAST = -280  # power of ten below which nothing is computed
HINT = "try larger inputs or couplings"


def scaling(layers: Sequence[Layer], functions: Iterable[Activation], gram: Array) -> int:
    """The power of two to divide the Gram matrix by: 0 where it has an ordinary size, or the network no scale."""
    power = frexp(float(np.max(np.diag(gram), initial=0.0)))[1]
    free = not any(layer.C_b or layer.lambda_b for layer in layers)
    if abs(power) <= ORDINARY or not free or any(function.slopes is None for function in functions):
        return 0
    return power + power % 2  # even: square roots scale exactly as well


def scaled_back(tensor: TensorId, values: Array, errors: Array, power: int) -> tuple[Array, Array]:
    """A tensor of the network itself. Raises NtkfeynError where no number is as large or as small."""
    if not power:
        return values, errors
    degree = len(standard(tensor.name).labels) // 2
    with np.errstate(all="ignore"):
        found, off = np.ldexp(values, power * degree), np.ldexp(errors, power * degree)
    if not np.isfinite(found).all():
        raise NtkfeynError(f"the tensor {tensor} overflows", "try smaller inputs or couplings")
    if np.any((values != 0) & (np.abs(found) < 10.0 ** (LEAST - 20))):
        raise NtkfeynError(f"the tensor {tensor} underflows", HINT)
    return found, off


def check_size(variances: Array, below: Array, tensors: Iterable[TensorId], layer: int) -> None:
    """Raises NtkfeynError where a tensor of this layer, of the size of its kernel to a power, would underflow.

    ``variances`` are the diagonal of the kernel, ``below`` of what it was made of: what underflows may be 0 by now.
    """
    smallest = max(float(np.min(variances[(variances > 0) | (below > 0)], initial=1.0)), 5e-324)
    degree = max(len(standard(tensor.name).labels) // 2 for tensor in tensors)
    if degree * log10(smallest) < LEAST:
        raise NtkfeynError(
            f"the kernel is {smallest:.0e} at layer {layer}: tensors with {2 * degree} indices underflow", HINT
        )
