"""The SymPy names of a recursion, for one's own expressions.

``nf.derive("F", order=1).sympy()`` and ``.equation()`` are made of them: theory section 5, expanded terms. ``ntkfeyn
check`` and ``nf.check`` read them, at any layer.

    C_W, LAMBDA_W, C_B, LAMBDA_B          couplings
    LAYER                                 l: every tensor, mean and width knows its layer
    WIDTH, WIDTH_BELOW, Width(LAYER + 1)  n_l, n_{l-1}, n_{l+1}
    TAU                                   coupling of orthogonal weights (section 9); .rewrite(Width) has it in widths
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

from ntkfeyn.render.sympy import (
    C_B,
    C_W,
    LAMBDA_B,
    LAMBDA_W,
    LAYER,
    TAU,
    WIDTH,
    WIDTH_BELOW,
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

__all__ = [
    "C_B",
    "C_W",
    "LAMBDA_B",
    "LAMBDA_W",
    "LAYER",
    "TAU",
    "WIDTH",
    "WIDTH_BELOW",
    "Activation",
    "Averaging",
    "Expectation",
    "LayerTensor",
    "Tau",
    "TensorName",
    "Width",
    "derivative",
    "expectation_symbol",
    "omega",
    "tensor_symbol",
]
