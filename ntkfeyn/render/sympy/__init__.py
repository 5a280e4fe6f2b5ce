"""SymPy form of a Recursion: the only maker of SymPy symbols.

Enters: a Recursion, letters. Leaves: a SymPy expression for its right-hand side (sums), of functions that carry out
their symmetries (functions) and print with these letters (names).
"""

from ntkfeyn.render.sympy.functions import Activation, Averaging, Expectation, LayerTensor
from ntkfeyn.render.sympy.names import (
    C_B,
    C_W,
    LAMBDA_B,
    LAMBDA_W,
    OURS,
    WIDTH,
    WIDTH_BELOW,
    Names,
    expectation_symbol,
    names_of,
    tensor_symbol,
)
from ntkfeyn.render.sympy.sums import derivative, omega, to_sympy

__all__ = [
    "C_B",
    "C_W",
    "LAMBDA_B",
    "LAMBDA_W",
    "OURS",
    "WIDTH",
    "WIDTH_BELOW",
    "Activation",
    "Averaging",
    "Expectation",
    "LayerTensor",
    "Names",
    "derivative",
    "expectation_symbol",
    "names_of",
    "omega",
    "tensor_symbol",
    "to_sympy",
]
