"""An activation that the user writes as an expression in z: values and derivatives of it as it is written.

Enters: the syntax tree of text such as "z*tanh(z)", on the whitelist of ``model.activations``. Leaves: a tree of nodes
that can be put through truncated Taylor series (derivatives of any order, each node once) and through intervals
(``expectations.features``). Nothing is simplified: sqrt(z**2-2*z+1) stays a root with a zero under it, and no text is
ever run. Numbers are floating point from the start, so none can grow beyond it.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import comb, factorial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntkfeyn.errors import LimitError, RequestError, too_large
from ntkfeyn.expectations.activations import TABLES
from ntkfeyn.model.activations import HINT, MAX_EXPONENT, ExpressionText, refused

Array = NDArray[np.float64]
Series = list[Any]  # coefficients s^(k)/k! on arrays; a float 0.0 where they vanish identically
MAX_CONSTANT = 1e100  # and at least its inverse


@dataclass(frozen=True)
class Constant:
    """A real number."""

    value: float


@dataclass(frozen=True)
class Variable:
    """z itself."""


@dataclass(frozen=True)
class Sum:
    """left + sign * right"""

    left: Node
    right: Node
    sign: int = 1


@dataclass(frozen=True)
class Product:
    """left * right"""

    left: Node
    right: Node


@dataclass(frozen=True)
class Power:
    """base**exponent; a quotient is a product with the power -1."""

    base: Node
    exponent: Fraction


@dataclass(frozen=True)
class Function:
    """A function of ``model.activations.FUNCTIONS``, but for sqrt, which is a power."""

    name: str
    argument: Node


Node = Constant | Variable | Sum | Product | Power | Function


def expression(written: ExpressionText) -> Node:
    """The nodes of an expression. Raises RequestError for what is no function of z, LimitError for huge numbers."""
    try:
        with np.errstate(all="ignore"):
            made = _made(written.tree, written.name)
    except (ValueError, RecursionError, MemoryError, TypeError, OverflowError, ZeroDivisionError) as error:
        raise refused(written.name) from error
    with np.errstate(all="ignore"):
        at_zero = series(made, np.zeros(1), 2)
    if all(map(_nothing, at_zero[1:])):
        raise refused(written.name)  # it does not depend on z
    if not all(np.isfinite(coefficient).all() for coefficient in at_zero):  # a constant one is a number, no array
        raise RequestError(
            f"the activation '{written.name}' is not smooth at z = 0, where every kernel needs it",
            "a root, a logarithm or a denominator vanishes there; try relu or leaky_relu(a) for a kink",
        )
    return made


def _made(node: ast.expr, text: str) -> Node:
    match node:
        case ast.Name(id="z"):
            return Variable()
        case ast.Name(id="pi"):
            return Constant(math.pi)
        case ast.Constant(value=int() | float() as value):
            return _folded(Constant(float(value)), text)
        case ast.UnaryOp(op=op, operand=operand):
            inner = _made(operand, text)
            return inner if isinstance(op, ast.UAdd) else _folded(Product(Constant(-1.0), inner), text)
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            inner = _made(argument, text)
            return _folded(Power(inner, Fraction(1, 2)) if name == "sqrt" else Function(name, inner), text)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(_made(left, text), _rational(right), text)
        case ast.BinOp(left=left, op=op, right=right):
            return _folded(_binary(_made(left, text), op, _made(right, text)), text)
    raise refused(text)


def _binary(a: Node, op: ast.operator, b: Node) -> Node:
    match op:
        case ast.Add():
            return Sum(a, b)
        case ast.Sub():
            return Sum(a, b, -1)
        case ast.Mult():
            return Product(a, b)
    if isinstance(b, Constant):
        return Product(a, Constant(1 / b.value))
    return Product(a, Power(b, Fraction(-1)))


def _power(base: Node, exponent: Fraction | None, text: str) -> Node:
    if exponent is None or abs(exponent) > MAX_EXPONENT or exponent.denominator > MAX_EXPONENT:
        raise refused(text)
    return base if exponent == 1 else _folded(Power(base, exponent), text)


def _rational(node: ast.expr) -> Fraction | None:
    """An exponent: a rational number, made of numbers by + - * /; None for anything else."""
    match node:
        case ast.Constant(value=int() | float() as value) if abs(value) < MAX_CONSTANT:
            return Fraction(repr(value))
        case ast.UnaryOp(op=op, operand=operand):
            inner = _rational(operand)
            return inner if inner is None or isinstance(op, ast.UAdd) else -inner
        case ast.BinOp(left=left, op=op, right=right):
            a, b = _rational(left), _rational(right)
            if a is None or b is None:
                return None
            match op:
                case ast.Add():
                    return a + b
                case ast.Sub():
                    return a - b
                case ast.Mult():
                    return a * b
                case ast.Div():
                    return a / b
    return None


def _folded(node: Node, text: str) -> Node:
    """The node, or its value where z is not in it. Raises where that is no real number, or out of range."""
    match node:
        case Constant():
            pass
        case (
            Sum(Constant(), Constant()) | Product(Constant(), Constant()) | Power(Constant()) | Function(_, Constant())
        ):
            pass
        case _:
            return node
    value = float(np.real(series(node, np.zeros(()), 0)[0]))
    if math.isnan(value) or (isinstance(node, Power) and _complex(node)):
        raise refused(text)
    if value != 0 and not 1 / MAX_CONSTANT <= abs(value) <= MAX_CONSTANT:
        raise _out_of_range(text)
    if value == 0 and isinstance(node, Function) and node.name == "exp":
        raise _out_of_range(text)
    return Constant(value)


def _out_of_range(text: str) -> LimitError:
    asked = f"a number in the activation '{text[:60]}' is out of range"
    return too_large(asked, f"{1 / MAX_CONSTANT:g} to {MAX_CONSTANT:g} is allowed", HINT)


def _complex(node: Power) -> bool:
    """Whether a power of a number is no real number."""
    return isinstance(node.base, Constant) and (
        (node.base.value < 0 and node.exponent.denominator > 1) or (node.base.value == 0 and node.exponent < 0)
    )


class Written:
    """Values of an expression and its derivatives on arrays."""

    def __init__(self, written: ExpressionText) -> None:
        self.node = expression(written)

    def table(self, z: Array, top: int) -> list[Array]:
        """s, s', .., s^(top) at z; what is not finite is refused where expectations are taken."""
        with np.errstate(all="ignore"):
            found = series(self.node, z, top)
            return [np.broadcast_to(np.asarray(c * factorial(k)), z.shape).astype(float) for k, c in enumerate(found)]


