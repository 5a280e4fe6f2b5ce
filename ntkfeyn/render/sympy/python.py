"""Code: expressions as Python in the names of ``ntkfeyn.symbols``, to be pasted and read again.

Enters: an expression. Leaves: text that gives the same expression after ``from ntkfeyn.symbols import *``, and that
``ntkfeyn check --from sympy`` reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import indent

import sympy
from sympy.printing.str import StrPrinter

from ntkfeyn.model.cumulants import standard
from ntkfeyn.render.symbols import Symbols
from ntkfeyn.render.sympy.functions import Activation, LayerTensor
from ntkfeyn.render.sympy.letters import C_B, C_W, LAMBDA_B, LAMBDA_W, LAYER, TAU, WIDTH, WIDTH_BELOW, Tau, Width

NAMES = {
    C_W: "C_W", C_B: "C_B", LAMBDA_W: "LAMBDA_W", LAMBDA_B: "LAMBDA_B",
    LAYER: "LAYER", WIDTH: "WIDTH", WIDTH_BELOW: "WIDTH_BELOW", TAU: "TAU",
}  # fmt: skip
MOST_ROWS = 500  # Python reads no sum of some 3000 terms without brackets


class _Code(StrPrinter):
    """What prints as a formula prints as the call that makes it; sums, products and other calls are SymPy's."""

    printmethod = ""  # none of the expression's own, which is for reading

    def _print_Symbol(self, symbol: sympy.Symbol) -> str:
        return NAMES.get(symbol, str(symbol.name))

    def _print_Width(self, one: Width | Tau) -> str:
        return NAMES.get(one) or f"{type(one).__name__}({self._print(one.layer)})"

    _print_Tau = _print_Width

    def _print_Activation(self, one: Activation) -> str:
        sample, order, _ = one.args
        return f"Activation({sample}{f', {order}' if order else ''}{self._at(one.layer)})"

    def _print_LayerTensor(self, one: LayerTensor) -> str:
        _, correction, *samples = one.args
        order = standard(one.name).leading_order + correction
        return f'tensor_symbol("{one.name}", {order}, {self._print(tuple(samples))}{self._at(one.layer)})'

    def _at(self, layer: sympy.Expr) -> str:
        return "" if layer == LAYER else f", layer={self._print(layer)}"


def code(expression: sympy.Expr) -> str:
    """An expression in our letters, a term a line; brackets around make one expression of the lines.

    >>> from ntkfeyn.render.sympy.sums import omega
    >>> print(code(omega(1, 2)))
    (
        C_W*tensor_symbol("Theta", 0, (1, 2))*Activation(1, 1)*Activation(2, 1)
        + LAMBDA_W*Activation(1)*Activation(2)
    )
    """
    printer = _Code()
    rows = [printer.doprint(term) for term in expression.as_ordered_terms()]
    return _sum([_sum(rows[i : i + MOST_ROWS]) for i in range(0, len(rows), MOST_ROWS)])


def _sum(rows: Sequence[str]) -> str:
    first, *others = rows
    if not others:
        return first
    signed = [f"- {row[1:]}" if row.startswith("-") else f"+ {row}" for row in others]
    return "(\n" + indent("\n".join([first, *signed]), "    ") + "\n)"


def shown(expression: sympy.Expr, symbols: Symbols) -> str:
    """Code; with other letters the expression as it prints in these, which is for reading."""
    return code(expression) if symbols.ours else str(sympy.sstr(expression))
