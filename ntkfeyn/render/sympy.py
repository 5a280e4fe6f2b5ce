"""SymPy form of a Recursion: the only maker of SymPy symbols.

Enters: a Recursion. Leaves: a SymPy expression for its right-hand side: tensors at layer l as ``LayerTensor``,
expectations as ``Expectation`` with ``Activation`` factors inside, C_W, lambda_W, C_b, lambda_b and the widths
n_l, n_{l-1}. Expanded terms only: after Leibniz everything is a plain product.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from ntkfeyn.derivation.recursion import Recursion
from ntkfeyn.derivation.rules import WIDTH_RATIO
from ntkfeyn.derivation.terms import ExpandedTerm, Tensor
from ntkfeyn.errors import LimitError
from ntkfeyn.model.cumulants import standard
from ntkfeyn.render.notation import LatexNotation

MAX_SYMPY = 100_000
C_W, LAMBDA_W, C_B, LAMBDA_B = sympy.symbols("C_W lambda_W C_b lambda_b", positive=True)
WIDTH, WIDTH_BELOW = sympy.Symbol("n_l", positive=True), sympy.Symbol("n_{l-1}", positive=True)


class Activation(sympy.Function):
    """The derivative of order m of the activation at sample a: Activation(a, m)."""

    nargs = 2

    def _sympystr(self, printer: Any) -> str:
        sample, order = self.args
        return f"s{chr(39) * int(order)}_{sample}" if order <= 3 else f"s^({order})_{sample}"

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        sample, order = self.args
        body = LatexNotation().activation(int(sample), int(order))
        return rf"\left({body}\right)^{{{exp}}}" if exp else body


class Expectation(sympy.Function):
    """The Gaussian expectation <product of its arguments> with kernel K at layer l."""

    is_positive = None

    def _sympystr(self, printer: Any) -> str:
        return "<" + " ".join(printer.doprint(factor) for factor in self.args) + ">"

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        body = LatexNotation().mean(r"\,".join(printer.doprint(factor) for factor in self.args))
        return f"{{{body}}}^{{{exp}}}" if exp else body


class LayerTensor(sympy.Function):
    """A tensor at layer l: LayerTensor(name, correction, a, b, ..); samples in the tensor's index order."""

    def _sympystr(self, printer: Any) -> str:
        name, correction, *samples = self.args
        mark = f"^{{{correction}}}" if correction else ""
        return f"{name}{mark}[{','.join(map(str, samples))}]"

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        name, correction, *samples = self.args
        mark = rf"\{{{correction}\}}" if correction else ""
        letter = LatexNotation().letter(str(name))
        joint = "" if all(s < 10 for s in samples) else ","
        body = rf"{letter}^{{{mark}(\ell)}}_{{{joint.join(map(str, samples))}}}"
        return rf"\left({body}\right)^{{{exp}}}" if exp else body


def coupling_symbol(name: str) -> sympy.Expr:
    """The symbol of a coupling of ``derivation.rules.COUPLINGS``; the width ratio is n_l / n_(l-1)."""
    if name == WIDTH_RATIO:
        return WIDTH / WIDTH_BELOW
    return sympy.Symbol(name, positive=True)


def tensor_symbol(name: str, order: int, samples: Sequence[int]) -> sympy.Expr:
    """The symbol of a tensor at layer l; ``samples`` in the tensor's index order, ``order`` absolute."""
    correction = order - standard(name).leading_order
    return LayerTensor(sympy.Symbol(name), sympy.Integer(correction), *map(sympy.Integer, samples))


def expectation_symbol(factors: Sequence[tuple[int, int]]) -> sympy.Expr:
    """<product of activations>; ``factors`` are (sample, derivative order)."""
    return Expectation(*(Activation(sympy.Integer(s), sympy.Integer(m)) for s, m in sorted(factors)))


def _tensor(tensor: Tensor) -> sympy.Expr:
    return tensor_symbol(tensor.name, tensor.order, [tensor.labels[v] for v in standard(tensor.name).index])


def _term(term: ExpandedTerm) -> sympy.Expr:
    return sympy.Mul(
        sympy.Rational(term.coefficient.numerator, term.coefficient.denominator),
        *(coupling_symbol(name) ** power for name, power in term.couplings),
        *(_tensor(tensor) for tensor in term.tensors),
        *(expectation_symbol(factors) for factors in term.expectations),
    )


def to_sympy(recursion: Recursion) -> sympy.Expr:
    """The right-hand side as an expanded SymPy sum (theory section 5). Raises LimitError above MAX_SYMPY terms."""
    if recursion.written > MAX_SYMPY:
        raise LimitError(
            f"{recursion.name}@{recursion.order} expands to up to {recursion.written} terms; SymPy takes at most"
            f" {MAX_SYMPY}; try --format json, or --format latex, which shows the terms before Leibniz"
        )
    return sympy.Add(*(_term(term) for term in recursion.expanded))
