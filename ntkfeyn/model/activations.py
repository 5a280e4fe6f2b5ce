"""Activations as text: what a name, a polynomial or an expression in z means, decided without NumPy and SymPy.

Enters: text such as "gelu", "leaky_relu(0.1)" or "z*tanh(z)", or several for the layers of a network. Leaves: a record
of each, from which ``expectations`` makes what numbers need. Text is read node by node from Python's syntax tree: none
is ever run. What only algebra can tell (sqrt(-1)*z, z - z) is refused where SymPy takes the record.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from ntkfeyn.errors import LimitError, RequestError, bad_request, closest, too_large
from ntkfeyn.model.polynomials import Coefficients, polynomial, syntax_tree

SMOOTH = ("gelu", "silu", "tanh", "sigmoid", "erf", "softplus", "sin", "cos")
NAMES = ("linear", "relu", "leaky_relu(a)", *SMOOTH)
FUNCTIONS = (
    "exp", "log", "sqrt", "sin", "cos", "tanh", "sinh", "cosh", "atan", "erf", "sigmoid", "softplus",
)  # fmt: skip
SEPARATOR = ":"  # between the activations of layers; no expression can hold it
MAX_EXPONENT = 12  # of powers in expressions, and of the root that they may be
LARGEST = 1e100  # number in an expression
ALLOWED = (
    f"a name or an expression in z made of numbers, pi, + - * /, ** up to {MAX_EXPONENT},"
    f" brackets and {', '.join(FUNCTIONS)}"
)
HINT = '--activation "z*tanh(z)"'
_LEAKY = re.compile(r"leaky_relu(?:\(\s*(-?(?:\d+\.?\d*|\.\d+)(?:[eE]-?\d{1,2})?)\s*\))?", re.ASCII)


@dataclass(frozen=True)
class NamedSmooth:
    """One of ``SMOOTH``."""

    name: str


@dataclass(frozen=True)
class TwoSlopes:
    """s(z) = right * z for z > 0, left * z for z < 0."""

    name: str
    right: float
    left: float


@dataclass(frozen=True)
class PolynomialText:
    """s(z) = sum_k coefficients[k] z^k, each small enough for a float."""

    name: str
    coefficients: Coefficients


@dataclass(frozen=True)
class ExpressionText:
    """An expression in z whose nodes are all on the whitelist."""

    name: str
    tree: ast.expr = field(compare=False, repr=False)


ActivationText = NamedSmooth | TwoSlopes | PolynomialText | ExpressionText


def read_activation(text: str) -> ActivationText:
    """What an activation's text means; ``name`` is the text as results show it.

    Raises RequestError (what is allowed is listed) or LimitError.
    """
    name = text.strip() if isinstance(text, str) else ""
    if SEPARATOR in name:
        raise bad_request(
            f"the activations '{name[:60]}' were asked for",
            "exactly one is allowed here, the same at every layer",
            f"--activation {closest(name.partition(SEPARATOR)[0], NAMES) or 'gelu'}",
        )
    if name in SMOOTH:
        return NamedSmooth(name)
    if name == "linear":
        return PolynomialText(name, (Fraction(0), Fraction(1)))
    if name == "relu":
        return TwoSlopes(name, 1.0, 0.0)
    leaky = _LEAKY.fullmatch(name)
    if leaky:
        slope = float(leaky.group(1) or 0.01)
        return TwoSlopes(f"leaky_relu({slope!r})", 1.0, slope)
    if not name or "z" not in name:
        raise bad_request(
            f"the activation {text!r} was asked for",
            f"allowed are {', '.join(NAMES)}, or an expression in z",
            f'--activation {closest(name, NAMES) or "gelu"}, or --activation "0.5*z + z**3/10"',
        )
    return _written(name)


def read_activations(given: str | Sequence[str]) -> tuple[ActivationText, ...]:
    """One activation, or one a layer: texts between colons, or a sequence of texts."""
    texts = given if isinstance(given, Sequence) and not isinstance(given, str) else _split(given)
    return tuple(map(read_activation, texts))


def _split(given: str) -> list[str]:
    return given.split(SEPARATOR) if isinstance(given, str) else [given]


def _written(text: str) -> PolynomialText | ExpressionText:
    """A polynomial if it is one, else an expression."""
    try:
        coefficients = polynomial(text)
    except LimitError:
        raise
    except RequestError:
        return _expression(text)
    try:
        [float(c) for c in coefficients]
    except OverflowError as error:
        asked = f"the activation '{text[:60]}' was asked for"
        raise too_large(asked, "coefficients up to 1e308 are allowed", HINT) from error
    return PolynomialText(text, coefficients)


def _expression(text: str) -> ExpressionText:
    try:
        tree = syntax_tree(text)
        known = _known(tree)
        depends = any(isinstance(node, ast.Name) and node.id == "z" for node in ast.walk(tree))
    except (SyntaxError, ValueError, RecursionError, MemoryError, TypeError) as error:
        raise refused(text) from error
    if not (known and depends):
        raise refused(text)
    return ExpressionText(text, tree)


def refused(text: str) -> RequestError:
    """The error for an expression off the whitelist."""
    return bad_request(f"cannot use the activation '{text}'", f"allowed is {ALLOWED}", HINT)


def _known(node: ast.expr) -> bool:
    """Whether a node and all below it are on the whitelist."""
    match node:
        case ast.Name(id="z" | "pi"):
            return True
        case ast.Constant(value=int() | float() as value):
            return not isinstance(value, bool) and abs(value) < LARGEST
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            return _known(operand)
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]):
            return name in FUNCTIONS and _known(argument)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div(), right=right):
            return _known(left) and _known(right)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _known(left) and _known(right) and _allowed_exponent(_number(right))
    return False


def _allowed_exponent(value: Fraction | None) -> bool:
    """None: an exponent that only algebra can tell."""
    return value is None or (abs(value) <= MAX_EXPONENT and value.denominator <= MAX_EXPONENT)


def _number(node: ast.expr) -> Fraction | None:
    """A rational number as it is usually written, with a sign or as a fraction; None for anything else."""
    match node:
        case ast.Constant(value=int() | float() as value):
            return Fraction(repr(value))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            positive = _number(operand)
            return None if positive is None else -positive
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            above, below = _number(left), _number(right)
            return above / below if above is not None and below else None
    return None
