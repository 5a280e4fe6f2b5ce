"""An activation that the user writes as an expression in z: derivatives by SymPy.

Enters: the syntax tree of text such as "z*tanh(z)", on the whitelist of ``model.activations``. Leaves: a function from
nodes z and a derivative order to values. Both trees are walked node by node, SymPy's on arrays: no text is ever run.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special
import sympy
from numpy.typing import NDArray

from ntkfeyn.errors import LimitError
from ntkfeyn.model.activations import MAX_EXPONENT, ExpressionText, refused
from ntkfeyn.model.polynomials import MAX_BITS

Array = NDArray[np.float64]
MAX_OPERATIONS = 20_000
Z = sympy.Symbol("z", real=True)

_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "exp": sympy.exp,
    "log": sympy.log,
    "sqrt": sympy.sqrt,
    "sin": sympy.sin,
    "cos": sympy.cos,
    "tanh": sympy.tanh,
    "sinh": sympy.sinh,
    "cosh": sympy.cosh,
    "atan": sympy.atan,
    "erf": sympy.erf,
    "sigmoid": lambda x: (1 + sympy.tanh(x / 2)) / 2,
    "softplus": lambda x: sympy.log(1 + sympy.exp(x)),
}
_VALUES: dict[Any, Callable[[Array], Array]] = {
    sympy.exp: np.exp,
    sympy.log: np.log,
    sympy.sin: np.sin,
    sympy.cos: np.cos,
    sympy.tanh: np.tanh,
    sympy.sinh: np.sinh,
    sympy.cosh: np.cosh,
    sympy.atan: np.arctan,
    sympy.erf: scipy.special.erf,
}


def expression(written: ExpressionText) -> sympy.Expr:
    """The SymPy expression; raises RequestError for what is no smooth function of z, LimitError if it is too large."""
    try:
        parsed = _made(written.tree, written.name)
    except (ValueError, RecursionError, MemoryError, TypeError) as error:
        raise refused(written.name) from error
    if parsed.free_symbols != {Z} or not all(map(_known, sympy.preorder_traversal(parsed))):
        raise refused(written.name)
    return parsed


def _known(node: Any) -> bool:
    """Whether arrays can be put through a node: a finite real number, or a function that stays smooth."""
    if node.is_number:
        try:
            return bool(np.isfinite(float(node)))
        except (TypeError, OverflowError, ValueError):
            return False
    return bool(node == Z or node.is_Add or node.is_Mul or node.is_Pow or node.func in _VALUES)


def _made(node: ast.expr, text: str) -> Any:
    """A node of the syntax tree in SymPy."""
    match node:
        case ast.Name(id="z"):
            return Z
        case ast.Name(id="pi"):
            return sympy.pi
        case ast.Constant(value=value):
            return sympy.Rational(repr(value))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_made(operand, text)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _made(operand, text)
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            return _FUNCTIONS[name](_made(argument, text))
        case ast.BinOp(left=left, op=op, right=right):
            return _small(_binary(_made(left, text), op, _made(right, text), text))
    raise refused(text)


def _binary(a: Any, op: ast.operator, b: Any, text: str) -> Any:
    match op:
        case ast.Add():
            return a + b
        case ast.Sub():
            return a - b
        case ast.Mult():
            return a * b
        case ast.Div():
            return a / b
        case ast.Pow() if b.is_Rational and abs(b) <= MAX_EXPONENT and b.q <= MAX_EXPONENT:
            return a**b
    raise refused(text)


def _small(value: Any) -> Any:
    """The value, unless numbers in it have grown beyond any use: they would cost time, not accuracy."""
    for number in value.atoms(sympy.Rational):
        if max(int(number.p).bit_length(), int(number.q).bit_length()) > MAX_BITS:
            raise LimitError("a number in the activation is too large")
    return value


class SymbolicDerivatives:
    """Values of an expression and its derivatives on arrays; derivatives are taken once each."""

    def __init__(self, written: ExpressionText) -> None:
        self.derivatives = [expression(written)]

    def table(self, z: Array, top: int) -> list[Array]:
        """s, s', .., s^(top) at z. Raises LimitError where a derivative grows too long."""
        while len(self.derivatives) <= top:
            following = sympy.diff(self.derivatives[-1], Z)
            if sympy.count_ops(following) > MAX_OPERATIONS:
                raise LimitError(
                    f"derivative {len(self.derivatives)} of the activation has more than {MAX_OPERATIONS} operations"
                )
            self.derivatives.append(following)
        known: dict[Any, Any] = {Z: z}
        with np.errstate(all="ignore"):  # what is not finite is refused where expectations are taken
            return [np.broadcast_to(_value(d, known), z.shape).astype(float) for d in self.derivatives[: top + 1]]


def _value(node: Any, known: dict[Any, Any]) -> Any:
    """A SymPy node on arrays, each node once."""
    if node in known:
        return known[node]
    if node.is_number:
        result: Any = float(node)
    elif node.is_Add or node.is_Mul:
        parts = [_value(part, known) for part in node.args]
        result = parts[0]
        for part in parts[1:]:
            result = result + part if node.is_Add else result * part
    elif node.is_Pow and node.exp.is_Rational:
        result = _value(node.base, known) ** (int(node.exp) if node.exp.is_Integer else float(node.exp))
    else:
        result = _VALUES[node.func](_value(node.args[0], known))
    known[node] = result
    return result
