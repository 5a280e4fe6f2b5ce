"""The SymPy names of a recursion, for one's own expressions: C_W, LAMBDA_W, tensor_symbol, expectation_symbol, ..

``nf.derive("F", order=1).sympy()`` is made of them: theory section 5, expanded terms.
"""

from ntkfeyn.render.sympy import (
    C_B,
    C_W,
    LAMBDA_B,
    LAMBDA_W,
    WIDTH,
    WIDTH_BELOW,
    Activation,
    Expectation,
    LayerTensor,
    expectation_symbol,
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
    "Expectation",
    "LayerTensor",
    "expectation_symbol",
    "tensor_symbol",
]