def series(node: Node, z: Array, top: int) -> Series:
    """Taylor coefficients 0 .. top of a node around each z."""
    match node:
        case Constant(value):
            return [value, *[0.0] * top]
        case Variable():
            return [z, 1.0, *[0.0] * top][: top + 1]
        case Sum(left, right, sign):
            pairs = zip(series(left, z, top), series(right, z, top), strict=True)
            return [a + b if sign > 0 else a - b for a, b in pairs]
        case Product(left, right):
            return _times(series(left, z, top), series(right, z, top))
        case Power(base, exponent):
            inner = series(base, z, top)
            return _composed(_power_series(inner[0], exponent, top), inner)
        case Function(name, argument):
            inner = series(argument, z, top)
            return _composed(OUTER[name](np.asarray(inner[0], dtype=float), top), inner)


def _nothing(coefficient: Any) -> bool:
    """Whether a coefficient vanishes at every z."""
    return isinstance(coefficient, float) and coefficient == 0.0


def _times(a: Series, b: Series) -> Series:
    found: Series = []
    for k in range(len(a)):
        terms = [a[i] * b[k - i] for i in range(k + 1) if not (_nothing(a[i]) or _nothing(b[k - i]))]
        total: Any = 0.0
        for term in terms:
            total = total + term
        found.append(total)
    return found


def _composed(outer: Series, inner: Series) -> Series:
    """f(g): Horner's rule in g - g(z), whose constant term vanishes."""
    top = len(inner) - 1
    if all(map(_nothing, inner[2:])):
        return [f if k == 0 else f * inner[1] ** k for k, f in enumerate(outer)]
    step: Series = [0.0, *inner[1:]]
    found: Series = [outer[top], *[0.0] * top]
    for k in range(top - 1, -1, -1):
        found = _times(found, step)
        found[0] = outer[k]
    return found


def _power_series(base: Any, exponent: Fraction, top: int) -> Series:
    """b**p differentiated k times over k!: binomial(p, k) b**(p - k)"""
    value = np.asarray(base, dtype=float)
    natural = exponent.denominator == 1 and exponent >= 0
    running = None if natural else value ** (int(exponent) if exponent.denominator == 1 else float(exponent))
    found: Series = []
    factor = Fraction(1)
    for k in range(top + 1):
        if not factor:
            found.append(0.0)  # beyond a polynomial's degree
        elif running is None:
            found.append(float(factor) * value ** (int(exponent) - k))
        else:
            found.append(float(factor) * running)
            running = running / value
        factor = factor * (exponent - k) / (k + 1)
    return found


def _named(name: str) -> Callable[[Array, int], Series]:
    return lambda g, top: [v / factorial(k) for k, v in enumerate(TABLES[name](g, top))]


def _exp(g: Array, top: int) -> Series:
    value = np.exp(g)
    return [value / factorial(k) for k in range(top + 1)]


def _log(g: Array, top: int) -> Series:
    return [np.log(g), *((-1) ** (k - 1) / (k * g**k) for k in range(1, top + 1))]


def _hyperbolic(odd: int) -> Callable[[Array, int], Series]:
    """sinh (odd = 0) and cosh (1): each is the derivative of the other."""

    def outer(g: Array, top: int) -> Series:
        both = np.sinh(g), np.cosh(g)
        return [both[(odd + k) % 2] / factorial(k) for k in range(top + 1)]

    return outer


def _atan(g: Array, top: int) -> Series:
    """Derivative k over k! is (-1)**(k-1) / k times the imaginary part of (g + i)**k / (1 + g**2)**k."""
    square = 1.0 + g * g
    found: Series = [np.arctan(g)]
    for k in range(1, top + 1):
        total: Any = 0.0
        for j in range(1, k + 1, 2):
            total = total + (-1) ** (j // 2) * comb(k, j) * g ** (k - j)
        found.append((-1) ** (k - 1) * total / (k * square**k))
    return found


OUTER: dict[str, Callable[[Array, int], Series]] = {
    "exp": _exp,
    "log": _log,
    "sinh": _hyperbolic(0),
    "cosh": _hyperbolic(1),
    "atan": _atan,
    **{name: _named(name) for name in ("sin", "cos", "tanh", "erf", "sigmoid", "softplus")},
}
