"""SymPy form of a Recursion: the only maker of SymPy symbols.

Enters: a Recursion, letters. Leaves: a SymPy expression for its right-hand side (sums), of functions that carry out
their symmetries (functions) and print with these letters (names), or as the Python that makes them (python).
"""

from ntkfeyn.render.sympy.functions import Activation, Averaging, Expectation, LayerTensor, TensorName
from ntkfeyn.render.sympy.letters import C_B, C_W, LAMBDA_B, LAMBDA_W, LAYER, TAU, WIDTH, WIDTH_BELOW, Tau, Width
from ntkfeyn.render.sympy.names import OURS, Names, expectation_symbol, names_of, tensor_symbol
from ntkfeyn.render.sympy.python import code, shown
from ntkfeyn.render.sympy.sums import MAX_SYMPY, derivative, omega, terms_to_sympy, to_equation, to_sympy

__all__ = [
    "C_B",
    "C_W",
    "LAMBDA_B",
    "LAMBDA_W",
    "LAYER",
    "MAX_SYMPY",
    "OURS",
    "TAU",
    "WIDTH",
    "WIDTH_BELOW",
    "Activation",
    "Averaging",
    "Expectation",
    "LayerTensor",
    "Names",
    "Tau",
    "TensorName",
    "Width",
    "code",
    "derivative",
    "expectation_symbol",
    "names_of",
    "omega",
    "shown",
    "tensor_symbol",
    "terms_to_sympy",
    "to_equation",
    "to_sympy",
]
