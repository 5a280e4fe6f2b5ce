"""Activations from text: a whitelist parser for polynomials in z with rational coefficients. Nothing is evaluated.

Enters: text such as "z + z**2/2". Leaves: the coefficients (c_0, c_1, ..) as exact fractions.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Sequence
from fractions import Fraction

from ntkfeyn.errors import RequestError, bad_request, too_large

MAX_DEGREE = 12
MAX_BITS = 2048
MAX_LENGTH = 500
DEFAULT = "z + z**2/2"
_ALLOWED = "a polynomial in z with rational coefficients, made of + - * / ** and brackets"
_HINT = f'--activation "{DEFAULT}"'

Coefficients = tuple[Fraction, ...]


class _Beyond(Exception):
    """A polynomial above a limit, which the text names."""


def polynomial(text: str) -> Coefficients:
    """The coefficients of a polynomial in z; raises RequestError (not a polynomial) or LimitError (too large)."""
    try:
        coefficients = _read(syntax_tree(text), text)
    except _Beyond as limit:
        raise too_large(f"the activation '{_shown(text)}' was asked for", str(limit), _HINT) from limit
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise bad_request(f"cannot read the activation '{text}'", f"allowed is {_ALLOWED}", _HINT) from error
    if len(coefficients) < 2:
        raise bad_request(f"the activation '{text}' does not depend on z", f"allowed is {_ALLOWED}", _HINT)
    return coefficients


def polynomials(given: str | Sequence[str]) -> tuple[Coefficients, ...]:
    """One polynomial, or one a layer: texts between colons, or a sequence of texts. Raises as ``polynomial`` does."""
    texts = given.split(":") if isinstance(given, str) else list(given)
    if not texts or not all(isinstance(text, str) for text in texts):
        raise bad_request(f"the activations {texts!r} were asked for", f"allowed is {_ALLOWED}, or one a layer", _HINT)
    return tuple(map(polynomial, texts))


def syntax_tree(text: str) -> ast.expr:
    """Text as Python's syntax tree, to be read node by node; raises LimitError or what the parser raises."""
    if len(text) > MAX_LENGTH:
        asked = f"the activation '{_shown(text)}' has {len(text)} characters"
        raise too_large(asked, f"at most {MAX_LENGTH} are allowed", "a shorter one")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Python's parser, about text that its reader refuses
        return ast.parse(text.strip(), mode="eval").body


def _read(node: ast.expr, text: str) -> Coefficients:
    match node:
        case ast.Name(id="z"):
            return (Fraction(0), Fraction(1))
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return _trim([Fraction(repr(value))])
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _read(operand, text)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return tuple(-c for c in _read(operand, text))
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int() as power)):
            return _power(_read(left, text), power, text)
        case ast.BinOp(left=left, op=op, right=right):
            return _binary(_read(left, text), op, _read(right, text), text)
    raise _refused(text)


def _shown(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}.."


def _refused(text: str) -> RequestError:
    return bad_request(f"the activation '{text}' is not a polynomial", f"allowed is {_ALLOWED}", _HINT)


def _binary(a: Coefficients, op: ast.operator, b: Coefficients, text: str) -> Coefficients:
    match op:
        case ast.Add():
            return _add(a, b)
        case ast.Sub():
            return _add(a, tuple(-c for c in b))
        case ast.Mult():
            return _times(a, b)
        case ast.Div() if len(b) == 1 and b[0]:
            return _trim([c / b[0] for c in a])
    raise _refused(text)


def _add(a: Coefficients, b: Coefficients) -> Coefficients:
    size = max(len(a), len(b))
    padded = [(*c, *[Fraction(0)] * (size - len(c))) for c in (a, b)]
    return _trim([x + y for x, y in zip(*padded, strict=True)])


def _times(a: Coefficients, b: Coefficients) -> Coefficients:
    if len(a) + len(b) - 2 > MAX_DEGREE:
        raise _Beyond(f"degrees up to {MAX_DEGREE} are allowed")
    result = [Fraction(0)] * (len(a) + len(b) - 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            result[i + j] += x * y
    return _trim(result)


def _power(base: Coefficients, power: int, text: str) -> Coefficients:
    if power < 0:
        raise _refused(text)
    if power > MAX_DEGREE:
        raise _Beyond(f"exponents up to {MAX_DEGREE} are allowed")
    result: Coefficients = (Fraction(1),)
    for _ in range(power):
        result = _times(result, base)
    return result


def _trim(coefficients: list[Fraction]) -> Coefficients:
    if any(c.numerator.bit_length() + c.denominator.bit_length() > MAX_BITS for c in coefficients):
        raise _Beyond(f"coefficients of at most {MAX_BITS} binary digits, above and below the line, are allowed")
    while len(coefficients) > 1 and not coefficients[-1]:
        coefficients.pop()
    return tuple(coefficients)
