"""The SymPy names of a recursion, for one's own expressions.

``nf.derive("F", order=1).sympy()`` and ``.equation()`` are made of them: theory section 5, expanded terms. ``ntkfeyn
derive F --format sympy`` prints them as Python, ``ntkfeyn check`` and ``nf.check`` read them, at any layer.

    C_W, C_B, LAMBDA_W, LAMBDA_B         couplings
    LAYER                                l: tensors, means and widths know theirs
    WIDTH, WIDTH_BELOW, Width(LAYER+1)   n_l, n_{l-1}, n_{l+1}
    TAU                                  coupling of orthogonal weights (section 9)
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

What stands at a layer takes ``layer=``, and putting in a layer moves all of it. Couplings stay: those of the step to
the next layer, as the maps of ``Averaging`` do; where they differ from layer to layer, put them in step by step.

    >>> K = nf.derive("K", order=0).equation()
    >>> K
    Eq(K[1,2; l+1], C_W*<s_1 s_2> + C_b)
    >>> K.subs(LAYER, LAYER - 1)
    Eq(K[1,2], C_W*<s_1 s_2; l-1> + C_b)
    >>> nf.derive("K", order=1).sympy().subs(LAYER, 3).coeff(LayerTensor("K", 1, 1, 1, layer=3))
    C_W*n_3*<s''_1 s_2; 3>/(2*n_2)

In a deep linear network s_a is z_a, so <s_1 s_2> is K_12. Four layers on, with C_b = 0:

    >>> K = K.subs(Expectation(s(1) * s(2)), LayerTensor("K", 0, 1, 2)).subs(C_B, 0)
    >>> tensor = LayerTensor("K", 0, 1, 2, layer=5)
    >>> for layer in (4, 3, 2, 1):
    ...     tensor = tensor.subs(*K.subs(LAYER, layer).args)
    >>> tensor
    C_W**4*K[1,2; 1]
"""

from ntkfeyn.render import sympy as own
from ntkfeyn.render.sympy import (
    Activation,
    Averaging,
    Expectation,
    LayerTensor,
    Tau,
    TensorName,
    Width,
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
LAYER = own.LAYER
"""The layer l: what is put in for it moves tensors, means and widths."""
WIDTH = own.WIDTH
"""The width n_l."""
WIDTH_BELOW = own.WIDTH_BELOW
"""The width n_{l-1}."""
TAU = own.TAU
"""n_l/max(n_l, n_{l+1}), of orthogonal weights; `.rewrite(Width)` writes it so."""

__all__ = [  # noqa: RUF022 - in the order of the reference
    "C_W", "C_B", "LAMBDA_W", "LAMBDA_B", "LAYER", "WIDTH", "WIDTH_BELOW", "TAU", "Width", "Tau", "tensor_symbol",
    "LayerTensor", "TensorName", "Activation", "Expectation", "expectation_symbol", "derivative", "omega", "Averaging",
]  # fmt: skip
