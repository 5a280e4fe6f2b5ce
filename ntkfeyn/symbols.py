"""The SymPy names of a recursion, for one's own expressions.

``nf.derive("F", order=1).sympy()`` is made of them: theory section 5, expanded terms. ``ntkfeyn check`` and
``nf.check`` read them.

    C_W, C_B, LAMBDA_W, LAMBDA_B         couplings
    WIDTH, WIDTH_BELOW                   n_l, n_{l-1}
    tensor_symbol(name, order, (a, ..))  a tensor at layer l; samples in its index order
    Activation(a, m)                     the derivative of order m at sample a
    Expectation(..)                      the Gaussian mean of products and sums of them
    expectation_symbol([(a, m), ..])     the same of a product
    derivative(product, a, ..)           by z at these samples, inside a mean
    omega(a, b)                          Omega_ab, inside a mean
    Averaging(f, (a, b), ..)             over pairs of labels, for shared weights (section 10)

Symmetries are carried out when an expression is made, so what is right subtracts to zero:

    >>> import ntkfeyn as nf
    >>> from ntkfeyn.symbols import *
    >>> s = Activation
    >>> mean = Expectation(s(3, 1) * s(1) * s(4, 1) * s(2))
    >>> F = C_W**2 * tensor_symbol("Theta", 0, (4, 3)) * mean
    >>> for a in (1, 3):
    ...     for b in (2, 4):
    ...         left = Expectation(derivative(s(1) * s(3, 1), a))
    ...         right = Expectation(derivative(s(2) * s(4, 1), b))
    ...         F_below = tensor_symbol("F", 1, (b, 4, a, 3))
    ...         F += C_W**2 * WIDTH / WIDTH_BELOW * F_below * left * right
    >>> F.expand() - nf.derive("F", order=1).sympy()
    0
    >>> nf.check(F, "F").equal
    True
"""

from ntkfeyn.render import sympy as own
from ntkfeyn.render.sympy import (
    Activation,
    Averaging,
    Expectation,
    LayerTensor,
    derivative,
    expectation_symbol,
    omega,
    tensor_symbol,
)

C_W = own.C_W
"""Variance of the weights of layer l+1, times n_l."""
C_B = own.C_B
"""Variance of the biases of layer l+1."""
LAMBDA_W = own.LAMBDA_W
"""Weight of the gradients by the weights of layer l+1, times n_l."""
LAMBDA_B = own.LAMBDA_B
"""Weight of the gradients by the biases of layer l+1."""
WIDTH = own.WIDTH
"""The width n_l."""
WIDTH_BELOW = own.WIDTH_BELOW
"""The width n_{l-1}."""

__all__ = [  # noqa: RUF022 - in the order of the reference
    "C_W", "C_B", "LAMBDA_W", "LAMBDA_B", "WIDTH", "WIDTH_BELOW", "tensor_symbol", "LayerTensor", "Activation",
    "Expectation", "expectation_symbol", "derivative", "omega", "Averaging",
]  # fmt: skip
