"""The SymPy names of a recursion, for one's own expressions.

``nf.derive("F", order=1).sympy()`` is made of them: theory section 5, expanded terms. ``ntkfeyn check`` and
``nf.check`` read them.

    C_W, LAMBDA_W, C_B, LAMBDA_B          couplings
    WIDTH, WIDTH_BELOW                    n_l, n_{l-1}
    tensor_symbol(name, order, samples)   a tensor at layer l; samples in its index order, the order absolute
    Activation(a, m)                      the derivative of order m of the activation at sample a
    Expectation(..)                       the Gaussian mean of products and sums of activations
    expectation_symbol([(a, m), ..])      the same of a product
    derivative(product, a, ..)            by z at these samples, to stand in an expectation
    Averaging(f, (a, b), ..)              f averaged over these pairs of labels: weights shared over labels (section 10)
    omega(a, b)                           lambda_W s_a s_b + C_W Theta_ab s'_a s'_b, to stand in an expectation

Symmetries are carried out when an expression is made, so what is right subtracts to zero:

    >>> import ntkfeyn as nf
    >>> from ntkfeyn.symbols import *
    >>> s = Activation
    >>> F = C_W**2 * tensor_symbol("Theta", 0, (4, 3)) * Expectation(s(3, 1) * s(1) * s(4, 1) * s(2))
    >>> for a in (1, 3):
    ...     for b in (2, 4):
    ...         means = Expectation(derivative(s(1) * s(3, 1), a)) * Expectation(derivative(s(2) * s(4, 1), b))
    ...         F += C_W**2 * WIDTH / WIDTH_BELOW * tensor_symbol("F", 1, (b, 4, a, 3)) * means
    >>> F.expand() - nf.derive("F", order=1).sympy()
    0
    >>> nf.check(F, "F").equal
    True
"""

from ntkfeyn.render.sympy import (
    C_B,
    C_W,
    LAMBDA_B,
    LAMBDA_W,
    WIDTH,
    WIDTH_BELOW,
    Activation,
    Averaging,
    Expectation,
    LayerTensor,
    derivative,
    expectation_symbol,
    omega,
    tensor_symbol,
)

__all__ = [
    "C_B",
    "C_W",
    "LAMBDA_B",
    "LAMBDA_W",
    "WIDTH",
    "WIDTH_BELOW",
    "Activation",
    "Averaging",
    "Expectation",
    "LayerTensor",
    "derivative",
    "expectation_symbol",
    "omega",
    "tensor_symbol",
]
